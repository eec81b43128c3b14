"""Writes: the rows of an asset's days become exactly the given rows, in the caller's transaction.

Each goes by COPY into a temporary table, then one statement that touches only what differs: equal rows
are not rewritten (index upkeep is the limit), rows that no longer belong are removed.
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
from riskmetrics.db.copy import load

_ASSET_LOCKS = 0x5249534B
"""First half of the advisory lock key of an asset: "RISK"."""

_BOOKKEEPING = {"id", "created_at", "updated_at", "dagster_run_id", "code_version"}
"""Columns that tell of the write itself: a row that differs only here is the same row."""

_names = count()


class Written(NamedTuple):
    """What a write did to its table, in rows."""

    changed: int = 0
    removed: int = 0
    unchanged: int = 0


class Provenance(NamedTuple):
    """The run and the code that results come from."""

    dagster_run_id: str
    code_version: str


def lock(connection: sa.Connection, asset: str) -> None:
    """Wait until no other transaction writes ``asset``; the lock ends with this transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ASSET_LOCKS, crc32(asset.encode()) - (1 << 31))))


def replace(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    *,
    key: Sequence[str],
    scope: sa.ColumnElement[bool],
    provenance: Provenance | None = None,
) -> Written:
    """Make ``rows`` the whole of the table's ``scope``: remove what is gone, then upsert what differs.

    Parameters
    ----------
    rows : DataFrame
        Columns named as the table's; NaN and NA become NULL.
    key : sequence of str
        Columns of a unique constraint: which row is which.
    scope : SQL condition on ``table``
        The rows that ``rows`` stand for, such as the days of a run.
    """
    incoming = _stage(connection, table, rows)
    same = sa.and_(*(table.c[name] == incoming.c[name] for name in key))
    gone = sa.delete(table).where(scope, ~sa.exists().where(same))
    removed = connection.execute(gone).rowcount
    written = _upsert(connection, table, incoming, key, provenance)
    return written._replace(removed=removed)


def upsert(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, *, key: Sequence[str]) -> Written:
    """Insert ``rows`` or update the ones that differ; nothing is removed."""
    return _upsert(connection, table, _stage(connection, table, rows), key, None)


def update(
    connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, *, key: Sequence[str], provenance: Provenance | None = None
) -> Written:
    """Set the columns of ``rows`` on the rows that exist, where they differ: for an asset that owns columns of a shared row."""
    incoming = _stage(connection, table, rows)
    values = [name for name in rows.columns if name not in key]
    statement = (
        sa.update(table)
        .where(*(table.c[name] == incoming.c[name] for name in key))
        .where(_differs(table, incoming.c, values))
        .values({name: incoming.c[name] for name in values} | _bookkeeping(table, provenance))
    )
    changed = connection.execute(statement).rowcount
    return Written(changed=changed, unchanged=len(rows) - changed)


def coverage(
    connection: sa.Connection, rows: pd.DataFrame, *, metrics: Sequence[str], days: Sequence[date], provenance: Provenance
) -> Written:
    """Make ``rows`` the coverage of ``metrics`` on ``days``."""
    table = tables.portfolio_coverage
    scope = sa.and_(table.c.metric.in_(metrics), table.c.day.in_(days))
    return replace(connection, table, rows, key=("portfolio_id", "day", "metric"), scope=scope, provenance=provenance)


def undefined(
    connection: sa.Connection, rows: pd.DataFrame, *, metrics: Sequence[str], days: Sequence[date], provenance: Provenance
) -> None:
    """Make ``rows`` the reasons why values of ``metrics`` ('table.column') are NULL on ``days``."""
    table = tables.undefined_metrics
    scope = sa.and_(table.c.metric.in_(metrics), table.c.day.in_(days))
    replace(connection, table, rows, key=("metric", "subject", "day"), scope=scope, provenance=provenance)


def _stage(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> sa.TableClause:
    name = f"incoming_{next(_names)}"
    load(connection, table, rows, name)
    return sa.table(name, *(sa.column(column, table.c[column].type) for column in rows.columns))


def _upsert(
    connection: sa.Connection, table: sa.Table, incoming: sa.TableClause, key: Sequence[str], provenance: Provenance | None
) -> Written:
    names = [column.name for column in incoming.c]
    extra = _bookkeeping(table, provenance)
    fresh = {name: value for name, value in extra.items() if name not in names}
    if "id" in table.c and "id" not in names:
        fresh["id"] = sa.func.gen_random_uuid()
    source = sa.select(*incoming.c, *(value.label(name) for name, value in fresh.items()))
    statement = insert(table).from_select([*names, *fresh], source, include_defaults=False)
    values = [name for name in names if name not in key and name not in _BOOKKEEPING]
    statement = (
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={name: statement.excluded[name] for name in values} | extra,
            where=_differs(table, statement.excluded, values),
        )
        if values
        else statement.on_conflict_do_nothing(index_elements=list(key))
    )
    changed = connection.execute(statement).rowcount
    total: int = connection.execute(sa.select(sa.func.count()).select_from(incoming)).scalar_one()
    return Written(changed=changed, unchanged=total - changed)


def _bookkeeping(table: sa.Table, provenance: Provenance | None) -> dict[str, sa.ColumnElement[Any]]:
    known: Mapping[str, sa.ColumnElement[Any]] = {
        name: sa.literal(value) for name, value in (provenance._asdict() if provenance else {}).items()
    }
    touched = {"updated_at": sa.func.now()} if "updated_at" in table.c else {}
    return {**known, **touched}


def _differs(table: sa.Table, other: Any, names: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(table.c[name].is_distinct_from(other[name]) for name in names))
