"""Pro-forma returns: a day's holdings applied to the sessions before it.

Risk measures of portfolios are computed from these series.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from riskmetrics import panels
from riskmetrics.metrics._typing import DateArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.pro_forma_returns import (
    ExposedReturns,
    exposed_returns,
    scale_to_equity,
)
from riskmetrics.results.kept_returns import DailySums
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

YEAR_WINDOW, MIN_YEAR_OBS = 252, 126
"""Sessions in a trailing year, and the minimum number of returns in it."""

_MAX_KEPT_RETURNS = 2**22
"""Most returns of all portfolios and days that are kept: 64 MB with their coverage."""


class ProFormaWindow(NamedTuple):
    """Pro-forma returns of one day over the W sessions that end on it."""

    day: int
    """Index of the day."""
    sessions: DateArray
    """Sessions of the W + 1 closes between which the W returns are."""
    series: FloatArray
    """Pro-forma returns, (W, P); NaN where coverage of gross exposure is too low."""
    coverage: FloatArray
    """Share of the exposure of priced holdings that has a return, (W, P)."""
    symbol_returns: FloatArray
    """Returns of the symbols as known on the day, (W, S)."""


def pro_forma_windows(
    valuation: Valuation, returns: panels.Returns, length: int, *, is_in_currency: bool = False
) -> Iterator[ProFormaWindow]:
    """Yield one window per day: its weights applied to the ``length`` sessions that end on it.

    If ``is_in_currency``, the series are changes of value instead of fractions of equity.
    """
    denominator = valuation.amount_denominator if is_in_currency else valuation.risk_denominator
    sessions = returns.sessions.to_numpy()
    inputs_by_day = zip(
        returns.windows(length), _exposed_returns(valuation, returns, length), strict=True
    )
    for day, (known, sums) in enumerate(inputs_by_day):
        scaled = scale_to_equity(sums, denominator[:, day], valuation.priced_share[:, day])
        yield ProFormaWindow(
            day,
            sessions[day : day + length + 1],
            np.ascontiguousarray(scaled.returns.T),
            scaled.coverage.T,
            known,
        )


def _exposed_returns(
    valuation: Valuation, returns: panels.Returns, length: int
) -> Iterable[ExposedReturns]:
    """Return the sums behind the windows of each day.

    Those of a small book are kept with its valuation, for the shorter windows of other figures.
    """
    kept = valuation.kept_returns.sums
    if kept and kept.serve(returns, length):
        return (ExposedReturns(*(part[:, -length:] for part in sums)) for sums in kept.by_day)
    by_day = (
        exposed_returns(
            valuation.exposures[:, day],
            column,
            valuation.instrument_portfolio,
            len(valuation.portfolios),
            known,
        )
        for day, (column, known) in enumerate(
            zip(
                valuation.underlying_columns(returns.frame.columns),
                returns.windows(length),
                strict=True,
            )
        )
    )
    if valuation.net.size * length > _MAX_KEPT_RETURNS:
        return by_day
    kept = DailySums(returns, length, list(by_day))
    valuation.kept_returns.sums = kept
    return kept.by_day


def insufficient_observations(
    n_obs: FloatArray | IntArray, window: int, min_obs: int, index: str = ""
) -> Reason:
    """Return the reason of an undefined figure with fewer than ``min_obs`` returns, (P, D).

    ``index`` is the symbol that the returns are compared with, if any.
    """
    paired = f" and of {index}" if index else ""
    text = (
        f"{{:.0f}} of the trailing {window} sessions have returns of {MIN_COVERAGE:.0%} of gross"
        f" exposure{paired}; {min_obs} required"
    )
    return Reason(text, n_obs < min_obs, n_obs.astype(np.float64))
