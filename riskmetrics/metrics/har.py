"""The volatility of the next 21 sessions, by one heterogeneous autoregression for all series.

A series is measured in units of its own level, the mean absolute return of a year, so one vector of
coefficients serves stocks, funds and portfolios alike, and what it learns from all of them is not
lost in the noise of one.
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
"""Returns in the level that a series is measured in."""

MIN_LEVEL_OBS, FULL_LEVEL_OBS = 63, 126
"""Returns below which there is no level, and below which it is flagged as short."""

MIN_RANGE_OBS = math.ceil(0.95 * LEVEL_WINDOW)
"""Valid highs and lows in the window that let ranges stand for absolute returns."""

MIN_RATIO, MAX_RATIO = 0.25, 6.0
"""Bounds of forecast / level, so that neither a wild day nor a price that hardly moves makes an absurd forecast."""

INTERVAL_MULTIPLIERS = (math.exp(-0.45), math.exp(0.36))
"""What a forecast is multiplied by to be the 10th and the 90th percentile of what follows it."""

PROXIES = ("close_market", "close", "range_market")
"""What stands for a day's volatility, and whether the market's is a regressor; `Regressors.proxy` holds indices of this."""

CLOSE_MARKET, CLOSE, RANGE_MARKET = range(len(PROXIES))


class Coefficients(NamedTuple):
    """One fitted version of the model for one proxy."""

    weights: FloatArray
    """(5,): of the constant, day, week, month and market ratio; 0 for a market that is not a regressor."""
    residual_variance: float
    """What the variance exceeds the squared volatility forecast by, as a share of it."""


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
"""Last session of that fit, its targets included: forecasts for days before it are in sample."""


class Regressors(NamedTuple):
    """What the model sees, one entry per day and series, each of shape (D, N)."""

    level: FloatArray
    """Mean of sqrt(pi/2)|r| over 252 sessions: a standard deviation per session."""
    n_obs: IntArray
    """Returns in the level."""
    day: FloatArray
    week: FloatArray
    month: FloatArray
    """The proxy's means over 1, 5 and 21 sessions, each over its mean of 252 sessions."""
    market: FloatArray
    """The market's mean absolute return of 21 sessions over that of 252; NaN where there is none."""
    proxy: IntArray
    """Index of `PROXIES`."""
    short_history: BoolArray
    """The level rests on 63 to 125 returns."""
    daily_lag_imputed: BoolArray
    """No value for the day in 4 sessions: the month stands in for it."""
    no_price_movement: BoolArray
    """Every return known of the last 21 sessions is 0: the price is not being made, and nothing is forecast."""


class Forecast(NamedTuple):
    """Volatility of the next 21 sessions as a fraction per year, one entry per day and series, each of shape (D, N)."""

    volatility_forecast: FloatArray
    """The volatility forecast."""
    root_variance_forecast: FloatArray
    """The square root of the variance forecast."""
    low: FloatArray
    high: FloatArray
    """What the volatility to come lies between in 80 % of cases."""
    ratio: FloatArray
    """Forecast over level as the model gives it, before it is clipped."""
    clipped: BoolArray


def build_regressors(
    returns: FloatArray, market: FloatArray, ranges: FloatArray | None = None
) -> Regressors:
    r"""Measure every series' recent volatility, and the market's, in units of their level.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns per session, T >= 252. Values that are not finite are missing and left out.
    market : (T,) array
        The market's simple returns over the same sessions.
    ranges : (T, N) array, optional
        `range_proxy` of the same sessions: used for the windows of which it covers 95 % and that
        have its week and month, all regressors of a window from one proxy.

    Returns
    -------
    Regressors
        D = T - 251; row d is the window that ends at row d + 251. With :math:`c = \sqrt{\pi/2}`,
        the level is the mean of :math:`c|r|` over 252 sessions (NaN under 63 returns); the ratios
        are means of :math:`c|r|` or the range over 1, 5 and 21 sessions (by the rules of
        `lagged_means`) over that of 252, NaN where that is 0. Days without a market ratio have
        proxy "close". A value depends on its own window, its series and the market only, to the
        last bit.

    Raises
    ------
    ValueError
        If the arrays do not cover the same sessions, or fewer than 252.

    References
    ----------
    Corsi (2009), A simple approximate long-memory model of realized volatility, Journal of
    Financial Econometrics 7(2).
    """
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
    absolute = ABSOLUTE_SCALE * np.abs(returns)
    level, n_obs = window_means(absolute, LEVEL_WINDOW, min_obs=MIN_LEVEL_OBS)
    lags = _lags_on_level_days(absolute)
    ratios = _divide_by_level(lags, level)
    market_absolute = ABSOLUTE_SCALE * np.abs(market[:, np.newaxis])
    market_ratio = _divide_by_level(
        _lags_on_level_days(market_absolute),
        window_means(market_absolute, LEVEL_WINDOW, min_obs=MIN_LEVEL_OBS).mean,
    ).month
    proxy = np.where(np.isnan(market_ratio), CLOSE, np.full(level.shape, CLOSE_MARKET))
    if ranges is not None:
        range_ratios = _divide_by_level(
            _lags_on_level_days(ranges),
            window_means(ranges, LEVEL_WINDOW, min_obs=MIN_RANGE_OBS).mean,
        )
        uses_ranges = (proxy == CLOSE_MARKET) & ~np.isnan(range_ratios.week + range_ratios.month)
        proxy[uses_ranges] = RANGE_MARKET
        ratios = Lags(
            *(
                np.where(uses_ranges, wide, narrow)
                for wide, narrow in zip(range_ratios, ratios, strict=True)
            )
        )
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
        Index of the version that was known on each day; all days use the first if it is not given.

    Returns
    -------
    Forecast
        :math:`F = \sqrt{252} L q` with q = weights x ratios clipped to [0.25, 6], so positive wherever it is defined; risk is
        :math:`F \sqrt{1 + s^2}`. NaN where there is no level or it is 0, where a ratio is missing (under 3 of 5, or 15 of 21 values),
        and where the price has not moved in 21 sessions.

    Raises
    ------
    ValueError
        If there is not one version per day.

    References
    ----------
    Bollerslev, Hood, Huss and Pedersen (2018), Risk everywhere: modeling and managing volatility,
    Review of Financial Studies 31(7).
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
    """Lagged means on the days of the level's windows."""
    return lagged_means(values[LEVEL_WINDOW - MONTH :])


def _divide_by_level(lags: Lags, level: FloatArray) -> Lags:
    """Lags in units of the level, NaN where that is 0."""
    return Lags(
        *(
            np.divide(mean, level, out=np.full_like(mean, np.nan), where=level > 0.0)
            for mean in lags
        )
    )
