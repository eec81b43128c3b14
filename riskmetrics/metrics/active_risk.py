"""Risk of portfolios relative to the market index: regression on it, and difference from it."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, realized_volatility
from riskmetrics.metrics.windows import window_means, window_sums


class MarketRegression(NamedTuple):
    """Regression of N series on the market, each of shape (N,)."""

    beta: FloatArray
    std_error: FloatArray
    r_squared: FloatArray
    specific_volatility: FloatArray
    n_obs: IntArray


class ActiveRisk(NamedTuple):
    """Active return and risk of N series, each of shape (N,)."""

    tracking_error: FloatArray
    active_return: FloatArray
    information_ratio: FloatArray
    n_obs: IntArray


def market_regression(returns: FloatArray, market: FloatArray, *, min_obs: int) -> MarketRegression:
    r"""Regress the returns of a window on those of the market, with an intercept.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns of a window, oldest first, NaN where missing.
    market : (T,) array
        Returns of the market index on the same sessions.
    min_obs : int
        Minimum number of sessions with both returns, at least 3.

    Returns
    -------
    MarketRegression
        ``beta``, its classical standard error, R² and the annualized volatility of the residuals,
        :math:`\sqrt{252\,SSR / (n - 2)}`; ``n_obs`` counts the pairs. NaN with fewer than
        ``min_obs``, or where the market's returns are constant; R² also where the series is.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``min_obs`` is out of range.

    References
    ----------
    Sharpe (1963), A simplified model for portfolio analysis, Management Science 9(2).

    Examples
    --------
    A series that moves half as much as the market, and by 0.1 % up and down besides:

    >>> market = np.array([0.01, 0.01, -0.01, -0.01])
    >>> fit = market_regression(0.5 * market[:, None] + [[0.001], [-0.001]] * 2, market, min_obs=3)
    >>> fit.beta.round(4), fit.std_error.round(4), fit.r_squared.round(4)
    (array([0.5]), array([0.0707]), array([0.9615]))
    >>> fit.specific_volatility.round(4)  # 0.1 % * sqrt(4 / 2 * 252)
    array([0.0224])
    """
    window = len(returns)
    fit = rolling_ols(returns, market, window=window, min_obs=min_obs)
    paired = np.isfinite(returns) & np.isfinite(market)[:, np.newaxis]
    known = np.where(paired, market[:, np.newaxis], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # without pairs it is undefined
        deviations = np.where(paired, known - window_sums(known, window) / fit.n_obs, 0.0)
    spread = np.sqrt(window_sums(deviations**2, window))
    return MarketRegression(
        fit.beta[0],
        fit.std_error[0],
        fit.r_squared[0],
        (fit.std_error * spread)[0] * SESSIONS_PER_YEAR**0.5,
        fit.n_obs[0],
    )


def active_risk(returns: FloatArray, market: FloatArray, *, min_obs: int) -> ActiveRisk:
    r"""Return tracking error, active return and information ratio against the market.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns of a window, oldest first, NaN where missing.
    market : (T,) array
        Returns of the market index on the same sessions.
    min_obs : int
        Minimum number of sessions with both returns, at least 2.

    Returns
    -------
    ActiveRisk
        With active returns :math:`a = r - m`: :math:`\sqrt{252}\,sd(a)`, sample standard deviation;
        :math:`252\,mean(a)`; their ratio, NaN without tracking error. ``n_obs`` counts the pairs.
        NaN with fewer than ``min_obs``.

    Raises
    ------
    ValueError
        If ``min_obs`` is out of range.

    References
    ----------
    Grinold and Kahn (2000), Active Portfolio Management, 2nd edition, chapter 4.

    Examples
    --------
    >>> market = np.array([0.01, -0.01, 0.02])
    >>> found = active_risk(market[:, None] + [[0.001], [0.002], [0.003]], market, min_obs=2)
    >>> found.tracking_error.round(4), found.active_return.round(3)
    (array([0.0159]), array([0.504]))
    >>> found.information_ratio.round(2)
    array([31.75])
    """
    active = returns - market[:, np.newaxis]
    risk, n_obs = realized_volatility(active, window=len(active), min_obs=min_obs)
    mean = window_means(active, len(active), min_obs=min_obs).mean[0] * SESSIONS_PER_YEAR
    ratio = np.divide(mean, risk[0], out=np.full(mean.shape, np.nan), where=risk[0] > 0.0)
    return ActiveRisk(risk[0], mean, ratio, n_obs[0])
