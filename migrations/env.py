"""Alembic's environment: which connection to migrate, and which tables are ours to compare.

A connection in ``config.attributes["connection"]`` is used as it is: its caller owns the
transaction and the lock. Without one (a bare ``alembic upgrade head`` in the checkout) the
project's own settings say where the database is.
"""

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError
from sqlalchemy.sql.schema import SchemaItem

from riskmetrics import settings
from riskmetrics.db import migrate, tables
from riskmetrics.db.engine import open_engine
from riskmetrics.db.roles import Role


def is_ours(
    _: SchemaItem, name: str | None, kind: str, reflected: bool, counterpart: SchemaItem | None
) -> bool:
    """Pass over other software's tables in the same database, and over what it added to ours."""
    if kind == "table":
        return name in tables.metadata.tables
    return not (
        reflected and counterpart is None and kind in {"column", "index", "foreign_key_constraint"}
    )


def run_migrations(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        compare_type=True,
        compare_server_default=True,
        include_object=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_with_own_engine() -> None:
    engine = open_engine(settings.load(), Role.OWNER)
    try:
        with engine.begin() as connection:
            migrate.lock_migrations(connection)
            run_migrations(connection)
    finally:
        engine.dispose()


if context.is_offline_mode():
    raise CommandError(
        "--sql cannot work: some revisions look up in the database what its constraints are called"
    )
provided_connection: sa.Connection | None = context.config.attributes.get("connection")
if provided_connection is None:
    run_with_own_engine()
else:
    run_migrations(provided_connection)
