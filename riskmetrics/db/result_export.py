"""Export result tables to CSV and Parquet files, with all stored decimals."""

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import ARROW_TYPES, arrow_type, copy_out, csv_convert_options
from riskmetrics.db.result_tables import ResultTable, Scope, list_result_tables, scope_condition

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""First characters of text that a spreadsheet evaluates (OWASP, CSV Injection)."""

_ARROW_TYPES = [
    (sa.Date, pa.date32()),
    (sa.DateTime, pa.timestamp("us", "UTC")),
    *ARROW_TYPES,
]


class ExportedTable(NamedTuple):
    """An exported table: its name, file name and number of rows."""

    table: str
    file: str
    rows: int


def file_names(file_format: str) -> list[str]:
    """Return the names of the files that `write_files` writes."""
    return [f"{table.name}.{file_format}" for table, _ in list_result_tables()]


def write_files(
    connection: sa.Connection, scope: Scope, file_format: str, folder: Path
) -> list[ExportedTable]:
    """Write the rows in ``scope`` of each result table to a file in ``folder``.

    Portfolio and symbol precede the columns of a table; removed portfolios are left out. A table
    without rows has a header only. In CSV (UTF-8) NULL is an empty cell, timestamps are UTC, and
    text that a spreadsheet would evaluate, because it begins with = + - @, a tab or a carriage
    return, is prefixed with an apostrophe. Text in Parquet is unchanged.

    Parameters
    ----------
    connection : Connection
        A connection whose transaction has not run a query yet: all files show the same snapshot.
    scope : Scope
    file_format : {"csv", "parquet"}
        Format and extension of the files.
    folder : Path

    Returns
    -------
    list of ExportedTable
    """
    connection.exec_driver_sql("SET LOCAL TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
    connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
    written = []
    for result, name in zip(list_result_tables(), file_names(file_format), strict=True):
        rows = _WRITERS[file_format](connection, _select_rows(result, scope), folder / name)
        written.append(ExportedTable(result.table.name, name, rows))
    return written


def _write_csv(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    return _write_copy(connection, _neutralize_formulas(statement), path)


def _write_parquet(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    """Write a Parquet file in batches from a temporary CSV file, because of limited memory."""
    csv_path = path.with_suffix(".csv")
    rows = _write_copy(connection, statement, csv_path)
    types = {column.name: _exact_type(column.type) for column in statement.selected_columns}
    convert_options = csv_convert_options(types)
    parse_options = pa.csv.ParseOptions(newlines_in_values=True)
    with (
        pa.csv.open_csv(
            csv_path, parse_options=parse_options, convert_options=convert_options
        ) as pieces,
        pa.parquet.ParquetWriter(path, pa.schema(types)) as file,
    ):
        for piece in pieces:
            file.write_batch(piece)
    csv_path.unlink()
    return rows


_WRITERS = {"csv": _write_csv, "parquet": _write_parquet}


def _select_rows(result: ResultTable, scope: Scope) -> sa.Select[Any]:
    table, portfolio, position = result.table, tables.portfolios, tables.positions
    source: sa.FromClause = table
    names: list[sa.ColumnElement[Any]] = []
    is_shown: sa.ColumnElement[bool] = sa.true()
    owner = table.c.get("portfolio_id")
    # the subject of a reason is a position or a portfolio; other results belong to one of them
    position_id = next(
        (
            table.c[name]
            for name in ("position_id", "subject")
            if name in table.c and isinstance(table.c[name].type, sa.Uuid)
        ),
        None,
    )
    if position_id is not None:
        source = source.outerjoin(position, position_id == position.c.id)
        names = [position.c.symbol]
        owner = position.c.portfolio_id if owner is None else owner
    if owner is not None:
        names = [portfolio.c.name.label("portfolio"), *names]
        is_optional = owner.table is table and bool(owner.nullable)
        source = source.join(portfolio, portfolio.c.id == owner, isouter=is_optional)
        is_shown = portfolio.c.deleted_at.is_(None)
    return (
        sa.select(*names, *table.c)
        .select_from(source)
        .where(scope_condition(result, scope), is_shown)
        .order_by(result.day, *names, *table.primary_key.columns)
    )


def _neutralize_formulas(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Prefix text that a spreadsheet would evaluate with an apostrophe."""

    def escape(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        if not isinstance(column.type, sa.String):
            return column
        return sa.case(
            (sa.func.left(column, 1).in_(_FORMULA_PREFIXES), sa.literal("'").concat(column)),
            else_=column,
        ).label(column.name)

    return statement.with_only_columns(*(escape(column) for column in statement.selected_columns))


def _write_copy(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    with path.open("wb") as file:
        return copy_out(connection, statement, file, header=True)


def _exact_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Double):
        return pa.decimal128(kind.precision, kind.scale)
    return arrow_type(kind, _ARROW_TYPES)
