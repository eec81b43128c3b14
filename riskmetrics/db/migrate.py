"""Migrate a database to the schema of this version, and compare the two schemas.

Every entry point calls ``ensure_head`` before it uses a table. That takes milliseconds if the
database is at head, because revisions are read from the migration files without importing Alembic.
A migration runs in one transaction under an advisory lock: if a revision fails, nothing is changed,
and processes that start together migrate the database once.
"""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import psycopg
import sqlalchemy as sa

from riskmetrics.db import comments, schema_diff, tables
from riskmetrics.errors import SchemaError
from riskmetrics.settings import bundled_path

LOCK_TIMEOUT = "60s"
"""Maximum wait for another process that migrates, or for a table in use."""

LAST_FOUNDING_REVISION = "h1i2j3k4l5m6"
"""Last revision of the founding schema; later revisions are riskmetrics' own."""

_LOCK_KEY = 0x7269736B_6D696772
"""Key of the advisory lock of migrations: "riskmigr"."""

_HEADER = re.compile(
    r'\A"""(?P<doc>[^\n]+?)(?:"""|\n).*?^revision = "(?P<revision>\w+)"\ndown_revision ='
    r' (?:"(?P<down>\w+)"|None)$',
    re.M | re.S,
)


class Revision(NamedTuple):
    """One migration: its id, the id of the previous one (None for the first) and its title."""

    revision: str
    down_revision: str | None
    doc: str


@cache
def history() -> tuple[Revision, ...]:
    """Return all revisions of this version, newest first.

    Raises
    ------
    SchemaError
        If they do not form one chain.
    """
    children: dict[str | None, list[Revision]] = {}
    files = list(_versions().glob("*.py"))
    for path in files:
        found = _HEADER.match(path.read_text(encoding="utf-8"))
        if found is None:
            raise SchemaError(
                f"{path.name} is not a migration: it must begin with a docstring, revision and"
                " down_revision"
            )
        children.setdefault(found["down"], []).append(
            Revision(found["revision"], found["down"], found["doc"])
        )
    chain: list[Revision] = []
    while next_revisions := children.get(chain[-1].revision if chain else None):
        chain.append(next_revisions[0])
    if len(chain) != len(files):
        raise SchemaError(
            "the migrations of this installation do not form one chain, a file may be missing:"
            " reinstall riskmetrics"
        )
    return tuple(reversed(chain))


def head() -> str:
    """Return the newest revision of this version."""
    return history()[0].revision


def current(connection: sa.Connection) -> str | None:
    """Return the revision recorded in the database, or None."""
    # to_regclass returns NULL if it waited for the transaction that creates the table
    version_table = connection.execute(
        sa.text(
            "SELECT 1 FROM pg_class WHERE relname = 'alembic_version' AND pg_table_is_visible(oid)"
        )
    ).first()
    if version_table is None:
        return None
    revisions: list[str] = list(
        connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()
    )
    if len(revisions) > 1:
        raise SchemaError(
            f"alembic_version contains several revisions ({', '.join(sorted(revisions))}): set one"
            " with `riskmetrics db stamp REV`"
        )
    return revisions[0] if revisions else None


def lock_migrations(connection: sa.Connection) -> None:
    """Lock migrations of this database until the end of this transaction."""
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))


def ensure_head(
    engine: sa.Engine, open_owner_engine: Callable[[], sa.Engine] | None = None
) -> bool:
    """Migrate the database to the newest revision; return whether it was migrated.

    Parameters
    ----------
    engine : Engine
        Engine that reads the revision.
    open_owner_engine : callable, optional
        Returns an engine that may migrate; called only if necessary. Default: ``engine``.

    Raises
    ------
    SchemaError
        If the database has tables of riskmetrics without a known revision, has an unknown
        revision, or if a revision fails; nothing is changed.
    """
    with engine.connect() as connection:
        if current(connection) == head():
            return False
    if open_owner_engine is None:
        return upgrade(engine)
    owner = open_owner_engine()
    try:
        return upgrade(owner)
    finally:
        owner.dispose()


def upgrade(engine: sa.Engine, revision: str = "head") -> bool:
    """Migrate up to ``revision``, atomically; return whether the revision changed.

    Comments are written as the code states them, also if the revision is the head already.
    """
    return _migrate(engine, "upgrade", revision)


def downgrade(engine: sa.Engine, revision: str) -> bool:
    """Migrate down to ``revision``, atomically; return whether anything changed.

    ``revision`` "base" removes all tables.
    """
    return _migrate(engine, "downgrade", revision)


def stamp(engine: sa.Engine, revision: str) -> None:
    """Record ``revision`` as the revision of the database, without changing a table."""
    with engine.begin() as connection, _as_schema_errors("stamp", revision):
        lock_migrations(connection)
        _run(connection, "stamp", revision)


def compare_schema(connection: sa.Connection) -> schema_diff.Comparison:
    """Compare the schema of the database with ``db.tables``, as sentences."""
    live = schema_diff.describe_schema(connection)
    expected = schema_diff.describe_tables(connection, tables.metadata)
    return schema_diff.compare_schemas(live, expected)


def list_differences(connection: sa.Connection) -> list[str]:
    """Return the differences between the database and ``db.tables``, one sentence each.

    Additions that other programs may make are not differences.
    """
    return compare_schema(connection).differences


def _versions() -> Path:
    return bundled_path("migrations") / "versions"


def _migrate(engine: sa.Engine, direction: Literal["upgrade", "downgrade"], revision: str) -> bool:
    with engine.begin() as connection, _as_schema_errors(direction, revision):
        lock_migrations(connection)
        previous_revision = current(connection)
        _require_known_revision(connection, previous_revision)
        if direction == "upgrade" and revision == "head" and previous_revision == head():
            comments.write_comments(connection)
            return False
        is_adoption = direction == "upgrade" and previous_revision in _founding_revisions()
        if is_adoption:
            _run_preflight(connection, str(previous_revision))
        _run(connection, direction, revision)
        if (
            is_adoption
            and current(connection) == head()
            and (missing := compare_schema(connection).missing)
        ):
            raise SchemaError(
                f"cannot upgrade the database: after the upgrade {'; '.join(missing)}; nothing was"
                " changed"
            )
        return current(connection) != previous_revision


def _require_known_revision(connection: sa.Connection, revision: str | None) -> None:
    if revision is None:
        present = ", ".join(
            sorted(schema_diff.describe_schema(connection).tables & tables.metadata.tables.keys())
        )
        if present:
            raise SchemaError(
                f"the database has tables ({present}) but no revision: record its revision with"
                " `riskmetrics db stamp REV`"
            )
    elif revision not in {known.revision for known in history()}:
        raise SchemaError(describe_unknown_revision(revision))


def describe_unknown_revision(revision: str) -> str:
    """Return what to do about a database whose revision is not in `history`."""
    return (
        f"the database is at revision {revision}, unknown to this version of riskmetrics (newest"
        f" revision {head()}): upgrade riskmetrics, or, if a version before 0.1.0 created the"
        " database, import the inputs into a new one"
    )


def _founding_revisions() -> set[str]:
    """Return the revisions of databases that other programs may have created."""
    revisions = [known.revision for known in history()]
    return set(revisions[revisions.index(LAST_FOUNDING_REVISION) :])


def _run_preflight(connection: sa.Connection, revision: str) -> None:
    from riskmetrics.db import upgrade_preflight  # imports Alembic

    if blockers := upgrade_preflight.find_upgrade_blockers(
        connection, _versions().parent, revision
    ):
        raise SchemaError(
            f"the database cannot be upgraded from {revision}, and nothing was changed:"
            f" {'; '.join(blockers)}"
        )


def _run(
    connection: sa.Connection, action: Literal["upgrade", "downgrade", "stamp"], revision: str
) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before the import, which logs
    from alembic import command  # takes a third of a second, and most runs do not migrate
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(bundled_path("migrations")).replace("%", "%%"))
    if action == "stamp":
        command.stamp(config, revision, purge=True)
    elif action == "downgrade":
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


@contextmanager
def _as_schema_errors(action: str, revision: str) -> Iterator[None]:
    """Convert errors of a migration to SchemaError, with the failed revision and the reason."""
    try:
        yield
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(
            f"cannot {action} the database to {revision}: {_describe_error(error)}; nothing was"
            " changed"
        ) from error


def _describe_error(error: Exception) -> str:
    """Return the failed revision and the first line of its error, without SQL and parameters."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return (
            f"another process holds a lock on it (waited {LOCK_TIMEOUT}), retry when that process"
            " has ended"
        )
    text = str(cause).partition("\n")[0] or type(cause).__name__
    if isinstance(
        cause, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction
    ):
        return f"{text}: run `riskmetrics db upgrade` as the owner of the tables"
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    failed = [file.name.partition("_")[0] for file in files if file.parent == _versions()]
    return f"revision {failed[-1]} failed: {text}" if failed else text
