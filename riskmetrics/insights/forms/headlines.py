"""Headlines: what matters most in a session, each with a precondition of its own.

A headline is true because a statement is, whose evidence it shares; it shows no figure that the
statement shows.
"""

from collections.abc import Iterator

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.insights.claims import Form, Instance, Topic, View, form
from riskmetrics.insights.forms import (
    comparison,
    concentration,
    data,
    hedge,
    limits,
    result,
    stress,
    tail,
    volatility,
)
from riskmetrics.insights.limits import reached_limits
from riskmetrics.insights.slots import name

_ELEVATED = 0.55
"""Factor of the salience of a headline about a limit of the lowest level."""

_QUIET = 0.25
"""Share of the value at risk up to which a result is quiet."""


def _headline(form_id: str, topic: Topic, salience: float, *phrasings: str, of: Form) -> None:
    """Add the headline of a statement: true for the same subject whenever the statement is."""
    slots = "name: name" if "{name}" in phrasings[0] else ""

    @form(
        form_id,
        topic,
        slots,
        *phrasings,
        role="headline",
        connectives=tuple(of.connectives),
        is_event=of.is_event,
        states=of.id,
    )
    def evaluate(view: View) -> Iterator[Instance]:
        for found in of.evaluate(view):
            shown = {"name": name(found.subject)} if slots else {}
            evidence = (*found.facts, *found.context)
            weighed = salience * (_ELEVATED if found.level == "elevated" else 1)
            yield Instance(shown, (), weighed, found.subject, found.sign, context=evidence)


_DERIVED: tuple[tuple[str, Topic, float, Form, tuple[str, ...]], ...] = (
    ("headline_var_exceeded", "result", 10.0, tail.var_exceeded,
        ("A day beyond the value at risk", "A loss beyond the value at risk")),
    ("headline_limit_position", "concentration", 8.5, limits.limit_position,
        ("{name} passed the limit for a single position",)),
    ("headline_limit_sector", "sectors", 8.4, limits.limit_sector,
        ("{name} passed the limit for a sector",)),
    ("headline_limit_beta", "factors", 8.3, limits.limit_beta, ("Beta passed the limit",)),
    ("headline_limit_drawdown", "stress", 8.2, limits.limit_drawdown,
        ("The drawdown passed the limit",)),
    ("headline_limit_leverage", "hedge", 8.1, limits.limit_leverage,
        ("Gross exposure passed the limit",)),
    ("headline_gain_left", "volatility", 7.0, volatility.gain_left_window,
        ("Volatility fell because one day left the window",)),
    ("headline_loss_left", "volatility", 7.0, volatility.loss_left_window,
        ("Volatility fell because one day left the window",)),
    ("headline_prices_missing", "data", 6.8, data.prices_missing, ("Prices are missing",)),
    ("headline_largest_loss", "result", 6.5, comparison.largest_loss,
        ("The largest loss of the past year",)),
    ("headline_largest_gain", "result", 6.5, comparison.largest_gain,
        ("The largest gain of the past year",)),
    ("headline_var_too_low", "tail", 5.2, tail.var_too_low,
        (VAR_TOO_LOW,)),
    ("headline_risk_undefined", "data", 4.0, data.risk_undefined,
        ("No figure of risk is defined",)),
    ("headline_volatility_rose", "volatility", 3.5, volatility.volatility_rose,
        ("Volatility rose clearly",)),
    ("headline_volatility_fell", "volatility", 3.4, volatility.volatility_fell,
        ("Volatility fell clearly",)),
    ("headline_dominates", "concentration", 3.3, concentration.position_dominates,
        ("{name} is most of the portfolio's risk",)),
    ("headline_risk_heavy", "concentration", 2.0, concentration.position_risk_heavy,
        ("{name} carries more risk than weight",)),
    ("headline_shorts_add", "hedge", 2.0, hedge.shorts_add, ("The shorts do not hedge",)),
    ("headline_shorts_reduce", "hedge", 0.9, hedge.shorts_reduce, ("The shorts hedge",)),
    ("headline_deepest", "stress", 3.0, stress.drawdown_deepest,
        ("The deepest drawdown of the past year",)),
    ("headline_loss_held", "result", 1.6, tail.var_held, ("A loss within the value at risk",)),
    ("headline_loss", "result", 1.4, result.session_loss_amount, ("A loss in the session",)),
    ("headline_gain", "result", 1.4, result.session_gain_amount, ("A gain in the session",)),
    ("headline_calm", "volatility", 0.9, volatility.volatility_calm, ("Volatility is low",)),
    ("headline_high", "volatility", 1.2, volatility.volatility_high, ("Volatility is high",)),
    ("headline_volatility", "volatility", 0.1, volatility.volatility_level,
        ("Volatility and forecast",)),
    ("headline_weights", "concentration", 0.1, concentration.largest_weight,
        ("Weights and risk of positions",)),
    ("headline_scenario", "stress", 0.1, stress.scenario_cost, ("What scenarios would cost",)),
    ("headline_drawdown", "stress", 0.05, stress.drawdown, ("The drawdown",)),
    ("headline_equity", "result", 0.2, result.equity, ("The state of the portfolio",)),
)  # fmt: skip
"""Id, topic, salience, statement, and phrasings."""

for _id, _topic, _salience, _of, _phrasings in _DERIVED:
    _headline(_id, _topic, _salience, *_phrasings, of=_of)


@form(
    "headline_one_loss",
    "result",
    "name: name",
    "{name} made most of the loss",
    role="headline",
)
def headline_one_loss(view: View) -> Iterator[Instance]:
    """One position explains the loss of the session."""
    yield from _one(view, result.position_loss)


@form(
    "headline_one_gain",
    "result",
    "name: name",
    "{name} made most of the gain",
    role="headline",
)
def headline_one_gain(view: View) -> Iterator[Instance]:
    """One position explains the gain of the session."""
    yield from _one(view, result.position_gain)


def _one(view: View, of: Form) -> Iterator[Instance]:
    for found in of.evaluate(view):
        if found.supports:
            evidence, share = (*found.facts, *found.context), found.slots["share"].value
            impact = abs(view.number("daily_return") or 0.0) * float(str(share))
            yield Instance(
                {"name": name(found.subject)},
                (),
                2.5 + min(250 * impact, 3.5),
                found.subject,
                found.sign,
                context=evidence,
            )


@form("headline_quiet", "result", "", "A quiet day", role="headline")
def headline_quiet(view: View) -> Iterator[Instance]:
    """The result is small for the value at risk; volatility did not move, and no limit is new."""
    facts = view.facts_of("daily_return", "previous_var_95")
    if facts:
        rate, var = (abs(float(fact.value)) for fact in facts)
        is_new = any(reach.is_new for reach in reached_limits(view))
        moved = any(volatility.volatility_rose.evaluate(view)) or any(
            volatility.volatility_fell.evaluate(view)
        )
        if rate <= _QUIET * var and not is_new and not moved:
            yield Instance({}, (), 5.0, context=facts)


@form("headline_beta", "factors", "", "Sensitivity to the market", role="headline")
def headline_beta(view: View) -> Iterator[Instance]:
    """A beta exists."""
    facts = view.facts_of("beta")
    if facts:
        yield Instance({}, (), 0.1, context=facts)


@form("headline_exposure", "hedge", "", "Exposure of longs and shorts", role="headline")
def headline_exposure(view: View) -> Iterator[Instance]:
    """Shorts are held."""
    facts = view.facts_of("num_short_positions")
    if facts and float(facts[0].value) > 0:
        yield Instance({}, (), 0.1, context=facts)
