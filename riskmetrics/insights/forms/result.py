"""What the session brought, which positions made it, and what was traded."""

from collections.abc import Iterator, Sequence

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.form_shapes import mirrored, single
from riskmetrics.insights.slots import count, money, name, size, times

_MIN_SHARE = 0.5
"""Share of the losses, or gains, from which one position is the main cause."""

_MAX_SPREAD, _MIN_SPREAD_POSITIONS = 0.25, 5
"""Largest share of the losses that still counts as spread, and losers that it takes."""

_MIN_OFFSET = 0.4
"""Smaller of gains and losses over the larger, from which the result hides both."""

_UNUSUAL_MOVE = 2.0
"""Return, in daily volatilities of the month before, that is worth a sentence."""

_SESSIONS_PER_YEAR = 252

_NOTABLE_CASH = 0.1
"""Cash over equity that is worth a sentence."""


def _session(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result of the session, in money and as a return."""
    facts = view.facts_of("daily_pnl", "daily_return")
    if facts and all(sign * float(fact.value) > 0 for fact in facts):
        pnl, rate = (float(fact.value) for fact in facts)
        slots = {"amount": money(pnl, view.currency), "rate": size(rate)}
        yield Instance(slots, facts, 2.0 + 20 * abs(rate), sign=sign)


def _amount(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result in money only; its return is undefined, or told by another claim."""
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


def _main_position(view: View, sign: int) -> Iterator[Instance]:
    """Yield the position that made at least half of what all losers lost, or winners gained.

    It explains the result if that has the same sign, and if it is half of the result, too.
    """
    found, others = (
        largest_contribution(view, sign),
        view.number("n_winners" if sign > 0 else "n_losers"),
    )
    total = view.number("daily_pnl") or 0.0
    if found is None or others is None or others < 2:
        return
    alias, pnl, share, facts = found
    matters = sign * total > 0 or abs(pnl) >= _MIN_OFFSET * abs(total)
    if share >= _MIN_SHARE and matters:
        is_cause = sign * total > 0 and abs(pnl) >= _MIN_SHARE * abs(total)
        supports = ("session_gain" if sign > 0 else "session_loss") if is_cause else ""
        yield Instance(
            {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)},
            facts[:1],
            1.5 + share if sign * total > 0 else 1.0,
            alias,
            sign,
            supports=supports,
            context=facts[1:],
        )


main_positions = mirrored("result", "name: name, amount: money, share: percent", _main_position, {
    -1: ("position_loss",
        "{name} lost {amount}, {share} of all losses.",
        "{name} cost {amount}, or {share} of all losses."),
    1: ("position_gain",
        "{name} gained {amount}, {share} of all gains.",
        "{name} contributed {amount}, or {share} of all gains."),
}, place=1)  # fmt: skip


def largest_contribution(
    view: View, sign: int, over: str = ""
) -> "tuple[str, float, float, tuple[Fact, ...]] | None":
    """Return the largest winner or loser: alias, P&L, share of the sum of that sign, and facts.

    Parameters
    ----------
    over : str, optional
        Suffix of the facts of several sessions. Default: those of the session.
    """
    total = view.fact(("winners_pnl" if sign > 0 else "losers_pnl") + over)
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
    "losses_spread",
    "result",
    "name: name, amount: money, share: percent",
    "The loss was spread: the largest detractor, {name}, cost {amount}, or {share} of all losses.",
    "No single position drove the loss: {name} cost most, {amount} or {share} of all losses.",
    place=2,
)
def losses_spread(view: View) -> Iterator[Instance]:
    """No position made more than a quarter of what all losers lost."""
    found, total = largest_contribution(view, -1), view.number("daily_pnl")
    counted = view.number("n_losers") or 0
    if found and total is not None and total < 0 and counted >= _MIN_SPREAD_POSITIONS:
        alias, pnl, share, facts = found
        if share <= _MAX_SPREAD:
            slots = {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)}
            yield Instance(slots, facts[:1], 0.8, alias, context=facts[1:])


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


@form(
    "unusual_move",
    "result",
    "multiple: times",
    "The move was {multiple} the daily volatility of the twenty-one sessions before.",
    place=2,
    is_event=True,
)
def unusual_move(view: View) -> Iterator[Instance]:
    """The return is at least two daily volatilities of the window that ended the day before."""
    facts = view.facts_of("daily_return", "volatility_21d", "volatility_21d_change")
    if facts:
        rate, now, change = (float(fact.value) for fact in facts)
        usual = (now - change) / _SESSIONS_PER_YEAR**0.5
        if usual > 0 and abs(rate) >= _UNUSUAL_MOVE * usual:
            slots = {"multiple": times(abs(rate) / usual)}
            sign = 1 if rate > 0 else -1
            yield Instance(slots, (), 1.2, sign=sign, context=facts)


@form(
    "equity",
    "result",
    "equity: money",
    "Equity is {equity}.",
    "The portfolio is worth {equity}.",
    place=3,
)
def equity(view: View) -> Iterator[Instance]:
    """The value of the portfolio, told if there is no result."""
    facts = view.facts_of("total_value")
    if facts and float(facts[0].value) > 0:
        salience = 0.4 if view.fact("daily_pnl") else 2.0
        yield Instance({"equity": money(float(facts[0].value), view.currency)}, facts, salience)


@form("cash_share", "result", "share: percent", "Cash is {share} of equity.", place=4)
def cash_share(view: View) -> Iterator[Instance]:
    """Cash is a notable part of equity."""
    facts = view.facts_of("cash_value", "total_value")
    if facts and float(facts[1].value) > 0:
        share = float(facts[0].value) / float(facts[1].value)
        if _NOTABLE_CASH <= share <= 1:
            yield Instance({"share": size(share)}, (), 0.45, context=facts)


def _holdings(form_id: str, kind: str, *phrasings: str) -> None:
    """Add the form of a number of positions that were traded."""
    form(form_id, "result", "count: count", *phrasings, place=4, is_event=True)(
        single(kind, "count", count, lambda found: found > 0, 1.4)
    )


_holdings("opened", "n_opened", "New positions: {count}.", "Positions opened: {count}.")
_holdings("closed", "n_closed", "Positions closed: {count}.")
_holdings("resized", "n_resized", "Positions resized: {count}.")

_CONTRIBUTORS: Sequence[tuple[str, str]] = (("_5d", "five"), ("_21d", "twenty-one"))


def _contributor(over: str, words: str) -> None:
    """Add the forms of the largest detractor and contributor of several sessions.

    They count changes of prices: dividends are left out of both the position and the sum.
    """

    def evaluate(view: View, sign: int) -> Iterator[Instance]:
        found = largest_contribution(view, sign, over)
        counted = view.number(("n_winners" if sign > 0 else "n_losers") + over) or 0
        total = view.number("return" + over)
        if found and counted >= 2 and found[2] >= _MAX_SPREAD:
            alias, pnl, share, facts = found
            slots = {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)}
            is_clear = total is not None and sign * total >= 0.02
            salience = 0.9 if is_clear else 0.4
            yield Instance(
                slots, facts[:1], salience, alias, sign, context=facts[1:], is_steady=True
            )

    mirrored("result", "name: name, amount: money, share: percent", evaluate, {
        -1: (f"detractor{over}",
            f"The largest detractor of the past {words} sessions was {{name}}, with a price loss of"
            " {amount}, or {share} of all losses."),
        1: (f"contributor{over}",
            f"The largest contributor of the past {words} sessions was {{name}}, with a price gain"
            " of {amount}, or {share} of all gains."),
    }, place=3)  # fmt: skip


for _over, _words in _CONTRIBUTORS:
    _contributor(_over, _words)
