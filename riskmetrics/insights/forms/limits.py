"""Alert levels of `severity.yaml`: which were reached in the session, and which stay reached.

Limits that a user set for a portfolio are in `own_limits`.
"""

from collections.abc import Iterator

from riskmetrics.insights.claims import Form, Instance, Topic, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms.tail import REJECTED, var_too_low
from riskmetrics.insights.limits import Reach, reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import (
    Item,
    Slot,
    apart,
    count,
    items,
    name,
    number,
    ordinal,
    percent,
    times,
)

_NEW, _STANDING, _STANDING_ELEVATED = 3.5, 2.5, 1.5
"""Salience of a limit that was reached in the session, and of those that stay reached."""

_SEVERE = ("warning", "critical")

_MAX_ITEMS, _MAX_NAMED = 5, 2
"""Limits in a sentence, and positions that are named rather than counted."""

_ITEMS = {
    "weight": ("{name} above {limit} of equity", "{name} at {limit} of equity"),
    "gross": ("{name} above {limit} of gross exposure", "{name} at {limit} of gross exposure"),
    "beta": ("beta above {limit}", "beta at {limit}"),
    "drawdown": ("drawdown above {limit}", "drawdown at {limit}"),
    "gross_to_equity": ("gross exposure above {limit} equity", "gross exposure at {limit} equity"),
}
"""Kind of limit to its entry in the list: value beyond, and at, the limit."""

_VAR_TOO_LOW = "value at risk found too low in tests"
_COUNTED = "{count} positions at or above {limit} of equity"
_ITEM_PHRASINGS = (
    *(phrasing for pair in _ITEMS.values() for phrasing in pair),
    _VAR_TOO_LOW,
    *(f"{phrasing} ({{sessions}} session)" for pair in _ITEMS.values() for phrasing in pair),
    _COUNTED,
)


@form(
    "limits_standing",
    "result",
    "limits: items",
    "Unchanged alerts: {limits}.",
    "Alerts unchanged: {limits}.",
    entries=_ITEM_PHRASINGS,
    place=9,
)
def limits_standing(view: View) -> Iterator[Instance]:
    """Limits that are reached, and were reached the session before."""
    standing = [reach for reach in reached_limits(view) if reach.is_standing]
    yield from _list(standing, _failing_test(view))


@form(
    "limits_reached",
    "result",
    "limits: items",
    "Alerts in force: {limits}.",
    entries=_ITEM_PHRASINGS,
    place=9,
)
def limits_reached(view: View) -> Iterator[Instance]:
    """Limits that are reached, without a session before to compare with."""
    first = [reach for reach in reached_limits(view) if not (reach.is_standing or reach.is_new)]
    yield from _list(first, ())


def _list(reaches: list[Reach], failing: tuple[Fact, ...]) -> Iterator[Instance]:
    """Yield the list of limits, of each kind those of its most severe level."""
    if not (reaches or failing):
        return
    by_kind: dict[str, list[Reach]] = {}
    for reach in reaches:
        of_kind = by_kind.setdefault(reach.kind, [])
        if not of_kind or of_kind[0].level == reach.level:
            of_kind.append(reach)
    entries = [Item(_VAR_TOO_LOW, {})] if failing else []
    for kind, found in by_kind.items():
        if kind == "weight" and len(found) > _MAX_NAMED:
            slots = {"count": count(len(found)), "limit": _limit(found[0])}
            entries.append(Item(_COUNTED, slots))
        else:
            entries += map(_item, found)
    levels = (*(reach.level for reach in reaches), *(["warning"] if failing else []))
    level = max(levels, key=LEVELS.index)
    facts = {fact.id: fact for reach in reaches for fact in reach.facts}
    facts |= {fact.id: fact for fact in failing}
    yield Instance(
        {"limits": items(*entries[:_MAX_ITEMS])},
        (),
        _STANDING if level in _SEVERE else _STANDING_ELEVATED,
        sign=-1,
        level=level,
        context=tuple(facts.values()),
    )


def _failing_test(view: View) -> tuple[Fact, ...]:
    """Return the p-values of a VaR test that rejects a VaR too low, as it did before."""
    p_values = view.facts_of("var_p_value", "previous_var_p_value")
    fails = any(view.instances(var_too_low))
    if fails and p_values and all(float(fact.value) < REJECTED for fact in p_values):
        return p_values
    return ()


def _item(reach: Reach) -> Item:
    slots = {"limit": _limit(reach)}
    if reach.alias:
        slots["name"] = name(reach.alias)
    phrasing = _ITEMS[reach.kind][reach.value <= reach.limit]
    if reach.is_standing and reach.is_start_known:
        slots["sessions"] = ordinal(reach.sessions)
        phrasing += " ({sessions} session)"
    return Item(phrasing, slots)


def _limit(reach: Reach) -> Slot:
    if reach.kind == "gross_to_equity":
        return times(reach.limit, 2)
    return number(reach.limit) if reach.kind == "beta" else percent(reach.limit)


def _new(form_id: str, topic: Topic, slots: str, kind: str, slot: str, *phrasings: str) -> Form:
    """Add the form of alert levels of a kind that were reached in the session."""

    def evaluate(view: View) -> Iterator[Instance]:
        for reach in reached_limits(view):
            if reach.kind == kind and reach.is_new:
                shape = _limit(reach)
                limit, value = apart(shape.kind, reach.limit, reach.value)
                shown = {"limit": limit, slot: value}
                if reach.alias:
                    shown["name"] = name(reach.alias)
                salience = _NEW + LEVELS.index(reach.level) / 2
                yield Instance(
                    shown,
                    reach.facts[:1],
                    salience,
                    reach.alias,
                    -1,
                    level=reach.level,
                    context=reach.facts[1:],
                )

    return form(form_id, topic, slots, *phrasings, is_event=True)(evaluate)


limit_position = _new(
    "limit_position", "concentration", "name: name, limit: percent, weight: percent",
    "weight", "weight",
    "{name} reached the alert level of {limit} of equity for a single position and is now at"
    " {weight}.",
    "At {weight} of equity, {name} has reached the alert level of {limit} for a single position.",
)  # fmt: skip
limit_sector = _new(
    "limit_sector", "sectors", "name: name, limit: percent, weight: percent", "gross", "weight",
    "{name} reached the alert level of {limit} of gross exposure for a sector and is now at"
    " {weight}.",
)  # fmt: skip
limit_beta = _new(
    "limit_beta", "factors", "limit: number, beta: number", "beta", "beta",
    "Beta reached the alert level of {limit} and is now {beta}.",
    "At {beta}, beta has reached the alert level of {limit}.",
)  # fmt: skip
limit_drawdown = _new(
    "limit_drawdown", "stress", "limit: percent, drawdown: percent", "drawdown", "drawdown",
    "The drawdown reached the alert level of {limit} and is now {drawdown}.",
    "At {drawdown}, the drawdown has reached the alert level of {limit}.",
)  # fmt: skip
limit_leverage = _new(
    "limit_leverage", "hedge", "limit: times, gross: times", "gross_to_equity", "gross",
    "Gross exposure reached the alert level of {limit} equity and is now {gross}.",
    "At {gross} equity, gross exposure has reached the alert level of {limit}.",
)  # fmt: skip
