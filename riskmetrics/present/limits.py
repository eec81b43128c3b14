"""Sentences on limits of portfolios."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from riskmetrics.catalog import Unit
from riskmetrics.catalog.limits import find_limited_figure
from riskmetrics.metrics.minimums import SHARE_TOLERANCE
from riskmetrics.present.figures import PAGE_FORMATS, format_move


def format_limited(name: str, value: float) -> str:
    """Format a value, or a limit, in the unit of the limited figure, without a sign.

    Examples
    --------
    >>> format_limited("single_name", 0.25)
    '25.0%'
    """
    return PAGE_FORMATS[_unit_of_size(name)](value)


def _unit_of_size(name: str) -> Unit:
    """Return the unit of a limit, which bounds the size of a weight, and of a loss."""
    unit = find_limited_figure(name).unit
    return Unit.FRACTION if unit in (Unit.ACTIVE_FRACTION, Unit.LOSS) else unit


class LimitTexts(NamedTuple):
    """A value, its limit and the room between them, in the unit of the limited figure."""

    value: str
    limit: str
    room: str
    """Limit minus value: negative if the limit is exceeded."""


def format_value_and_limit(name: str, value: float | None, limit: float) -> LimitTexts:
    """Return a value, its limit and the room, with as many decimals as distinguish them.

    Examples
    --------
    >>> format_value_and_limit("single_name", 0.598, 0.25)
    LimitTexts(value='59.8%', limit='25.0%', room='−34.8 pp')
    >>> format_value_and_limit("single_name", 0.25001, 0.25)
    LimitTexts(value='25.001%', limit='25.000%', room='−0.001 pp')
    >>> format_value_and_limit("single_name", 0.1 + 0.2, 0.3)
    LimitTexts(value='30.0%', limit='30.0%', room='0.0 pp')
    """
    if value is None:
        return LimitTexts("—", format_limited(name, limit), "—")
    texts = format_limited(name, value), format_limited(name, limit)
    is_equal = abs(value - limit) <= SHARE_TOLERANCE
    if texts[0] != texts[1] or is_equal:
        room = 0.0 if is_equal else limit - value
        return LimitTexts(*texts, format_move(room, _unit_of_size(name)))
    exact_value, exact_limit = Decimal(value), Decimal(limit)
    is_share = texts[0].endswith("%")
    if is_share:
        exact_value, exact_limit = exact_value.scaleb(2), exact_limit.scaleb(2)
    decimals = 1 if is_share else 2
    while f"{exact_value:.{decimals}f}" == f"{exact_limit:.{decimals}f}":
        decimals += 1
    suffix = "%" if is_share else ""
    sign, room = "−" if value > limit else "+", abs(exact_limit - exact_value)
    return LimitTexts(
        f"{exact_value:.{decimals}f}{suffix}".replace("-", "−"),
        f"{exact_limit:.{decimals}f}{suffix}",
        f"{sign}{room:.{decimals}f}{' pp' if is_share else ''}",
    )


def describe_check(row: Mapping[str, Any]) -> str:
    """Return a sentence on the outcome of a checked limit of a portfolio."""
    name, figure = row["limit_name"], find_limited_figure(row["limit_name"])
    value, limit, _ = format_value_and_limit(name, row["value"], row["limit_value"])
    start = f"{row['portfolio']}: {name}"
    if row["status"] == "undefined":
        return f"{start} is undefined (limit {limit}): {row['undefined_reason']}"
    of = f" of {row['subject']}" if figure.subject else ""
    relation = "exceeds" if row["status"] == "exceeded" else "is within"
    return f"{start}{of} {value} {relation} the limit {limit}"
