"""Liquidity: how long it takes to sell holdings without being more than a share of the volume."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.portfolio import group_sums

VOLUME_WINDOW = 20
"""Sessions in the median volume: four weeks."""

MIN_VOLUME_OBS = 10
"""Minimum number of sessions with a volume in it."""

HORIZONS = (1, 5, 20)
"""Sessions by which the share that can be sold is stated."""


class MedianVolume(NamedTuple):
    """Median volume and sessions with a volume, per window and symbol, each (D, S)."""

    shares: FloatArray
    n_obs: IntArray


class PortfolioLiquidity(NamedTuple):
    """Liquidity of portfolios, each of shape (P, D)."""

    days: FloatArray
    """Days until everything that is covered is sold: those of the slowest holding."""
    share_1d: FloatArray
    share_5d: FloatArray
    share_20d: FloatArray
    coverage: FloatArray
    """Share of gross value whose days are known."""


def median_volume(volume: FloatArray) -> MedianVolume:
    """Return the median volume of the VOLUME_WINDOW sessions that end on each day.

    Parameters
    ----------
    volume : (D + VOLUME_WINDOW - 1, S) array
        Shares traded per session; NaN is unknown.

    Returns
    -------
    MedianVolume
        ``shares`` is NaN with fewer than MIN_VOLUME_OBS volumes. The median, because one session of
        an index change or an auction may have ten times the usual volume.

    Examples
    --------
    >>> volume = np.append(np.full(19, 1e6), 50e6)[:, np.newaxis]
    >>> median_volume(volume)
    MedianVolume(shares=array([[1000000.]]), n_obs=array([[20]]))
    """
    windows = np.lib.stride_tricks.sliding_window_view(volume, VOLUME_WINDOW, axis=0)
    n_obs = np.isfinite(windows).sum(axis=-1)
    ordered = np.sort(windows, axis=-1)  # NaN last
    lower, upper = (
        np.take_along_axis(ordered, np.maximum(at, 0)[..., np.newaxis], axis=-1)[..., 0]
        for at in ((n_obs - 1) // 2, n_obs // 2)
    )
    return MedianVolume(np.where(n_obs < MIN_VOLUME_OBS, np.nan, (lower + upper) / 2.0), n_obs)


def days_to_liquidate(shares: FloatArray, volume: FloatArray, participation: float) -> FloatArray:
    """Return the days to sell ``shares`` at a share ``participation`` of a volume per day.

    All arrays have one shape. NaN where the shares or the volume are unknown, or the volume is 0.

    Examples
    --------
    50,000 shares at a fifth of 100,000 a day, long or short:

    >>> days_to_liquidate(np.array([50e3, -50e3]), np.array([100e3, 100e3]), 0.2)
    array([2.5, 2.5])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(volume > 0.0, np.abs(shares) / (participation * volume), np.nan)


def portfolio_liquidity(
    size: FloatArray, days: FloatArray, portfolio: IntArray, n_portfolios: int
) -> PortfolioLiquidity:
    """Return how much of each portfolio can be sold in 1, 5 and 20 sessions, and in how many all.

    Parameters
    ----------
    size : (I, D) array
        Absolute value of each holding; 0 where it is not held. A holding without a price counts
        with its last known value.
    days : (I, D) array
        Days to liquidate each holding; NaN where unknown.
    portfolio : (I,) array
        Row of each holding's portfolio.
    n_portfolios : int
        P, including empty portfolios.

    Returns
    -------
    PortfolioLiquidity
        Every holding is sold at the same time, each in equal parts per day. Shares are of the
        covered value; all but ``coverage`` is NaN where it is below MIN_COVERAGE.

    Examples
    --------
    60 in half a day, and 40 in ten days: after one day 60 and 4 are sold.

    >>> size, days = np.array([[60.0], [40.0]]), np.array([[0.5], [10.0]])
    >>> found = portfolio_liquidity(size, days, np.array([0, 0]), 1)
    >>> found.days, found.share_1d, found.share_5d, found.share_20d, found.coverage
    (array([[10.]]), array([[0.64]]), array([[0.8]]), array([[1.]]), array([[1.]]))
    """
    is_known = np.isfinite(days) & (size > 0.0)
    covered = np.where(is_known, size, 0.0)
    total = group_sums(covered, portfolio, n_portfolios)
    longest = np.full(total.shape, -np.inf)
    np.maximum.at(longest, portfolio, np.where(is_known, days, -np.inf))
    with np.errstate(divide="ignore", invalid="ignore"):
        coverage = total / group_sums(size, portfolio, n_portfolios)
        shares = [
            group_sums(covered * np.minimum(horizon / days, 1.0), portfolio, n_portfolios) / total
            for horizon in HORIZONS
        ]
    enough = meets_minimum(coverage, MIN_COVERAGE)
    defined = (np.where(enough, values, np.nan) for values in (longest, *shares))
    return PortfolioLiquidity._make((*defined, coverage))
