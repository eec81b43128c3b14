"""Realized volatility after a forecast, its loss, and out-of-sample R².

Rows are sessions, columns are series. Row t of a forecast was made at the close of session t; row t
of a realized volatility is measured over the sessions after t.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.volatility import MIN_MONTH_OBS, MONTH, SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import require_windows, window_counts, window_means, window_sums

FORECAST_HORIZON = MONTH
"""Sessions that a forecast looks ahead."""

HORIZONS = (1, 5, FORECAST_HORIZON, 63)
"""Sessions that are forecast: a day, a week, a month and a quarter."""


class OutOfSampleRSquared(NamedTuple):
    """Share of the benchmark's squared error that a forecast avoids, and the number of forecasts.

    Each of shape (D, N).
    """

    r_squared: FloatArray
    n_obs: IntArray


def forward_realized_volatility(returns: FloatArray, horizon: int = FORECAST_HORIZON) -> FloatArray:
    r"""Return the annualized zero-mean volatility of the ``horizon`` sessions after each session.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns as fractions, NaN where missing.
    horizon : int
        Sessions ahead, below T.

    Returns
    -------
    (T - horizon, N) array
        Row t is :math:`\sqrt{252\,\overline{r^2}}` over rows t + 1 to t + horizon: the mean is over
        the returns that exist. NaN with fewer than `min_outcome_obs` of them; 0 where all of them
        are 0.

    Raises
    ------
    ValueError
        If there are not more rows than ``horizon``.

    Examples
    --------
    Returns of 1 % up or down: the square root of 252 × 0.0001.

    >>> returns = 0.01 * (-1.0) ** np.arange(22)
    >>> forward_realized_volatility(returns[:, np.newaxis]).round(4)
    array([[0.1587]])
    """
    require_windows(len(returns) - 1, horizon)
    min_obs = min_outcome_obs(horizon)
    return np.sqrt(
        SESSIONS_PER_YEAR * window_means(returns[1:] ** 2, horizon, min_obs=min_obs).mean
    )


def min_outcome_obs(horizon: int) -> int:
    """Return the minimum number of returns in a realized volatility: 15 of 21, rounded up.

    Examples
    --------
    >>> [min_outcome_obs(horizon) for horizon in HORIZONS]
    [1, 4, 15, 45]
    """
    return -(-MIN_MONTH_OBS * horizon // MONTH)


def qlike(realized: FloatArray, root_variance_forecast: FloatArray) -> FloatArray:
    r"""Return the QLIKE loss of variance forecasts, elementwise.

    Parameters
    ----------
    realized, root_variance_forecast : arrays of one shape
        Annualized volatilities: the realized one, and the square root of the variance forecast.

    Returns
    -------
    array of the same shape
        :math:`x - \ln x - 1` with :math:`x` = (realized / root_variance_forecast)²: 0 for a
        perfect forecast, larger for a forecast that is too low than for one that is too high.
        NaN where either is missing, infinite or not above 0.

    References
    ----------
    Patton (2011), Volatility forecast comparison using imperfect volatility proxies, Journal of
    Econometrics 160(1).

    Examples
    --------
    A forecast of half the outcome costs more than one of twice the outcome:

    >>> qlike(np.array([0.2, 0.2, 0.2]), np.array([0.2, 0.1, 0.4])).round(4)
    array([0.    , 1.6137, 0.6363])
    """
    defined = (
        (realized > 0)
        & np.isfinite(realized)
        & (root_variance_forecast > 0)
        & np.isfinite(root_variance_forecast)
    )
    ratio = np.where(defined, realized, np.nan) / np.where(defined, root_variance_forecast, np.nan)
    loss: FloatArray = ratio**2 - 2.0 * np.log(ratio) - 1.0
    return loss


def rolling_oos_r_squared(
    volatility_forecast: FloatArray,
    trailing: FloatArray,
    realized: FloatArray,
    *,
    window: int = 252,
    min_obs: int = 126,
) -> OutOfSampleRSquared:
    r"""Return the out-of-sample R² of forecasts against trailing volatility, over rolling windows.

    Parameters
    ----------
    volatility_forecast, trailing : (T, N) arrays
        Forecasts made on T sessions, and the benchmark's: annualized volatilities.
    realized : (T - horizon, N) array
        Realized volatility after the first of them, as from `forward_realized_volatility`; the
        last ``horizon`` forecasts are not complete.
    window : int
        Completed forecasts per window, at most T - horizon.
    min_obs : int
        Minimum number of completed forecasts.

    Returns
    -------
    OutOfSampleRSquared
        Of shape (T - horizon - window + 1, N). ``r_squared`` is :math:`1 - \sum(RV - F)^2 / \sum(RV
        - \text{trailing})^2` over the forecasts for which all three exist: 1 is perfect, below 0 is
        worse than the benchmark. The last row is what is known on the last session, from the
        forecasts of ``horizon`` + ``window`` - 1 to ``horizon`` sessions before. NaN with fewer
        than ``min_obs`` forecasts, or if the benchmark made no error.

    Raises
    ------
    ValueError
        If the shapes do not match, or there are fewer completed forecasts than ``window``.

    References
    ----------
    Campbell and Thompson (2008), Predicting excess stock returns out of sample, Review of Financial
    Studies 21(4).

    Examples
    --------
    1 - (0 + 0.1²) / (0.1² + 0.2²):

    >>> forecast, trailing = np.full((3, 1), 0.2), np.full((3, 1), 0.1)
    >>> realized = np.array([[0.2], [0.3]])
    >>> rolling_oos_r_squared(forecast, trailing, realized, window=2, min_obs=1).r_squared.round(4)
    array([[0.8]])
    """
    completed = len(realized)
    require_windows(completed, window)
    if (
        volatility_forecast.shape != trailing.shape
        or volatility_forecast.shape[1:] != realized.shape[1:]
        or completed > len(volatility_forecast)
    ):
        raise ValueError(
            f"forecasts must have one shape, and at least as many rows as the outcomes, not"
            f" {volatility_forecast.shape}, {trailing.shape} and {realized.shape}"
        )
    model, benchmark = realized - volatility_forecast[:completed], realized - trailing[:completed]
    is_known = np.isfinite(model) & np.isfinite(benchmark)
    errors, benchmark_errors = (
        window_sums(np.where(is_known, error, 0.0) ** 2, window) for error in (model, benchmark)
    )
    n_obs = window_counts(is_known, window)
    defined = (n_obs >= min_obs) & (benchmark_errors > 0)
    return OutOfSampleRSquared(1.0 - errors / np.where(defined, benchmark_errors, np.nan), n_obs)
