"""Connect to the database: the configured URL, or the embedded server in RISKMETRICS_HOME."""

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
"""COPY formats dates and numbers by these settings, whose defaults a role may have changed."""

_DISCONNECT_CHECK = "SET LOCAL client_connection_check_interval = '5s'"
"""Ends the statement of a killed process, which would otherwise keep its locks until it returns."""


def database_url(settings: Settings, role: Role = Role.WRITER) -> URL:
    """Return the database URL; start the embedded server if no URL is configured.

    ``role`` selects a role of the embedded server; a configured URL is used unchanged.
    """
    if settings.database_url is not None:
        return normalize_url(settings.database_url.get_secret_value())
    return make_url(_embedded_server(settings.home_directory).database_url(DATABASE, role))


def normalize_url(text: str) -> URL:
    """Return a Postgres URL for psycopg 3.

    Parameters
    ----------
    text : str
        URL in a common spelling, such as ``postgres://``, ``+asyncpg`` or ``+psycopg2``.

    Raises
    ------
    ConfigurationError
        If it is not a valid Postgres URL; the message does not contain the password.
    """
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # `from None`, and without the text: it contains the password
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
            "the database URL contains two @ signs: write an @ in the password as %40"
        )
    # asyncpg spells sslmode as ssl
    query = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+psycopg", query=query)


def open_engine(settings: Settings, role: Role = Role.WRITER) -> sa.Engine:
    """Return an engine for the configured database; it connects on first use."""
    return create_engine(database_url(settings, role))


def create_engine(url: URL | str) -> sa.Engine:
    """Return an engine for ``url`` that refuses servers older than Postgres 14."""
    from psycopg import Error  # late, as SQLAlchemy imports it

    url = make_url(url)
    # a parameter of psycopg that libpq does not accept
    prepare_threshold = url.query.get("prepare_threshold")
    engine = sa.create_engine(
        url.difference_update_query(["prepare_threshold"]),
        connect_args={
            "application_name": "riskmetrics",
            "client_encoding": "utf8",
            # A pooler may run each transaction in another session, without the statements prepared
            # in the previous one.
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
                f"Postgres {version // 10_000} is too old: riskmetrics requires"
                f" {MIN_POSTGRES_VERSION[0]} or newer"
            )
        try:
            dbapi_connection.cursor().execute(f"{_TRANSACTION_SETTINGS}; {_DISCONNECT_CHECK}")
            record.info["settings"] = f"{_TRANSACTION_SETTINGS}; {_DISCONNECT_CHECK}"
        except Error:  # a server on Windows does not support the check
            record.info["settings"] = _TRANSACTION_SETTINGS
        dbapi_connection.rollback()

    @sa.event.listens_for(engine, "begin")
    def apply_transaction_settings(connection: sa.Connection) -> None:
        driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        # several statements in one string cannot be prepared
        driver.execute(connection.connection.info["settings"], prepare=False)

    return engine


def redact_url(url: URL) -> str:
    """Return the URL for other clients, without its password."""
    # libpq accepts passwords in the query too
    shown = url.difference_update_query(["password", "sslpassword", "prepare_threshold"])
    return shown._replace(drivername="postgresql", password=None).render_as_string()


@cache
def _embedded_server(home: Path) -> "EmbeddedServer":
    from riskmetrics.db import embedded

    return embedded.connect_or_start(home)
