"""Bulk movement between Postgres and data frames: COPY both ways, inside the caller's transaction."""

import io
import re
from typing import Any, BinaryIO, cast

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from psycopg.errors import UntranslatableCharacter

from riskmetrics.errors import DatabaseError, DataQualityError

_ARROW_TYPES: list[tuple[type[sa.types.TypeEngine[Any]], pa.DataType]] = [
    (sa.Double, pa.float64()),
    (sa.Numeric, pa.float64()),
    (sa.Boolean, pa.bool_()),
    (sa.Integer, pa.int64()),
    (sa.Date, pa.timestamp("s")),
]

UNENCODABLE_TEXT_MESSAGE = (
    "the database's encoding lacks a character of a text, and nothing is stored: create a database"
    " with ENCODING 'UTF8'"
)
_FAILED_COLUMN = re.compile(r", column (\w+)")
"""In what Postgres says of where a COPY failed."""

_MIN_ROWS_TO_ANALYZE = 10_000
"""Rows added at once from which on statistics are taken at once."""


def fetch_frame(connection: sa.Connection, statement: sa.Select[Any]) -> pd.DataFrame:
    """Return the rows of a query: numbers as float64 or Int64, dates as datetime64, the rest as strings; NULL as NaN or NA.

    COPY, because fetching tuples row by row is an order of magnitude slower.
    """
    text = io.BytesIO()
    copy_out(connection, statement, text, header=False)
    columns = statement.selected_columns
    table = (
        pa.csv.read_csv(
            pa.BufferReader(text.getbuffer()),
            read_options=pa.csv.ReadOptions(column_names=[column.name for column in columns]),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types={column.name: _arrow_type(column.type) for column in columns},
                true_values=["t"],
                false_values=["f"],
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        if text.tell()
        else pa.schema(
            [(column.name, _arrow_type(column.type)) for column in columns]
        ).empty_table()
    )
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def copy_out(
    connection: sa.Connection, statement: sa.Select[Any], file: BinaryIO, *, header: bool
) -> int:
    """Write the rows of a query into ``file`` as CSV, as Postgres writes it; returns their number."""
    compiled = statement.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    query = f"COPY ({compiled}) TO STDOUT (FORMAT csv, HEADER {header})".encode()
    with driver_connection(connection).cursor() as cursor:
        with cursor.copy(query, compiled.params) as copy:
            for (
                piece
            ) in copy:  # row by row: joining millions of small pieces takes three times as long
                file.write(piece)
        return cursor.rowcount


def copy_in(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, name: str) -> None:
    """COPY ``rows`` into a new temporary table ``name``, whose columns have the types of those of ``table``; NaN and NA as NULL.

    Raises
    ------
    DataQualityError
        If a value does not fit its column, or is infinite.
    DatabaseError
        If the database's encoding lacks a character.
    """
    for column, value in rows.select_dtypes("number").items():
        if np.isinf(value.to_numpy(float, na_value=np.nan)).any():
            raise DataQualityError(
                f"{table.name}.{column}: a value is infinite, and only finite ones are stored"
            )
    columns = ", ".join(f'"{column}"' for column in rows.columns)
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE "{name}" ON COMMIT DROP AS SELECT {columns} FROM "{table.name}"'
        " WITH NO DATA"
    )
    arrow = pa.Table.from_pandas(
        rows, preserve_index=False
    ).combine_chunks()  # pyarrow 26 writes garbage for empty chunks
    for position, field in enumerate(arrow.schema):
        if pa.types.is_timestamp(field.type) and isinstance(
            table.c[field.name].type, sa.Date
        ):  # shorter to write, and to parse
            arrow = arrow.set_column(position, field.name, arrow.column(position).cast(pa.date32()))
    buffer = io.BytesIO()
    pa.csv.write_csv(arrow, buffer, pa.csv.WriteOptions(include_header=False))
    try:
        with (
            driver_connection(connection).cursor() as cursor,
            cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN (FORMAT csv)'.encode()) as copy,
        ):
            copy.write(buffer.getbuffer())
    except UntranslatableCharacter as error:
        raise DatabaseError(f"{table.name}: {UNENCODABLE_TEXT_MESSAGE}") from error
    except psycopg.DataError as error:
        raise DataQualityError(
            f"{table.name}{_failed_column(error)}: {error.diag.message_primary}"
        ) from error
    connection.exec_driver_sql(
        f'ANALYZE "{name}" ("{rows.columns[0]}")'
    )  # its size is what the planner needs


def analyze(connection: sa.Connection, table: sa.Table, n_added: int) -> None:
    """Take statistics of a table that many rows were added to: what reads it next may come sooner than the server's own look at it.

    Without them a join of ten thousand positions with their prices took minutes.
    """
    if n_added >= _MIN_ROWS_TO_ANALYZE:
        connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def _failed_column(error: psycopg.Error) -> str:
    match = _FAILED_COLUMN.search(error.diag.context or "")
    return f".{match[1]}" if match else ""


def server_encoding(connection: sa.Connection) -> str:
    """Return Postgres' name of the database's encoding, such as UTF8 or LATIN1."""
    return driver_connection(connection).info.parameter_status("server_encoding") or ""


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    return next(
        (arrow for sql_type, arrow in _ARROW_TYPES if isinstance(kind, sql_type)), pa.string()
    )


def driver_connection(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one, in the same transaction, which begins here if it has not yet."""
    if not connection.in_transaction():
        # or it would lack the settings that `engine.create_engine` gives each transaction
        connection.begin()
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
