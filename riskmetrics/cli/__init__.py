"""The command line: each command parses, asks and prints; what it needs is imported when it runs."""
