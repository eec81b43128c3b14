"""Correlation of holdings, and how far they diversify a portfolio."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.windows import is_constant


class Correlations(NamedTuple):
    """Correlations of N series and the sessions behind them, each of shape (N, N)."""

    correlation: FloatArray
    n_obs: IntArray


def pairwise_correlation(returns: FloatArray, *, min_obs: int) -> Correlations:
    r"""Correlate all pairs of series, each over the sessions on which both have a return.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns; NaN is missing.
    min_obs : int
        Minimum number of common sessions, at least 2.

    Returns
    -------
    Correlations
        In [-1, 1]; NaN with fewer than ``min_obs`` common sessions, or where one of the two does
        not move on them.

    Raises
    ------
    ValueError
        If ``returns`` have another shape, or ``min_obs`` is below 2.

    Notes
    -----
    The sums over the common sessions are products of the matrices of returns x (0 where missing),
    their squares and the mask k: :math:`x'x`, :math:`x'k`, :math:`(x^2)'k` and :math:`k'k`.

    Examples
    --------
    >>> returns = np.array([[0.01, -0.02], [0.03, -0.06], [-0.02, np.nan], [0.0, 0.0]])
    >>> found = pairwise_correlation(returns, min_obs=3)
    >>> found.correlation.round(4), found.n_obs
    (array([[ 1., -1.],
           [-1.,  1.]]), array([[4, 3],
           [3, 3]]))
    """
    if returns.ndim != 2 or min_obs < 2:
        raise ValueError(
            f"returns must be (T, N) and min_obs at least 2, not {returns.shape}, {min_obs}"
        )
    is_known = np.isfinite(returns)
    mask = is_known.astype(np.float64)
    values = np.where(is_known, returns, 0.0)
    mean = values.sum(axis=0) / np.maximum(mask.sum(axis=0), 1.0)
    values = np.where(is_known, values - mean, 0.0)
    n_obs, sums = mask.T @ mask, values.T @ mask
    products, squares = values.T @ values, (values * values).T @ mask
    with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
        covariance = products - sums * sums.T / n_obs
        variance = squares - sums * sums / n_obs
        is_flat = is_constant(variance, np.broadcast_to(mean[:, np.newaxis], n_obs.shape), n_obs)
        correlation = covariance / np.sqrt(variance * variance.T)
    is_defined = (n_obs >= min_obs) & ~is_flat & ~is_flat.T
    correlation = np.where(is_defined, np.clip(correlation, -1.0, 1.0), np.nan)
    np.fill_diagonal(correlation, np.where(is_defined.diagonal(), 1.0, np.nan))
    return Correlations(correlation, n_obs.astype(np.int64))


def first_component_share(correlation: FloatArray) -> float:
    """Return the share of the variance of standardized series that their first component explains.

    It is the largest eigenvalue of the (N, N) matrix over N: 1 / N if nothing is correlated, 1 if
    all move together. NaN if a correlation is.

    Examples
    --------
    >>> first_component_share(np.array([[1.0, 0.5], [0.5, 1.0]]))
    0.75
    """
    if not len(correlation) or np.isnan(correlation).any():
        return float("nan")
    return float(np.linalg.eigvalsh(correlation)[-1] / len(correlation))


def diversification_ratio(weight: FloatArray, volatility: FloatArray, of_portfolio: float) -> float:
    r"""Return the weighted mean volatility of holdings over the volatility of their portfolio.

    Parameters
    ----------
    weight, volatility : (I,) arrays
        Signed weights in equity, and volatilities; NaN is unknown.
    of_portfolio : float
        Volatility of the portfolio, in the same unit.

    Returns
    -------
    float
        :math:`\sum |w_i| \sigma_i / \sigma_P`; holdings with a volatility stand for the others. At
        least 1 without short positions; NaN without a volatility above 0.

    References
    ----------
    Choueifaty and Coignard (2008), Toward maximum diversification, Journal of Portfolio Management
    35(1).

    Examples
    --------
    Two uncorrelated halves have √2:

    >>> round(diversification_ratio(np.array([0.5, 0.5]), np.array([0.2, 0.2]), 0.02**0.5), 4)
    1.4142
    """
    size, is_known = np.abs(weight), np.isfinite(volatility) & np.isfinite(weight)
    covered = size[is_known].sum()
    if not (of_portfolio > 0.0 and covered > 0.0):
        return float("nan")
    mean = size[is_known] @ volatility[is_known] * (np.nansum(size) / covered)
    return float(mean / of_portfolio)
