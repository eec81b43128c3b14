"""What portfolios held on a day would have returned on the sessions before it: the series that risk measures are taken of."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmetrics import panels
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.portfolio import pro_forma_returns
from riskmetrics.results.valuation import Reason, Valuation

YEAR_WINDOW, MIN_YEAR_OBS = 252, 126
"""Returns in a trailing year, and the fewest that stand for it."""


class ProFormaWindow(NamedTuple):
    """One day and the W sessions that end on it."""

    day: int
    """Index of the day."""
    series: FloatArray
    """Returns of the day's holdings, (W, P); NaN where too little of gross exposure has one."""
    coverage: FloatArray
    """Share of the exposure of holdings with a price that has a return, (W, P)."""
    symbol_returns: FloatArray
    """Returns of the symbols as they were believed on the day, (W, S)."""


def pro_forma_windows(
    valuation: Valuation, returns: panels.Returns, length: int, *, in_currency: bool = False
) -> Iterator[ProFormaWindow]:
    """Apply each day's weights to the ``length`` sessions that end on it, one window per day of the valuation.

    ``in_money``: the series are changes of value, which need no equity to be a fraction of.
    """
    base, priced_share = (
        valuation.amount_denominator if in_currency else valuation.risk_denominator,
        valuation.priced_share,
    )
    days = zip(
        valuation.underlying_columns(returns.frame.columns), returns.windows(length), strict=True
    )
    for day, (column, known) in enumerate(days):
        found = pro_forma_returns(
            valuation.exposures[:, day],
            column,
            valuation.instrument_portfolio,
            base[:, day],
            known,
            priced_share[:, day],
        )
        yield ProFormaWindow(day, np.ascontiguousarray(found.returns.T), found.coverage.T, known)


def insufficient_observations(n_obs: FloatArray | IntArray, window: int, min_obs: int) -> Reason:
    """Why a figure of a portfolio with so few returns, (P, D), is undefined."""
    text = (
        f"{{:.0f}} of the trailing {window} sessions have returns of {MIN_COVERAGE:.0%} of gross"
        f" exposure; {min_obs} required"
    )
    return Reason(text, n_obs < min_obs, n_obs.astype(np.float64))
