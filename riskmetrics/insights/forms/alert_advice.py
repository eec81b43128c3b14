"""What to look at on alerts and limits: new when something happens to them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms import own_limits
from riskmetrics.insights.forms.advice import MUCH_RISK, SALIENCE, is_large, riskiest_position
from riskmetrics.insights.forms.limits import shown_limit
from riskmetrics.insights.forms.lists import REST, shorten_list
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import Reach, reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import Item, Slot, items, name, number, percent, points

_ADVISED = ("warning", "critical")
"""Levels of alerts that are looked at."""

_SIZE_SLOTS = "name: name, weight: percent"
_SIZE = "Look at: the size of {name}, {weight} of equity."
"""Slots and phrasing of the size of a position."""


def _look(form_id: str, topic: Topic, slots: str, kind: str, phrasing: str, *levels: str) -> Form:
    """Add the advice on the alert of a kind to which something happened, or the severest."""
    slot = slots.rpartition(", ")[2].partition(":")[0]

    def evaluate(view: View) -> Iterator[Instance]:
        for reach in _looked_at(view, kind, (*levels, *_ADVISED)):
            yield _advice(reach, {slot: shown_limit(kind, reach.value)})

    return _add_advice(form_id, topic, slots, phrasing, evaluate)


def _add_advice(
    form_id: str,
    topic: Topic,
    slots: str,
    phrasing: str,
    evaluate: Callable[[View], Iterator[Instance]],
) -> Form:
    """Add an advice that is new when something happens to an alert."""
    return form(form_id, topic, slots, phrasing, role="advice", is_event=True)(evaluate)


def _looked_at(view: View, kind: str, levels: Sequence[str] = _ADVISED) -> list[Reach]:
    """Return the alert of a kind that is looked at, if one has one of some levels."""
    found = [each for each in reached_limits(view) if each.kind == kind and each.level in levels]
    return sorted(found, key=lambda reach: (reach.is_standing, reach.event == "worse"))[:1]


def _advice(reach: Reach, slots: Mapping[str, Slot], *facts: Fact) -> Instance:
    """Return the advice on an alert; it is not new while the alert stands."""
    named = {"name": name(reach.alias)} if reach.alias else {}
    salience = SALIENCE + LEVELS.index(reach.level) / 10
    return Instance({**slots, **named}, (), salience, reach.alias, context=(*facts, *reach.facts),
        is_known=reach.is_standing)  # fmt: skip


@form("look_at_size", "concentration", _SIZE_SLOTS, _SIZE, role="advice", is_event=True)
def look_at_size(view: View) -> Iterator[Instance]:
    """The position with a severe alert, if something happened to that, or none makes much risk."""
    for reach in _looked_at(view, "weight"):
        if not reach.is_standing or riskiest_position(view) is None:
            yield _advice(reach, {"weight": shown_limit("weight", reach.value)})


@form("look_at_position", "concentration", _SIZE_SLOTS, _SIZE, role="advice")  # fmt: skip
def look_at_position(view: View) -> Iterator[Instance]:
    """The position that makes most of the risk by its size."""
    found = riskiest_position(view)
    of_alert = {each.subject for each in view.instances(look_at_size)}
    if found is not None and is_large(found) and found.subject not in of_alert:
        weight = shown_limit("weight", float(found.facts[0].value))
        slots = {"name": name(found.subject), "weight": weight}
        yield Instance(slots, (), SALIENCE + 1, found.subject, context=found.facts,
            is_steady=True)  # fmt: skip


_look("look_at_sector", "sectors", "name: name, weight: percent", "gross",
    "Look at: whether {name} is meant to be {weight} of gross exposure.")  # fmt: skip
_look("look_at_beta", "factors", "beta: number", "beta",
    "Look at: whether a beta of {beta} is intended.")  # fmt: skip
_look("look_at_leverage", "hedge", "gross: times", "gross_to_equity",
    "Look at: whether gross exposure of {gross} equity is intended.", "elevated")  # fmt: skip


def _drawdown(view: View, *, is_named: bool) -> Iterator[Instance]:
    """Yield the drawdown that is an alert, with the position that carries much of the risk.

    That the position made the drawdown is not known.
    """
    shares = (view.facts_of("share", alias=alias) or () for alias in view.aliases("POS"))
    found = next((fact for shown in shares for fact in shown if fact.rank == 1), None)
    has_much = found is not None and MUCH_RISK <= float(found.value) <= 1.0
    for reach in _looked_at(view, "drawdown") if has_much == is_named else ():
        slots: dict[str, Slot] = {"drawdown": shown_limit("drawdown", reach.value)}
        if is_named and found is not None and found.entity:
            slots |= {"name": name(found.entity), "share": percent(float(found.value))}
        yield _advice(reach, slots, *((found,) if is_named and found else ()))


_add_advice("look_at_drawdown", "stress", "drawdown: percent",
    "Look at: which positions made the {drawdown} drawdown of today's holdings.",
    partial(_drawdown, is_named=False))  # fmt: skip
_add_advice("look_at_drawdown_position", "stress", "name: name, share: percent, drawdown: percent",
    "Look at: the {drawdown} drawdown of today's holdings, and {name}, which carries {share} of the"
    " volatility.", partial(_drawdown, is_named=True))  # fmt: skip


def _excess_slot(excess: float, value: Slot) -> Slot:
    """Return how far a value is above its limit, with the decimals that tell the two apart."""
    return points(excess) if value.kind == "percent" else number(excess, value.decimals or 0)


def _look_at_own_limit(view: View, *, has_subject: bool) -> Iterator[Instance]:
    """Yield the first limit that a user set and that is exceeded."""
    states = (*own_limits.NEWS, *own_limits.exceeded)
    found = next((each for state in states for each in view.instances(state)), None)
    if found and ("of" in found.slots) == has_subject:
        evidence = (*found.facts, *found.context)
        value, limit = (float(fact.value) for fact in found.facts)
        slots = {slot: found.slots[slot] for slot in ("name", "of") if slot in found.slots}
        slots["excess"] = _excess_slot(value - limit, found.slots["value"])
        yield Instance(slots, (), SALIENCE + 2, found.subject, context=evidence,
            is_known=found.is_known)  # fmt: skip


_add_advice("look_at_own_limit", "limits", "name: label, excess: excess",
    "Look at: the positions behind {name}, {excess} above the portfolio's limit.",
    partial(_look_at_own_limit, has_subject=False))  # fmt: skip
_add_advice("look_at_own_limit_of", "limits", "name: label, of: subject, excess: excess",
    "Look at: {of}, {excess} above the portfolio's limit on {name}.",
    partial(_look_at_own_limit, has_subject=True))  # fmt: skip


@form(
    "look_at_own_limit_others",
    "limits",
    "positions: items, name: label",
    "Look at: the size of {positions}, above the portfolio's limit on {name}.",
    role="advice",
    entries=("{name}", *REST),
)
def look_at_own_limit_others(view: View) -> Iterator[Instance]:
    """The positions beyond a limit on single ones next to the largest; new if there are more."""
    for found in view.instances(own_limits.own_limit_others):
        names = [Item("{name}", {"name": name(str(fact.entity))}) for fact in found.facts]
        slots = {"positions": items(*shorten_list(names)), "name": found.slots["name"]}
        yield Instance(slots, (), SALIENCE + 1.9, found.subject, is_steady=True,
            remembered=found.remembered, context=(*found.facts, *found.context))  # fmt: skip
