"""Answers about single short positions: their weights, and what they gained or lost."""

from collections.abc import Iterator
from functools import partial

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms.levels import SALIENCE
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import count, money, name, size

_form = partial(form, is_answer=True)
_mirrored_answers = partial(mirrored_forms, is_answer=True)


def _short_aliases(view: View) -> list[str]:
    """Return the aliases of short positions, the largest first."""
    found = [
        (-float(weight.value), alias)
        for alias in view.aliases("POS")
        if (side := view.fact("side", alias)) and side.value == "short"
        and (weight := view.fact("weight", alias))
    ]  # fmt: skip
    return [alias for _, alias in sorted(found)]


def _is_largest(view: View, weight: Fact) -> bool:
    """Return whether no short position is larger than the largest of the sheet.

    The sheet has all of them, or every position that is larger.
    """
    weights = [view.fact("weight", alias) for alias in view.aliases("POS")]
    ranks = {each.rank for each in weights if each is not None}
    is_proved = weight.rank is not None and ranks.issuperset(range(1, weight.rank + 1))
    return is_proved or view.number("num_short_positions") == len(_short_aliases(view))


@_form("short_level", "hedge", "name: name, weight: percent",
    "{name} is a short position of {weight} of equity.")  # fmt: skip
def short_level(view: View) -> Iterator[Instance]:
    """The weight of each short position of the sheet."""
    for alias in _short_aliases(view):
        facts = view.facts_of("weight", alias=alias)
        side = view.facts_of("side", alias=alias)
        if facts and side:
            weight = float(facts[0].value)
            slots = {"name": name(alias), "weight": size(weight)}
            yield Instance(slots, facts, SALIENCE * min(weight, 1), alias, context=side)


@_form("short_largest", "hedge", "name: name, weight: percent",
    "The largest short position is {name}, with {weight} of equity.")  # fmt: skip
def short_largest(view: View) -> Iterator[Instance]:
    """The largest short position of the sheet."""
    for alias in _short_aliases(view)[:1]:
        weight, side = (view.facts_of(kind, alias=alias) for kind in ("weight", "side"))
        if weight and side and _is_largest(view, weight[0]):
            slots = {"name": name(alias), "weight": size(float(weight[0].value))}
            yield Instance(slots, weight, SALIENCE, alias, context=side)


@_form("shorts_listed", "hedge", "count: count, listed: count",
    "Of {count} short positions, {listed} are among the positions with the largest weights or"
    " shares of the volatility.")  # fmt: skip
def shorts_listed(view: View) -> Iterator[Instance]:
    """Not all short positions are on the sheet."""
    facts, listed = view.facts_of("num_short_positions"), len(_short_aliases(view))
    if facts and float(facts[0].value) > listed:
        slots = {"count": count(float(facts[0].value)), "listed": count(listed)}
        yield Instance(slots, facts, SALIENCE)


def _short_result(view: View, sign: int) -> Iterator[Instance]:
    """Yield what short positions lost, or gained."""
    for alias in _short_aliases(view):
        facts, side = (view.facts_of(kind, alias=alias) for kind in ("pnl", "side"))
        if facts and side and sign * float(facts[0].value) > 0:
            pnl = float(facts[0].value)
            slots = {"name": name(alias), "amount": money(pnl, view.currency)}
            salience = SALIENCE * abs(pnl) / (1 + abs(pnl))
            yield Instance(slots, facts, salience, alias, sign, context=side)


_mirrored_answers("result", "name: name, amount: money", _short_result, {
    -1: ("short_lost", "{name}, a short position, lost {amount} on the day."),
    1: ("short_gained", "{name}, a short position, gained {amount} on the day."),
})  # fmt: skip


def _no_short_result(view: View, sign: int) -> Iterator[Instance]:
    """All results of the short positions are known, and none is of a sign."""
    facts = [view.fact("pnl", alias) for alias in _short_aliases(view)]
    known = tuple(fact for fact in facts if fact is not None)
    is_complete = len(known) == len(facts) == view.number("num_short_positions")
    if known and is_complete and all(sign * float(fact.value) <= 0 for fact in known):
        yield Instance({}, (), SALIENCE, sign=-sign, context=known)


_mirrored_answers("result", "", _no_short_result, {
    -1: ("no_short_lost", "No short position lost on the day."),
    1: ("no_short_gained", "No short position gained on the day."),
})  # fmt: skip


@_form("short_results_listed", "result", "count: count, listed: count",
    "The facts contain the results of {listed} of {count} short positions.")  # fmt: skip
def short_results_listed(view: View) -> Iterator[Instance]:
    """Not all results of short positions are on the sheet."""
    listed = sum(view.fact("pnl", alias) is not None for alias in _short_aliases(view))
    facts = view.facts_of("num_short_positions")
    if facts and float(facts[0].value) > listed:
        slots = {"count": count(float(facts[0].value)), "listed": count(listed)}
        yield Instance(slots, facts, SALIENCE)
