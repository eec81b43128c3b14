"""The kinds of facts there are: which stored column each comes from, how its figure is shown, and what it is called in prose.

No two kinds of the same things share a name, so that a name in a sentence tells which figure may stand beside it.
"""

from collections import defaultdict
from functools import cache
from typing import NamedTuple

from riskmetrics.metrics.forecast_score import HORIZON
from riskmetrics.report import figures
from riskmetrics.results.as_of import YEAR
from riskmetrics.results.betas import WINDOW
from riskmetrics.results.tail_risk import WINDOW as TAIL_WINDOW

_FORMS = {
    "money": figures.money,
    "signed money": figures.signed_money,
    "fraction": figures.percent,
    "signed fraction": figures.signed_percent,
    "percentage points": lambda value: figures.signed_percent(value).replace("%", " percentage points"),
    "number": figures.two_decimals,
    "signed number": lambda value: ("+" if value > 0 and float(f"{value:.2f}") else "") + figures.two_decimals(value),
    "index": figures.four_decimals,
    "signed index": lambda value: ("+" if value > 0 and float(f"{value:.4f}") else "") + figures.four_decimals(value),
    "count": figures.count,
    "text": str,
}
"""How a value is shown, by its unit."""

SIGNED = ("signed money", "signed fraction", "percentage points", "signed number", "signed index")
"""Units whose figures show their sign, and which may be written without it where a word tells it."""


class Kind(NamedTuple):
    """One kind of fact."""

    name: str
    """Id of the fact, after that of the thing it is about if it is not the portfolio."""
    provider: str
    source: str
    """'table.column' that it is, or is computed from."""
    unit: str
    family: str
    """Only figures of one family are compared."""
    said_as: tuple[str, ...]
    """Names, one of which stands beside the figure; in lower case."""
    window: str | None = None


def show(value: float | str, unit: str, currency: str, *, size: bool = False) -> str:
    """Return a figure as text; with ``size`` without its sign."""
    text = _FORMS[unit](abs(value) if size and not isinstance(value, str) else value)  # type: ignore[operator]
    text = text.removeprefix("+") if size else text
    return f"{text} {currency}" if unit.endswith("money") else text


_BETAS, _MONTH, _QUARTER, _YEAR, _TAIL = (f"{n} sessions" for n in (WINDOW, HORIZON, 63, YEAR, TAIL_WINDOW))
_SNAPSHOT, _FORECAST, _SCORE, _POSITION = (
    "portfolio_snapshots",
    "volatility_forecasts",
    "har_forecast_scores",
    "portfolio_risk_contributions",
)
_SECTOR, _RATES, _TAIL_TABLE, _FALLS = "portfolio_sector_weights", "portfolio_rate_betas", "portfolio_tail_risk", "portfolio_drawdowns"
_THRESHOLDS = "insights/severity.yaml"

KINDS = {
    kind.name: kind
    for kind in (
        Kind("total_value", "snapshot", f"{_SNAPSHOT}.total_value", "money", "value", ("equity", "portfolio value")),
        Kind("cash_value", "snapshot", f"{_SNAPSHOT}.cash_value", "money", "value", ("cash", "cash balance")),
        Kind("long_value", "snapshot", f"{_SNAPSHOT}.long_value", "money", "value", ("long value",)),
        Kind("short_value", "snapshot", f"{_SNAPSHOT}.short_value", "money", "value", ("short value",)),
        Kind("gross_exposure", "snapshot", f"{_SNAPSHOT}.gross_exposure", "money", "value", ("gross exposure",)),
        Kind("net_exposure", "snapshot", f"{_SNAPSHOT}.net_exposure", "money", "value", ("net exposure",)),
        Kind("gross_to_equity", "snapshot", f"{_SNAPSHOT}.gross_exposure", "number", "leverage", ("gross exposure over equity",)),
        Kind("net_to_equity", "snapshot", f"{_SNAPSHOT}.net_exposure", "number", "leverage", ("net exposure over equity",)),
        Kind("daily_pnl", "snapshot", f"{_SNAPSHOT}.daily_pnl", "signed money", "profit", ("result of the session", "lost", "gained")),
        Kind("daily_return", "snapshot", f"{_SNAPSHOT}.daily_return", "signed fraction", "return", ("return of the session",)),
        Kind("cumulative_pnl", "snapshot", f"{_SNAPSHOT}.cumulative_pnl", "signed money", "profit", ("result since entry",)),
        Kind("num_positions", "snapshot", f"{_SNAPSHOT}.num_positions", "count", "positions", ("positions",)),
        Kind("num_long_positions", "snapshot", f"{_SNAPSHOT}.num_long_positions", "count", "positions", ("long positions",)),
        Kind("num_short_positions", "snapshot", f"{_SNAPSHOT}.num_short_positions", "count", "positions", ("short positions",)),
        Kind("price_coverage", "snapshot", "portfolio_coverage.coverage", "fraction", "coverage", ("price coverage",)),
        Kind("beta", "betas", f"{_SNAPSHOT}.beta_calculated_90d", "number", "beta", ("beta", "market beta", "beta to the market"), _BETAS),
        Kind("beta_r_squared", "betas", f"{_SNAPSHOT}.beta_calculated_90d_r_squared", "number", "fit", ("r-squared",), _BETAS),
        Kind("own_beta", "betas", f"{_SNAPSHOT}.beta_portfolio_regression", "number", "beta", ("beta of own returns",), _BETAS),
        Kind("provider_beta", "betas", f"{_SNAPSHOT}.beta_provider_1y", "number", "beta", ("vendor beta",), "1 year"),
        Kind("beta_coverage", "betas", "portfolio_coverage.coverage", "fraction", "coverage", ("beta coverage",)),
        Kind("volatility_21d", "volatility", f"{_SNAPSHOT}.realized_volatility_21d", "fraction", "volatility",
             ("volatility over 21 sessions", "realized volatility over 21 sessions"), _MONTH),
        Kind("volatility_63d", "volatility", f"{_SNAPSHOT}.realized_volatility_63d", "fraction", "volatility",
             ("volatility over 63 sessions", "realized volatility over 63 sessions"), _QUARTER),
        Kind("expected_volatility", "volatility", f"{_SNAPSHOT}.expected_volatility_21d", "fraction", "volatility",
             ("expected volatility", "volatility expected for the next 21 sessions"), f"next {_MONTH}"),
        Kind("expected_low", "volatility", f"{_FORECAST}.low", "fraction", "volatility",
             ("low end of the expected volatility", "low end"), f"next {_MONTH}"),
        Kind("expected_high", "volatility", f"{_FORECAST}.high", "fraction", "volatility",
             ("high end of the expected volatility", "high end"), f"next {_MONTH}"),
        Kind("rise_probability", "volatility", f"{_FORECAST}.rise_probability", "fraction", "probability",
             ("probability of a rise in volatility", "probability of a rise"), f"next {_MONTH}"),
        Kind("volatility_percentile", "volatility", f"{_SNAPSHOT}.volatility_percentile", "fraction", "volatility percentile",
             ("volatility percentile", "percentile of the volatility"), _YEAR),
        Kind("volatility_trend", "volatility", f"{_SNAPSHOT}.volatility_trend", "text", "trend", ("volatility trend",)),
        Kind("hhi", "concentration", f"{_SNAPSHOT}.hhi", "index", "hhi", ("hhi", "concentration index")),
        Kind("effective_positions", "concentration", f"{_SNAPSHOT}.effective_num_positions", "number", "positions",
             ("effective positions",)),
        Kind("top_3", "concentration", f"{_SNAPSHOT}.top_3_concentration", "fraction", "top",
             ("three largest positions", "three largest weights")),
        Kind("top_10", "concentration", f"{_SNAPSHOT}.top_10_concentration", "fraction", "top",
             ("ten largest positions", "ten largest weights")),
        Kind("short_share", "concentration", f"{_POSITION}.share", "signed fraction", "volatility share",
             ("share of volatility of short positions",), _YEAR),
        Kind("weight", "concentration", f"{_POSITION}.weight", "fraction", "position weight", ("weight", "position", "share of equity")),
        Kind("side", "concentration", f"{_POSITION}.weight", "text", "side", ("side",)),
        Kind("share", "concentration", f"{_POSITION}.share", "signed fraction", "position weight",
             ("share of volatility", "contribution to volatility", "of the portfolio's volatility"), _YEAR),
        Kind("gross", "sectors", f"{_SECTOR}.gross_weight", "fraction", "sector weight",
             ("gross weight", "sector", "share of gross value")),
        Kind("benchmark", "sectors", f"{_SECTOR}.benchmark_weight", "fraction", "net sector weight", ("benchmark weight",)),
        Kind("active", "sectors", f"{_SECTOR}.active_weight", "signed fraction", "active weight",
             ("active weight", "overweight", "underweight")),
        Kind("past_forecast", "forecast_score", f"{_SCORE}.expected", "fraction", "volatility",
             ("forecast made 21 sessions before",), _MONTH),
        Kind("past_outcome", "forecast_score", f"{_SCORE}.realized", "fraction", "volatility",
             ("volatility since that forecast", "volatility that followed"), _MONTH),
        Kind("past_low", "forecast_score", f"{_SCORE}.low", "fraction", "volatility", ("low end of that forecast",), _MONTH),
        Kind("past_high", "forecast_score", f"{_SCORE}.high", "fraction", "volatility", ("high end of that forecast",), _MONTH),
        Kind("rate_beta", "ir_beta", f"{_RATES}.rate_beta", "number", "rate beta", ("rate beta", "beta to rates"), _BETAS),
        Kind("two_factor_rate_beta", "ir_beta", f"{_RATES}.two_factor_rate_beta", "number", "rate beta",
             ("rate beta with the market held fixed",), _BETAS),
        Kind("result", "stress", "portfolio_stress.loss", "signed fraction", "stress result",
             ("stress result", "scenario", "would lose", "would gain")),
        Kind("var_95", "stress", f"{_TAIL_TABLE}.value_at_risk", "fraction", "loss", ("value at risk at 95%",), _TAIL),
        Kind("shortfall_95", "stress", f"{_TAIL_TABLE}.expected_shortfall", "fraction", "loss", ("expected shortfall at 95%",), _TAIL),
        Kind("var_99", "stress", f"{_TAIL_TABLE}.value_at_risk", "fraction", "loss", ("value at risk at 99%",), _TAIL),
        Kind("drawdown", "stress", f"{_FALLS}.current", "fraction", "drawdown", ("current drawdown",), _YEAR),
        Kind("largest_drawdown", "stress", f"{_FALLS}.largest", "fraction", "drawdown", ("largest drawdown",), _YEAR),
        Kind("severity", "severity", _THRESHOLDS, "text", "severity", ("severity",)),
        Kind("weight_threshold", "severity", _THRESHOLDS, "fraction", "position weight", ("single-name threshold",)),
        Kind("gross_threshold", "severity", _THRESHOLDS, "fraction", "sector weight", ("sector threshold",)),
        Kind("beta_threshold", "severity", _THRESHOLDS, "number", "beta", ("beta threshold",)),
        Kind("volatility_percentile_threshold", "severity", _THRESHOLDS, "fraction", "volatility percentile", ("percentile threshold",)),
        Kind("drawdown_threshold", "severity", _THRESHOLDS, "fraction", "drawdown", ("drawdown threshold",)),
        Kind("gross_to_equity_threshold", "severity", _THRESHOLDS, "number", "leverage", ("leverage threshold",)),
        Kind("result_threshold", "severity", _THRESHOLDS, "signed fraction", "stress result", ("stress threshold",)),
    )
}  # fmt: skip
"""Every kind that is not a change, by name."""

CHANGED = {"total_value": "signed money", "gross_exposure": "signed money", "beta": "signed number", "hhi": "signed index"} | dict.fromkeys(
    ("volatility_21d", "expected_volatility", "top_3"), "percentage points"
)
"""Kinds whose change since the session before is a fact too, and its unit."""

SINCE = "since the session before"


def _change(of: Kind, unit: str) -> Kind:
    said_as = tuple(name for said in of.said_as for name in (f"change in {said}", f"change in {said} {SINCE}"))
    return Kind(f"{of.name}_change", "changes", of.source, unit, f"change in {of.family}", said_as, "1 session")


KINDS |= {kind.name: kind for kind in (_change(KINDS[name], unit) for name, unit in CHANGED.items())}

THINGS = {"weight": "POS", "side": "POS", "share": "POS", "gross": "SEC", "benchmark": "SEC", "active": "SEC", "result": "SCN"}
"""Kinds that are not about the portfolio, and how the aliases begin of what they are about."""

NAMES: dict[str, frozenset[str]] = {}
"""Kinds by the names that they are called by."""


def _index() -> None:
    by_name = defaultdict(set)
    for kind in KINDS.values():
        for said in kind.said_as:
            by_name[said].add(kind.name)
    NAMES.update({said: frozenset(kinds) for said, kinds in by_name.items()})


_index()


@cache
def sources(providers: tuple[str, ...]) -> frozenset[str]:
    """Return what some providers read: 'table.column'."""
    return frozenset(kind.source for kind in KINDS.values() if kind.provider in providers)


def named(source: str) -> str:
    """Return what prose calls a 'table.column' that a kind comes from."""
    return next(kind.said_as[0] for kind in KINDS.values() if kind.source == source)
