"""Return of series in relation to their risk, and to the market index."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.drawdown import drawdown
from riskmetrics.metrics.minimums import MIN_SESSION_RISK, divide_by_risk
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, realized_volatility
from riskmetrics.metrics.windows import window_means


class Performance(NamedTuple):
    """Return and risk-adjusted return of N series, each of shape (N,)."""

    annual_return: FloatArray
    sharpe_ratio: FloatArray
    sortino_ratio: FloatArray
    calmar_ratio: FloatArray
    up_capture: FloatArray
    down_capture: FloatArray
    n_obs: IntArray


def performance(returns: FloatArray, market: FloatArray, *, min_obs: int) -> Performance:
    r"""Return annual return, Sharpe, Sortino and Calmar ratio, and market capture of a window.

    Parameters
    ----------
    returns, market, min_obs
        As in `active_risk.market_regression`; ``min_obs`` is at least 2.

    Returns
    -------
    Performance
        All are of the n sessions with both returns; the risk-free rate and the target are 0. With
        the growth :math:`G = \prod (1 + r)`: ``annual_return`` :math:`G^{252/n} - 1`;
        ``sharpe_ratio`` :math:`\sqrt{252}\,mean(r) / sd(r)`; ``sortino_ratio``
        :math:`\sqrt{252}\,mean(r) / \sqrt{mean(\min(r, 0)^2)}`; ``calmar_ratio`` the annual return
        divided by the maximum drawdown; ``up_capture`` the geometric mean return of the sessions
        on which the market rose, divided by the market's on them, and ``down_capture`` the same of
        those on which it fell. NaN with fewer than ``min_obs`` sessions, or where a denominator is
        below `MIN_RISK` or, of the captures, `MIN_SESSION_RISK`. After a return of -1 or below, G
        is 0.

    Raises
    ------
    ValueError
        If ``min_obs`` is out of range.

    References
    ----------
    Sharpe (1994), The Sharpe ratio, Journal of Portfolio Management 21(1). Sortino and Price
    (1994), Performance measurement in a downside risk framework, Journal of Investing 3(3). Young
    (1991), Calmar ratio: a smoother tool, Futures 20(1). Bacon (2008), Practical portfolio
    performance measurement and attribution, 2nd edition, chapter 3 (capture).

    Examples
    --------
    >>> market = np.array([0.01, -0.02, 0.02])
    >>> found = performance(0.5 * market[:, np.newaxis], market, min_obs=3)
    >>> found.sharpe_ratio.round(3), found.sortino_ratio.round(3)
    (array([2.542]), array([4.583]))
    >>> found.up_capture.round(3), found.down_capture.round(3)
    (array([0.5]), array([0.5]))
    """
    is_paired = np.isfinite(returns) & np.isfinite(market)[:, np.newaxis]
    own = np.where(is_paired, returns, np.nan)
    risk, counts = realized_volatility(own, window=len(own), min_obs=min_obs)
    n_obs = counts[0]
    is_enough = n_obs >= min_obs
    mean = window_means(own, len(own), min_obs=min_obs).mean[0] * SESSIONS_PER_YEAR
    losses = np.where(is_paired, np.minimum(own, 0.0) ** 2, np.nan)
    downside = window_means(losses, len(own), min_obs=min_obs).mean[0] * SESSIONS_PER_YEAR
    growth = _growth(own, is_paired)
    with np.errstate(divide="ignore", invalid="ignore"):
        annual = np.where(is_enough, growth ** (SESSIONS_PER_YEAR / n_obs) - 1.0, np.nan)
    columns = np.broadcast_to(market[:, np.newaxis], own.shape)
    captures = (_capture(own, columns, is_paired & (sign * columns > 0.0)) for sign in (1.0, -1.0))
    up, down = (np.where(is_enough, capture, np.nan) for capture in captures)
    return Performance(
        annual,
        divide_by_risk(mean, risk[0]),
        divide_by_risk(mean, np.sqrt(downside)),
        divide_by_risk(annual, drawdown(own, min_obs=min_obs).max_drawdown),
        up,
        down,
        n_obs,
    )


def _growth(returns: FloatArray, is_counted: BoolArray) -> FloatArray:
    """Return the product of 1 + r over the counted rows, at least 0."""
    factors = np.where(is_counted, np.maximum(1.0 + returns, 0.0), 1.0)
    growth: FloatArray = np.cumprod(factors, axis=0)[-1]  # its order does not depend on the batch
    return growth


def _capture(returns: FloatArray, market: FloatArray, is_counted: BoolArray) -> FloatArray:
    """Return the geometric mean return of the counted rows, divided by the market's on them."""
    count = is_counted.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        own, index = (
            _growth(values, is_counted) ** (1.0 / count) - 1.0 for values in (returns, market)
        )
    return divide_by_risk(own, np.where(count > 0, index, 0.0), minimum=MIN_SESSION_RISK)
