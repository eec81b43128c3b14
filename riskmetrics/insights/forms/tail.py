"""Value at risk: whether the session's loss was beyond it, and whether it holds in the test.

A session is judged by the value at risk that tables lead with, which is filtered; the test is that
of the historical one, and says so.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.form_shapes import compared_figures, mirrored_forms, single_figure
from riskmetrics.insights.forms import volatility
from riskmetrics.insights.forms.data import is_without_risk
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.severity import REJECTED
from riskmetrics.insights.slots import (
    Slot,
    count,
    distinct_slots,
    larger_losses,
    money,
    number,
    return_size,
    size,
)

_WEAK = 0.05
"""p-value of the test of the value at risk below which it is worth a sentence."""

_CLEAR_MOVE = 0.1
"""Relative move of the value at risk in a session that is worth a sentence."""

_MATERIAL = 0.005
"""Loss over equity from which one beyond the value at risk is a warning."""

SMALL, TRIVIAL = 0.25, 0.0005
"""Share of the value at risk, and return, below which a result is small."""

_OTHER = 0.4
"""Salience of what another sentence says better."""

_TOLD_LATER = 0.6
"""Salience of a test that passes again on a day with a loss beyond the value at risk."""

_NEARLY, _FAR = 0.9, 2.0
"""Multiples of the value at risk from which a loss is just within it, and far beyond it."""


def _against_var(
    form_id: str,
    outcome: str,
    salience: float,
    level: str,
    *phrasings: str,
    slots: Sequence[str] = ("amount", "rate", "var"),
    sign: int = -1,
) -> Form:
    """Add the form of a loss (-1), or gain, by its `_outcome`.

    The historical value at risk is evidence of what is beyond or within the filtered one.
    """

    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of("daily_pnl", "daily_return", "previous_var_95")
        if facts is None:
            return
        pnl, rate, var = (float(fact.value) for fact in facts)
        if sign * pnl <= 0 or sign * rate <= 0 or _outcome(rate, var) != outcome:
            return
        context = view.facts_of("previous_var_95_historical") or ()
        shown = distinct_slots("percent", abs(rate), var, has_decimal=True)
        if outcome == "small":
            context, facts, shown = facts[2:], facts[:2], (return_size(rate),)
        figures = dict(zip(("rate", "var"), shown, strict=False))
        figures |= {"amount": money(pnl, view.currency)}
        figures |= {"multiple": number(abs(rate) / var, 1)} if var else {}
        weight = salience + abs(rate) / var if 0 < var < abs(rate) else salience + 20 * abs(rate)
        shown_level = "elevated" if level == "warning" and abs(rate) < _MATERIAL else level
        yield Instance({each: figures[each] for each in slots}, facts, weight, sign=sign,
            level=shown_level, context=context)  # fmt: skip

    kinds = {"amount": "money", "multiple": "number"}
    described = ", ".join(f"{each}: {kinds.get(each, 'percent')}" for each in slots)
    return form(form_id, "result", described, *phrasings, place=0, is_event=True)(evaluate)


def _outcome(rate: float, var: float) -> str:
    """Return how a return compares with the filtered value at risk."""
    if var < -rate:
        return ("far" if -rate >= _FAR * var else "exceeded") if var > 0 else ""
    if is_small(rate, var):
        return "small"
    if rate > 0:
        return ""
    return "nearly" if -rate >= _NEARLY * var else "held"


def is_small(rate: float, var: float) -> bool:
    """Return whether a return is small, for the value at risk or for any portfolio."""
    return abs(rate) < max(SMALL * var, TRIVIAL)


var_exceeded = _against_var(
    "var_exceeded", "exceeded", 4.0, "warning",
    "The portfolio lost {amount} ({rate}), more than the prior day's value at risk of {var}.",
    "The portfolio lost {amount} ({rate}), beyond the prior day's value at risk of {var}.",
)  # fmt: skip

var_exceeded_far = _against_var(
    "var_exceeded_far", "far", 4.0, "warning",
    "The portfolio lost {amount} ({rate}), {multiple} times the prior day's value at risk of"
    " {var}.",
    slots=("amount", "rate", "multiple", "var"),
)  # fmt: skip

var_held = _against_var(
    "var_held", "held", 2.1, "info",
    "The portfolio lost {amount} ({rate}), within the prior day's value at risk of {var}.",
)  # fmt: skip

var_held_nearly = _against_var(
    "var_held_nearly", "nearly", 2.1, "info",
    "The portfolio lost {amount} ({rate}), just within the prior day's value at risk of {var}.",
)  # fmt: skip

small_results = [
    _against_var(form_id, "small", 2.1, "info", *phrasings, sign=sign, slots=("amount", "rate"))
    for form_id, sign, phrasings in (
        ("small_loss", -1, ("The portfolio lost {amount} ({rate}).",)),
        ("small_gain", 1, ("The portfolio gained {amount} ({rate}).",)),
    )
]  # fmt: skip

LOSSES: Final = (var_exceeded, var_exceeded_far, var_held, var_held_nearly)
"""Losses that are not small, against the value at risk."""


def exceeded_var(view: View) -> Iterator[Instance]:
    """Yield the loss beyond the filtered value at risk, if there is one."""
    yield from view.instances(var_exceeded)
    yield from view.instances(var_exceeded_far)


def large_losses(view: View) -> Iterator[Instance]:
    """Yield the loss if it is about as large as a value at risk, or larger."""
    for of in (var_exceeded, var_exceeded_far, var_held_nearly):
        yield from view.instances(of)


form(
    "shortfall",
    "stress",
    "shortfall: percent",
    "On the worst one in twenty days, at today's volatility, the holdings would lose {shortfall} on"
    " average.",
)(single_figure("shortfall_95", "shortfall", size, lambda loss: loss > 0, 0.45))


def _add_exceptions_form(
    form_id: str,
    sign: int,
    low: float,
    high: float,
    salience: float,
    level: str,
    *phrasings: str,
    place: int = 5,
    show: Callable[[float], Slot] = larger_losses,
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
                "exceptions": show(found),
                "expected": Slot("count", round(expected)),
            }
            yield Instance(slots, facts[:3], salience, sign=-1, level=level, context=facts[3:])

    slots = f"count: count, exceptions: {show(0).kind}, expected: count"
    return form(form_id, "tail", slots, *phrasings, place=place)(evaluate)


var_too_low = _add_exceptions_form(
    "var_too_low", 1, 0.0, REJECTED, 1.6, "warning",
    "The historical value at risk, which takes no account of today's volatility, has been too low:"
    " {exceptions} in {count} days, where about {expected} are expected.",
    place=0,
)  # fmt: skip
_add_exceptions_form(
    "var_too_high", -1, 0.0, REJECTED, 1.5, "elevated",
    "The historical value at risk, which takes no account of today's volatility, has been too high:"
    " {exceptions} in {count} days, where about {expected} are expected.",
)  # fmt: skip
_add_exceptions_form(
    "var_often_exceeded", 1, REJECTED, _WEAK, 1.4, "info",
    "Losses exceeded the historical value at risk, which takes no account of today's volatility, on"
    " {exceptions} of {count} days, where about {expected} are expected.",
    show=count,
)  # fmt: skip


@form(
    "var_not_rejected",
    "tail",
    "exceptions: losses, count: count, expected: count",
    "The test of the historical value at risk, which takes no account of today's volatility, no"
    " longer fails: {exceptions} in {count} days, where about {expected} are expected.",
    is_event=True,
)
def var_not_rejected(view: View) -> Iterator[Instance]:
    """The test of the historical value at risk failed the session before, and does not.

    It is no relief on a day with a loss beyond the filtered one.
    """
    facts = view.facts_of("var_exceptions", "var_tested", "var_expected", "var_p_value")
    before = view.facts_of("previous_var_p_value")
    if facts and before and not is_without_risk(view):
        found, tested, expected, p_value = (float(fact.value) for fact in facts)
        if float(before[0].value) < REJECTED <= p_value:
            slots = {
                "exceptions": larger_losses(found),
                "count": count(tested),
                "expected": Slot("count", round(expected)),
            }
            is_relief = not any(exceeded_var(view))
            yield Instance(slots, facts[:3], 1.5 if is_relief else _TOLD_LATER, sign=int(is_relief),
                context=(*facts[3:], *before))  # fmt: skip


def _var_change(view: View, sign: int) -> Iterator[Instance]:
    """Yield a value at risk that is clearly above, or below, that of the day before.

    It goes with the volatility: of both, a note states that.
    """
    has_moved = any(
        view.instances(each[sign]) for each in (volatility.moves, volatility.forecast_moves)
    )
    yield from compared_figures(
        ("previous_var_95", "var_95"), ("before", "now"),
        lambda before, now: before > 0 and sign * (now - before) >= _CLEAR_MOVE * before,
        lambda before, now: (
            _OTHER if has_moved else 0.8 + min(abs(now / before - 1), 1) / 2
        ), sign=-sign,
    )(view)  # fmt: skip


mirrored_forms("tail", "before: percent, now: percent", _var_change, {
    -1: ("var_fell", "The one-day value at risk fell from {before} to {now} on the day."),
    1: ("var_rose", "The one-day value at risk rose from {before} to {now} on the day."),
}, is_event=True)  # fmt: skip
