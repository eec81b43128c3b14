"""A stored number taken apart: its formula, what it was made of, and the same number again by another way.

The arithmetic of a row is done a second time with pandas, numpy, scipy and statsmodels
(`tests/e2e/test_explain.py` compares the two for each stored column). What is read, and which
prices are left out, is shared with the pipeline: a fault there shows in both.
"""
