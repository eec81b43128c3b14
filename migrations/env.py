"""Alembic environment: choose the connection to migrate and the tables to compare.

A connection in ``config.attributes["connection"]`` is used unchanged: its caller owns the
transaction and the lock. Without one, as in ``alembic upgrade head``, the settings of riskmetrics
name the database.
"""

import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from sqlalchemy.sql.schema import SchemaItem

from riskmetrics import settings
from riskmetrics.db import comments, migrate, tables
from riskmetrics.db.engine import open_engine
from riskmetrics.db.roles import Role


def is_ours(
    _: SchemaItem, name: str | None, kind: str, reflected: bool, counterpart: SchemaItem | None
) -> bool:
    """Exclude tables of other programs, and columns, indexes and keys that they added to ours."""
    if kind == "table":
        return name in tables.metadata.tables
    return not (
        reflected and counterpart is None and kind in {"column", "index", "foreign_key_constraint"}
    )


def run_migrations(connection: sa.Connection) -> None:
    """Run the migrations on a connection, in one transaction; an upgrade writes the comments."""
    applied: list[MigrationInfo] = []
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        compare_type=True,
        compare_server_default=True,
        include_object=is_ours,
        on_version_apply=lambda step, **_: applied.append(step),
    )
    with context.begin_transaction():
        context.run_migrations()
        if any(step.is_upgrade and not step.is_stamp for step in applied):
            comments.write_comments(connection)


def run_with_own_engine() -> None:
    """Run the migrations on the configured database, as the owner of its tables."""
    engine = open_engine(settings.load(), Role.OWNER)
    try:
        with engine.begin() as connection:
            migrate.lock_migrations(connection)
            run_migrations(connection)
    finally:
        engine.dispose()


if context.is_offline_mode():
    raise CommandError(
        "--sql is not supported: some revisions read the names of constraints from the database"
    )
provided_connection: sa.Connection | None = context.config.attributes.get("connection")
if provided_connection is None:
    run_with_own_engine()
else:
    run_migrations(provided_connection)
