"""Data caveats that matter for what is told."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import percent

_RISK_FACTS = ("beta", "volatility_21d", "expected_volatility", "var_95", "drawdown")


@form(
    "prices_missing",
    "data",
    "coverage: percent",
    "Only {coverage} of the instruments have a price; all values leave out the rest.",
    place=1,
)
def prices_missing(view: View) -> Iterator[Instance]:
    """Instruments have no price."""
    facts = view.facts_of("price_coverage")
    if facts and float(facts[0].value) < 1:
        coverage = float(facts[0].value)
        decimals = next(
            each for each in (0, 1, 2) if each == 2 or f"{coverage:.{each}%}" != f"{1:.{each}%}"
        )
        yield Instance({"coverage": percent(coverage, decimals)}, facts, 3.0, sign=-1,
            level="warning")  # fmt: skip


@form(
    "risk_undefined",
    "data",
    "",
    "No beta, volatility, value at risk or drawdown could be computed for the session.",
    place=1,
)
def risk_undefined(view: View) -> Iterator[Instance]:
    """No figure of risk exists."""
    equity = view.facts_of("total_value")
    if equity and not any(view.fact(kind) for kind in _RISK_FACTS):
        yield Instance({}, (), 3.0, sign=-1, context=equity)
