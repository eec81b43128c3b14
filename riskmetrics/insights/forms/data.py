"""Data caveats that matter for what is stated."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import below_all, money

_MOSTLY_PRICED = 0.95
"""Share of the instruments with a price from which the rest is no warning."""

_RISK_FACTS = ("beta", "volatility_21d", "expected_volatility", "var_95", "drawdown")


@form(
    "prices_missing",
    "data",
    "coverage: percent",
    "Only {coverage} of the instruments have a price; all values leave out the rest.",
    place=1,
    is_event=True,
)
def prices_missing(view: View) -> Iterator[Instance]:
    """Instruments have no price."""
    facts = view.facts_of("price_coverage")
    if facts and float(facts[0].value) < 1:
        coverage = float(facts[0].value)
        level = "elevated" if coverage >= _MOSTLY_PRICED else "warning"
        yield Instance({"coverage": below_all(coverage)}, facts, 3.0, sign=-1, level=level)


@form(
    "equity_negative",
    "data",
    "amount: money",
    "Equity is negative, {amount} below zero: no figure relative to equity is defined.",
    place=1,
    is_event=True,
)
def equity_negative(view: View) -> Iterator[Instance]:
    """Debt exceeds the value of what is held."""
    facts = view.facts_of("total_value")
    if facts and float(facts[0].value) < 0:
        slots = {"amount": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, 3.5, sign=-1, level="warning")


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
        is_stated = any(view.instances(equity_negative))
        yield Instance({}, (), 0.4 if is_stated else 3.0, sign=-1, context=equity)
