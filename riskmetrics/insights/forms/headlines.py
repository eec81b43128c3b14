"""Headlines: what matters most in a session, each with a precondition of its own.

A headline is true because a statement is, whose evidence it shares and which a note states with it.
It shows no figure of the statement but the sessions that it is compared with.
"""

from collections.abc import Callable, Iterator

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.forms import (
    alert_titles,
    comparison,
    concentration,
    contributors,
    data,
    factors,
    hedge,
    limits,
    own_limits,
    result,
    standing_alerts,
    stress,
    tail,
    volatility,
)
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import reached_limits
from riskmetrics.insights.slots import label, level, name

_TITLE = 0.2
"""Salience up to which a headline only names a topic, and no sentence has to prove it."""

_TIE = 100
"""Divisor of a statement's salience, which decides among subjects of a headline."""

_SHARP, _FELL_SHARPLY = 0.2, 3.4
"""Relative move of the volatility in a session that is sharp, and the salience of such a fall."""

_ELEVATED = 0.3
"""Factor of the salience of a headline about the lowest level of alerts."""


_FURTHER_PROOFS = {
    "session_loss_amount": ("session_loss", "small_loss", *(each.id for each in tail.LOSSES)),
    "session_gain_amount": ("session_gain", "small_gain"),
    **{
        result.unusual[sign].id: (comparison.rare[sign].id, comparison.extremes[sign].id)
        for sign in (-1, 1)
    },
}
"""Statement to others that say as much and more."""


def _headline(form_id: str, topic: Topic, salience: float, *phrasings: str, of: Form) -> None:
    """Add the headline of a statement: true for the same subject whenever the statement is."""
    kind, make = ("label", label) if topic == "limits" else ("name", name)
    slots = f"name: {kind}" if "{name}" in phrasings[0] else ""
    slots = "window: window" if "{window}" in phrasings[0] else slots

    @form(
        form_id,
        topic,
        slots,
        *phrasings,
        role="headline",
        connectives=tuple(of.connectives),
        is_event=of.is_event,
        states=of.id if salience > _TITLE else "",
        further_proofs=_FURTHER_PROOFS.get(of.id, ()),
    )
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            shown = {"name": make(found.subject)} if "name" in slots else {}
            shown |= {"window": found.slots["window"]} if "window" in slots else {}
            evidence = (*found.facts, *found.context)
            weighed = salience * _factor(view, of, found) + found.salience / _TIE
            yield Instance(shown, (), weighed, found.subject, found.sign, context=evidence)


def _factor(view: View, of: Form, found: Instance) -> float:
    """Return the factor of a level, or of a limit next to a clear result.

    A limit newly exceeded leads; another event does only if the value is clearly above.
    """
    if of in (*own_limits.worse, *own_limits.ended) and result.is_clear_result(view):
        value, limit = (float(fact.value) for fact in found.facts)
        return 1.0 if value >= alert_titles.BARELY * limit else alert_titles.MINOR
    return _ELEVATED if found.level == "elevated" else 1.0


_DERIVED: tuple[tuple[str, Topic, float, Form, tuple[str, ...]], ...] = (
    ("headline_var_exceeded", "result", 10.0, tail.var_exceeded,
        ("A day beyond the value at risk", "A loss beyond the value at risk")),
    ("headline_var_exceeded_far", "result", 10.0, tail.var_exceeded_far,
        ("A loss far beyond the value at risk",)),
    ("headline_own_limit", "limits", 9.0, own_limits.breached[0],
        ("The portfolio's limit on {name} was breached",)),
    ("headline_own_limit_of", "limits", 9.0, own_limits.breached[1],
        ("The portfolio's limit on {name} was breached",)),
    ("headline_own_limit_changed", "limits", 8.9, own_limits.changed[0],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_changed_of", "limits", 8.9, own_limits.changed[1],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_first", "limits", 8.9, own_limits.first[0],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_first_of", "limits", 8.9, own_limits.first[1],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_worse", "limits", 8.8, own_limits.worse[0],
        ("Farther above the portfolio's limit on {name}",)),
    ("headline_own_limit_worse_of", "limits", 8.8, own_limits.worse[1],
        ("Farther above the portfolio's limit on {name}",)),
    ("headline_prices_missing", "data", 6.8, data.prices_missing, ("Prices are missing",)),
    ("headline_prices_missing_of", "data", 6.8, data.prices_missing_of, ("Prices are missing",)),
    ("headline_largest_loss", "result", 6.5, comparison.extremes[-1],
        ("The largest loss of {window}",)),
    ("headline_largest_gain", "result", 6.5, comparison.extremes[1],
        ("The largest gain of {window}",)),
    ("headline_equity_negative", "data", 7.5, data.equity_negative, ("Equity is negative",)),
    ("headline_unusual_loss", "result", 4.0, result.unusual[-1], ("An unusually large loss",)),
    ("headline_unusual_gain", "result", 4.0, result.unusual[1], ("An unusually large gain",)),
    ("headline_var_too_low", "tail", 4.5, tail.var_too_low,
        (VAR_TOO_LOW,)),
    ("headline_own_limit_ended", "limits", 4.5, own_limits.ended[0],
        ("The portfolio is back within the limit on {name}",)),
    ("headline_own_limit_ended_of", "limits", 4.5, own_limits.ended[1],
        ("The portfolio is back within the limit on {name}",)),
    ("headline_limit_sold", "result", 3.2, limits.limit_sold, ("{name} was closed",)),
    ("headline_unchecked", "data", 4.2, data.weights_unknown,
        ("Computed in part: not all alerts were checked",)),
    ("headline_risk_undefined", "data", 4.0, data.risk_undefined, ("No risk figures",)),
    ("headline_risk_undefined_one", "data", 4.0, data.risk_undefined_one, ("No risk figures",)),
    ("headline_volatility_highest", "volatility", 2.0, volatility.extremes[1],
        ("Volatility is the highest on record in the past year",)),
    ("headline_volatility_lowest", "volatility", 1.2, volatility.extremes[-1],
        ("Volatility is the lowest on record in the past year",)),
    ("headline_dominates", "concentration", 1.75, concentration.position_dominates,
        ("{name} is most of the portfolio's risk",)),
    ("headline_exceeds", "concentration", 1.75, concentration.position_exceeds,
        ("{name} is most of the portfolio's risk",)),
    ("headline_risk_heavy", "concentration", 1.3, concentration.position_risk_heavy,
        ("{name} carries more risk than weight",)),
    ("headline_pair", "concentration", 1.5, concentration.pair_share,
        ("Two positions carry most of the risk",)),
    ("headline_explains_little", "factors", 1.0, factors.market_explains_little,
        ("The market explains little of the risk",)),
    ("headline_specific", "factors", 0.9, factors.risk_specific,
        ("Most of the risk is stock-specific",)),
    ("headline_shorts_add", "hedge", 1.3, hedge.shorts[1], ("The shorts contribute to the risk",)),
    ("headline_shorts_reduce", "hedge", 0.9, hedge.shorts[-1], ("The shorts hedge",)),
    ("headline_deepest", "stress", 3.0, stress.drawdown_deepest,
        ("The deepest drawdown of today's holdings, rebalanced daily",)),
    ("headline_fall_against", "result", 1.85, comparison.implied[-1][comparison.AGAINST],
        ("Up on a day when the market fell",)),
    ("headline_rise_against", "result", 1.95, comparison.implied[1][comparison.AGAINST],
        ("Down on a day when the market rose",)),
    ("headline_fall_in_line", "result", 1.7, comparison.implied[-1][0],
        ("Down with the market",)),
    ("headline_rise_in_line", "result", 1.7, comparison.implied[1][0],
        ("Up with the market",)),
    ("headline_losses_spread", "result", 1.52, contributors.spread[-1],
        ("A loss spread over several positions",)),
    ("headline_gains_spread", "result", 1.52, contributors.spread[1],
        ("A gain spread over several positions",)),
    ("headline_var_held", "result", 1.5, tail.var_held, ("A loss within the value at risk",)),
    ("headline_var_held_nearly", "result", 3.0, tail.var_held_nearly,
        ("A loss just within the value at risk",)),
    ("headline_not_split", "result", 1.3, result.not_split,
        ("Result not split by position",)),
    ("headline_modest_loss", "result", 1.45, tail.small_results[0], ("A modest loss",)),
    ("headline_modest_gain", "result", 1.45, tail.small_results[1], ("A modest gain",)),
    ("headline_loss", "result", 1.4, result.session_amounts[-1], ("Down on the day",)),
    ("headline_gain", "result", 1.4, result.session_amounts[1], ("Up on the day",)),
    ("headline_calm", "volatility", 0.9, volatility.volatility_calm,
        ("Volatility is low for the portfolio",)),
    ("headline_high", "volatility", 1.2, volatility.volatility_high,
        ("Volatility is high for the portfolio",)),
    ("headline_volatility", "volatility", 0.1, volatility.volatility_level,
        ("Volatility and forecast",)),
    ("headline_weights", "concentration", 0.1, concentration.largest_weight,
        ("Weights and risk of positions",)),
    ("headline_scenario", "stress", 0.2, stress.scenario_cost, ("What scenarios would cost",)),
    ("headline_drawdown", "stress", 0.05, stress.drawdown, ("The drawdown of today's holdings",)),
    ("headline_equity", "result", 0.2, result.equity, ("The portfolio in brief",)),
)  # fmt: skip
"""Id, topic, salience, statement, and phrasings."""

for _id, _topic, _salience, _of, _phrasings in _DERIVED:
    _headline(_id, _topic, _salience, *_phrasings, of=_of)


def _new_alert(form_id: str, of: Form, text: str) -> None:
    """Add the headline of the first of the alert levels that were reached in the session."""
    slots = "name: name, level: level" if "{name}" in text else "level: level"

    @form(form_id, of.topic, slots, text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for reach in limits.new_alerts(view)[:1]:
            for found in view.instances(of):
                if found.facts[0] is reach.facts[0]:
                    shown = {"level": level(found.level)}
                    shown |= {"name": name(found.subject)} if "name" in slots else {}
                    salience = alert_titles.title_salience(view, reach)
                    if limits.is_by_trade(view, reach):
                        salience /= _TIE
                    yield Instance(shown, (), salience, found.subject, found.sign,
                        context=(*found.facts, *found.context))  # fmt: skip


for _of_new, _text in (
    (limits.limit_position, "{name} reached the {level} level for a single position"),
    (limits.limit_position_share, "{name} reached the {level} level for a single position"),
    (limits.limit_sector, "{name} reached the {level} level for a sector"),
    (limits.limit_sector_of, "{name} reached the {level} level for a sector"),
    (limits.limit_beta, "Beta reached the {level} level"),
    (
        limits.limit_drawdown,
        "The drawdown of today's holdings, rebalanced daily, reached the {level} level",
    ),
    (limits.limit_leverage, "Gross exposure reached the {level} level"),
):
    _new_alert(f"headline_{_of_new.id}", _of_new, _text)


def _alerts(form_id: str, salience: float, of: Form, event: str, text: str) -> None:
    """Add the headline of alerts to which something happened, which names them."""

    @form(form_id, "result", "alerts: items", text, role="headline", is_event=True, states=of.id,
        entries=tuple(limits.SUBJECTS.values()))  # fmt: skip
    def evaluate(view: View) -> Iterator[Instance]:
        shown = limits.subjects(view, event)
        reaches = [each for each in reached_limits(view) if each.event == event]
        factor = max((alert_titles.title_factor(view, each) for each in reaches), default=0.0)
        for found in view.instances(of) if shown.value else ():
            weighed = salience * factor + found.salience / _TIE
            yield Instance({"alerts": shown}, (), weighed, sign=found.sign,
                context=(*found.facts, *found.context))  # fmt: skip


_alerts("headline_limits_back", 8.05, limits.limits_back, "back",
    "Back at an alert level: {alerts}")  # fmt: skip
_alerts("headline_limits_worse", 8.0, limits.limits_worse, "worse",
    "Farther beyond an alert level: {alerts}")  # fmt: skip
_alerts("headline_limits_known", 1.2, standing_alerts.limits_standing, "known",
    "At or beyond an alert level: {alerts}")  # fmt: skip


@form("headline_own_limit_others", "limits", "name: label",
    "Another position is above the portfolio's limit on {name}", role="headline",
    states=own_limits.own_limit_others.id)  # fmt: skip
def headline_own_limit_others(view: View) -> Iterator[Instance]:
    """Positions are beyond a limit on single ones next to the largest; it leads when it is new."""
    for found in view.instances(own_limits.own_limit_others):
        yield Instance({"name": found.slots["name"]}, (), 4.0, found.subject, found.sign,
            context=(*found.facts, *found.context), is_steady=True,
            remembered=found.remembered)  # fmt: skip


def _one(form_id: str, of: Form, holds: Callable[[View, Instance], bool], *phrasings: str) -> None:
    """Add the headline of a position that drove the result, if the market did not."""

    @form(form_id, "result", "name: name", *phrasings, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            impact = contributors.driver_impact(view, found)
            if impact is not None and holds(view, found):
                yield Instance(
                    {"name": name(found.subject)},
                    (),
                    2.5 + min(250 * impact, 3.5),
                    found.subject,
                    found.sign,
                    context=(*found.facts, *found.context),
                )


for _suffix, _loss, _gain in zip(("", "_offset", "_sole"), contributors.MAIN[-1],
        contributors.MAIN[1], strict=True):  # fmt: skip
    _one(f"headline_one_loss{_suffix}", _loss, contributors.made_most,
        "{name} drove the loss", "{name} made most of the loss")  # fmt: skip
    _one(f"headline_one_gain{_suffix}", _gain, contributors.made_most,
        "{name} drove the gain", "{name} made most of the gain")  # fmt: skip
    _one(f"headline_outweighed_gains{_suffix}", _loss, contributors.outweighs,
        "{name} outweighed the net gain of the other positions")  # fmt: skip
    _one(f"headline_outweighed_losses{_suffix}", _gain, contributors.outweighs,
        "{name} outweighed the net loss of the other positions")  # fmt: skip


def _add_leader_headline(form_id: str, of: Form, text: str) -> None:
    """Add the headline of the largest of several contributions: a quarter of its side or more."""

    @form(form_id, "result", "name: name", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            rate = view.number("daily_return")
            if contributors.leads_its_side(view, found) and (
                rate is None or abs(rate) >= tail.TRIVIAL
            ):
                context = (*found.facts, *found.context)
                yield Instance({"name": name(found.subject)}, (), 1.56, found.subject, found.sign,
                    context=context)  # fmt: skip


for _suffix, _loss, _gain in zip(("", "_main", "_offset"), contributors.LEADING[-1],
        contributors.LEADING[1], strict=True):  # fmt: skip
    _add_leader_headline(f"headline_led_loss{_suffix}", _loss, "{name} led the losses")
    _add_leader_headline(f"headline_led_gain{_suffix}", _gain, "{name} led the gains")


def _is_sharp(found: Instance) -> bool:
    now, change = (float(fact.value) for fact in found.facts[:2])
    return abs(change) >= _SHARP * (now - change)


def _day_that_left(view: View) -> bool:
    """Return whether a day that dropped out of the window explains the fall of the volatility."""
    return any(any(view.instances(each)) for each in volatility.left_window.values())


def _add_sharp_move(form_id: str, sign: int, salience: float, text: str) -> None:
    """Add the headline of a volatility that rose, or fell, by at least a fifth in a session.

    A fall that a day which dropped out of the window explains has the headline of that.
    """
    of = volatility.moves[sign]

    @form(form_id, "volatility", "", text, role="headline", is_event=True, states=of.id,
        further_proofs=[volatility.both_moved[sign].id])  # fmt: skip
    def evaluate(view: View) -> Iterator[Instance]:
        for found in () if _day_that_left(view) else view.instances(of):
            if _is_sharp(found):
                yield Instance({}, (), salience, sign=found.sign, context=found.facts)


_add_sharp_move("headline_volatility_rose", 1, 3.5, "Volatility rose sharply")
_add_sharp_move("headline_volatility_fell", -1, _FELL_SHARPLY, "Volatility fell sharply")


def _add_day_left(sign: int, form_id: str) -> None:
    """Add the headline of a day that left the window: of little weight next to a clear result."""
    of = volatility.left_window[sign]

    @form(form_id, "volatility", "", "Volatility fell because one day dropped out of the window",
        role="headline", connectives=tuple(of.connectives), is_event=True,
        states=of.id)  # fmt: skip
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            beside_result = _FELL_SHARPLY if _is_sharp(found) else 1.35
            salience = beside_result if result.is_clear_result(view) else 7.0
            yield Instance({}, (), salience, sign=found.sign,
                context=(*found.facts, *found.context))  # fmt: skip


_add_day_left(1, "headline_gain_left")
_add_day_left(-1, "headline_loss_left")


def _no_result(form_id: str, text: str, *, has_day_before: bool) -> None:
    """Add the headline of a session without a result, with or without one before."""

    @form(form_id, "result", "", text, role="headline")
    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of("total_value")
        if facts and view.fact("daily_pnl") is None and bool(view.sheet.before) == has_day_before:
            yield Instance({}, (), 1.0, context=facts)


_no_result("headline_no_result", "No result for the day", has_day_before=True)
_no_result("headline_first", "No result yet: no session before to compare with",
    has_day_before=False)  # fmt: skip


def _add_plain_headline(form_id: str, topic: Topic, kind: str, least: float, text: str) -> None:
    """Add a headline about a topic, true if a figure exists and is at least so large."""

    @form(form_id, topic, "", text, role="headline")
    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of(kind)
        if facts and float(facts[0].value) >= least:
            yield Instance({}, (), 0.1, context=facts)


@form("headline_answer", "result", "", "From the stored facts", role="headline", is_answer=True)
def headline_answer(view: View) -> Iterator[Instance]:
    """Something is held: the title of an answer that no other headline states."""
    facts = view.facts_of("total_value")
    if facts:
        yield Instance({}, (), 0.01, context=facts)


_add_plain_headline("headline_beta", "factors", "beta", float("-inf"), "Sensitivity to the market")
_add_plain_headline(
    "headline_exposure", "hedge", "num_short_positions", 1, "Exposure of longs and shorts"
)
_add_plain_headline(
    "headline_liquidity", "liquidity", "days_to_liquidate", 0, "Liquidity of the portfolio"
)
_add_plain_headline(
    "headline_active", "active", "tracking_error", 0, "Risk against the market index"
)
_add_plain_headline(
    "headline_factors", "factors", "specific_share", float("-inf"), "Tilts to factors"
)
_add_plain_headline(
    "headline_rates", "factors", "rate_beta", float("-inf"), "Sensitivity to interest rates"
)
_add_plain_headline("headline_correlation", "concentration", "average_correlation", -1,
    "Correlations of the holdings")  # fmt: skip
_add_plain_headline(
    "headline_drawdown_level", "stress", "drawdown", 0, "The drawdown of today's holdings"
)
