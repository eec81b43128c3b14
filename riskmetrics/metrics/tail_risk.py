"""Value at risk, expected shortfall, and backtests of value at risk.

Losses are positive, in fractions of equity; a negative value at risk is a gain. A level is the
confidence: at 0.99 one day in a hundred is worse. Return series are (T, N), oldest first, NaN where
a day has no return; the last row is the day itself.
"""

import math
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import window_counts, window_sums

VAR_WINDOW = 504
"""Sessions in the window of a historical value at risk: two years, with five losses beyond 99 %."""

BACKTEST_WINDOW = 252
"""Sessions in a backtest: one year, as regulators require."""

_BLOCK_SERIES = 128
"""Series per block, so that their tested days fit in a core's cache."""

_MAX_UINT8 = 255
"""Largest count in a byte: counting in bytes takes an eighth of the memory."""

MIN_OBS_95 = 126
"""Minimum returns for a 95 % quantile: seven losses lie beyond it."""

MIN_OBS_99 = 500
"""Minimum returns for a 99 % quantile: five losses lie beyond it."""


class HistoricalRisk(NamedTuple):
    """Historical value at risk and expected shortfall of N series, each of shape (N,)."""

    value_at_risk: FloatArray
    expected_shortfall: FloatArray
    n_obs: IntArray


class ParametricRisk(NamedTuple):
    """Normal value at risk and expected shortfall, each of the shape of the volatilities."""

    value_at_risk: FloatArray
    expected_shortfall: FloatArray


class Backtest(NamedTuple):
    """Number of VaR exceptions and of tested days, each of shape (N,)."""

    exceptions: IntArray
    n_tested: IntArray


class Kupiec(NamedTuple):
    """Result of the Kupiec test, each of the shape of the counts."""

    expected_exceptions: FloatArray
    likelihood_ratio: FloatArray
    p_value: FloatArray


def historical_risk(
    returns: FloatArray, *, level: float, window: int = VAR_WINDOW, min_obs: int
) -> HistoricalRisk:
    """Return historical value at risk and expected shortfall of the last ``window`` returns.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns; rows before the window are ignored.
    level : float
        Confidence, between 0 and 1.
    window : int
        Sessions, at most T.
    min_obs : int
        Minimum number of returns, at least 1: MIN_OBS_95, MIN_OBS_99.

    Returns
    -------
    HistoricalRisk
        ``value_at_risk`` is the quantile of the losses, interpolated linearly between neighbors
        (Hyndman and Fan's type 7, numpy's default); ``expected_shortfall`` the mean of the losses
        at or beyond it. A missing return is left out of its own series only. With fewer than
        ``min_obs`` returns both are NaN.

    Raises
    ------
    ValueError
        If ``level``, ``window`` or ``min_obs`` is out of range.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, The American Statistician
    50(4). Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking and
    Finance 26(7).

    Examples
    --------
    Losses of 1, 2, … 100: the 95 % quantile is 1 + 0.95 × 99, and 96 to 100 lie beyond it.

    >>> returns = -np.arange(1.0, 101.0)[:, np.newaxis]
    >>> found = historical_risk(returns, level=0.95, window=100, min_obs=100)
    >>> found.value_at_risk.round(4), found.expected_shortfall
    (array([95.05]), array([98.]))
    """
    _require_arguments(returns, level, window, min_obs)
    losses = _losses(returns[-window:])
    quantile = _quantile(losses, level, min_obs)
    tail = losses >= quantile
    with np.errstate(invalid="ignore"):  # an undefined quantile has no tail
        mean = window_sums(np.where(tail, losses, 0.0), window)[0] / tail.sum(axis=0)
    shortfall = np.maximum(mean, quantile)  # the mean of equal losses may round below them
    return HistoricalRisk(quantile, shortfall, np.isfinite(losses).sum(axis=0))


def historical_value_at_risk(returns: FloatArray, *, level: float, min_obs: int) -> FloatArray:
    """Return the value at risk of `historical_risk` over all rows of ``returns`` (T, N), (N,).

    Examples
    --------
    >>> historical_value_at_risk(np.array([[-0.03], [0.01], [-0.01]]), level=0.5, min_obs=3)
    array([0.01])
    """
    _require_arguments(returns, level, len(returns), min_obs)
    return _quantile(_losses(returns), level, min_obs)


def parametric_risk(volatility: FloatArray, *, level: float) -> ParametricRisk:
    r"""Return one-day value at risk and expected shortfall for normal returns with mean 0.

    Parameters
    ----------
    volatility : array of any shape
        Annualized, as a fraction; the result is NaN where it is.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    ParametricRisk
        Losses as positive fractions, of the volatility's shape.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Notes
    -----
    With :math:`z = \Phi^{-1}(\text{level})` and daily :math:`\sigma`: :math:`z\sigma` and
    :math:`\sigma\,\varphi(z)/(1 - \text{level})`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, sections 2.3.2 and 2.3.4.

    Examples
    --------
    >>> found = parametric_risk(np.array([0.2]), level=0.99)
    >>> found.value_at_risk.round(5), found.expected_shortfall.round(5)
    (array([0.02931]), array([0.03358]))
    """
    from scipy.special import ndtri  # slow to import

    _require_level(level)
    z = float(ndtri(level))
    daily = volatility / math.sqrt(SESSIONS_PER_YEAR)
    return ParametricRisk(
        daily * z, daily * (math.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi) / (1.0 - level))
    )


def sqrt_time_scaled(one_day: FloatArray, *, days: int = 10) -> FloatArray:
    """Scale one-day losses, of any shape and unit, to several days by the square root of ``days``.

    Assumes independent, identically distributed days; label the result as √-scaled. NaN stays NaN.

    Examples
    --------
    >>> sqrt_time_scaled(np.array([0.02])).round(4)
    array([0.0632])
    """
    return one_day * math.sqrt(days)


def loss_ranks(
    returns: FloatArray, *, window: int = VAR_WINDOW, n_days: int = BACKTEST_WINDOW
) -> IntArray:
    """Rank each of the last ``n_days`` losses among those of the ``window`` days before it.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, T at least ``window + n_days``; rows before those are ignored.

    Returns
    -------
    (n_days, N) array
        Number of losses in the window that are smaller than the day's own. A missing return is not
        smaller; a day without a return has 0.

    Raises
    ------
    ValueError
        If the array is too short.

    Examples
    --------
    A loss of 1.5 % is larger than one of the three before it:

    >>> loss_ranks(np.array([[-0.01], [-0.02], [-0.03], [-0.015]]), window=3, n_days=1)
    array([[1]])
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
    """Count VaR exceptions: losses above the historical value at risk of the window before.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns, T at least ``window + n_days``; rows before those are ignored.
    ranks : (n_days, N) array
        Result of `loss_ranks` for the same windows; one result serves every level.
    level, window, min_obs
        As in `historical_risk`.
    n_days : int
        Days to test.

    Returns
    -------
    Backtest
        A day is tested if it has a return and the window before it has a value at risk; the day
        itself is never in its own window. A loss equal to the value at risk is not an exception.

    Raises
    ------
    ValueError
        If the shapes do not match, or an argument of `historical_risk` is out of range.

    Examples
    --------
    A loss of 4 % after losses of 1 to 3 %, at the level of their median:

    >>> returns = np.array([[-0.01], [-0.02], [-0.03], [-0.04]])
    >>> ranks = loss_ranks(returns, window=3, n_days=1)
    >>> var_exceptions(returns, ranks, level=0.5, window=3, n_days=1, min_obs=3)
    Backtest(exceptions=array([1]), n_tested=array([1]))
    """
    _require_arguments(returns, level, window, min_obs)
    if ranks.shape != (n_days, returns.shape[1]):
        raise ValueError(f"ranks must have shape {(n_days, returns.shape[1])}, not {ranks.shape}")
    losses = _losses(returns[-window - n_days :])
    is_known = np.isfinite(losses)
    n_obs = window_counts(is_known[:-1], window)
    is_tested = is_known[window:] & (n_obs >= min_obs)
    rank_below = (level * np.maximum(n_obs - 1, 0)).astype(np.int64)
    is_exception = is_tested & (ranks > rank_below + 1)
    # a loss between the two neighbors of the quantile must be compared with the quantile itself
    day, series = np.nonzero(is_tested & (ranks == rank_below + 1))
    value_at_risk = _quantile(
        losses[day + np.arange(window)[:, np.newaxis], series], level, min_obs
    )
    is_exception[day, series] = losses[day + window, series] > value_at_risk
    return Backtest(is_exception.sum(axis=0), is_tested.sum(axis=0))


def kupiec(exceptions: IntArray, n_obs: IntArray, *, level: float) -> Kupiec:
    r"""Test whether VaR exceptions are as frequent as the level implies (Kupiec).

    Parameters
    ----------
    exceptions, n_obs : arrays of one shape
        Days with a loss above the value at risk, and days tested.
    level : float
        Confidence of the value at risk, between 0 and 1.

    Returns
    -------
    Kupiec
        ``expected_exceptions``; ``likelihood_ratio`` and its ``p_value`` (chi-squared, 1 degree of
        freedom), NaN if no day was tested.

    Raises
    ------
    ValueError
        If the shapes differ, or exceptions are not between 0 and the days tested.

    Notes
    -----
    With x exceptions in n days, p = 1 - level and f = x / n,
    :math:`2[x \ln(f / p) + (n - x) \ln((1 - f) / (1 - p))]`; a term is 0 where its count is 0.

    References
    ----------
    Kupiec (1995), Techniques for verifying the accuracy of risk measurement models, Journal of
    Derivatives 3(2).

    Examples
    --------
    At 95 % confidence the test rejects a 99 % value at risk from seven exceptions in 255 days on:

    >>> found = kupiec(np.array([6, 7]), np.array([255, 255]), level=0.99)
    >>> found.likelihood_ratio.round(4), found.p_value.round(4)
    (array([3.4154, 5.3163]), array([0.0646, 0.0211]))
    """
    from scipy.special import chdtrc, xlogy

    _require_level(level)
    if exceptions.shape != n_obs.shape or (exceptions < 0).any() or (exceptions > n_obs).any():
        raise ValueError(
            "exceptions and n_obs must have one shape, and exceptions must be between 0 and n_obs"
        )
    p = 1.0 - level
    with np.errstate(invalid="ignore"):
        exception_rate = exceptions / n_obs
    ratio = 2.0 * (
        xlogy(exceptions, exception_rate / p)
        + xlogy(n_obs - exceptions, (1.0 - exception_rate) / level)
    )
    ratio = np.maximum(ratio, 0.0)  # rounding may make it negative
    return Kupiec(n_obs.astype(np.float64) * p, ratio, chdtrc(1.0, ratio))


def _losses(returns: FloatArray) -> FloatArray:
    return np.where(np.isfinite(returns), -returns, np.nan)


def _quantile(losses: FloatArray, level: float, min_obs: int) -> FloatArray:
    """Return the quantile of each column's known losses (W, N), as ``np.nanquantile`` does.

    Faster than numpy, which processes columns with NaN one by one.
    """
    n_obs = np.isfinite(losses).sum(axis=0)
    ordered = np.sort(losses, axis=0)  # NaN last
    position = level * np.maximum(n_obs - 1, 0)
    below = position.astype(np.int64)
    series = np.arange(losses.shape[1])
    lower, upper = ordered[below, series], ordered[np.minimum(below + 1, len(losses) - 1), series]
    # rounding may exceed the upper neighbor
    between = np.minimum(lower + (upper - lower) * (position - below), upper)
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
        raise ValueError(f"level must be between 0 and 1, not {level}")
