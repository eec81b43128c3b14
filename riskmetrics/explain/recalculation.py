"""What a chapter says of its numbers, and when two numbers are the same."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from riskmetrics.explain.source_rows import SourceRows

Row = Mapping[str, Any]
"""A stored row, by column."""

_RELATIVE_TOLERANCE, _ABSOLUTE_TOLERANCE = 1e-9, 1e-12
"""How far two double precision results of one formula may lie apart: sums run in another order, and some differences cancel."""


class Recalculation(NamedTuple):
    """A row computed anew."""

    values: Mapping[str, Any]
    """By column; None or NaN is undefined."""
    inputs: Mapping[str, Any]
    """What the formula took, beside the source rows."""
    window: tuple[date, date] | None = None
    """First and last session that it looks at; None: the day alone."""
    observations: int | None = None


class MetricGroup(NamedTuple):
    """Numbers of one table that are explained together."""

    table: sa.Table
    formulas: Mapping[str, str]
    """By column."""
    method: str
    """What computes them anew."""
    recompute: Callable[[SourceRows, Row], Recalculation]
    parameters: tuple[str, ...] = ()
    """Columns that say what a row was computed with."""


def is_undefined(value: object) -> bool:
    """Whether a value is none."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_equal_as_stored(stored: Any, recomputed: Any, column: "sa.Column[Any]") -> bool:
    """Whether a number computed anew is the stored one, to the digits that its column keeps.

    A NUMERIC must round to what is stored; of a double precision number 9 digits must agree.
    """
    if is_undefined(stored) or is_undefined(recomputed):
        return is_undefined(stored) and is_undefined(recomputed)
    if isinstance(stored, Mapping):
        return stored.keys() == recomputed.keys() and all(
            _is_close(stored[key], recomputed[key], 0.0) for key in stored
        )
    if isinstance(stored, bool | str | date):
        return bool(stored == recomputed)
    scale = (
        column.type.scale
        if isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Double)
        else None
    )
    half_a_digit = 0.0 if scale is None else 0.5 * 10.0**-scale
    return _is_close(float(stored), float(recomputed), half_a_digit)


def _is_close(stored: float, recomputed: float, rounding: float) -> bool:
    return abs(stored - recomputed) <= rounding + _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * abs(
        stored
    )


def to_json_value(value: Any) -> Any:
    """Return a value as JSON has it: what is undefined is None, and a number a number."""
    if is_undefined(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    return (
        value.isoformat()
        if isinstance(value, date)
        else value.item()
        if hasattr(value, "item")
        else value
    )
