"""Joint regression of return series on factors, and the guard against collinear factors.

A fit is of one window. Sums run over rows in a fixed order, element by element, so that a result
depends only on its own window and series, to the last bit.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import ROUNDING_PER_OBSERVATION, is_constant

MAX_VIF = 10.0
"""Largest variance inflation factor of a factor that is kept: 90 % of its variance explained.

Above it a standard error is more than three times that of uncorrelated factors.
"""

_MIN_UNEXPLAINED_SHARE = float(np.sqrt(np.finfo(np.float64).eps))
"""Minimum share of a factor's variance that the others must leave unexplained.

With less, half the digits of the exposures are lost.
"""

_BLOCK_SERIES = 64
"""Series per block, so that their products with the factors stay in a core's cache."""


class FactorSelection(NamedTuple):
    """The factors of a model, each of shape (K,)."""

    kept: BoolArray
    vif: FloatArray
    """Variance inflation factor: among the kept factors, or when the factor was dropped."""


class FactorFit(NamedTuple):
    """Fits of N series on K factors; contributions and volatility are annualized."""

    exposure: FloatArray
    """Coefficients, (K, N)."""
    std_error: FloatArray
    """Heteroskedasticity-consistent standard errors, (K, N)."""
    t_statistic: FloatArray
    """Exposure / standard error, (K, N); NaN where the standard error is 0."""
    component: FloatArray
    """Contributions of the factors to volatility, (K, N)."""
    specific: FloatArray
    """Contribution of the residual to volatility, (N,)."""
    volatility: FloatArray
    """Age-weighted volatility, (N,): the sum of all contributions."""
    r_squared: FloatArray
    n_obs: IntArray


class _Regressors(NamedTuple):
    """What fits on the same rows have in common."""

    weight: FloatArray
    """Weights, (T, 1)."""
    deviation: FloatArray
    """Factors less their weighted means, (T, K)."""
    squares: FloatArray
    """Weighted sums of the squared deviations, (K,)."""
    inverse: FloatArray
    """Inverse of the weighted cross products of the deviations, (K, K)."""
    divisor: float
    """Sum of weights, less one effective observation: weighted squares over it are variances."""


def age_weights(window: int, half_life: float) -> FloatArray:
    """Return weights of the rows of a window, (window,), oldest first; the newest has 1.

    Examples
    --------
    >>> age_weights(3, half_life=1)
    array([0.25, 0.5 , 1.  ])
    """
    return np.exp2(-np.arange(window - 1, -1, -1) / half_life)


def select_factors(
    factors: FloatArray, weights: FloatArray, *, min_obs: int, max_vif: float = MAX_VIF
) -> FactorSelection:
    r"""Drop factors that the others nearly replicate.

    Parameters
    ----------
    factors : (T, K) array
        Returns of the factors over one window, by precedence; NaN is missing.
    weights : (T,) array
        Weights of the rows.
    min_obs : int
        Minimum number of returns of a factor, more than K.
    max_vif : float
        Largest variance inflation factor of a kept factor.

    Returns
    -------
    FactorSelection
        A factor with too few returns, or constant, is not kept, and its ``vif`` is NaN. Nor is one
        that leaves fewer than ``min_obs`` common rows with the first factor and those that have
        more returns than it, or as many and are earlier. While a
        factor exceeds ``max_vif``, the one with the largest is dropped: the later one of equals,
        never the first factor. An exact linear combination has the factor infinity.

    Notes
    -----
    :math:`\mathrm{VIF}_k = 1 / (1 - R_k^2)`, with :math:`R_k^2` of the weighted regression of
    factor k on the others and an intercept: the diagonal of the inverse of their correlations.
    Rows count if all factors with enough common returns have one.

    References
    ----------
    Marquardt (1970), Generalized inverses, ridge regression, biased linear estimation, and
    nonlinear estimation, Technometrics 12(3).

    Examples
    --------
    The third factor is the sum of the other two, which are uncorrelated:

    >>> first, second = np.array([1.0, -1, 1, -1]), np.array([1.0, 1, -1, -1])
    >>> factors = np.column_stack([first, second, first + second])
    >>> found = select_factors(factors, np.ones(4), min_obs=4)
    >>> found.kept, found.vif
    (array([ True,  True, False]), array([ 1.,  1., inf]))
    """
    n_factors = factors.shape[1]
    kept, rows = _share_rows(np.isfinite(factors), min_obs)
    vif = np.full(n_factors, np.nan)
    if not kept.any():
        return FactorSelection(kept, vif)
    weight = weights[rows, np.newaxis]
    mean, deviation = _center(np.where(kept, factors[rows], 0.0), weight)
    squares = _sum_rows(weight * deviation**2)
    kept &= ~is_constant(squares, mean, np.full(n_factors, float(rows.sum())))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = deviation / np.sqrt(squares)
    correlation = _correlate(scaled, weight)
    while kept.any():
        inflation = _inflation(correlation[np.ix_(kept, kept)])
        vif[kept] = inflation
        at = np.flatnonzero(kept)
        if len(at) < 2 or not (inflation > max_vif).any():
            break
        largest = inflation[1:].max()
        dropped = at[1:][inflation[1:] == largest][-1]
        kept[dropped] = False
    return FactorSelection(kept, vif)


def _share_rows(is_known: BoolArray, min_obs: int) -> tuple[BoolArray, BoolArray]:
    """Return which factors have enough common rows, those with more returns first, and the rows."""
    kept, rows = np.zeros(is_known.shape[1], dtype=bool), np.ones(len(is_known), dtype=bool)
    by_returns = np.argsort(-is_known[:, 1:].sum(axis=0), kind="stable") + 1
    for factor in (0, *by_returns):
        common = rows & is_known[:, factor]
        if common.sum() >= min_obs:
            kept[factor], rows = True, common
    return kept, rows


def fit_factors(
    y: FloatArray, factors: FloatArray, weights: FloatArray, *, min_obs: int
) -> FactorFit:
    r"""Regress each column of ``y`` on all factors and an intercept, with weights.

    Parameters
    ----------
    y : (T, N) array
        One series per column, simple returns as fractions; NaN is missing.
    factors : (T, K) array
        Factors that `select_factors` kept, over the same rows.
    weights : (T,) array
        Positive weights of the rows.
    min_obs : int
        Minimum number of complete rows, at least K + 2.

    Returns
    -------
    FactorFit
        NaN with fewer than ``min_obs`` rows, or collinear factors. A constant series has exposures
        and contributions of 0, and no R². A perfect fit has standard errors of 0, and exposures
        within rounding of 0 are 0.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``min_obs`` is too small.

    Notes
    -----
    With weights w, deviations from weighted means, :math:`S = \sum w\, \delta x\, \delta x'`,
    :math:`s = \sum w\, \delta x\, \delta y`: exposures :math:`b = S^{-1} s`, residuals
    :math:`e = \delta y - b' \delta x`. Weights say how much a row counts, not how precise it is, so
    the errors are of the sandwich, :math:`\frac{n}{n - K - 1} \sum (w e\, S^{-1} \delta x)^2`
    (HC1). As :math:`\sum w\, \delta y^2 = b's + \sum w e^2`, contributions :math:`b_k s_k` and
    :math:`\sum w e^2`, over the volatility, add up to it. The divisor of variances is
    :math:`\sum w - \sum w^2 / \sum w`.

    References
    ----------
    MacKinnon and White (1985), Some heteroskedasticity-consistent covariance matrix estimators with
    improved finite sample properties, Journal of Econometrics 29(3).

    Examples
    --------
    >>> factors = np.array([[0.01, 0.0], [-0.01, 0.02], [0.02, 0.01], [0.0, -0.03], [0.01, 0.01]])
    >>> found = fit_factors(factors @ [[1.5], [-0.5]], factors, np.ones(5), min_obs=4)
    >>> found.exposure.ravel().round(9), found.r_squared.round(9)
    (array([ 1.5, -0.5]), array([1.]))
    """
    n_factors = factors.shape[1]
    if len(y) != len(factors) or weights.shape != (len(y),):
        raise ValueError(
            f"y, factors and weights need the same rows, not {len(y)}, {len(factors)} and"
            f" {len(weights)}"
        )
    if min_obs < n_factors + 2:
        raise ValueError(f"{n_factors} factors need min_obs >= {n_factors + 2}, not {min_obs}")
    complete = np.isfinite(y) & np.isfinite(factors).all(axis=1, keepdims=True)
    n_obs = complete.sum(axis=0)
    found = undefined_fit(n_factors, n_obs)
    for rows, columns in _groups_by_rows(complete):
        if n_obs[columns[0]] < min_obs:
            continue
        regressors = _regressors(factors[rows], weights[rows])
        if regressors is None:
            continue
        for first in range(0, len(columns), _BLOCK_SERIES):
            block = columns[first : first + _BLOCK_SERIES]
            part = _fit(y[np.ix_(rows, block)], regressors)
            for whole, values in zip(found, part, strict=True):
                whole[..., block] = values
    return found


def undefined_fit(n_factors: int, n_obs: IntArray) -> FactorFit:
    """Return fits of series with these numbers of rows, all undefined.

    Examples
    --------
    >>> undefined_fit(1, np.array([0])).exposure
    array([[nan]])
    """
    per_factor = [np.full((n_factors, len(n_obs)), np.nan) for _ in range(4)]
    per_series = [np.full(len(n_obs), np.nan) for _ in range(3)]
    return FactorFit._make((*per_factor, *per_series, n_obs))


def _groups_by_rows(complete: BoolArray) -> Iterator[tuple[BoolArray, IntArray]]:
    """Yield the distinct columns of ``complete`` (T, N), and which columns they are."""
    groups: dict[bytes, list[int]] = {}
    for column, packed in enumerate(np.packbits(complete, axis=0).T):
        groups.setdefault(packed.tobytes(), []).append(column)
    for columns in groups.values():
        yield complete[:, columns[0]], np.array(columns)


def _regressors(factors: FloatArray, weights: FloatArray) -> _Regressors | None:
    """Return what fits on complete rows need; None if the factors are constant or collinear."""
    weight = weights[:, np.newaxis]
    mean, deviation = _center(factors, weight)
    squares = _sum_rows(weight * deviation**2)
    if is_constant(squares, mean, np.full(len(mean), float(len(factors)))).any():
        return None
    scale = np.sqrt(squares)
    scaled = deviation / scale
    correlation = _correlate(scaled, weight)
    if not np.isfinite(_inflation(correlation)).all():
        return None
    inverse = np.linalg.inv(correlation) / scale / scale[:, np.newaxis]
    total = _sum_rows(weight)[0]
    divisor = total - _sum_rows(weight**2)[0] / total
    return _Regressors(weight, deviation, squares, inverse, divisor)


def _fit(y: FloatArray, regressors: _Regressors) -> FactorFit:
    """Fit series (T, N) without missing rows."""
    weight, deviation, squares, inverse, divisor = regressors
    n, n_factors = deviation.shape
    mean, dy = _center(y, weight)
    total = _sum_rows(weight * dy**2)
    constant = is_constant(total, mean, np.full(total.shape, float(n)))
    dy, total = np.where(constant, 0.0, dy), np.where(constant, 0.0, total)
    cross = _sum_rows((weight * deviation)[:, :, np.newaxis] * dy[:, np.newaxis])
    exposure = _multiply(inverse, cross)
    residual = dy - _multiply(deviation, exposure)
    unexplained = _sum_rows(weight * residual**2)
    perfect = unexplained <= total * n * ROUNDING_PER_OBSERVATION
    unexplained, residual = np.where(perfect, 0.0, unexplained), np.where(perfect, 0.0, residual)
    rounding = total * (n * ROUNDING_PER_OBSERVATION) ** 2
    is_rounding = perfect & (exposure**2 * squares[:, np.newaxis] <= rounding)
    exposure = np.where(is_rounding, 0.0, exposure)
    influence = _multiply(deviation, inverse)
    weighted = weight * residual
    variance = _sum_rows((influence[:, :, np.newaxis] * weighted[:, np.newaxis]) ** 2)
    std_error = np.sqrt(variance * n / (n - n_factors - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        volatility = np.sqrt(SESSIONS_PER_YEAR * total / divisor)
        per_volatility = np.where(volatility > 0, SESSIONS_PER_YEAR / divisor / volatility, 0.0)
        return FactorFit(
            exposure,
            std_error,
            np.where(std_error > 0, exposure / std_error, np.nan),
            exposure * cross * per_volatility,
            unexplained * per_volatility,
            volatility,
            1.0 - unexplained / total,
            np.full(total.shape, n),
        )


def _center(values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weighted means of columns, and the deviations from them."""
    mean = _sum_rows(weight * values) / _sum_rows(weight)
    return mean, values - mean


def _correlate(scaled: FloatArray, weight: FloatArray) -> FloatArray:
    """Return weighted cross products of columns, (K, K)."""
    return _sum_rows((weight * scaled)[:, :, np.newaxis] * scaled[:, np.newaxis])


def _inflation(correlation: FloatArray) -> FloatArray:
    """Return variance inflation factors; infinite for factors in a linear combination."""
    try:
        inflation: FloatArray = np.diag(np.linalg.inv(correlation))
    except np.linalg.LinAlgError:
        inflation = np.full(len(correlation), np.inf)
    if (inflation * _MIN_UNEXPLAINED_SHARE < 1.0).all() and (inflation > 0.5).all():
        return np.maximum(inflation, 1.0)  # rounding may end below
    unexplained = np.array(
        [
            1.0 - row @ np.linalg.pinv(others, hermitian=True) @ row
            for row, others in (
                (np.delete(correlation[k], k), np.delete(np.delete(correlation, k, 0), k, 1))
                for k in range(len(correlation))
            )
        ]
    )
    singular = unexplained < _MIN_UNEXPLAINED_SHARE
    return np.where(singular, np.inf, 1.0 / np.where(singular, 1.0, unexplained))


def _multiply(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the matrix product of (L, K) and (K, N), summed in the order of K."""
    total: FloatArray = left[:, [0]] * right[0]
    for k in range(1, len(right)):
        total = total + left[:, [k]] * right[k]
    return total


def _sum_rows(values: FloatArray) -> FloatArray:
    """Sum (T, N) over rows: halves are added until one row is left, whatever the columns."""
    while len(values) > 1:
        half = len(values) // 2
        folded = values[:half] + values[half : 2 * half]
        if len(values) % 2:
            folded[0] += values[-1]
        values = folded
    total: FloatArray = values[0]
    return total
