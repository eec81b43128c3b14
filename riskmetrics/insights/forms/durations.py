"""Answers about how long limits are exceeded and alerts are in force."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.forms.levels import SALIENCE
from riskmetrics.insights.forms.limits import MORE, VALUES, shortened, value_slots
from riskmetrics.insights.forms.own_limits import EXCEEDED, UNITS
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits import Reach, reached_limits
from riskmetrics.insights.slots import Item, Slot, apart_from_limit, count, day, items, label, name

_SESSIONS, _AT_LEAST = " for {sessions} sessions", " for at least {sessions} sessions"
"""Ends of an entry: since the alert began, or as far back as the figure is stored."""

_ONE = " for one session"


def _since(view: View, *, has_subject: bool) -> Iterator[Instance]:
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
                slots |= {"of": name(subject)} if subject else {}
                yield Instance(slots, facts[:3], SALIENCE, alias, -1, context=facts[3:])


_SLOTS = "name: label, value: figure, limit: figure, day: day"
form(
    "own_limit_since",
    "limits",
    _SLOTS,
    "The portfolio's {name} of {value} exceeds the limit of {limit}, as in each checked session"
    " from {day} on.",
    is_answer=True,
)(partial(_since, has_subject=False))
form(
    "own_limit_since_of",
    "limits",
    f"{_SLOTS}, of: name",
    "{of} at {value} exceeds the portfolio's limit of {limit} on {name}; in each checked session"
    " from {day} on, the limit was exceeded.",
    is_answer=True,
)(partial(_since, has_subject=True))


@form(
    "alerts_since",
    "result",
    "alerts: items",
    "Alerts by duration: {alerts}.",
    entries=(
        *(VALUES[kind] + end for kind in VALUES for end in (_SESSIONS, _AT_LEAST, _ONE)),
        MORE,
    ),
    is_answer=True,
)
def alerts_since(view: View) -> Iterator[Instance]:
    """All alert levels that are reached, each with the sessions of its alert."""
    reaches = reached_limits(view)
    if reaches:
        facts = {fact.id: fact for reach in reaches for fact in reach.facts}
        slots = {"alerts": items(*shortened([_lasting(reach) for reach in reaches]))}
        yield Instance(slots, (), SALIENCE, sign=-1, context=tuple(facts.values()))


def _lasting(reach: Reach) -> Item:
    """Return the entry of an alert: its value and its sessions."""
    slots = {key: slot for key, slot in value_slots(reach).items() if key in ("name", "value")}
    if reach.is_start_known and reach.sessions == 1:
        return Item(VALUES[reach.kind] + _ONE, slots)
    end = _SESSIONS if reach.is_start_known else _AT_LEAST
    return Item(VALUES[reach.kind] + end, slots | {"sessions": count(reach.sessions)})
