"""Independent calculation of volatility and its forecasts from source returns, with pandas."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_features import VolatilityInputs
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import IntArray
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.variance_correction import EWMA_DECAYS, FALLBACKS, Corrections
from riskmetrics.metrics.volatility import (
    ABSOLUTE_SCALE,
    LOG_ERROR_MEAN,
    LOG_ERROR_SD,
    MAX_DAILY_LAG_AGE,
    MIN_MONTH_OBS,
    MIN_TREND_STRENGTH,
    MIN_WEEK_OBS,
    MONTH,
    PERCENTILE_MIN_OBS,
    PERCENTILE_WINDOW,
    SESSIONS_PER_YEAR,
    WEEK,
)
from riskmetrics.results.model_versions import HorizonModels
from riskmetrics.results.portfolio_volatility_results import PORTFOLIO_WINDOW
from riskmetrics.results.volatility_results import (
    MIN_QUARTER_OBS,
    OOS_R_SQUARED_WINDOW,
    QUARTER,
    SYMBOL_WINDOW,
)

_ANNUALIZATION = math.sqrt(SESSIONS_PER_YEAR)

_MIN_SCORED_FORECASTS = 126

_REGRESSORS = ["constant", "day", "week", "month", "market"]

_EQUITY_FIGURES = (
    *("realized_21d", "realized_63d", "daily", "weekly", "monthly", "volatility_forecast"),
    *("root_variance_forecast", "low", "high"),
    *("ewma_94", "ewma_97", "rise_probability", "strength", "percentile"),
)
"""Figures that are undefined if a portfolio's equity is too small."""


_CORRECTED = (
    *("volatility_forecast", "root_variance_forecast", "low", "high"),
    *("rise_mean", "rise_sd"),
)


def _annualized_std(returns: "pd.Series[float]", window: int, min_obs: int) -> "pd.Series[float]":
    return returns.rolling(window, min_periods=min_obs).std() * _ANNUALIZATION


def forecast_volatility(
    sources: SourceRows,
    inputs: VolatilityInputs,
    horizon: int = FORECAST_HORIZON,
    n_sessions: int = 1,
) -> pd.DataFrame:
    """Return the point-in-time forecasts made on each of the last sessions."""
    x = inputs.regressors.iloc[-n_sessions:]
    which = sources.har_versions.version_on(pd.DatetimeIndex(x.index))
    models = sources.har_versions.models(horizon)
    chosen = [
        models.coefficients[version][name] for version, name in zip(which, x["proxy"], strict=True)
    ]
    weights = np.array([coefficients.weights for coefficients in chosen])
    ratio = (x[_REGRESSORS] * weights).sum(axis=1, skipna=False).mask(x["is_flat"])
    expected = _ANNUALIZATION * x["level"] * ratio.clip(har.MIN_RATIO, har.MAX_RATIO)
    n_obs = inputs.returns.rolling(har.LEVEL_WINDOW, min_periods=0).count().iloc[-n_sessions:]
    residual_variances = [coefficients.residual_variance for coefficients in chosen]
    return pd.DataFrame(
        {
            **_corrections(inputs, models, which, expected, residual_variances),
            "observations": n_obs.astype(int),
            "coefficients_version": [sources.har_versions.names[version] for version in which],
            "clipped": (ratio < har.MIN_RATIO) | (ratio > har.MAX_RATIO),
            "short_history": n_obs.between(har.MIN_LEVEL_OBS, har.FULL_LEVEL_OBS - 1),
            **x[["proxy", "daily_lag_imputed", "level"]],
            "ratio": ratio,
            **x[_REGRESSORS[1:]].add_prefix("x "),
        }
    )


def _corrections(
    inputs: VolatilityInputs,
    models: HorizonModels,
    which: IntArray,
    expected: "pd.Series[float]",
    residual_variances: list[float],
) -> pd.DataFrame:
    """Return the columns _CORRECTED by session, NaN where the version has no such horizon."""
    rows = inputs.features.loc[expected.index].to_dict("records")
    days = zip(
        which, rows, expected, residual_variances, _ewma_ratios(inputs, expected), strict=True
    )
    corrections = [
        _correction_of_day(
            models.corrections[version], row, forecast, residual, inputs.series_class, ewma
        )
        if models.is_known[version]
        else dict.fromkeys(_CORRECTED, math.nan)
        for version, row, forecast, residual, ewma in days
    ]
    return pd.DataFrame(corrections, index=expected.index)


def _correction_of_day(
    known: Corrections,
    row: dict[Any, Any],
    expected: float,
    residual_variance: float,
    series_class: str,
    ewma_ratios: tuple[float, ...],
) -> dict[str, float]:
    """Return a day's forecast, interval and parameters of the probability of a rise."""
    if not known:
        low, high = har.INTERVAL_MULTIPLIERS
        numbers = (1.0, math.sqrt(1.0 + residual_variance), low, high)
        rise = LOG_ERROR_MEAN, LOG_ERROR_SD
    else:
        uses_bars = row["uses_bars"] and "bars" in known
        with_bars = "bars" if series_class == "stock" else "diversified_bars"
        name = with_bars if uses_bars else series_class
        chosen = known.get(name) or known[FALLBACKS[name]]
        values = (
            row["bar_season" if uses_bars else "close_season"],
            row["quarter"],
            row["range_level"] if uses_bars else math.nan,
        )
        log_variance = chosen.constant
        for at, value in enumerate(values):
            center = chosen.centers[at]
            bounded = min(
                max(center if math.isnan(value) else value, chosen.lowest[at]), chosen.highest[at]
            )
            log_variance += chosen.weights[at] * (bounded - center)
        variance = (1.0 - sum(chosen.ewma_weights)) * math.exp(log_variance)
        for weight, ewma in zip(chosen.ewma_weights, ewma_ratios, strict=True):
            variance += weight * ewma**2 if weight > 0 else 0.0
        root = math.sqrt(variance)
        volatility = root * chosen.volatility_ratio
        numbers = (volatility, root, volatility * chosen.low, volatility * chosen.high)
        rise = chosen.rise_mean, chosen.rise_sd
    scaled = {name: expected * number for name, number in zip(_CORRECTED[:4], numbers, strict=True)}
    return scaled | {"rise_mean": rise[0], "rise_sd": rise[1]}


def volatility_figures(sources: SourceRows, inputs: VolatilityInputs) -> dict[str, Any]:
    """Measure and forecast the volatility of a series on its last session."""
    from scipy import stats

    month = _annualized_std(inputs.returns, MONTH, MIN_MONTH_OBS)
    scored = FORECAST_HORIZON + OOS_R_SQUARED_WINDOW
    forecast_rows = forecast_volatility(sources, inputs, n_sessions=scored)
    last = {
        str(name): value.item() if hasattr(value, "item") else value
        for name, value in forecast_rows.iloc[-1].items()
    }
    today, earlier = float(month.iloc[-1]), month.iloc[-1 - PERCENTILE_WINDOW : -1].dropna()
    enough = not math.isnan(today) and len(earlier) >= PERCENTILE_MIN_OBS
    absolute = ABSOLUTE_SCALE * inputs.returns.abs() * _ANNUALIZATION
    ratio = last["volatility_forecast"] / today if today > 0 else math.nan
    rise_probability = (
        float(stats.norm.cdf(math.log(ratio), last["rise_mean"], last["rise_sd"]))
        if ratio > 0
        else math.nan
    )
    return last | {
        "realized_21d": today,
        "realized_63d": float(_annualized_std(inputs.returns, QUARTER, MIN_QUARTER_OBS).iloc[-1]),
        "daily": float(absolute.ffill(limit=MAX_DAILY_LAG_AGE).iloc[-1]),
        "weekly": float(absolute.rolling(WEEK, min_periods=MIN_WEEK_OBS).mean().iloc[-1]),
        "monthly": float(absolute.rolling(MONTH, min_periods=MIN_MONTH_OBS).mean().iloc[-1]),
        "percentile": (
            stats.percentileofscore(earlier, today, kind="mean") / 100 if enough else math.nan
        ),
        "rise_probability": rise_probability,
        "strength": abs(2 * rise_probability - 1),
        "trend": None if math.isnan(rise_probability) else _trend(rise_probability),
        "ewma_94": _ewma(inputs.returns, 0.94),
        "ewma_97": _ewma(inputs.returns, 0.97),
        "oos_r_squared": _oos_r_squared(
            inputs.returns, forecast_rows["volatility_forecast"], month
        ),
    }


def _ewma_ratios(inputs: VolatilityInputs, expected: "pd.Series[float]") -> list[tuple[float, ...]]:
    """Return the EWMA volatilities over the regression's forecast by session; of symbols, NaN."""
    if inputs.series_class != "portfolio":
        return [(math.nan,) * len(EWMA_DECAYS)] * len(expected)
    return [
        tuple(_ewma(inputs.returns.loc[:day], decay) / forecast for decay in EWMA_DECAYS)
        for day, forecast in expected.items()
    ]


def _trend(rise_probability: float) -> str:
    if abs(2 * rise_probability - 1) < MIN_TREND_STRENGTH:
        return "stable"
    return "increasing" if rise_probability > 0.5 else "decreasing"


def _ewma(returns: "pd.Series[float]", decay: float) -> float:
    """Return the annualized EWMA volatility over 252 sessions, ignoring missing returns."""
    year = returns.iloc[-har.LEVEL_WINDOW :].to_numpy(float)
    is_known = np.isfinite(year)
    weights = decay ** np.arange(len(year))[::-1]
    return (
        _ANNUALIZATION * math.sqrt(np.average(year[is_known] ** 2, weights=weights[is_known]))
        if is_known.sum() >= har.MIN_LEVEL_OBS
        else math.nan
    )


def _oos_r_squared(
    returns: "pd.Series[float]", expected: "pd.Series[float]", trailing: "pd.Series[float]"
) -> float:
    """Return out-of-sample R² of the last 252 completed forecasts against trailing volatility."""
    followed = annualized_rms(returns.rolling(FORECAST_HORIZON, min_periods=MIN_MONTH_OBS)).shift(
        -FORECAST_HORIZON
    )
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


@compute_once
def symbol_figures(sources: SourceRows, symbol: str) -> dict[str, Any]:
    """Measure and forecast a symbol's volatility."""
    return volatility_figures(sources, symbol_inputs(sources, symbol))


@compute_once
def symbol_inputs(sources: SourceRows, symbol: str) -> VolatilityInputs:
    """Return the input series of a symbol's volatility figures."""
    bars = sources.daily_bars(symbol, SYMBOL_WINDOW)
    returns = sources.returns([symbol], SYMBOL_WINDOW)[symbol]
    return VolatilityInputs(
        returns,
        sources.index_returns(sources.market, SYMBOL_WINDOW),
        _range_volatility(bars),
        _class_of_symbol(sources, symbol),
        returns,
        _overnight_returns(bars),
        bars["volume"].astype(float),
        sources.events(symbol),
    )


def _class_of_symbol(sources: SourceRows, symbol: str) -> str:
    return "diversified" if sources.is_fund(symbol) else "stock"


def _overnight_returns(bars: pd.DataFrame) -> "pd.Series[float]":
    ratio = (bars["open"] / bars["close"]).astype(float)
    return pd.Series(np.log(ratio.where(ratio > 0)), index=bars.index)


def _range_volatility(bars: pd.DataFrame) -> "pd.Series[float]":
    valid = (bars["low"] > 0) & (bars["high"] > bars["low"])
    ratio = (bars["high"] / bars["low"]).where(valid).astype(float)
    return pd.Series(np.log(ratio), index=bars.index) / (2 * math.sqrt(math.log(2)))


@compute_once
def portfolio_inputs(sources: SourceRows) -> tuple[VolatilityInputs, pd.DataFrame, float]:
    """Return a portfolio's input series, its pro-forma returns, and the money unit of the series.

    The unit is equity if it is large enough for weights, else 1; then only amounts are defined. A
    portfolio with a single underlying, long or short, uses its class, range and volume.
    """
    holdings = delta_holdings(sources)
    own = pro_forma_returns(sources, PORTFOLIO_WINDOW)
    unit = 1.0 if math.isnan(holdings.weight_denominator) else holdings.weight_denominator
    held, names = holdings.instruments, set(holdings.instruments["underlying"])
    missing = pd.Series(np.nan, index=own.index)
    changes = own["change"] / unit
    inputs = VolatilityInputs(
        changes,
        sources.index_returns(sources.market, PORTFOLIO_WINDOW),
        missing,
        series_class="portfolio",
        own_returns=changes,
        overnight=missing,
        volume=missing,
        events=pd.DataFrame(),
    )
    if len(names) == 1 and held["has_return_series"].all():
        (symbol,) = names
        bars = sources.daily_bars(symbol, PORTFOLIO_WINDOW)
        inputs = replace(
            inputs,
            range_volatility=abs(held["exposure"].sum()) / unit * _range_volatility(bars),
            series_class=_class_of_symbol(sources, symbol),
            own_returns=sources.returns([symbol], PORTFOLIO_WINDOW)[symbol],
            overnight=_overnight_returns(bars),
            volume=bars["volume"].astype(float),
            events=sources.events(symbol),
        )
    return inputs, own, unit


@compute_once
def portfolio_figures(sources: SourceRows) -> dict[str, Any]:
    """Measure and forecast a portfolio's volatility, as fractions of equity and in money.

    Fractions are NaN if equity is too small.
    """
    inputs, _, unit = portfolio_inputs(sources)
    found = volatility_figures(sources, inputs)
    in_money = {"root_variance_amount": found["root_variance_forecast"] * unit}
    if math.isnan(delta_holdings(sources).weight_denominator):
        found |= dict.fromkeys(_EQUITY_FIGURES, math.nan) | {"trend": None}
    return found | in_money
