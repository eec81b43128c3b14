"""How much an alert matters as the title of a note, next to the result of the session."""

from riskmetrics.insights.claims import View
from riskmetrics.insights.forms.tail import SMALL
from riskmetrics.insights.limits_reached import Reach

_LEAD = {"weight": 8.5, "gross": 8.4, "beta": 8.3, "drawdown": 8.2, "gross_to_equity": 8.1}
"""Kind of limit to the salience of its alert as a title."""

_CRITICAL = 0.45
"""Salience that puts a critical alert before every other one."""

_ELEVATED, MINOR, _NEXT_TO_RESULT, _BARELY = 0.3, 0.15, 0.4, 0.9
"""Factors of the salience of an alert as a title: of the lowest level, next to a clear result if it
is also that, about a position with little of the risk, farther beyond or barely back, next to a
result as large as the value at risk, and barely reached, which is less than any clearly reached.
"""

BARELY = 1.02
"""Multiple of a level or limit below which a value is barely beyond it."""

_LITTLE_RISK = 0.15
"""Share of the volatility below which a position does not lead a day with a clear result."""


def title_salience(view: View, reach: Reach) -> float:
    """Return how much an alert matters as a title, next to the result; a critical one leads."""
    if reach.level == "critical":
        return _LEAD[reach.kind] + _CRITICAL
    return _LEAD[reach.kind] * title_factor(view, reach)


def title_factor(view: View, reach: Reach) -> float:
    """Return the factor of the salience of an alert as a title: that of a small one is small."""
    if reach.level == "critical":
        return 1.0
    elevated = reach.level == "elevated"
    rate, var = view.number("daily_return"), view.number("previous_var_95")
    if rate is not None and var is not None:
        share = (view.number("share", reach.alias) if reach.kind == "weight" else None) or 0.0
        is_small = reach.kind == "weight" and 0 < share < _LITTLE_RISK
        is_small = (
            is_small
            or elevated
            or reach.event == "worse"
            or (reach.event == "back" and _is_barely(reach))
        )
        if is_small and abs(rate) >= SMALL * var:
            return MINOR
        if abs(rate) > var:
            return _NEXT_TO_RESULT
    barely = _BARELY if reach.is_new and _is_barely(reach) else 1.0
    return barely * (_ELEVATED if elevated else 1.0)


def _is_barely(reach: Reach) -> bool:
    """Return whether a value is only just beyond its level."""
    return reach.value < BARELY * reach.limit
