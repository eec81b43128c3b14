"""The command line: each command parses options, calls the package and prints the result.

Commands import what they need when they run, which keeps the start short.
"""
