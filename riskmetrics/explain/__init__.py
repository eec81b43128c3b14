"""A stored number taken apart: its formula, what it was made of, and the same number again by another way.

What is read, and which prices are believed, is as in a run; everything after that is computed anew for one row with pandas, numpy,
scipy and statsmodels, never by the function that made the number.
"""
