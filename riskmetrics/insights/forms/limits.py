"""Limits: which were reached in the session, and which stay reached."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
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

_VAR_TOO_LOW = "the value at risk too low"
_COUNTED = "{count} positions at or above {limit} of equity"
_ITEM_PHRASINGS = (
    *(phrasing for pair in _ITEMS.values() for phrasing in pair),
    _VAR_TOO_LOW,
    *(f"{phrasing} for the {{sessions}} session" for pair in _ITEMS.values() for phrasing in pair),
    _COUNTED,
)


@form(
    "limits_standing",
    "result",
    "limits: items",
    "Unchanged: {limits}.",
    "Unchanged from the session before: {limits}.",
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
    "Limits reached: {limits}.",
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
    fails = any(var_too_low.evaluate(view))
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
        phrasing += " for the {sessions} session"
    return Item(phrasing, slots)


def _limit(reach: Reach) -> Slot:
    if reach.kind == "gross_to_equity":
        return times(reach.limit, 2)
    return number(reach.limit) if reach.kind == "beta" else percent(reach.limit)


@form(
    "limit_position",
    "concentration",
    "name: name, limit: percent, weight: percent",
    "{name} reached the limit of {limit} for a single position: the weight is now {weight} of"
    " equity.",
    "At {weight} of equity, {name} has reached the limit of {limit} for a single position.",
    is_event=True,
)
def limit_position(view: View) -> Iterator[Instance]:
    """A position reached a limit in the session."""
    yield from _new(view, "weight", "weight")


@form(
    "limit_sector",
    "sectors",
    "name: name, limit: percent, weight: percent",
    "{name} reached the limit of {limit} for a sector: now {weight} of gross exposure.",
    is_event=True,
)
def limit_sector(view: View) -> Iterator[Instance]:
    """A sector reached a limit in the session."""
    yield from _new(view, "gross", "weight")


@form(
    "limit_beta",
    "factors",
    "limit: number, beta: number",
    "Beta reached the limit of {limit}: the figure is now {beta}.",
    "At {beta}, beta has reached the limit of {limit}.",
    is_event=True,
)
def limit_beta(view: View) -> Iterator[Instance]:
    """The beta reached a limit in the session."""
    yield from _new(view, "beta", "beta")


@form(
    "limit_drawdown",
    "stress",
    "limit: percent, drawdown: percent",
    "The drawdown reached the limit of {limit}: the portfolio is now {drawdown} below the peak.",
    "At {drawdown}, the drawdown has reached the limit of {limit}.",
    is_event=True,
)
def limit_drawdown(view: View) -> Iterator[Instance]:
    """The drawdown reached a limit in the session."""
    yield from _new(view, "drawdown", "drawdown")


@form(
    "limit_leverage",
    "hedge",
    "limit: times, gross: times",
    "Gross exposure reached the limit of {limit} equity: now {gross}.",
    "At {gross} equity, gross exposure has reached the limit of {limit}.",
    is_event=True,
)
def limit_leverage(view: View) -> Iterator[Instance]:
    """Gross exposure reached a limit in the session."""
    yield from _new(view, "gross_to_equity", "gross")


def _new(view: View, kind: str, slot: str) -> Iterator[Instance]:
    for reach in reached_limits(view):
        if reach.kind == kind and reach.is_new:
            shape = _limit(reach)
            limit, value = apart(shape.kind, reach.limit, reach.value)
            slots = {"limit": limit, slot: value}
            if reach.alias:
                slots["name"] = name(reach.alias)
            salience = _NEW + LEVELS.index(reach.level) / 2
            yield Instance(
                slots,
                reach.facts[:1],
                salience,
                reach.alias,
                -1,
                level=reach.level,
                context=reach.facts[1:],
            )
