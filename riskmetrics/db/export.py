"""Tables of results as files: CSV as Postgres writes it, and Parquet of the same values; every decimal as it is stored."""

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.computed import Results, Scope, results, within
from riskmetrics.db.copy import save

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of text that a spreadsheet evaluates (OWASP, CSV Injection)."""

_TYPES: list[tuple[type[sa.types.TypeEngine[Any]], pa.DataType]] = [
    (sa.Double, pa.float64()),
    (sa.Integer, pa.int64()),
    (sa.Boolean, pa.bool_()),
    (sa.Date, pa.date32()),
    (sa.DateTime, pa.timestamp("us", "UTC")),
]


class Exported(NamedTuple):
    """What was written of a table."""

    table: str
    file: str
    rows: int


def names(form: str) -> list[str]:
    """Return the names of the files that `write` makes."""
    return [f"{table.name}.{form}" for table, _ in results()]


def write(connection: sa.Connection, scope: Scope, form: str, folder: Path) -> list[Exported]:
    """Write a file per table of results into ``folder``, of the rows in ``scope``; a table without any has the header alone.

    Portfolio and symbol stand before a table's own columns; a portfolio that was removed is left out, as everywhere.
    In CSV (UTF-8) NULL is an empty cell, instants are UTC, and text that begins with = + - @, a tab or a carriage return,
    which a spreadsheet would evaluate, has an apostrophe before it. Parquet has text as it is.

    Parameters
    ----------
    connection : Connection
        Its transaction must not have read yet: all files show one instant.
    form : {"csv", "parquet"}
        Kind of file, and the end of its name.
    """
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
    connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
    written = []
    for result, name in zip(results(), names(form), strict=True):
        rows = _WRITERS[form](connection, _rows(result, scope), folder / name)
        written.append(Exported(result.table.name, name, rows))
    return written


def _csv(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    return _copy(connection, _harmless(statement), path)


def _parquet(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    """Write by way of a CSV file and in pieces: a range of sessions may not fit in memory."""
    plain = path.with_suffix(".csv")
    rows = _copy(connection, statement, plain)
    types = {column.name: _arrow_type(column.type) for column in statement.selected_columns}
    converting = pa.csv.ConvertOptions(
        column_types=types,
        true_values=["t"],
        false_values=["f"],
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parsing = pa.csv.ParseOptions(newlines_in_values=True)
    with (
        pa.csv.open_csv(plain, parse_options=parsing, convert_options=converting) as pieces,
        pa.parquet.ParquetWriter(path, pa.schema(types)) as file,
    ):
        for piece in pieces:
            file.write_batch(piece)
    plain.unlink()
    return rows


_WRITERS = {"csv": _csv, "parquet": _parquet}


def _rows(result: Results, scope: Scope) -> sa.Select[Any]:
    table, portfolio, position = result.table, tables.portfolios, tables.positions
    # what a reason is about is a position or the portfolio itself; the other results are of one or of the other
    about = next(
        (table.c[name] for name in ("position_id", "subject") if name in table.c and isinstance(table.c[name].type, sa.Uuid)), None
    )
    source, columns = sa.join(table, position, about == position.c.id, isouter=True) if about is not None else table, [*table.c]
    if about is None and "portfolio_id" not in table.c:
        return sa.select(table).where(within(result, scope)).order_by(result.day, *table.primary_key.columns)
    of = table.c.portfolio_id if "portfolio_id" in table.c else position.c.portfolio_id
    names = [portfolio.c.name.label("portfolio"), *([position.c.symbol] if about is not None else [])]
    return (
        sa.select(*names, *columns)
        .select_from(source.join(portfolio, portfolio.c.id == of, isouter=of.table is table and bool(of.nullable)))
        .where(within(result, scope), portfolio.c.deleted_at.is_(None))
        .order_by(result.day, *names, *table.primary_key.columns)
    )


def _harmless(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Put an apostrophe before text that a spreadsheet would evaluate."""

    def guarded(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        if not isinstance(column.type, sa.String):
            return column
        return sa.case((sa.func.left(column, 1).in_(_FORMULA), sa.literal("'").concat(column)), else_=column).label(column.name)

    return statement.with_only_columns(*(guarded(column) for column in statement.selected_columns))


def _copy(connection: sa.Connection, statement: sa.Select[Any], path: Path) -> int:
    with path.open("wb") as file:
        return save(connection, statement, file, header=True)


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Double):
        return pa.decimal128(kind.precision, kind.scale)
    return next((arrow for known, arrow in _TYPES if isinstance(kind, known)), pa.string())
