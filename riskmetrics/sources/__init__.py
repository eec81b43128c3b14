"""Data sources: user files, the FMP API, the bundled sample and simulated markets.

Each source converts its names and units to those of the package.
"""
