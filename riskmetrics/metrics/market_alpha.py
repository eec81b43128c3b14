"""Return of series beyond what their beta to the market explains."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import window_sums


class MarketAlpha(NamedTuple):
    """Alpha of N series, each of shape (N,)."""

    alpha: FloatArray
    alpha_std_error: FloatArray
    year_beta: FloatArray
    market_correlation: FloatArray
    treynor_ratio: FloatArray
    n_obs: IntArray


def market_alpha(returns: FloatArray, market: FloatArray, *, min_obs: int) -> MarketAlpha:
    r"""Regress the returns of a window on those of the market, and annualize the intercept.

    Parameters
    ----------
    returns, market, min_obs
        As in `active_risk.market_regression`; ``min_obs`` is at least 3.

    Returns
    -------
    MarketAlpha
        Of the n sessions with both returns: Jensen's ``alpha``, 252 times the intercept of the
        regression, and 252 times its classical standard error; ``year_beta`` the slope;
        ``market_correlation`` Pearson's; ``treynor_ratio`` :math:`(G^{252/n} - 1) / \beta`, with
        the growth :math:`G = \prod (1 + r)`, NaN where the slope is within `Z_95` of its standard
        errors of 0. The risk-free rate is 0.
        NaN with fewer than ``min_obs`` sessions, or where the market's returns are constant; the
        correlation also where the series is. After a return of -1 or below, G is 0.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``min_obs`` is out of range.

    References
    ----------
    Jensen (1968), The performance of mutual funds in the period 1945-1964, Journal of Finance
    23(2). Treynor (1965), How to rate management of investment funds, Harvard Business Review
    43(1).

    Examples
    --------
    Half the market, plus 0.1 % a session:

    >>> market = np.array([0.01, -0.02, 0.02, 0.005])
    >>> found = market_alpha(0.001 + 0.5 * market[:, np.newaxis], market, min_obs=3)
    >>> found.alpha.round(4), found.year_beta.round(4), found.market_correlation.round(4)
    (array([0.252]), array([0.5]), array([1.]))
    """
    window = len(returns)
    fit = rolling_ols(returns, market, window=window, min_obs=min_obs)
    is_paired = np.isfinite(returns) & np.isfinite(market)[:, np.newaxis]
    index = np.where(is_paired, market[:, np.newaxis], 0.0)
    growth = np.cumprod(np.where(is_paired, np.maximum(1.0 + returns, 0.0), 1.0), axis=0)[-1]
    n_obs, beta = fit.n_obs[0], fit.beta[0]
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
        mean = window_sums(index, window)[0] / n_obs
        squares = window_sums(np.where(is_paired, index - mean, 0.0) ** 2, window)[0]
        error = fit.std_error[0] * np.sqrt(squares / n_obs + mean**2)
        annual = growth ** (SESSIONS_PER_YEAR / n_obs) - 1.0
        treynor = np.where(np.abs(beta) > Z_95 * fit.std_error[0], annual / beta, np.nan)
    return MarketAlpha(
        fit.alpha[0] * SESSIONS_PER_YEAR,
        error * SESSIONS_PER_YEAR,
        beta,
        np.copysign(np.sqrt(fit.r_squared[0]), beta),
        treynor,
        n_obs,
    )
