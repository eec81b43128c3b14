"""A query of the user's own: one SELECT that cannot write."""

from typing import Any

import pandas as pd
import psycopg
import sqlalchemy as sa

from riskmetrics.db import copy
from riskmetrics.errors import UsageError


def run_query(connection: sa.Connection, query: str, timeout: int) -> pd.DataFrame:
    """Return the rows of a query, run in a transaction that cannot write.

    The query becomes that of a cursor, so by Postgres' own grammar it is one SELECT, VALUES, TABLE or WITH that modifies
    nothing: no COPY, DO or SET, and no second statement. What a function in it may do is up to the role that runs it.

    Parameters
    ----------
    connection : Connection
        Its transaction must not have read yet.
    query : str
    timeout : int
        Seconds after which the server ends the query.

    Returns
    -------
    DataFrame
        Values as psycopg has them; NULL is None.

    Raises
    ------
    UsageError
        If Postgres refuses the query or ends it, or two of its columns have the same name.
    """
    connection.execute(sa.text("SET TRANSACTION READ ONLY"))
    connection.execute(sa.text(f"SET LOCAL statement_timeout = '{timeout:d}s'"))
    connection.execute(sa.text("SET LOCAL cursor_tuple_fraction = 1"))  # every row is fetched
    try:
        with copy.driver(connection).cursor("riskmetrics_query") as cursor:
            cursor.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    except psycopg.Error as error:
        raise UsageError(f"The query failed: {error.diag.message_primary or error}{_advice(error, timeout)}") from None
    if len(set(names)) < len(names):
        raise UsageError(f"Two columns have the same name ({', '.join(names)}). Name them with AS.")
    return pd.DataFrame(rows, columns=names, dtype=object)


def _advice(error: psycopg.Error, timeout: int) -> str:
    if isinstance(error, psycopg.errors.SyntaxError):
        return ". Only one query is run: SELECT, VALUES, TABLE or WITH."
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f". The limit is {timeout} seconds: raise --timeout."
    return ""
