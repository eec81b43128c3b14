"""Volatility that was, that is expected, and what became of expectations: by pandas over the source returns of one series."""

import math
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.book import book, series
from riskmetrics.explain.evidence import Chapter, Evidence, Row
from riskmetrics.explain.sources import Sources
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as method
from riskmetrics.metrics.forecast_score import HORIZON
from riskmetrics.metrics.minimums import MIN_COVERAGE, reaches
from riskmetrics.results.volatility import MIN_QUARTER, PORTFOLIO_WINDOW, QUARTER, SKILL_WINDOW, SYMBOL_WINDOW, THIN

_YEAR = math.sqrt(method.SESSIONS_PER_YEAR)
_MIN_SKILL = 126
_OF_EQUITY = (
    *("realized_21d", "realized_63d", "daily", "weekly", "monthly", "expected", "risk", "low", "high"),
    *("ewma_94", "ewma_97", "rise_probability", "strength", "percentile"),
)
"""Figures that a portfolio has only where its equity is large enough."""

_PANDAS = "pandas over the source returns, scipy for the percentile and the normal distribution"


class Series(NamedTuple):
    """What volatility is measured of, one entry per session."""

    returns: "pd.Series[float]"
    market: "pd.Series[float]"
    ranges: "pd.Series[float]"
    """Standard deviation of a session by its high and low; NaN where they say nothing."""


def _deviation(returns: "pd.Series[float]", window: int, needed: int) -> "pd.Series[float]":
    return returns.rolling(window, min_periods=needed).std() * _YEAR


def _ratios(values: "pd.Series[float]", needed: int) -> pd.DataFrame:
    """Means over a day, a week and a month in units of the mean of the year, the level."""
    level = values.rolling(har.LEVEL_WINDOW, min_periods=needed).mean()
    lags = {
        "day": values.ffill(limit=method.MAX_AGE),
        "week": values.rolling(method.WEEK, min_periods=method.MIN_WEEK).mean(),
        "month": values.rolling(method.MONTH, min_periods=method.MIN_MONTH).mean(),
    }
    return pd.DataFrame({name: of / level.where(level > 0) for name, of in lags.items()} | {"level": level, "month_mean": lags["month"]})


def forecasts(sources: Sources, of: Series) -> pd.DataFrame:
    """Forecast the next 21 sessions from each session, by the coefficients known on it."""
    absolute = method.ABSOLUTE_SCALE * of.returns.abs()
    own, ranged = _ratios(absolute, har.MIN_LEVEL_OBS), _ratios(of.ranges, har.MIN_RANGES)
    market = _ratios(method.ABSOLUTE_SCALE * of.market.abs(), har.MIN_LEVEL_OBS)["month"]
    by_range = market.notna() & ranged["week"].notna() & ranged["month"].notna()
    ratios = own[["day", "week", "month"]].mask(by_range, ranged[["day", "week", "month"]])
    replaced = ratios["day"].isna() & ratios["month"].notna()
    proxy = pd.Series("close_market", index=of.returns.index).mask(by_range, "range_market").mask(market.isna(), "close")
    x = pd.DataFrame(
        {
            "constant": 1.0,
            "day": ratios["day"].mask(replaced, ratios["month"]),
            "week": ratios["week"],
            "month": ratios["month"],
            "market": market.where(proxy != "close", 0.0),
        }
    )
    which = sources.model.on(pd.DatetimeIndex(of.returns.index))
    chosen = [sources.model.coefficients[version][name] for version, name in zip(which, proxy, strict=True)]
    ratio = (x * np.array([coefficients.weights for coefficients in chosen])).sum(axis=1, skipna=False)
    ratio = ratio.mask(own["month_mean"] == 0)
    expected = _YEAR * own["level"] * ratio.clip(har.MIN_RATIO, har.MAX_RATIO)
    n_obs = of.returns.rolling(har.LEVEL_WINDOW, min_periods=0).count()
    return pd.DataFrame(
        {
            "expected": expected,
            "risk": expected * [math.sqrt(1.0 + coefficients.residual_variance) for coefficients in chosen],
            "observations": n_obs.astype(int),
            "proxy": proxy,
            "coefficients": [sources.model.names[version] for version in which],
            "clipped": (ratio < har.MIN_RATIO) | (ratio > har.MAX_RATIO),
            "short_history": n_obs.between(har.MIN_LEVEL_OBS, har.FULL_LEVEL_OBS - 1),
            "day_replaced": replaced,
            "level": own["level"],
            "ratio": ratio,
            **{f"x {name}": x[name] for name in ("day", "week", "month", "market")},
        }
    )


def figures(sources: Sources, of: Series) -> dict[str, Any]:
    """Measure and forecast the volatility of a series on its last session."""
    from scipy import stats

    month = _deviation(of.returns, method.MONTH, method.MIN_MONTH)
    made = forecasts(sources, of)
    last = {str(name): value.item() if hasattr(value, "item") else value for name, value in made.iloc[-1].items()}
    today, earlier = float(month.iloc[-1]), month.iloc[-1 - method.PERCENTILE_WINDOW : -1].dropna()
    enough = not math.isnan(today) and len(earlier) >= method.PERCENTILE_MIN_OBS
    absolute = method.ABSOLUTE_SCALE * of.returns.abs() * _YEAR
    ratio = last["expected"] / today if today > 0 else math.nan
    rise = float(stats.norm.cdf(math.log(ratio), method.LOG_ERROR_MEAN, method.LOG_ERROR_SD)) if ratio > 0 else math.nan
    return last | {
        "realized_21d": today,
        "realized_63d": float(_deviation(of.returns, QUARTER, MIN_QUARTER).iloc[-1]),
        "daily": float(absolute.ffill(limit=method.MAX_AGE).iloc[-1]),
        "weekly": float(absolute.rolling(method.WEEK, min_periods=method.MIN_WEEK).mean().iloc[-1]),
        "monthly": float(absolute.rolling(method.MONTH, min_periods=method.MIN_MONTH).mean().iloc[-1]),
        "percentile": stats.percentileofscore(earlier, today, kind="mean") / 100 if enough else math.nan,
        "rise_probability": rise,
        "strength": abs(2 * rise - 1),
        "trend": None if math.isnan(rise) else _trend(rise),
        "low": last["expected"] * har.BAND[0],
        "high": last["expected"] * har.BAND[1],
        "ewma_94": _ewma(of.returns, 0.94),
        "ewma_97": _ewma(of.returns, 0.97),
        "skill": _skill(of.returns, made["expected"], month),
    }


def _trend(rise: float) -> str:
    if abs(2 * rise - 1) < method.STABLE_BELOW:
        return "stable"
    return "increasing" if rise > 0.5 else "decreasing"


def _ewma(returns: "pd.Series[float]", decay: float) -> float:
    """Root of the weighted mean square over 252 sessions; the weights of sessions without a return fall away."""
    year = returns.iloc[-har.LEVEL_WINDOW :].to_numpy(float)
    known = np.isfinite(year)
    weights = decay ** np.arange(len(year))[::-1]
    return _YEAR * math.sqrt(np.average(year[known] ** 2, weights=weights[known])) if known.sum() >= har.MIN_LEVEL_OBS else math.nan


def _skill(returns: "pd.Series[float]", expected: "pd.Series[float]", trailing: "pd.Series[float]") -> float:
    """Share of the squared error of trailing volatility that the last 252 completed forecasts avoided."""
    followed = _root_mean_square(returns.rolling(HORIZON, min_periods=method.MIN_MONTH)).shift(-HORIZON)
    pairs = pd.DataFrame({"expected": expected, "trailing": trailing, "followed": followed})
    pairs = pairs.iloc[-HORIZON - SKILL_WINDOW : -HORIZON].dropna()
    errors = pairs[["expected", "trailing"]].sub(pairs["followed"], axis=0).pow(2).sum()
    return float(1 - errors["expected"] / errors["trailing"]) if len(pairs) >= _MIN_SKILL and errors["trailing"] > 0 else math.nan


def _root_mean_square(windows: Any) -> "pd.Series[float]":
    """Of returns, annualized: their variance about zero is that about the mean and the square of the mean."""
    square: pd.Series[float] = windows.var(ddof=0) + windows.mean() ** 2
    return square.pow(0.5) * _YEAR


def of_symbol(sources: Sources, symbol: str) -> Series:
    """Return the series that a symbol's figures are made of."""
    bars = sources.highs_and_lows(symbol, SYMBOL_WINDOW)
    returns = sources.returns([symbol], SYMBOL_WINDOW)[symbol]
    return Series(returns, sources.index_returns(sources.market, SYMBOL_WINDOW), _ranges(bars))


def _ranges(bars: pd.DataFrame) -> "pd.Series[float]":
    valid = (bars["low"] > 0) & (bars["high"] > bars["low"])
    ratio = (bars["high"] / bars["low"]).where(valid).astype(float)
    return pd.Series(np.log(ratio), index=bars.index) / (2 * math.sqrt(math.log(2)))


def of_portfolio(sources: Sources) -> tuple[Series, pd.DataFrame, float]:
    """Return the series that a portfolio's figures are made of, with the coverage of each session, and the money that 1 of it is.

    That is equity where weights can be taken of it, else 1: then only figures in money are defined.

    One that holds, long or short, a single underlying has its range.
    """
    of = book(sources, by_delta=True)
    own = series(sources, PORTFOLIO_WINDOW)
    unit = 1.0 if math.isnan(of.base) else of.base
    held, names = of.instruments, set(of.instruments["underlying"])
    ranges = pd.Series(np.nan, index=own.index)
    if len(names) == 1 and held["follows"].all():
        share = abs(held["exposure"].sum()) / unit
        ranges = share * _ranges(sources.highs_and_lows(names.pop(), PORTFOLIO_WINDOW))
    return Series(own["change"] / unit, sources.index_returns(sources.market, PORTFOLIO_WINDOW), ranges), own, unit


def figures_of_portfolio(sources: Sources) -> dict[str, Any]:
    """Measure and forecast a portfolio's volatility, with risk_in_money; what is of equity is undefined where that is too small."""
    of, _, unit = of_portfolio(sources)
    found = figures(sources, of)
    in_money = {"risk_in_money": found["risk"] * unit}
    if math.isnan(book(sources, by_delta=True).base):
        found |= dict.fromkeys(_OF_EQUITY, math.nan) | {"trend": None}
    return found | in_money


def _window(sessions: int, day: date) -> tuple[date, date]:
    return trading_calendar.previous(day, sessions - 1), day


_INPUTS = ("level", "ratio", "x day", "x week", "x month", "x market", "proxy", "coefficients")


def _inputs(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _INPUTS}


def _position(sources: Sources, row: Row) -> Evidence:
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
        "model_r_squared": "skill",
    }
    if sources.is_listed(row["position_id"]):
        symbol, scale = row["symbol"], 1.0
    else:
        options = sources.options
        if str(row["position_id"]) not in options.index:
            return Evidence(dict.fromkeys(names) | {"observations": 0}, {"symbol": row["symbol"]})
        (option,) = options.loc[[str(row["position_id"])]].to_dict("records")
        symbol, value = option["underlying_symbol"], float(option["value"])
        scale = abs(option["delta"]) * option["underlying_price"] / value if value > 0 else math.nan
    if math.isnan(scale):
        return Evidence(dict.fromkeys(names) | {"observations": 0}, {"symbol": row["symbol"], "underlying": symbol})
    found = figures(sources, of_symbol(sources, symbol))
    values = {column: found[name] for column, name in names.items()}
    for name in ("realized_vol_21d", "realized_vol_63d", "vol_daily", "vol_weekly", "vol_monthly", "expected_vol_21d"):
        values[name] *= scale
    inputs = {"symbol": symbol, **_inputs(found)} | ({} if scale == 1.0 else {"|delta| * price of the underlying / value": scale})
    return Evidence(values, inputs, _window(SYMBOL_WINDOW, sources.day), found["observations"])


def _forecast(sources: Sources, row: Row) -> Evidence:
    if row["portfolio_id"] is None:
        thin, length = None, SYMBOL_WINDOW
    else:
        _, own, _ = of_portfolio(sources)
        share, length = own["coverage"].iloc[-har.LEVEL_WINDOW :] * book(sources, by_delta=True).priced_share, PORTFOLIO_WINDOW
        thin = int((reaches(share.to_numpy(float), MIN_COVERAGE) & ~reaches(share.to_numpy(float), THIN)).sum())
    found = figures_of_portfolio(sources) if row["portfolio_id"] else figures(sources, of_symbol(sources, row["subject"]))
    columns = (*("expected", "risk", "low", "high", "rise_probability", "ewma_94", "ewma_97", "observations", "proxy", "coefficients"),)
    flags = {name: bool(found[name]) for name in ("clipped", "short_history", "day_replaced")}
    in_sample = sources.model.in_sample([sources.day])[0]
    values = {name: found[name] for name in columns} | flags | {"trailing_21d": found["realized_21d"], "thin_sessions": thin}
    return Evidence(values | {"in_sample": bool(in_sample)}, _inputs(found), _window(length, sources.day), found["observations"])


def _score(sources: Sources, row: Row) -> Evidence:
    """Only the outcome is computed; the rest of the row is the forecast as it was stored."""
    day, symbol = row["completed_on"], row["subject"]
    returns = series(sources, HORIZON, day)["return"] if row["portfolio_id"] else sources.returns([symbol], HORIZON, day)[symbol]
    after = pd.Series(returns, dtype=float)
    realized = _root_mean_square(after.rolling(HORIZON, min_periods=method.MIN_MONTH)).iloc[-1]
    forecast = sources.forecast(row["subject"]) or {}
    kept = ("expected", "risk", "trailing_21d", "ewma_94", "ewma_97", "low", "high", "coefficients", "in_sample")
    values = {name: forecast.get(name) for name in kept} | {"realized": realized}
    values["completed_on"] = trading_calendar.window([sources.day, trading_calendar.last_known()], 0)[HORIZON]
    return Evidence(values, {"forecast of": sources.day}, _window(HORIZON, day), int(after.count()))


def _snapshot(sources: Sources, _: Row) -> Evidence:
    found = figures_of_portfolio(sources)
    names = {
        "realized_volatility_21d": "realized_21d",
        "realized_volatility_63d": "realized_63d",
        "expected_volatility_21d": "expected",
        "volatility_trend": "trend",
        "volatility_percentile": "percentile",
    }
    values = {column: found[name] for column, name in names.items()}
    return Evidence(values, _inputs(found), _window(PORTFOLIO_WINDOW, sources.day), found["observations"])


_REALIZED = "standard deviation (n - 1) of the last {} returns * sqrt(252); {} are needed"
_LAG = "mean of sqrt(pi / 2) * |r| over {} * sqrt(252)"
_EXPECTED = (
    "sqrt(252) * L * clip(b0 + b1 x day + b2 x week + b3 x month + b4 x market, 0.25, 6); L = mean of sqrt(pi / 2) * |r| over 252 "
    "sessions; x = means over 1, 5, 21 sessions of |r|, or of ln(high / low), and of the market's |r| over 21, each over its mean of 252"
)
_RISE = "Phi((ln(expected / trailing 21 sessions) - 0.06) / 0.33)"
_TREND = f"increasing, decreasing or stable: p = {_RISE}, stable if |2p - 1| < 0.15"
_PERCENTILE = "share of the 252 earlier 21-session volatilities below today's, equal ones counted half"
_OF_OPTION = "; of an option times |delta| * price of the underlying / value"
_LEVEL_OBS = "returns among the last 252 sessions"
_STORED = "as volatility_forecasts had it on the day"

_OF_POSITIONS = {
    "realized_vol_21d": _REALIZED.format(21, 15) + _OF_OPTION,
    "realized_vol_63d": _REALIZED.format(63, 45) + _OF_OPTION,
    "vol_daily": _LAG.format("the last session that has a return, up to 3 sessions old") + _OF_OPTION,
    "vol_weekly": _LAG.format("5 sessions, 3 needed") + _OF_OPTION,
    "vol_monthly": _LAG.format("21 sessions, 15 needed") + _OF_OPTION,
    "expected_vol_21d": _EXPECTED + _OF_OPTION,
    "vol_trend": _TREND,
    "vol_trend_strength": f"|2p - 1|, p = {_RISE}",
    "vol_percentile": _PERCENTILE,
    "observations": _LEVEL_OBS,
    "model_r_squared": "1 - SSE(forecasts) / SSE(trailing 21 sessions) over the last 252 completed forecasts, 126 needed",
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
    "proxy": "range_market with 95 % valid highs and lows in 252 sessions, close_market without, close without the market",
    "coefficients": "newest version whose last target lies at or before the day, else the first",
    "in_sample": "whether the version's last target lies after the day",
    "clipped": "whether the ratio lies outside [0.25, 6]",
    "short_history": "whether L rests on 63 to 125 returns",
    "day_replaced": "whether no session of the last 4 has a value, so that the month's mean stands for the day's",
    "thin_sessions": "sessions among 252 on which 80 to 95 % of exposure has a return; of symbols none",
}
_SCORES = {
    "realized": "sqrt(252 * mean(r²)) over the 21 sessions after the forecast, 15 needed; of a portfolio by the weights of its day",
    "completed_on": "the 21st session after the forecast",
    **dict.fromkeys(("expected", "risk", "trailing_21d", "ewma_94", "ewma_97", "low", "high", "coefficients", "in_sample"), _STORED),
}
_SNAPSHOT = {
    "realized_volatility_21d": _REALIZED.format(21, 15) + ", R = sum(exposure * r) / equity / coverage",
    "realized_volatility_63d": _REALIZED.format(63, 45) + ", R = sum(exposure * r) / equity / coverage",
    "expected_volatility_21d": _EXPECTED + ", of R = sum(exposure * r) / equity / coverage",
    "volatility_trend": _TREND,
    "volatility_percentile": _PERCENTILE,
}

CHAPTERS = [
    Chapter(tables.position_volatility, _OF_POSITIONS, _PANDAS, _position),
    Chapter(tables.volatility_forecasts, _FORECAST, _PANDAS, _forecast),
    Chapter(tables.har_forecast_scores, _SCORES, "pandas over the source returns; forecasts are compared with those stored", _score),
    Chapter(tables.portfolio_snapshots, _SNAPSHOT, _PANDAS, _snapshot),
]
