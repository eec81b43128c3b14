"""Rows of the result tables, computed from labeled inputs with `riskmetrics.metrics`.

Modules here do not access the database and contain no formulas of their own.
"""
