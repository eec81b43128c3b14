"""Calibration of the volatility forecast's coefficients to realized volatility."""

import math
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_comparison import NEWEY_WEST_LAGS
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.har import MAX_RATIO, MIN_RATIO, PROXIES, Coefficients, Regressors
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR

MIN_CALIBRATION_YEARS = 5
"""Minimum years of days with a pair.

A panel of one year covers one market regime, and its coefficients forecast badly in the next.
"""

MIN_CALIBRATION_SYMBOLS = 20
"""Minimum number of symbols with a year of pairs each, to average out what is specific to one."""

WEIGHT_SUM_BOUNDS = (0.9, 1.15)
"""Bounds of the sum of all weights.

The sum is the forecast, in units of last year's volatility, for a series at that volatility.
"""

MIN_MONTH_RATIO = 0.2
"""Floor of the month's ratio in the weights 1/ratio² of pairs; errors grow with the ratio."""

CalibrationBlock: TypeAlias = tuple[Regressors, FloatArray]
"""Regressors of some series and the annualized volatility that followed, each of shape (D, N)."""


class Calibration(NamedTuple):
    """Fitted coefficients of one proxy, with their standard errors and diagnostics."""

    coefficients: Coefficients
    std_errors: FloatArray
    """Driscoll-Kraay standard errors of the weights, (5,).

    NaN for the market's weight if the proxy has no market regressor.
    """
    n_obs: int
    """Pairs of a day and a series."""
    n_days: int
    """Days with at least one pair."""
    n_symbols: int
    """Series with at least a year of pairs."""
    r_squared: float
    """Weighted in-sample R²: compares fits to the same pairs, does not measure forecast quality."""


def fit(
    blocks: Iterable[CalibrationBlock], *, proxy: str, horizon: int = FORECAST_HORIZON
) -> Calibration:
    """Estimate the coefficients of one proxy, and reject a fit that is unsafe to forecast with.

    Parameters and return value are those of `estimate`.

    Raises
    ------
    CalibrationRejectedError
        If pairs cover less than 5 years of sessions or fewer than 20 series have a year of pairs,
        if a weight is negative, or if the sum of the weights is outside [0.9, 1.15].

    Examples
    --------
    >>> from riskmetrics.metrics.har import build_regressors, forecast
    >>> returns = np.random.default_rng(1).normal(0, 0.01, (400, 3))
    >>> inputs = build_regressors(returns, returns[:, 0])
    >>> fit([(inputs, forecast(inputs).volatility_forecast)], proxy="close_market")
    Traceback (most recent call last):
        ...
    riskmetrics.errors.CalibrationRejectedError: 149 sessions have pairs for close_market; 1260 ...
    """
    calibration = estimate(blocks, proxy=proxy, horizon=horizon)
    needed = MIN_CALIBRATION_YEARS * SESSIONS_PER_YEAR
    if calibration.n_days < needed:
        raise CalibrationRejectedError(
            f"{calibration.n_days} sessions have pairs for {proxy}; {needed} required: import"
            " longer histories"
        )
    if calibration.n_symbols < MIN_CALIBRATION_SYMBOLS:
        raise CalibrationRejectedError(
            f"{calibration.n_symbols} series have a year of pairs for {proxy};"
            f" {MIN_CALIBRATION_SYMBOLS} required: import prices of more symbols"
        )
    weights = calibration.coefficients.weights
    if (weights < 0.0).any():
        listed = ", ".join(f"{weight:.3f}" for weight in weights)
        raise CalibrationRejectedError(
            f"the fit for {proxy} has a negative weight ({listed}); keep the version in use"
        )
    lowest, highest = WEIGHT_SUM_BOUNDS
    if not lowest <= weights.sum() <= highest:
        raise CalibrationRejectedError(
            f"the weights for {proxy} sum to {weights.sum():.3f}, outside {lowest} to {highest};"
            " keep the version in use"
        )
    return calibration


def horizon_scale(horizon: int) -> float:
    r"""Return the mean of realized volatility over ``horizon`` sessions over that over 21.

    For independent normal returns, :math:`E\sqrt{\overline{r^2}}` is the mean of a chi variable,
    :math:`\sigma \sqrt{2/h}\,\Gamma((h+1)/2)/\Gamma(h/2)`: 0.8 σ for one return, 0.99 σ for 21.

    Examples
    --------
    >>> [round(horizon_scale(horizon), 3) for horizon in (1, 5, 21, 63)]
    [0.807, 0.963, 1.0, 1.008]
    """

    def mean_of_chi(n: int) -> float:
        return math.sqrt(2.0 / n) * math.exp(math.lgamma(0.5 * (n + 1)) - math.lgamma(0.5 * n))

    return mean_of_chi(horizon) / mean_of_chi(FORECAST_HORIZON)


def estimate(
    blocks: Iterable[CalibrationBlock], *, proxy: str, horizon: int = FORECAST_HORIZON
) -> Calibration:
    r"""Estimate the coefficients of one proxy by weighted least squares over all days and series.

    Parameters
    ----------
    blocks : iterable of (Regressors, (D, N) array)
        Regressors and realized volatility, for the same D days and different series in each block.
        The realized volatility is the annualized root mean square of the returns of the sessions
        after each day; NaN leaves the pair out, so a calibration for day t has NaN after t -
        ``horizon``.
    proxy : str
        One of `PROXIES`. Pairs whose regressors use this proxy are included if their level has at
        least 126 returns. Build regressors without ranges, or without a market, to use all pairs
        for a simpler proxy.
    horizon : int
        Sessions of the realized volatility.

    Returns
    -------
    Calibration
        The target is realized / (sqrt(252) L `horizon_scale`), the weight
        :math:`1/\max(x_{month}, 0.2)^2`. The residual variance is the mean of (target/q)² - 1
        over all pairs, q clipped as in a forecast: then the mean of (realized / root variance
        forecast)² is 1, which minimizes QLIKE over all multiples of the forecast.

    Raises
    ------
    ValueError
        If the arrays of a block do not have one shape, or the proxy is unknown.
    CalibrationRejectedError
        If no pair is left.

    Notes
    -----
    Targets of neighboring days share ``horizon`` - 1 returns and all series share the market, so
    classical standard errors would be far too small. These are computed from sums over all series
    of a day, correlated over 63 sessions, or two horizons if that is more: Bartlett weights over
    one horizon would halve the covariance that the overlap causes.

    References
    ----------
    Driscoll and Kraay (1998), Consistent covariance matrix estimation with spatially dependent
    panel data, Review of Economics and Statistics 80(4). Patton (2011), Volatility forecast
    comparison using imperfect volatility proxies, Journal of Econometrics 160(1).

    Examples
    --------
    Outcomes that follow the shipped coefficients give them back:

    >>> from riskmetrics.metrics.har import build_regressors, forecast
    >>> returns = np.random.default_rng(1).normal(0, 0.01, (400, 3))
    >>> inputs = build_regressors(returns, returns[:, 0])
    >>> outcomes = forecast(inputs).volatility_forecast
    >>> estimate([(inputs, outcomes)], proxy="close_market").coefficients.weights.round(6)
    array([0.48 , 0.015, 0.085, 0.28 , 0.18 ])
    """
    parts, n_symbols, n_rows = [], 0, 0
    scale = math.sqrt(SESSIONS_PER_YEAR) * horizon_scale(horizon)
    for inputs, realized in blocks:
        pairs = _usable_pairs(inputs, realized, proxy)
        columns = [np.ones(inputs.level.shape), inputs.day, inputs.week, inputs.month]
        columns += [] if proxy == "close" else [inputs.market]
        target = realized[pairs] / (scale * inputs.level[pairs])
        parts.append(
            (np.column_stack([column[pairs] for column in columns]), target, np.nonzero(pairs)[0])
        )
        n_symbols += int((pairs.sum(axis=0) >= SESSIONS_PER_YEAR).sum())
        n_rows += len(target)
    if not n_rows:
        raise CalibrationRejectedError(
            f"no pair of a day and a series has the inputs of proxy {proxy}; import more prices"
        )
    return _weighted_least_squares(
        *(np.concatenate(arrays) for arrays in zip(*parts, strict=True)),
        n_symbols=n_symbols,
        lags=max(NEWEY_WEST_LAGS, 2 * horizon),
    )


def _weighted_least_squares(
    x: FloatArray, target: FloatArray, day: IntArray, *, n_symbols: int, lags: int
) -> Calibration:
    """Regress the targets (K,) on x, (K, 4 or 5).

    Columns of x are a constant and the day's, week's, month's and market's ratio.
    """
    import statsmodels.api as sm  # slow to import, and rarely needed

    result = sm.WLS(target, x, weights=np.maximum(x[:, 3], MIN_MONTH_RATIO) ** -2.0).fit()
    robust = result.get_robustcov_results(
        "hac-groupsum", time=day - day.min(), maxlags=lags, use_correction=False
    )
    ratio = np.clip(result.fittedvalues, MIN_RATIO, MAX_RATIO)
    weights, std_errors = np.zeros(5), np.full(5, np.nan)
    weights[: x.shape[1]], std_errors[: x.shape[1]] = result.params, robust.bse
    return Calibration(
        Coefficients(weights, float(np.mean((target / ratio) ** 2) - 1.0)),
        std_errors,
        n_obs=len(target),
        n_days=len(np.unique(day)),
        n_symbols=n_symbols,
        r_squared=float(result.rsquared),
    )


def _usable_pairs(inputs: Regressors, realized: FloatArray, proxy: str) -> BoolArray:
    """Return which pairs have a target and complete regressors of this proxy, (D, N)."""
    if realized.shape != inputs.level.shape:
        raise ValueError(
            f"realized must have the regressors' shape {inputs.level.shape}, not {realized.shape}"
        )
    if proxy not in PROXIES:
        raise ValueError(f"proxy must be one of {', '.join(PROXIES)}, not {proxy!r}")
    usable: BoolArray = (
        (inputs.proxy == PROXIES.index(proxy))
        & (inputs.level > 0.0)
        & ~inputs.short_history
        & ~inputs.no_price_movement
    )
    for values in (realized, inputs.week, inputs.month):
        usable &= np.isfinite(values)
    return usable
