"""Recalculated rows of volatility, volatility forecasts and forecast scores."""

import math
from datetime import date
from typing import Any

import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import pro_forma_returns, value_holdings
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_figures import (
    annualized_rms,
    portfolio_figures,
    portfolio_inputs,
    symbol_inputs,
    volatility_figures,
)
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as method
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results.volatility_results import PORTFOLIO_WINDOW, SYMBOL_WINDOW, THIN_COVERAGE

_PANDAS_METHOD = (
    "pandas over the source returns, scipy for the percentile and the normal distribution"
)


def _first_and_last_day(n_sessions: int, day: date) -> tuple[date, date]:
    return trading_calendar.previous_session(day, n_sessions - 1), day


_INPUT_FIGURES = (
    "level",
    "ratio",
    "x day",
    "x week",
    "x month",
    "x market",
    "proxy",
    "coefficients",
)


def _forecast_inputs(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _INPUT_FIGURES}


def _recompute_position(sources: SourceRows, row: Row) -> Recalculation:
    names = {
        "realized_vol_21d": "realized_21d",
        "realized_vol_63d": "realized_63d",
        "vol_daily": "daily",
        "vol_weekly": "weekly",
        "vol_monthly": "monthly",
        "expected_vol_21d": "volatility_forecast",
        "vol_trend": "trend",
        "vol_trend_strength": "strength",
        "vol_percentile": "percentile",
        "observations": "observations",
        "model_r_squared": "oos_r_squared",
    }
    if sources.is_listed(row["position_id"]):
        symbol, scale = row["symbol"], 1.0
    else:
        options = sources.options
        if str(row["position_id"]) not in options.index:
            return Recalculation(
                dict.fromkeys(names) | {"observations": 0}, {"symbol": row["symbol"]}
            )
        (option,) = options.loc[[str(row["position_id"])]].to_dict("records")
        symbol, value = option["underlying_symbol"], float(option["value"])
        scale = abs(option["delta"]) * option["underlying_price"] / value if value > 0 else math.nan
    if math.isnan(scale):
        return Recalculation(
            dict.fromkeys(names) | {"observations": 0},
            {"symbol": row["symbol"], "underlying": symbol},
        )
    found = volatility_figures(sources, symbol_inputs(sources, symbol))
    values = {column: found[name] for column, name in names.items()}
    for name in (
        "realized_vol_21d",
        "realized_vol_63d",
        "vol_daily",
        "vol_weekly",
        "vol_monthly",
        "expected_vol_21d",
    ):
        values[name] *= scale
    inputs = {"symbol": symbol, **_forecast_inputs(found)} | (
        {} if scale == 1.0 else {"|delta| * price of the underlying / value": scale}
    )
    return Recalculation(
        values, inputs, _first_and_last_day(SYMBOL_WINDOW, sources.day), found["observations"]
    )


def _recompute_forecast(sources: SourceRows, row: Row) -> Recalculation:
    if row["portfolio_id"] is None:
        thin, length = None, SYMBOL_WINDOW
    else:
        _, own, _ = portfolio_inputs(sources)
        share, length = (
            own["coverage"].iloc[-har.LEVEL_WINDOW :]
            * value_holdings(sources, is_delta_adjusted=True).price_coverage,
            PORTFOLIO_WINDOW,
        )
        thin = int(
            (
                meets_minimum(share.to_numpy(float), MIN_COVERAGE)
                & ~meets_minimum(share.to_numpy(float), THIN_COVERAGE)
            ).sum()
        )
    found = (
        portfolio_figures(sources)
        if row["portfolio_id"]
        else volatility_figures(sources, symbol_inputs(sources, row["subject"]))
    )
    columns = (
        *(
            "volatility_forecast",
            "root_variance_forecast",
            "low",
            "high",
            "rise_probability",
            "ewma_94",
            "ewma_97",
            "observations",
            "proxy",
            "coefficients",
        ),
    )
    flags = {name: bool(found[name]) for name in ("clipped", "short_history", "daily_lag_imputed")}
    in_sample = sources.har_versions.is_in_sample([sources.day])[0]
    values = (
        {name: found[name] for name in columns}
        | flags
        | {"trailing_21d": found["realized_21d"], "thin_coverage_sessions": thin}
    )
    return Recalculation(
        values | {"in_sample": bool(in_sample)},
        _forecast_inputs(found),
        _first_and_last_day(length, sources.day),
        found["observations"],
    )


def _recompute_score(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate the realized volatility; the other columns are those of the stored forecast."""
    day, symbol = row["completed_on"], row["subject"]
    returns = (
        pro_forma_returns(sources, FORECAST_HORIZON, day)["return"]
        if row["portfolio_id"]
        else sources.returns([symbol], FORECAST_HORIZON, day)[symbol]
    )
    after = pd.Series(returns, dtype=float)
    realized = annualized_rms(
        after.rolling(FORECAST_HORIZON, min_periods=method.MIN_MONTH_OBS)
    ).iloc[-1]
    forecast = sources.forecast(row["subject"]) or {}
    kept = (
        "volatility_forecast",
        "root_variance_forecast",
        "trailing_21d",
        "ewma_94",
        "ewma_97",
        "low",
        "high",
        "coefficients",
        "in_sample",
    )
    values = {name: forecast.get(name) for name in kept} | {"realized": realized}
    values["completed_on"] = trading_calendar.sessions_with_lookback(
        [sources.day, trading_calendar.calendar_end()], 0
    )[FORECAST_HORIZON]
    return Recalculation(
        values,
        {"forecast of": sources.day},
        _first_and_last_day(FORECAST_HORIZON, day),
        int(after.count()),
    )


def _recompute_snapshot(sources: SourceRows, _: Row) -> Recalculation:
    found = portfolio_figures(sources)
    names = {
        "realized_volatility_21d": "realized_21d",
        "realized_volatility_63d": "realized_63d",
        "expected_volatility_21d": "volatility_forecast",
        "volatility_trend": "trend",
        "volatility_percentile": "percentile",
    }
    values = {column: found[name] for column, name in names.items()}
    return Recalculation(
        values,
        _forecast_inputs(found),
        _first_and_last_day(PORTFOLIO_WINDOW, sources.day),
        found["observations"],
    )


_REALIZED = "standard deviation (n - 1) of the last {} returns * sqrt(252); {} required"

_LAG = "mean of sqrt(pi / 2) * |r| over {} * sqrt(252)"

_EXPECTED = (
    "sqrt(252) * L * clip(b0 + b1 x day + b2 x week + b3 x month + b4 x market, 0.25, 6); L = mean"
    " of sqrt(pi / 2) * |r| over 252 sessions; x = means over 1, 5, 21 sessions of |r|, or of"
    " ln(high / low), and of the market's |r| over 21, each over its mean of 252"
)

_RISE = "Phi((ln(volatility_forecast / trailing 21 sessions) - 0.06) / 0.33)"

_TREND = f"increasing, decreasing or stable: p = {_RISE}, stable if |2p - 1| < 0.15"

_PERCENTILE = (
    "percentile of the 21-session volatility among its 252 previous values (ties count half)"
)

_OPTION_SUFFIX = "; options: * |delta| * price of the underlying / value"

_LEVEL_OBS = "returns in the last 252 sessions"

_STORED = "copied from volatility_forecasts of the day"

_POSITIONS = {
    "realized_vol_21d": _REALIZED.format(21, 15) + _OPTION_SUFFIX,
    "realized_vol_63d": _REALIZED.format(63, 45) + _OPTION_SUFFIX,
    "vol_daily": (
        _LAG.format("the last session with a return, at most 3 sessions old") + _OPTION_SUFFIX
    ),
    "vol_weekly": _LAG.format("5 sessions, 3 required") + _OPTION_SUFFIX,
    "vol_monthly": _LAG.format("21 sessions, 15 required") + _OPTION_SUFFIX,
    "expected_vol_21d": _EXPECTED + _OPTION_SUFFIX,
    "vol_trend": _TREND,
    "vol_trend_strength": f"|2p - 1|, p = {_RISE}",
    "vol_percentile": _PERCENTILE,
    "observations": _LEVEL_OBS,
    "model_r_squared": (
        "1 - SSE(forecasts) / SSE(trailing 21 sessions) over the last 252 completed forecasts, 126"
        " required"
    ),
}

_FORECAST = {
    "volatility_forecast": _EXPECTED,
    "root_variance_forecast": (
        "volatility_forecast * sqrt(1 + s²), s² the residual variance of the coefficients"
    ),
    "low": "volatility_forecast * exp(-0.45)",
    "high": "volatility_forecast * exp(0.36)",
    "rise_probability": _RISE,
    "trailing_21d": _REALIZED.format(21, 15),
    "ewma_94": "sqrt(252 * sum(0.94^k * r²) / sum(0.94^k)) over 252 sessions",
    "ewma_97": "sqrt(252 * sum(0.97^k * r²) / sum(0.97^k)) over 252 sessions",
    "observations": _LEVEL_OBS,
    "proxy": (
        "range_market if 95 % of the highs and lows of 252 sessions are valid, else close_market;"
        " close if the market is missing"
    ),
    "coefficients": "newest version whose last target is on or before the day, else the first",
    "in_sample": "whether the version's last target is after the day",
    "clipped": "whether the ratio is outside [0.25, 6]",
    "short_history": "whether L is based on 63 to 125 returns",
    "daily_lag_imputed": (
        "whether none of the last 4 sessions has a value, so that the month's mean replaces the"
        " day's"
    ),
    "thin_coverage_sessions": (
        "sessions of 252 on which 80 to 95 % of exposure has a return; NULL for symbols"
    ),
}

_SCORES = {
    "realized": (
        "sqrt(252 * mean(r²)) over the 21 sessions after the forecast, 15 required; portfolios:"
        " with the weights of the forecast's day"
    ),
    "completed_on": "the 21st session after the forecast",
    **dict.fromkeys(
        (
            "volatility_forecast",
            "root_variance_forecast",
            "trailing_21d",
            "ewma_94",
            "ewma_97",
            "low",
            "high",
            "coefficients",
            "in_sample",
        ),
        _STORED,
    ),
}

_SNAPSHOT = {
    "realized_volatility_21d": (
        _REALIZED.format(21, 15) + ", R = sum(exposure * r) / equity / coverage"
    ),
    "realized_volatility_63d": (
        _REALIZED.format(63, 45) + ", R = sum(exposure * r) / equity / coverage"
    ),
    "expected_volatility_21d": _EXPECTED + ", of R = sum(exposure * r) / equity / coverage",
    "volatility_trend": _TREND,
    "volatility_percentile": _PERCENTILE,
}

METRIC_GROUPS = [
    MetricGroup(tables.position_volatility, _POSITIONS, _PANDAS_METHOD, _recompute_position),
    MetricGroup(tables.volatility_forecasts, _FORECAST, _PANDAS_METHOD, _recompute_forecast),
    MetricGroup(
        tables.har_forecast_scores,
        _SCORES,
        "pandas over the source returns; forecasts are compared with the stored ones",
        _recompute_score,
    ),
    MetricGroup(tables.portfolio_snapshots, _SNAPSHOT, _PANDAS_METHOD, _recompute_snapshot),
]
