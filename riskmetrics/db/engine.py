"""Where the database is: a URL of the user's, or the embedded server under RISKMETRICS_HOME."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from riskmetrics.db.roles import DATABASE, Role
from riskmetrics.errors import ConfigurationError, DatabaseError
from riskmetrics.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from riskmetrics.db.embedded import EmbeddedServer

MIN_POSTGRES_VERSION = (14,)
_POSTGRES_SCHEMES = {"postgres", "postgresql"}

_TRANSACTION_SETTINGS = "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1"
"""A database or a role may have other defaults, and COPY writes dates and numbers as they say."""

_DISCONNECT_CHECK = "SET LOCAL client_connection_check_interval = '5s'"
"""Or the statement of a process that was killed goes on, with its locks, until it has something to say."""


def database_url(settings: Settings, role: Role = Role.WRITER) -> URL:
    """Return the URL to connect to, starting the embedded server if no URL is set.

    ``role`` chooses a role of the embedded server; a URL of the user's is used as it is.
    """
    if settings.database_url is not None:
        return normalize_url(settings.database_url.get_secret_value())
    return make_url(_embedded_server(settings.home_directory).database_url(DATABASE, role))


def normalize_url(text: str) -> URL:
    """Read any usual spelling of a Postgres URL (``postgres://``, ``+asyncpg``, ``+psycopg2``) as one for psycopg 3."""
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # `from None`, and no quote of the text: it holds the password
        raise ConfigurationError(
            "the database URL cannot be read; expected"
            " postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    if url.drivername.partition("+")[0] not in _POSTGRES_SCHEMES:
        raise ConfigurationError(
            f"the database URL must start with postgresql://, not {url.drivername}://"
        )
    if "@" in f"{url.host}{url.database}":
        raise ConfigurationError(
            "the database URL has two @: write one that belongs to the password as %40"
        )
    query = {
        ("sslmode" if name == "ssl" else name): value for name, value in url.query.items()
    }  # asyncpg's spelling
    return url.set(drivername="postgresql+psycopg", query=query)


def open_engine(settings: Settings, role: Role = Role.WRITER) -> sa.Engine:
    """Return an engine on the database in use; nothing is sent until it is first used."""
    return create_engine(database_url(settings, role))


def create_engine(url: URL | str) -> sa.Engine:
    """Return an engine on ``url`` that refuses servers older than Postgres 14."""
    from psycopg import Error  # as late as the engine itself imports it

    url = make_url(url)
    prepare_threshold = url.query.get(
        "prepare_threshold"
    )  # psycopg's own name; libpq does not know it
    engine = sa.create_engine(
        url.difference_update_query(["prepare_threshold"]),
        connect_args={
            "application_name": "riskmetrics",
            "client_encoding": "utf8",
            # A pooler gives each transaction another session, which does not know the statements
            # prepared in the last.
            "prepare_threshold": (
                int(prepare_threshold) if isinstance(prepare_threshold, str) else None
            ),
        },
        pool_pre_ping=True,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def configure_connection(
        dbapi_connection: sa.engine.interfaces.DBAPIConnection, record: sa.pool.ConnectionPoolEntry
    ) -> None:
        version = dbapi_connection.info.server_version
        if version < MIN_POSTGRES_VERSION[0] * 10_000:
            raise DatabaseError(
                f"Postgres {version // 10_000} is too old: riskmetrics needs"
                f" {MIN_POSTGRES_VERSION[0]} or newer"
            )
        try:
            dbapi_connection.cursor().execute(f"{_TRANSACTION_SETTINGS}; {_DISCONNECT_CHECK}")
            record.info["settings"] = f"{_TRANSACTION_SETTINGS}; {_DISCONNECT_CHECK}"
        except Error:  # a server on Windows cannot check
            record.info["settings"] = _TRANSACTION_SETTINGS
        dbapi_connection.rollback()

    @sa.event.listens_for(engine, "begin")
    def apply_transaction_settings(connection: sa.Connection) -> None:
        driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        driver.execute(
            connection.connection.info["settings"], prepare=False
        )  # several statements cannot be prepared

    return engine


def redact_url(url: URL) -> str:
    """Return a URL that other clients understand, without its password."""
    shown = url.difference_update_query(
        ["password", "sslpassword", "prepare_threshold"]
    )  # libpq takes the first two there
    return shown._replace(drivername="postgresql", password=None).render_as_string()


@cache
def _embedded_server(home: Path) -> "EmbeddedServer":
    from riskmetrics.db import embedded

    return embedded.connect_or_start(home)
