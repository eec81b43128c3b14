"""Limits that a user set for a portfolio: breached, ended, still exceeded, close."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms.lists import MAX_ITEMS, REST, shorten_list
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limit_facts import LIMIT_NAMES
from riskmetrics.insights.slots import Item, Slot, apart_from_limit, count, day, items, label, name
from riskmetrics.insights.slots import subject as of_what
from riskmetrics.metrics.minimums import is_within

EXCEEDED, KEPT = "exceeded", "kept"
"""Statuses of a limit that has a value."""

_CLOSE = 0.9
"""Share of a limit from which a value is close to it."""

_NAMED = 0.4
"""Salience of a limit that was exceeded the session before: the standing alerts name it."""

_OTHERS = 1.6
"""Salience of the positions beyond a limit next to the largest one."""

UNITS = {"checked": "percent", "checked_number": "number"}
"""Type of a checked value to the unit in which it is shown."""


def _own_limit(
    form_id: str,
    phrasing: str,
    holds: Callable[[str, str, str, float, float], bool],
    salience: float,
    sign: int,
    level: str = "info",
    *,
    is_event: bool = False,
    end: str = "",
    has_earlier: bool = False,
) -> list[Form]:
    """Add the forms of a state of limits: of the portfolio, and of a position, sector or scenario.

    Parameters
    ----------
    phrasing : str
        What the value is, in words that follow it.
    holds : callable
        Whether the state is that of a status, the one of the session before and what happened
        (empty if unknown), the value and the limit.
    end : str, optional
        What else a sentence says of the limit.
    has_earlier : bool
        Whether the sentence states the value that was stated last, and its day.
    """

    def evaluate(view: View, *, has_subject: bool) -> Iterator[Instance]:
        for alias in view.aliases("LIM"):
            subject = view.sheet.aliases[alias].get("of", "")
            for kind, unit in UNITS.items():
                facts = view.facts_of(kind, f"{kind}_limit", "limit_status", alias=alias)
                if facts is None or bool(subject) != has_subject:
                    continue
                more = [view.fact(each, alias) for each in ("limit_status_before", "limit_alert")]
                before, event = (str(each.value) if each else "" for each in more)
                value, limit = (float(fact.value) for fact in facts[:2])
                stated = view.facts_of(f"{kind}_stated", "limit_stated_day", alias=alias) or ()
                if has_earlier and not stated:
                    continue
                if holds(str(facts[2].value), before, event, value, limit):
                    earlier = stated if has_earlier else ()
                    slots = _values(view, unit, limit, value, earlier) | {"name": label(alias)}
                    slots |= {"of": of_what(subject)} if subject else {}
                    context = (facts[2], *filter(None, more), *earlier)
                    is_known = not is_event and before == EXCEEDED
                    weight = _NAMED if is_known else salience
                    yield Instance(slots, facts[:2], weight, alias, sign, level=level,
                        is_known=is_known, context=context, is_steady=True)  # fmt: skip

    described = "name: label, value: figure, limit: figure"
    described += ", earlier: figure, day: day" if has_earlier else ""
    return [
        form(
            form_id + suffix,
            "limits",
            described + more,
            sentence.format(words=phrasing, end=end),
            is_event=is_event,
        )(partial(evaluate, has_subject=bool(suffix)))
        for suffix, more, sentence in (
            ("", "", "The {{name}} is {{value}}, {words} the portfolio's limit of {{limit}}{end}."),
            (
                "_of",
                ", of: subject",
                "{{of}} at {{value}} is {words} the portfolio's limit of {{limit}} on"
                " {{name}}{end}.",
            ),
        )
    ]


def _values(
    view: View, unit: str, limit: float, value: float, earlier: Sequence[Fact]
) -> dict[str, Slot]:
    """Return the slots of a limit, its value and the one that was stated last, shown apart."""
    shown = apart_from_limit(unit, limit, value, *(float(fact.value) for fact in earlier[:1]))
    slots: dict[str, Slot] = {"limit": shown[0], "value": shown[1]}
    if earlier:
        on = date.fromisoformat(str(earlier[1].value))
        slots |= {"earlier": shown[2], "day": day(on, view.sheet.day)}
    return slots


breached = _own_limit(
    "own_limit_breached",
    "newly above",
    lambda status, before, _, value, limit: status == EXCEEDED and before == KEPT and value > limit,
    4.5,
    -1,
    "warning",
    is_event=True,
)


def _is_exceeded(*events: str) -> Callable[[str, str, str, float, float], bool]:
    """Return whether a limit is exceeded that was not kept before, with one of some events."""

    def holds(status: str, before: str, event: str, value: float, limit: float) -> bool:
        return status == EXCEEDED and before != KEPT and event in events and value > limit

    return holds


exceeded = _own_limit("own_limit_exceeded", "above", _is_exceeded("", "stands"), 1.6, -1, "warning")
changed = _own_limit(
    "own_limit_changed",
    "now above",
    lambda status, before, event, value, limit: (
        _is_exceeded("none", "reached", "back", "known")(status, before, event, value, limit)
        and (before != "" or event != "known")
    ),
    4.5,
    -1,
    "warning",
    is_event=True,
)
"""Something else is beyond the limit than before, or the figure was undefined then."""
first = _own_limit(
    "own_limit_first",
    "above",
    lambda status, before, event, value, limit: (
        status == EXCEEDED and not before and event == "known" and value > limit
    ),
    4.5,
    -1,
    "warning",
    is_event=True,
    end=", which was not checked the session before",
)
"""The limit is new, or the session before has no results."""
worse = _own_limit(
    "own_limit_worse",
    "farther above",
    _is_exceeded("worse"),
    4.0,
    -1,
    "warning",
    is_event=True,
    end=" than the {earlier} on {day}",
    has_earlier=True,
)
ended = _own_limit(
    "own_limit_ended",
    "back within",
    lambda status, before, _, value, limit: (
        status == KEPT and before == EXCEEDED and is_within(value, limit)
    ),
    2.4,
    1,
    is_event=True,
)
NEWS = (*breached, *changed, *first, *worse)
EVENTS = (*NEWS, *ended)
"""What happens to a limit that is exceeded, and to any."""

close = _own_limit(
    "own_limit_close",
    "close to",
    lambda status, before, _, value, limit: (
        status == KEPT
        and before != EXCEEDED
        and _CLOSE * limit <= value
        and is_within(value, limit)
    ),
    1.3,
    -1,
)


_POSITION, _FURTHER = "{name} {value}", "further ones"
"""Entries of a list of positions, the last one if not all positions beyond the limit are known."""


@form(
    "own_limit_others",
    "limits",
    "limit: percent, name: label, of: name, positions: items",
    "Above the portfolio's limit of {limit} on {name}, next to {of}: {positions}.",
    entries=(_POSITION, *REST, _FURTHER),
)
def own_limit_others(view: View) -> Iterator[Instance]:
    """Positions beyond a limit on single ones, without the largest; new if there are more."""
    for alias in view.aliases("LIM"):
        limit, largest = view.fact("checked_limit", alias), view.sheet.aliases[alias].get("of")
        if (
            limit is None
            or largest is None
            or view.sheet.aliases[alias]["limit"] != LIMIT_NAMES["single_name"]
        ):
            continue
        weights = [
            fact
            for each in view.aliases("POS")
            if each != largest and (fact := view.fact("weight", each))
            if not is_within(float(fact.value), float(limit.value))
        ]
        weights.sort(key=lambda fact: -float(fact.value))
        sizes = (float(fact.value) for fact in weights)
        shown = apart_from_limit("percent", float(limit.value), *sizes)
        entries = [
            Item(_POSITION, {"name": name(str(fact.entity)), "value": value})
            for fact, value in zip(weights, shown[1:], strict=True)
        ]
        if entries:
            is_all = _has_next(view, 1 + len(entries))
            listed = shorten_list(entries) if is_all else [*entries[:MAX_ITEMS], Item(_FURTHER, {})]
            slots = {"limit": shown[0], "name": label(alias), "of": name(largest)}
            yield Instance(slots | {"positions": items(*listed)}, tuple(weights),
                _OTHERS, alias, -1, level="warning", context=(limit,), is_steady=True,
                remembered=(2.0 ** len(entries),))  # fmt: skip


def _has_next(view: View, n_largest: int) -> bool:
    """Return whether the facts have the position after some of the largest, or none is smaller."""
    facts = (view.fact("weight", alias) for alias in view.aliases("POS"))
    is_known = any(fact is not None and fact.rank == n_largest + 1 for fact in facts)
    return is_known or (view.number("num_positions") or 0) <= n_largest


@form(
    "own_limits_kept",
    "limits",
    "count: count",
    "All limits of the portfolio hold ({count} checked).",
)
def own_limits_kept(view: View) -> Iterator[Instance]:
    """All limits that are checked are kept, none is close, and none was exceeded before."""
    if any(any(view.instances(each)) for each in (*ended, *close)):
        return
    found = [view.fact("limit_status", alias) for alias in view.aliases("LIM")]
    facts = tuple(fact for fact in found if fact is not None)
    if facts and all(fact.value == KEPT for fact in facts):
        yield Instance({"count": count(len(facts))}, (), 0.55, sign=1, context=facts)
