"""Bulk transfer between Postgres and data frames by COPY, in the caller's transaction."""

import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, cast

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from psycopg.errors import UntranslatableCharacter

from riskmetrics.errors import DatabaseError, DataQualityError

ARROW_TYPES: list[tuple[type[sa.types.TypeEngine[Any]], pa.DataType]] = [
    (sa.Double, pa.float64()),
    (sa.Numeric, pa.float64()),
    (sa.Boolean, pa.bool_()),
    (sa.Integer, pa.int64()),
    (sa.Date, pa.timestamp("s")),
]
"""Arrow types of the columns of frames; the first that a column is an instance of."""

UNENCODABLE_TEXT_MESSAGE = (
    "the database encoding cannot store a character of the text; nothing was stored. Create a"
    " database with ENCODING 'UTF8'"
)
_FAILED_COLUMN = re.compile(r", column (\w+)")
"""Find the column in Postgres' context of a failed COPY."""

_MIN_ROWS_TO_ANALYZE = 10_000
"""Number of added rows from which table statistics are updated immediately."""


def fetch_frame(connection: sa.Connection, statement: sa.Select[Any]) -> pd.DataFrame:
    """Return the rows of a query as a data frame.

    COPY is used because fetching tuples row by row is an order of magnitude slower.

    Returns
    -------
    DataFrame
        Numbers are float64 or Int64, dates datetime64, other types strings; NULL is NaN or NA.
    """
    text = io.BytesIO()
    copy_out(connection, statement, text, header=False)
    types = {
        column.name: arrow_type(column.type, ARROW_TYPES) for column in statement.selected_columns
    }
    table = (
        pa.csv.read_csv(
            pa.BufferReader(text.getbuffer()),
            read_options=pa.csv.ReadOptions(column_names=list(types)),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv_convert_options(types),
        )
        if text.tell()
        else pa.schema(types).empty_table()
    )
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def csv_convert_options(types: Mapping[str, pa.DataType]) -> pa.csv.ConvertOptions:
    """Return how Arrow reads Postgres' CSV: booleans are t and f, NULL is empty without quotes."""
    return pa.csv.ConvertOptions(
        column_types=types,
        true_values=["t"],
        false_values=["f"],
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def copy_out(
    connection: sa.Connection, statement: sa.Select[Any], file: BinaryIO, *, header: bool
) -> int:
    """Write the rows of a query to ``file`` in Postgres' CSV format; return their number."""
    return _copy_out(connection, statement, file, f"FORMAT csv, HEADER {header}")


def copy_out_binary(connection: sa.Connection, statement: sa.Select[Any], file: BinaryIO) -> int:
    """Write the rows of a query to ``file`` in Postgres' binary format; return their number."""
    return _copy_out(connection, statement, file, "FORMAT binary")


def _copy_out(
    connection: sa.Connection, statement: sa.Select[Any], file: BinaryIO, options: str
) -> int:
    compiled = statement.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    query = f"COPY ({compiled}) TO STDOUT ({options})".encode()
    with driver_connection(connection).cursor() as cursor:
        with cursor.copy(query, compiled.params) as copy:
            # Row by row: joining millions of small pieces takes three times as long.
            for piece in copy:
                file.write(piece)
        return cursor.rowcount


def copy_in(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, name: str) -> None:
    """COPY rows into a new temporary table with the column types of another table.

    Parameters
    ----------
    connection : Connection
    table : Table
        Table that the column types are taken from.
    rows : DataFrame
        NaN and NA become NULL.
    name : str
        Name of the temporary table.

    Raises
    ------
    DataQualityError
        If a value exceeds its column, or is infinite.
    DatabaseError
        If the encoding of the database cannot store a character.
    """
    columns = ", ".join(f'"{column}"' for column in rows.columns)
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE "{name}" ON COMMIT DROP AS SELECT {columns} FROM "{table.name}"'
        " WITH NO DATA"
    )
    copy_rows(connection, table, rows, {}, name)
    # One column is enough: the planner needs the number of rows.
    connection.exec_driver_sql(f'ANALYZE "{name}" ("{rows.columns[0]}")')


def copy_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    constants: Mapping[str, str],
    target: str | None = None,
) -> None:
    """COPY rows with the same ``constants`` to a table, or to one with its column types.

    See Also
    --------
    copy_in : parameters and errors.
    """
    for column, value in rows.select_dtypes("number").items():
        if np.isinf(value.to_numpy(float, na_value=np.nan)).any():
            raise DataQualityError(
                f"{table.name}.{column}: infinite value; only finite values can be stored"
            )
    # pyarrow 26 writes garbage for empty chunks
    arrow = pa.Table.from_pandas(rows, preserve_index=False).combine_chunks()
    for position, field in enumerate(arrow.schema):
        if pa.types.is_timestamp(field.type) and isinstance(table.c[field.name].type, sa.Date):
            # dates are shorter to write and to parse than timestamps
            arrow = arrow.set_column(position, field.name, arrow.column(position).cast(pa.date32()))
    for name, constant in constants.items():
        arrow = arrow.append_column(name, pa.repeat(constant, len(rows)))
    buffer = io.BytesIO()
    pa.csv.write_csv(arrow, buffer, pa.csv.WriteOptions(include_header=False))
    columns = ", ".join(f'"{column}"' for column in arrow.column_names)
    query = f'COPY "{target or table.name}" ({columns}) FROM STDIN (FORMAT csv)'.encode()
    try:
        with driver_connection(connection).cursor() as cursor, cursor.copy(query) as copy:
            copy.write(buffer.getbuffer())
    except UntranslatableCharacter as error:
        raise DatabaseError(f"{table.name}: {UNENCODABLE_TEXT_MESSAGE}") from error
    except psycopg.DataError as error:
        raise DataQualityError(
            f"{table.name}{_failed_column(error)}: {error.diag.message_primary}"
        ) from error


def analyze(connection: sa.Connection, table: sa.Table, n_added: int) -> None:
    """Update the planner's statistics of a table that many rows were added to.

    The next query may run before autovacuum does: a join of ten thousand positions with their
    prices took minutes.
    """
    if n_added >= _MIN_ROWS_TO_ANALYZE:
        connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def _failed_column(error: psycopg.Error) -> str:
    match = _FAILED_COLUMN.search(error.diag.context or "")
    return f".{match[1]}" if match else ""


def server_encoding(connection: sa.Connection) -> str:
    """Return Postgres' name of the database's encoding, such as UTF8 or LATIN1."""
    return driver_connection(connection).info.parameter_status("server_encoding") or ""


def arrow_type(
    kind: sa.types.TypeEngine[Any],
    types: "Iterable[tuple[type[sa.types.TypeEngine[Any]], pa.DataType]]",
) -> pa.DataType:
    """Return the first of ``types`` that a column's type is an instance of, otherwise string."""
    return next((arrow for sql_type, arrow in types if isinstance(kind, sql_type)), pa.string())


def driver_connection(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection of a SQLAlchemy connection, in the same transaction.

    The transaction begins here if it has not begun.
    """
    if not connection.in_transaction():
        # Without it, the transaction settings of `engine.create_engine` would not be applied.
        connection.begin()
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
