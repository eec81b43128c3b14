"""Self-contained HTML report of stored results; no metric is computed here."""
