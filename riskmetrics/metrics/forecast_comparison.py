"""Test whether the losses of two models' forecasts differ by more than chance."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray

NEWEY_WEST_LAGS = 63
"""Lags of Newey-West variances: three horizons.

Targets of neighboring days overlap in 20 of 21 returns, and volatility shocks last longer than
that.
"""


class DieboldMarianoTest(NamedTuple):
    """Mean daily difference of two losses, its t statistic, and the number of days."""

    difference: float
    t: float
    n_days: int


def diebold_mariano(
    loss_a: FloatArray, loss_b: FloatArray, *, lags: int = NEWEY_WEST_LAGS
) -> DieboldMarianoTest:
    r"""Test whether the losses of two models differ by more than chance (Diebold and Mariano).

    Parameters
    ----------
    loss_a, loss_b : (T, N) arrays
        Losses of two models' forecasts of the same outcomes.
    lags : int
        Autocovariances in the variance of the mean.

    Returns
    -------
    DieboldMarianoTest
        Computed from daily means over the series for which both losses exist; days without any are
        left out. ``difference`` is the mean of a - b: below 0, a is better. ``t`` is its ratio to
        the Newey-West standard error with Bartlett weights, approximately standard normal if the
        models are equally good; NaN with ``lags`` days or fewer, or if the difference is constant.

    References
    ----------
    Diebold and Mariano (1995), Comparing predictive accuracy, Journal of Business & Economic
    Statistics 13(3). Newey and West (1987), A simple, positive semi-definite, heteroskedasticity
    and autocorrelation consistent covariance matrix, Econometrica 55(3).

    Examples
    --------
    Without lags, the t statistic of a mean, with the variance over n instead of n - 1: 2 / √(2/9).

    >>> found = diebold_mariano(np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), lags=0)
    >>> found.difference, round(found.t, 4), found.n_days
    (2.0, 4.2426, 3)
    """
    differences = loss_a - loss_b
    is_known = np.isfinite(differences)
    compared = is_known.any(axis=1)
    daily = (
        np.where(is_known, differences, 0.0).sum(axis=1)[compared] / is_known.sum(axis=1)[compared]
    )
    n_days = len(daily)
    mean = float(daily.mean()) if n_days else np.nan
    deviations = daily - mean
    variance = deviations @ deviations
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1)) * (deviations[lag:] @ deviations[:-lag])
    return DieboldMarianoTest(
        mean,
        float(mean * n_days / np.sqrt(variance)) if n_days > lags and variance > 0 else np.nan,
        n_days,
    )
