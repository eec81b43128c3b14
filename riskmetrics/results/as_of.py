"""What portfolios held on a day would have returned on the sessions before it: the series that risk measures are taken of."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmetrics import panels
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.portfolio import as_of_series
from riskmetrics.results.valuation import Reason, Valuation

YEAR, MIN_YEAR = 252, 126
"""Returns in a trailing year, and the fewest that stand for it."""


class Window(NamedTuple):
    """One day and the W sessions that end on it."""

    day: int
    """Index of the day."""
    series: FloatArray
    """Returns of the day's holdings, (W, P); NaN where too little of gross exposure has one."""
    coverage: FloatArray
    """Share of the exposure of holdings with a price that has a return, (W, P)."""
    returns: FloatArray
    """Returns of the symbols as they were believed on the day, (W, S)."""


def windows(valuation: Valuation, returns: panels.Returns, length: int, *, in_money: bool = False) -> Iterator[Window]:
    """Apply each day's weights to the ``length`` sessions that end on it, one window per day of the valuation.

    ``in_money``: the series are changes of value, which need no equity to be a fraction of.
    """
    base, priced = valuation.money_base if in_money else valuation.risk_base, valuation.priced_share
    days = zip(valuation.columns(returns.frame.columns), returns.windows(length), strict=True)
    for day, (column, known) in enumerate(days):
        found = as_of_series(valuation.exposures[:, day], column, valuation.portfolio, base[:, day], known, priced[:, day])
        yield Window(day, np.ascontiguousarray(found.returns.T), found.coverage.T, known)


def too_few(n_obs: FloatArray | IntArray, window: int, needed: int) -> Reason:
    """Why a figure of a portfolio with so few returns, (P, D), is undefined."""
    text = f"{{:.0f}} of the {window} sessions to the day have returns of {MIN_COVERAGE:.0%} of gross exposure; {needed} are needed"
    return Reason(text, n_obs < needed, n_obs.astype(np.float64))
