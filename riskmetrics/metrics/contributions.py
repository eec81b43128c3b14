"""Risk contributions: what each holding adds to the volatility of its portfolio."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR, realized_volatility
from riskmetrics.metrics.windows import window_means

_BLOCK_HOLDINGS = 256
"""Holdings per block, so that a year of their returns fits in a core's cache."""


class RiskContributions(NamedTuple):
    """Annualized risk contributions of holdings (I,) and the `volatility` of portfolios (P,).

    Fractions, except for `n_obs`.
    """

    component: FloatArray
    marginal: FloatArray
    n_obs: IntArray
    volatility: FloatArray


def risk_contributions(
    series: FloatArray,
    coverage: FloatArray,
    returns: FloatArray,
    weight: FloatArray,
    *,
    column: IntArray,
    portfolio: IntArray,
    min_obs: int,
) -> RiskContributions:
    r"""Split the volatility of each portfolio into the contributions of its holdings.

    Parameters
    ----------
    series, coverage : (T, P) arrays
        The portfolios' returns R (weight x return / coverage, summed over the holdings with a
        return; NaN on days that are left out), and the coverage: the share of gross exposure of
        those holdings.
    returns : (T, S) array
        Simple returns of the symbols over the same days; NaN is missing.
    weight : (I,) array
        Signed weight of each holding in equity, as it entered ``series``.
    column, portfolio : (I,) arrays
        Each holding's column of ``returns``, -1 if it has none, and of ``series``.
    min_obs : int
        Minimum number of days with a portfolio return, at least 2.

    Returns
    -------
    RiskContributions
        ``component`` sums over the holdings of a portfolio to its ``volatility``; it is weight x
        ``marginal``, the volatility that one more unit of weight adds. ``n_obs`` counts the days
        on which the portfolio and the holding have a return; if there are none, both are NaN and
        the holding is left out of the sum. NaN for portfolios with fewer than ``min_obs`` days,
        and for contributions where R is constant.

    Raises
    ------
    ValueError
        If the shapes do not match.

    Notes
    -----
    A holding's part of R is :math:`c_{it} = w_i r_{it} / \text{coverage}_t`, 0 where its return is
    missing, because the others are scaled up for it. The components
    :math:`\mathrm{cov}(c_i, R) / \mathrm{sd}(R)` therefore add up; with complete data they are
    :math:`w_i` times those of :math:`r_i`.

    References
    ----------
    Litterman (1996), Hot spots and hedges, Journal of Portfolio Management 22(5).

    Examples
    --------
    A holding of 60 % that moves, and one of 40 % that does not:

    >>> returns = np.array([[0.01, 0.0], [-0.01, 0.0], [0.01, 0.0], [-0.01, 0.0]])
    >>> weight = np.array([0.6, 0.4])
    >>> found = risk_contributions(
    ...     (returns @ weight)[:, np.newaxis],
    ...     np.ones((4, 1)),
    ...     returns,
    ...     weight,
    ...     column=np.array([0, 1]),
    ...     portfolio=np.array([0, 0]),
    ...     min_obs=2,
    ... )
    >>> found.component.round(5), found.marginal.round(5), found.volatility.round(5)
    (array([0.10998, 0.     ]), array([0.1833, 0.    ]), array([0.10998]))
    """
    _require_shapes((series, coverage, returns), (weight, column, portfolio), min_obs)
    volatility, slope = _volatility_and_slopes(series, coverage, min_obs)
    marginal, n_obs = _compute_marginal_contributions(
        returns, slope, np.isfinite(series), column, portfolio
    )
    return RiskContributions(weight * marginal, marginal, n_obs, volatility)


def _compute_marginal_contributions(
    returns: FloatArray,
    slope: FloatArray,
    counted: BoolArray,
    column: IntArray,
    portfolio: IntArray,
) -> tuple[FloatArray, IntArray]:
    """Return each holding's marginal contribution, (I,), NaN without returns, and its days."""
    held = np.flatnonzero(column >= 0)
    total, days = sum_return_times_slope(returns, slope, counted, column[held], portfolio[held])
    marginal, n_obs = np.full(len(column), np.nan), np.zeros(len(column), np.int64)
    marginal[held], n_obs[held] = np.where(days > 0, total, np.nan), days
    return marginal, n_obs


def sum_return_times_slope(
    returns: FloatArray,
    slope: FloatArray,
    counted: BoolArray,
    column: IntArray,
    portfolio: IntArray,
) -> tuple[FloatArray, IntArray]:
    """Sum each holding's returns times its portfolio's slopes, (I,), and the summed days.

    ``returns`` are (T, S), ``slope`` and ``counted``, the days in the sum, (T, P).

    Examples
    --------
    >>> returns, slope = np.array([[0.01], [np.nan], [0.02]]), np.array([[1.0], [1.0], [2.0]])
    >>> first = np.array([0])
    >>> sum_return_times_slope(returns, slope, np.full((3, 1), True), first, first)
    (array([0.05]), array([2]))
    """
    known = np.isfinite(returns)
    symbols = np.ascontiguousarray(np.where(known, returns, 0.0).T)
    is_known = np.ascontiguousarray(known.T)
    slopes, counts = np.ascontiguousarray(slope.T), np.ascontiguousarray(counted.T)
    total, days = np.zeros(len(column)), np.zeros(len(column), np.int64)
    for first in range(0, len(column), _BLOCK_HOLDINGS):
        block = slice(first, first + _BLOCK_HOLDINGS)
        total[block] = np.einsum("ij,ij->i", symbols[column[block]], slopes[portfolio[block]])
        days[block] = np.count_nonzero(is_known[column[block]] & counts[portfolio[block]], axis=1)
    return total, days


def _volatility_and_slopes(
    series: FloatArray, coverage: FloatArray, min_obs: int
) -> tuple[FloatArray, FloatArray]:
    """Return annualized volatility (P,) and its derivative by each day's covered return, (T, P).

    The derivative is 0 on days that are left out.
    """
    counted = np.isfinite(series)
    mean, n_obs = (values[0] for values in window_means(series, len(series), min_obs=min_obs))
    volatility = realized_volatility(series, window=len(series), min_obs=min_obs).volatility[0]
    nonzero_volatility = np.where(volatility > 0.0, volatility, np.nan)
    slope = (series - mean) * SESSIONS_PER_YEAR / (nonzero_volatility * np.maximum(n_obs - 1, 1))
    return volatility, np.where(counted, slope / np.where(counted, coverage, 1.0), 0.0)


def _require_shapes(
    panels: tuple[FloatArray, ...], holdings: tuple[FloatArray | IntArray, ...], min_obs: int
) -> None:
    """Raise a ValueError if panels do not share their days, or arrays of holdings their length."""
    series, coverage, returns = panels
    if (
        series.shape != coverage.shape
        or len(series) != len(returns)
        or not 2 <= min_obs <= len(series)
    ):
        shapes = f"{series.shape}, {coverage.shape}, {returns.shape} and {min_obs}"
        raise ValueError(
            "series and coverage must be (T, P) and returns (T, S), with 2 <= min_obs <= T, not"
            f" {shapes}"
        )
    weight, column, portfolio = (array.shape for array in holdings)
    if not weight == column == portfolio:
        raise ValueError(
            f"weights and their indices must be (I,), not {weight}, {column} and {portfolio}"
        )
