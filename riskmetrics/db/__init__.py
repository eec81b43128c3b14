"""The database: where it runs, its tables, what is read and what is written."""
