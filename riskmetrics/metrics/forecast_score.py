"""What came after volatility forecasts: losses, scores, skill, and whether a difference is more than chance.

Rows are sessions, columns are series. Row t of a forecast was made at the close of session t; row t
of a realized volatility is what then happened, over the sessions after t.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.portfolio import group_sums
from riskmetrics.metrics.volatility import MIN_MONTH_OBS, MONTH, SESSIONS_PER_YEAR
from riskmetrics.metrics.windows import require_windows, window_counts, window_means, window_sums

FORECAST_HORIZON = MONTH
"""Sessions that a forecast looks ahead."""

NEWEY_WEST_LAGS = 63
"""Three horizons: targets of neighbouring days overlap in 20 of 21 returns, and volatility's surprises last longer than that."""


class Score(NamedTuple):
    """Of the forecasts of N series, each of shape (N,); pooled, each of shape (1,)."""

    qlike: FloatArray
    rmse: FloatArray
    bias: FloatArray
    coverage: FloatArray
    n_obs: IntArray
    """Pairs of a forecast and what came after it."""
    n_zero: IntArray
    """Pairs among them with no movement at all: left out of QLIKE, which needs a logarithm of it."""


class OutOfSampleRSquared(NamedTuple):
    """Share of the benchmark's squared error that a forecast avoids, and over how many forecasts, each of shape (D, N)."""

    r_squared: FloatArray
    n_obs: IntArray


class DieboldMarianoTest(NamedTuple):
    """Mean daily difference of two losses, its t statistic, and how many days it rests on."""

    difference: float
    t: float
    n_days: int


class _Totals(NamedTuple):
    """Sums over the pairs of each series, each of shape (N,)."""

    pairs: FloatArray
    zeros: FloatArray
    qlike: FloatArray
    squared_error: FloatArray
    volatility_forecast: FloatArray
    realized: FloatArray
    with_interval: FloatArray
    in_interval: FloatArray


def forward_realized_volatility(returns: FloatArray, horizon: int = FORECAST_HORIZON) -> FloatArray:
    r"""Annualised volatility about zero over the ``horizon`` sessions after each session.

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
        the returns that exist. NaN under 15 of them, as of the past month; 0 where none of them
        moved.

    Raises
    ------
    ValueError
        If there are not more rows than ``horizon``.
    """
    require_windows(len(returns) - 1, horizon)
    return np.sqrt(
        SESSIONS_PER_YEAR * window_means(returns[1:] ** 2, horizon, min_obs=MIN_MONTH_OBS).mean
    )


def ewma_volatility(
    returns: FloatArray, *, decay: float, window: int = 252, min_obs: int = 63
) -> FloatArray:
    r"""Annualised exponentially weighted volatility about zero, over a window instead of all the past.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns as fractions, NaN where missing.
    decay : float
        Weight of a session relative to the next one, in (0, 1]; of the weights of .97, 0.05 % lie
        beyond 252 sessions.
    window : int
        Rows per window, at most T: a recursion's result would depend on where the data begin.
    min_obs : int
        Fewest returns worth an estimate.

    Returns
    -------
    (T - window + 1, N) array
        :math:`\sqrt{252 \sum \lambda^k r_{t-k}^2 / \sum \lambda^k}` over the returns that exist; row d is of the window that ends
        at row d + window - 1. NaN under ``min_obs``.

    Raises
    ------
    ValueError
        If ``decay``, ``window`` and ``min_obs`` do not fit each other or the returns.

    References
    ----------
    J.P. Morgan (1996), RiskMetrics technical document, 4th edition, section 5.2.
    """
    require_windows(len(returns), window)
    if not (0 < decay <= 1 and 0 < min_obs <= window):
        raise ValueError(
            f"0 < decay <= 1 and 0 < min_obs <= window must hold, not {decay}, {min_obs}, {window}"
        )
    known = np.isfinite(returns)
    total, weights = (
        window_sums(of, window, decay=decay)
        for of in (np.where(known, returns, 0.0) ** 2, known.astype(np.float64))
    )
    weights[window_counts(known, window) < min_obs] = np.nan
    return np.sqrt(SESSIONS_PER_YEAR * total / weights)


def qlike(realized: FloatArray, root_variance_forecast: FloatArray) -> FloatArray:
    r"""Loss of variance forecasts, element by element.

    Parameters
    ----------
    realized, risk : arrays of one shape
        Annualised volatilities: what happened, and the root of the variance forecast.

    Returns
    -------
    array of the same shape
        :math:`x - \ln x - 1` with :math:`x` = realized² / risk²: 0 for a perfect forecast, dearer for too little than for too much.
        NaN where either is missing, infinite or not above 0.

    References
    ----------
    Patton (2011), Volatility forecast comparison using imperfect volatility proxies, Journal of
    Econometrics 160(1).
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


def score(
    realized: FloatArray,
    volatility_forecast: FloatArray,
    root_variance_forecast: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> Score:
    """Score each series' forecasts against what came after them.

    Parameters
    ----------
    realized : (T, N) array
        Annualised volatility after each session, as from `forward_realized_volatility`.
    expected, risk : (T, N) arrays
        The volatility forecast, and the root of the variance forecast; one array twice if a model
        does not tell them apart.
    low, high : (T, N) arrays
        The forecast's band; NaN where it has none.

    Returns
    -------
    Score
        Over the pairs of a series for which ``realized``, ``volatility_forecast`` and a positive
        ``root_variance_forecast`` exist: ``qlike`` is the mean loss of ``root_variance_forecast``,
        ``rmse`` the root mean square of realized - expected, ``bias`` mean(expected) /
        mean(realized) - 1, ``coverage`` the share of the pairs with a band that fell into it, ends
        included. NaN where there is nothing to average.

    Raises
    ------
    ValueError
        If the arrays do not have one shape.
    """
    return _average_sums(
        _sum_pairs(realized, volatility_forecast, root_variance_forecast, low, high)
    )


def pooled_score(
    realized: FloatArray,
    volatility_forecast: FloatArray,
    root_variance_forecast: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> Score:
    """Score as `score` does, over the pairs of all series at once: each pair weighs the same; shape (1,)."""
    totals = _sum_pairs(realized, volatility_forecast, root_variance_forecast, low, high)
    return _average_sums(_Totals._make(total.sum(keepdims=True) for total in totals))


def _sum_pairs(
    realized: FloatArray,
    volatility_forecast: FloatArray,
    root_variance_forecast: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> _Totals:
    if (
        len(
            {
                values.shape
                for values in (realized, volatility_forecast, root_variance_forecast, low, high)
            }
        )
        > 1
    ):
        raise ValueError("all arrays must have one shape")
    paired = (
        np.isfinite(realized)
        & np.isfinite(volatility_forecast)
        & np.isfinite(root_variance_forecast)
        & (root_variance_forecast > 0)
    )
    has_interval = ~np.isnan(low) & ~np.isnan(high)
    single_group = np.zeros(len(realized), np.int64)

    def total(values: FloatArray) -> FloatArray:
        sums: FloatArray = group_sums(np.where(paired, values, np.nan), single_group, 1)[0]
        return sums

    return _Totals(
        pairs=total(paired.astype(np.float64)),
        zeros=total((realized == 0).astype(np.float64)),
        qlike=total(qlike(realized, root_variance_forecast)),
        squared_error=total((realized - volatility_forecast) ** 2),
        volatility_forecast=total(volatility_forecast),
        realized=total(realized),
        with_interval=total(has_interval.astype(np.float64)),
        in_interval=total(((low <= realized) & (realized <= high)).astype(np.float64)),
    )


def _average_sums(totals: _Totals) -> Score:
    pairs, moving, realized, with_interval = (
        np.where(count > 0, count, np.nan)
        for count in (
            totals.pairs,
            totals.pairs - totals.zeros,
            totals.realized,
            totals.with_interval,
        )
    )
    return Score(
        qlike=totals.qlike / moving,
        rmse=np.sqrt(totals.squared_error / pairs),
        bias=totals.volatility_forecast / realized - 1.0,
        coverage=totals.in_interval / with_interval,
        n_obs=totals.pairs.astype(np.int64),
        n_zero=totals.zeros.astype(np.int64),
    )


def rolling_oos_r_squared(
    volatility_forecast: FloatArray,
    trailing: FloatArray,
    realized: FloatArray,
    *,
    window: int = 252,
    min_obs: int = 126,
) -> OutOfSampleRSquared:
    r"""Out-of-sample R² of forecasts against those of trailing volatility, over the latest completed ones.

    Parameters
    ----------
    expected, trailing : (T, N) arrays
        Forecasts made on T sessions, and the benchmark's: annualised volatilities.
    realized : (T - horizon, N) array
        What came after the first of them, as from `forward_realized_volatility`; the last
        ``horizon`` forecasts are not complete.
    window : int
        Completed forecasts to look back on, at most T - horizon.
    min_obs : int
        Fewest of them worth an answer.

    Returns
    -------
    Skill
        Of shape (T - horizon - window + 1, N). ``r_squared`` is :math:`1 - \sum(RV - F)^2 / \sum(RV
        - \text{trailing})^2` over the forecasts for which all three exist: 1 is perfect, below 0 is
        worse than the benchmark. The last row is what is known on the last session, from the
        forecasts of ``horizon`` + ``window`` - 1 to ``horizon`` sessions before. NaN under
        ``min_obs`` forecasts, or if the benchmark made no error.

    Raises
    ------
    ValueError
        If the arrays do not belong together, or there is no window of completed forecasts.

    References
    ----------
    Campbell and Thompson (2008), Predicting excess stock returns out of sample, Review of Financial
    Studies 21(4).
    """
    completed = len(realized)
    require_windows(completed, window)
    if (
        volatility_forecast.shape != trailing.shape
        or volatility_forecast.shape[1:] != realized.shape[1:]
        or completed > len(volatility_forecast)
    ):
        raise ValueError(
            f"forecasts {volatility_forecast.shape} and {trailing.shape} must be of one shape, and"
            f" outcomes {realized.shape} not more"
        )
    model, benchmark = realized - volatility_forecast[:completed], realized - trailing[:completed]
    known = np.isfinite(model) & np.isfinite(benchmark)
    errors, benchmark_errors = (
        window_sums(np.where(known, error, 0.0) ** 2, window) for error in (model, benchmark)
    )
    n_obs = window_counts(known, window)
    defined = (n_obs >= min_obs) & (benchmark_errors > 0)
    return OutOfSampleRSquared(1.0 - errors / np.where(defined, benchmark_errors, np.nan), n_obs)


def diebold_mariano(
    loss_a: FloatArray, loss_b: FloatArray, *, lags: int = NEWEY_WEST_LAGS
) -> DieboldMarianoTest:
    r"""Test whether two models' losses differ by more than chance.

    Parameters
    ----------
    loss_a, loss_b : (T, N) arrays
        Losses of two models' forecasts of the same outcomes.
    lags : int
        Autocovariances in the variance of the mean.

    Returns
    -------
    Comparison
        Of the daily means over the series for which both losses exist; days without any are left
        out. ``difference`` is the mean of a - b: below 0, a is better. ``t`` is its ratio to the
        standard error of Newey and West with Bartlett's weights, about standard normal if the
        models are equally good; NaN with no more days than ``lags``, or if the difference never
        varies.

    References
    ----------
    Diebold and Mariano (1995), Comparing predictive accuracy, Journal of Business & Economic
    Statistics 13(3). Newey and West (1987), A simple, positive semi-definite, heteroskedasticity
    and autocorrelation consistent covariance matrix, Econometrica 55(3).
    """
    differences = loss_a - loss_b
    known = np.isfinite(differences)
    compared = known.any(axis=1)
    daily = np.where(known, differences, 0.0).sum(axis=1)[compared] / known.sum(axis=1)[compared]
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
