"""Rows of the table of limits: how far each figure is from its limit."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from riskmetrics.catalog.limits import limited_figure
from riskmetrics.present import formatting
from riskmetrics.present.figures import format_move
from riskmetrics.present.limits import format_against

Record = Mapping[str, Any]


class LimitRow(NamedTuple):
    """A checked limit, as text; a missing value is a dash."""

    label: str
    """Figure that is limited, and the symbol, sector or scenario that it is of."""
    value: str
    limit: str
    room: str
    """Limit minus value: negative if the limit is exceeded."""
    status: str
    since: str
    """First session with the status."""
    reason: str
    """Why the value is undefined, else empty."""


def build_limit_rows(checks: Sequence[Record]) -> list[LimitRow]:
    """Return the rows of the limits of a portfolio, the exceeded ones first.

    Parameters
    ----------
    checks : sequence of records
        Rows of `db.limits.read_limit_checks` of one portfolio.
    """
    return [_build_row(row) for row in sorted(checks, key=lambda row: row["status"] == "kept")]


def _build_row(row: Record) -> LimitRow:
    name, value, limit = row["limit_name"], row["value"], row["limit_value"]
    figure = limited_figure(name)
    label = f"{figure.label[:1].upper()}{figure.label[1:]}"
    shown, shown_limit = format_against(name, value, limit)
    return LimitRow(
        f"{label} ({row['subject']})" if row["subject"] else label,
        shown,
        shown_limit,
        "—" if value is None else format_move(limit - value, figure.unit),
        row["status"],
        formatting.day(row["since"]),
        row["undefined_reason"] or "",
    )
