"""The first session with a stored price, where partitions and results begin."""

from datetime import date

import sqlalchemy as sa

from riskmetrics.db import embedded, tables
from riskmetrics.db.engine import create_engine, normalize_url
from riskmetrics.db.roles import DATABASE, Role
from riskmetrics.errors import RiskmetricsError
from riskmetrics.settings import Settings

_MAX_CONNECT_SECONDS = "2"
"""The shortest timeout of libpq."""


def read_first_session(connection: sa.Connection) -> date | None:
    """Return the session of the first stored price, or None without prices."""
    first: date | None = connection.scalar(sa.select(sa.func.min(tables.market_data_cache.c.date)))
    return first


def find_first_session(settings: Settings) -> date | None:
    """Return the session of the first stored price, without starting or waiting for a database.

    None without prices, and if the database is not running, has no tables, or does not answer
    within two seconds.
    """
    try:
        if settings.database_url is not None:
            return _query(normalize_url(settings.database_url.get_secret_value()))
        if not embedded.is_running(settings.home_directory):
            return None
        with embedded.connect_or_start(settings.home_directory) as server:
            return _query(sa.make_url(server.database_url(DATABASE, Role.READER)))
    except (sa.exc.SQLAlchemyError, RiskmetricsError, OSError):
        return None


def _query(url: sa.URL) -> date | None:
    engine = create_engine(url.update_query_dict({"connect_timeout": _MAX_CONNECT_SECONDS}))
    try:
        with engine.connect() as connection:
            return read_first_session(connection)
    finally:
        engine.dispose()
