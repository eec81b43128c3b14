"""Writes: the rows of an asset's days become exactly the given rows, in the caller's transaction.

Each goes by COPY into a temporary table, then one upsert that touches only what differs: equal rows
are neither rewritten nor locked (index upkeep is the limit), rows that no longer belong are
removed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from typing import Any, NamedTuple
from zlib import crc32

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db import tables
from riskmetrics.db.copy import analyze, copy_in
from riskmetrics.db.input_queries import any_of
from riskmetrics.panels import undefined_rows

_ASSET_LOCK_CLASS = 0x5249534B
"""First half of the advisory lock key of an asset: "RISK"."""

_WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""For the joins with the temporary table: the default of 4 MB spills them to disk from some 50,000 rows on."""

_table_numbers = count()


class WriteCounts(NamedTuple):
    """What a write did to its table, in rows."""

    changed: int = 0
    removed: int = 0
    unchanged: int = 0


class Provenance(NamedTuple):
    """The run and the code that results come from."""

    dagster_run_id: str
    code_version: str


def lock_asset(connection: sa.Connection, asset: str) -> None:
    """Wait until no other transaction writes ``asset``; the lock ends with this transaction."""
    connection.execute(
        sa.select(
            sa.func.pg_advisory_xact_lock(_ASSET_LOCK_CLASS, crc32(asset.encode()) - (1 << 31))
        )
    )


def replace_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    key: Sequence[str],
    scope: sa.ColumnElement[bool],
    provenance: Provenance | None = None,
) -> WriteCounts:
    """Make ``rows`` the whole of the table's ``scope``: upsert what differs, then remove what is gone.

    Values are compared as the table holds them, that is rounded; two NULLs are equal. Only a row
    that differs gets a new updated_at and ``provenance``.

    Parameters
    ----------
    rows : DataFrame
        Columns named as the table's; NaN and NA become NULL.
    key : sequence of str
        Columns of a unique constraint, none of them NULL: which row is which.
    scope : SQL condition on ``table``
        The rows that ``rows`` stand for, all of them among it, such as the days of a run.

    Raises
    ------
    DataQualityError
        If a value does not fit its column, or is infinite; nothing is written then.
    """
    incoming = _stage(connection, table, rows)
    values = {name: incoming.c[name] for name in _value_columns(incoming, key)}
    has_rows = sa.select(sa.exists().select_from(table).where(scope))
    if not connection.execute(
        has_rows
    ).scalar_one():  # then there is nothing to look each row up in
        return WriteCounts(_upsert(connection, table, incoming, None, key, values, provenance))
    same = _match_condition(table, incoming, rows, key)
    changed = _upsert(connection, table, incoming, same, key, values, provenance)
    stored: int = connection.execute(
        sa.select(sa.func.count()).select_from(table).where(scope)
    ).scalar_one()
    removed = 0
    if stored > len(
        rows
    ):  # all of ours are there by now: to look for others by a join costs as much as the rest
        removed = connection.execute(
            sa.delete(table).where(scope, ~sa.exists().where(same))
        ).rowcount
    return WriteCounts(changed, removed, len(rows) - changed)


def upsert_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    key: Sequence[str],
    basis_column: str | None = None,
) -> WriteCounts:
    """Insert ``rows`` or update the ones that differ; nothing is removed, and a missing value never replaces a stored one.

    Parameters
    ----------
    basis_column : str, optional
        A column that the others go with: where it changes, what is missing becomes NULL after all.

    See Also
    --------
    replace_rows : the other parameters, and errors.
    """
    incoming = _stage(connection, table, rows)
    values: dict[str, sa.ColumnElement[Any]] = {}
    for name in _value_columns(incoming, key):
        incoming_value, merged_value = (
            incoming.c[name],
            sa.func.coalesce(incoming.c[name], table.c[name]),
        )
        values[name] = (
            merged_value
            if basis_column is None
            else sa.case(
                (incoming.c[basis_column] == table.c[basis_column], merged_value),
                else_=incoming_value,
            )
        )
    changed = _upsert(
        connection, table, incoming, _match_condition(table, incoming, rows, key), key, values, None
    )
    analyze(connection, table, changed)
    return WriteCounts(changed, unchanged=len(rows) - changed)


def update_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    key: Sequence[str],
    provenance: Provenance | None = None,
) -> WriteCounts:
    """Set the columns of ``rows`` on the rows that exist, where they differ: for an asset that owns columns of a shared row.

    A row that does not exist is not counted either.

    See Also
    --------
    replace_rows : parameters and errors.
    """
    incoming = _stage(connection, table, rows)
    same, values = (
        _match_condition(table, incoming, rows, key),
        {name: incoming.c[name] for name in _value_columns(incoming, key)},
    )
    n_existing: int = connection.execute(
        sa.select(sa.func.count()).select_from(incoming.join(table, same))
    ).scalar_one()
    statement = (
        sa.update(table)
        .where(same, _differs(table, values))
        .values(values | _bookkeeping(table, provenance))
    )
    changed = connection.execute(statement).rowcount
    return WriteCounts(changed, unchanged=n_existing - changed)


def null_out_of_range(
    table: sa.Table, rows: pd.DataFrame, undefined: pd.DataFrame, *, subject: str, day: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make NULL, with its reason, what is too large for its column: one wild price must not stop everybody's rows.

    A row in which such a column may not be NULL is left out, with the reason too.
    """
    reasons = [undefined]
    for column in (table.c[name] for name in rows.columns if name in table.c):
        kind = column.type
        if not isinstance(kind, sa.Numeric) or kind.precision is None or kind.scale is None:
            continue
        is_out_of_range = (
            rows[column.name].abs() >= 10 ** (kind.precision - kind.scale) - 10**-kind.scale
        )
        if not is_out_of_range.any():
            continue
        reason_texts = rows.loc[is_out_of_range, column.name].map(
            f"{{:.3g}} does not fit its column, NUMERIC({kind.precision}, {kind.scale}): is a price"
            " wrong?".format
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


def scope_of_days(column: sa.ColumnElement[date], days: Sequence[date]) -> sa.ColumnElement[bool]:
    """Return the scope of a run's rows: those of ``days`` and of portfolios that are not deleted; a deleted one's results stay."""
    live, position = (
        sa.select(tables.portfolios.c.id).where(tables.portfolios.c.deleted_at.is_(None)),
        tables.positions,
    )
    if "portfolio_id" in column.table.c:
        return sa.and_(column.in_(days), column.table.c.portfolio_id.in_(live))
    return sa.and_(
        column.in_(days),
        column.table.c.position_id.in_(
            sa.select(position.c.id).where(position.c.portfolio_id.in_(live))
        ),
    )


def replace_symbol_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    days: Sequence[date],
    provenance: Provenance,
) -> WriteCounts:
    """Make ``rows`` the whole of a table of symbols (symbol, day) on ``days``."""
    return replace_rows(
        connection,
        table,
        rows,
        key=("symbol", "day"),
        scope=table.c.day.in_(days),
        provenance=provenance,
    )


def replace_forecasts(
    connection: sa.Connection,
    rows: pd.DataFrame,
    *,
    is_of_portfolios: bool,
    days: Sequence[date],
    provenance: Provenance,
) -> WriteCounts:
    """Make ``rows`` the forecasts of all symbols, or of all portfolios, on ``days``."""
    table = tables.volatility_forecasts
    scope = (
        scope_of_days(table.c.day, days)
        if is_of_portfolios
        else sa.and_(table.c.day.in_(days), table.c.portfolio_id.is_(None))
    )
    return replace_rows(
        connection, table, rows, key=("subject", "day"), scope=scope, provenance=provenance
    )


def replace_forecast_scores(
    connection: sa.Connection, rows: pd.DataFrame, *, days: Sequence[date], provenance: Provenance
) -> WriteCounts:
    """Make ``rows`` the scores of the forecasts that are complete on ``days``."""
    table = tables.har_forecast_scores
    live = sa.or_(table.c.portfolio_id.is_(None), scope_of_days(table.c.completed_on, days))
    return replace_rows(
        connection,
        table,
        rows,
        key=("subject", "day"),
        scope=sa.and_(table.c.completed_on.in_(days), live),
        provenance=provenance,
    )


def replace_coverage(
    connection: sa.Connection,
    rows: pd.DataFrame,
    *,
    metrics: Sequence[str],
    days: Sequence[date],
    provenance: Provenance,
) -> WriteCounts:
    """Make ``rows`` the coverage of ``metrics`` on ``days``."""
    table = tables.portfolio_coverage
    scope = sa.and_(table.c.metric.in_(metrics), scope_of_days(table.c.day, days))
    return replace_rows(
        connection,
        table,
        rows,
        key=("portfolio_id", "day", "metric"),
        scope=scope,
        provenance=provenance,
    )


def replace_undefined_reasons(
    connection: sa.Connection,
    rows: pd.DataFrame,
    *,
    metrics: Sequence[str],
    days: Sequence[date],
    provenance: Provenance,
) -> None:
    """Make ``rows`` the reasons why values of ``metrics`` ('table.column') are NULL on ``days``."""
    table = tables.undefined_metrics
    scope = sa.and_(table.c.metric.in_(metrics), scope_of_days(table.c.day, days))
    replace_rows(
        connection,
        table,
        rows,
        key=("metric", "subject", "day"),
        scope=scope,
        provenance=provenance,
    )


def _stage(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> sa.TableClause:
    name = f"incoming_{next(_table_numbers)}"
    copy_in(connection, table, rows, name)
    connection.exec_driver_sql(_WORK_MEMORY)
    return sa.table(name, *(sa.column(column, table.c[column].type) for column in rows.columns))


def _upsert(
    connection: sa.Connection,
    table: sa.Table,
    incoming: sa.TableClause,
    same: sa.ColumnElement[bool] | None,
    key: Sequence[str],
    values: Mapping[str, sa.ColumnElement[Any]],
    provenance: Provenance | None,
) -> int:
    """Insert what is new of ``incoming`` and set ``values`` where they differ; returns the number of rows written.

    ``same`` tells which stored row is which incoming one; None where nothing is stored, unless
    another transaction is storing it.
    """
    extra, new = _bookkeeping(table, provenance), _ascending_id(connection, table)
    selected = {**{name: incoming.c[name] for name in key}, **values, **extra, **new}
    source = sa.select(*(value.label(name) for name, value in selected.items()))
    if same is not None:
        joined = incoming.outerjoin(table, same)
        source = source.select_from(joined).where(
            sa.or_(table.c[key[0]].is_(None), _differs(table, values))
        )
    statement = insert(table).from_select(list(selected), source, include_defaults=False)
    statement = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in (*values, *extra)},
    )
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def _match_condition(
    table: sa.Table, incoming: sa.TableClause, rows: pd.DataFrame, key: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Which stored row is which incoming one; the days and symbols of ``rows`` are spelt out, or the join reads the whole table."""
    conditions = [table.c[name] == incoming.c[name] for name in key]
    for column in (table.c[name] for name in key):
        if isinstance(column.type, sa.Date) and len(rows):
            conditions.append(column.between(rows[column.name].min(), rows[column.name].max()))
        elif column.name == "symbol":
            conditions.append(column == any_of(rows["symbol"].unique()))
    return sa.and_(*conditions)


def _ascending_id(connection: sa.Connection, table: sa.Table) -> dict[str, sa.ColumnElement[Any]]:
    """Ids that ascend, where the server can make them: into a large index they go at half the cost of random ones."""
    has_uuidv7 = (connection.dialect.server_version_info or (0,)) >= (18,)
    return {"id": sa.func.uuidv7()} if has_uuidv7 and "id" in table.c else {}


def _value_columns(incoming: sa.TableClause, key: Sequence[str]) -> list[str]:
    return [column.name for column in incoming.c if column.name not in key]


def _bookkeeping(
    table: sa.Table, provenance: Provenance | None
) -> dict[str, sa.ColumnElement[Any]]:
    origin: Mapping[str, sa.ColumnElement[Any]] = {
        name: sa.literal(value)
        for name, value in (provenance._asdict() if provenance else {}).items()
    }
    touched = {"updated_at": sa.func.now()} if "updated_at" in table.c else {}
    return {**origin, **touched}


def _differs(
    table: sa.Table, values: Mapping[str, sa.ColumnElement[Any]]
) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.false(), *(table.c[name].is_distinct_from(value) for name, value in values.items())
    )
