"""Write the computed rows of an asset: its tables, the coverage and the reasons of NULLs."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.result_tables import day_column
from riskmetrics.db.row_counts import has_rows
from riskmetrics.db.shards import Shard, has_portfolio, has_position
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.write import Provenance, WriteCounts, replace_rows, update_rows
from riskmetrics.results.undefined_reasons import undefined_rows


class Subjects(Enum):
    """Whose rows an asset replaces in a table that has rows of portfolios and of symbols."""

    ALL = "all"
    PORTFOLIOS = "portfolios"
    SYMBOLS = "symbols"


class TableRows(NamedTuple):
    """Rows that an asset computed for a table, on the sessions of a run."""

    table: sa.Table
    rows: pd.DataFrame
    """Columns are named as in the table; NaN and NA become NULL."""
    undefined: pd.DataFrame | None = None
    """Rows of `undefined_metrics`; None: the table has a column of reasons."""
    undefined_metrics: Sequence[str] = ()
    """'table.column' of every value that ``undefined`` may explain."""
    subjects: Subjects = Subjects.ALL
    day: str | None = None
    """Column with the session of the run; default: the day column of the table."""
    condition: sa.ColumnElement[bool] | None = None
    """Condition that identifies the rows of the asset in a table that others write too."""
    is_update: bool = False
    """Whether the asset owns some columns of rows that another asset writes."""

    @property
    def session_column(self) -> str:
        """Return the name of the column with the session of the run."""
        return self.day or day_column(self.table).name


class Part(NamedTuple):
    """A part of the book, whose rows are replaced; by default the whole book."""

    shard: Shard | None = None
    new_tables: frozenset[str] = frozenset()
    """Tables that had no row of the sessions when the run began (`find_new_tables`)."""


WHOLE_BOOK = Part()


class Computed(NamedTuple):
    """All that an asset computed for the sessions of a run."""

    tables: Sequence[TableRows]
    """The first is described in the metadata of the materialization."""
    coverage: pd.DataFrame | None = None
    """Rows of `portfolio_coverage`."""
    coverage_metrics: Sequence[str] = ()


def write_computed(
    connection: sa.Connection,
    computed: Computed,
    sessions: Sequence[date],
    provenance: Provenance,
    part: Part = WHOLE_BOOK,
) -> list[tuple[TableRows, WriteCounts]]:
    """Write what an asset computed for ``sessions``, in the caller's transaction.

    Only rows of ``part`` are replaced.

    Returns
    -------
    list of tuple of TableRows and WriteCounts
        What was written to each table: values that exceed their columns are NULL, with a reason.
    """
    written = [
        _write_table(connection, rows, sessions, provenance, part) for rows in computed.tables
    ]
    if computed.coverage is not None:
        replace_metric_rows(
            connection,
            tables.portfolio_coverage,
            computed.coverage,
            metrics=computed.coverage_metrics,
            sessions=sessions,
            provenance=provenance,
            part=part,
        )
    return written


def _write_table(
    connection: sa.Connection,
    computed: TableRows,
    sessions: Sequence[date],
    provenance: Provenance,
    part: Part,
) -> tuple[TableRows, WriteCounts]:
    table, key = computed.table, row_key(computed.table)
    if computed.undefined is not None:
        subject = "position_id" if "position_id" in table.c else "portfolio_id"
        rows, undefined = null_out_of_range(
            table, computed.rows, computed.undefined, subject=subject, day=computed.session_column
        )
        computed = computed._replace(rows=rows, undefined=undefined)
        replace_metric_rows(
            connection,
            tables.undefined_metrics,
            undefined,
            metrics=[
                *computed.undefined_metrics,
                *(f"{table.name}.{column.name}" for column, _ in _limits(table, rows.columns)),
            ],
            sessions=sessions,
            provenance=provenance,
            part=part,
        )
    rows = computed.rows
    if "portfolio_id" not in table.c:  # reasons of positions name their portfolio, rows do not
        rows = rows.drop(columns="portfolio_id", errors="ignore")
    if computed.is_update:
        counts = update_rows(connection, table, rows, key=key, provenance=provenance)
    else:
        scope = scope_of_sessions(
            table.c[computed.session_column], sessions, computed.subjects, part.shard
        )
        if computed.condition is not None:
            scope = sa.and_(scope, computed.condition)
        counts = replace_rows(
            connection,
            table,
            rows,
            key=key,
            scope=scope,
            provenance=provenance,
            is_new=table.name in part.new_tables,
        )
    return computed, counts


def row_key(table: sa.Table) -> list[str]:
    """Return the columns that identify a result: the primary key, or else the unique constraint."""
    names = [column.name for column in table.primary_key]
    if names != ["id"]:
        return names
    (unique,) = (
        constraint
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    )
    return [column.name for column in unique.columns]


def scope_of_sessions(
    column: sa.Column[date],
    sessions: Sequence[date],
    subjects: Subjects = Subjects.ALL,
    shard: Shard | None = None,
) -> sa.ColumnElement[bool]:
    """Return the condition on rows of ``sessions``, of symbols and of portfolios in use.

    Results of deleted portfolios are out of scope, so they are kept. So are rows of other shards.
    """
    table = column.table
    in_sessions = column == any_of(sessions, sa.Date)
    if shard is not None and not shard.is_of_portfolios:
        return sa.and_(in_sessions, _scope_of_symbols(table, subjects, shard))
    live = _live_portfolios(shard)
    if "portfolio_id" in table.c:
        owner = table.c.portfolio_id
        if subjects is Subjects.SYMBOLS:
            return sa.and_(in_sessions, owner.is_(None))
        has_symbols = shard is None or shard.has_subjects_without_portfolio
        if subjects is Subjects.ALL and owner.nullable and has_symbols:
            return sa.and_(in_sessions, sa.or_(owner.is_(None), owner.in_(live)))
        return sa.and_(in_sessions, owner.in_(live))
    if "position_id" in table.c:
        return sa.and_(in_sessions, table.c.position_id.in_(_positions_in_use(live)))
    return in_sessions


def _scope_of_symbols(
    table: sa.FromClause, subjects: Subjects, shard: Shard
) -> sa.ColumnElement[bool]:
    """Return the condition on rows of the symbols of a shard, and of positions by their symbol."""
    if "symbol" in table.c and "portfolio_id" not in table.c:
        return shard.contains(table.c.symbol)
    if subjects is Subjects.SYMBOLS:
        return sa.and_(table.c.portfolio_id.is_(None), shard.contains(table.c.subject))
    held = _positions_in_use(_live_portfolios(None), shard)
    if "position_id" in table.c:
        return table.c.position_id.in_(held)
    return table.c.subject.in_(held)  # reasons of undefined values of positions


def _live_portfolios(shard: Shard | None) -> "sa.Select[tuple[object]]":
    portfolio = tables.portfolios
    return sa.select(portfolio.c.id).where(portfolio.c.deleted_at.is_(None), has_portfolio(shard))


def _positions_in_use(
    live: "sa.Select[tuple[object]]", shard: Shard | None = None
) -> "sa.Select[tuple[object]]":
    position = tables.positions
    return sa.select(position.c.id).where(position.c.portfolio_id.in_(live), has_position(shard))


def replace_metric_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    metrics: Sequence[str],
    sessions: Sequence[date],
    provenance: Provenance,
    part: Part = WHOLE_BOOK,
) -> WriteCounts:
    """Replace the rows of ``metrics`` on ``sessions``, in a table of coverage or of reasons."""
    in_scope = scope_of_sessions(table.c.day, sessions, shard=part.shard)
    return replace_rows(
        connection,
        table,
        rows,
        key=row_key(table),
        scope=sa.and_(table.c.metric.in_(metrics), in_scope),
        provenance=provenance,
        is_new=table.name in part.new_tables,
    )


def find_new_tables(
    connection: sa.Connection, candidates: Iterable[sa.Table], sessions: Sequence[date]
) -> frozenset[str]:
    """Return the names of result tables without a row of ``sessions``.

    Whether a shard has rows takes as long to find out as its rows to insert, because the rows of
    other shards have to be left out.
    """
    return frozenset(
        table.name
        for table in candidates
        if not has_rows(connection, table, scope_of_sessions(day_column(table), sessions))
    )


def null_out_of_range(
    table: sa.Table, rows: pd.DataFrame, undefined: pd.DataFrame, *, subject: str, day: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace values that exceed their columns by NULL with a reason.

    Otherwise one wrong price would fail the rows of all portfolios. A row is left out, also with a
    reason, if the column must not be NULL.

    Parameters
    ----------
    table : Table
    rows : DataFrame
        Rows to write to ``table``.
    undefined : DataFrame
        Reasons of other undefined values: rows as from `undefined_reasons.undefined_rows`.
    subject, day : str
        Columns of ``rows`` with the subject and the day of a reason.

    Returns
    -------
    tuple of DataFrame
        The rows that can be written, and all reasons.
    """
    reasons = [undefined]
    for column, limit in _limits(table, rows.columns):
        is_out_of_range = rows[column.name].abs() >= limit
        if not is_out_of_range.any():
            continue
        reason_texts = rows.loc[is_out_of_range, column.name].map(
            f"{{:.3g}} exceeds its column, {column.type}: check the price".format
        )
        rows = rows.assign(**{column.name: rows[column.name].mask(is_out_of_range)})
        reasons.append(
            undefined_rows(
                rows[is_out_of_range],
                table.name,
                {column.name: reason_texts},
                subject=subject,
                day=day,
            )
        )
        rows = rows if column.nullable else rows[~is_out_of_range]
    return rows, pd.concat(reasons, ignore_index=True)


def _limits(table: sa.Table, names: Iterable[Hashable]) -> Iterator[tuple[sa.Column[Any], float]]:
    """Yield the columns of a table among ``names`` that overflow, and the first value that does."""
    for column in (table.c[name] for name in map(str, names) if name in table.c):
        kind = column.type
        if isinstance(kind, sa.Numeric) and kind.precision is not None and kind.scale is not None:
            yield column, 10 ** (kind.precision - kind.scale) - 10**-kind.scale
