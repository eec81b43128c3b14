"""Rows of the table of limits: how far each figure is from its limit."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from riskmetrics.catalog.limits import find_limited_figure
from riskmetrics.present import formatting
from riskmetrics.present.limit_texts import format_value_and_limit

Record = Mapping[str, Any]
_SENTENCE = "{label}: {value}, limit {limit}."
_SENTENCES = {
    "single_name": "{subject}: {value} of equity, limit {limit}.",
    "sector": "{subject}: {value} of gross exposure, limit {limit}.",
    "stress_loss": "“{subject}”: a loss of {value}, limit {limit}.",
}
"""Limit to its sentence, if it is of a symbol, sector or scenario."""
_ORDER = {"exceeded": 0, "undefined": 1, "kept": 2}


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
    """First session with the status, and the day of the limit if it was set later."""
    reason: str
    """Why the value is undefined, else empty."""
    sentence: str
    """Value and limit, of a symbol, sector or scenario by its name."""


def build_limit_rows(checks: Sequence[Record]) -> list[LimitRow]:
    """Return the rows of the limits of a portfolio: exceeded, undefined, then kept ones.

    Parameters
    ----------
    checks : sequence of records
        Rows of `db.portfolio_limits.read_limit_checks` of one portfolio.
    """
    return [_build_row(row) for row in sorted(checks, key=lambda row: _ORDER[row["status"]])]


def _build_row(row: Record) -> LimitRow:
    label = find_limited_figure(row["limit_name"]).label
    label = f"{label[:1].upper()}{label[1:]}"
    texts = format_value_and_limit(row["limit_name"], row["value"], row["limit_value"])
    return LimitRow(
        f"{label} ({row['subject']})" if row["subject"] else label,
        texts.value,
        texts.limit,
        texts.room,
        row["status"],
        _describe_start(row["since"], row["limit_set"]),
        formatting.stored_text(row["undefined_reason"] or ""),
        _SENTENCES.get(row["limit_name"] if row["subject"] else "", _SENTENCE).format(
            label=label, subject=row["subject"], value=texts.value, limit=texts.limit
        ),
    )


def _describe_start(since: date, limit_set: date | None) -> str:
    if limit_set is None or limit_set <= since:
        return formatting.day(since)
    return f"{formatting.day(since)} (limit set {formatting.day(limit_set)})"
