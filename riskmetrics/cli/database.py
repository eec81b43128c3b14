"""The database that commands use, at head."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa


@contextmanager
def unmigrated() -> "Iterator[sa.Engine]":
    """Yield an engine on the database in use, whatever its schema."""
    from riskmetrics import settings
    from riskmetrics.db.engine import open_engine

    engine = open_engine(settings.load())
    gc.freeze()
    gc.enable()
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def connected() -> "Iterator[sa.Engine]":
    """Yield an engine on the database in use, its schema at head."""
    from riskmetrics.db import migrate

    with unmigrated() as engine:
        migrate.ensure_head(engine)
        yield engine


@contextmanager
def reading() -> "Iterator[sa.Connection]":
    """Yield a connection whose transaction writes nothing."""
    import sqlalchemy as sa

    with connected() as engine, engine.connect() as connection, connection.begin():
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        yield connection


@contextmanager
def writing() -> "Iterator[sa.Connection]":
    """Yield a connection in one transaction, which commits if the block ends without an error."""
    with connected() as engine, engine.begin() as connection:
        yield connection
