"""Pro-forma returns: a day's holdings applied to the sessions before it.

Risk measures of portfolios are computed from these series.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from riskmetrics import panels
from riskmetrics.metrics._typing import DateArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.pro_forma_returns import (
    ExposedReturns,
    ProFormaReturns,
    exposed_returns_by_day,
    scale_to_equity,
)
from riskmetrics.results.kept_returns import DailySums
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation

_T = TypeVar("_T", bound=np.generic)

YEAR_WINDOW, MIN_YEAR_OBS = 252, 126
"""Sessions in a trailing year, and the minimum number of returns in it."""

_MAX_KEPT_RETURNS = 2**22
"""Most returns of all portfolios and days that are kept: 128 MB, as sums and scaled."""

_BLOCK_VALUES = 2**15
"""Returns of several days that are measured at once: 256 KB, so that they stay in the caches."""


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
    sessions = returns.sessions.to_numpy()
    scaled = _scaled_returns(valuation, returns, length, is_in_currency=is_in_currency)
    for day, (known, window) in enumerate(zip(returns.windows(length), scaled, strict=True)):
        yield ProFormaWindow(day, sessions[day : day + length + 1], *window, known)


class ProFormaBlock(NamedTuple):
    """Pro-forma returns of K consecutive days over the W sessions that end on each of them."""

    windows: list[ProFormaWindow]
    series: FloatArray
    """Series of all days side by side, (W, K·P)."""

    @classmethod
    def join(cls, windows: list[ProFormaWindow]) -> "ProFormaBlock":
        """Return the windows of consecutive days as a block."""
        return cls(windows, np.hstack([window.series for window in windows]))

    @property
    def days(self) -> slice:
        """Return the indices of the days."""
        return slice(self.windows[0].day, self.windows[-1].day + 1)

    def by_day(self, figures: NDArray[_T]) -> NDArray[_T]:
        """Return figures of the series, (…, K·P), by portfolio and day, (…, P, K)."""
        split = figures.reshape(*figures.shape[:-1], len(self.windows), -1)
        return split.swapaxes(-1, -2)


def pro_forma_blocks(
    valuation: Valuation, returns: panels.Returns, length: int, *, is_in_currency: bool = False
) -> Iterator[ProFormaBlock]:
    """Yield the windows of several days at once, for figures that need the series of each day."""
    windows = pro_forma_windows(valuation, returns, length, is_in_currency=is_in_currency)
    n_days = max(1, _BLOCK_VALUES // max(1, length * len(valuation.portfolios)))
    while block := list(islice(windows, n_days)):
        yield ProFormaBlock.join(block)


def _scaled_returns(
    valuation: Valuation, returns: panels.Returns, length: int, *, is_in_currency: bool
) -> Iterable[ProFormaReturns]:
    """Return the series and the coverage of the windows of each day, (W, P) each.

    Those of a small book are kept with its valuation, for the shorter windows of other figures.
    """
    kept = valuation.kept_returns
    if not (kept.sums and kept.sums.serve(returns, length)):
        by_day = _exposed_returns(valuation, returns, length)
        if valuation.net.size * length > _MAX_KEPT_RETURNS:
            return _scale(valuation, by_day, is_in_currency=is_in_currency)
        kept.sums, kept.scaled = DailySums(returns, length, list(by_day)), {}
    if is_in_currency not in kept.scaled:
        kept.scaled[is_in_currency] = list(
            _scale(valuation, kept.sums.by_day, is_in_currency=is_in_currency)
        )
    return (
        ProFormaReturns(*(part[-length:] for part in window))
        for window in kept.scaled[is_in_currency]
    )


def _scale(
    valuation: Valuation, by_day: Iterable[ExposedReturns], *, is_in_currency: bool
) -> Iterator[ProFormaReturns]:
    denominator = valuation.amount_denominator if is_in_currency else valuation.risk_denominator
    for day, sums in enumerate(by_day):
        scaled = scale_to_equity(sums, denominator[:, day], valuation.priced_share[:, day])
        yield ProFormaReturns(np.ascontiguousarray(scaled.returns.T), scaled.coverage.T)


def _exposed_returns(
    valuation: Valuation, returns: panels.Returns, length: int
) -> Iterator[ExposedReturns]:
    """Yield the sums behind the windows of each day."""
    return exposed_returns_by_day(
        valuation.exposures,
        np.stack(list(valuation.underlying_columns(returns.frame.columns)), axis=1),
        valuation.instrument_portfolio,
        len(valuation.portfolios),
        returns.values(),
        returns.unconfirmed,
        length,
    )


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
