"""A server of the Model Context Protocol: stored results as read-only tools of an assistant.

`answers` reads and describes them, `identities` replaces names by aliases, `server` registers the
tools. Only `server` imports the SDK, which the extra ``riskmetrics[mcp]`` installs.
"""
