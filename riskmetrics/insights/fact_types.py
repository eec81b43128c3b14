"""Catalog of fact types: source column, unit and format, and names in evidence."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.insights import question_fact_types
from riskmetrics.insights.fact_shapes import FactType
from riskmetrics.insights.fact_shapes import figure_fact as _fact
from riskmetrics.insights.question_fact_types import QUESTIONS, TAIL_WINDOW, TESTED_METHOD


def _past_forecast_type(name: str, column: str, *labels: str) -> FactType:
    """Return the type of a fact about the volatility forecast that completed."""
    return _fact(
        name,
        "forecast_score",
        f"forecast_outcomes.{column}",
        "volatility",
        labels,
        unit="fraction",
        window="21 sessions",
    )


def _statistic_facts(statistic: Statistic) -> Iterator[FactType]:
    """Yield the types of a statistic's facts."""
    for figure in statistic.figures:
        if name := statistic.facts.get(figure.column):
            yield _fact(name, "stress", figure.name, statistic.family, (figure.label.lower(),))


_TEST_WINDOW = "historical, 252 sessions"
"""Method and window of the value at risk whose test notes tell."""

_WINDOWS = (("5d", "5 sessions"), ("21d", "21 sessions"))

_STREAKS = (
    ("weight", "weight", "weight"),
    ("gross", "gross_weight", "gross weight"),
    ("beta", "beta_calculated_90d", "beta"),
    ("volatility_percentile", "volatility_percentile", "volatility percentile"),
    ("gross_to_equity", "gross_exposure", "leverage"),
    ("drawdown", "current_drawdown", "drawdown"),
)
"""Types with a limit, their columns and names."""

_UNITS = dict.fromkeys(("beta", "gross_to_equity"), "number")
"""Type with a limit to its unit, if that is not a fraction."""

_PROFILES, _SECTORS, _LOTS, _PRICES, _CHECKS = (
    "company_profiles.is_etf",
    "company_profiles.sector",
    "positions.quantity",
    "market_data_cache.close",
    "portfolio_limit_checks.value",
)


def _contributions(suffix: str, window: str) -> Iterator[FactType]:
    """Yield the types of P&L by position over some sessions."""
    over = f" over {window}" if suffix else ""
    for name, what in (("pnl", "result of the position"), ("winners_pnl", "sum of the gains"),
            ("losers_pnl", "sum of the losses")):  # fmt: skip
        yield _fact(name + suffix, "contributions", "daily_pnl", "profit", (what + over,),
            window=window)  # fmt: skip
    for name, what in (("n_winners", "gain"), ("n_losers", "loss")):
        yield FactType(name + suffix, "contributions", _LOTS, "count", "positions",
            (f"positions with a {what}{over}",), window)  # fmt: skip


def _limit_facts() -> Iterator[FactType]:
    """Yield the types of limits that users set, in the units of the limited figures."""
    for name, unit in (("checked", "fraction"), ("checked_number", "number")):
        yield FactType(name, "streaks", _CHECKS, unit, "limit", ("value checked for the limit",))
        yield FactType(f"{name}_limit", "streaks", _CHECKS, unit, "limit", ("limit",))
        yield FactType(f"{name}_stated", "streaks", _CHECKS, unit, "limit", ("earlier value",))
    yield FactType("limit_sessions", "streaks", _CHECKS, "count", "sessions",
        ("sessions with the limit exceeded",))  # fmt: skip
    for name, label in (
        ("limit_stated_day", "day of the earlier value"),
        ("limit_status", "status of the limit"),
        ("limit_status_before", "status the session before"),
        ("limit_alert", "what happened to the exceeded limit"),
    ):
        yield FactType(name, "streaks", _CHECKS, "text", "status", (label,))


FACT_TYPES = {
    kind.name: kind
    for kind in (
        _fact("total_value", "snapshot", "total_value", "value", ("equity", "portfolio value")),
        _fact("cash_value", "snapshot", "cash_value", "value", ("cash", "cash balance")),
        _fact("long_value", "snapshot", "long_value", "value", ("long value",)),
        _fact("short_value", "snapshot", "short_value", "value", ("short value",)),
        _fact("gross_exposure", "snapshot", "gross_exposure", "value", ("gross exposure",)),
        _fact("net_exposure", "snapshot", "net_exposure", "value", ("net exposure",)),
        _fact("gross_to_equity", "snapshot", "gross_exposure", "leverage",
            ("gross exposure over equity",), unit="number"),
        _fact("net_to_equity", "snapshot", "net_exposure", "leverage",
            ("net exposure over equity",), unit="number"),
        _fact("daily_pnl", "snapshot", "daily_pnl", "profit",
            ("result of the session", "lost", "gained")),
        _fact("daily_return", "snapshot", "daily_return", "return", ("return of the session",)),
        _fact("cumulative_pnl", "snapshot", "cumulative_pnl", "profit",
            ("result since entry",), window=None),
        _fact("num_positions", "snapshot", "num_positions", "positions", ("positions",)),
        _fact("num_long_positions", "snapshot", "num_long_positions", "positions",
            ("long positions",)),
        _fact("num_short_positions", "snapshot", "num_short_positions", "positions",
            ("short positions",)),
        _fact("price_coverage", "snapshot", "portfolio_coverage.coverage", "coverage",
            ("price coverage",)),
        _fact("beta", "betas", "beta_calculated_90d", "beta",
            ("beta", "market beta", "beta to the market")),
        _fact("beta_r_squared", "betas", "beta_calculated_90d_r_squared", "fit", ("r-squared",)),
        _fact("own_beta", "betas", "beta_portfolio_regression", "beta", ("beta of own returns",)),
        _fact("provider_beta", "betas", "beta_provider_1y", "beta", ("vendor beta",)),
        FactType("n_unpriced", "snapshot", "portfolio_coverage.coverage", "count", "positions",
            ("instruments without a price",)),
        FactType("unpriced", "snapshot", _PRICES, "text", "price", ("price",)),
        _fact("beta_coverage", "betas", "portfolio_coverage.coverage", "coverage",
            ("beta coverage",)),
        _fact("volatility_21d", "volatility", "realized_volatility_21d", "volatility",
            ("volatility over 21 sessions", "realized volatility over 21 sessions")),
        _fact("volatility_63d", "volatility", "realized_volatility_63d", "volatility",
            ("volatility over 63 sessions", "realized volatility over 63 sessions")),
        _fact("expected_volatility", "volatility", "expected_volatility_21d", "volatility",
            ("expected volatility", "volatility expected for the next 21 sessions")),
        _fact("expected_low", "volatility", "volatility_forecasts.low", "volatility",
            ("low end of the expected volatility", "low end")),
        _fact("expected_high", "volatility", "volatility_forecasts.high", "volatility",
            ("high end of the expected volatility", "high end")),
        _fact("rise_probability", "volatility", "rise_probability", "probability",
            ("probability of a rise in volatility", "probability of a rise")),
        _fact("volatility_percentile", "volatility", "volatility_percentile",
            "volatility percentile", ("volatility percentile", "percentile of the volatility")),
        _fact("volatility_trend", "volatility", "volatility_trend", "trend",
            ("volatility trend",), window=None),
        _fact("hhi", "concentration", "hhi", "hhi", ("hhi", "concentration index")),
        _fact("effective_positions", "concentration", "effective_num_positions", "positions",
            ("effective positions",)),
        _fact("top_3", "concentration", "top_3_concentration", "top",
            ("three largest positions", "three largest weights")),
        _fact("top_10", "concentration", "top_10_concentration", "top",
            ("ten largest positions", "ten largest weights")),
        _fact("short_share", "concentration", "portfolio_risk_contributions.share",
            "volatility share", ("share of volatility of short positions",),
            unit="signed fraction"),
        _fact("weight", "concentration", "weight", "position weight",
            ("weight", "position", "share of equity")),
        _fact("side", "concentration", "weight", "side", ("side",), unit="text"),
        _fact("share", "concentration", "portfolio_risk_contributions.share", "position weight",
            ("share of volatility", "contribution to volatility",
             "of the portfolio's volatility"), unit="signed fraction"),
        _fact("gross", "sectors", "gross_weight", "sector weight",
            ("gross weight", "sector", "share of gross value")),
        FactType("in_sector", "sectors", _SECTORS, "text", "sector", ("sector of the position",)),
        FactType("n_in_sector", "sectors", _LOTS, "count", "positions",
            ("positions in the sector",)),
        _fact("through_funds", "sectors", "look_through_weight", "sector weight",
            ("gross weight through funds",)),
        _fact("benchmark", "sectors", "benchmark_weight", "net sector weight",
            ("benchmark weight",)),
        _fact("active", "sectors", "active_weight", "active weight",
            ("active weight", "overweight", "underweight")),
        _fact("factor_exposure", "betas", "portfolio_factor_exposures.exposure", "factor loading",
            ("factor loading",)),
        _fact("factor_share", "betas", "portfolio_factor_risk.share", "factor share",
            ("factor share of volatility",), unit="signed fraction"),
        _fact("factor_error", "betas", "portfolio_factor_exposures.std_error", "factor loading",
            ("standard error of the factor loading",)),
        _fact("specific_share", "betas", "portfolio_factor_risk.share", "factor share",
            ("share of volatility that no factor explains",), unit="signed fraction"),
        _fact("average_correlation", "concentration", "average_correlation", "correlation",
            ("average correlation",)),
        _fact("highest_correlation", "concentration", "highest_correlation", "correlation",
            ("highest correlation",)),
        _fact("diversification_ratio", "concentration", "diversification_ratio",
            "diversification", ("diversification ratio",)),
        _past_forecast_type("past_forecast", "forecast", "forecast made 21 sessions before"),
        _past_forecast_type("past_outcome", "outcome", "volatility since that forecast",
            "volatility that followed"),
        _past_forecast_type("past_low", "low", "low end of that forecast"),
        _past_forecast_type("past_high", "high", "high end of that forecast"),
        _fact("rate_beta", "ir_beta", "portfolio_rate_betas.rate_beta", "rate beta",
            ("rate beta", "beta to rates")),
        _fact("two_factor_rate_beta", "ir_beta", "two_factor_rate_beta", "rate beta",
            ("rate beta with the market held fixed",)),
        _fact("result", "stress", "portfolio_stress.loss", "stress result",
            ("stress result", "scenario", "would lose", "would gain"), unit="signed fraction"),
        _fact("days_to_liquidate", "stress", "days_to_liquidate", "liquidity",
            ("sessions to liquidate",)),
        _fact("sold_in_5d", "stress", "sold_in_5d", "liquidity share",
            ("share that can be sold in 5 sessions",)),
        _fact("var_95", "stress", "value_at_risk", "loss", ("value at risk at 95%",),
            window=TAIL_WINDOW),
        _fact("shortfall_95", "stress", "expected_shortfall", "loss",
            ("expected shortfall at 95%",), window=TAIL_WINDOW),
        _fact("var_99", "stress", "value_at_risk", "loss", ("value at risk at 99%",),
            window=TAIL_WINDOW),
        *(kind for statistic in all_statistics() for kind in _statistic_facts(statistic)),
        _fact("own_beta_error", "betas", "portfolio_market_regressions.std_error", "beta",
            ("standard error of the beta of own returns",)),
        _fact("previous_own_beta", "betas", "beta_portfolio_regression", "beta",
            ("beta of own returns of the session before",)),
        _fact("previous_own_beta_error", "betas", "portfolio_market_regressions.std_error", "beta",
            ("standard error of the beta of own returns of the session before",)),
        _fact("drawdown_peak", "stress", "current_drawdown_peak", "day",
            ("peak before the current drawdown",), unit="text"),
        _fact("net", "sectors", "net_weight", "net sector weight", ("net weight",),
            unit="signed fraction"),
        FactType("undefined_reason", "snapshot", "undefined_metrics.reason", "text", "reason",
            ("reason of the undefined beta",)),
        FactType("fund", "concentration", _PROFILES, "text", "kind", ("fund or not",)),
        FactType("market_move", "stress", "stress_scenarios.market_move", "signed fraction",
            "market move", ("move of the market",)),
        *(kind for suffix, window in (("", "1 session"), *((f"_{key}", text)
            for key, text in _WINDOWS)) for kind in _contributions(suffix, window)),
        *(_fact(f"{side}_pnl", "contributions", "daily_pnl", "profit",
            (f"result of the {side} positions",), window="1 session")
            for side in ("long", "short")),
        FactType("n_opened", "holdings", _LOTS, "count", "positions", ("new positions",),
            "1 session"),
        FactType("n_closed", "holdings", _LOTS, "count", "positions", ("closed positions",),
            "1 session"),
        FactType("n_resized", "holdings", _LOTS, "count", "positions", ("resized positions",),
            "1 session"),
        FactType("quantity_increase", "holdings", _LOTS, "fraction", "quantity",
            ("increase of the quantity",), "1 session"),
        FactType("quantity_decrease", "holdings", _LOTS, "fraction", "quantity",
            ("decrease of the quantity",), "1 session"),
        *(FactType(name, "holdings", _LOTS, "text", "quantity", (label,), "1 session")
            for name, label in (("opened", "opened in the session"),
                ("closed", "closed in the session"), ("turned", "side after the trades"))),
        FactType("with_options", "holdings", _LOTS, "text", "options",
            ("options on the position",), "1 session"),
        _fact("traded_from", "holdings", "weight", "position weight",
            ("weight the session before",)),
        _fact("traded_to", "holdings", "weight", "position weight", ("weight",)),
        _fact("previous_var_95", "tail", "value_at_risk", "loss",
            ("value at risk at 95% of the session before",), window=TAIL_WINDOW),
        _fact("previous_var_95_historical", "tail", "value_at_risk", "loss",
            ("historical value at risk at 95% of the session before",),
            window=f"{TESTED_METHOD}, 504 sessions"),
        _fact("var_exceptions", "tail", "exceptions", "exceptions", ("losses beyond the VaR",),
            window=_TEST_WINDOW),
        _fact("var_expected", "tail", "expected_exceptions", "exceptions",
            ("expected losses beyond the VaR",), window=_TEST_WINDOW),
        _fact("var_tested", "tail", "n_tested", "sessions", ("tested sessions",)),
        _fact("var_p_value", "tail", "portfolio_var_backtests.p_value", "probability",
            ("p-value of the VaR test",), window=_TEST_WINDOW),
        FactType("var_failing_sessions", "tail", "portfolio_var_backtests.p_value", "count",
            "sessions", ("sessions in which the VaR test fails",)),
        _fact("previous_var_p_value", "tail", "portfolio_var_backtests.p_value", "probability",
            ("p-value of the VaR test of the session before",), window=_TEST_WINDOW),
        *(_fact(f"return_{window}", "moves", "daily_return", "return",
            (f"return over {sessions}",), window=sessions) for window, sessions in _WINDOWS),
        _fact("loss_rank", "moves", "daily_return", "rank", ("rank among the year's losses",),
            unit="count", window="252 sessions"),
        _fact("gain_rank", "moves", "daily_return", "rank", ("rank among the year's gains",),
            unit="count", window="252 sessions"),
        _fact("left_return", "window", "daily_return", "return",
            ("return that left the window",), unit="signed fraction"),
        _fact("left_day", "window", "daily_return", "day", ("day that left the window",),
            unit="text"),
        *(FactType(f"market_{name}", "market", _PRICES, "signed fraction", "return",
            (f"{label} of the market index",), window) for name, label, window in (
                ("return", "return", "1 session"),
                *((f"return_{window}", f"return over {sessions}", sessions)
                    for window, sessions in _WINDOWS),
            )),
        FactType("market_drawdown", "market", _PRICES, "fraction", "drawdown",
            ("current drawdown of the market index",), "252 sessions", is_loss=True),
        *(_fact(f"{name}_streak", "streaks", column, "sessions",
            (f"sessions with an alert of the {label}",), unit="count", window=None)
            for name, column, label in _STREAKS),
        *(_fact(f"{name}_alert", "streaks", column, "alert",
            (f"what happened to the alert of the {label}",), unit="text", window=None)
            for name, column, label in _STREAKS),
        *(_fact(f"{name}_away", "streaks", column, "sessions",
            (f"sessions since the alert of the {label} was left",), unit="count", window=None)
            for name, column, label in _STREAKS),
        *(_fact(f"{name}_{what}", "streaks", column, label, (f"{text} {label}",),
            unit=_UNITS.get(name, "fraction"), window=None,
            is_loss=(name, what) == ("drawdown", "stated"))
            for name, column, label in _STREAKS
            for what, text in (("left", "limit that was left by the"), ("now", "present"),
                ("kept", "limit in force just above the"), ("stated", "earlier"))
            if what != "now" or name in ("weight", "gross")),
        *(_fact(f"{name}_stated_day", "streaks", column, "day", (f"day of the earlier {label}",),
            unit="text", window=None) for name, column, label in _STREAKS),
        *_limit_facts(),
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

MOVES = ("beta", "volatility_21d", "expected_volatility", "top_3")
"""Types with facts of the change over 5 and 21 sessions and of the usual change of a session."""


def _change_type(base: FactType, unit: str, suffix: str, window: str) -> FactType:
    labels = tuple(
        f"change in {label}{' over ' * bool(suffix)}{window * bool(suffix)}"
        for label in base.labels
    )
    return FactType(
        f"{base.name}_change{suffix}",
        "changes" if not suffix else "moves",
        base.source,
        unit,
        f"change in {base.family}",
        labels,
        window,
    )  # fmt: skip


FACT_TYPES |= {
    kind.name: kind
    for name, unit in CHANGE_UNITS.items()
    for kind in (
        _change_type(FACT_TYPES[name], unit, suffix, window)
        for suffix, window in (("", "1 session"), *((f"_{key}", text) for key, text in _WINDOWS))
        if not suffix or name in MOVES
    )
}
FACT_TYPES |= {
    f"{name}_usual_change": FACT_TYPES[f"{name}_change"]._replace(
        name=f"{name}_usual_change",
        provider="moves",
        labels=(f"usual change in {FACT_TYPES[name].labels[0]}",),
        window="252 sessions",
    )
    for name in MOVES
}


FACT_TYPES |= {kind.name: kind for kind in question_fact_types.question_types()}


NOTE_PROVIDERS: Final = tuple(sorted({kind.provider for kind in FACT_TYPES.values()} - {QUESTIONS}))
"""Providers of the facts that notes state."""


@cache
def source_columns(providers: tuple[str, ...]) -> frozenset[str]:
    """Return the 'table.column' sources of some providers."""
    return frozenset(kind.source for kind in FACT_TYPES.values() if kind.provider in providers)


def label_for(source: str) -> str:
    """Return the name in prose of a 'table.column'."""
    return next(kind.labels[0] for kind in FACT_TYPES.values() if kind.source == source)
