"""How the holdings move together, and how much diversification takes off the volatility."""

from collections.abc import Iterator, Sequence

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.form_shapes import mirrored_forms, single_figure
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import name, number, percent

_HIGH, _LOW = 0.6, 0.3
"""Average correlation from which, and up to which, it is worth a sentence."""

_ALIKE = 0.8
"""Correlation from which two holdings are much alike."""

_STRONG, _WEAK = 0.4, 0.2
"""Share of the holdings' volatility taken off that is much, and that is little."""


def _taken_off(ratio: float) -> float:
    """Return what diversification takes off: 1 - volatility / sum of |weight| * volatility."""
    return 1 - 1 / ratio


form(
    "holdings_move_together",
    "concentration",
    "correlation: number",
    "The holdings move together: the average correlation within the past year is {correlation}.",
    is_background=True,
)(
    single_figure("average_correlation", "correlation", number, lambda found: found >= _HIGH,
        lambda found: 0.4 + found / 2, sign=-1)
)  # fmt: skip

form(
    "holdings_move_apart",
    "concentration",
    "correlation: number",
    "The holdings are only loosely correlated: the average correlation within the past year is"
    " {correlation}.",
    is_background=True,
)(
    single_figure("average_correlation", "correlation", number, lambda found: found <= _LOW,
        lambda found: 0.6 - found / 2, sign=1)
)  # fmt: skip


def _diversification(view: View, sign: int) -> Iterator[Instance]:
    """Yield what diversification takes off several long positions, if much or little."""
    if view.number("num_short_positions") == 0 and view.number("num_positions") != 1:
        yield from single_figure(
            "diversification_ratio", "share", lambda ratio: percent(_taken_off(ratio)),
            lambda ratio: ratio >= 1
            and (_taken_off(ratio) >= _STRONG if sign > 0 else _taken_off(ratio) <= _WEAK),
            0.6, sign=sign, needs=("num_short_positions",),
        )(view)  # fmt: skip


mirrored_forms("concentration", "share: percent", _diversification, {
    -1: ("diversified_little",
        "Diversification takes only {share} off the combined volatility of the holdings."),
    1: ("diversified_much",
        "Diversification takes {share} off the combined volatility of the holdings."),
}, is_background=True)  # fmt: skip


@form(
    "pair_alike",
    "concentration",
    "first: name, second: name, correlation: number",
    "{first} and {second} move much alike: a correlation of {correlation} within the past year.",
    is_background=True,
)
def pair_alike(view: View) -> Iterator[Instance]:
    """The most correlated pair of the largest holdings is close to one bet."""
    aliases = [
        alias
        for alias in view.aliases("POS")
        if view.fact("highest_correlation", alias) is not None
    ]
    if len(aliases) == 2:
        first, second = aliases
        fact, other = (view.fact("highest_correlation", alias) for alias in aliases)
        if fact and other and float(fact.value) >= _ALIKE and not _is_offset(view, aliases):
            slots = {
                "first": name(first),
                "second": name(second),
                "correlation": number(float(fact.value)),
            }
            yield Instance(slots, (fact,), 0.7, first, -1, context=(other,))


def _is_offset(view: View, aliases: Sequence[str]) -> bool:
    """Return whether one of two positions is long, and the other one short."""
    sides = [view.fact("side", alias) for alias in aliases]
    return {side.value for side in sides if side} == {"long", "short"}


@form(
    "pair_offset",
    "concentration",
    "short: name, long: name, correlation: number",
    "{short} offsets {long} to the extent of the smaller position: a correlation of {correlation}"
    " within the past year.",
    is_background=True,
)
def pair_offset(view: View) -> Iterator[Instance]:
    """The most correlated pair of the largest holdings is long and short."""
    aliases = [alias for alias in view.aliases("POS") if view.fact("highest_correlation", alias)]
    if len(aliases) == 2 and _is_offset(view, aliases):
        side = view.fact("side", aliases[0])
        short, long = aliases if side and side.value == "short" else aliases[::-1]
        fact = view.fact("highest_correlation", aliases[0])
        if fact and float(fact.value) >= _ALIKE:
            slots = {"short": name(short), "long": name(long)}
            slots["correlation"] = number(float(fact.value))
            context = view.facts_of("side", alias=short) or ()
            yield Instance(slots, (fact,), 0.7, aliases[0], 1, context=context)
