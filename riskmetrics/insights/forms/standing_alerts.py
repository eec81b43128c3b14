"""Alerts that stand: of earlier sessions, named once a week and when the others change."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from riskmetrics import trading_calendar
from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms import own_limits, tail, volatility
from riskmetrics.insights.forms.limits import (
    FROM,
    FROM_SINCE,
    JUST_BELOW,
    VALUES,
    shown_apart,
    shown_end,
    value_slots,
)
from riskmetrics.insights.forms.lists import REST, shorten_list
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import Reach, left_limits, reached_limits
from riskmetrics.insights.severity import LEVELS, REJECTED
from riskmetrics.insights.slots import Item, Slot, items, level, name, ordinal

_LISTED, _NAMED, _OTHER = 2.5, 2.6, 0.4
"""Salience of the list with figures, of the one without, and of both on a day without them."""

_POSITION = "{name} {value}"
_POSITIONS = "{positions} ({level} from {limit} of equity)"
"""A position of several at one level, and their entry."""

_NAMES = {
    "beta": "beta",
    "drawdown": "drawdown",
    "gross_to_equity": "gross exposure",
    "gross": "{name} sector",
    "weight": "{positions} position",
    "weights": "positions in {positions}",
    "test": "test of the historical value at risk",
    "volatility": "volatility",
    "own": "breach of the limit on {name}",
}
"""Kind of alert to its entry in the list without figures."""

_TEST = "historical value at risk too low ({exceptions} in {count} days, about {expected} expected)"
_VOLATILITY = "volatility higher than on {days} of days"
_HIGHEST = "volatility of {volatility} the highest on record in the past year"
_OWN = "{name} {value} (limit {limit})"
_OWN_OF = "{of} {value} (limit {limit} on {name})"

_MAX_ALERTS = 10
"""Alerts, and positions of one entry, that a list names; the others are counted."""

_STREAKS = ("limit_sessions", "volatility_percentile_streak", "var_failing_sessions")
"""Types of the sessions since which a limit of a user is exceeded, volatility is an alert, and the
test of the value at risk fails.
"""

_MAX_WEEK = 7
"""Sessions of a week at most, where the calendar begins."""

_ALERTS = "alerts"
"""What both lists state: a note has one of them."""


class _Alert(NamedTuple):
    """An entry of a list of alerts."""

    item: Item
    level: str
    facts: tuple[Fact, ...]
    size: int = 1
    """Alerts that it states."""


def has_full_list(view: View) -> bool:
    """Return whether standing alerts are listed with figures.

    They are in the first session of a week if one of them began in the week before, and in one
    since which an alert is known: the session before has no results, or they were computed in part.
    """
    n_sessions, reaches = _sessions_of_last_week(view), reached_limits(view)
    if any(reach.is_first_known for reach in reaches):
        return True
    counts = [reach.sessions for reach in reaches if reach.is_standing]
    counts += [
        int(float(fact.value))
        for alert in _further_alerts(view, is_short=True)
        for fact in alert.facts
        if fact.fact_type.name in _STREAKS
    ]
    return bool(n_sessions) and any(count <= n_sessions + 1 for count in counts)


def _sessions_of_last_week(view: View) -> int:
    """Return how many sessions the week before has if this is the first of a week, else 0."""
    earlier = trading_calendar.previous_session(view.sheet.day)
    week, count = earlier.isocalendar()[:2], 0
    if week == view.sheet.day.isocalendar()[:2]:
        return 0
    while earlier.isocalendar()[:2] == week and count < _MAX_WEEK:
        earlier, count = trading_calendar.previous_session(earlier), count + 1
    return count


def _is_changed(view: View) -> bool:
    """Return whether another alert began or ended in the session."""
    own = (*own_limits.breached, *own_limits.changed, *own_limits.first, *own_limits.ended)
    is_new = any(reach.is_new for reach in reached_limits(view)) or bool(left_limits(view))
    return is_new or any(any(view.instances(each)) for each in own)


@form(
    "limits_standing",
    "result",
    "limits: items",
    "Alerts in force: {limits}.",
    entries=(
        *(VALUES[kind] + end for kind in VALUES for end in (FROM, FROM_SINCE, JUST_BELOW)),
        *(_POSITION, _POSITIONS, *REST, _TEST, _VOLATILITY, _HIGHEST, _OWN, _OWN_OF),
    ),
    place=9,
    figure=_ALERTS,
)
def limits_standing(view: View) -> Iterator[Instance]:
    """Alerts of earlier sessions, or known since this one, in full."""
    reaches = [reach for reach in reached_limits(view) if reach.is_standing or reach.is_first_known]
    alerts = [*_further_alerts(view, is_short=False), *_of_levels(reaches)]
    if not alerts:
        return
    first = [reach for reach in reaches if reach.is_first_known]
    yield Instance(
        {"limits": _list(alerts)},
        (),
        _LISTED if has_full_list(view) else _OTHER,
        sign=-1,
        level=max((each.level for each in alerts), key=LEVELS.index),
        is_known=not first,
        context=_evidence(alerts),
        is_steady=True,
        remembered=(len(first), *sorted(reach.limit for reach in reaches)),
    )


def alerts_by_level(view: View) -> Iterator[Slot]:
    """Yield a list of all alerts at each level, critical first, whatever a note states of them."""
    alerts = list(_of_levels(reached_limits(view)))
    for each in reversed(LEVELS):
        if found := [alert for alert in alerts if alert.level == each]:
            yield _list(found)


@form(
    "alerts_unchanged",
    "result",
    "alerts: items",
    "Alerts still in force: {alerts}.",
    entries=(*_NAMES.values(), "{name}", *REST),
    place=9,
    figure=_ALERTS,
)
def alerts_unchanged(view: View) -> Iterator[Instance]:
    """Alerts of earlier sessions, without figures: once a week, and when another one changed."""
    if not (_is_changed(view) or _sessions_of_last_week(view)):
        return
    lowered = {(left.kind, left.alias) for left in left_limits(view) if left.is_below}
    standing = (reach for reach in reached_limits(view) if reach.is_standing)
    reaches = [reach for reach in standing if (reach.kind, reach.alias) not in lowered]
    alerts = list(_further_alerts(view, is_short=True))
    if positions := [reach for reach in reaches if reach.kind == "weight"]:
        entries = [Item("{name}", {"name": name(each.alias)}) for each in positions]
        listed = shorten_list(entries, most=_MAX_ALERTS)
        entry = _NAMES["weights" if len(positions) > 1 else "weight"]
        facts = tuple(fact for reach in positions for fact in reach.facts)
        item = Item(entry, {"positions": items(*listed)})
        alerts.append(_Alert(item, positions[0].level, facts, len(positions)))
    for reach in reaches:
        if reach.kind != "weight":
            slots = {"name": name(reach.alias)} if reach.alias else {}
            alerts.append(_Alert(Item(_NAMES[reach.kind], slots), reach.level, reach.facts))
    if alerts:
        salience = _OTHER if has_full_list(view) else _NAMED
        yield Instance({"alerts": _list(alerts)}, (), salience, sign=-1,
            context=_evidence(alerts), is_steady=True)  # fmt: skip


def _list(alerts: Sequence[_Alert]) -> Slot:
    """Return the list of alerts, the most severe first."""
    ordered = sorted(alerts, key=lambda each: -LEVELS.index(each.level))
    sizes = [each.size for each in ordered]
    return items(*shorten_list([each.item for each in ordered], sizes, _MAX_ALERTS))


def _evidence(alerts: Sequence[_Alert]) -> tuple[Fact, ...]:
    """Return the facts of alerts, each once."""
    found = (fact for each in alerts for fact in each.facts)
    return tuple({fact.id: fact for fact in found}.values())


def _of_levels(reaches: Sequence[Reach]) -> Iterator[_Alert]:
    """Yield the entries of alert levels: positions at one level are one entry."""
    positions = [reach for reach in reaches if reach.kind == "weight"]
    for limit in sorted({reach.limit for reach in positions}, reverse=True):
        if beyond := [each for each in positions if each.limit == limit and not each.is_kept]:
            yield _positions(beyond)
    for reach in reaches:
        if reach.kind != "weight" or reach.is_kept:
            yield _Alert(_item(reach), reach.level, reach.facts)


def _positions(reaches: Sequence[Reach]) -> _Alert:
    """Return the entry of the positions at one level."""
    facts = tuple(fact for reach in reaches for fact in reach.facts)
    if len(reaches) == 1:
        return _Alert(_item(reaches[0]), reaches[0].level, facts)
    shown = [shown_apart(reach) for reach in reaches]
    entries = [
        Item(_POSITION, {"name": name(reach.alias), "value": value})
        for reach, (_, value) in zip(reaches, shown, strict=True)
    ]
    limit = max((limit for limit, _ in shown), key=lambda slot: slot.decimals or 0)
    slots = {"positions": items(*shorten_list(entries, most=_MAX_ALERTS)), "limit": limit}
    slots["level"] = level(reaches[0].level)
    return _Alert(Item(_POSITIONS, slots), reaches[0].level, facts, len(reaches))


def _further_alerts(view: View, *, is_short: bool) -> Iterator[_Alert]:
    """Yield what was an alert the session before as well: limits of users, test, volatility."""
    for of, entry in zip(own_limits.exceeded, (_OWN, _OWN_OF), strict=True):
        for found in view.instances(of):
            before = view.fact("limit_status_before", found.subject)
            if before is not None and before.value == own_limits.EXCEEDED:
                named = Item(_NAMES["own"], {"name": found.slots["name"]})
                since = view.facts_of("limit_sessions", alias=found.subject) or ()
                yield _make_alert(named if is_short else Item(entry, found.slots), found, *since)
    p_value = view.fact("previous_var_p_value")
    if p_value is not None and float(p_value.value) < REJECTED:
        for found in view.instances(tail.var_too_low):
            item = Item(_NAMES["test"], {}) if is_short else Item(_TEST, found.slots)
            yield _make_alert(item, found, p_value, *(view.facts_of("var_failing_sessions") or ()))
    streak = view.fact("volatility_percentile_streak")
    if streak is not None and volatility.is_listed(view):
        for found in (*view.instances(volatility.volatility_high),
                *view.instances(volatility.extremes[1])):  # fmt: skip
            if found.level != "info":
                days = {"days": found.slots["days"]} if "days" in found.slots else {}
                full = Item(_VOLATILITY, days) if days else Item(_HIGHEST, found.slots)
                item = Item(_NAMES["volatility"], {}) if is_short else full
                yield _make_alert(item, found, streak)


def _make_alert(item: Item, found: Instance, *facts: Fact) -> _Alert:
    return _Alert(item, found.level, (*found.facts, *found.context, *facts))


def _item(reach: Reach) -> Item:
    """Return the entry of a limit with its value, level, and the session of its streak."""
    slots = value_slots(reach)
    is_counted = reach.sessions > 1 and reach.is_start_known
    if reach.is_kept:
        return Item(VALUES[reach.kind] + JUST_BELOW, slots | {"until": shown_end(reach)})
    if is_counted:
        slots["sessions"] = ordinal(reach.sessions)
    return Item(VALUES[reach.kind] + (FROM_SINCE if is_counted else FROM), slots)
