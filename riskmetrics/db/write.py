"""Write rows: replace, upsert or update the rows of a table, in the caller's transaction.

Rows are copied into a temporary table, then upserted where they differ: equal rows are neither
rewritten nor locked, because index maintenance dominates the cost. Rows that no longer belong to
the scope of a replacement are removed. If its scope has no rows, they are copied to the table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import pandas as pd
import psycopg
import sqlalchemy as sa

from riskmetrics.db.copy import analyze, copy_rows
from riskmetrics.db.row_counts import count_rows, has_rows
from riskmetrics.db.staged_rows import (
    differs,
    match_condition,
    stage_rows,
    upsert_staged,
    value_columns,
)

_ASSET_LOCK_CLASS = 0x5249534B
"""First half of the advisory lock key of an asset: "RISK"."""
_SHARD_LOCK_CLASS = _ASSET_LOCK_CLASS + 1
"""That of a shard of an asset: a run waits for its shards while it holds the locks of assets."""


class WriteCounts(NamedTuple):
    """Number of rows that a write changed, removed and left unchanged."""

    changed: int = 0
    removed: int = 0
    unchanged: int = 0


class Provenance(NamedTuple):
    """Dagster run and code version that results come from."""

    dagster_run_id: str
    code_version: str


def lock_asset(connection: sa.Connection, asset: str, shard: str = "") -> None:
    """Lock writes of ``asset``, or of a shard of it, until the end of this transaction."""
    lock_class, name = (
        (_SHARD_LOCK_CLASS, f"{asset} {shard}") if shard else (_ASSET_LOCK_CLASS, asset)
    )
    key = crc32(name.encode()) - (1 << 31)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_class, key)))


def replace_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    key: Sequence[str],
    scope: sa.ColumnElement[bool],
    provenance: Provenance | None = None,
    is_new: bool = False,
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
    is_new : bool
        Whether no row in scope is stored, except by an earlier attempt: none is looked up.

    Raises
    ------
    DataQualityError
        If a value exceeds its column, or is infinite; nothing is written.
    """
    has_none = is_new or not has_rows(connection, table, scope)
    if has_none and not is_new and _copy_new_rows(connection, table, rows, provenance):
        return WriteCounts(len(rows))
    incoming = stage_rows(connection, table, rows)
    values = {name: incoming.c[name] for name in value_columns(incoming, key)}
    bookkeeping = _bookkeeping(table, provenance)
    if has_none:  # no rows to compare with
        return WriteCounts(
            upsert_staged(connection, table, incoming, None, key, values, bookkeeping)
        )
    same = match_condition(table, incoming, rows, key)
    changed = upsert_staged(connection, table, incoming, same, key, values, bookkeeping)
    stored = count_rows(connection, table, scope)
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
    incoming = stage_rows(connection, table, rows)
    values: dict[str, sa.ColumnElement[Any]] = {}
    for name in value_columns(incoming, key):
        incoming_value = incoming.c[name]
        merged_value = sa.func.coalesce(incoming.c[name], table.c[name])
        values[name] = (
            merged_value
            if basis_column is None
            else sa.case(
                (incoming.c[basis_column] == table.c[basis_column], merged_value),
                else_=incoming_value,
            )
        )
    changed = upsert_staged(
        connection,
        table,
        incoming,
        match_condition(table, incoming, rows, key),
        key,
        values,
        _bookkeeping(table, None),
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
    incoming = stage_rows(connection, table, rows)
    same = match_condition(table, incoming, rows, key)
    values = {name: incoming.c[name] for name in value_columns(incoming, key)}
    n_existing = count_rows(connection, incoming.join(table, same))
    statement = (
        sa.update(table)
        .where(same, differs(table, values))
        .values(values | _bookkeeping(table, provenance))
    )
    changed = connection.execute(statement).rowcount
    return WriteCounts(changed, unchanged=n_existing - changed)


def _copy_new_rows(
    connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, provenance: Provenance | None
) -> bool:
    """COPY rows to a table without rows in their scope; return whether they are stored.

    They are not if ids have to be generated in ascending order, or another program has written the
    same rows in the meantime.
    """
    if rows.empty:
        return True
    if "id" in table.c:
        return False
    try:
        with connection.begin_nested():
            copy_rows(connection, table, rows, provenance._asdict() if provenance else {})
    except psycopg.IntegrityError:
        return False
    return True


def _bookkeeping(
    table: sa.Table, provenance: Provenance | None
) -> dict[str, sa.ColumnElement[Any]]:
    """Return provenance and updated_at of a written row, by column."""
    origin: Mapping[str, sa.ColumnElement[Any]] = {
        name: sa.literal(value)
        for name, value in (provenance._asdict() if provenance else {}).items()
    }
    touched = {"updated_at": sa.func.now()} if "updated_at" in table.c else {}
    return {**origin, **touched}
