"""Realized volatility: standard deviations, absolute returns, ranges, percentile rank and trend.

Volatilities are fractions per year unless stated otherwise: 0.2 is 20 % a year.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.windows import (
    add_rows,
    iterate_rows,
    require_windows,
    window_counts,
    window_means,
    window_sums,
)

SESSIONS_PER_YEAR = 252
"""Factor from a variance per session to a variance per year."""

ABSOLUTE_SCALE = math.sqrt(math.pi / 2)
"""Factor from a normal variable's mean absolute value to its standard deviation."""

WEEK, MONTH = 5, 21
"""Lags of Corsi (2009), in sessions."""

MIN_WEEK_OBS, MIN_MONTH_OBS = 3, 15
"""Minimum values in the means of a week and of a month."""

MAX_DAILY_LAG_AGE = 3
"""Maximum age, in sessions, of the value that stands in for a missing daily lag."""

PERCENTILE_WINDOW, PERCENTILE_MIN_OBS = 252, 126
"""Earlier values in a percentile rank, and the minimum of them: a year and half a year."""

LOG_ERROR_MEAN, LOG_ERROR_SD = 0.06, 0.33
"""Mean and standard deviation of ln(forecast / realized), for large US stocks 1990-2022."""

MIN_TREND_STRENGTH = 0.15
"""Strength below which the trend is "stable"."""

DIRECTIONS: Final = {-1.0: "decreasing", 0.0: "stable", 1.0: "increasing"}
"""Names of the values of `Trend.direction`."""


class RealizedVolatility(NamedTuple):
    """Realized volatility and observations per window and series, each of shape (D, N)."""

    volatility: FloatArray
    n_obs: IntArray


class Lags(NamedTuple):
    """Means over the last 1, 5 and 21 sessions, each of shape (T - 20, N)."""

    day: FloatArray
    week: FloatArray
    month: FloatArray


class PercentileRank(NamedTuple):
    """Percentile rank and observations per day and series, each of shape (T - 252, N)."""

    rank: FloatArray
    n_obs: IntArray


class Trend(NamedTuple):
    """Trend implied by each forecast, each of its shape."""

    probability: FloatArray
    """Probability that the next 21 sessions are more volatile than the last 21."""
    strength: FloatArray
    """Distance of the probability from even odds, in [0, 1]."""
    direction: FloatArray
    """A key of `DIRECTIONS`, NaN where undefined."""


def realized_volatility(returns: FloatArray, *, window: int, min_obs: int) -> RealizedVolatility:
    """Return the annualized sample standard deviation (n - 1) of the returns in rolling windows.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns per session, as fractions. Values that are not finite are missing and left
        out.
    window : int
        Sessions per window, at most T.
    min_obs : int
        Minimum number of returns, at least 2.

    Returns
    -------
    RealizedVolatility
        (T - window + 1, N); row d is the window that ends at row d + window - 1. NaN with fewer
        than ``min_obs`` returns. Two passes per window: a value depends only on its own window and
        series, to the last bit.

    Raises
    ------
    ValueError
        If ``window`` or ``min_obs`` is out of range.

    Examples
    --------
    The variance of 1, -1, 1 and -1 % is 4/3 %²:

    >>> returns = np.array([[0.01], [-0.01], [0.01], [-0.01]])
    >>> realized_volatility(returns, window=4, min_obs=2).volatility.round(4)
    array([[0.1833]])
    """
    require_windows(len(returns), window)
    if not 2 <= min_obs <= window:
        raise ValueError(f"2 <= min_obs <= window required, not {min_obs}, {window}")
    mean, n_obs = window_means(returns, window, min_obs=min_obs)
    is_known = np.isfinite(returns)
    filled, weight = np.where(is_known, returns, 0.0), is_known.astype(np.float64)
    squares = np.zeros_like(mean)
    for rows in iterate_rows(len(mean), mean.shape[1], window):
        deviation = filled[rows] - mean
        deviation *= weight[rows]
        add_rows(squares, np.multiply(deviation, deviation, out=deviation))
    is_rounding = squares <= n_obs * (n_obs * np.finfo(np.float64).eps * mean) ** 2
    squares[is_rounding] = 0.0
    squares[n_obs < min_obs] = np.nan
    return RealizedVolatility(
        np.sqrt(squares / np.maximum(n_obs - 1, 1) * SESSIONS_PER_YEAR), n_obs
    )


def ewma_volatility(
    returns: FloatArray, *, decay: float, window: int = 252, min_obs: int = 63
) -> FloatArray:
    r"""Return the annualized exponentially weighted volatility about zero over rolling windows.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns as fractions, NaN where missing.
    decay : float
        Weight of a session relative to the next one, in (0, 1]. With 0.97, 0.05 % of the weights
        lie beyond 252 sessions.
    window : int
        Rows per window, at most T. A recursion would depend on where the data begin.
    min_obs : int
        Minimum number of returns.

    Returns
    -------
    (T - window + 1, N) array
        :math:`\sqrt{252 \sum \lambda^k r_{t-k}^2 / \sum \lambda^k}` over the returns that exist;
        row d is the window that ends at row d + window - 1. NaN with fewer than ``min_obs``
        returns.

    Raises
    ------
    ValueError
        If ``decay``, ``window`` or ``min_obs`` is out of range.

    References
    ----------
    J.P. Morgan (1996), RiskMetrics technical document, 4th edition, section 5.2.

    Examples
    --------
    (0.5 × 0.01² + 1 × 0.02²) / 1.5 = 0.0003 a session.

    >>> returns = np.array([[0.01], [0.02]])
    >>> ewma_volatility(returns, decay=0.5, window=2, min_obs=1).round(4)
    array([[0.275]])
    """
    require_windows(len(returns), window)
    if not (0 < decay <= 1 and 0 < min_obs <= window):
        raise ValueError(
            f"0 < decay <= 1 and 0 < min_obs <= window required, not {decay}, {min_obs}, {window}"
        )
    is_known = np.isfinite(returns)
    total, weights = (
        window_sums(values, window, decay=decay)
        for values in (np.where(is_known, returns, 0.0) ** 2, is_known.astype(np.float64))
    )
    weights[window_counts(is_known, window) < min_obs] = np.nan
    return np.sqrt(SESSIONS_PER_YEAR * total / weights)


def absolute_volatility(returns: FloatArray) -> Lags:
    r"""Return annualized means of :math:`\sqrt{\pi/2}\,|r|` over the last 1, 5 and 21 sessions.

    Parameters and return value are those of `lagged_means`, for simple returns. Absolute returns
    depend less on a single day than squares.

    References
    ----------
    Forsberg and Ghysels (2007), Why do absolute returns predict volatility so well?, Journal of
    Financial Econometrics 5(1).

    Examples
    --------
    >>> absolute_volatility(np.full((21, 1), 0.01)).month.round(4)
    array([[0.199]])
    """
    return Lags(
        *(
            mean * math.sqrt(SESSIONS_PER_YEAR)
            for mean in lagged_means(ABSOLUTE_SCALE * np.abs(returns))
        )
    )


def lagged_means(values: FloatArray) -> Lags:
    """Average the last 1, 5 and 21 rows of ``values`` (T, N), T >= 21.

    Row t of the result (T - 20, N) ends at row t + 20. Values that are not finite are missing: the
    means need 3 of 5 and 15 of 21 values; ``day`` is the last value, up to 3 sessions old. NaN
    otherwise.

    Examples
    --------
    >>> lagged_means(np.arange(21.0)[:, np.newaxis])
    Lags(day=array([[20.]]), week=array([[18.]]), month=array([[10.]]))
    """
    require_windows(len(values), MONTH)
    n_dates = len(values) - MONTH + 1
    day = np.full((n_dates, values.shape[1]), np.nan)
    for age in range(MAX_DAILY_LAG_AGE + 1):
        earlier = values[MONTH - 1 - age : len(values) - age]
        np.copyto(day, earlier, where=np.isnan(day) & np.isfinite(earlier))
    week = window_means(values[MONTH - WEEK :], WEEK, min_obs=MIN_WEEK_OBS).mean
    return Lags(day, week, window_means(values, MONTH, min_obs=MIN_MONTH_OBS).mean)


def range_proxy(high: FloatArray, low: FloatArray) -> FloatArray:
    r"""Return the standard deviation per session implied by its range (Parkinson), elementwise.

    :math:`\ln(H/L) / \sqrt{4 \ln 2}`. NaN where high and low are not positive, finite prices with
    high above low: a bar built from a single price has no range.

    References
    ----------
    Parkinson (1980), The extreme value method for estimating the variance of the rate of return,
    Journal of Business 53(1).

    Examples
    --------
    >>> range_proxy(np.array([110.0, 100.0]), np.array([100.0, 100.0])).round(4)
    array([0.0572,    nan])
    """
    valid = np.isfinite(high) & np.isfinite(low) & (low > 0.0) & (high > low)
    ratio = np.divide(high, low, out=np.full_like(high, np.nan), where=valid)
    return np.log(ratio) / math.sqrt(4.0 * math.log(2.0))


def percentile_rank(volatility: FloatArray) -> PercentileRank:
    """Return the percentile rank of each volatility among the 252 values before it.

    Parameters
    ----------
    volatility : (T, N) array
        One value per session, T > 252, NaN where undefined.

    Returns
    -------
    PercentileRank
        (T - 252, N); row d ranks row d + 252. The share of earlier values below today's, with equal
        values counted half, in [0, 1]. NaN where today's is undefined or fewer than 126 earlier
        values are known.

    Raises
    ------
    ValueError
        If there is no value with 252 rows before it.

    Examples
    --------
    Above 200 of 252 earlier values and equal to 52 of them:

    >>> volatility = np.array([0.1] * 200 + [0.2] * 53)[:, np.newaxis]
    >>> percentile_rank(volatility).rank.round(4)
    array([[0.8968]])
    """
    require_windows(len(volatility), PERCENTILE_WINDOW + 1)
    today = volatility[PERCENTILE_WINDOW:]
    # counts of at most 252 fit in bytes; the loop is over the smaller number of rows
    below, not_above = np.zeros((2, *today.shape), np.uint8)
    if len(today) < PERCENTILE_WINDOW:
        for row, value in enumerate(today):
            earlier = volatility[row : row + PERCENTILE_WINDOW]
            below[row] = np.count_nonzero(earlier < value, axis=0)
            not_above[row] = np.count_nonzero(earlier <= value, axis=0)
    else:
        for start in range(PERCENTILE_WINDOW):
            earlier = volatility[start : start + len(today)]
            below += (earlier < today).view(np.uint8)
            not_above += (earlier <= today).view(np.uint8)
    n_obs = window_counts(~np.isnan(volatility[:-1]), PERCENTILE_WINDOW)
    defined = ~np.isnan(today) & (n_obs >= PERCENTILE_MIN_OBS)
    rank = (below.astype(np.float64) + not_above) / 2.0  # values equal to today's count half
    return PercentileRank(
        np.divide(rank, n_obs, out=np.full(today.shape, np.nan), where=defined), n_obs
    )


def volatility_trend(
    forecast: FloatArray,
    realized: FloatArray,
    error_mean: FloatArray | float = LOG_ERROR_MEAN,
    error_sd: FloatArray | float = LOG_ERROR_SD,
) -> Trend:
    r"""Return the probability that the next 21 sessions are more volatile than the last 21.

    Parameters
    ----------
    forecast, realized : arrays of one shape
        Volatility forecast for the next 21 sessions, and realized volatility of the last 21.
    error_mean, error_sd : arrays of the same shape, or float
        Mean and standard deviation in p: those of the version of the forecast.

    Returns
    -------
    Trend
        :math:`p = \Phi((\ln(F/RV) - mean)/sd)`, strength :math:`|2p - 1|`, and a direction that
        is "stable" below a strength of 0.15. NaN where either input is undefined or not positive.

    Examples
    --------
    Φ((ln 1.25 - 0.06) / 0.33):

    >>> found = volatility_trend(np.array([0.25]), np.array([0.2]))
    >>> found.probability.round(4), found.strength.round(4), DIRECTIONS[float(found.direction[0])]
    (array([0.6895]), array([0.379]), 'increasing')
    """
    from scipy.special import ndtr  # slow to import

    valid = (forecast > 0.0) & (realized > 0.0)
    growth = np.log(np.divide(forecast, realized, out=np.full(valid.shape, np.nan), where=valid))
    probability = ndtr((growth - error_mean) / error_sd)
    strength = np.abs(2.0 * probability - 1.0)
    direction = np.where(strength < MIN_TREND_STRENGTH, 0.0, np.sign(probability - 0.5))
    return Trend(probability, strength, np.where(np.isnan(probability), np.nan, direction))
