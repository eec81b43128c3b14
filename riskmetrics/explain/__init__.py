"""Explanations of stored metrics: formula, inputs, source rows and an independent recalculation.

Each row is recalculated with pandas, numpy, scipy and statsmodels; `tests/e2e/test_explain.py`
compares the results for every stored column. Reading the data and excluding prices is shared with
the pipeline, so that an error there affects both.
"""
