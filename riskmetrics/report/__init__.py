"""One self-contained HTML page of stored results; it computes nothing."""
