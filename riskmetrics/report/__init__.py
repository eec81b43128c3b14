"""One self-contained HTML page of stored results; no metric is computed here."""
