"""Run a user's query: one SELECT in a read-only transaction, with limits on time and size."""

import re
from typing import Any

import pandas as pd
import psycopg
import sqlalchemy as sa

from riskmetrics.db import copy
from riskmetrics.db.tables import metadata
from riskmetrics.deadlines import Deadline
from riskmetrics.errors import QueryError
from riskmetrics.size_limits import MEGABYTE
from riskmetrics.text import suggest_name

CELL_BYTES = 100
"""Approximate memory of a value in Python in addition to its text, bytes."""

_MEASURE = """
SELECT riskmetrics_measured.riskmetrics_bytes, riskmetrics_kept.*
FROM (
    SELECT riskmetrics_row, sum(
        {row_bytes}::bigint + CASE
            WHEN pg_column_size(riskmetrics_row.*) > {max_bytes}
            THEN pg_column_size(riskmetrics_row.*)
            ELSE octet_length((riskmetrics_row.*)::text)
        END
    ) OVER (ROWS UNBOUNDED PRECEDING) AS riskmetrics_bytes
    FROM (SELECT * FROM (
{query}
) AS riskmetrics_query OFFSET 0) AS riskmetrics_row
) AS riskmetrics_measured
LEFT JOIN LATERAL (
    SELECT (riskmetrics_measured.riskmetrics_row).*
    WHERE riskmetrics_measured.riskmetrics_bytes <= {max_bytes}
) AS riskmetrics_kept ON TRUE
"""
"""Adds the cumulative size to each row, and empties the rows beyond the limit.

The server must do this because libpq reads a row completely, however large it is. `OFFSET 0` keeps
the server from evaluating the columns of the query more than once.
"""

_ADVICE_ON_SIZE = "Add LIMIT, select fewer columns, or raise RISKMETRICS_MAX_RESULT_MB"

_ADVICE_ON_NAMES = (
    "List tables and views with SELECT table_name FROM information_schema.tables WHERE"
    " table_schema = current_schema()"
)


def run_query(
    connection: sa.Connection,
    query: str,
    timeout: int,
    max_bytes: int,
) -> pd.DataFrame:
    """Return the rows of a query, run in a read-only transaction.

    The query is run by a cursor: Postgres' grammar then allows one SELECT, VALUES, TABLE or WITH
    that modifies nothing, but no COPY, DO or SET, and no second statement. The privileges of the
    role limit what functions in the query can do. Roll the transaction back: Postgres sends
    notifications (`pg_notify`) when a transaction commits, even a read-only one.

    Parameters
    ----------
    connection : Connection
        A connection whose transaction has not run a query yet.
    query : str
    timeout : int
        Seconds after which the server ends the query, counted from its start to its last row.
    max_bytes : int
        Maximum size of the result: the text of its rows plus `CELL_BYTES` for each value.

    Returns
    -------
    DataFrame
        Values as returned by psycopg; NULL is None.

    Raises
    ------
    QueryError
        If Postgres refuses the query or ends it, the result is larger than ``max_bytes``, or two
        columns have the same name.
    """
    connection.execute(sa.text("SET LOCAL TRANSACTION READ ONLY"))
    connection.execute(sa.text("SET LOCAL cursor_tuple_fraction = 1"))  # every row is fetched
    deadline = Deadline.from_now(timeout)
    try:
        names = _read_column_names(connection, query, deadline)
        measured = _MEASURE.format(
            query=re.sub(r"[\s;]+\Z", "", query),
            row_bytes=CELL_BYTES * len(names),
            max_bytes=max_bytes,
        )
        rows = _fetch_rows(connection, measured, deadline, max_bytes)
    except psycopg.Error as error:
        reason = error.diag.message_primary or error
        raise QueryError(f"The query failed: {reason}{_advice(error, timeout)}") from None
    return pd.DataFrame(rows, columns=names, dtype=object)


def _read_column_names(connection: sa.Connection, query: str, deadline: Deadline) -> list[str]:
    """Return the column names of a query without running it; psycopg.Error if it is invalid."""
    _limit_time(connection, deadline)
    with copy.driver_connection(connection).cursor("riskmetrics_query") as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
    if len(set(names)) < len(names):
        raise QueryError(
            f"Two columns have the same name ({', '.join(names)}). Rename one with AS."
        )
    return names


def _fetch_rows(
    connection: sa.Connection,
    measured: str,
    deadline: Deadline,
    max_bytes: int,
) -> list[tuple[Any, ...]]:
    """Return the rows of a query wrapped in `_MEASURE`; QueryError if they are too large."""
    rows: list[tuple[Any, ...]] = []
    with copy.driver_connection(connection).cursor("riskmetrics_result") as cursor:
        _limit_time(connection, deadline)
        cursor.execute(measured.encode())
        # Each FETCH is a statement with its own time limit, which is set to the remaining time. The
        # first ones are small, because rows beyond the size limit are computed in vain.
        n_requested = n_read = 1
        while n_read == n_requested:
            n_requested = len(rows) + 1
            _limit_time(connection, deadline)
            batch = cursor.fetchmany(n_requested)
            n_read = len(batch)
            if batch and batch[-1][0] > max_bytes:
                raise QueryError(
                    f"The result has more than {max_bytes / MEGABYTE:,.4g} MB. {_ADVICE_ON_SIZE}",
                )
            rows.extend(row[1:] for row in batch)
    return rows


def _limit_time(connection: sa.Connection, deadline: Deadline) -> None:
    """Set the statement timeout of the following statements to the time until the deadline."""
    left = max(1, round(1000 * deadline.seconds_left))  # 0 is no limit
    copy.driver_connection(connection).execute(f"SET LOCAL statement_timeout = {left:d}".encode())


def _advice(error: psycopg.Error, timeout: int) -> str:
    if isinstance(error, psycopg.errors.SyntaxError):
        return ". Only one query is run: SELECT, VALUES, TABLE or WITH."
    if isinstance(error, psycopg.errors.UndefinedTable):
        name = (error.diag.message_primary or "").partition('"')[2].partition('"')[0]
        return f"{suggest_name(name, metadata.tables)}. {_ADVICE_ON_NAMES}"
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f". The limit is {timeout} seconds: raise --timeout."
    return ""
