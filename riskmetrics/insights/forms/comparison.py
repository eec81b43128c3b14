"""How a session compares: earlier sessions, the past year, the market index, usual moves."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import count, ordinal, size

_RARE = 5
"""Rank among the past year's returns up to which a session is rare."""

_CLEAR_MOVE, _CLEAR_RETURNS = 0.01, {"return_5d": 0.02, "return_21d": 0.06}
"""Return of the market, and over several sessions, that is worth a sentence."""


@form(
    "five_sessions_down",
    "result",
    "rate: percent",
    "Over five sessions the portfolio is down {rate}.",
    "The past five sessions cost {rate}.",
    place=3,
)
def five_sessions_down(view: View) -> Iterator[Instance]:
    """A loss over five sessions."""
    yield from _several(view, "return_5d", -1)


@form(
    "five_sessions_up",
    "result",
    "rate: percent",
    "Over five sessions the portfolio is up {rate}.",
    "The past five sessions brought {rate}.",
    place=3,
)
def five_sessions_up(view: View) -> Iterator[Instance]:
    """A gain over five sessions."""
    yield from _several(view, "return_5d", 1)


@form(
    "month_down",
    "result",
    "rate: percent",
    "Over twenty-one sessions the portfolio is down {rate}.",
    "The past twenty-one sessions cost {rate}.",
    place=3,
)
def month_down(view: View) -> Iterator[Instance]:
    """A loss over twenty-one sessions."""
    yield from _several(view, "return_21d", -1)


@form(
    "month_up",
    "result",
    "rate: percent",
    "Over twenty-one sessions the portfolio is up {rate}.",
    "The past twenty-one sessions brought {rate}.",
    place=3,
)
def month_up(view: View) -> Iterator[Instance]:
    """A gain over twenty-one sessions."""
    yield from _several(view, "return_21d", 1)


def _several(view: View, kind: str, sign: int) -> Iterator[Instance]:
    """Yield the return over several sessions, if it is large."""
    facts = view.facts_of(kind)
    if facts and sign * float(facts[0].value) >= _CLEAR_RETURNS[kind]:
        rate = abs(float(facts[0].value))
        yield Instance({"rate": size(rate)}, facts, 0.5 + 2 * rate, sign=sign)


@form(
    "largest_loss",
    "result",
    "count: count",
    "No other of the past {count} sessions brought so large a loss.",
    place=2,
    is_event=True,
)
def largest_loss(view: View) -> Iterator[Instance]:
    """The session is the worst of the past year."""
    yield from _extreme(view, -1)


@form(
    "largest_gain",
    "result",
    "count: count",
    "No other of the past {count} sessions brought so large a gain.",
    place=2,
    is_event=True,
)
def largest_gain(view: View) -> Iterator[Instance]:
    """The session is the best of the past year."""
    yield from _extreme(view, 1)


def _extreme(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].value == 1 and facts[0].n_obs and sign * float(facts[1].value) > 0:
        yield Instance(
            {"count": count(facts[0].n_obs)}, facts[:1], 2.2, sign=sign, context=facts[1:]
        )


@form(
    "rare_loss",
    "result",
    "rank: ordinal, count: count",
    "The loss is the {rank} largest of the past {count} sessions.",
    place=2,
    is_event=True,
)
def rare_loss(view: View) -> Iterator[Instance]:
    """The session is among the worst five of the past year, but not the worst."""
    yield from _rare(view, -1)


@form(
    "rare_gain",
    "result",
    "rank: ordinal, count: count",
    "The gain is the {rank} largest of the past {count} sessions.",
    place=2,
    is_event=True,
)
def rare_gain(view: View) -> Iterator[Instance]:
    """The session is among the best five of the past year, but not the best."""
    yield from _rare(view, 1)


def _rare(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].n_obs and sign * float(facts[1].value) > 0:
        rank = int(float(facts[0].value))
        if 1 < rank <= _RARE:
            slots = {"rank": ordinal(rank), "count": count(facts[0].n_obs)}
            yield Instance(slots, facts[:1], 1.5, sign=sign, context=facts[1:])


@form(
    "market_rose",
    "result",
    "rate: percent",
    "The market index rose {rate} in the session.",
    "The market index gained {rate} in the session.",
    place=4,
)
def market_rose(view: View) -> Iterator[Instance]:
    """The market rose clearly."""
    yield from _market(view, 1)


@form(
    "market_fell",
    "result",
    "rate: percent",
    "The market index fell {rate} in the session.",
    "The market index lost {rate} in the session.",
    place=4,
)
def market_fell(view: View) -> Iterator[Instance]:
    """The market fell clearly."""
    yield from _market(view, -1)


def _market(view: View, sign: int) -> Iterator[Instance]:
    facts, own = view.facts_of("market_return"), view.number("daily_return")
    if facts and own is not None and sign * float(facts[0].value) >= _CLEAR_MOVE:
        rate = float(facts[0].value)
        is_opposed = rate * own < 0
        yield Instance({"rate": size(rate)}, facts, 1.3 if is_opposed else 0.7, sign=sign)


@form(
    "no_change",
    "result",
    "",
    "Beta, volatility and forecast moved no more than is usual for a session.",
    "None of beta, volatility and forecast moved more than is usual for a session.",
    place=4,
)
def no_change(view: View) -> Iterator[Instance]:
    """No headline figure moved by more than twice its usual change."""
    moves = [
        view.facts_of(f"{kind}_change", f"{kind}_usual_change")
        for kind in ("beta", "volatility_21d", "expected_volatility")
    ]
    known = [each for each in moves if each]
    if len(known) == len(moves) and all(
        abs(float(change.value)) <= 2 * float(usual.value) for change, usual in known
    ):
        yield Instance({}, (), 0.5, context=tuple(fact for each in known for fact in each))
