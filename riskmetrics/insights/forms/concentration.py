"""Concentration: how much of equity, and of the volatility, single positions make."""

from collections.abc import Callable, Iterator

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import single_figure
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import count, name, number, points, size

_DOMINANT = 0.5
"""Share of the volatility from which a position is most of the risk."""

_RISKY = 1.3
"""Share of the volatility over weight, or the reverse, from which the two differ clearly."""

_MUCH = 0.25
"""Share of the volatility from which a note states that it is more than the weight."""

_IN_LINE = (0.85, 1.15)
"""Share of the volatility over weight that counts as in line."""

_FEW = 10
"""Effective positions up to which a decimal is shown."""

_MANY = 5
"""Positions from which it says something that three hold half."""

_LARGE_PAIR, _LARGE_SHARE = 0.6, 0.15
"""Share of the volatility of two positions, and share or weight of one, worth a sentence."""

_CLEAR_DRIFT = 0.03
"""Change of the weight of the three largest positions over a month that is worth a sentence."""


def _weight_and_share(
    form_id: str,
    phrasings: tuple[str, ...],
    holds: "Callable[[View, str, Fact, Fact], bool]",
    salience: Callable[[float], float],
    sign: int,
    *connectives: str,
) -> Form:
    """Add a form that sets a position's weight against its share of the volatility."""

    def evaluate(view: View) -> Iterator[Instance]:
        for alias, facts in _shares(view):
            if holds(view, alias, *facts):
                weight, share = (float(fact.value) for fact in facts)
                slots = {"name": name(alias), "weight": size(weight), "share": size(share)}
                yield Instance(slots, facts, salience(share), alias, sign, is_steady=True,
                    remembered=(share,))  # fmt: skip

    slots = "name: name, weight: percent, share: percent"
    return form(form_id, "concentration", slots, *phrasings, connectives=connectives)(evaluate)


def _dominates(view: View, alias: str, _: Fact, share: Fact) -> bool:
    """Return whether a position makes half to all of the volatility, and could be smaller."""
    found = float(share.value)
    return share.rank == 1 and _DOMINANT <= found <= 1 and _is_choice(view, alias)


def _exceeds(view: View, alias: str, _: Fact, share: Fact) -> bool:
    """Return whether a position makes more than the volatility, and could be smaller."""
    return share.rank == 1 and float(share.value) > 1 and _is_choice(view, alias)


def _is_risk_heavy(_: View, __: str, weight: Fact, share: Fact) -> bool:
    """Return whether it makes clearly more of the volatility than of equity, and below half."""
    found = float(share.value)
    is_heavy = found >= max(_RISKY * float(weight.value), _LARGE_SHARE)
    return is_heavy and found < _DOMINANT and share.rank in (1, 2)


def _is_in_line(_: View, __: str, weight: Fact, share: Fact) -> bool:
    """Return whether the largest position makes about as much of the volatility as of equity."""
    low, high = (edge * float(weight.value) for edge in _IN_LINE)
    found = float(share.value)
    return weight.rank == 1 and low <= found <= high and _LARGE_SHARE <= found < _DOMINANT


def _is_risk_light(_: View, __: str, weight: Fact, share: Fact) -> bool:
    """Return whether a large position makes clearly less of the volatility than of equity."""
    size_of, found = float(weight.value), float(share.value)
    return weight.rank == 1 and size_of >= _LARGE_SHARE and 0 <= _RISKY * found <= size_of


position_dominates = _weight_and_share(
    "position_dominates",
    (
        "{name} is {weight} of equity and {share} of the volatility.",
        "At {weight} of equity, {name} makes up {share} of the volatility.",
    ),
    _dominates,
    lambda share: 1.4 + share / 4,
    -1,
)


@form(
    "position_exceeds",
    "concentration",
    "name: name, weight: percent",
    "{name}, {weight} of equity, makes more than all of the volatility: other positions offset a"
    " part.",
)
def position_exceeds(view: View) -> Iterator[Instance]:
    """A position makes more than the volatility of the portfolio, which others offset."""
    for alias, facts in _shares(view):
        if _exceeds(view, alias, *facts):
            slots = {"name": name(alias), "weight": size(float(facts[0].value))}
            yield Instance(slots, facts, 1.65, alias, -1)


position_risk_heavy = _weight_and_share(
    "position_risk_heavy",
    (
        "{name} is {weight} of equity but {share} of the volatility.",
        "With only {weight} of equity, {name} contributes {share} of the volatility.",
    ),
    _is_risk_heavy,
    lambda share: 1.0 + share if share >= _MUCH else 0.45,
    -1,
    "but",
)
_weight_and_share(
    "position_in_line",
    ("{name} contributes {share} of the volatility, in line with {weight} of equity.",),
    _is_in_line,
    lambda _: 0.7,
    1,
)


_weight_and_share(
    "position_risk_light",
    ("{name} is {weight} of equity but only {share} of the volatility.",),
    _is_risk_light,
    lambda _: 0.8,
    1,
    "but",
)


@form(
    "pair_share",
    "concentration",
    "first: name, second: name, share: percent",
    "{first} and {second} together account for {share} of the volatility.",
    "Two positions, {first} and {second}, account for {share} of the volatility.",
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
    "By weight the {count} positions amount to {effective} equal ones.",
    is_background=True,
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
    "{name} is the largest position at {weight} of equity.",
    "The largest position is {name} at {weight} of equity.",
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
    is_background=True,
)
def top_three(view: View) -> Iterator[Instance]:
    """The three largest of more than four positions hold at least half."""
    facts, held = view.facts_of("top_3"), view.number("num_positions")
    if facts and held is not None and held >= _MANY and float(facts[0].value) >= _DOMINANT:
        yield Instance({"share": size(float(facts[0].value))}, facts, 0.6, sign=-1)


form(
    "top_three_grew",
    "concentration",
    "change: points",
    "Over twenty-one sessions the weight of the three largest positions grew by {change}.",
)(
    single_figure(
        "top_3_change_21d", "change", points, lambda change: change >= _CLEAR_DRIFT,
        lambda change: 0.7 + change, sign=-1,
    )
)  # fmt: skip


def _is_choice(view: View, alias: str) -> bool:
    """Return whether a position could be smaller: not the only one, and no fund."""
    kind = view.fact("fund", alias)
    is_fund = kind is not None and kind.value == "fund"
    return not is_fund and view.number("num_positions") != 1


def _shares(view: View) -> "Iterator[tuple[str, tuple[Fact, Fact]]]":
    """Yield the positions with a weight and a share of the volatility."""
    for alias in view.aliases("POS"):
        weight, share = view.fact("weight", alias), view.fact("share", alias)
        if weight and share and float(weight.value) > 0:
            yield alias, (weight, share)
