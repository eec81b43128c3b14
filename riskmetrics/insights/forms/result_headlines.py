"""Headlines of a session's result: quiet, or next to the market, a week, cash and trades."""

from collections.abc import Callable, Iterator, Sequence

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.forms import (
    alert_titles,
    comparison,
    contributors,
    limits,
    lists,
    own_limits,
    result,
    tail,
    trades,
    volatility,
)
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import has_alert_news, reached_limits
from riskmetrics.insights.slots import Item, items, level, name, return_size

_QUIET = 0.005
"""Return from which a day is not quiet, whatever the value at risk is."""

_FLAT = 0.0025
"""Return below which the portfolio did not move."""

_NOTABLE_MOVE, _DENIED = 0.005, 0.006
"""Return of the market from which a day is not quiet if the result differs by more than the second
from what the beta implies.
"""

_WEEK = 0.04
"""Return over five sessions that leads a day which is quiet."""

_MOSTLY_CASH, _UNAFFECTED = 0.9, 0.1
"""Cash over equity, and return over that of a clear market move, of a portfolio out of it."""

_BEYOND_VAR, _LARGEST, _UNUSUAL = 10.5, 6.7, 6.2
"""Salience of a loss beyond the value at risk, of the largest result and of an unusual one, each
with its cause.
"""

_MOST = 0.5
"""Part of a result that is most of it."""

_TRADED, _TRADED_QUIET = 1.6, 5.1
"""Salience of trades of a large share of equity, also on a day that is quiet but for them."""

_BY_TRADE = 1.004
"""Factor of the salience of an alert as a title if a trade made it: before other alerts of a level.
"""


def _rest(form_id: str, salience: float, text: str, of: Form, *, is_better: bool = False) -> None:
    """Add the headline of a result that differs from what beta and market imply: not by noise.

    A loss is no better result if it is large, or if the portfolio lagged the index.
    """

    @form(form_id, "result", "", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        own, market = view.number("daily_return") or 0.0, view.number("market_return") or 0.0
        if is_better and (any(tail.large_losses(view)) or own < market):
            return
        if comparison.is_beyond_noise(view, comparison.implied_gap(view)):
            for found in view.instances(of):
                context = (*found.facts, *found.context)
                yield Instance({}, (), salience, sign=found.sign, context=context)


_rest("headline_fall_worse", 1.9, "A loss larger than the market explains",
    comparison.implied[-1][-1])  # fmt: skip
_rest("headline_fall_better", 1.55, "A better result than the beta implied",
    comparison.implied[-1][1], is_better=True)  # fmt: skip
_rest("headline_rise_better", 1.9, "A gain larger than the market explains",
    comparison.implied[1][1])  # fmt: skip
_rest("headline_rise_worse", 1.8, "Less than the beta implied",
    comparison.implied[1][-1])  # fmt: skip


def _by_market(form_id: str, salience: float, of: Form, text: str) -> None:
    """Add the headline of a result of which beta and market make more than half."""

    @form(form_id, "result", "", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of) if result.is_market_made(view) else ():
            context = (*found.facts, *found.context)
            yield Instance({}, (), salience, sign=found.sign, context=context)


_by_market("headline_fall_made", 1.65, comparison.implied[-1][-1],
    "The market's fall made most of the loss")  # fmt: skip
_by_market("headline_rise_made", 1.65, comparison.implied[1][1],
    "The market's rise made most of the gain")  # fmt: skip
_by_market("headline_fall_less", 1.57, comparison.implied[-1][1],
    "Down less than the beta implies")  # fmt: skip
_by_market("headline_rise_less", 1.57, comparison.implied[1][-1],
    "Up less than the beta implies")  # fmt: skip


def _made_most(view: View, found: Instance) -> bool:
    """Return whether a position made most of the result, and the market did not."""
    return contributors.made_most(view, found) and not result.is_market_made(view)


def _leads_its_side(view: View, found: Instance) -> bool:
    """Return whether a position led its side, and the market did not make the result."""
    return contributors.leads_its_side(view, found) and not result.is_market_made(view)


def _add_cause_headline(
    of: Sequence[Form],
    salience: float,
    cause: str,
    text: str,
    stated: Sequence[Form],
    holds: Callable[[View, Instance], bool],
) -> None:
    """Add the headline of a large result whose cause one of some forms states.

    Parameters
    ----------
    of : sequence of Form
        The statement that the result is large, then others that say as much.
    """
    kinds = [kind for kind in ("name", "window") if f"{{{kind}}}" in text]
    described = ", ".join(f"{kind}: {kind}" for kind in kinds)

    @form(f"headline_{of[0].id}_{cause}", "result", described, text, role="headline", is_event=True,
        states=stated[0].id, further_proofs=[each.id for each in stated[1:]],
        needs=[each.id for each in of])  # fmt: skip
    def evaluate(view: View) -> Iterator[Instance]:
        for found in (each for form_ in stated for each in view.instances(form_)):
            for large in view.instances(of[0]) if holds(view, found) else ():
                facts = (*found.facts, *found.context, *large.facts, *large.context)
                shown = {"name": name(found.subject), **large.slots}
                slots = {kind: shown[kind] for kind in kinds}
                evidence = tuple({fact.id: fact for fact in facts}.values())
                yield Instance(slots, (), salience, found.subject, large.sign, context=evidence)


def _causes(sign: int, of: Sequence[Form], salience: float, what: str) -> None:
    """Add the headlines of a large loss (-1), or gain, by what made it."""
    move = "fall" if sign < 0 else "rise"
    _add_cause_headline(of, salience, "market", f"The market's {move} made most of {what}",
        [comparison.implied[sign][each] for each in (sign, 0)],
        lambda view, _: result.is_market_made(view))  # fmt: skip
    _add_cause_headline(of, salience, "less", f"{what[:1].upper()}{what[1:]}, less than the beta implies",
        [comparison.implied[sign][-sign]],
        lambda view, _: result.is_market_made(view))  # fmt: skip
    _add_cause_headline(of, salience, "position", f"{{name}} made most of {what}",
        contributors.MAIN[sign], _made_most)  # fmt: skip
    _add_cause_headline(
        of, salience, "led", f"{{name}} led {what}", contributors.LEADING[sign], _leads_its_side
    )


_causes(-1, [tail.var_exceeded], _BEYOND_VAR, "a loss beyond the value at risk")
_causes(-1, [tail.var_exceeded_far], _BEYOND_VAR, "a loss far beyond the value at risk")
for _sign, _word in ((-1, "loss"), (1, "gain")):
    _ranked = [comparison.extremes[_sign], comparison.rare[_sign]]
    _causes(_sign, _ranked[:1], _LARGEST, f"the largest {_word} of {{window}}")
    _causes(_sign, [result.unusual[_sign], *_ranked], _UNUSUAL, f"an unusually large {_word}")


def _as_inverse(form_id: str, sign: int, text: str, implied: str) -> None:
    """Add the headlines of a result of the sign that a negative beta implies, and as large."""
    of = comparison.inverse[sign]

    @form(form_id, "result", "", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        own = view.facts_of("daily_return")
        for found in view.instances(of) if own and -sign * float(own[0].value) > 0 else ():
            yield Instance({}, (), 1.8, sign=found.sign, context=(*found.facts, *(own or ())))

    @form(f"{form_id}_implied", "result", "", implied, role="headline", is_event=True, states=of.id)
    def evaluate_implied(view: View) -> Iterator[Instance]:
        own = view.facts_of("daily_return") or ()
        for found in view.instances(of) if comparison.is_implied_by_beta(view) else ():
            yield Instance({}, (), 6.2, sign=found.sign, context=(*found.facts, *own))


_as_inverse("headline_fall_inverse", -1, "Up as the market fell",
    "A gain on a falling market, as the negative beta implies")  # fmt: skip
_as_inverse("headline_rise_inverse", 1, "Down as the market rose",
    "A loss on a rising market, as the negative beta implies")  # fmt: skip


def _without_news(view: View) -> tuple[Fact, ...]:
    """Return the result and the value at risk if the day brought neither result nor news."""
    facts = view.facts_of("daily_return", "previous_var_95") or ()
    if not facts:
        return ()
    rate, var = (abs(float(fact.value)) for fact in facts)
    events = (*own_limits.NEWS, limits.limit_sold)
    is_new = has_alert_news(view) or any(any(view.instances(each)) for each in events)
    moved = any(any(view.instances(each)) for each in volatility.moves.values())
    return facts if tail.is_small(rate, var) and rate < _QUIET and not (is_new or moved) else ()


def _has_large_offsets(view: View) -> bool:
    """Return whether gains and losses are each too large for a quiet day, though they offset."""
    facts = view.facts_of("winners_pnl", "losers_pnl", "total_value") or ()
    sizes = [abs(float(fact.value)) for fact in facts]
    return bool(sizes) and min(sizes[:2]) >= _QUIET * sizes[2]


def _has_market_moved(view: View) -> bool:
    """Return whether the market moved clearly, or notably with a result that the beta denies."""
    market = abs(view.number("market_return") or 0.0)
    is_denied = abs(comparison.implied_gap(view)) > _DENIED
    return market >= comparison.CLEAR_MARKET_MOVE or (market >= _NOTABLE_MOVE and is_denied)


@form("headline_quiet", "result", "", "A quiet day", role="headline", is_event=True)
def headline_quiet(view: View) -> Iterator[Instance]:
    """Result and what it offsets are small, and neither market, volatility nor alerts have news."""
    facts = _without_news(view)
    if facts and not (_has_market_moved(view) or _has_large_offsets(view)):
        yield Instance({}, (), 5.0, context=facts)


_AT = {
    "beta": "beta at {value}",
    "drawdown": "drawdown of today's holdings at {value}",
    "gross_to_equity": "gross exposure at {value} equity",
    "weight": "{name} at {value} of equity",
    "gross": "{name} at {value} of gross exposure",
}
"""Kind of alert to what a title calls it with its value."""


@form("headline_quiet_critical", "result", "alert: items, level: level",
    "A quiet day; {alert} stays {level}", role="headline", is_event=True,
    entries=tuple(_AT.values()))  # fmt: skip
def headline_quiet_critical(view: View) -> Iterator[Instance]:
    """A day is quiet, and an alert that makes its note critical is in force."""
    for quiet in view.instances(headline_quiet):
        for reach in reached_limits(view)[:1]:
            if reach.level == "critical":
                shown = {"value": limits.shown_limit(reach.kind, reach.value)}
                shown |= {"name": name(reach.alias)} if reach.alias else {}
                slots = {"alert": items(Item(_AT[reach.kind], shown)), "level": level(reach.level)}
                yield Instance(slots, (), 5.05, context=(*quiet.context, *reach.facts))


def _add_flat_headline(form_id: str, sign: int, move: str) -> None:
    """Add the headline of nearly no result on a day that is quiet but for the market."""
    text = f"Flat on a day when the market {move} {{rate}}"

    @form(form_id, "result", "rate: percent", text, role="headline", is_event=True)
    def evaluate(view: View) -> Iterator[Instance]:
        facts, market = _without_news(view), view.facts_of("market_return")
        if facts and market and _has_market_moved(view):
            is_flat = abs(float(facts[0].value)) < _FLAT
            if is_flat and sign * float(market[0].value) > 0:
                slots = {"rate": return_size(float(market[0].value))}
                yield Instance(slots, (), 5.0, context=(*facts, *market))


_add_flat_headline("headline_flat_rise", 1, "rose")
_add_flat_headline("headline_flat_fall", -1, "fell")


def _week(form_id: str, sign: int, text: str, states: str, *further_proofs: str) -> None:
    """Add the headline of a large return over five sessions on a day that is quiet."""

    @form(
        form_id,
        "result",
        "rate: percent",
        text,
        role="headline",
        states=states,
        further_proofs=further_proofs,
    )
    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of("return_5d")
        for quiet in view.instances(headline_quiet) if facts else ():
            rate = float(facts[0].value) if facts else 0.0
            if sign * rate >= _WEEK:
                yield Instance({"rate": return_size(rate)}, (), 5.5, sign=sign, is_steady=True,
                    context=(*(facts or ()), *quiet.context))  # fmt: skip


_AGAINST_MARKET = ("behind_market_5d", "ahead_of_market_5d")

_week("headline_week_down", -1, "Down {rate} over five sessions",
    "five_sessions_down", "week_and_month_down", *_AGAINST_MARKET)  # fmt: skip
_week("headline_week_up", 1, "Up {rate} over five sessions",
    "five_sessions_up", "week_and_month_up", *_AGAINST_MARKET)  # fmt: skip


@form("headline_cash", "result", "", "Mostly in cash, and hardly moved by the market",
    role="headline", is_event=True, states="cash_share")  # fmt: skip
def headline_cash(view: View) -> Iterator[Instance]:
    """Almost all of equity is cash, and the result is little of a clear move of the market."""
    facts = view.facts_of("daily_return", "market_return")
    for found in view.instances(result.cash_share) if facts else ():
        own, market = (abs(float(fact.value)) for fact in facts or ())
        is_calm = market >= comparison.CLEAR_MARKET_MOVE and own <= _UNAFFECTED * market
        if float(found.slots["share"].value) >= _MOSTLY_CASH and is_calm:  # type: ignore[arg-type]
            yield Instance({}, (), 5.1, context=(*(facts or ()), *found.context))


@form("headline_by_trade", "result", "name: name", "A trade took {name} past the alert level",
    role="headline", is_event=True, states="limit_by_trade",
    further_proofs=["limit_by_opening"])  # fmt: skip
def headline_by_trade(view: View) -> Iterator[Instance]:
    """A position reached an alert level, which it would not have reached without trades."""
    reaches = {reach.alias: reach for reach in reached_limits(view) if reach.kind == "weight"}
    by_trade = (trades.limit_by_trade, trades.limit_by_opening)
    for found in (each for of in by_trade for each in view.instances(of)):
        salience = _BY_TRADE * alert_titles.title_salience(view, reaches[found.subject])
        yield Instance({"name": name(found.subject)}, (), salience, found.subject,
            context=(*found.facts, *found.context))  # fmt: skip


def _add_trade_headline(form_id: str, text: str, kind: str, of: Form) -> None:
    """Add the headline of trades of a large share of equity; they lead a quiet day."""

    @form(form_id, "result", "positions: items", text, role="headline", is_event=True,
        states=of.id, entries=("{name}", *lists.REST))  # fmt: skip
    def evaluate(view: View) -> Iterator[Instance]:
        share = trades.traded_share(view, kind)
        for found in view.instances(of) if share >= trades.LARGE else ():
            salience = _TRADED_QUIET if _without_news(view) else _TRADED
            yield Instance({"positions": trades.names(found)}, (), salience + min(share, _MOST),
                context=(*found.facts, *found.context))  # fmt: skip


for _trade, _words in (("opened", "Opened"), ("closed", "Closed"), ("resized", "Traded")):
    _add_trade_headline(f"headline_{_trade}", f"{_words} on the day: {{positions}}", _trade,
        trades.TRADES[_trade])  # fmt: skip
