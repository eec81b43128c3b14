"""Rows of the result tables, made of labelled inputs by way of the metrics: no database here; formulas are those of the metrics."""
