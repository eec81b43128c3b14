"""Running sums of dated amounts by portfolio, with the same bits for every range of days."""

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import DateArray, FloatArray, IntArray

_KEY_STRIDE = 10**6
"""Larger than the days since 1970 of any date, so that portfolio and day form one sorted key."""


class RunningSums:
    """Running sums of amounts by portfolio.

    Each portfolio's amounts are added one after the other, in their given order, so a sum up to a
    day has the same bits whatever other days or portfolios are in the run.

    Parameters
    ----------
    portfolio : (N,) array
        Row of each amount's portfolio.
    days : (N,) array of dates
        Ascending within each portfolio.
    amounts : (N,) array
    """

    def __init__(self, portfolio: IntArray, days: DateArray, amounts: FloatArray) -> None:
        self._sums = pd.Series(amounts, dtype=float).groupby(portfolio).cumsum().to_numpy(float)
        self._keys = portfolio * _KEY_STRIDE + days.astype(np.int64)
        order = np.argsort(self._keys, kind="stable")
        self._sums, self._keys = self._sums[order], self._keys[order]

    def sum_through(self, portfolio: IntArray, days: DateArray) -> FloatArray:
        """Return the sum of a portfolio's amounts up to a day, by broadcasting; 0 for NaT."""
        numbers = np.where(np.isnat(days), -1, days.astype(np.int64))
        last = np.searchsorted(self._keys, portfolio * _KEY_STRIDE + numbers, side="right") - 1
        if not len(self._keys):
            return np.zeros(last.shape)
        is_own = (last >= 0) & (self._keys[last] // _KEY_STRIDE == portfolio)
        return np.where(is_own, self._sums[last], 0.0)
