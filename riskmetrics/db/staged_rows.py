"""Rows copied into a temporary table, to be compared with stored rows and upserted."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db.copy import copy_in
from riskmetrics.db.sql_expressions import any_of

_WORK_MEMORY = "SET LOCAL work_mem = '64MB'"
"""For joins with the temporary table: with the default of 4 MB, 50,000 rows spill to disk."""

_table_numbers = count()


def stage_rows(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame) -> sa.TableClause:
    """Copy rows into a new temporary table, and return it."""
    name = f"incoming_{next(_table_numbers)}"
    copy_in(connection, table, rows, name)
    connection.exec_driver_sql(_WORK_MEMORY)
    return sa.table(name, *(sa.column(column, table.c[column].type) for column in rows.columns))


def upsert_staged(
    connection: sa.Connection,
    table: sa.Table,
    incoming: sa.TableClause,
    same: sa.ColumnElement[bool] | None,
    key: Sequence[str],
    values: Mapping[str, sa.ColumnElement[Any]],
    bookkeeping: Mapping[str, sa.ColumnElement[Any]],
) -> int:
    """Insert new rows of ``incoming`` and update rows that differ; return the number written.

    ``same`` is the condition that a stored row has the key of an incoming row; None if no row is
    stored, except by concurrent transactions. ``bookkeeping`` is written with the values, but not
    compared.
    """
    new = _ascending_id(connection, table)
    selected = {**{name: incoming.c[name] for name in key}, **values, **bookkeeping, **new}
    source = sa.select(*(value.label(name) for name, value in selected.items()))
    if same is not None:
        joined = incoming.outerjoin(table, same)
        source = source.select_from(joined).where(
            sa.or_(table.c[key[0]].is_(None), differs(table, values))
        )
    statement = insert(table).from_select(list(selected), source, include_defaults=False)
    statement = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: statement.excluded[name] for name in (*values, *bookkeeping)},
    )
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def match_condition(
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


def value_columns(incoming: sa.TableClause, key: Sequence[str]) -> list[str]:
    """Return the names of the columns that are not part of the key."""
    return [column.name for column in incoming.c if column.name not in key]


def differs(table: sa.Table, values: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[bool]:
    """Return the condition that a stored row differs from values; two NULLs are equal."""
    return sa.or_(
        sa.false(), *(table.c[name].is_distinct_from(value) for name, value in values.items())
    )
