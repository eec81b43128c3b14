"""Types of the facts that only answers to questions state."""

from collections.abc import Iterator
from typing import Final

from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.insights.fact_shapes import FactType, figure_fact

QUESTIONS: Final = "asked"
"""Provider of facts that only answers to questions state."""

CALENDAR_WINDOWS: Final = {"mtd": "month to date", "ytd": "year to date", "252d": "past year"}
"""Suffix of a return that only questions ask for to its window."""

TESTED_METHOD: Final = "historical"
"""Method of the value at risk that is tested, and that stands in where the first is undefined."""

TAIL_WINDOW: Final = f"{HEADLINE_TAIL['method']}, 504 sessions"
"""Method and window of the value at risk that is stated."""

_PRICES = "market_data_cache.close"


def question_types() -> Iterator[FactType]:
    """Yield the types of all facts that only answers state."""
    for statistic in all_statistics():
        yield from _statistic_facts(statistic)
    yield from _tail_facts()
    yield from _return_facts()
    yield from _position_facts()
    yield FactType("exceeded_since", QUESTIONS, "portfolio_limit_checks.day", "text", "status",
        ("first session of those in a row that exceed the limit",))  # fmt: skip


def statistic_fact_names(statistic: Statistic) -> dict[str, str]:
    """Return the facts of a statistic by column; no note states facts that are named so."""
    return statistic.facts or {
        figure.column: figure.column
        for figure in statistic.figures
        if figure.column != "observations"
    }


def _statistic_facts(statistic: Statistic) -> Iterator[FactType]:
    """Yield the types of a statistic that no note states: all its figures."""
    names = {} if statistic.facts else statistic_fact_names(statistic)
    for figure in statistic.figures:
        if name := names.get(figure.column):
            labels = (figure.label.lower(),)
            yield figure_fact(name, QUESTIONS, figure.name, statistic.family, labels)


def _tail_facts() -> Iterator[FactType]:
    """Yield the types of value at risk and shortfall that only questions ask for."""
    for measure, figure, label in (("var", "value_at_risk", "value at risk"),
            ("shortfall", "expected_shortfall", "expected shortfall")):  # fmt: skip
        for level in (95, 99):
            name, words = f"{measure}_{level}", f"{label} at {level}%"
            yield figure_fact(f"{name}_10d", QUESTIONS, figure, "loss",
                (f"{words} over 10 sessions",), window=TAIL_WINDOW)  # fmt: skip
            yield figure_fact(f"{name}_amount", QUESTIONS, f"{figure}_amount", "loss amount",
                (f"{words} in money",), window=TAIL_WINDOW)  # fmt: skip
    yield figure_fact("var_95_historical", QUESTIONS, "value_at_risk", "loss",
        ("historical value at risk at 95%",), window=f"{TESTED_METHOD}, 504 sessions")  # fmt: skip
    yield figure_fact("shortfall_99", QUESTIONS, "expected_shortfall", "loss",
        ("expected shortfall at 99%",), window=TAIL_WINDOW)  # fmt: skip


def _return_facts() -> Iterator[FactType]:
    """Yield the types of returns that only questions ask for, of the portfolio and the market."""
    for of, source, who in (("", "portfolio_snapshots.daily_return", ""),
            ("market_", _PRICES, " of the market index")):  # fmt: skip
        for name, window in CALENDAR_WINDOWS.items():
            yield FactType(f"{of}return_{name}", QUESTIONS, source, "signed fraction", "return",
                (f"return over the {window}{who}",), window)  # fmt: skip
    for name in ("worst", "best"):
        yield figure_fact(f"{name}_return", QUESTIONS, "daily_return", "return",
            (f"{name} return of a session",), window="252 sessions")  # fmt: skip
        yield figure_fact(f"{name}_day", QUESTIONS, "daily_return", "day",
            (f"session of the {name} return",), unit="text", window="252 sessions")  # fmt: skip
    yield FactType("market_volatility_21d", QUESTIONS, _PRICES, "fraction", "volatility",
        ("volatility of the market index",), "21 sessions")  # fmt: skip


POSITION_COLUMNS: Final = {
    "position_beta": "position_market_betas.beta",
    "position_beta_error": "position_market_betas.std_error",
    "position_volatility": "position_volatility.realized_vol_21d",
    "position_expected": "position_volatility.expected_vol_21d",
}
"""Fact of a single position to its figure."""


def _position_facts() -> Iterator[FactType]:
    """Yield the types of betas and volatilities of single positions."""
    labels = ("beta", "standard error of the beta", "volatility", "expected volatility")
    for (name, figure), label in zip(POSITION_COLUMNS.items(), labels, strict=True):
        words = (f"{label} of the position",)
        yield figure_fact(name, QUESTIONS, figure, "position risk", words)
