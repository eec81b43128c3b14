"""Rows of any table of the catalog, their changes between sessions, and their definitions."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import Figure, Unit, all_figures, all_listings, figures_of
from riskmetrics.db import explain_queries, listed_rows, result_queries, result_tables, tables
from riskmetrics.errors import UsageError
from riskmetrics.explain.recalculation import to_json_value
from riskmetrics.mcp_server.identities import Identity
from riskmetrics.text import suggest_name

_LISTED = {listing.table for listing in all_listings()}
_TEXT_UNITS = {Unit.TEXT, Unit.FLAG, Unit.DATE}
_IDENTITY_COLUMNS = {"id", "subject", "position_id", "portfolio_id"}


def list_tables() -> list[str]:
    """Return the tables of figures, by subject."""
    return list(dict.fromkeys(figure.table for figure in all_figures()))


def require_table(name: str) -> None:
    """Raise UsageError unless a table of figures has the name."""
    if name not in list_tables():
        raise UsageError(
            f"there is no table {name}{suggest_name(name, list_tables())}: list_figures lists"
            f" {', '.join(list_tables())}"
        )


def has_one_row(table_name: str) -> bool:
    """Return whether a table has one row per portfolio and session."""
    table = tables.metadata.tables[table_name]
    return table_name == "portfolio_snapshots" or (
        "portfolio_id" in table.c
        and not {"position_id", "symbol"} & set(table.c.keys())
        and not _key_columns(table)
    )


def _key_columns(table: sa.Table) -> list[str]:
    """Return the columns that identify a row within its portfolio and day."""
    day = result_tables.day_column(table).name
    return [
        column.name for column in table.primary_key if column.name not in _IDENTITY_COLUMNS | {day}
    ]


def find_session(connection: sa.Connection, identity: Identity, day: date | None) -> date:
    """Return a session with results of the portfolio, by default its latest."""
    sessions = result_queries.read_sessions(connection, identity.name)
    if not sessions:
        raise UsageError(f"no results of {identity.shown_name} are stored")
    session = day or sessions[-1]
    if session not in sessions:
        nearest = min(sessions, key=lambda each: abs(each - session))
        raise UsageError(
            f"no results of {identity.shown_name} are stored for {session}: sessions are stored"
            f" from {sessions[0]} to {sessions[-1]}; the nearest is {nearest}"
        )
    return session


def read_rows(
    connection: sa.Connection, identity: Identity, table_name: str, day: date, symbol: str | None
) -> list[dict[str, Any]]:
    """Return rows as their listing states, or keys and figures of a table without one."""
    table = tables.metadata.tables[table_name]
    if table_name in _LISTED and symbol is None:
        rows = listed_rows.read_rows(table_name, connection, day, identity.name)
        return to_records(rows.drop(columns="portfolio"))
    stored = explain_queries.read_rows(connection, table, day, identity.id, symbol)
    columns = dict.fromkeys(
        (*_key_columns(table), *(figure.stored_column for figure in figures_of(table_name)))
    )
    names = ["symbol"] * ("position_id" in table.c) + list(columns)
    return [{name: _to_json_value(row[name]) for name in names} for row in stored]


def iterate_changes(
    connection: sa.Connection, identity: Identity, table_name: str, earlier: date, session: date
) -> Iterator[dict[str, Any]]:
    """Yield a record for each number of a table that is defined on one of two sessions."""
    key_columns = _key_columns(tables.metadata.tables[table_name])
    before, after = (
        {
            tuple(row[name] for name in key_columns): row
            for row in read_rows(connection, identity, table_name, day, None)
        }
        for day in (earlier, session)
    )
    for key in dict.fromkeys((*after, *before)):
        for figure in figures_of(table_name):
            values = [rows.get(key, {}).get(figure.column) for rows in (before, after)]
            if figure.unit in _TEXT_UNITS or values == [None, None]:
                continue
            named = identity.show_row(dict(zip(key_columns, key, strict=True)))
            yield {
                "figure": figure.name,
                **({"of": named} if named else {}),
                **definition(figure),
                "before": values[0],
                "after": values[1],
                "change": _difference(*values),
            }


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def definition(figure: Figure) -> dict[str, Any]:
    """Return label, unit and window of a figure."""
    return {
        "label": figure.label,
        "unit": figure.unit.value,
        **({"window": figure.window} if figure.window else {}),
    }


def to_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame with values as JSON has them."""
    return [
        {str(name): _to_json_value(value) for name, value in row.items()}
        for row in rows.astype(object).to_dict("records")
    ]


def _to_json_value(value: Any) -> Any:
    """Return a value as JSON has it: None if it is undefined, infinities as text."""
    if isinstance(value, pd.Timestamp | UUID):
        return str(value.date() if isinstance(value, pd.Timestamp) else value)
    plain = to_json_value(value)
    return str(plain) if isinstance(plain, float) and math.isinf(plain) else plain
