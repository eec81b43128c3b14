"""Where the database is: a URL of the user's, or the embedded server under RISKMETRICS_HOME."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from riskmetrics.errors import ConfigurationError, DatabaseError
from riskmetrics.settings import Settings

OLDEST_POSTGRES = (14,)
_POSTGRES_SCHEMES = {"postgres", "postgresql"}


def database_url(settings: Settings) -> URL:
    """Return the URL to connect to, starting the embedded server if no URL is set."""
    if settings.database_url is not None:
        return normalize(settings.database_url.get_secret_value())
    return make_url(_embedded_url(settings.home_directory))


def normalize(text: str) -> URL:
    """Read any usual spelling of a Postgres URL (``postgres://``, ``+asyncpg``, ``+psycopg2``) as one for psycopg 3."""
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # `from None`, and no quote of the text: it holds the password
        raise ConfigurationError("the database URL cannot be read; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE") from None
    if url.drivername.partition("+")[0] not in _POSTGRES_SCHEMES:
        raise ConfigurationError(f"the database URL must start with postgresql://, not {url.drivername}://")
    if "@" in (url.host or ""):
        raise ConfigurationError("the database URL has two @: write one that belongs to the password as %40")
    query = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}  # asyncpg's spelling
    return url.set(drivername="postgresql+psycopg", query=query)


def open_engine(settings: Settings) -> sa.Engine:
    """Return an engine on the database in use; nothing is sent until it is first used."""
    return create(database_url(settings))


def create(url: URL | str) -> sa.Engine:
    """Return an engine on ``url`` that refuses servers older than Postgres 14."""
    from psycopg import Error  # as late as the engine itself imports it

    engine = sa.create_engine(
        url, connect_args={"application_name": "riskmetrics", "client_encoding": "utf8"}, pool_pre_ping=True, hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(dbapi_connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        version = dbapi_connection.info.server_version
        if version < OLDEST_POSTGRES[0] * 10_000:
            raise DatabaseError(f"Postgres {version // 10_000} is too old: riskmetrics needs {OLDEST_POSTGRES[0]} or newer")
        # A database or a role may have other defaults, and COPY writes dates and numbers as they say.
        cursor = dbapi_connection.cursor()
        cursor.execute("SET datestyle = 'ISO, YMD'; SET extra_float_digits = 1")
        dbapi_connection.commit()
        try:  # or the statement of a process that was killed goes on, with its locks, until it has something to say
            cursor.execute("SET client_connection_check_interval = '5s'")
        except Error:  # a server on Windows cannot
            dbapi_connection.rollback()
        cursor.close()
        dbapi_connection.commit()

    return engine


def described(url: URL) -> str:
    """Return a URL that other clients understand, without its password."""
    shown = url.difference_update_query(["password", "sslpassword"])  # libpq takes them there too
    return shown._replace(drivername="postgresql", password=None).render_as_string()


@cache
def _embedded_url(home: Path) -> str:
    from riskmetrics.db import embedded

    return embedded.acquire(home).url
