"""Headlines: what matters most in a session, each with a precondition of its own."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import size


@form("headline_loss", "result", "rate: percent", "A loss of {rate}", role="headline")
def headline_loss(view: View) -> Iterator[Instance]:
    """The session brought a loss."""
    facts = view.facts_of("daily_return")
    if facts and float(facts[0].value) < 0:
        yield Instance({"rate": size(float(facts[0].value))}, facts, 1.0, sign=-1)


@form("headline_gain", "result", "rate: percent", "A gain of {rate}", role="headline")
def headline_gain(view: View) -> Iterator[Instance]:
    """The session brought a gain."""
    facts = view.facts_of("daily_return")
    if facts and float(facts[0].value) > 0:
        yield Instance({"rate": size(float(facts[0].value))}, facts, 1.0, sign=1)
