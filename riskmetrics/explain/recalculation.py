"""Types of metric groups and recalculations, and the comparison of stored with new values."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import Figure, figures_of
from riskmetrics.explain.source_rows import SourceRows

Row = Mapping[str, Any]
"""A stored row: column name to value."""

_RELATIVE_TOLERANCE, _ABSOLUTE_TOLERANCE = 1e-9, 1e-12
"""Largest deviation of two double precision results of one formula.

The order of summation differs, and some differences cancel.
"""


class Recalculation(NamedTuple):
    """The recalculated values of a row, with the inputs of the formula."""

    values: Mapping[str, Any]
    """Column name to value; None or NaN is undefined, a missing column is not recalculated."""
    inputs: Mapping[str, Any]
    """Inputs of the formula other than the source rows."""
    window: tuple[date, date] | None = None
    """First and last session of the data window; None: the day alone."""
    observations: int | None = None
    by_column: "Mapping[str, Recalculation]" = MappingProxyType({})
    """Inputs and windows of columns that have others than the rest of the row."""


class MetricGroup(NamedTuple):
    """Figures of one table that are recalculated together."""

    table: sa.Table
    method: str
    """How the values are recalculated, in words."""
    recalculate: Callable[[SourceRows, Row], Recalculation]
    subject: tuple[Figure, ...] = ()
    """Figures of a subject of the catalog, to be narrowed to those of the table; default: all."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the figures of the group."""
        chosen = self.subject or figures_of(self.table.name)
        return tuple(figure for figure in chosen if figure.table == self.table.name)


def first_and_last_day(frame: "pd.DataFrame | pd.Series[Any]") -> tuple[date, date]:
    """Return the first and the last day of rows by session."""
    first, last = pd.DatetimeIndex(frame.index)[[0, -1]]
    return first.date(), last.date()


def is_undefined(value: object) -> bool:
    """Return whether a value is undefined: None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_equal_as_stored(stored: Any, recalculated: Any, column: "sa.Column[Any]") -> bool:
    """Return whether a recalculated value equals the stored one at the column's precision.

    A NUMERIC must round to the stored value; double precision values must agree to 9 digits.
    """
    if is_undefined(stored) or is_undefined(recalculated):
        return is_undefined(stored) and is_undefined(recalculated)
    if isinstance(stored, Mapping):
        return stored.keys() == recalculated.keys() and all(
            _is_close(stored[key], recalculated[key], 0.0) for key in stored
        )
    if isinstance(stored, bool | str | date):
        return bool(stored == recalculated)
    scale = (
        column.type.scale
        if isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Double)
        else None
    )
    half_a_digit = 0.0 if scale is None else 0.5 * 10.0**-scale
    return _is_close(float(stored), float(recalculated), half_a_digit)


def _is_close(stored: float, recalculated: float, rounding: float) -> bool:
    return abs(stored - recalculated) <= rounding + _ABSOLUTE_TOLERANCE + _RELATIVE_TOLERANCE * abs(
        stored
    )


def to_json_value(value: Any) -> Any:
    """Return a value as a JSON type; None if it is undefined."""
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
