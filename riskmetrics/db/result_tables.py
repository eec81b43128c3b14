"""List the result tables, and count or remove their rows.

A result table is one with provenance (`tables.schema.provenance_columns`). Other tables contain
inputs or users' data, such as ratings of insights; they are only changed on request.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.row_counts import count_rows
from riskmetrics.db.sql_expressions import is_live_portfolio
from riskmetrics.db.tables.schema import PARAMETER


class ResultTable(NamedTuple):
    """A result table and its day column."""

    table: sa.Table
    day: sa.Column[date]
    """Column of the session of a row."""


class Scope(NamedTuple):
    """Selection of results by portfolio name and by first and last day, inclusive; None: no limit.

    Results of symbols belong to no portfolio: they are in scope only without a portfolio name.
    """

    portfolio: str | None = None
    first: date | None = None
    last: date | None = None


def list_result_tables() -> list[ResultTable]:
    """Return the result tables, by name."""
    return [
        ResultTable(table, day_column(table))
        for _, table in sorted(tables.metadata.tables.items())
        if "dagster_run_id" in table.c
    ]


def parameter_columns(table: sa.Table) -> list[str]:
    """Return the names of the columns with the parameters of a row."""
    return [column.name for column in table.c if column.info is PARAMETER]


def scope_condition(result: ResultTable, scope: Scope) -> sa.ColumnElement[bool]:
    """Return the condition that a row of a result table is in ``scope``."""
    conditions = [_portfolio_condition(result.table, scope.portfolio)]
    if scope.first is not None:
        conditions.append(result.day >= scope.first)
    if scope.last is not None:
        conditions.append(result.day <= scope.last)
    return sa.and_(*conditions)


def read_day_range(connection: sa.Connection, scope: Scope) -> tuple[date, date] | None:
    """Return the first and last day of the results in ``scope``, or None without results."""
    ends = sa.union_all(
        *(
            sa.select(
                sa.func.min(result.day).label("first"), sa.func.max(result.day).label("last")
            ).where(scope_condition(result, scope))
            for result in list_result_tables()
        )
    ).subquery()
    first, last = connection.execute(
        sa.select(sa.func.min(ends.c.first), sa.func.max(ends.c.last))
    ).one()
    return (first, last) if first else None


def count_results(
    connection: sa.Connection, scope: Scope, *, include_insights: bool = False
) -> dict[str, int]:
    """Return the number of rows that `remove_results` would remove, by table, without zeros."""
    n_rows = {
        table.name: count_rows(connection, table, condition)
        for table, condition in _tables_in_scope(scope, include_insights)
    }
    return {name: rows for name, rows in n_rows.items() if rows}


def remove_results(
    connection: sa.Connection,
    scope: Scope,
    *,
    assets: Iterable[str],
    include_insights: bool = False,
) -> dict[str, int]:
    """Remove the results in ``scope``; return the number of removed rows by table, without zeros.

    Parameters
    ----------
    assets : iterable of str
        All assets that write results; they are locked until the transaction ends.
    include_insights : bool
        Also remove insights, including their ratings. Insights of other programs have no day and
        are not in a scope with a first or last day.
    """
    for asset in sorted(assets):  # a fixed order prevents deadlocks
        write.lock_asset(connection, asset)
    removed = {}
    for table, condition in _tables_in_scope(scope, include_insights):
        if table is tables.ai_insights:
            _unlink_repeats(connection, condition)
        removed[table.name] = connection.execute(sa.delete(table).where(condition)).rowcount
    return {name: rows for name, rows in removed.items() if rows}


def _tables_in_scope(
    scope: Scope, include_insights: bool
) -> Sequence[tuple[sa.Table, sa.ColumnElement[bool]]]:
    chosen = [(result.table, scope_condition(result, scope)) for result in list_result_tables()]
    if include_insights:
        insight_table = ResultTable(tables.ai_insights, tables.ai_insights.c.day)
        chosen.append((insight_table.table, scope_condition(insight_table, scope)))
    return chosen


def _portfolio_condition(table: sa.Table, name: str | None) -> sa.ColumnElement[bool]:
    if name is None:
        return sa.true()
    portfolio, position = tables.portfolios, tables.positions
    portfolio_ids = sa.select(portfolio.c.id).where(is_live_portfolio(name))
    if "portfolio_id" in table.c:
        return table.c.portfolio_id.in_(portfolio_ids)
    if "position_id" not in table.c:
        return sa.false()  # results of symbols belong to no portfolio
    return table.c.position_id.in_(
        sa.select(position.c.id).where(position.c.portfolio_id.in_(portfolio_ids))
    )


def _unlink_repeats(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Clear cache_source_id of insights that are copies of removed insights."""
    table = tables.ai_insights
    removed_ids = sa.select(table.c.id).where(condition).correlate(None)
    connection.execute(
        sa.update(table)
        .where(table.c.cache_source_id.in_(removed_ids))
        .values(cache_source_id=None)
    )


def day_column(table: sa.Table) -> sa.Column[date]:
    """Return the column with the session of a result table's rows."""
    days = [
        column for column in table.c if isinstance(column.type, sa.Date) and not column.nullable
    ]
    (day,) = days if len(days) == 1 else (column for column in days if column.primary_key)
    return day
