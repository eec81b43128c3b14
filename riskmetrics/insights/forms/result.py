"""What the session brought, which positions made it, and what was traded."""

from collections.abc import Iterator
from functools import partial
from math import inf

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import mirrored, single
from riskmetrics.insights.forms.tail import exceeded_var, small_results
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import Slot, count, money, name, size, times

_MIN_SHARE = 0.5
"""Share of the losses, or gains, from which one position is the main cause."""

_SIDES = {1: "winners_pnl", -1: "losers_pnl"}
"""Sign to the fact of the sum of that sign."""

_NOTABLE_SHARE = 0.1
"""Share of the losses, or gains, from which the largest one is worth a sentence."""

_LEADING = 0.25
"""Share of the losses, or gains, from which the largest one leads them."""

MAX_SPREAD, _MIN_SPREAD_POSITIONS = 0.25, 5
"""Largest share of the losses that still counts as spread, and losers that it takes."""

_MOST_OF_RESULT = 0.5
"""Part of the result above which what the market implies made most of it."""

_MOST, _MIN_RESULT = 0.55, 0.001
"""Part of the result from which a position made most of it, and result over equity that is worth
naming one.
"""

MARKET_DAY = 0.02
"""Return of the market from which a day is not quiet, however small the result is."""

_MIN_OFFSET = 0.4
"""Smaller of gains and losses over the larger, from which the result hides both."""

_CLEAR_OFFSET = 0.01
"""Gains over losses, or the reverse, from which a reader needs both to add up the result."""

_UNUSUAL_MOVE = 2.0
"""Return, in daily volatilities of the month before, that is worth a sentence."""

_SESSIONS_PER_YEAR = 252

_NOTABLE_CASH, _MOSTLY_CASH = 0.1, 0.5
"""Cash over equity that is worth a sentence, and that explains why little happens."""


def _session(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result of the session, in money and as a return."""
    facts = view.facts_of("daily_pnl", "daily_return")
    if facts and all(sign * float(fact.value) > 0 for fact in facts):
        pnl, rate = (float(fact.value) for fact in facts)
        slots = {"amount": money(pnl, view.currency), "rate": size(rate)}
        yield Instance(slots, facts, 2.0 + 20 * abs(rate), sign=sign)


def _amount(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result in money only; its return is undefined, or stated by another claim."""
    facts = view.facts_of("daily_pnl")
    if facts and sign * float(facts[0].value) > 0:
        slots = {"amount": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, 1.9, sign=sign)


mirrored("result", "amount: money, rate: percent", _session, {
    -1: ("session_loss",
        "The portfolio lost {amount} ({rate}).",
        "The portfolio fell {rate} on the day, a loss of {amount}."),
    1: ("session_gain",
        "The portfolio gained {amount} ({rate}).",
        "The portfolio rose {rate} on the day, a gain of {amount}."),
}, place=0, is_event=True)  # fmt: skip

session_amounts = mirrored("result", "amount: money", _amount, {
    -1: ("session_loss_amount", "The portfolio lost {amount}.",
        "The day brought a loss of {amount}."),
    1: ("session_gain_amount", "The portfolio gained {amount}.",
        "The day brought a gain of {amount}."),
}, place=0, is_event=True)  # fmt: skip


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
    total, offset = view.number("daily_pnl") or 0.0, view.fact(_SIDES[-sign])
    if found is None or others is None or others < 2 or offset is None:
        return
    alias, pnl, share, facts = found
    matters = sign * total > 0 or abs(pnl) >= _MIN_OFFSET * abs(total)
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
        1.5 + share if sign * total > 0 else 0.4,
        alias,
        sign,
        supports=("session_gain" if sign > 0 else "session_loss") if is_cause else "",
        context=(offset,) if not is_offset else (),
    )


main_positions = mirrored(
    "result", "name: name, amount: money, share: percent",
    partial(_main_position, is_offset=False), {
    -1: ("position_loss", "{name} cost {amount}, {share} of gross losses."),
    1: ("position_gain", "{name} made {amount}, {share} of gross gains."),
}, place=1)  # fmt: skip

offset_positions = mirrored(
    "result", "name: name, amount: money, side: money, other: money",
    partial(_main_position, is_offset=True), {
    -1: ("position_loss_offset",
        "{name} alone cost {amount}; losers cost {side} in all and winners made {other}."),
    1: ("position_gain_offset",
        "{name} alone made {amount}; winners made {side} in all and losers cost {other}."),
}, place=1)  # fmt: skip


def driver_impact(view: View, found: Instance) -> float | None:
    """Return the return that a main position made, if it made most of a result worth naming it.

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


def is_market_made(view: View) -> bool:
    """Return whether beta times the market's move is more than half of the result."""
    facts = view.facts_of("own_beta", "market_return", "daily_return")
    if facts is None:
        return False
    beta, market, own = (float(fact.value) for fact in facts)
    return beta * market / own > _MOST_OF_RESULT if own else False


def is_clear_result(view: View) -> bool:
    """Return whether the result is not small for the value at risk."""
    return not any(any(view.instances(each)) for each in small_results)


def _largest(view: View, sign: int) -> Iterator[Instance]:
    """Yield the largest detractor of a loss, or contributor to a gain: a tenth to half of it."""
    found, total = largest_contribution(view, sign), view.number("daily_pnl")
    counted = view.number("n_winners" if sign > 0 else "n_losers") or 0
    is_on_side = total is not None and sign * total > 0 and counted >= 2
    if found and is_on_side and _NOTABLE_SHARE <= found[2] < _MIN_SHARE:
        alias, pnl, share, facts = found
        slots = {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)}
        salience = 0.8 if is_clear_result(view) else 0.4
        yield Instance(slots, facts[:1], salience, alias, sign, context=facts[1:])


largest = mirrored("result", "name: name, amount: money, share: percent", _largest, {
    -1: ("largest_detractor",
        "The largest detractor, {name}, cost {amount}, {share} of gross losses."),
    1: ("largest_contributor",
        "The largest contributor, {name}, made {amount}, {share} of gross gains."),
}, place=1, is_event=True)  # fmt: skip


def leads_its_side(found: Instance) -> bool:
    """Return whether a largest contribution is at least a quarter of its side."""
    return abs(float(found.facts[0].value) / float(found.context[0].value)) >= _LEADING


def largest_contribution(
    view: View, sign: int, over: str = ""
) -> "tuple[str, float, float, tuple[Fact, ...]] | None":
    """Return the largest winner or loser: alias, P&L, share of the sum of that sign, and facts.

    Parameters
    ----------
    over : str, optional
        Suffix of the facts of several sessions. Default: those of the session.
    """
    total = view.fact(_SIDES[sign] + over)
    found = [
        (sign * float(fact.value), alias, fact)
        for alias in view.aliases("POS")
        if (fact := view.fact("pnl" + over, alias)) and sign * float(fact.value) > 0
    ]
    if not found or total is None or sign * float(total.value) <= 0:
        return None
    pnl, alias, fact = max(found, key=lambda each: (each[0], each[1]))
    return alias, sign * pnl, pnl / abs(float(total.value)), (fact, total)


def _spread(view: View, sign: int) -> Iterator[Instance]:
    """Yield a result of which no position made more than a quarter."""
    found, counts = largest_contribution(view, sign), view.facts_of("n_losers", "n_winners")
    total = view.number("daily_pnl")
    if found and counts and total is not None and sign * total > 0:
        alias, pnl, share, facts = found
        losers, winners = (float(fact.value) for fact in counts)
        on_side, others = (winners, losers) if sign > 0 else (losers, winners)
        if share <= MAX_SPREAD and on_side >= _MIN_SPREAD_POSITIONS and others >= 1:
            slots = {"losers": count(losers), "winners": count(winners)}
            slots |= {"name": name(alias), "amount": money(pnl, view.currency)}
            slots["share"] = size(share)
            salience = 0.9 if is_clear_result(view) else 0.4
            yield Instance(slots, (facts[0], *counts), salience, alias, sign, context=facts[1:])


_COUNTS = "losers: count, winners: count, name: name, amount: money, share: percent"

spread = mirrored("result", _COUNTS, _spread, {
    -1: ("losses_spread",
        "{losers} positions lost and {winners} gained; the largest detractor, {name}, cost"
        " {amount}, {share} of gross losses."),
    1: ("gains_spread",
        "{winners} positions gained and {losers} lost; the largest contributor, {name}, made"
        " {amount}, {share} of gross gains."),
}, place=1, is_event=True)  # fmt: skip


@form(
    "not_split",
    "result",
    "",
    "The result is not split by position: price changes of the listed holdings do not add up to"
    " the result.",
    place=1,
)
def not_split(view: View) -> Iterator[Instance]:
    """The result of several positions is not stored by position."""
    facts = view.facts_of("daily_pnl", "num_positions")
    is_split = any(view.fact(each) for each in _SIDES.values())
    if facts and not is_split and float(facts[0].value) and float(facts[1].value) > 1:
        yield Instance({}, (), 0.7 if is_clear_result(view) else 0.4, context=facts)


@form(
    "netting",
    "result",
    "losses: money, gains: money",
    "Behind the result are gains of {gains} and losses of {losses}.",
    "Winners made {gains} and losers cost {losses}.",
    place=2,
)
def netting(view: View) -> Iterator[Instance]:
    """Gains and losses offset to a large part, so that the result hides both."""
    facts = view.facts_of("losers_pnl", "winners_pnl")
    if facts:
        losses, gains = (abs(float(fact.value)) for fact in facts)
        if min(losses, gains) >= _MIN_OFFSET * max(losses, gains) > 0:
            slots = {
                "losses": money(losses, view.currency),
                "gains": money(gains, view.currency),
            }
            salience = 0.6 + min(losses, gains) / max(losses, gains)
            yield Instance(slots, facts, salience, is_steady=True)


@form(
    "breadth",
    "result",
    "winners: count, losers: count",
    "On the day {winners} positions rose and {losers} fell.",
    place=3,
)
def breadth(view: View) -> Iterator[Instance]:
    """How many of at least five positions gained and lost; more than one of each."""
    facts = view.facts_of("n_winners", "n_losers")
    if facts:
        winners, losers = (float(fact.value) for fact in facts)
        if min(winners, losers) > 1 and winners + losers >= _MIN_SPREAD_POSITIONS:
            slots = {"winners": count(winners), "losers": count(losers)}
            yield Instance(slots, facts, 0.45)


def _unusual(view: View, sign: int) -> Iterator[Instance]:
    """Yield a return of at least two daily volatilities of the window that ended the day before.

    A loss beyond the value at risk is stated against that.
    """
    facts = view.facts_of("daily_return", "volatility_21d", "volatility_21d_change")
    if facts and not any(exceeded_var(view)):
        rate, now, change = (float(fact.value) for fact in facts)
        usual = (now - change) / _SESSIONS_PER_YEAR**0.5
        if usual > 0 and sign * rate > 0 and abs(rate) >= _UNUSUAL_MOVE * usual:
            slots = {"multiple": times(abs(rate) / usual)}
            yield Instance(slots, (), 1.2, sign=sign, context=facts)


unusual = mirrored("result", "multiple: times", _unusual, {
    -1: ("unusual_loss", "The loss was {multiple} the usual daily move of the past month."),
    1: ("unusual_gain", "The gain was {multiple} the usual daily move of the past month."),
}, place=2, is_event=True)  # fmt: skip


@form(
    "equity",
    "result",
    "equity: money",
    "Equity is {equity}.",
    "The portfolio is worth {equity}.",
    place=3,
)
def equity(view: View) -> Iterator[Instance]:
    """The value of the portfolio, stated if there is no result."""
    if not _has_missing_prices(view):
        yield from _equity(view)


@form(
    "equity_priced",
    "result",
    "equity: money",
    "Equity of what is priced is {equity}.",
    place=3,
)
def equity_priced(view: View) -> Iterator[Instance]:
    """The value of the portfolio without the instruments that have no price."""
    if _has_missing_prices(view):
        yield from _equity(view)


def _equity(view: View) -> Iterator[Instance]:
    facts = view.facts_of("total_value")
    if facts and float(facts[0].value) > 0:
        salience = 0.4 if view.fact("daily_pnl") else 2.0
        yield Instance({"equity": money(float(facts[0].value), view.currency)}, facts, salience)


def _has_missing_prices(view: View) -> bool:
    coverage = view.number("price_coverage")
    return coverage is not None and coverage < 1


@form("cash_share", "result", "share: percent", "Cash is {share} of equity.", place=4)
def cash_share(view: View) -> Iterator[Instance]:
    """Cash is a notable part of equity."""
    facts = view.facts_of("cash_value", "total_value")
    if facts and float(facts[1].value) > 0:
        share = float(facts[0].value) / float(facts[1].value)
        if _NOTABLE_CASH <= share <= 1:
            salience = 1.0 if share >= _MOSTLY_CASH else 0.45
            yield Instance({"share": size(share)}, (), salience, context=facts, is_steady=True)


def _holdings(form_id: str, verb: str) -> None:
    """Add the forms of one position, and of several, that were traded."""
    kind = f"n_{form_id}"
    more = form(
        form_id, "result", "count: count", f"{{count}} positions were {verb}.", place=4,
        is_event=True,
    )  # fmt: skip
    more(single(kind, "count", count, lambda found: found > 1, 1.4))

    @form(f"{form_id}_one", "result", "", f"One position was {verb}.", place=4, is_event=True)
    def one(view: View) -> Iterator[Instance]:
        facts = view.facts_of(kind)
        if facts and float(facts[0].value) == 1:
            yield Instance({}, facts, 1.4)


_holdings("opened", "opened")
_holdings("closed", "closed")
_holdings("resized", "resized")
