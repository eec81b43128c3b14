"""Registry of the explained metrics, and the lookup from a metric name to its explanations."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import explain_queries, result_tables
from riskmetrics.errors import UsageError
from riskmetrics.explain import (
    recalculated_betas,
    recalculated_coverage,
    recalculated_options,
    recalculated_risk,
    recalculated_values,
    recalculated_volatility,
)
from riskmetrics.explain.recalculation import (
    MetricGroup,
    Recalculation,
    is_equal_as_stored,
    is_undefined,
)
from riskmetrics.explain.source_rows import SourceRows

METRIC_GROUPS: list[MetricGroup] = [
    *recalculated_values.METRIC_GROUPS,
    *recalculated_coverage.METRIC_GROUPS,
    *recalculated_betas.METRIC_GROUPS,
    *recalculated_volatility.METRIC_GROUPS,
    *recalculated_risk.METRIC_GROUPS,
    *recalculated_options.METRIC_GROUPS,
]

_IDENTITY_COLUMNS = {"id", "subject", "position_id", "portfolio_id", "created_at", "updated_at"}
_DAY_COLUMNS = {result.table.name: result.day.name for result in result_tables.list_result_tables()}


class Metric(NamedTuple):
    """A result column and the metric group that explains it."""

    group: MetricGroup
    column: str

    @property
    def name(self) -> str:
        """Return the qualified name, 'table.column'."""
        return f"{self.group.table.name}.{self.column}"

    @property
    def formula(self) -> str:
        """Return the formula of the metric."""
        return self.group.formulas[self.column]


class Explanation(NamedTuple):
    """A stored value and its independent recalculation."""

    metric: Metric
    key: Mapping[str, Any]
    """Columns that identify the row within its portfolio and day."""
    stored: Any
    recomputed: Any
    is_equal: bool
    """Whether both values agree at the precision of the column."""
    reason: str | None
    """Why the stored value is NULL."""
    recalculation: Recalculation
    parameters: Mapping[str, Any]
    """Parameters that are stored with the row."""
    source_rows: Mapping[str, pd.DataFrame]
    run_id: str | None
    code_version: str | None


def all_metrics() -> Iterator[Metric]:
    """Yield every explained metric."""
    for group in METRIC_GROUPS:
        for column in group.formulas:
            yield Metric(group, column)


def find_metric(name: str) -> Metric:
    """Return the metric with a name: 'table.column', or a column that only one table has.

    Raises
    ------
    UsageError
        If no metric, or more than one, has the name.
    """
    found = [metric for metric in all_metrics() if name in (metric.name, metric.column)]
    if len(found) > 1:
        raise UsageError(
            f"{name} is a column of several tables; specify one of:"
            f" {', '.join(metric.name for metric in found)}"
        )
    if not found:
        raise UsageError(f"no metric {name}; list all metrics with `riskmetrics explain --list`")
    return found[0]


def explain(
    connection: sa.Connection,
    portfolio_id: str,
    metric: Metric,
    day: date,
    *,
    symbol: str | None,
    market_index: str,
    rate_index: str,
) -> list[Explanation]:
    """Explain each stored value of a portfolio's metric on a day.

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
        If a symbol is given for a metric of the whole portfolio.
    """
    table = metric.group.table
    if symbol is not None and not {"symbol", "subject", "position_id"} & set(table.c.keys()):
        raise UsageError(f"{metric.name} is a metric of the whole portfolio; omit --symbol")
    sources = SourceRows(connection, portfolio_id, day, market_index, rate_index)
    rows = explain_queries.read_rows(connection, table, day, portfolio_id, symbol)
    return [
        found
        for row in rows
        for found in explain_row(connection, sources, metric.group, row, [metric.column])
    ]


def explain_row(
    connection: sa.Connection,
    sources: SourceRows,
    group: MetricGroup,
    row: Mapping[str, Any],
    columns: Iterable[str],
) -> list[Explanation]:
    """Recalculate columns of a stored row and compare them with the stored values."""
    sources.rows_used = {}
    recalculation = group.recompute(sources, row)
    subject, found = row.get("position_id") or row.get("portfolio_id"), []
    key = ({"symbol": row["symbol"]} if "symbol" in row else {}) | _row_key(group.table, row)
    for column in columns:
        metric, stored, recomputed = (
            Metric(group, column),
            row[column],
            recalculation.values[column],
        )
        reason = None
        if is_undefined(stored):
            reason = row.get("undefined_reason") or explain_queries.read_undefined_reason(
                connection, metric.name, subject, sources.day
            )
        found.append(
            Explanation(
                metric,
                key,
                stored,
                recomputed,
                is_equal_as_stored(stored, recomputed, group.table.c[column]),
                reason,
                recalculation,
                {name: row[name] for name in group.parameters},
                dict(sources.rows_used),
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
        if column.name not in _IDENTITY_COLUMNS | {_DAY_COLUMNS[table.name]}
    ]
    return {name: row[name] for name in names}
