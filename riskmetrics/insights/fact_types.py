"""Catalog of fact types: source column, unit and format, and names in prose.

No two types of the same entity share a name, so that a name in a sentence identifies its figure.
"""

from collections import defaultdict
from functools import cache
from typing import NamedTuple

from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.present import formatting
from riskmetrics.results.betas import BETA_WINDOW
from riskmetrics.results.pro_forma import YEAR_WINDOW
from riskmetrics.results.tail_risk_results import TAIL_RISK_WINDOW as TAIL_WINDOW

_FORMATTERS = {
    "money": formatting.money,
    "signed money": formatting.signed_money,
    "fraction": formatting.percent,
    "signed fraction": formatting.signed_percent,
    "percentage points": (
        lambda value: formatting.signed_percent(value).replace("%", " percentage points")
    ),
    "number": formatting.two_decimals,
    "signed number": lambda value: (
        ("+" if value > 0 and float(f"{value:.2f}") else "") + formatting.two_decimals(value)
    ),
    "index": formatting.four_decimals,
    "signed index": lambda value: (
        ("+" if value > 0 and float(f"{value:.4f}") else "") + formatting.four_decimals(value)
    ),
    "count": formatting.count,
    "text": str,
}
"""Unit to formatter."""

SIGNED_UNITS = (
    "signed money",
    "signed fraction",
    "percentage points",
    "signed number",
    "signed index",
)
"""Units with a sign, which may be omitted if a word states the direction."""


class FactType(NamedTuple):
    """A type of fact."""

    name: str
    """Fact id; prefixed by the alias if the fact is not about the portfolio."""
    provider: str
    source: str
    """'table.column' of the value or of its main input."""
    unit: str
    family: str
    """Only figures of the same family may be compared."""
    labels: tuple[str, ...]
    """Names in prose, lower case; one of them must accompany the figure."""
    window: str | None = None


def format_value(value: float | str, unit: str, currency: str, *, is_unsigned: bool = False) -> str:
    """Return a value as text; with ``is_unsigned``, without its sign."""
    text = _FORMATTERS[unit](abs(value) if is_unsigned and not isinstance(value, str) else value)  # type: ignore[operator]
    text = text.removeprefix("+") if is_unsigned else text
    return f"{text} {currency}" if unit.endswith("money") else text


_BETA_WINDOW, _MONTH_WINDOW, _QUARTER_WINDOW, _YEAR_WINDOW, _TAIL_RISK_WINDOW = (
    f"{n} sessions" for n in (BETA_WINDOW, FORECAST_HORIZON, 63, YEAR_WINDOW, TAIL_WINDOW)
)
_SNAPSHOT, _FORECAST, _SCORE, _POSITION = (
    "portfolio_snapshots",
    "volatility_forecasts",
    "har_forecast_scores",
    "portfolio_risk_contributions",
)
_SECTOR, _RATES, _TAIL_TABLE, _DRAWDOWNS = (
    "portfolio_sector_weights",
    "portfolio_rate_betas",
    "portfolio_tail_risk",
    "portfolio_drawdowns",
)
_THRESHOLDS = "insights/severity.yaml"

FACT_TYPES = {
    kind.name: kind
    for kind in (
        FactType("total_value", "snapshot", f"{_SNAPSHOT}.total_value", "money", "value",
            ("equity", "portfolio value")),
        FactType("cash_value", "snapshot", f"{_SNAPSHOT}.cash_value", "money", "value",
            ("cash", "cash balance")),
        FactType("long_value", "snapshot", f"{_SNAPSHOT}.long_value", "money", "value",
            ("long value",)),
        FactType("short_value", "snapshot", f"{_SNAPSHOT}.short_value", "money", "value",
            ("short value",)),
        FactType("gross_exposure", "snapshot", f"{_SNAPSHOT}.gross_exposure", "money", "value",
            ("gross exposure",)),
        FactType("net_exposure", "snapshot", f"{_SNAPSHOT}.net_exposure", "money", "value",
            ("net exposure",)),
        FactType("gross_to_equity", "snapshot", f"{_SNAPSHOT}.gross_exposure", "number", "leverage",
            ("gross exposure over equity",)),
        FactType("net_to_equity", "snapshot", f"{_SNAPSHOT}.net_exposure", "number", "leverage",
            ("net exposure over equity",)),
        FactType("daily_pnl", "snapshot", f"{_SNAPSHOT}.daily_pnl", "signed money", "profit",
            ("result of the session", "lost", "gained")),
        FactType("daily_return", "snapshot", f"{_SNAPSHOT}.daily_return", "signed fraction",
            "return", ("return of the session",)),
        FactType("cumulative_pnl", "snapshot", f"{_SNAPSHOT}.cumulative_pnl", "signed money",
            "profit", ("result since entry",)),
        FactType("num_positions", "snapshot", f"{_SNAPSHOT}.num_positions", "count", "positions",
            ("positions",)),
        FactType("num_long_positions", "snapshot", f"{_SNAPSHOT}.num_long_positions", "count",
            "positions", ("long positions",)),
        FactType("num_short_positions", "snapshot", f"{_SNAPSHOT}.num_short_positions", "count",
            "positions", ("short positions",)),
        FactType("price_coverage", "snapshot", "portfolio_coverage.coverage", "fraction",
            "coverage", ("price coverage",)),
        FactType("beta", "betas", f"{_SNAPSHOT}.beta_calculated_90d", "number", "beta",
            ("beta", "market beta", "beta to the market"), _BETA_WINDOW),
        FactType("beta_r_squared", "betas", f"{_SNAPSHOT}.beta_calculated_90d_r_squared", "number",
            "fit", ("r-squared",), _BETA_WINDOW),
        FactType("own_beta", "betas", f"{_SNAPSHOT}.beta_portfolio_regression", "number", "beta",
            ("beta of own returns",), _BETA_WINDOW),
        FactType("provider_beta", "betas", f"{_SNAPSHOT}.beta_provider_1y", "number", "beta",
            ("vendor beta",), "1 year"),
        FactType("beta_coverage", "betas", "portfolio_coverage.coverage", "fraction", "coverage",
            ("beta coverage",)),
        FactType("volatility_21d", "volatility", f"{_SNAPSHOT}.realized_volatility_21d", "fraction",
            "volatility", ("volatility over 21 sessions", "realized volatility over 21 sessions"),
            _MONTH_WINDOW),
        FactType("volatility_63d", "volatility", f"{_SNAPSHOT}.realized_volatility_63d", "fraction",
            "volatility", ("volatility over 63 sessions", "realized volatility over 63 sessions"),
            _QUARTER_WINDOW),
        FactType("expected_volatility", "volatility", f"{_SNAPSHOT}.expected_volatility_21d",
            "fraction", "volatility",
            ("expected volatility", "volatility expected for the next 21 sessions"),
            f"next {_MONTH_WINDOW}"),
        FactType("expected_low", "volatility", f"{_FORECAST}.low", "fraction", "volatility",
            ("low end of the expected volatility", "low end"), f"next {_MONTH_WINDOW}"),
        FactType("expected_high", "volatility", f"{_FORECAST}.high", "fraction", "volatility",
            ("high end of the expected volatility", "high end"), f"next {_MONTH_WINDOW}"),
        FactType("rise_probability", "volatility", f"{_FORECAST}.rise_probability", "fraction",
            "probability", ("probability of a rise in volatility", "probability of a rise"),
            f"next {_MONTH_WINDOW}"),
        FactType("volatility_percentile", "volatility", f"{_SNAPSHOT}.volatility_percentile",
            "fraction", "volatility percentile",
            ("volatility percentile", "percentile of the volatility"), _YEAR_WINDOW),
        FactType("volatility_trend", "volatility", f"{_SNAPSHOT}.volatility_trend", "text", "trend",
            ("volatility trend",)),
        FactType("hhi", "concentration", f"{_SNAPSHOT}.hhi", "index", "hhi",
            ("hhi", "concentration index")),
        FactType("effective_positions", "concentration", f"{_SNAPSHOT}.effective_num_positions",
            "number", "positions", ("effective positions",)),
        FactType("top_3", "concentration", f"{_SNAPSHOT}.top_3_concentration", "fraction", "top",
            ("three largest positions", "three largest weights")),
        FactType("top_10", "concentration", f"{_SNAPSHOT}.top_10_concentration", "fraction", "top",
            ("ten largest positions", "ten largest weights")),
        FactType("short_share", "concentration", f"{_POSITION}.share", "signed fraction",
            "volatility share", ("share of volatility of short positions",), _YEAR_WINDOW),
        FactType("weight", "concentration", f"{_POSITION}.weight", "fraction", "position weight",
            ("weight", "position", "share of equity")),
        FactType("side", "concentration", f"{_POSITION}.weight", "text", "side", ("side",)),
        FactType("share", "concentration", f"{_POSITION}.share", "signed fraction",
            "position weight",
            ("share of volatility", "contribution to volatility", "of the portfolio's volatility"),
            _YEAR_WINDOW),
        FactType("gross", "sectors", f"{_SECTOR}.gross_weight", "fraction", "sector weight",
            ("gross weight", "sector", "share of gross value")),
        FactType("benchmark", "sectors", f"{_SECTOR}.benchmark_weight", "fraction",
            "net sector weight", ("benchmark weight",)),
        FactType("active", "sectors", f"{_SECTOR}.active_weight", "signed fraction",
            "active weight", ("active weight", "overweight", "underweight")),
        FactType("past_forecast", "forecast_score", f"{_SCORE}.expected", "fraction", "volatility",
            ("forecast made 21 sessions before",), _MONTH_WINDOW),
        FactType("past_outcome", "forecast_score", f"{_SCORE}.realized", "fraction", "volatility",
            ("volatility since that forecast", "volatility that followed"), _MONTH_WINDOW),
        FactType("past_low", "forecast_score", f"{_SCORE}.low", "fraction", "volatility",
            ("low end of that forecast",), _MONTH_WINDOW),
        FactType("past_high", "forecast_score", f"{_SCORE}.high", "fraction", "volatility",
            ("high end of that forecast",), _MONTH_WINDOW),
        FactType("rate_beta", "ir_beta", f"{_RATES}.rate_beta", "number", "rate beta",
            ("rate beta", "beta to rates"), _BETA_WINDOW),
        FactType("two_factor_rate_beta", "ir_beta", f"{_RATES}.two_factor_rate_beta", "number",
            "rate beta", ("rate beta with the market held fixed",), _BETA_WINDOW),
        FactType("result", "stress", "portfolio_stress.loss", "signed fraction", "stress result",
            ("stress result", "scenario", "would lose", "would gain")),
        FactType("var_95", "stress", f"{_TAIL_TABLE}.value_at_risk", "fraction", "loss",
            ("value at risk at 95%",), _TAIL_RISK_WINDOW),
        FactType("shortfall_95", "stress", f"{_TAIL_TABLE}.expected_shortfall", "fraction", "loss",
            ("expected shortfall at 95%",), _TAIL_RISK_WINDOW),
        FactType("var_99", "stress", f"{_TAIL_TABLE}.value_at_risk", "fraction", "loss",
            ("value at risk at 99%",), _TAIL_RISK_WINDOW),
        FactType("drawdown", "stress", f"{_DRAWDOWNS}.current", "fraction", "drawdown",
            ("current drawdown",), _YEAR_WINDOW),
        FactType("largest_drawdown", "stress", f"{_DRAWDOWNS}.largest", "fraction", "drawdown",
            ("largest drawdown",), _YEAR_WINDOW),
        FactType("severity", "severity", _THRESHOLDS, "text", "severity", ("severity",)),
        FactType("weight_threshold", "severity", _THRESHOLDS, "fraction", "position weight",
            ("single-name threshold",)),
        FactType("gross_threshold", "severity", _THRESHOLDS, "fraction", "sector weight",
            ("sector threshold",)),
        FactType("beta_threshold", "severity", _THRESHOLDS, "number", "beta", ("beta threshold",)),
        FactType("volatility_percentile_threshold", "severity", _THRESHOLDS, "fraction",
            "volatility percentile", ("percentile threshold",)),
        FactType("drawdown_threshold", "severity", _THRESHOLDS, "fraction", "drawdown",
            ("drawdown threshold",)),
        FactType("gross_to_equity_threshold", "severity", _THRESHOLDS, "number", "leverage",
            ("leverage threshold",)),
        FactType("result_threshold", "severity", _THRESHOLDS, "signed fraction", "stress result",
            ("stress threshold",)),
    )
}  # fmt: skip
"""Name to fact type; types of changes are added below."""

CHANGE_UNITS = {
    "total_value": "signed money",
    "gross_exposure": "signed money",
    "beta": "signed number",
    "hhi": "signed index",
} | dict.fromkeys(("volatility_21d", "expected_volatility", "top_3"), "percentage points")
"""Types with a fact for the change since the previous session, and its unit."""

SINCE_PREVIOUS_SESSION = "since the session before"


def _change_type(base: FactType, unit: str) -> FactType:
    said_as = tuple(
        name
        for label in base.labels
        for name in (f"change in {label}", f"change in {label} {SINCE_PREVIOUS_SESSION}")
    )
    return FactType(
        f"{base.name}_change",
        "changes",
        base.source,
        unit,
        f"change in {base.family}",
        said_as,
        "1 session",
    )


FACT_TYPES |= {
    kind.name: kind
    for kind in (_change_type(FACT_TYPES[name], unit) for name, unit in CHANGE_UNITS.items())
}

ALIAS_PREFIXES = {
    "weight": "POS",
    "side": "POS",
    "share": "POS",
    "gross": "SEC",
    "benchmark": "SEC",
    "active": "SEC",
    "result": "SCN",
}
"""Types about positions, sectors or scenarios, and the prefix of their aliases."""

TYPES_BY_LABEL: dict[str, frozenset[str]] = {}
"""Name in prose to fact types."""


def _index_labels() -> None:
    by_name = defaultdict(set)
    for kind in FACT_TYPES.values():
        for label in kind.labels:
            by_name[label].add(kind.name)
    TYPES_BY_LABEL.update({label: frozenset(kinds) for label, kinds in by_name.items()})


_index_labels()


@cache
def source_columns(providers: tuple[str, ...]) -> frozenset[str]:
    """Return the 'table.column' sources of some providers."""
    return frozenset(kind.source for kind in FACT_TYPES.values() if kind.provider in providers)


def label_for(source: str) -> str:
    """Return the name in prose of a 'table.column'."""
    return next(kind.labels[0] for kind in FACT_TYPES.values() if kind.source == source)
