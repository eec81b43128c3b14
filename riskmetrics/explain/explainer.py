"""Explanations of stored figures, and the registry of their independent recalculations."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import Figure
from riskmetrics.db import explain_queries, result_tables, tables
from riskmetrics.errors import UsageError
from riskmetrics.explain import (
    recalculated_active,
    recalculated_betas,
    recalculated_correlations,
    recalculated_coverage,
    recalculated_factors,
    recalculated_liquidity,
    recalculated_options,
    recalculated_risk,
    recalculated_statistics,
    recalculated_stress,
    recalculated_track_records,
    recalculated_values,
    recalculated_volatility,
)
from riskmetrics.explain.recalculation import (
    MetricGroup,
    Recalculation,
    is_equal_as_stored,
    is_undefined,
)
from riskmetrics.explain.rows_used import RowsUsed
from riskmetrics.explain.source_rows import SourceRows

METRIC_GROUPS: list[MetricGroup] = [
    group
    for recalculated in (
        *(recalculated_values, recalculated_coverage, recalculated_betas, recalculated_volatility),
        *(recalculated_risk, recalculated_active, recalculated_statistics, recalculated_stress),
        *(recalculated_correlations, recalculated_factors, recalculated_options),
        *(recalculated_liquidity, recalculated_track_records),
    )
    for group in recalculated.METRIC_GROUPS
]

_IDENTITY_COLUMNS = {"id", "subject", "position_id", "portfolio_id", "created_at", "updated_at"}


class Explanation(NamedTuple):
    """A stored value and its independent recalculation."""

    figure: Figure
    key: Mapping[str, Any]
    """Columns that identify the row within its portfolio and day."""
    stored: Any
    recalculated: Any
    is_equal: bool | None
    """Whether both values agree at the precision of the column; None: not recalculated."""
    reason: str | None
    """Why the stored value is NULL."""
    recalculation: Recalculation | None
    """None: the figure is not recalculated."""
    method: str | None
    """How it is recalculated, in words."""
    parameters: Mapping[str, Any]
    """Parameters that are stored with the row."""
    source_rows: Mapping[str, pd.DataFrame]
    run_id: str | None
    code_version: str | None


def find_group(figure: Figure) -> MetricGroup | None:
    """Return the group that recalculates a figure, or None."""
    return next((group for group in METRIC_GROUPS if figure in group.figures), None)


def explain(
    connection: sa.Connection,
    portfolio_id: str,
    figure: Figure,
    day: date,
    *,
    symbol: str | None,
    market_index: str,
    rate_index: str,
) -> list[Explanation]:
    """Explain each stored value of a portfolio's figure on a day.

    Parameters
    ----------
    portfolio_id : str
        The portfolio's id.
    symbol : str or None
        Explain only the rows of this symbol; None: all rows.
    market_index, rate_index : str
        Symbols of the market index and the interest rate index.

    Returns
    -------
    list of Explanation
        One per stored row; empty if none is stored.

    Raises
    ------
    UsageError
        If a symbol is given for a figure of the whole portfolio.
    """
    table, group = tables.metadata.tables[figure.table], find_group(figure)
    if symbol is not None and not {"symbol", "subject", "position_id"} & set(table.c.keys()):
        raise UsageError(f"{figure.name} is a figure of the whole portfolio; omit --symbol")
    sources = SourceRows(connection, portfolio_id, day, market_index, rate_index)
    rows = explain_queries.read_rows(connection, table, day, portfolio_id, symbol)
    if figure.stored_column != figure.column:
        rows = [row for row in rows if row["figure"] == figure.column]
    return [
        found for row in rows for found in explain_row(connection, sources, [figure], row, group)
    ]


def explain_row(
    connection: sa.Connection,
    sources: SourceRows,
    figures: Iterable[Figure],
    row: Mapping[str, Any],
    group: MetricGroup | None,
) -> list[Explanation]:
    """Explain figures of a stored row, and recalculate them if a group is given."""
    sources.rows_used = RowsUsed()
    recalculation = group.recalculate(sources, row) if group else None
    subject, found = row.get("position_id") or row.get("portfolio_id"), []
    for figure in figures:
        table = tables.metadata.tables[figure.table]
        column = table.c[figure.stored_column]
        stored = row[column.name]
        done = recalculation if recalculation and figure.column in recalculation.values else None
        recalculated = done.values[figure.column] if done else None
        reason = None
        if is_undefined(stored):
            reason = row.get("undefined_reason") or explain_queries.read_undefined_reason(
                connection, figure.name, subject, sources.day
            )
        found.append(
            Explanation(
                figure,
                ({"symbol": row["symbol"]} if "symbol" in row else {}) | _row_key(table, row),
                stored,
                recalculated,
                is_equal_as_stored(stored, recalculated, table.c[figure.stored_column])
                if done
                else None,
                reason,
                done,
                group.method if group and done else None,
                {name: row[name] for name in result_tables.parameter_columns(table)},
                sources.rows_used,
                row["dagster_run_id"],
                row["code_version"],
            )
        )
    return found


def _row_key(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that identify a row within its portfolio and day."""
    names = [
        column.name
        for column in table.primary_key
        if column.name not in _IDENTITY_COLUMNS | {result_tables.day_column(table).name}
    ]
    return {name: row[name] for name in names}
