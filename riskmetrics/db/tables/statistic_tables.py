"""Tables of statistics of pro-forma returns, as their records in the catalog define them."""

from typing import Any

import sqlalchemy as sa

from riskmetrics.catalog import Figure, Statistic, Unit, all_statistics
from riskmetrics.db.tables.schema import (
    day_key_column,
    metadata,
    portfolio_key_column,
    provenance_columns,
    undefined_reason_column,
)

_TYPES: dict[Unit, "sa.types.TypeEngine[Any]"] = {
    Unit.MONEY: sa.Numeric(24, 2),
    Unit.COUNT: sa.Integer(),
    Unit.DATE: sa.Date(),
}
"""Unit of a figure to the type of its column; others are double precision."""


def _build_table(statistic: Statistic) -> sa.Table:
    return sa.Table(
        statistic.table,
        metadata,
        portfolio_key_column(),
        day_key_column("Session; its weights are applied to earlier returns (pro-forma)."),
        *map(_build_column, statistic.figures),
        undefined_reason_column(),
        *provenance_columns(),
        comment=f"One row per portfolio and session: {statistic.content}.",
    )


def _build_column(figure: Figure) -> "sa.Column[Any]":
    """Return the column of a figure; without a minimum it always has a value."""
    kind = _TYPES.get(figure.unit, sa.Double())
    return sa.Column(figure.column, kind, nullable=bool(figure.minimum))


STATISTIC_TABLES = {statistic.table: _build_table(statistic) for statistic in all_statistics()}
"""Name to table."""
