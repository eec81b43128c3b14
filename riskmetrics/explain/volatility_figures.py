"""Independent calculation of volatility and its forecasts from source returns, with pandas."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.explain.portfolio_holdings import pro_forma_returns, value_holdings
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as method
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.results.volatility_results import (
    MIN_QUARTER_OBS,
    OOS_R_SQUARED_WINDOW,
    PORTFOLIO_WINDOW,
    QUARTER,
    SYMBOL_WINDOW,
)

_ANNUALIZATION = math.sqrt(method.SESSIONS_PER_YEAR)

_MIN_SCORED_FORECASTS = 126

_EQUITY_FIGURES = (
    *("realized_21d", "realized_63d", "daily", "weekly", "monthly", "volatility_forecast"),
    *("root_variance_forecast", "low", "high"),
    *("ewma_94", "ewma_97", "rise_probability", "strength", "percentile"),
)
"""Figures that are undefined if a portfolio's equity is too small."""


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
        {name: values / level.where(level > 0) for name, values in lags.items()}
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
            "volatility_forecast": expected,
            "root_variance_forecast": (
                expected
                * [math.sqrt(1.0 + coefficients.residual_variance) for coefficients in chosen]
            ),
            "observations": n_obs.astype(int),
            "proxy": proxy,
            "coefficients": [sources.har_versions.names[version] for version in which],
            "clipped": (ratio < har.MIN_RATIO) | (ratio > har.MAX_RATIO),
            "short_history": n_obs.between(har.MIN_LEVEL_OBS, har.FULL_LEVEL_OBS - 1),
            "daily_lag_imputed": replaced,
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
    ratio = last["volatility_forecast"] / today if today > 0 else math.nan
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
        "low": last["volatility_forecast"] * har.INTERVAL_MULTIPLIERS[0],
        "high": last["volatility_forecast"] * har.INTERVAL_MULTIPLIERS[1],
        "ewma_94": _ewma(inputs.returns, 0.94),
        "ewma_97": _ewma(inputs.returns, 0.97),
        "oos_r_squared": _oos_r_squared(
            inputs.returns, forecast_rows["volatility_forecast"], month
        ),
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
    followed = annualized_rms(
        returns.rolling(FORECAST_HORIZON, min_periods=method.MIN_MONTH_OBS)
    ).shift(-FORECAST_HORIZON)
    pairs = pd.DataFrame(
        {"volatility_forecast": expected, "trailing": trailing, "followed": followed}
    )
    pairs = pairs.iloc[-FORECAST_HORIZON - OOS_R_SQUARED_WINDOW : -FORECAST_HORIZON].dropna()
    errors = pairs[["volatility_forecast", "trailing"]].sub(pairs["followed"], axis=0).pow(2).sum()
    return (
        float(1 - errors["volatility_forecast"] / errors["trailing"])
        if len(pairs) >= _MIN_SCORED_FORECASTS and errors["trailing"] > 0
        else math.nan
    )


def annualized_rms(windows: Any) -> "pd.Series[float]":
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
    in_money = {"root_variance_amount": found["root_variance_forecast"] * unit}
    if math.isnan(value_holdings(sources, is_delta_adjusted=True).weight_denominator):
        found |= dict.fromkeys(_EQUITY_FIGURES, math.nan) | {"trend": None}
    return found | in_money
