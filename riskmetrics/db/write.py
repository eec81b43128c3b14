"""Write rows: replace, upsert or update the rows of a table, in the caller's transaction.

Rows are copied into a temporary table, then upserted where they differ: equal rows are neither
rewritten nor locked, because index maintenance dominates the cost. Rows that no longer belong to
the scope of a replacement are removed.
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
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.panels import undefined_rows

_ASSET_LOCK_CLASS = 0x5249534B
"""First half of the advisory lock key of an asset: "RISK"."""

_WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""For joins with the temporary table: with the default of 4 MB, 50,000 rows spill to disk."""

_table_numbers = count()


class WriteCounts(NamedTuple):
    """Number of rows that a write changed, removed and left unchanged."""

    changed: int = 0
    removed: int = 0
    unchanged: int = 0


class Provenance(NamedTuple):
    """Dagster run and code version that results come from."""

    dagster_run_id: str
    code_version: str


def lock_asset(connection: sa.Connection, asset: str) -> None:
    """Lock writes of ``asset`` until the end of this transaction."""
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
    """Replace the rows of a table in ``scope`` by ``rows``: upsert different, remove other rows.

    Values are compared as stored, that is rounded; two NULLs are equal. Only rows that differ get a
    new updated_at and ``provenance``.

    Parameters
    ----------
    rows : DataFrame
        Columns are named as in the table; NaN and NA become NULL.
    key : sequence of str
        Columns of a unique constraint that identify a row; not NULL.
    scope : SQL condition on ``table``
        Condition that is true for all of ``rows``, such as the days of a run. Other stored rows
        that meet it are removed.
    provenance : Provenance, optional
        Stored with the rows that differ.

    Raises
    ------
    DataQualityError
        If a value exceeds its column, or is infinite; nothing is written.
    """
    incoming = _stage(connection, table, rows)
    values = {name: incoming.c[name] for name in _value_columns(incoming, key)}
    has_rows = sa.select(sa.exists().select_from(table).where(scope))
    if not connection.execute(has_rows).scalar_one():  # no rows to compare with
        return WriteCounts(_upsert(connection, table, incoming, None, key, values, provenance))
    same = _match_condition(table, incoming, rows, key)
    changed = _upsert(connection, table, incoming, same, key, values, provenance)
    stored: int = connection.execute(
        sa.select(sa.func.count()).select_from(table).where(scope)
    ).scalar_one()
    removed = 0
    # All of `rows` are stored now. Finding other rows by a join takes as long as everything else,
    # so it is done only if there are any.
    if stored > len(rows):
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
    """Insert ``rows`` or update stored rows that differ; nothing is removed.

    A missing value does not replace a stored value.

    Parameters
    ----------
    basis_column : str, optional
        A column that the others depend on: if it changes, missing values do replace stored ones.

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
    """Update the columns of ``rows`` in existing rows that differ.

    For an asset that owns some columns of a shared table. Rows that do not exist are ignored and
    not counted.

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
    """Replace values that exceed their columns by NULL with a reason.

    Otherwise one wrong price would fail the rows of all portfolios. A row is left out, also with a
    reason, if the column must not be NULL.

    Parameters
    ----------
    table : Table
    rows : DataFrame
        Rows to write to ``table``.
    undefined : DataFrame
        Reasons of other undefined values, as `panels.undefined_rows` returns them.
    subject, day : str
        Columns of ``rows`` with the subject and the day of a reason.

    Returns
    -------
    tuple of DataFrame
        The rows that can be written, and all reasons.
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
            f"{{:.3g}} exceeds its column, NUMERIC({kind.precision}, {kind.scale}): check the"
            " price".format
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
    """Return the condition on rows of ``days`` and of portfolios that are not deleted.

    Results of deleted portfolios are out of scope, so they are kept.
    """
    live = sa.select(tables.portfolios.c.id).where(tables.portfolios.c.deleted_at.is_(None))
    position = tables.positions
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
    """Replace the rows of a table with the key (symbol, day) on ``days``."""
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
    """Replace the forecasts of all symbols, or of all portfolios, on ``days``."""
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
    """Replace the scores of the forecasts that are completed on ``days``."""
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
    """Replace the coverage of ``metrics`` on ``days``."""
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
    """Replace the reasons why values of ``metrics`` ('table.column') are NULL on ``days``."""
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
    """Insert new rows of ``incoming`` and update rows that differ; return the number written.

    ``same`` is the condition that a stored row has the key of an incoming row; None if no row is
    stored, except by concurrent transactions.
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
    """Return the condition that a stored row has the key of an incoming row.

    It includes the days and symbols of ``rows``, without which the join would read the whole table.
    """
    conditions = [table.c[name] == incoming.c[name] for name in key]
    for column in (table.c[name] for name in key):
        if isinstance(column.type, sa.Date) and len(rows):
            conditions.append(column.between(rows[column.name].min(), rows[column.name].max()))
        elif column.name == "symbol":
            conditions.append(column == any_of(rows["symbol"].unique()))
    return sa.and_(*conditions)


def _ascending_id(connection: sa.Connection, table: sa.Table) -> dict[str, sa.ColumnElement[Any]]:
    """Return ascending ids if the server supports them: insertion costs half of random ids."""
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
