"""Value at risk: whether the session's loss was beyond it, and whether it holds in the test."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import Slot, apart, count

REJECTED, _WEAK = 0.01, 0.05
"""p-values below which a test rejects the value at risk, and below which it is worth a sentence."""

_NOTABLE_LOSS = 0.5
"""Share of the value at risk from which a loss within it is worth a sentence."""


@form(
    "var_exceeded",
    "result",
    "loss: percent, var: percent",
    "The loss of {loss} is beyond the one-day value at risk of the session before, {var}, which one"
    " session in twenty should exceed.",
    "The loss of {loss} exceeds the one-day value at risk of the session before, {var}, which is"
    " meant to hold in nineteen sessions of twenty.",
    place=1,
    is_event=True,
)
def var_exceeded(view: View) -> Iterator[Instance]:
    """The loss is larger than the value at risk at 95% of the session before."""
    facts = view.facts_of("daily_return", "previous_var_95")
    if facts:
        loss, var = -float(facts[0].value), float(facts[1].value)
        if loss > var > 0:
            shown = apart("percent", loss, var)
            yield Instance(
                dict(zip(("loss", "var"), shown, strict=True)),
                facts,
                4.0 + loss / var,
                sign=-1,
                level="warning",
            )


@form(
    "var_held",
    "result",
    "loss: percent, var: percent",
    "The loss of {loss} is within the one-day value at risk of the session before, {var}.",
    place=1,
)
def var_held(view: View) -> Iterator[Instance]:
    """The loss is at least half of the value at risk at 95%, and not beyond it."""
    facts = view.facts_of("daily_return", "previous_var_95")
    if facts:
        loss, var = -float(facts[0].value), float(facts[1].value)
        if 0 < _NOTABLE_LOSS * var <= loss <= var:
            shown = apart("percent", loss, var)
            yield Instance(dict(zip(("loss", "var"), shown, strict=True)), facts, 1.2, sign=1)


@form(
    "var_too_low",
    "tail",
    "count: count, exceptions: count, expected: count",
    "In {count} sessions {exceptions} losses went beyond the value at risk, where about {expected}"
    " are expected: the value at risk has been too low for the portfolio.",
    "The value at risk has been too low for the portfolio: {exceptions} losses in {count} sessions"
    " went beyond the figure, where about {expected} are expected.",
    place=0,
)
def var_too_low(view: View) -> Iterator[Instance]:
    """The test at 95% rejects, with too many exceptions."""
    yield from _tested(view, 1, 0.0, REJECTED, 1.6, "warning")


@form(
    "var_too_high",
    "tail",
    "count: count, exceptions: count, expected: count",
    "In {count} sessions {exceptions} losses went beyond the value at risk, where about {expected}"
    " are expected: the value at risk has been too high for the portfolio.",
)
def var_too_high(view: View) -> Iterator[Instance]:
    """The test at 95% rejects, with too few exceptions."""
    yield from _tested(view, -1, 0.0, REJECTED, 1.5, "elevated")


@form(
    "var_often_exceeded",
    "tail",
    "count: count, exceptions: count, expected: count",
    "In {count} sessions {exceptions} losses went beyond the value at risk, where about {expected}"
    " are expected.",
)
def var_often_exceeded(view: View) -> Iterator[Instance]:
    """Exceptions are many, without a verdict of the test."""
    yield from _tested(view, 1, REJECTED, _WEAK, 1.4, "info")


def _tested(
    view: View, sign: int, low: float, high: float, salience: float, level: str
) -> Iterator[Instance]:
    facts = view.facts_of("var_exceptions", "var_expected", "var_tested", "var_p_value")
    if facts is None:
        return
    found, expected, tested, p_value = (float(fact.value) for fact in facts)
    if low <= p_value < high and sign * (found - round(expected)) > 0:
        slots = {
            "count": count(tested),
            "exceptions": count(found),
            "expected": Slot("count", round(expected)),
        }
        yield Instance(slots, facts[:3], salience, sign=-1, level=level, context=facts[3:])
