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


def describe_check(row: Mapping[str, Any]) -> str:
    """Return what a checked limit says of its portfolio and session."""
    return f"{row['portfolio']}: {describe_status(row)}"


def describe_status(row: Mapping[str, Any]) -> str:
    """Return the same without the name of the portfolio.

    As many decimals are shown as tell the value from the limit.
    """
    name, limited = row["limit_name"], limited_figure(row["limit_name"])
    limit = format_limited(name, row["limit_value"])
    if row["status"] == "undefined":
        return f"{name} is undefined (limit {limit}): {row['undefined_reason']}"
    of = f" of {row['subject']}" if limited.subject else ""
    relation = "exceeds" if row["status"] == "exceeded" else "keeps"
    value = format_limited(name, row["value"])
    if value == limit and row["value"] != row["limit_value"]:
        value, limit = f"{row['value']:.6g}", f"{row['limit_value']:.6g}"
    return f"{name}{of} {value} {relation} the limit {limit}"
