"""One-session moves of prices that are too large to pass without a user's confirmation."""

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.price_quality import SUSPECT_MOVE, bad_ticks

LARGE_FALL = 0.425
"""Smallest one-day fall that a 2:1 split can explain, if the price rose by 15% on that day.

33 large stocks and two funds had none in 2020-2024.
"""


def large_moves(prices: FloatArray) -> BoolArray:
    """Find rises over SUSPECT_MOVE and falls over LARGE_FALL that no later price makes a bad tick.

    A move over SUSPECT_MOVE of the last session is not among them: it is unconfirmed.

    Examples
    --------
    >>> large_moves(np.array([[100.0], [57.0], [86.0], [40.0]])).ravel()
    array([False,  True,  True, False])
    """
    bad, unconfirmed, _ = bad_ticks(prices)
    valid = np.where(np.isfinite(prices) & (prices > 0.0), prices, np.nan)
    found = np.zeros_like(bad)
    with np.errstate(over="ignore"):
        move = valid[1:] / valid[:-1]
    found[1:] = (move > 1.0 + SUSPECT_MOVE) | (move < 1.0 - LARGE_FALL)
    found[1:] &= ~bad[1:] & ~bad[:-1]
    found[-1:] &= ~unconfirmed[-1:]
    return found
