"""Lines that title a group of holdings and state its sum, such as TECH above AAPL and MSFT.

A title can have the form of a symbol, and is recognized by its numbers: the table consists of
titles, each with the sum of the lines of its group.
"""

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray

_ROUNDING = 1e-5
"""Relative difference of a rounded sum from the sum of rounded amounts."""
_MIN_ROWS = 3
_MAX_GROUP_ROWS = 500


def find_group_titles(
    amount: FloatArray, quantity: FloatArray, price: FloatArray, total: float
) -> BoolArray:
    """Return a mask of the lines that are the sums of the groups below, or above, them.

    Parameters
    ----------
    amount, quantity, price : array of float
        Value or weight, quantity and price of each line, in the order of the file. NaN if missing.
    total : float
        Total of the file in the unit of the amounts. NaN if it states none.

    Notes
    -----
    All lines must belong to a group, and one group must have two. Sums can be so by chance, so
    further evidence is required: the total counts each group once, or, without a total, only titles
    have no price, and there are two or they state the sums of quantities, too. Counts of shares
    alone are never titles.

    Examples
    --------
    >>> nothing = np.full(5, np.nan)
    >>> find_group_titles(np.array([67.0, 19, 48, 22, 22]), nothing, nothing, 89)
    array([ True, False, False,  True, False])
    >>> find_group_titles(np.array([67.0, 19, 48, 22, 22]), nothing, nothing, 178).any()
    np.False_
    """
    titles = np.zeros(len(amount), dtype=bool)
    is_stated = np.isfinite(amount).all() and (amount != 0).all()
    if len(amount) < _MIN_ROWS or not is_stated or np.isfinite(price).all():
        return titles
    for order in (slice(None), slice(None, None, -1)):
        found = _partition(amount[order], quantity[order])[order]
        if found.any() and _has_further_evidence(found, amount, quantity, price, total):
            return found
    return titles


def _partition(amount: FloatArray, quantity: FloatArray) -> BoolArray:
    """Return a mask of the titles if all lines are titles or the lines that they sum; else none."""
    none = np.zeros(len(amount), dtype=bool)
    titles = none.copy()
    start = 0
    while start < len(amount):
        sums = np.cumsum(amount[start + 1 : start + 1 + _MAX_GROUP_ROWS])
        ends = np.flatnonzero(np.isclose(sums, amount[start], rtol=_ROUNDING, atol=0))
        if not len(ends):
            return none
        rows = slice(start + 1, start + 2 + int(ends[0]))
        is_stated = np.isfinite(quantity[start])
        if is_stated and not np.isclose(quantity[rows].sum(), quantity[start], rtol=_ROUNDING):
            return none
        titles[start] = True
        start = rows.stop
    return titles if 2 * np.count_nonzero(titles) < len(amount) else none


def _has_further_evidence(
    titles: BoolArray, amount: FloatArray, quantity: FloatArray, price: FloatArray, total: float
) -> bool:
    """Return whether more than sums shows that lines are titles."""
    if np.array_equal(amount, quantity):
        return False
    has_total = bool(np.isfinite(total))
    if has_total and not np.isclose(amount[~titles].sum(), total, rtol=_ROUNDING):
        return False
    if np.isfinite(price).any():
        has_sums_of_both = bool(np.isfinite(quantity[titles]).all())
        is_strong = has_total or has_sums_of_both or np.count_nonzero(titles) > 1
        return bool(is_strong and (np.isnan(price) == titles).all())
    return has_total
