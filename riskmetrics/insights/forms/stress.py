"""Stress scenarios, as multiples of the market's loss, and drawdowns."""

from collections.abc import Iterator
from datetime import date

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import reached_limits
from riskmetrics.insights.slots import (
    Slot,
    day,
    distinct_slots,
    is_shown_apart,
    name,
    number,
    size,
    span,
)

_CLEAR_DIFFERENCE = 0.1
"""Relative difference from the market's loss in a scenario that is worth a sentence."""

_NOTABLE_DRAWDOWN = 0.03
"""Drawdown that is worth a sentence."""

_DEEPER = 0.05
"""Drawdown that rules state, and step from which they state it again."""


@form(
    "scenario_cost",
    "stress",
    "name: name, loss: percent",
    "The worst scenario, “{name}”, would cost {loss} of equity.",
    is_background=True,
)
def scenario_cost(view: View) -> Iterator[Instance]:
    """The worst scenario and what it would cost."""
    for alias, result in _scenarios(view):
        if result.rank == 1 and float(result.value) < 0:
            slots = {"name": name(alias), "loss": size(float(result.value))}
            yield Instance(slots, (result,), 0.6, alias, -1, is_steady=True)


def _against_market(view: View, sign: int) -> Iterator[Instance]:
    """Yield the worst scenario if it costs clearly more, or less, than the market loses in it."""
    for alias, result in _scenarios(view):
        move = view.fact("market_move", alias)
        own = float(result.value)
        if result.rank != 1 or move is None or max(own, float(move.value)) >= 0:
            continue
        edge = (1 - sign * _CLEAR_DIFFERENCE) * float(move.value)
        if sign * (own - edge) >= 0:
            shown = distinct_slots("percent", abs(own), abs(float(move.value)))
            slots = {"name": name(alias), "loss": shown[0], "market": shown[1]}
            slots["multiple"] = number(own / float(move.value))
            yield Instance(slots, (result, move), 0.7, alias, sign, is_steady=True)


_AGAINST_MARKET = "name: name, loss: percent, market: percent, multiple: number"

mirrored_forms("stress", _AGAINST_MARKET, _against_market, {
    -1: ("scenario_more_than_market",
        "The worst scenario, “{name}”, would cost {loss} of equity, more than the market's"
        " {market}: {multiple} times as much."),
    1: ("scenario_less_than_market",
        "The worst scenario, “{name}”, would cost {loss} of equity, less than the market's"
        " {market}: {multiple} times as much."),
}, is_background=True)  # fmt: skip


@form(
    "scenario_in_line",
    "stress",
    "name: name, loss: percent, multiple: number, market: percent, beta: number",
    "The scenario “{name}” would cost {loss} of equity, {multiple} times the market's fall of"
    " {market}, near the beta of {beta}.",
)
def scenario_in_line(view: View) -> Iterator[Instance]:
    """The loss in the worst scenario is the beta once more: within a tenth of what it implies."""
    for alias, result in _scenarios(view):
        move, beta = view.fact("market_move", alias), view.fact("own_beta")
        if move is None or beta is None or result.rank != 1 or float(result.value) >= 0:
            continue
        implied = float(beta.value) * float(move.value)
        if implied < 0 and abs(float(result.value) / implied - 1) <= _CLEAR_DIFFERENCE:
            slots = {"name": name(alias), "loss": size(float(result.value))}
            slots["multiple"] = number(float(result.value) / float(move.value))
            slots |= {"market": size(float(move.value)), "beta": number(float(beta.value))}
            yield Instance(slots, (result, beta, move), 0.45, alias, -1)


@form(
    "drawdown",
    "stress",
    "drawdown: percent, span: span, day: day",
    "Today's holdings, rebalanced daily to today's weights, would stand {drawdown} below the high"
    " of the past {span}, on {day}.",
)
def drawdown(view: View) -> Iterator[Instance]:
    """Today's holdings would be below the high of an earlier day: pro forma, no realized loss."""
    facts = view.facts_of("drawdown", "drawdown_peak")
    if facts:
        peak, depth = date.fromisoformat(str(facts[1].value)), float(facts[0].value)
        if peak < view.sheet.day and depth >= _NOTABLE_DRAWDOWN:
            slots = {"drawdown": size(depth), "day": day(peak, view.sheet.day)}
            slots["span"] = span(facts[0].n_obs)
            yield Instance(slots, facts, _salience(view, depth, 0.5), sign=-1, is_steady=True,
                remembered=_depth(depth))  # fmt: skip


@form(
    "drawdown_with_market",
    "stress",
    "drawdown: percent, span: span, market: percent",
    "Today's holdings, rebalanced daily to today's weights, would stand {drawdown} below the high"
    " of the past {span}, against {market} for the market index.",
)
def drawdown_with_market(view: View) -> Iterator[Instance]:
    """Drawdowns of today's holdings and of the market index."""
    facts = view.facts_of("drawdown", "market_drawdown")
    if facts and min(float(fact.value) for fact in facts) >= _NOTABLE_DRAWDOWN:
        own, market = (float(fact.value) for fact in facts)
        shown: tuple[Slot, ...] = size(own), size(market)
        if not is_shown_apart(shown[0], shown[1]):
            shown = distinct_slots("percent", own, market, most=1)
        slots = {"drawdown": shown[0], "market": shown[1], "span": span(facts[0].n_obs)}
        yield Instance(slots, facts, _salience(view, own, 0.6), sign=-1, is_steady=True,
            remembered=_depth(own))  # fmt: skip


@form(
    "drawdown_deepest",
    "stress",
    "drawdown: percent, span: span",
    "At {drawdown}, the drawdown of today's holdings, rebalanced daily, is the deepest of the past"
    " {span}.",
)
def drawdown_deepest(view: View) -> Iterator[Instance]:
    """The current drawdown is the maximum of the past year, and deep enough for a note."""
    facts = view.facts_of("drawdown", "max_drawdown")
    if facts and float(facts[0].value) == float(facts[1].value) >= _DEEPER:
        slots = {"drawdown": size(float(facts[0].value)), "span": span(facts[0].n_obs)}
        yield Instance(slots, facts, 1.6, sign=-1, is_steady=True,
            remembered=_depth(float(facts[0].value)))  # fmt: skip


@form(
    "at_peak",
    "stress",
    "span: span",
    "Today's holdings, rebalanced daily to today's weights, would be at the high of the past"
    " {span}.",
)
def at_peak(view: View) -> Iterator[Instance]:
    """There is no drawdown."""
    facts = view.facts_of("drawdown")
    if facts and float(facts[0].value) == 0:
        yield Instance({"span": span(facts[0].n_obs)}, facts, 0.8, sign=1)


@form(
    "drawdown_compared",
    "stress",
    "drawdown: percent, deepest: percent, span: span",
    "The drawdown of today's holdings, rebalanced daily, is {drawdown}, against {deepest} at the"
    " deepest point of the past {span}.",
)
def drawdown_compared(view: View) -> Iterator[Instance]:
    """The current drawdown is at most half of the year's maximum."""
    facts = view.facts_of("drawdown", "max_drawdown")
    if facts:
        now, deepest = (float(fact.value) for fact in facts)
        if _NOTABLE_DRAWDOWN <= now <= deepest / 2:
            shown = distinct_slots("percent", now, deepest)
            slots = dict(zip(("drawdown", "deepest"), shown, strict=True))
            slots["span"] = span(facts[0].n_obs)
            yield Instance(slots, facts, 0.45, sign=1)


def _depth(drawdown: float) -> tuple[float]:
    """Return what makes a drawdown new when it is deeper by a step."""
    return (2.0 ** (drawdown // _DEEPER),)


def _salience(view: View, depth: float, base: float) -> float:
    """Return the salience of a drawdown: little if it is shallow, or the list of alerts has it."""
    is_listed = any(reach.kind == "drawdown" for reach in reached_limits(view))
    return 0.4 if is_listed or depth < _DEEPER else base + depth


def _scenarios(view: View) -> "Iterator[tuple[str, Fact]]":
    """Yield the scenarios with a result."""
    for alias in view.aliases("SCN"):
        result = view.fact("result", alias)
        if result is not None:
            yield alias, result
