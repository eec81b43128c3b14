"""Risk of portfolios relative to the market index: regression on it, and difference from it."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, realized_volatility
from riskmetrics.metrics.windows import window_counts, window_means, window_sums


class MarketRegression(NamedTuple):
    """Regression of N series on the market, each of shape (N,)."""

    beta: FloatArray
    std_error: FloatArray
    r_squared: FloatArray
    specific_volatility: FloatArray
    n_obs: IntArray


ROUNDING = 1e-12
"""Rounding of a portfolio's return, as a share of it: holdings of the index alone return it."""

HALF_LIFE = 63
"""Sessions after which a return has half the weight in the expected active risk: a quarter."""


class ExpectedActiveRisk(NamedTuple):
    """Active risk of N series expected from today's weights, each of shape (N,)."""

    expected_tracking_error: FloatArray
    active_beta: FloatArray
    market_share: FloatArray
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
    A series that moves half as much as the market, plus and minus 0.1 % in turn:

    >>> market = np.array([0.01, 0.01, -0.01, -0.01])
    >>> fit = market_regression(0.5 * market[:, None] + [[0.001], [-0.001]] * 2, market, min_obs=3)
    >>> fit.beta.round(4), fit.std_error.round(4), fit.r_squared.round(4)
    (array([0.5]), array([0.0707]), array([0.9615]))
    >>> fit.specific_volatility.round(4)  # 0.1 % * sqrt(4 / 2 * 252)
    array([0.0224])
    """
    window = len(returns)
    fit = rolling_ols(returns, market, window=window, min_obs=min_obs)
    is_paired = np.isfinite(returns) & np.isfinite(market)[:, np.newaxis]
    known = np.where(is_paired, market[:, np.newaxis], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # without pairs it is undefined
        deviations = np.where(is_paired, known - window_sums(known, window) / fit.n_obs, 0.0)
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
    returns, market, min_obs
        As in `market_regression`; ``min_obs`` is at least 2.

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
    active = active_returns(returns, market)
    risk, n_obs = realized_volatility(active, window=len(active), min_obs=min_obs)
    mean = window_means(active, len(active), min_obs=min_obs).mean[0] * SESSIONS_PER_YEAR
    ratio = np.divide(mean, risk[0], out=np.full(mean.shape, np.nan), where=risk[0] > 0.0)
    return ActiveRisk(risk[0], mean, ratio, n_obs[0])


def expected_active_risk(
    returns: FloatArray, market: FloatArray, *, min_obs: int
) -> ExpectedActiveRisk:
    r"""Return the tracking error expected from returns with weights that decay, and its market bet.

    Parameters
    ----------
    returns, market, min_obs
        As in `market_regression`, of today's holdings; ``min_obs`` is at least 2.

    Returns
    -------
    ExpectedActiveRisk
        With active returns :math:`a = r - m`: :math:`\sqrt{252\,var(a)}`; the active beta
        :math:`\beta_a = cov(a, m) / var(m)`, which is the beta less 1; and the share of active
        variance that is due to it, :math:`\beta_a^2 var(m) / var(a)`. NaN with fewer than
        ``min_obs`` pairs, where the market is constant, and the share without active risk.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``min_obs`` is out of range.

    Notes
    -----
    A return that is k sessions old has the weight :math:`2^{-k/63}`; moments are unbiased for such
    weights: the sum of weighted squares is divided by :math:`\sum w - \sum w^2 / \sum w`.

    References
    ----------
    Grinold and Kahn (2000), Active Portfolio Management, 2nd edition, chapters 3 and 4.

    Examples
    --------
    Twice the market has an active beta of 1, and all its active risk is the market's:

    >>> market = np.array([0.01, -0.01, 0.01, -0.01])
    >>> found = expected_active_risk(2.0 * market[:, np.newaxis], market, min_obs=2)
    >>> found.expected_tracking_error.round(4), found.active_beta.round(4), found.market_share
    (array([0.1833]), array([1.]), array([1.]))
    """
    active = active_returns(returns, market)
    weight, n_obs = decay_weights(active, min_obs=min_obs)
    window = len(active)
    is_paired = np.isfinite(active)
    total = window_sums(weight, window)[0]

    def center(values: FloatArray) -> FloatArray:
        known = np.where(is_paired, values, 0.0)
        with np.errstate(invalid="ignore"):  # without enough pairs it is undefined
            return np.where(is_paired, known - window_sums(known * weight, window)[0] / total, 0.0)

    own, index = center(active), center(np.broadcast_to(market[:, np.newaxis], active.shape))
    own_square, index_square, product = (
        window_sums(values * weight, window)[0] for values in (own**2, index**2, own * index)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = total - window_sums(weight**2, window)[0] / total
        risk = np.sqrt(SESSIONS_PER_YEAR * own_square / degrees)
        beta = np.where(index_square > 0.0, product / index_square, np.nan)
        share = np.where(own_square > 0.0, beta**2 * index_square / own_square, np.nan)
    return ExpectedActiveRisk(
        np.where(np.isnan(beta), np.nan, risk), beta, np.minimum(share, 1.0), n_obs
    )


def active_returns(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Return the returns (T, N) less those of the market (T,); NaN where one is missing.

    A difference within `ROUNDING` of the market's return is 0: a fund of the index has none.

    Examples
    --------
    >>> active_returns(np.array([[0.03], [0.01]]), np.array([0.01, np.nan])).ravel().round(4)
    array([0.02,  nan])
    """
    index = market[:, np.newaxis]
    active = returns - index
    active = np.where(np.abs(active) <= ROUNDING * np.abs(index), 0.0, active)
    return np.where(np.isfinite(active), active, np.nan)


def decay_weights(series: FloatArray, *, min_obs: int) -> tuple[FloatArray, IntArray]:
    """Return the weight of each value of ``series`` (T, N), and the number of values, (N,).

    The weight is 2 to the power of minus its age in sessions over HALF_LIFE, 0 where the value is
    missing, and NaN in a series with fewer than ``min_obs`` values.

    Examples
    --------
    >>> series = np.zeros((64, 1))
    >>> decay_weights(series, min_obs=2)[0][[0, -1]].ravel()
    array([0.5, 1. ])
    """
    if not 2 <= min_obs <= len(series):
        raise ValueError(f"2 <= min_obs <= {len(series)} required, not {min_obs}")
    is_known = np.isfinite(series)
    age = np.arange(len(series) - 1, -1, -1.0)
    weight = np.where(is_known, 2.0 ** (-age / HALF_LIFE)[:, np.newaxis], 0.0)
    n_obs = window_counts(is_known, len(series))[0]
    weight[:, n_obs < min_obs] = np.nan
    return weight, n_obs
