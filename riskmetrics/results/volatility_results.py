"""Realized and forecast volatility of symbols and of portfolios, and forecast skill."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import har, volatility
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_features import FEATURE_WINDOW, Features, build_features
from riskmetrics.metrics.forecast_score import (
    FORECAST_HORIZON,
    HORIZONS,
    forward_realized_volatility,
    rolling_oos_r_squared,
)
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.variance_correction import (
    DIVERSIFIED,
    EWMA_DECAYS,
    STOCK,
    CorrectedForecast,
    correct,
)
from riskmetrics.metrics.volatility import MIN_MONTH_OBS, MONTH
from riskmetrics.results.event_panels import EventAges
from riskmetrics.results.model_versions import ModelVersions

QUARTER, MIN_QUARTER_OBS = 63, 45
"""Sessions in the longer window of realized volatility, and the minimum number of returns in it."""

OOS_R_SQUARED_WINDOW = 252
"""Completed forecasts in the out-of-sample R²."""

SYMBOL_WINDOW = FEATURE_WINDOW + FORECAST_HORIZON + OOS_R_SQUARED_WINDOW - 1
"""Returns needed for a symbol's row: those behind the oldest forecast in its out-of-sample R²."""

OTHER_HORIZONS = tuple(horizon for horizon in HORIZONS if horizon != FORECAST_HORIZON)
"""Horizons that are forecast next to 21 sessions."""

_BLOCK_SYMBOLS = 64
"""Symbols per block, so that working arrays of two years of them fit in a core's cache."""

_Estimates: TypeAlias = tuple[Any, ...]

_Arrays = TypeVar("_Arrays", har.Regressors, har.Forecast, Features)


class Figures(NamedTuple):
    """Volatility figures per session and series, each (D, N), as annualized fractions."""

    realized_21d: FloatArray
    realized_63d: FloatArray
    daily: FloatArray
    weekly: FloatArray
    monthly: FloatArray
    volatility_forecast: FloatArray
    root_variance_forecast: FloatArray
    low: FloatArray
    high: FloatArray
    rise_probability: FloatArray
    strength: FloatArray
    direction: FloatArray
    percentile: FloatArray
    ewma_94: FloatArray
    ewma_97: FloatArray
    observations: IntArray
    n_month: IntArray
    n_quarter: IntArray
    n_earlier: IntArray
    no_price_movement: BoolArray
    proxy: IntArray
    clipped: BoolArray
    short_history: BoolArray
    daily_lag_imputed: BoolArray


class HorizonForecast(NamedTuple):
    """Forecast volatility over another horizon, each (D, N), as annualized fractions."""

    volatility_forecast: FloatArray
    root_variance_forecast: FloatArray
    low: FloatArray
    high: FloatArray


class DailyBars(NamedTuple):
    """Data of each session other than its return, each (T, N); NaN where missing."""

    ranges: FloatArray
    """Range proxies."""
    opens: FloatArray
    """Opening prices over closes."""
    volumes: FloatArray
    event_ages: EventAges | None = None
    """Ages of months around known events; see `event_panels.align_events`."""

    def select(self, rows: slice, columns: slice | IntArray) -> "DailyBars":
        """Return some rows and columns."""
        ranges, opens, volumes = (values[rows][:, columns] for values in self[:3])
        ages = None if self.event_ages is None else self.event_ages.select(rows, columns)
        return DailyBars(ranges, opens, volumes, ages)

    def features(self, returns: FloatArray) -> Features:
        """Return the features of the forecast's correction, with these data of each session."""
        ages = None if self.event_ages is None else self.event_ages.expand()
        return build_features(returns, *self[:3], event_ages=ages)

    def add_missing_column(self) -> "DailyBars":
        """Return the same with a last column of missing values."""
        ranges, opens, volumes = (
            np.column_stack([values, np.full(len(values), np.nan)]) for values in self[:3]
        )
        ages = None if self.event_ages is None else self.event_ages.add_series()
        return DailyBars(ranges, opens, volumes, ages)


@dataclass(frozen=True)
class SymbolVolatility:
    """Volatility of symbols (S) on the sessions of a run (D)."""

    figures: Figures
    oos_r_squared: FloatArray
    """Out-of-sample R² of the last 252 completed forecasts against trailing 21-session volatility,
    (D, S)."""
    n_completed: IntArray
    symbols: "pd.Index[str]"
    versions: ModelVersions
    horizons: dict[int, HorizonForecast] = field(default_factory=dict)
    """Forecasts of `OTHER_HORIZONS`, (D, S)."""


def estimate_symbol_volatility(
    returns: panels.Returns,
    bars: DailyBars,
    market: str,
    versions: ModelVersions,
    funds: Collection[str] = (),
) -> SymbolVolatility:
    """Estimate realized and forecast volatility of every symbol on each session.

    The first SYMBOL_WINDOW - 1 sessions have no estimates.

    Parameters
    ----------
    returns : Returns
        Returns of the SYMBOL_WINDOW sessions that end on each day.
    bars : DailyBars
        Ranges, opens and volumes of the same sessions and symbols.
    market : str
        Symbol whose volatility is a regressor.
    versions : ModelVersions
        Model versions; each forecast uses the version known on its day.
    funds : collection of str
        Symbols of funds and indices, which are diversified.
    """
    market_returns = returns.column(market)
    version = versions.version_on(pd.DatetimeIndex(returns.frame.index))
    series_class = np.where(returns.frame.columns.isin(list(funds)), DIVERSIFIED, STOCK)

    def estimate(values: FloatArray, rows: slice, columns: slice | IntArray) -> _Estimates:
        own, class_of_columns = bars.select(rows, columns), series_class[columns]
        parts = [
            _symbol_estimates(
                values[:, block],
                market_returns[rows],
                own.select(slice(None), block),
                versions,
                version[rows],
                class_of_columns[block],
            )
            for block in (
                slice(left, left + _BLOCK_SYMBOLS)
                for left in range(0, max(values.shape[1], 1), _BLOCK_SYMBOLS)
            )
        ]
        return tuple(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))

    found = point_in_time_estimates(estimate, returns.values(), returns.unconfirmed, SYMBOL_WINDOW)
    n = len(Figures._fields)
    (oos_r_squared, n_completed), others = found[n : n + 2], iter(found[n + 2 :])
    return SymbolVolatility(
        Figures._make(found[:n]),
        oos_r_squared=oos_r_squared,
        n_completed=n_completed,
        symbols=returns.frame.columns,
        versions=versions,
        horizons={
            horizon: HorizonForecast(*(next(others) for _ in HorizonForecast._fields))
            for horizon in OTHER_HORIZONS
        },
    )


def _symbol_estimates(
    returns: FloatArray,
    market: FloatArray,
    bars: DailyBars,
    versions: ModelVersions,
    version: IntArray,
    series_class: IntArray,
) -> _Estimates:
    inputs = har.build_regressors(returns, market, bars.ranges)
    features = bars.features(returns)
    n_forecasts = len(features.quarter)
    inputs = har.Regressors._make(values[-n_forecasts:] for values in inputs)
    version = version[-n_forecasts:]
    forecast = forecast_volatility(inputs, features, versions, version, series_class)
    trailing = volatility.realized_volatility(
        returns[-(n_forecasts + MONTH - 1) :], window=MONTH, min_obs=MIN_MONTH_OBS
    ).volatility
    oos_r_squared = rolling_oos_r_squared(
        forecast.forecast.volatility_forecast,
        trailing,
        forward_realized_volatility(returns[-n_forecasts:]),
        window=OOS_R_SQUARED_WINDOW,
    )
    n_dates = len(oos_r_squared.r_squared)
    inputs, features = _last_rows(inputs, n_dates), _last_rows(features, n_dates)
    last = CorrectedForecast(
        _last_rows(forecast.forecast, n_dates),
        forecast.rise_mean[-n_dates:],
        forecast.rise_sd[-n_dates:],
    )
    return (
        *estimate_figures(returns, inputs, last, ewma_forecasts(returns, n_dates), n_dates),
        oos_r_squared.r_squared,
        oos_r_squared.n_obs,
        *(
            values
            for horizon in OTHER_HORIZONS
            for values in forecast_horizon(
                inputs, features, versions, version[-n_dates:], series_class, horizon
            )
        ),
    )


def _last_rows(arrays: _Arrays, n_rows: int) -> _Arrays:
    """Return the last rows of a named tuple of arrays."""
    return type(arrays)._make(values[-n_rows:] for values in arrays)


def forecast_volatility(
    inputs: har.Regressors,
    features: Features,
    versions: ModelVersions,
    version: IntArray,
    series_class: IntArray,
    horizon: int = FORECAST_HORIZON,
    ewma: tuple[FloatArray, ...] | None = None,
) -> CorrectedForecast:
    """Forecast with the regression and its correction of the version known on each day.

    ``ewma`` are the `ewma_forecasts` of the same days, which portfolios need.
    """
    models = versions.models(horizon)
    forecast = har.forecast(inputs, models.coefficients, version)
    return correct(forecast, features, models.table, version, series_class, ewma)


def forecast_horizon(
    inputs: har.Regressors,
    features: Features,
    versions: ModelVersions,
    version: IntArray,
    series_class: IntArray,
    horizon: int,
    ewma: tuple[FloatArray, ...] | None = None,
) -> HorizonForecast:
    """Return the forecast of another horizon; NaN on days whose version does not have it."""
    forecast = forecast_volatility(
        inputs, features, versions, version, series_class, horizon, ewma
    ).forecast
    is_known = versions.models(horizon).is_known[version][:, np.newaxis]
    return HorizonForecast(*(np.where(is_known, values, np.nan) for values in forecast[:4]))


def ewma_forecasts(returns: FloatArray, n_dates: int) -> tuple[FloatArray, ...]:
    """Return the volatilities by `EWMA_DECAYS` of the last ``n_dates`` rows of ``returns``."""
    year_returns = returns[-(n_dates + har.LEVEL_WINDOW - 1) :]
    return tuple(volatility.ewma_volatility(year_returns, decay=decay) for decay in EWMA_DECAYS)


def estimate_figures(
    returns: FloatArray,
    inputs: har.Regressors,
    corrected: CorrectedForecast,
    ewma: tuple[FloatArray, ...],
    n_dates: int,
) -> Figures:
    """Return the figures of the last ``n_dates`` rows of ``returns``; the others have as many."""
    forecast = corrected.forecast
    month = volatility.realized_volatility(
        returns[-(n_dates + volatility.PERCENTILE_WINDOW + MONTH - 1) :],
        window=MONTH,
        min_obs=MIN_MONTH_OBS,
    )
    quarter = volatility.realized_volatility(
        returns[-(n_dates + QUARTER - 1) :], window=QUARTER, min_obs=MIN_QUARTER_OBS
    )
    lags = volatility.absolute_volatility(returns[-(n_dates + MONTH - 1) :])
    rank = volatility.percentile_rank(month.volatility)
    realized = month.volatility[-n_dates:]
    trend = volatility.volatility_trend(
        forecast.volatility_forecast, realized, corrected.rise_mean, corrected.rise_sd
    )
    ewma_94, ewma_97 = ewma
    return Figures(
        realized_21d=realized,
        realized_63d=quarter.volatility,
        daily=lags.day,
        weekly=lags.week,
        monthly=lags.month,
        volatility_forecast=forecast.volatility_forecast,
        root_variance_forecast=forecast.root_variance_forecast,
        low=forecast.low,
        high=forecast.high,
        rise_probability=trend.probability,
        strength=trend.strength,
        direction=trend.direction,
        percentile=rank.rank,
        ewma_94=ewma_94,
        ewma_97=ewma_97,
        observations=inputs.n_obs,
        n_month=month.n_obs[-n_dates:],
        n_quarter=quarter.n_obs,
        n_earlier=rank.n_obs,
        no_price_movement=inputs.no_price_movement,
        proxy=inputs.proxy,
        clipped=forecast.clipped,
        short_history=inputs.short_history,
        daily_lag_imputed=inputs.daily_lag_imputed,
    )
