"""Stress scenarios, as multiples of the market's loss, and drawdowns."""

from collections.abc import Iterator
from datetime import date

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.slots import apart, day, name, size

_NOTABLE_DRAWDOWN = 0.03
"""Drawdown that is worth a sentence."""


@form(
    "scenario_cost",
    "stress",
    "name: name, loss: percent",
    "In the scenario “{name}” the portfolio would lose {loss} of equity.",
    "The scenario “{name}” would cost {loss} of equity.",
)
def scenario_cost(view: View) -> Iterator[Instance]:
    """The worst scenario and what it would cost."""
    for alias, result in _scenarios(view):
        if result.rank == 1 and float(result.value) < 0:
            slots = {"name": name(alias), "loss": size(float(result.value))}
            yield Instance(slots, (result,), 0.6, alias, -1)


@form(
    "scenario_less_than_market",
    "stress",
    "name: name, loss: percent, market: percent",
    "In the scenario “{name}” the portfolio would lose {loss} of equity, less than the {market} of"
    " the market.",
)
def scenario_less_than_market(view: View) -> Iterator[Instance]:
    """The worst scenario costs less than the market loses in it."""
    for alias, result in _scenarios(view):
        move = view.fact("market_move", alias)
        if result.rank == 1 and move and float(move.value) < float(result.value) < 0:
            shown = apart("percent", abs(float(result.value)), abs(float(move.value)))
            slots = {"name": name(alias), "loss": shown[0], "market": shown[1]}
            yield Instance(slots, (result, move), 0.7, alias, 1)


@form(
    "drawdown",
    "stress",
    "drawdown: percent, day: day",
    "The portfolio is {drawdown} below the peak of {day}.",
    "From the peak of {day} the portfolio is down {drawdown}.",
)
def drawdown(view: View) -> Iterator[Instance]:
    """The portfolio is below its peak of an earlier day."""
    facts = view.facts_of("drawdown", "drawdown_peak")
    if facts:
        peak, depth = date.fromisoformat(str(facts[1].value)), float(facts[0].value)
        if peak < view.sheet.day and depth >= _NOTABLE_DRAWDOWN:
            slots = {"drawdown": size(depth), "day": day(peak, view.sheet.day)}
            yield Instance(slots, facts, 0.5 + depth, sign=-1)


@form(
    "drawdown_deepest",
    "stress",
    "drawdown: percent",
    "The drawdown of {drawdown} is the deepest of the past year.",
    "At {drawdown} the drawdown is the deepest of the past year.",
)
def drawdown_deepest(view: View) -> Iterator[Instance]:
    """The current drawdown is the maximum of the past year."""
    facts = view.facts_of("drawdown", "max_drawdown")
    if facts and float(facts[0].value) == float(facts[1].value) >= _NOTABLE_DRAWDOWN:
        yield Instance({"drawdown": size(float(facts[0].value))}, facts, 1.4, sign=-1)


def _scenarios(view: View) -> "Iterator[tuple[str, Fact]]":
    """Yield the scenarios with a result."""
    for alias in view.aliases("SCN"):
        result = view.fact("result", alias)
        if result is not None:
            yield alias, result
