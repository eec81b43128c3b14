"""HAR forecasts of 21-session volatility, with one set of coefficients for all series.

HAR is the heterogeneous autoregressive model of Corsi (2009). Each series is measured in units of
its own level, the mean absolute return of a year, so one vector of coefficients applies to stocks,
funds and portfolios, and can be estimated from all of them.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.volatility import (
    ABSOLUTE_SCALE,
    MONTH,
    SESSIONS_PER_YEAR,
    Lags,
    lagged_means,
)
from riskmetrics.metrics.windows import require_windows, window_means

LEVEL_WINDOW = 252
"""Returns in the level of a series."""

MIN_LEVEL_OBS, FULL_LEVEL_OBS = 63, 126
"""Minimum returns for a level, and minimum for a level that is not flagged as short."""

MIN_RANGE_OBS = math.ceil(0.95 * LEVEL_WINDOW)
"""Minimum valid ranges in the window for ranges to replace absolute returns."""

MIN_RATIO, MAX_RATIO = 0.25, 6.0
"""Bounds of forecast / level.

They keep an extreme day, or a price that hardly moves, from producing an absurd forecast.
"""

INTERVAL_MULTIPLIERS = (math.exp(-0.45), math.exp(0.36))
"""Factors from a forecast to the 10th and 90th percentile of the realized volatility."""

PROXIES = ("close_market", "close", "range_market")
"""Proxies of daily volatility, with or without a market regressor.

`Regressors.proxy` contains indices of this tuple.
"""

CLOSE_MARKET, CLOSE, RANGE_MARKET = range(len(PROXIES))


class Coefficients(NamedTuple):
    """One fitted version of the model for one proxy."""

    weights: FloatArray
    """Weights of the constant, day, week, month and market ratio, (5,).

    The market's weight is 0 if it is not a regressor.
    """
    residual_variance: float
    """Variance forecast over squared volatility forecast, minus 1."""


ModelVersion = Mapping[str, Coefficients]
"""Coefficients for each of `PROXIES`, known from one day on."""

SHIPPED_COEFFICIENTS: ModelVersion = MappingProxyType(
    {
        "close_market": Coefficients(np.array([0.48, 0.015, 0.085, 0.28, 0.18]), 0.13),
        "close": Coefficients(np.array([0.54, 0.013, 0.083, 0.40, 0.0]), 0.13),
        "range_market": Coefficients(np.array([0.21, 0.05, 0.125, 0.425, 0.215]), 0.11),
    }
)
"""Fitted by weighted least squares on daily bars of large US stocks from 1990 on."""

SHIPPED_LAST_TARGET = date(2022, 12, 30)
"""Last session of the shipped fit, including its targets; forecasts before it are in-sample."""


class Regressors(NamedTuple):
    """Regressors of the model per day and series, each of shape (D, N)."""

    level: FloatArray
    """Mean of sqrt(pi/2)|r| over 252 sessions, a standard deviation per session."""
    n_obs: IntArray
    """Returns in the level."""
    day: FloatArray
    week: FloatArray
    month: FloatArray
    """Means of the proxy over 1, 5 and 21 sessions, each divided by its mean over 252 sessions."""
    market: FloatArray
    """Mean absolute market return over 21 sessions over that of 252; NaN if there is none."""
    proxy: IntArray
    """Index of `PROXIES`."""
    short_history: BoolArray
    """Whether the level is based on 63 to 125 returns."""
    daily_lag_imputed: BoolArray
    """Whether the daily lag has no value in 4 sessions and is replaced by the month."""
    no_price_movement: BoolArray
    """Whether all known returns of the last 21 sessions are 0; nothing is forecast then."""


class Forecast(NamedTuple):
    """Forecast volatility of the next 21 sessions, each of shape (D, N), as fractions per year."""

    volatility_forecast: FloatArray
    """Volatility forecast."""
    root_variance_forecast: FloatArray
    """Square root of the variance forecast."""
    low: FloatArray
    high: FloatArray
    """Upper bound of the 80 % interval of realized volatility; ``low`` is the lower bound."""
    ratio: FloatArray
    """Forecast over level before clipping."""
    clipped: BoolArray


def build_regressors(
    returns: FloatArray, market: FloatArray, ranges: FloatArray | None = None
) -> Regressors:
    r"""Return every series' recent volatility, and the market's, in units of their levels.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns per session, T >= 252. Values that are not finite are missing.
    market : (T,) array
        The market's simple returns over the same sessions.
    ranges : (T, N) array, optional
        `range_proxy` of the same sessions. It is used for windows of which it covers 95 %,
        including its week and month; all regressors of a window use one proxy.

    Returns
    -------
    Regressors
        D = T - 251; row d is the window that ends at row d + 251. With :math:`c = \sqrt{\pi/2}`,
        the level is the mean of :math:`c|r|` over 252 sessions (NaN with under 63 returns); ratios
        are means of :math:`c|r|` or the range over 1, 5 and 21 sessions (by the rules of
        `lagged_means`) over that of 252, NaN where that is 0. Days without a market ratio have
        proxy "close". A value depends only on its own window, its series and the market, to the
        last bit.

    Raises
    ------
    ValueError
        If the shapes do not match, or there are fewer than 252 sessions.

    References
    ----------
    Corsi (2009), A simple approximate long-memory model of realized volatility, Journal of
    Financial Econometrics 7(2).

    Examples
    --------
    A year of returns of 1 % up or down: the level is √(π/2) %, and recent volatility is as usual.

    >>> returns = 0.01 * (-1.0) ** np.arange(252)
    >>> found = build_regressors(returns[:, np.newaxis], returns)
    >>> found.level.round(5), found.month.round(9), PROXIES[found.proxy[0, 0]]
    (array([[0.01253]]), array([[1.]]), 'close_market')
    """
    _require_shapes(returns, market, ranges)
    absolute = ABSOLUTE_SCALE * np.abs(returns)
    level, n_obs = window_means(absolute, LEVEL_WINDOW, min_obs=MIN_LEVEL_OBS)
    lags = _lags_on_level_days(absolute)
    ratios = _divide_by_level(lags, level)
    market_ratio = _compute_market_ratio(market)
    proxy = np.where(np.isnan(market_ratio), CLOSE, np.full(level.shape, CLOSE_MARKET))
    if ranges is not None:
        range_ratios = _compute_ratios_to_level(ranges, MIN_RANGE_OBS)
        uses_ranges = (proxy == CLOSE_MARKET) & ~np.isnan(range_ratios.week + range_ratios.month)
        proxy[uses_ranges] = RANGE_MARKET
        ratios = _choose_ratios(uses_ranges, range_ratios, ratios)
    daily_lag_imputed = np.isnan(ratios.day) & ~np.isnan(ratios.month)
    return Regressors(
        level=level,
        n_obs=n_obs,
        day=np.where(daily_lag_imputed, ratios.month, ratios.day),
        week=ratios.week,
        month=ratios.month,
        market=np.broadcast_to(market_ratio, level.shape),
        proxy=proxy,
        short_history=(n_obs >= MIN_LEVEL_OBS) & (n_obs < FULL_LEVEL_OBS),
        daily_lag_imputed=daily_lag_imputed,
        no_price_movement=lags.month == 0.0,
    )


def _require_shapes(returns: FloatArray, market: FloatArray, ranges: FloatArray | None) -> None:
    """Raise a ValueError if shapes do not match, or there are too few sessions for a level."""
    if (
        returns.ndim != 2
        or market.shape != returns.shape[:1]
        or (ranges is not None and ranges.shape != returns.shape)
    ):
        shapes = returns.shape, market.shape, None if ranges is None else ranges.shape
        raise ValueError(
            "returns and ranges must be (T, N) and market (T,) over the same sessions, not {},"
            " {}, {}".format(*shapes)
        )
    require_windows(len(returns), LEVEL_WINDOW)


def forecast(
    inputs: Regressors,
    versions: Sequence[ModelVersion] = (SHIPPED_COEFFICIENTS,),
    version: IntArray | None = None,
) -> Forecast:
    r"""Forecast the volatility of the 21 sessions after each day.

    Parameters
    ----------
    inputs : Regressors
        Of shape (D, N).
    versions : sequence of mappings
        Coefficients of every proxy, for each version in use.
    version : (D,) array, optional
        Index of the version known on each day. Default: the first version on all days.

    Returns
    -------
    Forecast
        :math:`F = \sqrt{252} L q` with q = weights x ratios clipped to [0.25, 6], so it is positive
        where it is defined; the root variance forecast is :math:`F \sqrt{1 + s^2}`. NaN where the
        level is missing or 0, where a ratio is missing (fewer than 3 of 5, or 15 of 21 values), and
        where the price has not moved in 21 sessions.

    Raises
    ------
    ValueError
        If there is not one version per day.

    References
    ----------
    Bollerslev, Hood, Huss and Pedersen (2018), Risk everywhere: modeling and managing volatility,
    Review of Financial Studies 31(7).

    Examples
    --------
    With every ratio 1, the forecast is the level times the sum of the weights, 1.04:

    >>> returns = 0.01 * (-1.0) ** np.arange(252)
    >>> found = forecast(build_regressors(returns[:, np.newaxis], returns))
    >>> found.ratio.round(4), found.volatility_forecast.round(4)
    (array([[1.04]]), array([[0.2069]]))
    """
    n_dates = len(inputs.level)
    version = np.zeros(n_dates, np.int64) if version is None else version
    if version.shape != (n_dates,):
        raise ValueError(f"version must be ({n_dates},), one per day, not {version.shape}")
    weights = np.array([[known[proxy].weights for proxy in PROXIES] for known in versions])
    residual_variance = np.array(
        [[known[proxy].residual_variance for proxy in PROXIES] for known in versions]
    )
    which = version[:, np.newaxis], inputs.proxy
    market = np.where(inputs.proxy == CLOSE, 0.0, inputs.market)
    ratio = weights[..., 0][which]
    for k, values in enumerate((inputs.day, inputs.week, inputs.month, market), start=1):
        ratio = ratio + weights[..., k][which] * values
    ratio = np.where(inputs.no_price_movement, np.nan, ratio)
    volatility_forecast = (
        math.sqrt(SESSIONS_PER_YEAR) * inputs.level * np.clip(ratio, MIN_RATIO, MAX_RATIO)
    )
    return Forecast(
        volatility_forecast=volatility_forecast,
        root_variance_forecast=volatility_forecast * np.sqrt(1.0 + residual_variance)[which],
        low=volatility_forecast * INTERVAL_MULTIPLIERS[0],
        high=volatility_forecast * INTERVAL_MULTIPLIERS[1],
        ratio=ratio,
        clipped=(ratio < MIN_RATIO) | (ratio > MAX_RATIO),
    )


def _lags_on_level_days(values: FloatArray) -> Lags:
    """Return lagged means on the days on which a level's window ends."""
    return lagged_means(values[LEVEL_WINDOW - MONTH :])


def _compute_market_ratio(market: FloatArray) -> FloatArray:
    """Return the market's mean absolute return of a month over its level, (D, 1)."""
    absolute = ABSOLUTE_SCALE * np.abs(market[:, np.newaxis])
    return _compute_ratios_to_level(absolute, MIN_LEVEL_OBS).month


def _compute_ratios_to_level(values: FloatArray, min_obs: int) -> Lags:
    """Return lagged means over the level; NaN where the level has under ``min_obs`` values."""
    level = window_means(values, LEVEL_WINDOW, min_obs=min_obs).mean
    return _divide_by_level(_lags_on_level_days(values), level)


def _choose_ratios(uses_ranges: BoolArray, range_ratios: Lags, return_ratios: Lags) -> Lags:
    """Return the ratios of ranges where they are used, elsewhere those of returns."""
    return Lags(
        *(
            np.where(uses_ranges, range_ratio, return_ratio)
            for range_ratio, return_ratio in zip(range_ratios, return_ratios, strict=True)
        )
    )


def _divide_by_level(lags: Lags, level: FloatArray) -> Lags:
    """Divide lags by the level; NaN where it is 0."""
    return Lags(
        *(
            np.divide(mean, level, out=np.full_like(mean, np.nan), where=level > 0.0)
            for mean in lags
        )
    )
