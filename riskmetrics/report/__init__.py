"""Self-contained HTML report of stored results; no figure is computed here."""
