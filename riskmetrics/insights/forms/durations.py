"""Answers about how long limits are exceeded and alerts are in force."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from riskmetrics.insights.claims import Topic, View, form
from riskmetrics.insights.forms.levels import SALIENCE
from riskmetrics.insights.forms.limits import value_slots
from riskmetrics.insights.forms.own_limits import EXCEEDED, UNITS
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import Slot, apart_from_limit, day, label, sessions
from riskmetrics.insights.slots import subject as of_what

_STATED = ("name", "value")
"""Slots of an alert that a sentence about its sessions states."""


def _exceeded_limits(view: View, *, has_subject: bool) -> Iterator[Instance]:
    """Yield the exceeded limits of users, with the first session of the unbroken run."""
    for alias in view.aliases("LIM"):
        subject = view.sheet.aliases[alias].get("of", "")
        for kind, unit in UNITS.items():
            figures = (kind, f"{kind}_limit", "exceeded_since", "limit_status")
            facts = view.facts_of(*figures, alias=alias)
            if facts is None or bool(subject) != has_subject:
                continue
            if facts[3].value == EXCEEDED:
                value, limit = (float(fact.value) for fact in facts[:2])
                since = date.fromisoformat(str(facts[2].value))
                shown = apart_from_limit(unit, limit, value)
                slots: dict[str, Slot] = {"limit": shown[0], "value": shown[1]}
                slots["name"] = label(alias)
                slots |= {"day": day(since, view.sheet.day)}
                slots |= {"of": of_what(subject)} if subject else {}
                yield Instance(slots, facts[:3], SALIENCE, alias, -1, context=facts[3:])


_SLOTS = "name: label, value: figure, limit: figure, day: day"
form(
    "own_limit_since",
    "limits",
    _SLOTS,
    "The {name} is {value}, above the portfolio's limit of {limit}, as in each checked session from"
    " {day} on.",
    is_answer=True,
)(partial(_exceeded_limits, has_subject=False))
form(
    "own_limit_since_of",
    "limits",
    f"{_SLOTS}, of: subject",
    "{of} at {value} exceeds the portfolio's limit of {limit} on {name}; in each checked session"
    " from {day} on, the limit was exceeded.",
    is_answer=True,
)(partial(_exceeded_limits, has_subject=True))


_LEVELS: Mapping[str, tuple[Topic, str, str]] = {
    "weight": ("concentration", "name: name, value: percent", "{name} is {value} of equity"),
    "gross": ("sectors", "name: name, value: percent", "{name} is {value} of gross exposure"),
    "beta": ("factors", "value: number", "Beta is {value}"),
    "drawdown": (
        "stress",
        "value: percent",
        "The drawdown of today's holdings, rebalanced daily, is {value}",
    ),
    "gross_to_equity": ("hedge", "value: times", "Gross exposure is {value} equity"),
}
"""Kind of alert to the topic, the slots and the beginning of the sentence about its sessions."""


def _alert(view: View, kind: str, *, is_start_known: bool) -> Iterator[Instance]:
    """Yield the alerts of a kind in force, with the session of each."""
    for reach in reached_limits(view):
        if reach.kind == kind and reach.is_start_known == is_start_known:
            slots = {key: slot for key, slot in value_slots(reach).items() if key in _STATED}
            slots["session"] = sessions(reach.sessions)
            salience = SALIENCE * (1 + LEVELS.index(reach.level) / 10)
            yield Instance(slots, reach.facts[:1], salience, reach.alias, -1,
                context=reach.facts[1:])  # fmt: skip


for _kind, (_topic, _named, _start) in _LEVELS.items():
    for _suffix, _words, _is_known in (("", "", True), ("_at_least", "at least ", False)):
        form(
            f"alert_since_{_kind}{_suffix}",
            _topic,
            f"{_named}, session: sessions",
            f"{_start}; the alert has been in force for {_words}{{session}}.",
            is_answer=True,
        )(partial(_alert, kind=_kind, is_start_known=_is_known))
