"""Connections of commands to the database, and messages of database errors."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from riskmetrics.db.roles import Role
from riskmetrics.errors import NotStoredError

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy as sa

OBJECTS_PER_COLLECTION = 50_000
"""New objects after which Python looks for garbage.

Tables have few cycles: a search after every 700 objects, Python's default, takes 6% of a run and
finds next to nothing.
"""

_imports: list[Thread] = []


def import_in_background(module: str) -> None:
    """Import a module in a thread, while the command waits for the embedded server to start.

    The thread is no daemon: one that ends within the import of an extension can abort the process.
    """
    thread = Thread(target=import_module, args=(module,))
    _imports.append(thread)
    thread.start()


@contextmanager
def connect_unmigrated(role: Role) -> "Iterator[sa.Engine]":
    """Yield an engine without migrating; the embedded server is connected to as ``role``."""
    from riskmetrics import settings
    from riskmetrics.db.engine import open_engine

    engine = open_engine(settings.load(), role)
    while _imports:  # collecting garbage would slow them down
        _imports.pop().join()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    gc.enable()
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def connect_at_head(role: Role = Role.WRITER) -> "Iterator[sa.Engine]":
    """Yield an engine, schema at head; the embedded server is connected to as ``role``."""
    from riskmetrics import settings
    from riskmetrics.db import migrate
    from riskmetrics.db.engine import open_engine

    with connect_unmigrated(role) as engine:
        migrate.ensure_head(engine, lambda: open_engine(settings.load(), Role.OWNER))
        yield engine


def require_database() -> None:
    """Raise DatabaseError if a command that only reads would create the embedded server."""
    from riskmetrics import settings
    from riskmetrics.db import embedded

    configured = settings.load()
    if configured.database_url is None:
        embedded.require_cluster(configured.home_directory)


@contextmanager
def read_transaction(*, may_begin: bool = False) -> "Iterator[sa.Connection]":
    """Yield a connection in a read-only transaction; in the embedded server as the reader.

    Parameters
    ----------
    may_begin : bool
        Whether the command that reads may be the first one, and create the embedded server.

    Raises
    ------
    DatabaseError
        If there is no database yet, unless ``may_begin``.
    """
    if not may_begin:
        require_database()
    # What is read becomes data frames: pandas takes as long to import as the server to start.
    import_in_background("pandas")
    import sqlalchemy as sa

    with connect_at_head(Role.READER) as engine, engine.connect() as connection, connection.begin():
        connection.execute(sa.text("SET LOCAL TRANSACTION READ ONLY"))
        # The reader's limits are for other people's queries: a report or an export may take longer.
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection


def find_session(
    connection: "sa.Connection", day: date | None, portfolio: str | None = None
) -> date:
    """Return a day, by default the latest with results; exit with advice if there is none.

    Raises
    ------
    UsageError
        If there is no portfolio of the name.
    """
    from riskmetrics.db.portfolios import find_portfolio_id
    from riskmetrics.db.result_queries import read_latest_day

    if portfolio is not None:
        find_portfolio_id(connection, portfolio)
    if session := day or read_latest_day(connection):
        return session
    raise NotStoredError("no results are stored yet: compute them with riskmetrics run")


def missing_results_error(
    connection: "sa.Connection", session: date, portfolio: str | None
) -> NotStoredError:
    """Return the error that no results are stored for a day, and for which days they are.

    Raises
    ------
    InvalidSessionError
        If the day is not a completed session, so that it cannot have results.
    """
    from riskmetrics import trading_calendar
    from riskmetrics.db.result_queries import read_sessions

    trading_calendar.require_completed_sessions([session])
    stored = read_sessions(connection, portfolio)
    of_portfolio = f" of {portfolio}" if portfolio else ""
    stored_days = ""
    if stored:
        first, last = stored[0], stored[-1]
        stored_days = f", only for {last}" if first == last else f", only from {first} to {last}"
    return NotStoredError(
        f"no results{of_portfolio} are stored for {session}{stored_days}: compute them with"
        f" riskmetrics run --date {session}"
    )


@contextmanager
def write_transaction() -> "Iterator[sa.Connection]":
    """Yield a connection in a transaction that commits if the block ends without an error."""
    with connect_at_head() as engine, engine.begin() as connection:
        yield connection


def describe_database_error(error: Exception) -> str | None:
    """Return the message of an error of the database or of Dagster's storage, else None.

    The message contains no row of data.
    """
    if "sqlalchemy" not in sys.modules:
        return None
    import sqlite3

    import psycopg
    import sqlalchemy as sa

    if not isinstance(error, sa.exc.DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return (
            f"Dagster's SQLite storage failed: {error.orig}. Check DAGSTER_HOME, its free space"
            " and its owner"
        )
    return _describe_postgres_error(error.orig) if isinstance(error.orig, psycopg.Error) else None


def _describe_postgres_error(error: "psycopg.Error") -> str:
    """Return the message of an error of Postgres, or of the connection to it."""
    import psycopg

    if error.sqlstate is None:
        reason = str(error).strip().partition("\n")[0]
        return (
            f"cannot connect to the database: {reason}. Check RISKMETRICS_DATABASE_URL, or unset it"
            " to use the embedded server"
        )
    if isinstance(error, psycopg.errors.UntranslatableCharacter):
        from riskmetrics.db.copy import UNENCODABLE_TEXT_MESSAGE

        return UNENCODABLE_TEXT_MESSAGE
    return f"database error: {error.diag.message_primary} ({error.sqlstate})"
