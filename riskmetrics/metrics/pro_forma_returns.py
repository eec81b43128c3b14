"""Pro-forma returns: the weights of one day applied to the returns of sessions before it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.portfolio import group_sums

_BLOCK_VALUES = 2**18
"""Sums of portfolios, days and sessions that are computed at once: 2 MB."""


class ExposedReturns(NamedTuple):
    """Sums of exposure times return of a day's holdings, each of shape (P, W)."""

    changes: FloatArray
    """Changes of value of the holdings with a return, in currency."""
    coverage: FloatArray
    """Share of the priced exposure that has a return; NaN without exposure."""


class ProFormaReturns(NamedTuple):
    """Pro-forma returns of a day's holdings on the sessions before it, each of shape (P, W)."""

    returns: FloatArray
    """Simple returns; NaN where the coverage is below MIN_COVERAGE."""
    coverage: FloatArray
    """As in `ExposedReturns`."""


def exposed_returns(
    exposures: FloatArray,
    column: IntArray,
    portfolio: IntArray,
    n_portfolios: int,
    returns: FloatArray,
) -> ExposedReturns:
    """Apply the exposures of one day to the returns of a window of sessions.

    Parameters
    ----------
    exposures : (I,) array
        Exposure of each instrument, in currency: a stock's netted signed value; NaN is left out.
    column : (I,) array
        Column of ``returns`` for each instrument; a stock and the options on it have the same, an
        instrument without returns has -1.
    portfolio : (I,) array
        Row of each instrument's portfolio.
    n_portfolios : int
        P, including empty portfolios.
    returns : (W, S) array
        Simple returns; values that are not finite are missing.

    Returns
    -------
    ExposedReturns
        Values of a session depend on its returns only, so a shorter window has the same bits.

    Examples
    --------
    On the second session the holding of 10 % has no return:

    >>> returns = np.array([[0.01, 0.02], [0.01, np.nan]])
    >>> found = exposed_returns(
    ...     np.array([90.0, 10.0]), np.array([0, 1]), np.array([0, 0]), 1, returns
    ... )
    >>> found.changes.round(4), found.coverage
    (array([[1.1, 0.9]]), array([[1. , 0.9]]))
    """
    shape = n_portfolios, returns.shape[1]
    held = np.nan_to_num(exposures)
    # holdings of other days must not change the order of a sum
    is_exposed = (column >= 0) & (held != 0)
    cells, known = (portfolio[is_exposed], column[is_exposed]), np.isfinite(returns)
    weights = sparse.csr_array((held[is_exposed], cells), shape=shape)
    sizes = sparse.csr_array((np.abs(held)[is_exposed], cells), shape=shape)
    without_column = np.where(is_exposed, 0.0, np.abs(held))[:, None]
    # in the order in which the sizes with a return are summed: their share cannot exceed 1
    gross = sizes @ np.ones((returns.shape[1], 1)) + group_sums(
        without_column, portfolio, n_portfolios
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        coverage: FloatArray = (sizes @ known.T.astype(float)) / gross
    return ExposedReturns(weights @ np.where(known, returns, 0.0).T, coverage)


def exposed_returns_by_day(
    exposures: FloatArray,
    columns: IntArray,
    portfolio: IntArray,
    n_portfolios: int,
    returns: FloatArray,
    unconfirmed: BoolArray,
    length: int,
) -> Iterator[ExposedReturns]:
    """Yield the sums of each day's exposures and the returns of the sessions that end on it.

    Parameters
    ----------
    exposures, columns : (I, D) arrays
        As in `exposed_returns`, by day.
    portfolio, n_portfolios
        As in `exposed_returns`.
    returns : (T, S) array
        Simple returns of ``length + D - 1`` sessions, of which the last is the last day.
    unconfirmed : (T, S) array
        Returns that are missing in the window that ends with them.
    length : int
        Sessions of each window.

    Notes
    -----
    Several days are computed at once, as if each had portfolios of its own.

    Examples
    --------
    100 of a stock on the first day and 200 on the second, with windows of one session:

    >>> returns, none = np.array([[0.01], [0.02]]), np.zeros((2, 1), bool)
    >>> held, column = np.array([[100.0, 200.0]]), np.array([[0, 0]])
    >>> days = exposed_returns_by_day(held, column, np.array([0]), 1, returns, none, 1)
    >>> [sums.changes.item() for sums in days]
    [1.0, 4.0]
    """
    n_days = exposures.shape[1]
    step = max(1, min(_BLOCK_VALUES // max(1, n_portfolios * length), length + 31))
    for first in range(0, n_days, step):
        days = range(first, min(first + step, n_days))
        rows = slice(first, days[-1] + length)
        sums = exposed_returns(
            exposures[:, first : rows.stop - length + 1].T.ravel(),
            columns[:, first : rows.stop - length + 1].T.ravel(),
            (np.arange(len(days))[:, None] * n_portfolios + portfolio).ravel(),
            len(days) * n_portfolios,
            returns[rows],
        )
        for place, day in enumerate(days):
            of_day = slice(place * n_portfolios, (place + 1) * n_portfolios)
            window = ExposedReturns(*(part[of_day, place : place + length] for part in sums))
            if unconfirmed[day + length - 1].any():
                known = np.where(unconfirmed[day + length - 1], np.nan, returns[day + length - 1])
                last = exposed_returns(
                    exposures[:, day], columns[:, day], portfolio, n_portfolios, known[None]
                )
                for part, replaced in zip(window, last, strict=True):
                    part[:, -1:] = replaced
            yield window


def scale_to_equity(
    sums: ExposedReturns, equity: FloatArray, priced_share: FloatArray | float = 1.0
) -> ProFormaReturns:
    """Divide sums of exposure times return by the equity, and rescale them to all holdings.

    Parameters
    ----------
    sums : ExposedReturns
    equity : (P,) array
        Denominator of weights; ones give changes of value in currency.
    priced_share : (P,) array
        Share of gross exposure that has a price and is therefore in the exposures.

    Returns
    -------
    ProFormaReturns
        A session has a return if the holdings with a return make up MIN_COVERAGE of gross exposure,
        including holdings without a price. It is rescaled to all holdings with a price.

    Examples
    --------
    On the second session the holding of 10 % has no return, and the others stand for it:

    >>> sums = ExposedReturns(np.array([[1.1, 0.9]]), np.array([[1.0, 0.9]]))
    >>> scale_to_equity(sums, np.array([100.0])).returns.round(4)
    array([[0.011, 0.01 ]])
    """
    coverage = sums.coverage
    with np.errstate(divide="ignore", invalid="ignore"):
        series: FloatArray = sums.changes / equity[:, None] / coverage
    enough = meets_minimum(
        coverage * np.broadcast_to(priced_share, equity.shape)[:, None], MIN_COVERAGE
    )
    series[~enough] = np.nan
    return ProFormaReturns(series, coverage)
