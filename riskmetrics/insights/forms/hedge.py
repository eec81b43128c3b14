"""What short positions do, and how large gross exposure is."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import apart, count, size

_CLEAR_SHARE = 0.02
"""Share of the volatility of the shorts that is worth a sentence."""

_LEVERAGED = 1.05
"""Gross exposure over equity from which it is worth a sentence."""


@form(
    "shorts_reduce",
    "hedge",
    "share: percent",
    "The shorts work: on balance, short positions take {share} off the volatility.",
    "Short positions take {share} off the volatility.",
)
def shorts_reduce(view: View) -> Iterator[Instance]:
    """Short positions reduce the volatility."""
    yield from _shorts(view, -1)


@form(
    "shorts_add",
    "hedge",
    "share: percent",
    "Short positions add {share} of the volatility and hedge nothing on balance.",
    "Short positions do not hedge on balance: {share} of the volatility is theirs.",
)
def shorts_add(view: View) -> Iterator[Instance]:
    """Short positions add to the volatility."""
    yield from _shorts(view, 1)


def _shorts(view: View, sign: int) -> Iterator[Instance]:
    facts, shorts = view.facts_of("short_share"), view.number("num_short_positions")
    if facts and shorts and sign * float(facts[0].value) >= _CLEAR_SHARE:
        share = abs(float(facts[0].value))
        yield Instance({"share": size(share)}, facts, 1.0 + share, sign=-sign)


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
            shown = apart("times", gross, net)
            slots = {"gross": shown[0], "net": shown[1], "shorts": count(shorts)}
            yield Instance(slots, facts, 0.8)
