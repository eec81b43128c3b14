"""Concentration: how much of equity, and of the volatility, single positions make."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.slots import count, name, number, size

_DOMINANT = 0.5
"""Share of the volatility from which a position is most of the risk."""

_RISKY = 1.3
"""Share of the volatility over weight from which a position is riskier than its size."""

_IN_LINE = (0.85, 1.15)
"""Share of the volatility over weight that counts as in line."""

_FEW = 10
"""Effective positions up to which a decimal is shown."""

_MANY = 5
"""Positions from which it says something that three hold half."""

_LARGE_PAIR, _LARGE_SHARE = 0.6, 0.15
"""Share of the volatility of two positions, and of one, that is worth a sentence."""


@form(
    "position_dominates",
    "concentration",
    "name: name, weight: percent, share: percent",
    "{name} is {weight} of equity and {share} of the volatility.",
    "With {weight} of equity, {name} makes {share} of the volatility.",
)
def position_dominates(view: View) -> Iterator[Instance]:
    """The position with the largest share of the volatility makes at least half of it."""
    for alias, facts in _shares(view):
        weight, share = (float(fact.value) for fact in facts)
        if facts[1].rank == 1 and share >= _DOMINANT and _is_choice(view, alias):
            slots = {"name": name(alias), "weight": size(weight), "share": size(share)}
            yield Instance(slots, facts, 1.2 + share / 3, alias, -1)


@form(
    "position_risk_heavy",
    "concentration",
    "name: name, weight: percent, share: percent",
    "{name} is {weight} of equity but {share} of the volatility.",
    "{name} makes {share} of the volatility with {weight} of equity.",
    connectives=("but",),
)
def position_risk_heavy(view: View) -> Iterator[Instance]:
    """A position makes clearly more of the volatility than of equity, and less than half."""
    for alias, facts in _shares(view):
        weight, share = (float(fact.value) for fact in facts)
        is_heavy = share >= max(_RISKY * weight, _LARGE_SHARE)
        if is_heavy and share < _DOMINANT and facts[1].rank in (1, 2):
            slots = {"name": name(alias), "weight": size(weight), "share": size(share)}
            yield Instance(slots, facts, 1.0 + share, alias, -1)


@form(
    "position_in_line",
    "concentration",
    "name: name, weight: percent, share: percent",
    "The share of the volatility of {name}, {share}, is in line with the weight of {weight}.",
)
def position_in_line(view: View) -> Iterator[Instance]:
    """The largest position makes about as much of the volatility as of equity."""
    for alias, facts in _shares(view):
        weight, share = (float(fact.value) for fact in facts)
        is_in_line = _IN_LINE[0] * weight <= share <= _IN_LINE[1] * weight
        if facts[0].rank == 1 and is_in_line and _LARGE_SHARE <= share < _DOMINANT:
            slots = {"name": name(alias), "weight": size(weight), "share": size(share)}
            yield Instance(slots, facts, 0.7, alias, 1)


@form(
    "pair_share",
    "concentration",
    "first: name, second: name, share: percent",
    "{first} and {second} make {share} of the volatility.",
    "Two positions, {first} and {second}, make {share} of the volatility.",
)
def pair_share(view: View) -> Iterator[Instance]:
    """The two positions with the largest shares make most of the volatility, neither alone."""
    by_rank = {facts[1].rank: (alias, facts[1]) for alias, facts in _shares(view)}
    if 1 in by_rank and 2 in by_rank:
        (first, one), (second, other) = by_rank[1], by_rank[2]
        share = float(one.value) + float(other.value)
        if share >= _LARGE_PAIR and float(one.value) < _DOMINANT and float(other.value) > 0:
            slots = {"first": name(first), "second": name(second), "share": size(share)}
            yield Instance(slots, (), 1.1 + share / 2, first, -1, context=(one, other))


@form(
    "effective_positions",
    "concentration",
    "count: count, effective: number",
    "By weight, the {count} positions are as concentrated as {effective} equal ones.",
    "The {count} positions spread weight as {effective} equal ones would.",
)
def effective_positions(view: View) -> Iterator[Instance]:
    """The weights are as unequal as those of at most two thirds as many equal positions."""
    facts = view.facts_of("num_positions", "effective_positions")
    if facts:
        held, effective = (float(fact.value) for fact in facts)
        if held > 1 and effective <= held * 2 / 3:
            slots = {
                "count": count(held),
                "effective": number(effective, 1 if effective < _FEW else 0),
            }
            yield Instance(slots, facts, 0.6 + (1 - effective / held) / 2, sign=-1)


@form(
    "largest_weight",
    "concentration",
    "name: name, weight: percent",
    "The largest position is {name} with {weight} of equity.",
    "{name} is the largest position with {weight} of equity.",
)
def largest_weight(view: View) -> Iterator[Instance]:
    """The largest position by weight."""
    for alias in view.aliases("POS"):
        weight = view.fact("weight", alias)
        if weight and weight.rank == 1:
            slots = {"name": name(alias), "weight": size(float(weight.value))}
            yield Instance(slots, (weight,), 0.4, alias)


@form(
    "top_three",
    "concentration",
    "share: percent",
    "The three largest positions hold {share} of gross exposure.",
)
def top_three(view: View) -> Iterator[Instance]:
    """The three largest of more than four positions hold at least half."""
    facts, held = view.facts_of("top_3"), view.number("num_positions")
    if facts and held is not None and held >= _MANY and float(facts[0].value) >= _DOMINANT:
        yield Instance({"share": size(float(facts[0].value))}, facts, 0.6, sign=-1)


def _is_choice(view: View, alias: str) -> bool:
    """Return whether a position could be smaller: not the only one, and no fund."""
    kind = view.fact("fund", alias)
    is_fund = kind is not None and kind.value == "fund"
    return not is_fund and view.number("num_positions") != 1


def _shares(view: View) -> "Iterator[tuple[str, tuple[Fact, ...]]]":
    """Yield the positions with a weight and a share of the volatility."""
    for alias in view.aliases("POS"):
        facts = view.facts_of("weight", "share", alias=alias)
        if facts and float(facts[0].value) > 0:
            yield alias, facts
