"""Recalculated rows of volatility and volatility forecasts."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.catalog.volatility import FIGURES
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import delta_holdings
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_figures import (
    forecast_volatility,
    portfolio_figures,
    portfolio_inputs,
    symbol_figures,
    symbol_inputs,
)
from riskmetrics.metrics import har
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results.portfolio_volatility_results import PORTFOLIO_WINDOW, THIN_COVERAGE
from riskmetrics.results.volatility_results import SYMBOL_WINDOW

_PANDAS_METHOD = (
    "pandas over the source returns, scipy for the percentile and the normal distribution"
)


def _window(n_sessions: int, day: date) -> tuple[date, date]:
    return trading_calendar.previous_session(day, n_sessions - 1), day


_INPUT_FIGURES = (
    *("level", "ratio", "x day", "x week", "x month", "x market"),
    *("proxy", "coefficients_version"),
)
_SCALED_BY_ELASTICITY = {
    "realized_vol_21d": "realized_21d",
    "realized_vol_63d": "realized_63d",
    "vol_daily": "daily",
    "vol_weekly": "weekly",
    "vol_monthly": "monthly",
    "expected_vol_21d": "volatility_forecast",
}
_POSITION_NAMES = _SCALED_BY_ELASTICITY | {
    "vol_trend": "trend",
    "vol_trend_strength": "strength",
    "vol_percentile": "percentile",
    "observations": "observations",
    "model_r_squared": "oos_r_squared",
}
"""Column of `position_volatility` to the name in `volatility_figures`."""


_REALIZED_WINDOWS = {
    "realized_vol_21d": 21,
    "realized_volatility_21d": 21,
    "realized_vol_63d": 63,
    "realized_volatility_63d": 63,
}
"""Sessions of the columns that are standard deviations of the last returns."""


def _realized_windows(
    returns: "pd.Series[float]", inputs: Mapping[str, Any], day: date
) -> dict[str, Recalculation]:
    """Return inputs, window and observations of each column of realized volatility."""
    return {
        column: Recalculation(
            {}, inputs, _window(n_sessions, day), int(returns.iloc[-n_sessions:].count())
        )
        for column, n_sessions in _REALIZED_WINDOWS.items()
    }


def _forecast_inputs(found: "Mapping[str, Any] | pd.Series[Any]") -> dict[str, Any]:
    return {name: found[name] for name in _INPUT_FIGURES}


def _recalculate_position(sources: SourceRows, row: Row) -> Recalculation:
    symbol, scale, inputs = row["symbol"], 1.0, {"symbol": row["symbol"]}
    if not sources.is_listed(row["position_id"]):
        options, scale = sources.options, math.nan
        if str(row["position_id"]) in options.index:
            (option,) = options.loc[[str(row["position_id"])]].to_dict("records")
            symbol, value = option["underlying_symbol"], float(option["value"])
            inputs["underlying"] = symbol
            if value > 0:
                scale = abs(option["delta"]) * option["underlying_price"] / value
    if math.isnan(scale):
        return Recalculation(dict.fromkeys(_POSITION_NAMES) | {"observations": 0}, inputs)
    found = symbol_figures(sources, symbol)
    values = {column: found[name] for column, name in _POSITION_NAMES.items()}
    for name in _SCALED_BY_ELASTICITY:
        values[name] *= scale
    inputs = {"symbol": symbol} | (
        {} if scale == 1.0 else {"|delta| * price of the underlying / value": scale}
    )
    return Recalculation(
        values,
        inputs | _forecast_inputs(found),
        _window(SYMBOL_WINDOW, sources.day),
        found["observations"],
        _realized_windows(symbol_inputs(sources, symbol).returns, inputs, sources.day),
    )


def _recalculate_forecast(sources: SourceRows, row: Row) -> Recalculation:
    if row["portfolio_id"] is None:
        found = symbol_figures(sources, row["subject"])
        thin, length = None, SYMBOL_WINDOW
    else:
        found = portfolio_figures(sources)
        thin, length = _count_thin_sessions(sources), PORTFOLIO_WINDOW
    columns = (
        *("volatility_forecast", "root_variance_forecast", "low", "high", "rise_probability"),
        *("ewma_94", "ewma_97", "observations", "proxy", "coefficients_version"),
    )
    flags = ("clipped", "short_history", "daily_lag_imputed")
    values = {
        **{name: found[name] for name in columns},
        **{name: bool(found[name]) for name in flags},
        "in_sample": bool(sources.har_versions.is_in_sample([sources.day])[0]),
        "trailing_21d": found["realized_21d"],
        "thin_coverage_sessions": thin,
    }
    window = _window(length, sources.day)
    return Recalculation(values, _forecast_inputs(found), window, found["observations"])


def _count_thin_sessions(sources: SourceRows) -> int:
    """Count the sessions of a year on which the coverage is just large enough."""
    _, own, _ = portfolio_inputs(sources)
    share = (own["coverage"] * delta_holdings(sources).price_coverage).to_numpy(float)
    is_thin = meets_minimum(share, MIN_COVERAGE) & ~meets_minimum(share, THIN_COVERAGE)
    return int(is_thin[-har.LEVEL_WINDOW :].sum())


def _recalculate_horizon(sources: SourceRows, row: Row) -> Recalculation:
    if row["portfolio_id"] is None:
        inputs, is_defined = symbol_inputs(sources, row["subject"]), True
    else:
        inputs, _, _ = portfolio_inputs(sources)
        holdings = delta_holdings(sources)
        is_defined = not math.isnan(holdings.weight_denominator)
    last = forecast_volatility(sources, inputs, row["horizon"]).iloc[-1]
    columns = ("volatility_forecast", "root_variance_forecast", "low", "high")
    values = {name: float(last[name]) if is_defined else math.nan for name in columns}
    length = SYMBOL_WINDOW if row["portfolio_id"] is None else PORTFOLIO_WINDOW
    return Recalculation(
        values,
        _forecast_inputs(last),
        _window(length, sources.day),
        int(last["observations"]),
    )


_SNAPSHOT_NAMES = {
    "realized_volatility_21d": "realized_21d",
    "realized_volatility_63d": "realized_63d",
    "expected_volatility_21d": "volatility_forecast",
    "volatility_trend": "trend",
    "volatility_percentile": "percentile",
}
"""Column of a snapshot to the name in `volatility_figures`."""


def _recalculate_snapshot(sources: SourceRows, _: Row) -> Recalculation:
    found = portfolio_figures(sources)
    values = {column: found[name] for column, name in _SNAPSHOT_NAMES.items()}
    return Recalculation(
        values,
        _forecast_inputs(found),
        _window(PORTFOLIO_WINDOW, sources.day),
        found["observations"],
        _realized_windows(portfolio_inputs(sources)[0].returns, {}, sources.day),
    )


METRIC_GROUPS = [
    MetricGroup(tables.position_volatility, _PANDAS_METHOD, _recalculate_position),
    MetricGroup(tables.volatility_forecasts, _PANDAS_METHOD, _recalculate_forecast),
    MetricGroup(tables.volatility_horizon_forecasts, _PANDAS_METHOD, _recalculate_horizon),
    MetricGroup(tables.portfolio_snapshots, _PANDAS_METHOD, _recalculate_snapshot, FIGURES),
]
