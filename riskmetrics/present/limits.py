"""Sentences on limits of portfolios."""

from collections.abc import Mapping
from typing import Any

from riskmetrics.catalog import Unit
from riskmetrics.catalog.limits import limited_figure
from riskmetrics.present.figures import PAGE_FORMATS


def format_limited(name: str, value: float) -> str:
    """Format a value, or a limit, in the unit of the limited figure, without a sign.

    Examples
    --------
    >>> format_limited("single_name", 0.25)
    '25.0%'
    """
    unit = limited_figure(name).unit
    return PAGE_FORMATS[Unit.FRACTION if unit is Unit.ACTIVE_FRACTION else unit](value)


def format_against(name: str, value: float | None, limit: float) -> tuple[str, str]:
    """Return a value and its limit, with as many decimals as tell them apart.

    Examples
    --------
    >>> format_against("single_name", 0.25001, 0.25)
    ('0.25001', '0.25')
    """
    if value is None:
        return "—", format_limited(name, limit)
    texts = format_limited(name, value), format_limited(name, limit)
    return (f"{value:.6g}", f"{limit:.6g}") if texts[0] == texts[1] and value != limit else texts


def describe_check(row: Mapping[str, Any]) -> str:
    """Return what a checked limit says of its portfolio and session."""
    name, limited = row["limit_name"], limited_figure(row["limit_name"])
    value, limit = format_against(name, row["value"], row["limit_value"])
    start = f"{row['portfolio']}: {name}"
    if row["status"] == "undefined":
        return f"{start} is undefined (limit {limit}): {row['undefined_reason']}"
    of = f" of {row['subject']}" if limited.subject else ""
    relation = "exceeds" if row["status"] == "exceeded" else "keeps"
    return f"{start}{of} {value} {relation} the limit {limit}"
