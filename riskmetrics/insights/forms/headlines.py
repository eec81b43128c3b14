"""Headlines: what matters most in a session, each with a precondition of its own.

A headline is true because a statement is, whose evidence it shares and which a note states with it.
It shows no figure of the statement but a count of sessions.
"""

from collections.abc import Iterator

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.forms import (
    comparison,
    concentration,
    data,
    factors,
    hedge,
    limits,
    own_limits,
    result,
    stress,
    tail,
    volatility,
)
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import label, name

_TITLE = 0.2
"""Salience up to which a headline only names a topic, and no sentence has to prove it."""

_TIE = 100
"""Divisor of a statement's salience, which decides among subjects of a headline."""

_LEADING = 0.25
"""Share of its side from which the largest contribution led the day."""

_SHARP = 0.2
"""Relative move of the volatility in a session that is sharp."""

_ELEVATED, _MINOR, _BESIDE = 0.3, 0.15, 0.4
"""Factors of the salience of a headline about an alert: of the lowest level, next to a clear result
if it is also that or about a position with little of the risk, and next to a result as large as the
value at risk.
"""

_LITTLE_RISK = 0.15
"""Share of the volatility below which a position does not lead a day with a clear result."""


_ALSO = {
    "session_loss_amount": ("session_loss", "small_loss", *(each.id for each in tail.LOSSES)),
    "session_gain_amount": ("session_gain", "small_gain"),
}
"""Statement to others that say as much and more."""


def _headline(form_id: str, topic: Topic, salience: float, *phrasings: str, of: Form) -> None:
    """Add the headline of a statement: true for the same subject whenever the statement is."""
    kind, make = ("label", label) if topic == "limits" else ("name", name)
    slots = f"name: {kind}" if "{name}" in phrasings[0] else ""
    slots = "count: count" if "{count}" in phrasings[0] else slots

    @form(
        form_id,
        topic,
        slots,
        *phrasings,
        role="headline",
        connectives=tuple(of.connectives),
        is_event=of.is_event,
        states=of.id if salience > _TITLE else "",
        also=_ALSO.get(of.id, ()),
    )
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            shown = {"name": make(found.subject)} if "name" in slots else {}
            shown |= {"count": found.slots["count"]} if "count" in slots else {}
            evidence = (*found.facts, *found.context)
            is_alert = of in limits.REACHED
            factor = _alert_factor(view, found) if is_alert else _factor(found)
            weighed = salience * factor + found.salience / _TIE
            yield Instance(shown, (), weighed, found.subject, found.sign, context=evidence)


def _factor(found: Instance) -> float:
    """Return the factor of a level."""
    return _ELEVATED if found.level == "elevated" else 1.0


def _alert_factor(view: View, found: Instance) -> float:
    """Return how much an alert matters next to the day's result; a critical one leads."""
    rate, var = view.number("daily_return"), view.number("previous_var_95")
    if rate is None or var is None or found.level == "critical":
        return _factor(found)
    share = float(found.facts[1].value) if "share" in found.slots else 1.0
    is_minor = found.level == "elevated" or share < _LITTLE_RISK
    if is_minor and abs(rate) >= tail.SMALL * var:
        return _MINOR
    return _BESIDE if abs(rate) > var else _factor(found)


_DERIVED: tuple[tuple[str, Topic, float, Form, tuple[str, ...]], ...] = (
    ("headline_var_exceeded", "result", 10.0, tail.var_exceeded,
        ("A day beyond the value at risk", "A loss beyond the value at risk")),
    ("headline_var_exceeded_far", "result", 10.0, tail.var_exceeded_far,
        ("A loss far beyond the value at risk",)),
    ("headline_var_held_historical", "result", 4.6, tail.var_held_historical,
        ("A loss beyond the historical value at risk",)),
    ("headline_own_limit", "limits", 9.0, own_limits.breached[0],
        ("The portfolio's limit on {name} was breached",)),
    ("headline_own_limit_of", "limits", 9.0, own_limits.breached[1],
        ("The portfolio's limit on {name} was breached",)),
    ("headline_limit_position", "concentration", 8.5, limits.limit_position,
        ("{name} reached the alert level for a single position",)),
    ("headline_limit_position_share", "concentration", 8.5, limits.limit_position_share,
        ("{name} reached the alert level for a single position",)),
    ("headline_limit_sector", "sectors", 8.4, limits.limit_sector,
        ("{name} reached the alert level for a sector",)),
    ("headline_limit_beta", "factors", 8.3, limits.limit_beta, ("Beta reached the alert level",)),
    ("headline_limit_drawdown", "stress", 8.2, limits.limit_drawdown,
        ("The drawdown of today's holdings reached the alert level",)),
    ("headline_limit_leverage", "hedge", 8.1, limits.limit_leverage,
        ("Gross exposure reached the alert level",)),
    ("headline_limits_back", "result", 8.05, limits.limits_back, ("Back at an alert level",)),
    ("headline_limits_worse", "result", 8.0, limits.limits_worse,
        ("Farther beyond an alert level",)),
    ("headline_own_limit_changed", "limits", 8.9, own_limits.changed[0],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_changed_of", "limits", 8.9, own_limits.changed[1],
        ("The portfolio's limit on {name} is exceeded",)),
    ("headline_own_limit_worse", "limits", 8.8, own_limits.worse[0],
        ("Farther above the portfolio's limit on {name}",)),
    ("headline_own_limit_worse_of", "limits", 8.8, own_limits.worse[1],
        ("Farther above the portfolio's limit on {name}",)),
    ("headline_gain_left", "volatility", 7.0, volatility.left_window[1],
        ("Volatility fell because one day dropped out of the window",)),
    ("headline_loss_left", "volatility", 7.0, volatility.left_window[-1],
        ("Volatility fell because one day dropped out of the window",)),
    ("headline_prices_missing", "data", 6.8, data.prices_missing, ("Prices are missing",)),
    ("headline_largest_loss", "result", 6.5, comparison.extremes[-1],
        ("The largest loss of {count} sessions",)),
    ("headline_largest_gain", "result", 6.5, comparison.extremes[1],
        ("The largest gain of {count} sessions",)),
    ("headline_equity_negative", "data", 7.5, data.equity_negative, ("Equity is negative",)),
    ("headline_unusual_loss", "result", 4.0, result.unusual[-1], ("An unusually large loss",)),
    ("headline_unusual_gain", "result", 4.0, result.unusual[1], ("An unusually large gain",)),
    ("headline_var_too_low", "tail", 4.5, tail.var_too_low,
        (VAR_TOO_LOW,)),
    ("headline_own_limit_ended", "limits", 4.5, own_limits.ended[0],
        ("The portfolio is back within the limit on {name}",)),
    ("headline_own_limit_ended_of", "limits", 4.5, own_limits.ended[1],
        ("The portfolio is back within the limit on {name}",)),
    ("headline_unchecked", "data", 4.2, data.weights_unknown,
        ("Computed in part: not all alerts were checked",)),
    ("headline_risk_undefined", "data", 4.0, data.risk_undefined, ("No risk figures",)),
    ("headline_risk_undefined_one", "data", 4.0, data.risk_undefined_one, ("No risk figures",)),
    ("headline_volatility_highest", "volatility", 2.0, volatility.extremes[1],
        ("Volatility is the highest in up to a year",)),
    ("headline_volatility_lowest", "volatility", 1.2, volatility.extremes[-1],
        ("Volatility is the lowest in up to a year",)),
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
    ("headline_shorts_add", "hedge", 1.3, hedge.shorts[1], ("The shorts do not hedge",)),
    ("headline_shorts_reduce", "hedge", 0.9, hedge.shorts[-1], ("The shorts hedge",)),
    ("headline_deepest", "stress", 3.0, stress.drawdown_deepest,
        ("The deepest drawdown of today's holdings",)),
    ("headline_fall_against", "result", 1.85, comparison.implied[-1][comparison.AGAINST],
        ("Up on a day when the market fell",)),
    ("headline_rise_against", "result", 1.95, comparison.implied[1][comparison.AGAINST],
        ("Down on a day when the market rose",)),
    ("headline_fall_in_line", "result", 1.7, comparison.implied[-1][0],
        ("A loss in line with the market", "Down with the market")),
    ("headline_rise_in_line", "result", 1.7, comparison.implied[1][0],
        ("A gain in line with the market", "Up with the market")),
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


def _one(form_id: str, of: Form, *phrasings: str) -> None:
    """Add the headline of a position that made most of the result, if the market did not."""

    @form(form_id, "result", "name: name", *phrasings, role="headline", states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            impact = result.driver_impact(view, found)
            if impact is not None:
                yield Instance(
                    {"name": name(found.subject)},
                    (),
                    2.5 + min(250 * impact, 3.5),
                    found.subject,
                    found.sign,
                    context=(*found.facts, *found.context),
                )


for _suffix, _of_one in (("", result.main_positions), ("_offset", result.offset_positions)):
    _one(f"headline_one_loss{_suffix}", _of_one[-1],
        "{name} drove the loss", "{name} made most of the loss")  # fmt: skip
    _one(f"headline_one_gain{_suffix}", _of_one[1],
        "{name} drove the gain", "{name} made most of the gain")  # fmt: skip


def _led(form_id: str, of: Form, text: str) -> None:
    """Add the headline of the largest of several contributions: a quarter to half of its side."""

    @form(form_id, "result", "name: name", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            rate = view.number("daily_return")
            is_led = abs(float(found.facts[0].value) / float(found.context[0].value)) >= _LEADING
            if is_led and (rate is None or abs(rate) >= tail.TRIVIAL):
                context = (*found.facts, *found.context)
                yield Instance({"name": name(found.subject)}, (), 1.52, found.subject, found.sign,
                    context=context)  # fmt: skip


_led("headline_led_loss", result.largest[-1], "{name} led the losses")
_led("headline_led_gain", result.largest[1], "{name} led the gains")


def _sharp(form_id: str, sign: int, salience: float, text: str) -> None:
    """Add the headline of a volatility that rose, or fell, by at least a fifth in a session."""
    of = volatility.moves[sign]

    @form(form_id, "volatility", "", text, role="headline", is_event=True, states=of.id)
    def evaluate(view: View) -> Iterator[Instance]:
        for found in view.instances(of):
            now, change = (float(fact.value) for fact in found.facts)
            if abs(change) >= _SHARP * (now - change):
                yield Instance({}, (), salience, sign=found.sign, context=found.facts)


_sharp("headline_volatility_rose", 1, 3.5, "Volatility rose sharply")
_sharp("headline_volatility_fell", -1, 3.4, "Volatility fell sharply")


@form("headline_no_result", "result", "", "Levels only: no result for the day", role="headline")
def headline_no_result(view: View) -> Iterator[Instance]:
    """There is no result of the session."""
    facts = view.facts_of("total_value")
    if facts and view.fact("daily_pnl") is None:
        yield Instance({}, (), 1.0, context=facts)


def _plain(form_id: str, topic: Topic, kind: str, least: float, text: str) -> None:
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


_plain("headline_beta", "factors", "beta", float("-inf"), "Sensitivity to the market")
_plain("headline_exposure", "hedge", "num_short_positions", 1, "Exposure of longs and shorts")
_plain("headline_liquidity", "liquidity", "days_to_liquidate", 0, "Liquidity of the portfolio")
_plain("headline_active", "active", "tracking_error", 0, "Risk against the market index")
_plain("headline_factors", "factors", "specific_share", float("-inf"), "Tilts to factors")
_plain("headline_rates", "factors", "rate_beta", float("-inf"), "Sensitivity to interest rates")
_plain("headline_correlation", "concentration", "average_correlation", -1,
    "Correlations of the holdings")  # fmt: skip
_plain("headline_drawdown_level", "stress", "drawdown", 0, "The drawdown of today's holdings")
