"""Rolling ordinary least squares of many series on two regressors.

As in `regression`, fits are sums over windows, element by element. Each window is regressed on both
regressors and an intercept, so that a rate beta does not contain the market's effect.
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

_MIN_UNEXPLAINED_SHARE = float(np.sqrt(np.finfo(np.float64).eps))
"""Minimum share of a regressor's variance that the other must leave unexplained.

With less, half the digits of the betas are lost.
"""


class TwoFactorOLS(NamedTuple):
    """Fits of ``y = alpha + beta_1 x1 + beta_2 x2`` per window and series, each of shape (D, N)."""

    beta_1: FloatArray
    beta_2: FloatArray
    alpha: FloatArray
    r_squared: FloatArray
    std_error_1: FloatArray
    std_error_2: FloatArray
    p_value_1: FloatArray
    p_value_2: FloatArray
    n_obs: IntArray


class _Moments(NamedTuple):
    """Sums over the complete rows of each window.

    Sums without y have one column if all series of a block share their dates.
    """

    n: FloatArray
    mean_1: FloatArray
    mean_2: FloatArray
    mean_y: FloatArray
    s11: FloatArray
    s12: FloatArray
    s22: FloatArray
    s1y: FloatArray
    s2y: FloatArray
    syy: FloatArray


def rolling_two_factor(
    y: FloatArray, x1: FloatArray, x2: FloatArray, *, window: int, min_obs: int
) -> TwoFactorOLS:
    r"""Regress each column of ``y`` on ``x1`` and ``x2``, with an intercept, over rolling windows.

    Parameters
    ----------
    y : (T, N) array
        One series per column, for instance simple returns as fractions.
    x1, x2 : (T,) arrays
        The regressors over the same periods.
    window : int
        Rows per window, at most T.
    min_obs : int
        Minimum number of complete rows: at least 4, at most ``window``.

    Returns
    -------
    TwoFactorOLS
        Arrays of shape (D, N) with D = T - window + 1; row d is the window that ends at row d +
        window - 1. Betas are in units of y per their regressor, the other held fixed; standard
        errors are the classical ones (n - 3 degrees of freedom), p-values two-sided for a beta of
        0, ``r_squared`` in [0, 1]. Estimates are not capped.

    Raises
    ------
    ValueError
        If the shapes do not match, or ``window`` or ``min_obs`` is out of range.

    Notes
    -----
    A row is complete if all three values are finite; NaN and infinities are missing, never filled.
    With fewer than ``min_obs`` rows, a constant regressor, or collinear regressors, all but
    ``n_obs`` is NaN. Where y is constant, betas and their standard errors are 0, alpha is the
    constant, R² and p are NaN. A perfect fit has standard errors 0 and p 0; a beta in it within
    rounding of 0 is 0, with p 1.

    The second beta is that of y on the residual of :math:`x_2` on :math:`x_1` (Frisch and Waugh),
    from two passes per window: means, then products of deviations from them, summed in the same
    order for every window. A result depends only on its own window and series, to the last bit.

    References
    ----------
    Frisch and Waugh (1933), Partial time regressions as compared with individual trends,
    Econometrica 1(4).

    Examples
    --------
    Five points of the plane y = 1 + 2 x₁ - 3 x₂:

    >>> x1, x2 = np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 0, 2, 1, 5])
    >>> y = 1 + 2 * x1 - 3 * x2
    >>> fit = rolling_two_factor(y[:, np.newaxis], x1, x2, window=5, min_obs=4)
    >>> [round(float(values[0, 0]), 9) for values in (fit.beta_1, fit.beta_2, fit.alpha)]
    [2.0, -3.0, 1.0]
    """
    _require_arguments(y, x1, x2, window, min_obs)
    n_dates, n_series = len(x1) - window + 1, y.shape[1]
    result = TwoFactorOLS._make(
        np.empty((n_dates, n_series), np.int64 if name == "n_obs" else np.float64)
        for name in TwoFactorOLS._fields
    )
    x1, x2 = x1[:, np.newaxis], x2[:, np.newaxis]
    for block, rows in iterate_blocks(n_dates, n_series, window):
        with np.errstate(divide="ignore", invalid="ignore"):  # undefined is NaN
            fit = _fit(_moments(y[rows, block[1]], x1[rows], x2[rows], window), min_obs)
        for whole, part in zip(result, fit, strict=True):
            whole[block] = part
    return result


def _require_arguments(
    y: FloatArray, x1: FloatArray, x2: FloatArray, window: int, min_obs: int
) -> None:
    """Raise a ValueError if shapes do not match, or window or min_obs is out of range."""
    if y.ndim != 2 or not x1.shape == x2.shape == y.shape[:1]:
        raise ValueError(
            f"y must be (T, N), x1 and x2 (T,) over the same periods, not {y.shape}, {x1.shape} and"
            f" {x2.shape}"
        )
    if not 4 <= min_obs <= window <= len(x1):
        raise ValueError(
            f"4 <= min_obs <= window <= periods required, not {min_obs}, {window}, {len(x1)}"
        )


def _moments(y: FloatArray, x1: FloatArray, x2: FloatArray, window: int) -> _Moments:
    """Sum complete rows in each window of ``y`` (T, C), ``x1`` and ``x2`` (T, 1), in two passes."""
    complete = np.isfinite(y) & np.isfinite(x1) & np.isfinite(x2)
    if (complete == complete[:, :1]).all():
        complete = complete[:, :1]  # the moments of x are the same for every series
    y, x1, x2 = (np.where(complete, values, 0.0) for values in (y, x1, x2))
    weight = complete.astype(np.float64)
    n = window_sums(weight, window)
    mean_1, mean_2, mean_y = (window_sums(values, window) / n for values in (x1, x2, y))
    s11, s12, s22 = (np.zeros_like(mean_1) for _ in range(3))
    s1y, s2y, syy = (np.zeros_like(mean_y) for _ in range(3))
    for rows in iterate_rows(len(n), y.shape[1], window):
        d1, d2, dy = (
            (values[rows] - mean) * weight[rows]
            for values, mean in ((x1, mean_1), (x2, mean_2), (y, mean_y))
        )
        for total, left, right in (
            (s11, d1, d1),
            (s12, d1, d2),
            (s22, d2, d2),
            (s1y, d1, dy),
            (s2y, d2, dy),
            (syy, dy, dy),
        ):
            add_rows(total, left * right)
    return _Moments(n, mean_1, mean_2, mean_y, s11, s12, s22, s1y, s2y, syy)


def _fit(moments: _Moments, min_obs: int) -> TwoFactorOLS:
    """Estimate from the moments of each window; NaN where the regressors are collinear."""
    from scipy.special import stdtr  # slow to import

    n, mean_1, mean_2, mean_y, s11, s12, s22, s1y, s2y, syy = moments
    tolerance = 1.0 - s12 * (s12 / (s11 * s22))  # 1 - squared correlation of the regressors
    undetermined = (
        (n < min_obs)
        | is_constant(s11, mean_1, n)
        | is_constant(s22, mean_2, n)
        | ~(tolerance > _MIN_UNEXPLAINED_SHARE)
    )
    tolerance = np.where(undetermined, np.nan, tolerance)
    s1y, s2y, syy = (
        np.where(is_constant(syy, mean_y, n), 0.0, moment) for moment in (s1y, s2y, syy)
    )
    residual_22, residual_2y = s22 * tolerance, s2y - s12 * (s1y / s11)
    beta_2 = residual_2y / residual_22
    beta_1 = (s1y - s12 * beta_2) / s11
    rounding = syy * (n * ROUNDING_PER_OBSERVATION) ** 2
    beta_1, beta_2 = (
        np.where(beta**2 * squares <= rounding, 0.0 * beta, beta)
        for beta, squares in ((beta_1, s11), (beta_2, residual_22))
    )
    r_squared = np.minimum((s1y * (s1y / s11) + residual_2y * beta_2) / syy, 1.0)
    unexplained = 1.0 - r_squared
    # 0 where y is constant too, because its R² is 0/0
    residual = np.where(unexplained > n * ROUNDING_PER_OBSERVATION, unexplained, 0.0)
    variance = syy * residual / (n - 3)
    std_error_1 = np.sqrt(variance / (s11 * tolerance))
    std_error_2 = np.sqrt(variance / residual_22)
    t_statistics = (
        np.where((beta == 0.0) & (syy > 0.0), 0.0, beta / error)
        for beta, error in ((beta_1, std_error_1), (beta_2, std_error_2))
    )
    p_value_1, p_value_2 = (2.0 * stdtr(n - 3, -np.abs(t)) for t in t_statistics)
    alpha = mean_y - beta_1 * mean_1 - beta_2 * mean_2
    n_obs = np.broadcast_to(n, beta_1.shape).astype(np.int64)
    return TwoFactorOLS(
        beta_1, beta_2, alpha, r_squared, std_error_1, std_error_2, p_value_1, p_value_2, n_obs
    )
