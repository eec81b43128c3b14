"""Value at risk: whether the session's loss was beyond it, and whether it holds in the test.

A session is judged by the value at risk that tables lead with, which is filtered; the test is that
of the historical one, and says so.
"""

from collections.abc import Callable, Iterator

from riskmetrics.insights.claims import Form, Instance, View, form
from riskmetrics.insights.form_shapes import compared, mirrored, single
from riskmetrics.insights.forms.data import is_without_risk
from riskmetrics.insights.slots import Slot, apart, count, money, size

REJECTED, _WEAK = 0.01, 0.05
"""p-values below which a test rejects the value at risk, and below which it is worth a sentence."""

_CLEAR_MOVE = 0.1
"""Relative move of the value at risk in a session that is worth a sentence."""

_MATERIAL = 0.005
"""Loss over equity from which one beyond the value at risk is a warning."""

SMALL = 0.25
"""Share of the value at risk below which a result is small."""


def _against_var(
    form_id: str,
    sign: int,
    holds: Callable[[float, float], bool],
    salience: float,
    level: str,
    *phrasings: str,
) -> Form:
    """Add the form of a loss (-1), or gain, by its size and the prior day's value at risk."""

    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of("daily_pnl", "daily_return", "previous_var_95")
        if facts is None:
            return
        pnl, rate, var = (float(fact.value) for fact in facts)
        if sign * pnl > 0 and sign * rate > 0 and holds(abs(rate), var):
            shown = apart("percent", abs(rate), var)
            if abs(rate) < SMALL * var:
                shown = size(rate), size(var)
            slots = {"amount": money(pnl, view.currency), "rate": shown[0], "var": shown[1]}
            weight = salience + abs(rate) / var if var < abs(rate) else salience + 20 * abs(rate)
            shown_level = "elevated" if level == "warning" and abs(rate) < _MATERIAL else level
            yield Instance(slots, facts, weight, sign=sign, level=shown_level)

    slots = "amount: money, rate: percent, var: percent"
    return form(form_id, "result", slots, *phrasings, place=0, is_event=True)(evaluate)


var_exceeded = _against_var(
    "var_exceeded", -1, lambda loss, var: loss > var > 0, 4.0, "warning",
    "The portfolio lost {amount} ({rate}), more than the prior day's filtered value at risk of"
    " {var}, which should hold on nineteen days of twenty.",
    "The portfolio lost {amount} ({rate}), beyond the prior day's filtered value at risk of"
    " {var}, a level meant to be exceeded on one day in twenty.",
)  # fmt: skip

var_held = _against_var(
    "var_held", -1, lambda loss, var: SMALL * var <= loss <= var, 2.1, "info",
    "The portfolio lost {amount} ({rate}), within the prior day's filtered value at risk of {var}.",
)  # fmt: skip

small_results = [
    _against_var(
        form_id, sign, lambda rate, var: rate < SMALL * var, 2.1, "info",
        f"The portfolio {went} {{amount}} ({{rate}}), less than a quarter of the prior day's"
        " filtered value at risk of {var}.",
    )
    for form_id, sign, went in (("small_loss", -1, "lost"), ("small_gain", 1, "gained"))
]  # fmt: skip

form(
    "shortfall",
    "stress",
    "shortfall: percent",
    "On the worst one in twenty days, at today's volatility, the holdings would lose {shortfall} on"
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
        if facts is None or is_without_risk(view):
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
    "The historical value at risk, which takes no account of today's volatility, has been too low:"
    " {exceptions} larger losses in {count} days, where about {expected} are expected.",
    place=0,
)  # fmt: skip
_tested(
    "var_too_high", -1, 0.0, REJECTED, 1.5, "elevated",
    "The historical value at risk, which takes no account of today's volatility, has been too high:"
    " {exceptions} larger losses in {count} days, where about {expected} are expected.",
)  # fmt: skip
_tested(
    "var_often_exceeded", 1, REJECTED, _WEAK, 1.4, "info",
    "Losses exceeded the historical value at risk, which takes no account of today's volatility, on"
    " {exceptions} of {count} days, where about {expected} are expected.",
)  # fmt: skip


@form(
    "var_not_rejected",
    "tail",
    "exceptions: count, count: count, expected: count",
    "The test of the historical value at risk no longer fails: {exceptions} larger losses in"
    " {count} days, where about {expected} are expected.",
    is_event=True,
)
def var_not_rejected(view: View) -> Iterator[Instance]:
    """The test of the historical value at risk failed the session before, and does not."""
    facts = view.facts_of("var_exceptions", "var_tested", "var_expected", "var_p_value")
    before = view.facts_of("previous_var_p_value")
    if facts and before and not is_without_risk(view):
        found, tested, expected, p_value = (float(fact.value) for fact in facts)
        if float(before[0].value) < REJECTED <= p_value:
            slots = {
                "exceptions": count(found),
                "count": count(tested),
                "expected": Slot("count", round(expected)),
            }
            yield Instance(slots, facts[:3], 1.5, sign=1, context=(*facts[3:], *before))


def _moved(view: View, sign: int) -> Iterator[Instance]:
    """Yield a value at risk that is clearly above, or below, that of the day before."""
    yield from compared(
        ("previous_var_95", "var_95"), ("before", "now"),
        lambda before, now: before > 0 and sign * (now - before) >= _CLEAR_MOVE * before,
        lambda before, now: 0.8 + min(abs(now / before - 1), 1) / 2, sign=-sign,
    )(view)  # fmt: skip


mirrored("tail", "before: percent, now: percent", _moved, {
    -1: ("var_fell", "The one-day value at risk fell from {before} to {now} on the day."),
    1: ("var_rose", "The one-day value at risk rose from {before} to {now} on the day."),
}, is_event=True)  # fmt: skip
