"""Computed results as a whole: which tables they are in, what there is of them, and their removal.

A table of results is one that keeps the run its rows come from (`tables.schema.provenance`). All others are input, or
belong to people (insights carry ratings), and nothing here touches them unless it is asked to.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics.db import tables, write


class Results(NamedTuple):
    """A table of results."""

    table: sa.Table
    day: sa.Column[date]
    """The session that a row is about."""


class Scope(NamedTuple):
    """Which results: of what one name calls or of every portfolio, from one day to another, both included; None is no limit.

    Results of symbols belong to no portfolio: they are in the scope of all, and in that of none by name.
    """

    portfolio: str | None = None
    first: date | None = None
    last: date | None = None


def results() -> list[Results]:
    """Return the tables of results, by name."""
    found = [table for name, table in sorted(tables.metadata.tables.items()) if "dagster_run_id" in table.c]
    return [Results(table, _day(table)) for table in found]


def within(result: Results, scope: Scope) -> sa.ColumnElement[bool]:
    """Return the condition on the rows of a table of results that are in ``scope``."""
    limits = [_of_portfolio(result.table, scope.portfolio)]
    if scope.first is not None:
        limits.append(result.day >= scope.first)
    if scope.last is not None:
        limits.append(result.day <= scope.last)
    return sa.and_(*limits)


def span(connection: sa.Connection, scope: Scope) -> tuple[date, date] | None:
    """Return the first and the last day that a result in ``scope`` is about, None if there is no result."""
    ends = sa.union_all(
        *(
            sa.select(sa.func.min(result.day).label("first"), sa.func.max(result.day).label("last")).where(within(result, scope))
            for result in results()
        )
    ).subquery()
    first, last = connection.execute(sa.select(sa.func.min(ends.c.first), sa.func.max(ends.c.last))).one()
    return (first, last) if first else None


def count(connection: sa.Connection, scope: Scope, *, insights: bool = False) -> dict[str, int]:
    """Return how many rows of each table `remove` would remove, the tables that hold some only."""
    counted = {
        table.name: connection.execute(sa.select(sa.func.count()).select_from(table).where(condition)).scalar_one()
        for table, condition in _chosen(scope, insights)
    }
    return {name: rows for name, rows in counted.items() if rows}


def remove(connection: sa.Connection, scope: Scope, *, assets: Iterable[str], insights: bool = False) -> dict[str, int]:
    """Remove the results in ``scope``, and return how many rows went from which table.

    Parameters
    ----------
    assets : iterable of str
        All that write results: none of them can write until the transaction ends.
    insights : bool
        The insights too, with the ratings that people gave them; those that other code wrote are about no single day, and in
        no scope that limits the days.
    """
    for asset in sorted(assets):  # always in one order: two that remove at a time wait for each other only once
        write.lock(connection, asset)
    removed = {}
    for table, condition in _chosen(scope, insights):
        if table is tables.ai_insights:
            _forget_repeated(connection, condition)
        removed[table.name] = connection.execute(sa.delete(table).where(condition)).rowcount
    return {name: rows for name, rows in removed.items() if rows}


def _chosen(scope: Scope, insights: bool) -> Sequence[tuple[sa.Table, sa.ColumnElement[bool]]]:
    chosen = [(result.table, within(result, scope)) for result in results()]
    if insights:
        said = Results(tables.ai_insights, tables.ai_insights.c.day)
        chosen.append((said.table, within(said, scope)))
    return chosen


def _of_portfolio(table: sa.Table, name: str | None) -> sa.ColumnElement[bool]:
    if name is None:
        return sa.true()
    portfolio, position = tables.portfolios, tables.positions
    called = sa.select(portfolio.c.id).where(portfolio.c.name == name, portfolio.c.deleted_at.is_(None))
    if "portfolio_id" in table.c:
        return table.c.portfolio_id.in_(called)
    if "position_id" not in table.c:
        return sa.false()  # of symbols, which belong to no portfolio
    return table.c.position_id.in_(sa.select(position.c.id).where(position.c.portfolio_id.in_(called)))


def _forget_repeated(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Let insights that repeat one to be removed stand alone: another portfolio's may."""
    table = tables.ai_insights
    gone = sa.select(table.c.id).where(condition).correlate(None)
    connection.execute(sa.update(table).where(table.c.cache_source_id.in_(gone)).values(cache_source_id=None))


def _day(table: sa.Table) -> sa.Column[date]:
    days = [column for column in table.c if isinstance(column.type, sa.Date) and not column.nullable]
    (day,) = days if len(days) == 1 else (column for column in days if column.primary_key)
    return day
