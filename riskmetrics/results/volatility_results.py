"""Realized and forecast volatility of symbols and of portfolios, and forecast skill."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as metrics
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_score import (
    FORECAST_HORIZON,
    forward_realized_volatility,
    rolling_oos_r_squared,
)
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.volatility import MIN_MONTH_OBS, MONTH
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.results.pro_forma import pro_forma_windows
from riskmetrics.results.valuation import Valuation

QUARTER, MIN_QUARTER_OBS = 63, 45
"""Sessions in the longer window of realized volatility, and the minimum number of returns in it."""

OOS_R_SQUARED_WINDOW = 252
"""Completed forecasts in the out-of-sample R²."""

SYMBOL_WINDOW = har.LEVEL_WINDOW + FORECAST_HORIZON + OOS_R_SQUARED_WINDOW - 1
"""Returns needed for a symbol's row: those behind the oldest forecast in its out-of-sample R²."""

PORTFOLIO_WINDOW = metrics.PERCENTILE_WINDOW + MONTH
"""Returns needed for a portfolio's row: those behind the oldest volatility in its percentile."""

_BLOCK_SYMBOLS = 64
"""Symbols per block, so that working arrays of two years of them fit in a core's cache."""

_Estimates: TypeAlias = tuple[Any, ...]

THIN_COVERAGE = 0.95
"""Share of gross exposure with a return below which a session of a portfolio is thin."""


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


_SCALED_BY_EQUITY = (
    *("realized_21d", "realized_63d", "daily", "weekly", "monthly"),
    *("volatility_forecast", "root_variance_forecast", "low", "high", "ewma_94", "ewma_97"),
)
"""Figures that scale with returns."""

_SCALE_FREE = ("rise_probability", "strength", "direction", "percentile")


@dataclass(frozen=True)
class PortfolioVolatility:
    """Volatility of portfolios (P) on the sessions of a run (D); its figures are (P, D)."""

    figures: Figures
    """Fractions of equity; NaN where `Valuation.risk_denominator` is NaN."""
    root_variance_amount: FloatArray
    """Square root of the forecast variance of the change of value, annualized, in currency,
    (P, D)."""
    coverage: FloatArray
    """Mean share of gross exposure with a return over the trailing 252 sessions, (P, D)."""
    n_covered: FloatArray
    """Instruments with at least 63 returns in the trailing 252 sessions, (P, D)."""
    n_thin: FloatArray
    """Thin sessions among them: coverage is at least MIN_COVERAGE and below THIN_COVERAGE,
    (P, D)."""
    versions: ModelVersions


def estimate_symbol_volatility(
    returns: panels.Returns, ranges: pd.DataFrame, market: str, versions: ModelVersions
) -> SymbolVolatility:
    """Estimate realized and forecast volatility of every symbol on each session.

    The first SYMBOL_WINDOW - 1 sessions have no estimates.

    Parameters
    ----------
    returns : Returns
        Returns of the SYMBOL_WINDOW sessions that end on each day.
    ranges : DataFrame
        Range proxies of the same sessions and symbols.
    market : str
        Symbol whose volatility is a regressor.
    versions : ModelVersions
        Model versions; each forecast uses the version known on its day.
    """
    market_returns = returns.column(market)
    version = versions.version_on(pd.DatetimeIndex(returns.frame.index))

    def estimate(values: FloatArray, rows: slice, columns: slice | IntArray) -> _Estimates:
        own = ranges.to_numpy()[rows][:, columns]
        parts = [
            _symbol_estimates(
                values[:, block], market_returns[rows], own[:, block], versions, version[rows]
            )
            for block in (
                slice(left, left + _BLOCK_SYMBOLS)
                for left in range(0, max(values.shape[1], 1), _BLOCK_SYMBOLS)
            )
        ]
        return tuple(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))

    *figures, oos_r_squared, n_completed = point_in_time_estimates(
        estimate, returns.values(), returns.unconfirmed, SYMBOL_WINDOW
    )
    return SymbolVolatility(
        Figures._make(figures), oos_r_squared, n_completed, returns.frame.columns, versions
    )


def _symbol_estimates(
    returns: FloatArray,
    market: FloatArray,
    ranges: FloatArray,
    versions: ModelVersions,
    version: IntArray,
) -> _Estimates:
    inputs = har.build_regressors(returns, market, ranges)
    forecast = har.forecast(inputs, versions.coefficients, version[har.LEVEL_WINDOW - 1 :])
    trailing = metrics.realized_volatility(
        returns[har.LEVEL_WINDOW - MONTH :], window=MONTH, min_obs=MIN_MONTH_OBS
    ).volatility
    oos_r_squared = rolling_oos_r_squared(
        forecast.volatility_forecast,
        trailing,
        forward_realized_volatility(returns[har.LEVEL_WINDOW - 1 :]),
        window=OOS_R_SQUARED_WINDOW,
    )
    return (
        *_figures(returns, inputs, forecast, len(oos_r_squared.r_squared)),
        oos_r_squared.r_squared,
        oos_r_squared.n_obs,
    )


def _figures(
    returns: FloatArray, inputs: har.Regressors, forecast: har.Forecast, n_dates: int
) -> Figures:
    """Return the figures of the last ``n_dates`` rows of the arguments."""
    month = metrics.realized_volatility(
        returns[-(n_dates + metrics.PERCENTILE_WINDOW + MONTH - 1) :],
        window=MONTH,
        min_obs=MIN_MONTH_OBS,
    )
    quarter = metrics.realized_volatility(
        returns[-(n_dates + QUARTER - 1) :], window=QUARTER, min_obs=MIN_QUARTER_OBS
    )
    lags = metrics.absolute_volatility(returns[-(n_dates + MONTH - 1) :])
    rank = metrics.percentile_rank(month.volatility)
    inputs = har.Regressors._make(values[-n_dates:] for values in inputs)
    forecast = har.Forecast._make(values[-n_dates:] for values in forecast)
    realized = month.volatility[-n_dates:]
    trend = metrics.volatility_trend(forecast.volatility_forecast, realized)
    year_returns = returns[-(n_dates + har.LEVEL_WINDOW - 1) :]
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
        ewma_94=metrics.ewma_volatility(year_returns, decay=0.94),
        ewma_97=metrics.ewma_volatility(year_returns, decay=0.97),
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


def estimate_portfolio_volatility(
    valuation: Valuation,
    returns: panels.Returns,
    ranges: pd.DataFrame,
    market: str,
    versions: ModelVersions,
) -> PortfolioVolatility:
    """Estimate realized and forecast volatility of pro-forma portfolio returns.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    returns : Returns
        Returns of the PORTFOLIO_WINDOW sessions that end on each of them.
    ranges : DataFrame
        Range proxies of the same sessions, of symbols that are the only underlying of a portfolio
        (`Valuation.single_underlying`). Its range is that of the symbol, scaled by its exposure;
        the range of several symbols is unknown.
    market : str
        Symbol of the market index, whose volatility is a regressor.
    versions : ModelVersions
        Model versions; a day uses the version known on it.

    Notes
    -----
    This is not the mean of position volatilities, which would ignore diversification. Everything is
    measured on changes of value, and divided by equity at the end.
    """
    market_returns, version = returns.column(market), versions.version_on(valuation.sessions)
    single_underlying = valuation.single_underlying(ranges.columns)
    exposure = np.abs(valuation.sum_by_portfolio(valuation.exposures))
    # column -1 is missing
    daily_ranges = np.column_stack([ranges.to_numpy(), np.full(len(ranges), np.nan)])
    changes = pro_forma_windows(valuation, returns, PORTFOLIO_WINDOW, in_currency=True)
    columns = valuation.underlying_columns(returns.frame.columns)
    figures, coverage, n_covered, n_thin = [], [], [], []
    year = slice(-har.LEVEL_WINDOW, None)
    for window, column in zip(changes, columns, strict=True):
        d, series = window.day, window.series
        rows = slice(d + PORTFOLIO_WINDOW - har.LEVEL_WINDOW, d + PORTFOLIO_WINDOW)
        own = None
        if len(ranges.columns):
            own = exposure[:, d] * daily_ranges[rows][:, single_underlying[:, d]]
        inputs = har.build_regressors(series[year], market_returns[rows], own)
        forecast = har.forecast(inputs, versions.coefficients, version[d : d + 1])
        figures.append(_figures(series, inputs, forecast, 1))
        covered = window.coverage[year] * valuation.priced_share[:, d]
        coverage.append(covered.mean(axis=0))
        n_thin.append(_count_thin_coverage_sessions(covered))
        n_covered.append(_count_covered(valuation, d, column, window.symbol_returns[year]))
    in_currency = Figures._make(np.concatenate(days).T for days in zip(*figures, strict=True))
    return PortfolioVolatility(
        figures=_divide_by_equity(in_currency, valuation.risk_denominator),
        root_variance_amount=in_currency.root_variance_forecast,
        coverage=np.stack(coverage, axis=1),
        n_covered=np.stack(n_covered, axis=1),
        n_thin=np.stack(n_thin, axis=1).astype(float),
        versions=versions,
    )


def _count_thin_coverage_sessions(covered: FloatArray) -> IntArray:
    """Count each portfolio's thin sessions, (P,), in covered shares of gross exposure (T, P)."""
    is_thin = meets_minimum(covered, MIN_COVERAGE) & ~meets_minimum(covered, THIN_COVERAGE)
    n_thin: IntArray = is_thin.sum(axis=0)
    return n_thin


def _count_covered(
    valuation: Valuation, d: int, column: IntArray, returns: FloatArray
) -> FloatArray:
    """Count each portfolio's instruments on day ``d`` with enough ``returns`` (T, S), (P,).

    ``column`` is each instrument's column of ``returns``, -1 if it has none.
    """
    enough = np.isfinite(returns).sum(axis=0) >= har.MIN_LEVEL_OBS
    return valuation.sum_by_portfolio(
        (valuation.is_held[:, d] & (column >= 0) & enough[column])[:, None]
    )[:, 0]


def _divide_by_equity(in_currency: Figures, equity: FloatArray) -> Figures:
    """Divide figures of changes of value by ``equity``, (P, D); NaN where it is NaN."""
    is_defined = np.isfinite(equity)
    scaled = {name: getattr(in_currency, name) / equity for name in _SCALED_BY_EQUITY}
    kept = {name: np.where(is_defined, getattr(in_currency, name), np.nan) for name in _SCALE_FREE}
    return in_currency._replace(**scaled, **kept)
