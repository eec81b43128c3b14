"""A server of the Model Context Protocol: stored results as read-only tools of an assistant.

`stored_rows` reads them, `answers` adds context, `identities` replaces names by aliases, `server`
has the tools. Only `server` imports the SDK, which the extra ``riskmetrics[mcp]`` installs.
"""
