"""Alert levels of `severity.yaml`: which were reached in the session, and which stay reached.

Limits that a user set for a portfolio are in `own_limits`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from riskmetrics.insights.claims import Form, Instance, Topic, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms import own_limits, tail, volatility
from riskmetrics.insights.limits import Reach, reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import (
    Item,
    Slot,
    apart,
    count,
    is_shown_apart,
    items,
    name,
    number,
    ordinal,
    percent,
    times,
)

_NEW, _STANDING, _STANDING_ELEVATED = 3.5, 2.5, 1.7
"""Salience of a limit that was reached in the session, and of those that stay reached."""

_BY_TRADE = 2.0
"""Salience of the trades that made a position reach an alert level."""

_UNCHANGED = 1.0
"""Salience of the short list of alerts: above that of the long one if it is old."""

_SEVERE = ("warning", "critical")

_MAX_ITEMS, _MAX_NAMED, _MAX_SHORT = 6, 2, 3
"""Alerts in the long list, positions that are all named in it (of more, the largest is), and alerts
in the short list. One more is named, too; several more are counted.
"""

_ITEMS = {
    "weight": "{name} {value} of equity",
    "gross": "{name} {value} of gross exposure",
    "beta": "beta {value}",
    "drawdown": "drawdown of today's holdings {value}",
    "gross_to_equity": "gross exposure {value} equity",
}
"""Kind of limit to its entry in the list."""

_SINCE = (" (level {limit})", " (level {limit}, {sessions} session)")
"""Ends of an entry: without and with the number of sessions."""

_COUNTED = "{count} more positions at or above {limit}"

_MORE = "{count} more"
_TEST = (
    "historical value at risk too low ({exceptions} larger losses in {count} days, about"
    " {expected} expected)"
)
_VOLATILITY = "volatility above {days} of days"
_HIGHEST = "volatility of {volatility} the highest in up to a year"
_OWN = "{name} {value} (limit {limit})"
_OWN_OF = "{of} {value} (limit {limit} on {name})"
_FURTHER = (_OWN, _OWN_OF, _TEST, _VOLATILITY, _HIGHEST)
"""Entries of alerts besides limits of `severity.yaml`."""

_ALERTS = "alerts"
"""What both lists state: a note has one of them."""


@form(
    "limits_standing",
    "result",
    "limits: items",
    "Alerts: {limits}.",
    entries=(
        *(item + since for item in _ITEMS.values() for since in _SINCE),
        _COUNTED,
        _MORE,
        *_FURTHER,
    ),
    place=9,
    figure=_ALERTS,
)
def limits_standing(view: View) -> Iterator[Instance]:
    """Limits that are reached and were not reached in this session, each kind's most severe."""
    reaches = [reach for reach in reached_limits(view) if not reach.is_new]
    if not reaches:
        return
    by_kind: dict[str, list[Reach]] = {}
    for reach in reaches:
        of_kind = by_kind.setdefault(reach.kind, [])
        if not of_kind or of_kind[0].level == reach.level:
            of_kind.append(reach)
    alerts = list(_further_alerts(view))
    for kind, found in by_kind.items():
        if kind == "weight" and len(found) > _MAX_NAMED:
            slots = {"count": count(len(found) - 1), "limit": shown_limit(kind, found[0].limit)}
            facts = tuple(fact for reach in found[1:] for fact in reach.facts)
            counted = _Alert(Item(_COUNTED, slots), found[0].level, facts, len(found) - 1)
            alerts += [_alert(found[0], _item), counted]
        else:
            alerts += [_alert(reach, _item) for reach in found]
    level = max((each.level for each in alerts), key=LEVELS.index)
    yield Instance(
        {"limits": _list_worst(alerts, _MAX_ITEMS)},
        (),
        _STANDING if level in _SEVERE else _STANDING_ELEVATED,
        sign=-1,
        level=level,
        context=_evidence(alerts),
        is_steady=True,
        remembered=tuple(sorted(each.limit for found in by_kind.values() for each in found)),
    )


@form(
    "alerts_unchanged",
    "result",
    "alerts: items",
    "Standing alerts: {alerts}.",
    entries=(*_ITEMS.values(), _MORE, *_FURTHER),
    place=9,
    is_event=True,
    figure=_ALERTS,
)
def alerts_unchanged(view: View) -> Iterator[Instance]:
    """What was an alert the session before as well: limits, volatility, and a test that fails."""
    reaches = [reach for reach in reached_limits(view) if reach.is_standing]
    alerts = [*_further_alerts(view), *(_alert(reach, _short_item) for reach in reaches)]
    if alerts:
        level = max((each.level for each in alerts), key=LEVELS.index)
        yield Instance({"alerts": _list_worst(alerts, _MAX_SHORT)}, (), _UNCHANGED, sign=-1,
            level=level, context=_evidence(alerts))  # fmt: skip


class _Alert(NamedTuple):
    """An entry of a list of alerts."""

    item: Item
    level: str
    facts: tuple[Fact, ...]
    size: int = 1
    """Alerts that it states: a count of positions states several."""


def _list_worst(alerts: Sequence[_Alert], most: int) -> Slot:
    """Return the list of the most severe alerts; if several do not fit, the rest is counted."""
    ordered = sorted(alerts, key=lambda each: -LEVELS.index(each.level))
    rest = sum(each.size for each in ordered[most:])
    if rest <= 1:
        return items(*(each.item for each in ordered))
    return items(*(each.item for each in ordered[:most]), Item(_MORE, {"count": count(rest)}))


def _evidence(alerts: Sequence[_Alert]) -> tuple[Fact, ...]:
    """Return the facts of alerts, each once."""
    found = (fact for each in alerts for fact in each.facts)
    return tuple({fact.id: fact for fact in found}.values())


def _alert(reach: Reach, describe: Callable[[Reach], Item]) -> _Alert:
    return _Alert(describe(reach), reach.level, reach.facts)


def _further_alerts(view: View) -> Iterator[_Alert]:
    """Yield what was an alert the session before as well: limits of users, test, volatility."""
    for of, entry in zip(own_limits.exceeded, (_OWN, _OWN_OF), strict=True):
        for found in view.instances(of):
            before = view.fact("limit_status_before", found.subject)
            if before is not None and before.value == own_limits.EXCEEDED:
                yield _further(Item(entry, found.slots), found)
    p_value = view.fact("previous_var_p_value")
    if p_value is not None and float(p_value.value) < tail.REJECTED:
        for found in view.instances(tail.var_too_low):
            yield _further(Item(_TEST, found.slots), found, p_value)
    streak = view.fact("volatility_percentile_streak")
    if streak is not None and volatility.is_listed(view):
        for found in view.instances(volatility.volatility_high):
            if found.level != "info":
                yield _further(Item(_VOLATILITY, {"days": found.slots["days"]}), found, streak)
        for found in view.instances(volatility.extremes[1]):
            yield _further(Item(_HIGHEST, found.slots), found, streak)


def _further(item: Item, found: Instance, *facts: Fact) -> _Alert:
    return _Alert(item, found.level, (*found.facts, *found.context, *facts))


def _short_item(reach: Reach) -> Item:
    slots = {"value": shown_limit(reach.kind, reach.value)}
    if reach.alias:
        slots["name"] = name(reach.alias)
    return Item(_ITEMS[reach.kind], slots)


def _item(reach: Reach) -> Item:
    limit, value = _apart(reach)
    slots = {"limit": limit, "value": value}
    if reach.alias:
        slots["name"] = name(reach.alias)
    is_counted = reach.is_standing and reach.is_start_known
    if is_counted:
        slots["sessions"] = ordinal(reach.sessions)
    return Item(_ITEMS[reach.kind] + _SINCE[is_counted], slots)


def shown_limit(kind: str, value: float) -> Slot:
    """Return a value of a kind of limit, as sentences show it."""
    if kind == "gross_to_equity":
        return times(value, 2)
    return number(value) if kind == "beta" else percent(value)


def _apart(reach: Reach) -> tuple[Slot, ...]:
    """Return limit and value; a percentage has a decimal more if that tells them apart."""
    shown = tuple(shown_limit(reach.kind, value) for value in (reach.limit, reach.value))
    if shown[0].kind != "percent" or is_shown_apart(*shown):
        return shown
    return apart("percent", reach.limit, reach.value, most=1)


def _new(form_id: str, topic: Topic, slots: str, kind: str, slot: str, *phrasings: str) -> Form:
    """Add the form of alert levels of a kind that were reached in the session."""

    def evaluate(view: View) -> Iterator[Instance]:
        for reach in reached_limits(view):
            if reach.kind == kind and reach.is_new:
                limit, value = _apart(reach)
                shown = {"limit": limit, slot: value}
                if reach.alias:
                    shown["name"] = name(reach.alias)
                shares = view.facts_of("share", alias=reach.alias) if kind == "weight" else None
                if shares and float(shares[0].value) < 0:
                    shares = None
                if bool(shares) != ("share" in slots):
                    continue
                if shares:
                    shown["share"] = percent(float(shares[0].value))
                salience = _NEW + LEVELS.index(reach.level) / 2
                yield Instance(
                    shown,
                    (*reach.facts[:1], *(shares or ())),
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
    "{name} reached the alert level of {limit} for a single position: {weight} of equity.",
)  # fmt: skip
limit_position_share = _new(
    "limit_position_share", "concentration",
    "name: name, limit: percent, weight: percent, share: percent", "weight", "weight",
    "{name} reached the alert level of {limit} for a single position: {weight} of equity and"
    " {share} of the volatility.",
)  # fmt: skip
limit_sector = _new(
    "limit_sector", "sectors", "name: name, limit: percent, weight: percent", "gross", "weight",
    "{name} reached the alert level of {limit} for a sector: {weight} of gross exposure.",
)  # fmt: skip
limit_beta = _new(
    "limit_beta", "factors", "limit: number, beta: number", "beta", "beta",
    "Beta reached the alert level of {limit} and is now {beta}.",
)  # fmt: skip
limit_drawdown = _new(
    "limit_drawdown", "stress", "limit: percent, drawdown: percent", "drawdown", "drawdown",
    "The drawdown of today's holdings reached the alert level of {limit} and is now {drawdown}.",
)  # fmt: skip
limit_leverage = _new(
    "limit_leverage", "hedge", "limit: times, gross: times", "gross_to_equity", "gross",
    "Gross exposure reached the alert level of {limit} equity and is now {gross}.",
)  # fmt: skip


@form(
    "limit_by_trade",
    "result",
    "name: name, increase: percent",
    "Trades raised the quantity of {name} by {increase}, without which the alert level would not be"
    " reached.",
    place=4,
    is_event=True,
)
def limit_by_trade(view: View) -> Iterator[Instance]:
    """A position reached an alert level that its quantity of the session before does not reach.

    Trades move value between the position and cash, so equity is the same without them.
    """
    for reach in reached_limits(view):
        facts = view.facts_of("quantity_increase", alias=reach.alias or None)
        if facts and reach.kind == "weight" and reach.is_new:
            increase = float(facts[0].value)
            if reach.value / reach.limit - 1 < increase:
                slots = {"name": name(reach.alias), "increase": percent(increase)}
                one = view.facts_of("n_resized") or ()
                resized = one if one and float(one[0].value) == 1 else ()
                yield Instance(slots, (*facts, *resized), _BY_TRADE, reach.alias, -1,
                    context=reach.facts)  # fmt: skip
