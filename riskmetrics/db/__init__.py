"""Database access: the server, the schema and its migrations, queries and writes."""
