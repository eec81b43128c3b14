"""What the session brought, and how many positions made it."""

from collections.abc import Iterator
from functools import partial
from math import inf
from typing import Final

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms.tail import exceeded_var, small_results
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import count, money, return_size, size, times

SIDES: Final = {1: "winners_pnl", -1: "losers_pnl"}
"""Sign to the fact of the sum of that sign."""

_MOST_OF_RESULT = 0.5
"""Part of the result above which what the market implies made most of it."""

MIN_SPREAD_POSITIONS = 5
"""Positions from which it matters how many gained and lost."""

MARKET_DAY = 0.02
"""Return of the market from which a day is not quiet, however small the result is."""

MIN_OFFSET = 0.4
"""Smaller of gains and losses over the larger, from which the result hides both."""

_MIN_SIDE, _LARGE_SIDE = 0.1, 0.01
"""Longs over shorts, or the reverse, from which both are stated, and a side over equity from which
they are on a day of a small result.
"""

_LONGS_AND_SHORTS = 1.7
"""Salience of the two: more than gains and losses, which it stands for."""

_SIDES_OF_RESULT = "sides of the result"
"""What gains and losses, and longs and shorts, state: a note has one of them."""

RARE = 5
"""Rank among the past year's returns up to which a session is rare."""

_UNUSUAL_MOVE = 2.0
"""Return, in daily volatilities of the month before, that is worth a sentence."""

_OTHER = 0.4
"""Salience of what another sentence says better."""

_SESSIONS_PER_YEAR = 252

_NOTABLE_CASH, _MOSTLY_CASH = 0.1, 0.5
"""Cash over equity that is worth a sentence, and that explains why little happens."""


def _session(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result of the session, in money and as a return."""
    facts = view.facts_of("daily_pnl", "daily_return")
    if facts and all(sign * float(fact.value) > 0 for fact in facts):
        pnl, rate = (float(fact.value) for fact in facts)
        slots = {"amount": money(pnl, view.currency), "rate": return_size(rate)}
        yield Instance(slots, facts, 2.0 + 20 * abs(rate), sign=sign)


def _amount(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result in money only; its return is undefined, or stated by another claim."""
    facts = view.facts_of("daily_pnl")
    if facts and sign * float(facts[0].value) > 0:
        slots = {"amount": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, 1.9, sign=sign)


mirrored_forms("result", "amount: money, rate: percent", _session, {
    -1: ("session_loss", "The portfolio lost {amount} ({rate})."),
    1: ("session_gain", "The portfolio gained {amount} ({rate})."),
}, place=0, is_event=True)  # fmt: skip

session_amounts = mirrored_forms("result", "amount: money", _amount, {
    -1: ("session_loss_amount", "The portfolio lost {amount}."),
    1: ("session_gain_amount", "The portfolio gained {amount}."),
}, place=0, is_event=True)  # fmt: skip


def is_market_made(view: View) -> bool:
    """Return whether beta times the market's move is more than half of the result.

    It is not what made the result if a position made a larger part, and more than its weight and
    its share of the risk.
    """
    facts = view.facts_of("previous_own_beta", "market_return", "daily_return")
    if facts is None:
        return False
    beta, market, own = (float(fact.value) for fact in facts)
    part = beta * market / own if own else 0.0
    return part > _MOST_OF_RESULT and part >= _largest_part(view)


def _largest_part(view: View) -> float:
    """Return the part of the result that a position made, if that is more than its usual one."""
    total = view.number("daily_pnl") or 0.0
    found = largest_contribution(view, 1 if total > 0 else -1)
    if found is None or not total:
        return 0.0
    alias, part = found[0], found[1] / total
    usual = (view.number(kind, alias) or 0.0 for kind in ("weight", "share"))
    return part if part > max(usual) else 0.0


def is_clear_result(view: View) -> bool:
    """Return whether the result is not small for the value at risk."""
    return not any(any(view.instances(each)) for each in small_results)


def largest_contribution(
    view: View, sign: int, over: str = ""
) -> "tuple[str, float, float, tuple[Fact, ...]] | None":
    """Return the largest winner or loser: alias, P&L, share of the sum of that sign, and facts.

    Parameters
    ----------
    over : str, optional
        Suffix of the facts of several sessions. Default: those of the session.
    """
    total = view.fact(SIDES[sign] + over)
    found = [
        (sign * float(fact.value), alias, fact)
        for alias in view.aliases("POS")
        if (fact := view.fact("pnl" + over, alias)) and sign * float(fact.value) > 0
    ]
    if not found or total is None or sign * float(total.value) <= 0:
        return None
    pnl, alias, fact = max(found, key=lambda each: (each[0], each[1]))
    return alias, sign * pnl, pnl / abs(float(total.value)), (fact, total)


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
    is_split = any(view.fact(each) for each in SIDES.values())
    if facts and not is_split and float(facts[0].value) and float(facts[1].value) > 1:
        yield Instance({}, (), 0.7 if is_clear_result(view) else 0.4, context=facts)


@form(
    "netting",
    "result",
    "losses: money, gains: money",
    "Behind the result are gains of {gains} and losses of {losses}.",
    "Winners made {gains} and losers cost {losses}.",
    place=2,
    figure=_SIDES_OF_RESULT,
)
def netting(view: View) -> Iterator[Instance]:
    """Gains and losses offset to a large part, so that the result hides both."""
    facts = view.facts_of("losers_pnl", "winners_pnl")
    if facts:
        losses, gains = (abs(float(fact.value)) for fact in facts)
        if min(losses, gains) >= MIN_OFFSET * max(losses, gains) > 0:
            slots = {
                "losses": money(losses, view.currency),
                "gains": money(gains, view.currency),
            }
            salience = 0.6 + min(losses, gains) / max(losses, gains)
            yield Instance(slots, facts, salience, is_steady=True)


def _longs_and_shorts(view: View, signs: tuple[int, int]) -> Iterator[Instance]:
    """Yield what longs and shorts made, of two signs, unless one of them made next to nothing."""
    facts, counts = (
        view.facts_of("long_pnl", "short_pnl"),
        view.facts_of("num_positions", "num_short_positions"),
    )
    if facts and counts and 0 < float(counts[1].value) < float(counts[0].value):
        longs, shorts = amounts = [float(fact.value) for fact in facts]
        sizes = sorted(map(abs, amounts))
        is_of_signs = all(sign * each > 0 for sign, each in zip(signs, amounts, strict=True))
        if is_of_signs and sizes[0] >= _MIN_SIDE * sizes[1]:
            is_large = sizes[1] >= _LARGE_SIDE * abs(view.number("total_value") or inf)
            slots = {"longs": money(longs, view.currency), "shorts": money(shorts, view.currency)}
            salience = _LONGS_AND_SHORTS if is_large or is_clear_result(view) else 0.4
            yield Instance(slots, facts, salience, context=counts)


for _id, _signs, _text in (
    ("longs_lost_shorts_made", (-1, 1), "Longs lost {longs} and shorts made {shorts}."),
    ("longs_made_shorts_lost", (1, -1), "Longs made {longs} and shorts lost {shorts}."),
    ("longs_and_shorts_lost", (-1, -1), "Longs lost {longs}, and shorts lost {shorts}."),
    ("longs_and_shorts_made", (1, 1), "Longs made {longs}, and shorts made {shorts}."),
):
    form(_id, "result", "longs: money, shorts: money", _text, place=2, figure=_SIDES_OF_RESULT)(
        partial(_longs_and_shorts, signs=_signs)
    )


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
        if min(winners, losers) > 1 and winners + losers >= MIN_SPREAD_POSITIONS:
            slots = {"winners": count(winners), "losers": count(losers)}
            yield Instance(slots, facts, 0.45)


def _unusual_return(view: View, sign: int) -> Iterator[Instance]:
    """Yield a return of at least two daily volatilities of the window that ended the day before.

    A loss beyond the value at risk is stated against that, and one of the largest by its rank.
    """
    facts = view.facts_of("daily_return", "volatility_21d", "volatility_21d_change")
    if facts and not any(exceeded_var(view)):
        rate, now, change = (float(fact.value) for fact in facts)
        usual = (now - change) / _SESSIONS_PER_YEAR**0.5
        if usual > 0 and sign * rate > 0 and abs(rate) >= _UNUSUAL_MOVE * usual:
            slots = {"multiple": times(abs(rate) / usual)}
            rank = view.number("gain_rank" if sign > 0 else "loss_rank") or inf
            yield Instance(slots, (), 1.2 if rank > RARE else _OTHER, sign=sign, context=facts)


unusual = mirrored_forms("result", "multiple: times", _unusual_return, {
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
