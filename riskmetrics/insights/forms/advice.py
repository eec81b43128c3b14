"""What to look at: each tied to an alert or a finding; never what to trade."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, Topic, View, form
from riskmetrics.insights.forms import own_limits
from riskmetrics.insights.forms.concentration import position_dominates, position_risk_heavy
from riskmetrics.insights.forms.stress import drawdown_deepest
from riskmetrics.insights.forms.tail import var_too_low
from riskmetrics.insights.limits import reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import label, name

_SALIENCE = 1.8
_MUCH_RISK = 0.25
"""Share of the volatility from which a position that is riskier than its size is looked at."""

_ADVISED = ("warning", "critical")


@form(
    "look_at_position",
    "concentration",
    "name: name",
    "Look at: how large a position in {name} is intended.",
    role="advice",
)
def look_at_position(view: View) -> Iterator[Instance]:
    """The position that makes most of the risk, or much for its size, or has a severe alert."""
    heavy = (
        each
        for each in (*view.instances(position_dominates), *view.instances(position_risk_heavy))
        if float(each.facts[1].value) >= _MUCH_RISK
    )
    found = max(heavy, key=lambda each: float(each.facts[1].value), default=None)
    if found is not None:
        slots = {"name": name(found.subject)}
        yield Instance(slots, (), _SALIENCE + 1, found.subject, context=found.facts)
    else:
        yield from _reached(view, "weight")


def _look(form_id: str, topic: Topic, kind: str, phrasing: str) -> None:
    """Add the advice on the alert of a kind that is farthest beyond its level."""
    slots = "name: name" if "{name}" in phrasing else ""

    @form(form_id, topic, slots, phrasing, role="advice")
    def evaluate(view: View) -> Iterator[Instance]:
        if kind != "drawdown" or any(view.instances(drawdown_deepest)):
            yield from _reached(view, kind)


def _reached(view: View, kind: str) -> Iterator[Instance]:
    """Yield the first alert of a kind, if it is severe."""
    for reach in reached_limits(view):
        if reach.kind == kind and reach.level in _ADVISED:
            slots = {"name": name(reach.alias)} if reach.alias else {}
            salience = _SALIENCE + LEVELS.index(reach.level) / 10
            yield Instance(slots, (), salience, reach.alias, context=reach.facts)
            return


_look("look_at_sector", "sectors", "gross", "Look at: how much exposure to {name} is intended.")
_look("look_at_beta", "factors", "beta",
    "Look at: how much market risk the portfolio is meant to take.")  # fmt: skip
_look("look_at_leverage", "hedge", "gross_to_equity",
    "Look at: how much gross exposure is intended.")  # fmt: skip
_look("look_at_drawdown", "stress", "drawdown",
    "Look at: which positions made the drawdown the deepest of the year.")  # fmt: skip


@form(
    "look_at_var",
    "tail",
    "",
    "Look at: how far the value at risk can be relied on.",
    role="advice",
)
def look_at_var(view: View) -> Iterator[Instance]:
    """The value at risk fails its test."""
    for found in view.instances(var_too_low):
        yield Instance({}, (), _SALIENCE + 1, context=(*found.facts, *found.context))


@form(
    "look_at_own_limit",
    "limits",
    "name: label",
    "Look at: the breach of the portfolio's limit on {name}.",
    role="advice",
)
def look_at_own_limit(view: View) -> Iterator[Instance]:
    """The first limit that a user set and that is exceeded."""
    for state in (*own_limits.breached, *own_limits.exceeded):
        for found in view.instances(state):
            evidence = (*found.facts, *found.context)
            shown = {"name": label(found.subject)}
            yield Instance(shown, (), _SALIENCE + 2, found.subject, context=evidence)
            return
