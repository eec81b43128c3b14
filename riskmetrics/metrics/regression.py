"""Rolling ordinary least squares of many series on one regressor.

A year of 5,000 symbols is 1.26 million regressions. They are computed as sums over windows, element
by element, not as a loop of fits.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.windows import (
    ROUNDING_PER_OBSERVATION,
    add_rows,
    is_constant,
    iterate_blocks,
    iterate_rows,
    window_sums,
)


class OLS(NamedTuple):
    """Fits of ``y = alpha + beta x`` per window and series, each of shape (D, N)."""

    beta: FloatArray
    alpha: FloatArray
    r_squared: FloatArray
    std_error: FloatArray
    p_value: FloatArray
    n_obs: IntArray


class _Moments(NamedTuple):
    """Sums over the pairs of each window.

    ``n``, ``mean_x`` and ``sxx`` have one column if all series of a block share their dates.
    """

    n: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    sxx: FloatArray
    sxy: FloatArray
    syy: FloatArray


def rolling_ols(y: FloatArray, x: FloatArray, *, window: int, min_obs: int) -> OLS:
    r"""Regress each column of ``y`` on ``x``, with an intercept, over rolling windows.

    Parameters
    ----------
    y : (T, N) array
        One series per column, for instance simple returns as fractions.
    x : (T,) array
        The regressor over the same periods.
    window : int
        Rows per window, at most T.
    min_obs : int
        Minimum number of pairs: at least 3, at most ``window``.

    Returns
    -------
    OLS
        Arrays of shape (D, N) with D = T - window + 1; row d is the window that ends at row d +
        window - 1. ``beta`` is in units of y per x, ``alpha`` in units of y per period,
        ``std_error`` is the classical one of beta (n - 2 degrees of freedom), ``p_value`` two-sided
        for beta = 0, ``r_squared`` in [0, 1]. Estimates are not capped.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``window`` or ``min_obs`` is out of range.

    Notes
    -----
    Pairs are rows of the window where both values are finite; NaN and infinities are missing, never
    filled. With fewer than ``min_obs`` pairs, or where x is constant, all but ``n_obs`` is NaN.
    Where y is constant, beta and its standard error are 0, alpha is the constant, R² and p are NaN.
    A perfect fit has standard error 0 and p 0.

    Two passes per window (means, then :math:`S_{xx}, S_{xy}, S_{yy}` of deviations from them),
    summed in the same order for every window: a result depends only on its own window and series,
    to the last bit.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, The American
    Statistician 37(3).

    Examples
    --------
    The first data set of Anscombe (1973), with beta 0.500, alpha 3.00, R² 0.67, standard error
    0.118 and p 0.00217:

    >>> x = np.array([10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5])
    >>> y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    >>> fit = rolling_ols(y[:, np.newaxis], x, window=11, min_obs=3)
    >>> [round(float(values[0, 0]), 5) for values in fit]
    [0.50009, 3.00009, 0.66654, 0.11791, 0.00217, 11.0]
    """
    _require_arguments(y, x, window, min_obs)
    n_dates, n_series = len(x) - window + 1, y.shape[1]
    result = OLS._make(
        np.empty((n_dates, n_series), np.int64 if name == "n_obs" else np.float64)
        for name in OLS._fields
    )
    for block, rows in iterate_blocks(n_dates, n_series, window):
        with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
            fit = _fit(_moments(y[rows, block[1]], x[rows, np.newaxis], window), min_obs)
        for whole, part in zip(result, fit, strict=True):
            whole[block] = part
    return result


def _require_arguments(y: FloatArray, x: FloatArray, window: int, min_obs: int) -> None:
    """Raise a ValueError if shapes do not match, or window or min_obs is out of range."""
    if y.ndim != 2 or x.shape != y.shape[:1]:
        raise ValueError(
            f"y must be (T, N) and x (T,) over the same periods, not {y.shape} and {x.shape}"
        )
    if not 3 <= min_obs <= window <= len(x):
        raise ValueError(
            f"3 <= min_obs <= window <= periods required, not {min_obs}, {window}, {len(x)}"
        )


def _moments(y: FloatArray, x: FloatArray, window: int) -> _Moments:
    """Sum the pairs in each window of ``y`` (T, C) and ``x`` (T, 1), in two passes."""
    is_paired = np.isfinite(y) & np.isfinite(x)
    if (is_paired == is_paired[:, :1]).all():
        is_paired = is_paired[:, :1]  # the moments of x are the same for every series
    y, x, weight = (
        np.where(is_paired, y, 0.0),
        np.where(is_paired, x, 0.0),
        is_paired.astype(np.float64),
    )
    n = window_sums(weight, window)
    mean_x, mean_y = window_sums(x, window) / n, window_sums(y, window) / n
    sxx, sxy, syy = np.zeros_like(mean_x), np.zeros_like(mean_y), np.zeros_like(mean_y)
    for rows in iterate_rows(len(n), y.shape[1], window):
        dx, dy = x[rows] - mean_x, y[rows] - mean_y
        dx *= weight[rows]
        dy *= weight[rows]
        add_rows(sxy, dx * dy)
        add_rows(sxx, np.multiply(dx, dx, out=dx))
        add_rows(syy, np.multiply(dy, dy, out=dy))
    return _Moments(n, mean_x, mean_y, sxx, sxy, syy)


def _fit(moments: _Moments, min_obs: int) -> OLS:
    """Estimate from the moments of each window; NaN with too few pairs or a constant x."""
    from scipy.special import stdtr  # slow to import

    n, mean_x, mean_y, sxx, sxy, syy = moments
    sxx = np.where((n < min_obs) | is_constant(sxx, mean_x, n), np.nan, sxx)
    constant = is_constant(syy, mean_y, n)
    sxy, syy = np.where(constant, 0.0, sxy), np.where(constant, 0.0, syy)
    beta = sxy / sxx
    r_squared = np.minimum(beta * (sxy / syy), 1.0)
    unexplained = 1.0 - r_squared
    # 0 where y is constant too, because its R² is 0/0
    residual = np.where(unexplained > n * ROUNDING_PER_OBSERVATION, unexplained, 0.0)
    std_error = np.sqrt(syy / sxx * residual / (n - 2))
    p_value = 2.0 * stdtr(n - 2, -np.abs(beta / std_error))
    n_obs = np.broadcast_to(n, beta.shape).astype(np.int64)
    return OLS(beta, mean_y - beta * mean_x, r_squared, std_error, p_value, n_obs)
