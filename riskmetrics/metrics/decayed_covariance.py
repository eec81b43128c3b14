"""Exponentially weighted, shrunk covariance: volatility of portfolios, and its contributions."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import is_constant

COVARIANCE_HALF_LIFE = 63
"""Age in sessions at which a session counts half.

`benchmarks.covariance_skill` scores the variance of random portfolios against that of the next 21
sessions: QLIKE is 35 % below that of 252 equally weighted sessions on 33 stocks of 2020 to 2024 (t
-3.2), and 19 % and 14 % below it on two other sets (t -1.7 and -1.3).
"""

_MIN_DISPERSION = 1e-12
"""Squared distance of covariance and target, as a share of the covariance, that is rounding."""

_SINGLE_THREAD_PRODUCTS, _MIN_ROWS_PER_PRODUCT = 2**18, 16
"""Multiplications up to which OpenBLAS uses one thread, and least rows of a product.

On a machine that is busy, threads for the products of 100 series take a hundred times as long.
"""


class Shrinkage(NamedTuple):
    """Shrinkage of a covariance matrix toward constant correlation."""

    intensity: float
    """Weight of the target, in [0, 1]."""
    mean_correlation: float
    """Correlation of all pairs in the target; 0 with fewer than two series that move."""
    variance: FloatArray
    """Variances, (I,), which shrinkage keeps."""


class DecayedRisk(NamedTuple):
    """Annualized risk contributions of holdings (I,), and figures of portfolios (P,)."""

    component: FloatArray
    marginal: FloatArray
    volatility: FloatArray
    shrinkage: FloatArray
    effective_observations: FloatArray


def shrink_to_constant_correlation(deviations: FloatArray) -> Shrinkage:
    r"""Estimate how far a covariance matrix is to be shrunk toward constant correlation.

    Parameters
    ----------
    deviations : (T, I) array
        Deviations x of I series from their means, oldest first, without missing values. The
        covariance matrix is :math:`S = X'X / T`.

    Returns
    -------
    Shrinkage
        The shrunk matrix is (1 - intensity) S + intensity F, where F has the variances of S and the
        mean correlation of all pairs. A series that does not move is left out of the mean.

    Notes
    -----
    The optimal intensity under quadratic loss is :math:`\hat\kappa / T`, limited to [0, 1], with
    :math:`\hat\kappa = (\hat\pi - \hat\rho) / \hat\gamma` of the appendix of the paper: the sum
    of the asymptotic variances of S, that of the covariances of S and F, and the squared distance
    of F from S. Only :math:`\lVert S \rVert^2` needs a product of matrices; the other double sums
    are squares of sums.

    References
    ----------
    Ledoit and Wolf (2004), Honey, I shrunk the sample covariance matrix, Journal of Portfolio
    Management 30(4).

    Examples
    --------
    Two series have one correlation, and nothing to shrink:

    >>> found = shrink_to_constant_correlation(np.array([[1.0, 2.0], [-1.0, 1.0], [0.0, -3.0]]))
    >>> found.intensity, round(found.mean_correlation, 4)
    (0.0, 0.189)
    """
    n_obs, n_series = deviations.shape
    variance = np.einsum("ti,ti->i", deviations, deviations) / n_obs
    deviation = np.sqrt(variance)
    is_moving = variance > 0.0
    inverse = np.divide(1.0, deviation, out=np.zeros(n_series), where=is_moving)
    n_moving = int(is_moving.sum())
    if n_moving < 2:
        return Shrinkage(0.0, 0.0, variance)
    pairs = n_moving * (n_moving - 1)
    mean = float((np.square(deviations @ inverse).mean() - n_moving) / pairs)
    norm = _squared_norm(deviations)
    squares = np.square(variance).sum()
    product = float(np.square(deviations @ deviation).mean())
    distance = (
        (norm - squares)
        - 2.0 * mean * (product - squares)
        + mean**2 * (variance.sum() ** 2 - squares)
    )
    if not distance > _MIN_DISPERSION * norm:
        return Shrinkage(0.0, mean, variance)
    cubes = deviations * deviations * deviations
    own = float((cubes * deviations).sum()) / n_obs - squares
    sum_of_variances = float(np.square(np.square(deviations).sum(axis=1)).mean()) - norm
    crossed = float(((cubes @ inverse) * (deviations @ deviation)).mean()) - product
    sum_of_covariances = own + mean * (crossed - own)
    kappa = (sum_of_variances - sum_of_covariances) / distance
    return Shrinkage(float(np.clip(kappa / n_obs, 0.0, 1.0)), mean, variance)


def _squared_norm(deviations: FloatArray) -> float:
    """Return the sum of the squares of a covariance matrix."""
    n_obs, n_series = deviations.shape
    if n_series > n_obs:  # the sessions' products have the same norm, and there are fewer
        deviations = np.ascontiguousarray(deviations.T)
    size = deviations.shape[1]
    total = np.zeros((size, size))
    rows = max(_MIN_ROWS_PER_PRODUCT, _SINGLE_THREAD_PRODUCTS // size**2)
    for first in range(0, len(deviations), rows):
        block = deviations[first : first + rows]
        total += block.T @ block
    return float(np.square(total).sum() / n_obs**2)


def decayed_risk_contributions(
    series: FloatArray,
    coverage: FloatArray,
    returns: FloatArray,
    weight: FloatArray,
    *,
    column: IntArray,
    portfolio: IntArray,
    half_life: float = COVARIANCE_HALF_LIFE,
    min_obs: int,
) -> DecayedRisk:
    r"""Split the volatility by the exponentially weighted, shrunk covariance by holding.

    Parameters
    ----------
    series, coverage, returns, weight, column, portfolio
        As in `contributions.risk_contributions`; a holding with a weight of NaN is left out.
    half_life : float
        Age in sessions at which a session counts half.
    min_obs : int
        Minimum number of sessions with a portfolio return, at least 2.

    Returns
    -------
    DecayedRisk
        ``component`` sums over the holdings of a portfolio to its ``volatility``; it is weight x
        ``marginal``. ``shrinkage`` is the intensity, ``effective_observations`` is
        :math:`(\sum \omega)^2 / \sum \omega^2`. NaN for portfolios with fewer than ``min_obs``
        sessions, and for the contributions of holdings without returns, and where the volatility is
        0.

    Notes
    -----
    With weights :math:`\omega_k \propto 2^{-k/h}`, k the age, and a holding's part of the portfolio
    return :math:`c_{it} = r_{it} / \text{coverage}_t`, 0 where its return is missing, the
    covariance S is :math:`\sum_t \omega_t \tilde c_t \tilde c_t'` of the deviations from the
    weighted means. It is shrunk by `shrink_to_constant_correlation` of
    :math:`\sqrt{T \omega_t}\,\tilde c_t`, whose covariance it is.

    References
    ----------
    Ledoit and Wolf (2004), Honey, I shrunk the sample covariance matrix, Journal of Portfolio
    Management 30(4). J.P. Morgan (1996), RiskMetrics technical document, 4th edition.

    Examples
    --------
    Two equal holdings that move alike have half of the risk each:

    >>> returns = np.array([[0.01], [-0.01], [0.02], [-0.02]])
    >>> found = decayed_risk_contributions(
    ...     returns,
    ...     np.ones((4, 1)),
    ...     np.hstack([returns, returns]),
    ...     np.array([0.5, 0.5]),
    ...     column=np.array([0, 1]),
    ...     portfolio=np.array([0, 0]),
    ...     half_life=1e9,
    ...     min_obs=2,
    ... )
    >>> found.component.round(4), found.volatility.round(4)
    (array([0.1255, 0.1255]), array([0.251]))
    """
    n_portfolios = series.shape[1]
    marginal = np.full(len(weight), np.nan)
    volatility, shrinkage, effective = (np.full(n_portfolios, np.nan) for _ in range(3))
    counted = np.isfinite(series)
    has_returns = np.isfinite(returns)
    is_held = (column >= 0) & np.isfinite(weight)
    # a fixed order of columns: sums must not depend on other holdings of the run
    order = np.lexsort((column, portfolio))
    first = np.searchsorted(portfolio[order], np.arange(n_portfolios + 1))
    decay = 0.5 ** (np.arange(len(series))[::-1] / half_life)
    for number in np.flatnonzero(counted.sum(axis=0) >= min_obs):
        mine = order[first[number] : first[number + 1]]
        mine, rows = mine[is_held[mine]], np.flatnonzero(counted[:, number])
        cells = np.ix_(rows, column[mine])
        known = has_returns[cells]
        parts = np.where(known, returns[cells], 0.0) / coverage[rows, number][:, np.newaxis]
        risk = _decayed_risk(parts, weight[mine], decay[rows])
        volatility[number], shrinkage[number], effective[number] = risk[1:]
        marginal[mine] = np.where(known.any(axis=0), risk[0], np.nan)
    return DecayedRisk(weight * marginal, marginal, volatility, shrinkage, effective)


def _decayed_risk(
    parts: FloatArray, weight: FloatArray, decay: FloatArray
) -> tuple[FloatArray, float, float, float]:
    """Return marginal contributions, volatility, shrinkage and effective observations."""
    share = decay / decay.sum()
    effective = float(1.0 / np.square(share).sum())
    mean, scale = share @ parts, np.sqrt(len(share) * share)[:, np.newaxis]
    deviations = (parts - mean) * scale
    squares, n_obs = np.einsum("ti,ti->i", deviations, deviations), np.full_like(mean, len(share))
    deviations[:, is_constant(squares, mean, n_obs)] = 0.0
    found = shrink_to_constant_correlation(deviations)
    deviation = np.sqrt(found.variance)
    sampled = (deviations @ weight) @ deviations / len(share)
    target = found.variance * weight + found.mean_correlation * (
        deviation * (deviation @ weight) - found.variance * weight
    )
    slope = (1.0 - found.intensity) * sampled + found.intensity * target
    volatility = float(np.sqrt(max(slope @ weight, 0.0) * SESSIONS_PER_YEAR))
    with np.errstate(divide="ignore", invalid="ignore"):
        marginal = np.where(volatility > 0.0, slope * SESSIONS_PER_YEAR / volatility, np.nan)
    return marginal, volatility, found.intensity, effective
