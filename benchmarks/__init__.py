"""Benchmarks of riskmetrics against the usual alternatives; run with `python -m benchmarks`."""
