"""How much a portfolio can lose in a day, and whether past answers to that held.

Losses are positive, in fractions of equity; a negative value at risk is a gain and stays one. A
level is the confidence: at 0.99 one day in a hundred is worse. Return series are (T, N), oldest
first, NaN where a day has no return; the last row is the day itself.
"""

import math
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import window_counts, window_sums

VAR_WINDOW = 504
"""Sessions behind a historical value at risk: two years, of which six losses lie beyond 99 %."""

BACKTEST_WINDOW = 252
"""Sessions of a backtest: a year, the span regulators use."""

_BLOCK_SERIES = 128
"""Series counted at a time: the days that are tested of them stay in a core's cache."""

_MAX_UINT8 = 255
"""Counts are kept in bytes over as many rows: an eighth of the memory to go through."""

MIN_OBS_95 = 126
"""Fewest returns for a 95 % quantile: seven losses lie beyond it."""

MIN_OBS_99 = 500
"""Fewest returns for a 99 % quantile: five losses lie beyond it."""


class HistoricalRisk(NamedTuple):
    """Each of shape (N,)."""

    value_at_risk: FloatArray
    expected_shortfall: FloatArray
    n_obs: IntArray


class ParametricRisk(NamedTuple):
    """Each of the shape of the volatilities."""

    value_at_risk: FloatArray
    expected_shortfall: FloatArray


class Backtest(NamedTuple):
    """Each of shape (N,): days on which the loss passed the value at risk, of the days that have both."""

    exceptions: IntArray
    n_tested: IntArray


class Kupiec(NamedTuple):
    """Each of the shape of the counts."""

    expected: FloatArray
    likelihood_ratio: FloatArray
    p_value: FloatArray


def historical_risk(
    returns: FloatArray, *, level: float, window: int = VAR_WINDOW, min_obs: int
) -> HistoricalRisk:
    """Value at risk and expected shortfall of the last ``window`` returns as they were.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns; rows before the window are not looked at.
    level : float
        Confidence, between 0 and 1.
    window : int
        Sessions, at most T.
    min_obs : int
        Fewest returns in it worth an answer, at least 1: MIN_OBS_95, MIN_OBS_99.

    Returns
    -------
    HistoricalRisk
        ``value_at_risk`` is the quantile of the losses, interpolated linearly between neighbours
        (Hyndman and Fan's type 7, numpy's default); ``expected_shortfall`` the mean of the losses
        at or beyond it. A missing return is left out of its own series only. Under ``min_obs`` both
        are NaN.

    Raises
    ------
    ValueError
        If ``level``, ``window`` and ``min_obs`` do not fit the array.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, The American Statistician
    50(4). Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking and
    Finance 26(7).
    """
    _require_arguments(returns, level, window, min_obs)
    losses = _losses(returns[-window:])
    quantile = _quantile(losses, level, min_obs)
    tail = losses >= quantile
    with np.errstate(invalid="ignore"):  # an undefined quantile has no tail
        mean = window_sums(np.where(tail, losses, 0.0), window)[0] / tail.sum(axis=0)
    shortfall = np.maximum(mean, quantile)  # the mean of equal losses may round below them
    return HistoricalRisk(quantile, shortfall, np.isfinite(losses).sum(axis=0))


def parametric_risk(volatility: FloatArray, *, level: float) -> ParametricRisk:
    r"""Value at risk and expected shortfall over one day if returns are normal with mean 0.

    Parameters
    ----------
    volatility : array of any shape
        Annualised, as a fraction; NaN where undefined, and so is the result.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    ParametricRisk
        Losses as positive fractions, of the volatility's shape.

    Raises
    ------
    ValueError
        If the level does not lie between 0 and 1.

    Notes
    -----
    With :math:`z = \Phi^{-1}(\text{level})` and daily :math:`\sigma`: :math:`z\sigma` and
    :math:`\sigma\,\varphi(z)/(1 - \text{level})`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, sections 2.3.2 and 2.3.4.
    """
    from scipy.special import ndtri  # slow to import: not before it is needed

    _require_level(level)
    z = float(ndtri(level))
    daily = volatility / math.sqrt(SESSIONS_PER_YEAR)
    return ParametricRisk(
        daily * z, daily * (math.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi) / (1.0 - level))
    )


def sqrt_time_scaled(one_day: FloatArray, *, days: int = 10) -> FloatArray:
    """Losses of one day, of any shape and unit, over several as if days were independent and alike: times the root of ``days``.

    NaN stays NaN. It is no forecast of such a span: label it as scaled.
    """
    return one_day * math.sqrt(days)


def loss_ranks(
    returns: FloatArray, *, window: int = VAR_WINDOW, n_days: int = BACKTEST_WINDOW
) -> IntArray:
    """Count, for each of the last ``n_days`` days, the losses of the ``window`` days before it that are smaller than its own.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, T at least ``window + tested``; rows before those are not looked at.

    Returns
    -------
    (tested, N) array
        A missing return is not smaller; a day without a return has 0.

    Raises
    ------
    ValueError
        If the array is too short.
    """
    if not 1 <= n_days <= len(returns) - window:
        raise ValueError(
            f"{len(returns)} returns are too few to test {n_days} days on windows of {window}"
        )
    losses = _losses(returns[-window - n_days :])
    ranks = np.empty((n_days, losses.shape[1]), np.int64)
    for left in range(0, losses.shape[1], _BLOCK_SERIES):
        block = np.ascontiguousarray(losses[:, left : left + _BLOCK_SERIES])
        day, total = block[window:], np.zeros((n_days, block.shape[1]), np.int64)
        for first in range(0, window, _MAX_UINT8):
            count, is_smaller = np.zeros(day.shape, np.uint8), np.empty(day.shape, np.bool_)
            for start in range(first, min(first + _MAX_UINT8, window)):
                count += np.less(block[start : start + n_days], day, out=is_smaller).view(np.uint8)
            total += count
        ranks[:, left : left + _BLOCK_SERIES] = total
    return ranks


def var_exceptions(
    returns: FloatArray,
    ranks: IntArray,
    *,
    level: float,
    window: int = VAR_WINDOW,
    n_days: int = BACKTEST_WINDOW,
    min_obs: int,
) -> Backtest:
    """Count the days of the last ``n_days`` whose loss passed the historical value at risk of the ``window`` days before each.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, T at least ``window + tested``; rows before those are not looked at.
    smaller : (tested, N) array
        What ``loss_ranks`` counts in the same windows: it serves every level.
    level, window, min_obs
        As ``historical_risk`` takes them.
    tested : int
        Days to test.

    Returns
    -------
    Backtest
        A day counts where it has a return and the window before it a value at risk; the day itself
        is never in its own window. A loss equal to the value at risk is no breach.

    Raises
    ------
    ValueError
        If the arrays do not belong together, or as ``historical_risk`` does.
    """
    _require_arguments(returns, level, window, min_obs)
    if ranks.shape != (n_days, returns.shape[1]):
        raise ValueError(
            f"counts of smaller losses must be {(n_days, returns.shape[1])}, not {ranks.shape}"
        )
    losses = _losses(returns[-window - n_days :])
    known = np.isfinite(losses)
    n_obs = window_counts(known[:-1], window)
    is_tested = known[window:] & (n_obs >= min_obs)
    rank_below = (level * np.maximum(n_obs - 1, 0)).astype(np.int64)
    is_exception = is_tested & (ranks > rank_below + 1)
    # between the two losses that the quantile lies between only the quantile itself can tell: one
    # day in a window's length
    day, series = np.nonzero(is_tested & (ranks == rank_below + 1))
    value_at_risk = _quantile(
        losses[day + np.arange(window)[:, np.newaxis], series], level, min_obs
    )
    is_exception[day, series] = losses[day + window, series] > value_at_risk
    return Backtest(is_exception.sum(axis=0), is_tested.sum(axis=0))


def kupiec(exceptions: IntArray, n_obs: IntArray, *, level: float) -> Kupiec:
    r"""Likelihood ratio test that breaches are as frequent as the level says.

    Parameters
    ----------
    breaches, n_obs : arrays of one shape
        Days on which the loss passed the value at risk, and days tested.
    level : float
        Confidence of the value at risk, between 0 and 1.

    Returns
    -------
    Kupiec
        ``expected`` number of breaches; ``likelihood_ratio`` and its ``p_value`` (chi-squared, 1
        degree of freedom), NaN without a day.

    Raises
    ------
    ValueError
        If the shapes differ or breaches are not between 0 and the days tested.

    Notes
    -----
    With x breaches in n days, p = 1 - level and f = x / n,
    :math:`2[x \ln(f / p) + (n - x) \ln((1 - f) / (1 - p))]`, a term being 0 where its count is.

    References
    ----------
    Kupiec (1995), Techniques for verifying the accuracy of risk measurement models, Journal of
    Derivatives 3(2).
    """
    from scipy.special import chdtrc, xlogy

    _require_level(level)
    if exceptions.shape != n_obs.shape or (exceptions < 0).any() or (exceptions > n_obs).any():
        raise ValueError(
            "there must be one count of breaches, between 0 and the days tested, for each count of"
            " days"
        )
    p = 1.0 - level
    with np.errstate(invalid="ignore"):
        exception_rate = exceptions / n_obs
    ratio = 2.0 * (
        xlogy(exceptions, exception_rate / p)
        + xlogy(n_obs - exceptions, (1.0 - exception_rate) / level)
    )
    ratio = np.maximum(ratio, 0.0)  # rounding may pass 0
    return Kupiec(n_obs.astype(np.float64) * p, ratio, chdtrc(1.0, ratio))


def _losses(returns: FloatArray) -> FloatArray:
    return np.where(np.isfinite(returns), -returns, np.nan)


def _quantile(losses: FloatArray, level: float, min_obs: int) -> FloatArray:
    """Quantile of the losses (W, N) that are not NaN, column by column: numpy's own takes each column by itself where some are."""
    n_obs = np.isfinite(losses).sum(axis=0)
    ordered = np.sort(losses, axis=0)  # NaN last
    position = level * np.maximum(n_obs - 1, 0)
    below = position.astype(np.int64)
    series = np.arange(losses.shape[1])
    lower, upper = ordered[below, series], ordered[np.minimum(below + 1, len(losses) - 1), series]
    between = np.minimum(
        lower + (upper - lower) * (position - below), upper
    )  # rounding may pass the upper neighbour
    return np.where(n_obs < min_obs, np.nan, np.where(position == below, lower, between))


def _require_arguments(returns: FloatArray, level: float, window: int, min_obs: int) -> None:
    _require_level(level)
    if returns.ndim != 2 or not 1 <= min_obs <= window <= len(returns):
        raise ValueError(
            f"returns must be (T, N) with 1 <= min_obs <= window <= T, not {returns.shape},"
            f" {min_obs} and {window}"
        )


def _require_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
