"""What the session brought, which positions made it, and what was traded."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.slots import count, money, name, size

_MIN_SHARE = 0.5
"""Share of the losses, or gains, from which one position is the main cause."""

_MAX_SPREAD, _MIN_SPREAD_POSITIONS = 0.25, 5
"""Largest share of the losses that still counts as spread, and losers that it takes."""

_MIN_OFFSET = 0.4
"""Smaller of gains and losses over the larger, from which the result hides both."""


@form(
    "session_loss",
    "result",
    "loss: money, rate: percent",
    "The portfolio lost {loss} ({rate}) in the session.",
    "The session cost {loss} ({rate}).",
    place=0,
    is_event=True,
)
def session_loss(view: View) -> Iterator[Instance]:
    """A loss of the session, in money and as a return."""
    yield from _session(view, -1)


@form(
    "session_gain",
    "result",
    "gain: money, rate: percent",
    "The portfolio gained {gain} ({rate}) in the session.",
    "The session brought {gain} ({rate}).",
    place=0,
    is_event=True,
)
def session_gain(view: View) -> Iterator[Instance]:
    """A gain of the session, in money and as a return."""
    yield from _session(view, 1)


def _session(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("daily_pnl", "daily_return")
    if facts and all(sign * float(fact.value) > 0 for fact in facts):
        pnl, rate = (float(fact.value) for fact in facts)
        slots = {"loss" if sign < 0 else "gain": money(pnl, view.currency), "rate": size(rate)}
        yield Instance(slots, facts, 2.0 + 20 * abs(rate), sign=sign)


@form(
    "session_loss_amount",
    "result",
    "loss: money",
    "The portfolio lost {loss} in the session.",
    "The session cost {loss}.",
    place=0,
    is_event=True,
)
def session_loss_amount(view: View) -> Iterator[Instance]:
    """A loss in money only; its return is undefined, or told by another claim."""
    yield from _amount(view, -1)


@form(
    "session_gain_amount",
    "result",
    "gain: money",
    "The portfolio gained {gain} in the session.",
    "The session brought {gain}.",
    place=0,
    is_event=True,
)
def session_gain_amount(view: View) -> Iterator[Instance]:
    """A gain in money only; its return is undefined, or told by another claim."""
    yield from _amount(view, 1)


def _amount(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("daily_pnl")
    if facts and sign * float(facts[0].value) > 0:
        slots = {"loss" if sign < 0 else "gain": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, 1.9, sign=sign)


@form(
    "position_loss",
    "result",
    "name: name, loss: money, share: percent",
    "{name} cost {loss}, {share} of what the losers lost.",
    "{name} lost {loss}, {share} of the sum of all losses.",
    place=1,
)
def position_loss(view: View) -> Iterator[Instance]:
    """The largest loser made at least half of what all losers lost."""
    yield from _main_position(view, -1)


@form(
    "position_gain",
    "result",
    "name: name, gain: money, share: percent",
    "{name} brought {gain}, {share} of what the winners made.",
    "{name} gained {gain}, {share} of the sum of all gains.",
    place=1,
)
def position_gain(view: View) -> Iterator[Instance]:
    """The largest winner made at least half of what all winners made."""
    yield from _main_position(view, 1)


def _main_position(view: View, sign: int) -> Iterator[Instance]:
    """Yield the largest winner or loser, if two and more share in a sum of one sign."""
    side = "winners" if sign > 0 else "losers"
    found = largest_contribution(view, sign)
    counted = view.number(f"n_{side}")
    if found is None or counted is None or counted < 2:
        return
    alias, pnl, share, facts = found
    total = view.number("daily_pnl") or 0.0
    is_large = sign * total > 0 or abs(pnl) >= _MIN_OFFSET * abs(total)
    if share >= _MIN_SHARE and is_large:
        slots = {"gain" if sign > 0 else "loss": money(pnl, view.currency)}
        is_cause = sign * total > 0 and abs(pnl) >= _MIN_SHARE * abs(total)
        supports = ("session_gain" if sign > 0 else "session_loss") if is_cause else ""
        yield Instance(
            {"name": name(alias), **slots, "share": size(share)},
            facts[:1],
            1.5 + share if sign * total > 0 else 1.0,
            alias,
            sign,
            supports=supports,
            context=facts[1:],
        )


def largest_contribution(
    view: View, sign: int
) -> "tuple[str, float, float, tuple[Fact, ...]] | None":
    """Return the largest winner or loser: alias, P&L, share of the sum of that sign, and facts."""
    total = view.fact("winners_pnl" if sign > 0 else "losers_pnl")
    found = [
        (sign * float(fact.value), alias, fact)
        for alias in view.aliases("POS")
        if (fact := view.fact("pnl", alias)) and sign * float(fact.value) > 0
    ]
    if not found or total is None or sign * float(total.value) <= 0:
        return None
    pnl, alias, fact = max(found, key=lambda each: (each[0], each[1]))
    return alias, sign * pnl, pnl / abs(float(total.value)), (fact, total)


@form(
    "losses_spread",
    "result",
    "name: name, loss: money, share: percent",
    "The loss is spread: the largest single one, {name} with {loss}, is {share} of the sum of all"
    " losses.",
    place=2,
)
def losses_spread(view: View) -> Iterator[Instance]:
    """No position made more than a quarter of what all losers lost."""
    found, total = largest_contribution(view, -1), view.number("daily_pnl")
    counted = view.number("n_losers") or 0
    if found and total is not None and total < 0 and counted >= _MIN_SPREAD_POSITIONS:
        alias, pnl, share, facts = found
        if share <= _MAX_SPREAD:
            slots = {"name": name(alias), "loss": money(pnl, view.currency), "share": size(share)}
            yield Instance(slots, facts[:1], 0.8, alias, context=facts[1:])


@form(
    "netting",
    "result",
    "losses: money, gains: money",
    "Losing positions cost {losses} and winning positions brought {gains}.",
    "Gains of {gains} stand against losses of {losses}.",
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
            yield Instance(slots, facts, 0.6 + min(losses, gains) / max(losses, gains))


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


@form(
    "opened",
    "result",
    "count: count",
    "Positions opened in the session: {count}.",
    place=4,
    is_event=True,
)
def opened(view: View) -> Iterator[Instance]:
    """Positions are new."""
    yield from _holdings(view, "n_opened")


@form(
    "closed",
    "result",
    "count: count",
    "Positions closed in the session: {count}.",
    place=4,
    is_event=True,
)
def closed(view: View) -> Iterator[Instance]:
    """Positions were closed."""
    yield from _holdings(view, "n_closed")


@form(
    "resized",
    "result",
    "count: count",
    "Positions changed in size in the session: {count}.",
    place=4,
    is_event=True,
)
def resized(view: View) -> Iterator[Instance]:
    """Positions were enlarged or reduced."""
    yield from _holdings(view, "n_resized")


def _holdings(view: View, kind: str) -> Iterator[Instance]:
    facts = view.facts_of(kind)
    if facts and float(facts[0].value) > 0:
        yield Instance({"count": count(float(facts[0].value))}, facts, 1.4)
