"""Data caveats that matter for what is stated."""

import re
from collections.abc import Callable, Iterator, Mapping

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms.lists import REST, names, ranked_aliases
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import Item, Slot, below_all, count, items, money, reason

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
    """Instruments have no price, and which ones is not known."""
    if unpriced_instruments(view) is None:
        yield from _prices_missing(view, {}, ())


@form(
    "prices_missing_of",
    "data",
    "coverage: percent, positions: items",
    "Only {coverage} of the instruments have a price; not in the values: {positions}.",
    entries=("{name}", *REST),
    place=1,
    is_event=True,
)
def prices_missing_of(view: View) -> Iterator[Instance]:
    """Instruments that have no price."""
    found = unpriced_instruments(view)
    if found is not None:
        yield from _prices_missing(view, {"positions": found[0]}, found[1])


def unpriced_instruments(view: View) -> tuple[Slot, tuple[Fact, ...]] | None:
    """Return the instruments without a price as a list, with its facts; None if unknown."""
    counted, held = view.fact("n_unpriced"), ranked_aliases(view, "unpriced", "no price")
    total = int(float(counted.value)) if counted else 0
    if counted is None or not held or total < len(held):
        return None
    entries = names([alias for alias, _ in held], total)
    return items(*entries), (counted, *(fact for _, fact in held))


def _prices_missing(
    view: View, slots: Mapping[str, Slot], context: tuple[Fact, ...]
) -> Iterator[Instance]:
    facts = view.facts_of("price_coverage")
    if facts and float(facts[0].value) < 1:
        coverage = float(facts[0].value)
        level = "elevated" if coverage >= _MOSTLY_PRICED else "warning"
        yield Instance({"coverage": below_all(coverage), **slots}, facts, 3.0, sign=-1, level=level,
            context=context)  # fmt: skip


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


def is_without_risk(view: View) -> bool:
    """Return whether equity is known, and no figure of risk."""
    return view.fact("total_value") is not None and not any(map(view.fact, _RISK_FACTS))


@form(
    "risk_undefined",
    "data",
    "count: count, equity: money",
    "No beta, volatility, value at risk or drawdown could be computed for the {count} positions;"
    " equity is {equity}.",
    place=1,
)
def risk_undefined(view: View) -> Iterator[Instance]:
    """No figure of risk exists for several positions."""
    yield from _undefined_risk(view, lambda held: held > 1)


@form(
    "risk_undefined_one",
    "data",
    "equity: money",
    "No beta, volatility, value at risk or drawdown could be computed for the only position; equity"
    " is {equity}.",
    place=1,
)
def risk_undefined_one(view: View) -> Iterator[Instance]:
    """No figure of risk exists for the only position."""
    yield from _undefined_risk(view, lambda held: held == 1)


_TOO_FEW = re.compile(
    r"(\d+) (?:paired returns?|of the trailing \d+ sessions ha(?:ve|s)) .*; (\d+) required"
)
"""Reason of an undefined beta that counts sessions."""


@form(
    "beta_not_yet",
    "data",
    "found: count, required: count",
    "No beta yet: returns on {found} of the {required} sessions required.",
    place=2,
)
def beta_not_yet(view: View) -> Iterator[Instance]:
    """No figure of risk exists, and there are too few sessions for a beta."""
    for fact, counted in _undefined_beta(view):
        if counted:
            slots = {"found": count(int(counted[1])), "required": count(int(counted[2]))}
            yield Instance(slots, (fact,), 2.9, sign=-1)


@form(
    "undefined_because",
    "data",
    "reason: reason",
    "Beta is undefined: {reason}.",
    place=2,
)
def undefined_because(view: View) -> Iterator[Instance]:
    """No figure of risk exists, and why there is no beta is known: not for too few sessions."""
    for fact, counted in _undefined_beta(view):
        if not counted:
            yield Instance({"reason": reason(str(fact.value))}, (fact,), 2.9, sign=-1)


def _undefined_beta(view: View) -> "Iterator[tuple[Fact, re.Match[str] | None]]":
    """Yield the reason of an undefined beta, and the sessions that it counts."""
    fact = view.fact("undefined_reason")
    if fact and any(_undefined_risk(view, lambda held: held >= 1)):
        yield fact, _TOO_FEW.fullmatch(str(fact.value))


def _undefined_risk(view: View, holds: Callable[[float], bool]) -> Iterator[Instance]:
    facts = view.facts_of("total_value", "num_positions")
    if facts and is_without_risk(view):
        equity, held = (float(fact.value) for fact in facts)
        if equity >= 0 and holds(held):
            slots = {"equity": money(equity, view.currency)}
            slots |= {"count": count(held)} if held > 1 else {}
            yield Instance(slots, facts[:1], 3.0, sign=-1, context=facts[1:])


_UNCHECKED = 1.8
"""Salience of alerts that were not checked: a note states it each day, and leads with it once."""

_WEIGHTS, _DRAWDOWN = "weights of positions", "the drawdown of today's holdings"
"""What is not known: entries of a list."""


@form(
    "weights_unknown",
    "data",
    "unknown: items",
    "Not known for the session, and not checked for alerts: {unknown}.",
    entries=(_WEIGHTS, _DRAWDOWN),
    place=9,
)
def weights_unknown(view: View) -> Iterator[Instance]:
    """Risk is known, but no weight of a position, as of a session that was computed in part."""
    facts = view.facts_of("num_positions")
    is_known = any(view.fact("weight", alias) for alias in view.aliases("POS"))
    if facts and float(facts[0].value) > 0 and not is_known and not is_without_risk(view):
        unknown = [_WEIGHTS] if view.fact("drawdown") else [_WEIGHTS, _DRAWDOWN]
        slots = {"unknown": items(*(Item(each, {}) for each in unknown))}
        yield Instance(slots, (), _UNCHECKED, sign=-1, context=facts, is_steady=True)
