"""Which positions made the result of a session: one of them, the largest, or many."""

from collections.abc import Iterator
from functools import partial
from math import inf
from typing import Final

from riskmetrics.insights.claims import View
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms import comparison
from riskmetrics.insights.forms.result import (
    MARKET_DAY,
    MIN_OFFSET,
    MIN_SPREAD_POSITIONS,
    SIDES,
    is_clear_result,
    is_market_made,
    largest_contribution,
)
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.novelty import TRADES
from riskmetrics.insights.slots import Slot, count, money, name, return_size, size

_MIN_SHARE = 0.5
"""Share of the losses, or gains, from which one position is the main cause."""

_NOTABLE_SHARE = 0.1
"""Share of the losses, or gains, from which the largest one is worth a sentence."""

_LEADING = 0.25
"""Share of the losses, or gains, from which the largest one leads them."""

_SURPRISE = 1.2
"""Salience of a position on the side that made less of the result than the beta implies."""

_BEFORE_SURPRISE = 2.6
"""Salience of the main position of the result next to a surprise, also to a sole one."""

_NAMED_IMPACT = 0.003
"""P&L over equity from which the largest position is named if it made more than the result."""

_NOTABLE_RATE = 0.005
"""Return of the only holding from which it is worth a sentence."""

MAX_SPREAD = 0.25
"""Largest share of the losses that still counts as spread."""

_MOST, _MIN_RESULT = 0.55, 0.001
"""Part of the result from which a position made most of it, and result over equity that is worth
naming one.
"""

_CLEAR_OFFSET = 0.01
"""Gains over losses, or the reverse, from which a reader needs both to add up the result."""


def _explains_gap(view: View, sign: int) -> bool:
    """Return whether winners (1) made a loss less than the beta implies, or losers a gain.

    They explain it if they made at least half of the difference.
    """
    of = comparison.implied[1][-1] if sign < 0 else comparison.implied[-1][1]
    side, equity = view.number(SIDES[sign]), view.number("total_value")
    if side is None or equity is None or not any(view.instances(of)):
        return False
    return abs(side) >= _MIN_SHARE * abs(comparison.implied_gap(view) * equity)


def _salience(view: View, sign: int, usual: float) -> float:
    """Return the salience of the main position of a side of the result.

    On the side of the result it is stated before what made the result less than the beta implies.
    """
    is_first = sign * (view.number("daily_pnl") or 0.0) > 0 and _explains_gap(view, -sign)
    return max(usual, _BEFORE_SURPRISE) if is_first else usual


def _only_holding(view: View, sign: int) -> Iterator[Instance]:
    """Yield the return of the only holding, held long and not traded in the session."""
    found, counts = (
        largest_contribution(view, sign),
        view.facts_of("num_positions", "n_winners", "n_losers", *TRADES),
    )
    held = view.facts_of("weight", "side", alias=found[0]) if found else None
    equity = view.fact("total_value")
    if not (found and counts and held and equity) or held[1].value != "long":
        return
    n_held, winners, losers, *traded = (float(fact.value) for fact in counts)
    before = float(held[0].value) * float(equity.value) - found[1]
    if n_held == winners + losers == 1 and not any(traded) and before > 0:
        rate = found[1] / before
        if sign * rate >= _NOTABLE_RATE:
            slots = {"name": name(found[0]), "rate": return_size(rate)}
            salience = 1.2 if is_clear_result(view) else 0.4
            evidence = (found[3][0], *counts, *held, equity)
            yield Instance(slots, (), salience, found[0], sign, context=evidence)


mirrored_forms("result", "name: name, rate: percent", _only_holding, {
    -1: ("only_holding_fell", "{name}, the only holding, fell {rate}."),
    1: ("only_holding_rose", "{name}, the only holding, rose {rate}."),
}, place=1, is_event=True)  # fmt: skip


def _main_position(view: View, sign: int, *, is_offset: bool) -> Iterator[Instance]:
    """Yield the position that made at least half of what all losers lost, or winners gained.

    With ``is_offset`` the other side is stated, so that a reader can add up the result. A position
    explains the result if that has the same sign, if it made half of it, and more than its weight,
    and the market did not.
    """
    found, others = (
        largest_contribution(view, sign),
        view.number("n_winners" if sign > 0 else "n_losers"),
    )
    total, offset = view.number("daily_pnl") or 0.0, view.fact(SIDES[-sign])
    if found is None or others is None or others < 2 or offset is None:
        return
    alias, pnl, share, facts = found
    is_surprise = _explains_gap(view, sign)
    matters = sign * total > 0 or is_surprise or abs(pnl) >= MIN_OFFSET * abs(total)
    has_offset = abs(float(offset.value)) >= _CLEAR_OFFSET * abs(float(facts[1].value))
    if share < _MIN_SHARE or not matters or is_offset != has_offset:
        return
    part = pnl / total if sign * total > 0 else 0.0
    is_cause = part >= _MIN_SHARE and part > (view.number("weight", alias) or 0.0)
    is_cause &= not is_market_made(view)
    shown: dict[str, Slot] = {"name": name(alias), "amount": money(pnl, view.currency)}
    if is_offset:
        shown["side"] = money(float(facts[1].value), view.currency)
        shown["other"] = money(float(offset.value), view.currency)
        facts = (*facts, offset)
    else:
        shown["share"] = size(share)
    yield Instance(
        shown,
        facts if is_offset else facts[:1],
        _salience(view, sign, 1.5 + share)
        if sign * total > 0
        else _SURPRISE
        if is_surprise
        else 0.4,
        alias,
        sign,
        supports=("session_gain" if sign > 0 else "session_loss") if is_cause else "",
        context=(offset,) if not is_offset else (),
    )


main_positions = mirrored_forms(
    "result", "name: name, amount: money, share: percent",
    partial(_main_position, is_offset=False), {
    -1: ("position_loss", "{name} cost {amount}, {share} of gross losses."),
    1: ("position_gain", "{name} made {amount}, {share} of gross gains."),
}, place=1)  # fmt: skip

offset_positions = mirrored_forms(
    "result", "name: name, amount: money, side: money, other: money",
    partial(_main_position, is_offset=True), {
    -1: ("position_loss_offset",
        "{name} alone cost {amount}; losers cost {side} in all and winners made {other}."),
    1: ("position_gain_offset",
        "{name} alone made {amount}; winners made {side} in all and losers cost {other}."),
}, place=1)  # fmt: skip


def _sole(view: View, sign: int) -> Iterator[Instance]:
    """Yield the only loser on a day of a loss, or the only winner of a gain, and the other side.

    It is one, too, if the other side made the result but less of it than the beta implies.
    """
    found, total = largest_contribution(view, sign), view.number("daily_pnl") or 0.0
    counts, offset = view.facts_of("n_losers", "n_winners"), view.fact(SIDES[-sign])
    if found is None or counts is None or offset is None:
        return
    if sign * total <= 0 and not _explains_gap(view, sign):
        return
    losers, winners = (float(fact.value) for fact in counts)
    on_side, others = (winners, losers) if sign > 0 else (losers, winners)
    if on_side == 1 and others >= (1 if sign * total > 0 else 2):  # one claim states both of two
        alias, pnl, _, facts = found
        shown = {"name": name(alias), "amount": money(pnl, view.currency)}
        shown["other"] = money(float(offset.value), view.currency)
        yield Instance(shown, (facts[0], offset), 2.5, alias, sign, context=counts)


sole_positions = mirrored_forms("result", "name: name, amount: money, other: money", _sole, {
    -1: ("position_loss_sole",
        "{name} was the only position to lose, at {amount}; winners made {other}."),
    1: ("position_gain_sole",
        "{name} was the only position to gain, at {amount}; losers cost {other}."),
}, place=1)  # fmt: skip

MAIN: Final = {
    sign: (main_positions[sign], offset_positions[sign], sole_positions[sign]) for sign in (-1, 1)
}
"""Sign to the forms of the position that made at least half of its side."""


def made_most(view: View, found: Instance) -> bool:
    """Return whether a position made most of a result.

    That is most of the sum of its sign, since others offset a part of both, and no more than the
    result.
    """
    side = abs(view.number(SIDES[found.sign]) or 0.0)
    pnl, total = float(found.facts[0].value), view.number("daily_pnl") or 0.0
    return found.sign * total >= abs(pnl) >= _MOST * side > 0


def outweighs(view: View, found: Instance) -> bool:
    """Return whether a position made more than the others, of the other sign, on balance.

    By the results of positions: that of the session has costs besides them.
    """
    pnl, total = float(found.facts[0].value), view.number("daily_pnl") or 0.0
    others = sum(view.number(side) or 0.0 for side in SIDES.values()) - pnl
    return found.sign * total > 0 and 0 < -found.sign * others < abs(pnl)


def driver_impact(view: View, found: Instance) -> float | None:
    """Return the return that a main position made, if it drove a result worth naming it.

    Not if it made no more than its weight or its share of the risk, or if the market moved much
    and made the result.
    """
    total = view.number("daily_pnl") or inf  # none made a part of a result of zero
    share = float(found.facts[0].value) / total
    is_notable = abs(total) >= _MIN_RESULT * abs(view.number("total_value") or 0.0)
    is_market_day = abs(view.number("market_return") or 0.0) >= MARKET_DAY
    is_notable &= not (is_market_day and is_market_made(view))
    usual = (view.number(kind, found.subject) or 0.0 for kind in ("weight", "share"))
    is_cause = share > max(usual)
    if is_cause and share >= _MOST and is_notable:
        return abs(view.number("daily_return") or 0.0) * min(share, 1.0)
    return None


def _largest(view: View, sign: int) -> Iterator[Instance]:
    """Yield the largest detractor of a loss, or contributor to a gain: a tenth to half of it.

    Of a result that is less than the beta implies, also the largest on the other side.
    """
    found, total = largest_contribution(view, sign), view.number("daily_pnl")
    counted = view.number("n_winners" if sign > 0 else "n_losers") or 0
    is_surprise = _explains_gap(view, sign)
    is_told = total is not None and (sign * total > 0 or is_surprise) and counted >= 2
    if found and is_told and _NOTABLE_SHARE <= found[2] < _MIN_SHARE:
        alias, pnl, share, facts = found
        slots = {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)}
        least = max(abs(total or 0.0), _NAMED_IMPACT * (view.number("total_value") or inf))
        is_worth = is_clear_result(view) or abs(pnl) >= least
        salience = _SURPRISE if is_surprise else _salience(view, sign, 0.8 if is_worth else 0.4)
        yield Instance(slots, facts[:1], salience, alias, sign, context=facts[1:])


largest = mirrored_forms("result", "name: name, amount: money, share: percent", _largest, {
    -1: ("largest_detractor",
        "The largest detractor, {name}, cost {amount}, {share} of gross losses."),
    1: ("largest_contributor",
        "The largest contributor, {name}, made {amount}, {share} of gross gains."),
}, place=1, is_event=True)  # fmt: skip


def leads_its_side(view: View, found: Instance) -> bool:
    """Return whether a contribution is at least a quarter of its side, and is on that of a result.

    One that made most of a result, or more, does more than to lead.
    """
    side, total = view.number(SIDES[found.sign]), view.number("daily_pnl") or 0.0
    if not side or found.sign * total <= 0 or made_most(view, found) or outweighs(view, found):
        return False
    return abs(float(found.facts[0].value)) >= _LEADING * abs(side)


LEADING: Final = {sign: (largest[sign], *MAIN[sign][:2]) for sign in (-1, 1)}
"""Sign to the forms of a position that may lead its side without making most of the result."""


def _spread(view: View, sign: int) -> Iterator[Instance]:
    """Yield a result of which no position made more than a quarter."""
    found, counts = largest_contribution(view, sign), view.facts_of("n_losers", "n_winners")
    total = view.number("daily_pnl")
    if found and counts and total is not None and sign * total > 0:
        alias, pnl, share, facts = found
        losers, winners = (float(fact.value) for fact in counts)
        on_side, others = (winners, losers) if sign > 0 else (losers, winners)
        if share <= MAX_SPREAD and on_side >= MIN_SPREAD_POSITIONS and others >= 1:
            slots = {"losers": count(losers), "winners": count(winners)}
            slots |= {"name": name(alias), "amount": money(pnl, view.currency)}
            slots["share"] = size(share)
            salience = 0.9 if is_clear_result(view) else 0.4
            yield Instance(slots, (facts[0], *counts), salience, alias, sign, context=facts[1:])


_COUNTS = "losers: count, winners: count, name: name, amount: money, share: percent"

spread = mirrored_forms("result", _COUNTS, _spread, {
    -1: ("losses_spread",
        "{losers} positions lost and {winners} gained; the largest detractor, {name}, cost"
        " {amount}, {share} of gross losses."),
    1: ("gains_spread",
        "{winners} positions gained and {losers} lost; the largest contributor, {name}, made"
        " {amount}, {share} of gross gains."),
}, place=1, is_event=True)  # fmt: skip
