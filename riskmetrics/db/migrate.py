"""Bring a database to the schema of this code, and say how the two differ.

Every way in calls ``ensure_head`` before it touches a table: milliseconds where nothing is to do,
because it reads the revisions from the names in the migration files and never imports Alembic. All
work happens in one transaction under an advisory lock: a revision that fails leaves the database as
it was, and processes that start together migrate it once.
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

from riskmetrics.db import schema_diff, tables
from riskmetrics.errors import SchemaError
from riskmetrics.settings import bundled_path

LOCK_TIMEOUT = "60s"
"""How long to wait for another process that migrates, or for a table that one uses."""

LAST_FOUNDING_REVISION = "h1i2j3k4l5m6"
"""The last revision of the founding document; every later one is riskmetrics' own."""

_LOCK_KEY = 0x7269736B_6D696772
"""The advisory lock of migrations: "riskmigr"."""

_HEADER = re.compile(
    r'\A"""(?P<doc>[^\n]+?)(?:"""|\n).*?^revision = "(?P<revision>\w+)"\ndown_revision ='
    r' (?:"(?P<down>\w+)"|None)$',
    re.M | re.S,
)


class Revision(NamedTuple):
    """One migration: its id, the id of the one before it (None: the first) and what it does."""

    revision: str
    down_revision: str | None
    doc: str


@cache
def history() -> tuple[Revision, ...]:
    """Return every revision of this code, the newest first; SchemaError unless they form one chain."""
    children: dict[str | None, list[Revision]] = {}
    files = list(_versions().glob("*.py"))
    for path in files:
        found = _HEADER.match(path.read_text(encoding="utf-8"))
        if found is None:
            raise SchemaError(
                f"{path.name} does not begin as a migration does: docstring, revision,"
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
            "the migrations of this installation do not form one chain: is a file missing?"
        )
    return tuple(reversed(chain))


def head() -> str:
    """Return the newest revision that this code knows."""
    return history()[0].revision


def current(connection: sa.Connection) -> str | None:
    """Return the revision that the database says it is at; None: it says nothing."""
    # to_regclass answers NULL when it waited for the transaction that creates the table
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
            f"alembic_version holds several revisions ({', '.join(sorted(revisions))}): set one"
            " with `riskmetrics db stamp REV`"
        )
    return revisions[0] if revisions else None


def lock_migrations(connection: sa.Connection) -> None:
    """Wait until no other process migrates this database; the lock ends with this transaction."""
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))


def ensure_head(
    engine: sa.Engine, open_owner_engine: Callable[[], sa.Engine] | None = None
) -> bool:
    """Bring the database to the newest revision; return whether there was anything to do.

    Parameters
    ----------
    engine : Engine
        Looks at the revision.
    open_owner_engine : callable, optional
        Returns an engine that may migrate, called only where there is something to do; default:
        ``engine``.

    Raises
    ------
    SchemaError
        If the database holds riskmetrics' tables at no known revision, is newer than this code, or
        if a revision fails; then nothing is changed.
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
    """Migrate up to ``revision``, whole or not at all; return whether anything changed."""
    return _migrate(engine, "upgrade", revision)


def downgrade(engine: sa.Engine, revision: str) -> bool:
    """Migrate down to ``revision`` ("base": to no tables), whole or not at all; return whether anything changed."""
    return _migrate(engine, "downgrade", revision)


def stamp(engine: sa.Engine, revision: str) -> None:
    """Record that the database is at ``revision`` without changing a table, whatever it said before."""
    with engine.begin() as connection, _as_schema_errors("stamp", revision):
        lock_migrations(connection)
        _run(connection, "stamp", revision)


def compare_schema(connection: sa.Connection) -> schema_diff.Comparison:
    """Say in sentences where the database departs from ``db.tables``, and what other programs have added to it.

    The tables of the code are created as temporary ones, described by Postgres itself and rolled
    back.
    """
    live = schema_diff.describe_schema(connection)
    with schema_diff.scratch_schema(connection):
        tables.metadata.create_all(connection, checkfirst=False)
        expected = schema_diff.describe_schema(connection)
    return schema_diff.compare_schemas(live, expected)


def list_differences(connection: sa.Connection) -> list[str]:
    """Say in sentences where the database departs from ``db.tables``; empty: nowhere but in what other programs may add."""
    return compare_schema(connection).differences


def _versions() -> Path:
    return bundled_path("migrations") / "versions"


def _migrate(engine: sa.Engine, direction: Literal["upgrade", "downgrade"], revision: str) -> bool:
    with engine.begin() as connection, _as_schema_errors(direction, revision):
        lock_migrations(connection)
        previous_revision = current(connection)
        _require_known_revision(connection, previous_revision)
        if direction == "upgrade" and revision == "head" and previous_revision == head():
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
                f"cannot upgrade the database: afterwards {'; '.join(missing)}; nothing was changed"
            )
        return current(connection) != previous_revision


def _require_known_revision(connection: sa.Connection, revision: str | None) -> None:
    if revision is None:
        present = ", ".join(
            sorted(schema_diff.describe_schema(connection).tables & tables.metadata.tables.keys())
        )
        if present:
            raise SchemaError(
                f"the database holds {present} but no revision: say which one it is at with"
                " `riskmetrics db stamp REV`"
            )
    elif revision not in {known.revision for known in history()}:
        raise SchemaError(
            f"the database is at revision {revision}, newer than this version of riskmetrics, which"
            f" ends at {head()}: upgrade riskmetrics"
        )


def _founding_revisions() -> set[str]:
    """Return the revisions at which a database may stand that other code made."""
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
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before the import, which already logs
    from alembic import command  # a third of a second that most runs never need
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
    """Turn whatever stops a migration into a SchemaError that says in which revision and why."""
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
    """Return the first line of an error (SQL and parameters stay out), after the revision that it arose in."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return (
            f"another process has held a lock on it for {LOCK_TIMEOUT}, try again when it has ended"
        )
    text = str(cause).partition("\n")[0] or type(cause).__name__
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return f"{text}: run `riskmetrics db upgrade` as the owner of the tables"
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    failed = [file.name.partition("_")[0] for file in files if file.parent == _versions()]
    return f"revision {failed[-1]} failed: {text}" if failed else text
