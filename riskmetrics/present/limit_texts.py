"""Sentences on limits of portfolios."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from riskmetrics.catalog import Unit
from riskmetrics.catalog.limits import find_limited_figure
from riskmetrics.metrics.minimums import SHARE_TOLERANCE
from riskmetrics.present.formatting import stored_text, with_true_minus

_SIGNIFICANT_DIGITS = 12
"""Digits of a limit that are its own, and not of its binary form."""


def decimals_as_set(limit: float, *, is_percent: bool) -> int:
    """Return the decimals that a limit was set with, as a percentage or as a number.

    Examples
    --------
    >>> decimals_as_set(0.0185, is_percent=True), decimals_as_set(0.1 + 0.2, is_percent=False)
    (2, 1)
    """
    exponent = _as_set(limit).as_tuple().exponent
    return max(0, -int(exponent) - 2 * is_percent)


def _as_set(limit: float) -> Decimal:
    return Decimal(f"{limit:.{_SIGNIFICANT_DIGITS}g}").normalize()


def format_limited(name: str, limit: float) -> str:
    """Format a limit in the unit of the limited figure, with the decimals that it was set with.

    Examples
    --------
    >>> format_limited("single_name", 0.25), format_limited("value_at_risk", 0.0185)
    ('25.0%', '1.85%')
    """
    return format_value_and_limit(name, None, limit).limit


class LimitTexts(NamedTuple):
    """A value, its limit and the room between them, in the unit of the limited figure."""

    value: str
    limit: str
    room: str
    """Limit minus value, as they are shown: negative if the limit is exceeded."""


def format_value_and_limit(name: str, value: float | None, limit: float) -> LimitTexts:
    """Return a value, its limit and the room, without signs of losses.

    They have the decimals that the limit was set with, or as many as distinguish them.

    Examples
    --------
    >>> format_value_and_limit("single_name", 0.598, 0.25)
    LimitTexts(value='59.8%', limit='25.0%', room='−34.8 pp')
    >>> format_value_and_limit("value_at_risk", 0.0192, 0.0185)
    LimitTexts(value='1.92%', limit='1.85%', room='−0.07 pp')
    >>> format_value_and_limit("single_name", 0.25001, 0.25)
    LimitTexts(value='25.001%', limit='25.000%', room='−0.001 pp')
    >>> format_value_and_limit("single_name", 0.1 + 0.2, 0.3)
    LimitTexts(value='30.0%', limit='30.0%', room='0.0 pp')
    >>> format_value_and_limit("beta", -0.004, 1.2)
    LimitTexts(value='0.00', limit='1.20', room='+1.20')
    """
    is_share = find_limited_figure(name).unit not in (Unit.NUMBER, Unit.BETA)
    scale, suffix = (2, "%") if is_share else (0, "")
    bound = _as_set(limit).scaleb(scale)
    decimals = max(1 if is_share else 2, decimals_as_set(limit, is_percent=is_share))

    def show(number: Decimal) -> str:
        return with_true_minus(f"{number:.{decimals}f}")

    if value is None:
        return LimitTexts("—", f"{show(bound)}{suffix}", "—")
    exact = Decimal(value).scaleb(scale)
    if abs(value - limit) > SHARE_TOLERANCE:
        while show(exact) == show(bound):
            decimals += 1
    room = Decimal(f"{bound:.{decimals}f}") - Decimal(f"{exact:.{decimals}f}")
    sign = "+" if room > 0 else ""
    return LimitTexts(
        f"{show(exact)}{suffix}",
        f"{show(bound)}{suffix}",
        f"{sign}{show(room)}{' pp' if is_share else ''}",
    )


def describe_check(row: Mapping[str, Any]) -> str:
    """Return a sentence on the outcome of a checked limit of a portfolio."""
    name, figure = row["limit_name"], find_limited_figure(row["limit_name"])
    value, limit, _ = format_value_and_limit(name, row["value"], row["limit_value"])
    start = f"{row['portfolio']}: {name}"
    if row["status"] == "undefined":
        return f"{start} is undefined (limit {limit}): {stored_text(row['undefined_reason'])}"
    of = f" of {row['subject']}" if figure.subject else ""
    relation = "exceeds" if row["status"] == "exceeded" else "is within"
    return f"{start}{of} {value} {relation} the limit {limit}"
