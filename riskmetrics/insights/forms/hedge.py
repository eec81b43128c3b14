"""What short positions do, and how large gross exposure is."""

from collections.abc import Callable, Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.form_shapes import mirrored_forms, single_figure
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import count, distinct_slots, percent, size, times

_CLEAR_SHARE = 0.02
"""Share of the volatility of the shorts that is worth a sentence."""

_NET_SHORT = 0.05
"""Net short exposure over equity that is worth a sentence."""

_LEVERAGED = 1.05
"""Gross exposure over equity from which it is worth a sentence."""


def _short_contributions(view: View, sign: int) -> Iterator[Instance]:
    """Yield the sum of the contributions of shorts to the volatility, next to long positions.

    One below zero lowers the volatility; one above zero need not raise it over that of the longs.
    """
    shorts = view.number("num_short_positions")
    if shorts and shorts != view.number("num_positions"):
        yield from single_figure(
            "short_share", "share", percent, lambda share: sign * share >= _CLEAR_SHARE,
            lambda share: 1.0 + min(abs(share), 0.6), sign=-sign,
            needs=("num_short_positions",),
            is_steady=True,
        )(view)  # fmt: skip


shorts = mirrored_forms("hedge", "share: percent", _short_contributions, {
    -1: ("shorts_reduce",
        "On balance the short positions hedge, with {share} of the contributions to volatility.",
        "The contributions of the short positions to volatility are {share} of the sum."),
    1: ("shorts_add",
        "The short positions make up {share} of the contributions to volatility."),
})  # fmt: skip


@form(
    "net_short",
    "hedge",
    "net: times",
    "The portfolio is net short, by {net} equity.",
)
def net_short(view: View) -> Iterator[Instance]:
    """Short positions exceed long ones; there are both."""
    facts = view.facts_of("net_to_equity")
    if facts and float(facts[0].value) <= -_NET_SHORT and not _is_all_short(view):
        slots = {"net": times(-float(facts[0].value), 2)}
        yield Instance(slots, facts, 1.2, sign=-1, is_steady=True)


@form("all_short", "hedge", "count: count, net: percent",
    "All {count} positions are short, by {net} of equity in all.")  # fmt: skip
def all_short(view: View) -> Iterator[Instance]:
    """Several positions, and no long one."""
    yield from _all_short(view, lambda held: held > 1)


@form("all_short_one", "hedge", "net: percent",
    "The only position is short, by {net} of equity.")  # fmt: skip
def all_short_one(view: View) -> Iterator[Instance]:
    """One position, which is short."""
    yield from _all_short(view, lambda held: held == 1)


def _all_short(view: View, holds: Callable[[float], bool]) -> Iterator[Instance]:
    facts = view.facts_of("net_to_equity", "num_positions")
    if facts and _is_all_short(view):
        net, held = (float(fact.value) for fact in facts)
        if net < 0 and holds(held):
            slots = {"net": size(net)} | ({"count": count(held)} if held > 1 else {})
            yield Instance(slots, facts[:1], 1.2, sign=-1, context=facts[1:], is_steady=True)


def _is_all_short(view: View) -> bool:
    """Return whether there are positions, all of them short."""
    held = view.number("num_positions")
    return bool(held) and held == view.number("num_short_positions")


@form(
    "gross_and_net",
    "hedge",
    "gross: times, net: times, shorts: count",
    "Gross exposure is {gross} equity and net exposure {net}, with {shorts} short positions.",
)
def gross_and_net(view: View) -> Iterator[Instance]:
    """Gross and net exposure of a portfolio with shorts that is net long."""
    facts = view.facts_of("gross_to_equity", "net_to_equity", "num_short_positions")
    if facts:
        gross, net, shorts = (float(fact.value) for fact in facts)
        if gross >= _LEVERAGED and net > 0 and shorts > 1:
            shown = distinct_slots("times", gross, net)
            slots = {"gross": shown[0], "net": shown[1], "shorts": count(shorts)}
            yield Instance(slots, facts, 0.8, is_steady=True)
