"""What to look at: each tied to a finding; never what to trade."""

from collections.abc import Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms.concentration import (
    pair_share,
    position_dominates,
    position_exceeds,
    position_risk_heavy,
)
from riskmetrics.insights.forms.data import (
    equity_negative,
    prices_missing,
    prices_missing_of,
    risk_undefined,
    risk_undefined_one,
    weights_unknown,
)
from riskmetrics.insights.forms.drivers import DRIVERS
from riskmetrics.insights.forms.factors import beta_drifts
from riskmetrics.insights.forms.result import (
    is_market_made,
    largest_contribution,
    not_split,
)
from riskmetrics.insights.forms.tail import (
    LOSSES,
    large_losses,
    var_exceeded,
    var_exceeded_far,
    var_too_low,
)
from riskmetrics.insights.forms.trades import limit_by_opening, limit_by_trade
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.novelty import TRADES
from riskmetrics.insights.slots import count, name, number

SALIENCE = 1.8
"""Salience of advice; more of what matters more."""

MUCH_RISK = 0.25
"""Share of the volatility from which a position that is riskier than its size is looked at."""

_LATER = 1.6
"""Salience of advice that comes after all others."""

_LARGE, _SMALLEST = 0.4, 0.05
"""Weight from which the size of a position is looked at, and from which its risk is."""

_MIN_POSITIONS = 3
"""Positions of which it can be asked why one carries so much of the volatility."""

_MARKET_LIKE = 0.5
"""Beta from which it is worth a look after a loss that the market made."""

_MOST = 0.5
"""Part of a large loss, or of the risk, that its cause explains."""


@form(
    "look_at_risk",
    "concentration",
    "name: name, share: percent",
    "Look at: whether {name} is meant to carry {share} of the volatility.",
    role="advice",
)
def look_at_risk(view: View) -> Iterator[Instance]:
    """The position that makes most of the risk, or much of it, is not large, nor tiny."""
    found, held = riskiest_position(view), view.number("num_positions") or 0
    if found is None or "share" not in found.slots or held < _MIN_POSITIONS:
        return
    if float(found.facts[0].value) >= _SMALLEST and not is_large(found):
        slots = {"name": name(found.subject), "share": found.slots["share"]}
        yield Instance(slots, (), SALIENCE + 1, found.subject, context=found.facts)


def is_large(found: Instance) -> bool:
    """Return whether the size of a position is looked at, rather than its risk."""
    return float(found.facts[0].value) >= _LARGE


def riskiest_position(view: View) -> Instance | None:
    """Return the position with most of the risk among those that make much of it."""
    heavy = (
        each
        for of in (position_dominates, position_exceeds, position_risk_heavy)
        for each in view.instances(of)
        if float(each.facts[1].value) >= MUCH_RISK
    )
    return max(heavy, key=lambda each: float(each.facts[1].value), default=None)


@form(
    "look_at_pair",
    "concentration",
    "first: name, second: name, share: percent",
    "Look at: {first} and {second}, together {share} of the volatility.",
    role="advice",
)
def look_at_pair(view: View) -> Iterator[Instance]:
    """Two positions make most of the risk, neither alone."""
    for found in view.instances(pair_share):
        yield Instance(found.slots, (), SALIENCE + 1.5, found.subject, context=found.context)


@form(
    "look_at_market_loss",
    "result",
    "beta: number",
    "Look at: whether a beta of {beta} is still intended, as the market's fall made more than half"
    " of a large loss.",
    role="advice",
)
def look_at_market_loss(view: View) -> Iterator[Instance]:
    """The market made more than half of a large loss, and most of the risk, and no position did.

    The beta has drifted over the month, or the loss is beyond the value at risk.
    """
    facts = view.facts_of("own_beta", "market_return", "daily_return", "previous_own_beta")
    stated = (*beta_drifts.values(), var_exceeded, var_exceeded_far)
    moved = [each for of in stated for each in view.instances(of)]
    is_position = _largest_cause(view) is not None
    if facts and moved and any(large_losses(view)) and _is_market_cause(view) and not is_position:
        beta, market = (float(fact.value) for fact in facts[:2])
        if beta >= _MARKET_LIKE and market < 0:
            evidence = {fact.id: fact for fact in (*facts, *moved[0].facts)}
            yield Instance({"beta": number(beta)}, (), SALIENCE + 1.2,
                context=tuple(evidence.values()))  # fmt: skip


def _largest_cause(view: View) -> tuple[str, tuple[Fact, ...]] | None:
    """Return the position that made half of a loss, if there are others with a result."""
    found, total = largest_contribution(view, -1), view.number("daily_pnl")
    counted = sum(view.number(name) or 0 for name in ("n_losers", "n_winners"))
    if found is None or not total or counted < 2 or found[1] / total < _MOST:
        return None
    return found[0], found[3]


def _is_market_cause(view: View) -> bool:
    """Return whether the market made the result, and explains most of the risk, if that is known.

    Else the beta is not what to look at.
    """
    fit, specific = view.number("market_r_squared"), view.number("specific_share")
    is_explained = (fit is None or fit >= _MOST) and (specific is None or specific <= _MOST)
    return is_explained and is_market_made(view)


@form(
    "look_at_detractor",
    "result",
    "name: name",
    "Look at: {name}, the largest detractor of a large loss.",
    role="advice",
)
def look_at_detractor(view: View) -> Iterator[Instance]:
    """A position made half of a large loss, whatever the market did."""
    found = _largest_cause(view)
    if found is None:
        return
    alias, facts = found
    for exceeded in large_losses(view):
        evidence = (*facts, *exceeded.facts)
        yield Instance({"name": name(alias)}, (), SALIENCE + 1.1, alias, context=evidence)


@form(
    "look_at_driver",
    "result",
    "name: name, share: percent",
    "Look at: whether {name} is meant to carry {share} of the volatility.",
    role="advice",
    is_event=True,
)
def look_at_driver(view: View) -> Iterator[Instance]:
    """One position made most of a loss, and carries clearly more risk than its weight."""
    for found in view.instances(DRIVERS[-1]):
        evidence = (*found.facts, *found.context)
        slots = {"name": name(found.subject), "share": found.slots["share"]}
        yield Instance(slots, (), SALIENCE + 0.9, found.subject,
            is_known=found.is_known, context=evidence)  # fmt: skip


@form(
    "look_at_common",
    "result",
    "count: count",
    "Look at: what the {count} losing positions have in common, on a day of a large loss.",
    role="advice",
)
def look_at_common(view: View) -> Iterator[Instance]:
    """Neither the market nor one of several positions made half of a large loss."""
    market = view.facts_of(
        "previous_own_beta", "market_return", "daily_return", "n_losers", "daily_pnl"
    )
    found = largest_contribution(view, -1)
    if found is None or market is None or _is_market_cause(view):
        return
    losers, total = (float(fact.value) for fact in market[3:])
    if losers >= _MIN_POSITIONS and found[1] > _MOST * total:
        for exceeded in large_losses(view):
            evidence = {fact.id: fact for fact in (*market, *found[3], *exceeded.facts)}
            yield Instance({"count": count(losers)}, (), SALIENCE + 1,
                context=tuple(evidence.values()))  # fmt: skip


@form(
    "look_at_trades",
    "result",
    "",
    "Look at: the trades of the session, as a part of a large loss.",
    role="advice",
)
def look_at_trades(view: View) -> Iterator[Instance]:
    """A large loss is not split by position, and trades are in it."""
    found = [fact for kind in TRADES for fact in view.facts_of(kind) or ()]
    for split in view.instances(not_split) if sum(float(fact.value) for fact in found) else ():
        for exceeded in large_losses(view):
            evidence = {fact.id: fact for fact in (*found, *split.context, *exceeded.facts)}
            yield Instance({}, (), SALIENCE + 1.3, context=tuple(evidence.values()))


@form(
    "look_at_trade",
    "result",
    "name: name",
    "Look at: whether trading {name} past the alert level is intended.",
    role="advice",
    is_event=True,
)
def look_at_trade(view: View) -> Iterator[Instance]:
    """Trades took a position past an alert level."""
    for found in (*view.instances(limit_by_trade), *view.instances(limit_by_opening)):
        evidence = (*found.facts, *found.context)
        yield Instance({"name": name(found.subject)}, (), SALIENCE + 1.6, found.subject,
            context=evidence)  # fmt: skip


@form(
    "look_at_split",
    "result",
    "",
    "Look at: whether trades, options or other currencies made the loss, as the result is not split"
    " by position.",
    role="advice",
    is_event=True,
)
def look_at_split(view: View) -> Iterator[Instance]:
    """A loss that is not small is not split by position."""
    for split in view.instances(not_split):
        for loss in (each for of in LOSSES for each in view.instances(of)):
            evidence = {fact.id: fact for fact in (*split.context, *loss.facts)}
            yield Instance({}, (), SALIENCE, context=tuple(evidence.values()))


@form(
    "look_at_run",
    "data",
    "",
    "Look at: a rerun of the session, as not all alerts were checked.",
    role="advice",
)
def look_at_run(view: View) -> Iterator[Instance]:
    """A session was computed in part, without weights of positions."""
    for found in view.instances(weights_unknown):
        yield Instance({}, (), SALIENCE + 3, context=(*found.facts, *found.context),
            is_steady=True)  # fmt: skip


@form(
    "look_at_prices",
    "data",
    "",
    "Look at: the instruments without a price, before using any figure.",
    role="advice",
)
def look_at_prices(view: View) -> Iterator[Instance]:
    """Instruments have no price."""
    for found in (*view.instances(prices_missing), *view.instances(prices_missing_of)):
        yield Instance({}, (), SALIENCE + 3, context=(*found.facts, *found.context))


@form(
    "look_at_equity",
    "data",
    "",
    "Look at: whether all deposits and positions are recorded, as equity is negative.",
    role="advice",
)
def look_at_equity(view: View) -> Iterator[Instance]:
    """Equity is negative."""
    for found in view.instances(equity_negative):
        yield Instance({}, (), SALIENCE + 3, context=found.facts)


@form(
    "look_at_history",
    "data",
    "",
    "Look at: the price histories of the positions, as no figure of risk could be computed.",
    role="advice",
)
def look_at_history(view: View) -> Iterator[Instance]:
    """No figure of risk exists."""
    for of in (risk_undefined, risk_undefined_one):
        for found in view.instances(of):
            yield Instance({}, (), SALIENCE + 2, context=(*found.facts, *found.context))


@form(
    "look_at_var",
    "tail",
    "",
    "Look at: the losses beyond the historical value at risk, before relying on the figure.",
    role="advice",
)
def look_at_var(view: View) -> Iterator[Instance]:
    """The value at risk fails its test."""
    for found in view.instances(var_too_low):
        yield Instance({}, (), _LATER, context=(*found.facts, *found.context))
