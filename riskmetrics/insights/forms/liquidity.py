"""How long it takes to sell the holdings."""

from collections.abc import Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import number, percent

_SLOW, _FAST = 5, 1
"""Sessions to sell everything from which it is slow, and up to which it is fast."""

_UNSOLD = 0.8
"""Share sold in five sessions below which it is worth a sentence."""

_FEW = 10
"""Sessions below which a decimal is shown."""


@form(
    "liquidity_slow",
    "liquidity",
    "days: number",
    "Selling the whole portfolio would take {days} sessions at the assumed share of volume.",
)
def liquidity_slow(view: View) -> Iterator[Instance]:
    """The slowest holding takes at least a week; all of gross value has a volume."""
    for days in _days(view):
        if days >= _SLOW:
            shown = number(days, 1 if days < _FEW else 0)
            yield Instance({"days": shown}, _facts(view), 0.45, sign=-1)


@form(
    "liquidity_fast",
    "liquidity",
    "",
    "The whole portfolio could be sold within one session at the assumed share of volume.",
)
def liquidity_fast(view: View) -> Iterator[Instance]:
    """The slowest holding takes a session or less; all of gross value has a volume."""
    for days in _days(view):
        if days <= _FAST:
            yield Instance({}, _facts(view), 0.4, sign=1)


@form(
    "liquidity_partial",
    "liquidity",
    "share: percent",
    "Only {share} of the portfolio could be sold within five sessions at the assumed share of"
    " volume.",
)
def liquidity_partial(view: View) -> Iterator[Instance]:
    """A clear part of the portfolio cannot be sold in a week; all of it has a volume."""
    fact = view.fact("sold_in_5d")
    if fact and fact.quality == "ok" and float(fact.value) < _UNSOLD:
        slots = {"share": percent(float(fact.value))}
        yield Instance(slots, (fact,), 1.2 - float(fact.value) / 2, sign=-1)


def _days(view: View) -> Iterator[float]:
    yield from (float(fact.value) for fact in _facts(view) if fact.quality == "ok")


def _facts(view: View) -> "tuple[Fact, ...]":
    return view.facts_of("days_to_liquidate") or ()
