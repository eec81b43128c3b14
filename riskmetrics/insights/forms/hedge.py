"""What short positions do, and how large gross exposure is."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.form_shapes import mirrored, single
from riskmetrics.insights.slots import apart, count, size, times

_CLEAR_SHARE = 0.02
"""Share of the volatility of the shorts that is worth a sentence."""

_LEVERAGED = 1.05
"""Gross exposure over equity from which it is worth a sentence."""


def _shorts(view: View, sign: int) -> Iterator[Instance]:
    """Yield the share of the volatility that short positions offset, or add, next to long ones."""
    shorts = view.number("num_short_positions")
    if shorts and shorts != view.number("num_positions"):
        yield from single(
            "short_share", "share", size, lambda share: sign * share >= _CLEAR_SHARE,
            lambda share: 1.0 + abs(share), sign=-sign, needs=("num_short_positions",),
        )(view)  # fmt: skip


shorts = mirrored("hedge", "share: percent", _shorts, {
    -1: ("shorts_reduce",
        "On balance the short positions hedge, offsetting {share} of the volatility.",
        "The short positions offset {share} of the volatility."),
    1: ("shorts_add",
        "On balance the short positions do not hedge, adding {share} of the volatility.",
        "Far from hedging, the short positions account for {share} of the volatility."),
})  # fmt: skip


form(
    "net_short",
    "hedge",
    "net: times",
    "The portfolio is net short, by {net} equity.",
)(
    single("net_to_equity", "net", lambda net: times(-net, 2), lambda net: net < 0, 1.2, sign=-1)
)  # fmt: skip


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
