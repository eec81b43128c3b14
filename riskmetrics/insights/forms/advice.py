"""What to look at: each tied to a limit that is reached or a finding; never what to trade."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.forms.concentration import position_dominates
from riskmetrics.insights.forms.stress import drawdown_deepest
from riskmetrics.insights.forms.tail import var_too_low
from riskmetrics.insights.limits import reached_limits
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import name

_SALIENCE = 1.8
_ADVISED = ("warning", "critical")


@form(
    "look_at_position",
    "concentration",
    "name: name",
    "Look at the size of {name}.",
    role="advice",
)
def look_at_position(view: View) -> Iterator[Instance]:
    """The position farthest beyond a limit, or the one that makes most of the risk."""
    dominant = next(position_dominates.evaluate(view), None)
    if dominant is not None:
        yield Instance(
            {"name": name(dominant.subject)}, (), _SALIENCE + 1, dominant.subject,
            context=dominant.facts,
        )  # fmt: skip
    else:
        yield from _look(view, "weight")


@form("look_at_sector", "sectors", "name: name", "Look at the size of {name}.", role="advice")
def look_at_sector(view: View) -> Iterator[Instance]:
    """A sector is beyond a limit."""
    yield from _look(view, "gross")


@form(
    "look_at_beta",
    "factors",
    "",
    "Look at how much market risk the portfolio is meant to take.",
    role="advice",
)
def look_at_beta(view: View) -> Iterator[Instance]:
    """The beta is beyond a limit."""
    yield from _look(view, "beta")


@form("look_at_leverage", "hedge", "", "Look at the gross exposure.", role="advice")
def look_at_leverage(view: View) -> Iterator[Instance]:
    """Gross exposure is beyond a limit."""
    yield from _look(view, "gross_to_equity")


@form(
    "look_at_var",
    "tail",
    "",
    "Look at how far the value at risk can be relied on.",
    role="advice",
)
def look_at_var(view: View) -> Iterator[Instance]:
    """The value at risk fails its test."""
    for found in var_too_low.evaluate(view):
        yield Instance({}, (), _SALIENCE + 1, context=(*found.facts, *found.context))


@form("look_at_drawdown", "stress", "", "Look at what caused the drawdown.", role="advice",
    connectives=("caused",))  # fmt: skip
def look_at_drawdown(view: View) -> Iterator[Instance]:
    """The drawdown is the deepest of the year, and beyond a limit."""
    if any(drawdown_deepest.evaluate(view)):
        yield from _look(view, "drawdown")


def _look(view: View, kind: str) -> Iterator[Instance]:
    for reach in reached_limits(view):
        if reach.kind == kind and reach.level in _ADVISED:
            slots = {"name": name(reach.alias)} if reach.alias else {}
            salience = _SALIENCE + LEVELS.index(reach.level) / 10
            yield Instance(slots, (), salience, reach.alias, context=reach.facts)
            return
