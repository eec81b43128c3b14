"""Active contributions: what each holding adds to the tracking error of its portfolio."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.active_risk import active_returns, decay_weights
from riskmetrics.metrics.contributions import sum_return_times_slope
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import window_sums


class ActiveContributions(NamedTuple):
    """Annualized contributions to the expected tracking error, as fractions."""

    component: FloatArray
    """Of holdings, (I,)."""
    cash: FloatArray
    """Of the difference between the exposure of a portfolio and its equity, (P,)."""


def active_contributions(
    series: FloatArray,
    coverage: FloatArray,
    returns: FloatArray,
    market: FloatArray,
    weight: FloatArray,
    *,
    column: IntArray,
    portfolio: IntArray,
    min_obs: int,
) -> ActiveContributions:
    r"""Split the expected tracking error of each portfolio into contributions.

    Parameters
    ----------
    series, coverage, returns, weight, column, portfolio
        As in `contributions.risk_contributions`.
    market : (T,) array
        Returns of the market index.
    min_obs : int
        Minimum number of days with a return of the portfolio and of the market, at least 2.

    Returns
    -------
    ActiveContributions
        ``component`` and ``cash`` of a portfolio sum to
        `active_risk.expected_active_risk`'s expected tracking error. NaN for portfolios with fewer
        than ``min_obs`` days or without active risk; ``component`` also for holdings without a
        return on any of the days, which are left out of the sum.

    Raises
    ------
    ValueError
        If ``min_obs`` is out of range.

    Notes
    -----
    An active return is split as :math:`a_t = \sum_i w_i (r_{it} - m_t) / \text{coverage}_t + (n_t -
    1) m_t`, with the net exposure :math:`n_t` of the holdings that have a return: a holding is
    measured against the index, so that a fund of the index contributes nothing, and cash or
    leverage is the last term. Weights of the index in its members do not matter, because their
    active returns sum to 0. A component is :math:`252\,cov(x_i, a) / TE` with decaying weights.

    References
    ----------
    Menchero and Hu (2006), Portfolio risk attribution, Journal of Performance Measurement 10(3).
    Litterman (1996), Hot spots and hedges, Journal of Portfolio Management 22(5).

    Examples
    --------
    Half in the index, half in cash: all active risk is that of cash.

    >>> market = np.array([0.01, -0.01, 0.02, -0.02])
    >>> found = active_contributions(
    ...     0.5 * market[:, np.newaxis],
    ...     np.ones((4, 1)),
    ...     market[:, np.newaxis],
    ...     market,
    ...     np.array([0.5]),
    ...     column=np.array([0]),
    ...     portfolio=np.array([0]),
    ...     min_obs=2,
    ... )
    >>> found.component, found.cash.round(4)
    (array([0.]), array([0.1454]))
    """
    active = active_returns(series, market)
    slope, tracking_error = _slopes(active, min_obs)
    counted = np.isfinite(active)
    covered = np.where(counted, slope / np.where(counted, coverage, 1.0), 0.0)
    covered[:, np.isnan(tracking_error)] = np.nan
    held = np.flatnonzero(column >= 0)
    total, days = sum_return_times_slope(
        returns - market[:, np.newaxis], covered, counted, column[held], portfolio[held]
    )
    component = np.full(len(weight), np.nan)
    component[held] = np.where(days > 0, total, np.nan)
    component *= weight
    of_holdings = np.zeros(series.shape[1])
    np.add.at(of_holdings, portfolio, np.nan_to_num(component))
    return ActiveContributions(component, tracking_error - of_holdings)


def _slopes(active: FloatArray, min_obs: int) -> tuple[FloatArray, FloatArray]:
    """Return the derivative of the tracking error by each active return, (T, P), and it, (P,)."""
    weight, _ = decay_weights(active, min_obs=min_obs)
    window = len(active)
    known = np.where(np.isfinite(active), active, 0.0)
    total, squares = (window_sums(values, window)[0] for values in (weight, weight**2))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = known - window_sums(known * weight, window)[0] / total
        degrees = total - squares / total
        variance = window_sums(weight * deviation**2, window)[0] / degrees
        tracking_error = np.sqrt(SESSIONS_PER_YEAR * np.where(variance > 0.0, variance, np.nan))
        return SESSIONS_PER_YEAR * weight * deviation / degrees / tracking_error, tracking_error
