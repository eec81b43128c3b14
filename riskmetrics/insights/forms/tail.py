"""Value at risk: whether the session's loss was beyond it, and whether it holds in the test."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Form, Instance, View, form
from riskmetrics.insights.form_shapes import compared, single
from riskmetrics.insights.slots import Slot, count, size

REJECTED, _WEAK = 0.01, 0.05
"""p-values below which a test rejects the value at risk, and below which it is worth a sentence."""

_NOTABLE_LOSS = 0.5
"""Share of the value at risk from which a loss within it is worth a sentence."""

_KINDS, _SLOTS = ("daily_return", "previous_var_95"), ("loss", "var")

var_exceeded = form(
    "var_exceeded",
    "result",
    "loss: percent, var: percent",
    "The loss of {loss} exceeded the prior day's value at risk of {var}, a level meant to be"
    " exceeded on one day in twenty.",
    "At {loss}, the loss went beyond the prior day's value at risk of {var}, which should hold on"
    " nineteen days of twenty.",
    place=1,
    is_event=True,
)(
    compared(
        _KINDS, _SLOTS, lambda loss, var: loss > var > 0, lambda loss, var: 4.0 + loss / var,
        signs=(-1, 1), sign=-1, level="warning",
    )
)  # fmt: skip

var_held = form(
    "var_held",
    "result",
    "loss: percent, var: percent",
    "The loss of {loss} stayed within the prior day's value at risk of {var}.",
    place=1,
)(
    compared(
        _KINDS, _SLOTS, lambda loss, var: 0 < _NOTABLE_LOSS * var <= loss <= var,
        lambda *_: 1.2, signs=(-1, 1), sign=1,
    )
)  # fmt: skip

form(
    "shortfall",
    "stress",
    "shortfall: percent",
    "On the worst one in twenty past days, today's holdings would have lost {shortfall} on"
    " average.",
)(single("shortfall_95", "shortfall", size, lambda loss: loss > 0, 0.45))


def _tested(
    form_id: str,
    sign: int,
    low: float,
    high: float,
    salience: float,
    level: str,
    *phrasings: str,
    place: int = 5,
) -> Form:
    """Add the form of too many, or few, exceptions with a p-value from ``low`` to ``high``."""

    def evaluate(view: View) -> Iterator[Instance]:
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

    slots = "count: count, exceptions: count, expected: count"
    return form(form_id, "tail", slots, *phrasings, place=place)(evaluate)


var_too_low = _tested(
    "var_too_low", 1, 0.0, REJECTED, 1.6, "warning",
    "The value at risk has been too low: losses exceeded the figure on {exceptions} of {count}"
    " days, where about {expected} are expected.",
    "Losses exceeded the value at risk on {exceptions} of {count} days, where about {expected} are"
    " expected: the figure has been too low.",
    place=0,
)  # fmt: skip
_tested(
    "var_too_high", -1, 0.0, REJECTED, 1.5, "elevated",
    "The value at risk has been too high: losses exceeded the figure on {exceptions} of {count}"
    " days, where about {expected} are expected.",
)  # fmt: skip
_tested(
    "var_often_exceeded", 1, REJECTED, _WEAK, 1.4, "info",
    "Losses exceeded the value at risk on {exceptions} of {count} days, where about {expected} are"
    " expected.",
)  # fmt: skip
