"""Recalculated volatility, volatility forecasts and forecast scores."""

import math
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import pro_forma_returns, value_holdings
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as method
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results.volatility_results import (
    MIN_QUARTER_OBS,
    OOS_R_SQUARED_WINDOW,
    PORTFOLIO_WINDOW,
    QUARTER,
    SYMBOL_WINDOW,
    THIN_COVERAGE,
)

_ANNUALIZATION = math.sqrt(method.SESSIONS_PER_YEAR)
_MIN_SCORED_FORECASTS = 126
_EQUITY_FIGURES = (
    *(
        "realized_21d",
        "realized_63d",
        "daily",
        "weekly",
        "monthly",
        "expected",
        "risk",
        "low",
        "high",
    ),
    *("ewma_94", "ewma_97", "rise_probability", "strength", "percentile"),
)
"""Figures that are undefined if a portfolio's equity is too small."""

_PANDAS_METHOD = (
    "pandas over the source returns, scipy for the percentile and the normal distribution"
)


class VolatilityInputs(NamedTuple):
    """Input series of the volatility figures, one entry per session."""

    returns: "pd.Series[float]"
    market_returns: "pd.Series[float]"
    range_volatility: "pd.Series[float]"
    """Parkinson standard deviation of a session's range; NaN without a valid high and low."""


def _annualized_std(returns: "pd.Series[float]", window: int, min_obs: int) -> "pd.Series[float]":
    return returns.rolling(window, min_periods=min_obs).std() * _ANNUALIZATION


def _lag_ratios(values: "pd.Series[float]", min_obs: int) -> pd.DataFrame:
    """Return day, week and month means in units of the level, the mean over a year."""
    level = values.rolling(har.LEVEL_WINDOW, min_periods=min_obs).mean()
    lags = {
        "day": values.ffill(limit=method.MAX_DAILY_LAG_AGE),
        "week": values.rolling(method.WEEK, min_periods=method.MIN_WEEK_OBS).mean(),
        "month": values.rolling(method.MONTH, min_periods=method.MIN_MONTH_OBS).mean(),
    }
    return pd.DataFrame(
        {name: of / level.where(level > 0) for name, of in lags.items()}
        | {"level": level, "month_mean": lags["month"]}
    )


def forecast_volatility(sources: SourceRows, inputs: VolatilityInputs) -> pd.DataFrame:
    """Return the forecast for the next 21 sessions made on each session, point-in-time."""
    absolute = method.ABSOLUTE_SCALE * inputs.returns.abs()
    own, ranged = (
        _lag_ratios(absolute, har.MIN_LEVEL_OBS),
        _lag_ratios(inputs.range_volatility, har.MIN_RANGE_OBS),
    )
    market = _lag_ratios(method.ABSOLUTE_SCALE * inputs.market_returns.abs(), har.MIN_LEVEL_OBS)[
        "month"
    ]
    by_range = market.notna() & ranged["week"].notna() & ranged["month"].notna()
    ratios = own[["day", "week", "month"]].mask(by_range, ranged[["day", "week", "month"]])
    replaced = ratios["day"].isna() & ratios["month"].notna()
    proxy = (
        pd.Series("close_market", index=inputs.returns.index)
        .mask(by_range, "range_market")
        .mask(market.isna(), "close")
    )
    x = pd.DataFrame(
        {
            "constant": 1.0,
            "day": ratios["day"].mask(replaced, ratios["month"]),
            "week": ratios["week"],
            "month": ratios["month"],
            "market": market.where(proxy != "close", 0.0),
        }
    )
    which = sources.har_versions.version_on(pd.DatetimeIndex(inputs.returns.index))
    chosen = [
        sources.har_versions.coefficients[version][name]
        for version, name in zip(which, proxy, strict=True)
    ]
    ratio = (x * np.array([coefficients.weights for coefficients in chosen])).sum(
        axis=1, skipna=False
    )
    ratio = ratio.mask(own["month_mean"] == 0)
    expected = _ANNUALIZATION * own["level"] * ratio.clip(har.MIN_RATIO, har.MAX_RATIO)
    n_obs = inputs.returns.rolling(har.LEVEL_WINDOW, min_periods=0).count()
    return pd.DataFrame(
        {
            "expected": expected,
            "risk": (
                expected
                * [math.sqrt(1.0 + coefficients.residual_variance) for coefficients in chosen]
            ),
            "observations": n_obs.astype(int),
            "proxy": proxy,
            "coefficients": [sources.har_versions.names[version] for version in which],
            "clipped": (ratio < har.MIN_RATIO) | (ratio > har.MAX_RATIO),
            "short_history": n_obs.between(har.MIN_LEVEL_OBS, har.FULL_LEVEL_OBS - 1),
            "day_replaced": replaced,
            "level": own["level"],
            "ratio": ratio,
            **{f"x {name}": x[name] for name in ("day", "week", "month", "market")},
        }
    )


def volatility_figures(sources: SourceRows, inputs: VolatilityInputs) -> dict[str, Any]:
    """Measure and forecast the volatility of a series on its last session."""
    from scipy import stats

    month = _annualized_std(inputs.returns, method.MONTH, method.MIN_MONTH_OBS)
    forecast_rows = forecast_volatility(sources, inputs)
    last = {
        str(name): value.item() if hasattr(value, "item") else value
        for name, value in forecast_rows.iloc[-1].items()
    }
    today, earlier = float(month.iloc[-1]), month.iloc[-1 - method.PERCENTILE_WINDOW : -1].dropna()
    enough = not math.isnan(today) and len(earlier) >= method.PERCENTILE_MIN_OBS
    absolute = method.ABSOLUTE_SCALE * inputs.returns.abs() * _ANNUALIZATION
    ratio = last["expected"] / today if today > 0 else math.nan
    rise_probability = (
        float(stats.norm.cdf(math.log(ratio), method.LOG_ERROR_MEAN, method.LOG_ERROR_SD))
        if ratio > 0
        else math.nan
    )
    return last | {
        "realized_21d": today,
        "realized_63d": float(_annualized_std(inputs.returns, QUARTER, MIN_QUARTER_OBS).iloc[-1]),
        "daily": float(absolute.ffill(limit=method.MAX_DAILY_LAG_AGE).iloc[-1]),
        "weekly": float(
            absolute.rolling(method.WEEK, min_periods=method.MIN_WEEK_OBS).mean().iloc[-1]
        ),
        "monthly": float(
            absolute.rolling(method.MONTH, min_periods=method.MIN_MONTH_OBS).mean().iloc[-1]
        ),
        "percentile": (
            stats.percentileofscore(earlier, today, kind="mean") / 100 if enough else math.nan
        ),
        "rise_probability": rise_probability,
        "strength": abs(2 * rise_probability - 1),
        "trend": None if math.isnan(rise_probability) else _trend(rise_probability),
        "low": last["expected"] * har.INTERVAL_MULTIPLIERS[0],
        "high": last["expected"] * har.INTERVAL_MULTIPLIERS[1],
        "ewma_94": _ewma(inputs.returns, 0.94),
        "ewma_97": _ewma(inputs.returns, 0.97),
        "oos_r_squared": _oos_r_squared(inputs.returns, forecast_rows["expected"], month),
    }


def _trend(rise_probability: float) -> str:
    if abs(2 * rise_probability - 1) < method.MIN_TREND_STRENGTH:
        return "stable"
    return "increasing" if rise_probability > 0.5 else "decreasing"


def _ewma(returns: "pd.Series[float]", decay: float) -> float:
    """Return the annualized EWMA volatility over 252 sessions, ignoring missing returns."""
    year = returns.iloc[-har.LEVEL_WINDOW :].to_numpy(float)
    known = np.isfinite(year)
    weights = decay ** np.arange(len(year))[::-1]
    return (
        _ANNUALIZATION * math.sqrt(np.average(year[known] ** 2, weights=weights[known]))
        if known.sum() >= har.MIN_LEVEL_OBS
        else math.nan
    )


def _oos_r_squared(
    returns: "pd.Series[float]", expected: "pd.Series[float]", trailing: "pd.Series[float]"
) -> float:
    """Return out-of-sample R² of the last 252 completed forecasts against trailing volatility."""
    followed = _annualized_rms(
        returns.rolling(FORECAST_HORIZON, min_periods=method.MIN_MONTH_OBS)
    ).shift(-FORECAST_HORIZON)
    pairs = pd.DataFrame({"expected": expected, "trailing": trailing, "followed": followed})
    pairs = pairs.iloc[-FORECAST_HORIZON - OOS_R_SQUARED_WINDOW : -FORECAST_HORIZON].dropna()
    errors = pairs[["expected", "trailing"]].sub(pairs["followed"], axis=0).pow(2).sum()
    return (
        float(1 - errors["expected"] / errors["trailing"])
        if len(pairs) >= _MIN_SCORED_FORECASTS and errors["trailing"] > 0
        else math.nan
    )


def _annualized_rms(windows: Any) -> "pd.Series[float]":
    """Return the annualized root mean square of rolling windows of returns."""
    square: pd.Series[float] = windows.var(ddof=0) + windows.mean() ** 2
    return square.pow(0.5) * _ANNUALIZATION


def symbol_inputs(sources: SourceRows, symbol: str) -> VolatilityInputs:
    """Return the input series of a symbol's volatility figures."""
    bars = sources.highs_and_lows(symbol, SYMBOL_WINDOW)
    returns = sources.returns([symbol], SYMBOL_WINDOW)[symbol]
    return VolatilityInputs(
        returns, sources.index_returns(sources.market, SYMBOL_WINDOW), _range_volatility(bars)
    )


def _range_volatility(bars: pd.DataFrame) -> "pd.Series[float]":
    valid = (bars["low"] > 0) & (bars["high"] > bars["low"])
    ratio = (bars["high"] / bars["low"]).where(valid).astype(float)
    return pd.Series(np.log(ratio), index=bars.index) / (2 * math.sqrt(math.log(2)))


def portfolio_inputs(sources: SourceRows) -> tuple[VolatilityInputs, pd.DataFrame, float]:
    """Return a portfolio's input series, its pro-forma returns, and the money unit of the series.

    The unit is equity if it is large enough for weights, else 1; then only amounts are defined. A
    portfolio with a single underlying, long or short, uses the range of the underlying.
    """
    holdings = value_holdings(sources, is_delta_adjusted=True)
    own = pro_forma_returns(sources, PORTFOLIO_WINDOW)
    unit = 1.0 if math.isnan(holdings.weight_denominator) else holdings.weight_denominator
    held, names = holdings.instruments, set(holdings.instruments["underlying"])
    ranges = pd.Series(np.nan, index=own.index)
    if len(names) == 1 and held["has_return_series"].all():
        share = abs(held["exposure"].sum()) / unit
        ranges = share * _range_volatility(sources.highs_and_lows(names.pop(), PORTFOLIO_WINDOW))
    return (
        VolatilityInputs(
            own["change"] / unit, sources.index_returns(sources.market, PORTFOLIO_WINDOW), ranges
        ),
        own,
        unit,
    )


def portfolio_figures(sources: SourceRows) -> dict[str, Any]:
    """Measure and forecast a portfolio's volatility, as fractions of equity and in money.

    Fractions are NaN if equity is too small.
    """
    inputs, _, unit = portfolio_inputs(sources)
    found = volatility_figures(sources, inputs)
    in_money = {"risk_in_money": found["risk"] * unit}
    if math.isnan(value_holdings(sources, is_delta_adjusted=True).weight_denominator):
        found |= dict.fromkeys(_EQUITY_FIGURES, math.nan) | {"trend": None}
    return found | in_money


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
        "expected_vol_21d": "expected",
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
            "expected",
            "risk",
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
    flags = {name: bool(found[name]) for name in ("clipped", "short_history", "day_replaced")}
    in_sample = sources.har_versions.is_in_sample([sources.day])[0]
    values = (
        {name: found[name] for name in columns}
        | flags
        | {"trailing_21d": found["realized_21d"], "thin_sessions": thin}
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
    realized = _annualized_rms(
        after.rolling(FORECAST_HORIZON, min_periods=method.MIN_MONTH_OBS)
    ).iloc[-1]
    forecast = sources.forecast(row["subject"]) or {}
    kept = (
        "expected",
        "risk",
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
        "expected_volatility_21d": "expected",
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
_RISE = "Phi((ln(expected / trailing 21 sessions) - 0.06) / 0.33)"
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
    "expected": _EXPECTED,
    "risk": "expected * sqrt(1 + s²), s² the residual variance of the coefficients",
    "low": "expected * exp(-0.45)",
    "high": "expected * exp(0.36)",
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
    "day_replaced": (
        "whether none of the last 4 sessions has a value, so that the month's mean replaces the"
        " day's"
    ),
    "thin_sessions": (
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
            "expected",
            "risk",
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
