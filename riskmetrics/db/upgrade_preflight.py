"""Find what blocks the upgrade of a database of another program, before anything is changed.

Three schemas are compared: the live one, the one that the migrations create at the revision
recorded in the database, and the one at head. Objects of the second must exist in the live one,
objects that head adds must not exist yet, and rows must fit the types and keys of head. Names,
defaults and indexes do not matter: revision 3f6b1d0a8c25 corrects them.
"""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from riskmetrics.db import schema_diff, symbol_spellings, tables

_DEDUPLICATED_KEY = "uq_position_interest_rate_betas_position_date"
"""The only unique constraint with duplicates that a revision removes."""

_TEXT_TYPES = ("text", "character", "json")  # prefixes of type names

_FITS_FUNCTION = """
    CREATE FUNCTION pg_temp.fits(value text, target text, comparable text) RETURNS boolean
    LANGUAGE plpgsql AS $$
    DECLARE fits boolean;
    BEGIN
        EXECUTE format(
            'SELECT ($1::%s)::text::%2$s IS NOT DISTINCT FROM $1::%2$s', target, comparable
        ) INTO fits USING value;
        RETURN fits;
    EXCEPTION WHEN data_exception OR numeric_value_out_of_range THEN
        RETURN false;
    END $$
"""
"""Returns whether text can be converted to a type without error, truncation or rounding."""

_CONFLICTS_QUERY = sa.text("""
    SELECT relname FROM pg_class WHERE relname = ANY(:names) AND pg_table_is_visible(oid)
    UNION SELECT typname FROM pg_type
    WHERE typname = ANY(:names) AND typtype = 'e' AND pg_type_is_visible(oid)
    ORDER BY 1
""")
_VIEWS_QUERY = sa.text("""
    SELECT DISTINCT read.relname, attname, view.relname
    FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid AND classid = 'pg_rewrite'::regclass
        JOIN pg_class AS view ON view.oid = ev_class
        JOIN pg_class AS read ON read.oid = refobjid AND refclassid = 'pg_class'::regclass
        JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE pg_table_is_visible(read.oid) AND view.oid <> read.oid
    ORDER BY 1, 2, 3
""")


def find_upgrade_blockers(connection: sa.Connection, migrations: Path, revision: str) -> list[str]:
    """Return what blocks an upgrade from ``revision`` to head, one sentence each.

    Parameters
    ----------
    migrations : Path
        Alembic's directory. The revisions up to ``revision`` are run in a temporary schema.
    """
    live = schema_diff.describe_schema(connection)
    with schema_diff.scratch_schema(connection):
        with Operations.context(
            MigrationContext.configure(connection, opts={"target_metadata": tables.metadata})
        ):
            for script in reversed(
                list(ScriptDirectory(str(migrations)).walk_revisions("base", revision))
            ):
                script.module.upgrade()
        expected = schema_diff.describe_schema(connection)
    head = schema_diff.describe_tables(connection, tables.metadata)
    blockers = [
        *_missing_objects(live, expected),
        *_name_conflicts(connection, live, expected, head),
    ]
    if not blockers:  # rows can only be checked if all columns exist
        with connection.begin_nested() as savepoint:
            connection.execute(sa.text(_FITS_FUNCTION))
            blockers = [
                *_view_conflicts(connection, live, head),
                *_row_conflicts(connection, live, head),
            ]
            blockers += symbol_spellings.find_collisions(connection)
            savepoint.rollback()
    return blockers


def _missing_objects(
    live: schema_diff.SchemaSnapshot, expected: schema_diff.SchemaSnapshot
) -> Iterator[str]:
    """Yield objects that the database should have at its revision but has not."""
    missing_tables = expected.tables - live.tables
    for table in sorted(missing_tables):
        yield (
            f"table {table} is missing: record the revision of the existing tables with"
            " `riskmetrics db stamp REV`"
        )
    for (table, name), column in expected.columns.items():
        if table not in missing_tables and (table, name) not in live.columns:
            yield (
                f"column {table}.{name} is missing: ALTER TABLE {table} ADD {name} {column.type},"
                " and fill it"
            )
    for name, labels in expected.enums.items():
        if name in live.enums and (
            missing_labels := [label for label in labels if label not in live.enums[name]]
        ):
            yield (
                f"labels of enum {name} are missing ({', '.join(missing_labels)}): ALTER TYPE"
                f" {name} ADD VALUE"
            )
    for key, constraint in expected.constraints.items():
        if (
            constraint.kind == "p"
            and key[0] not in missing_tables
            and not _has_primary_key(live, key[0], constraint.columns)
        ):
            yield f"table {key[0]} has no primary key ({', '.join(constraint.columns)}): add it"


def _has_primary_key(
    live: schema_diff.SchemaSnapshot, table: str, columns: tuple[str, ...]
) -> bool:
    return any(
        owner == table and constraint.kind == "p" and constraint.columns == columns
        for (owner, _), constraint in live.constraints.items()
    )


def _name_conflicts(
    connection: sa.Connection,
    live: schema_diff.SchemaSnapshot,
    expected: schema_diff.SchemaSnapshot,
    head: schema_diff.SchemaSnapshot,
) -> Iterator[str]:
    """Yield objects that a later revision creates but the database already has."""
    new = _relation_names(head) - _relation_names(expected)
    for name in connection.execute(_CONFLICTS_QUERY, {"names": sorted(new)}).scalars():
        what = "table or view" if name in head.tables else "enum" if name in head.enums else "index"
        yield f"{what} {name} exists already, and a later revision creates it: rename it"
    for table, name in sorted(head.columns.keys() - expected.columns.keys()):
        if table in expected.tables and (table, name) in live.columns:
            yield f"column {table}.{name} exists already, and a later revision adds it: rename it"


def _relation_names(snapshot: schema_diff.SchemaSnapshot) -> set[str]:
    keys = {
        name for (_, name), constraint in snapshot.constraints.items() if constraint.kind in "pu"
    }
    return snapshot.tables | keys | {name for _, name in snapshot.indexes} | snapshot.enums.keys()


def _view_conflicts(
    connection: sa.Connection, live: schema_diff.SchemaSnapshot, head: schema_diff.SchemaSnapshot
) -> Iterator[str]:
    """Yield views on columns that change their type, which Postgres would refuse."""
    for table, name, view in connection.execute(_VIEWS_QUERY):
        old, new = live.columns.get((table, name)), head.columns.get((table, name))
        if old and new and old.type != new.type:
            yield (
                f"view {view} reads {table}.{name}, which changes from {old.type} to {new.type}:"
                " drop the view, and create it again after the upgrade"
            )


def _row_conflicts(
    connection: sa.Connection, live: schema_diff.SchemaSnapshot, head: schema_diff.SchemaSnapshot
) -> Iterator[str]:
    """Yield columns and keys of head that stored rows violate; needs ``_FITS_FUNCTION``."""
    keys = {
        (table, key.columns[0]) for (table, _), key in head.constraints.items() if key.kind == "f"
    }
    keys |= {
        (key.referred_table, "id")
        for key in head.constraints.values()
        if key.kind == "f" and key.referred_table
    }
    for (table, name), new in head.columns.items():
        old = live.columns.get((table, name))
        if old is None:
            continue
        if old.type != new.type and (table, name) in keys:
            yield (
                f"column {table}.{name} is {old.type}, but keys are {new.type}: change it together"
                " with the columns that refer to it"
            )
        elif bad := _count_unfit(connection, live, head, table, name):
            yield f"{table}.{name} does not fit {new.type} without loss (rows: {bad:,}): fix them"
        if (
            new.not_null
            and not old.not_null
            and new.default != "now()"
            and (bad := _count(connection, table, f'"{name}" IS NULL'))
        ):
            yield (
                f"{table}.{name} is NULL but a value is required (rows: {bad:,}): fill or delete"
                " them"
            )
    for (table, name), key in head.constraints.items():
        if any((table, column) not in live.columns for column in key.columns):
            continue
        if (
            key.kind == "u"
            and name != _DEDUPLICATED_KEY
            and (bad := _count_duplicates(connection, table, key.columns))
        ):
            yield (
                f"{table} has duplicate ({', '.join(key.columns)}) (rows: {bad:,}): keep one of"
                " each"
            )
        if key.kind == "f" and (bad := _count_orphans(connection, live, head, table, key)):
            yield (
                f"{table}.{key.columns[0]} refers to missing rows of {key.referred_table} (rows:"
                f" {bad:,}): delete them or add the missing rows"
            )


def _count_unfit(
    connection: sa.Connection,
    live: schema_diff.SchemaSnapshot,
    head: schema_diff.SchemaSnapshot,
    table: str,
    name: str,
) -> int:
    """Return the number of values that the new type cannot represent exactly."""
    old, new = live.columns[table, name].type, head.columns[table, name].type
    if (
        old == new
        or new in {"text", "character varying"}
        or (old.startswith("timestamp ") and new == "timestamp with time zone")
    ):
        return 0
    if labels := head.enums.get(new):
        return _count(connection, table, f'"{name}"::text <> ALL(:labels)', labels=list(labels))
    plain = new.partition("(")[0]
    comparable = (
        plain if old.startswith(_TEXT_TYPES) and not new.startswith(_TEXT_TYPES[:2]) else old
    )
    if old.startswith("json") or new.startswith("json"):
        comparable = "jsonb"
    value = f'"{name}"::text'
    try:
        with connection.begin_nested():
            return _count(
                connection,
                table,
                f"({value}::{new})::text::{comparable} IS DISTINCT FROM {value}::{comparable}",
            )
    except sa.exc.DataError:
        # Some values cannot be cast: count row by row, which is a hundred times slower.
        fits = f"pg_temp.fits({value}, :target, :comparable)"
        return _count(
            connection,
            table,
            f'"{name}" IS NOT NULL AND NOT {fits}',
            target=new,
            comparable=comparable,
        )


def _count_duplicates(connection: sa.Connection, table: str, columns: tuple[str, ...]) -> int:
    key = ", ".join(f'"{column}"' for column in columns)
    is_complete = " AND ".join(f'"{column}" IS NOT NULL' for column in columns)
    # all names come from db.tables
    groups = (
        f'SELECT count(*) - 1 AS more FROM "{table}" WHERE {is_complete}'  # noqa: S608
        f" GROUP BY {key} HAVING count(*) > 1"
    )
    total = sa.text(f"SELECT coalesce(sum(more), 0) FROM ({groups}) AS groups")  # noqa: S608
    return int(connection.scalar(total) or 0)


def _count_orphans(
    connection: sa.Connection,
    live: schema_diff.SchemaSnapshot,
    head: schema_diff.SchemaSnapshot,
    table: str,
    key: schema_diff.Constraint,
) -> int:
    [column] = key.columns
    is_enforced = (table, column, key.referred_table) in {
        (owner, *constraint.columns, constraint.referred_table)
        for (owner, _), constraint in live.constraints.items()
        if constraint.kind == "f" and "NOT VALID" not in constraint.definition
    }
    if is_enforced or live.columns[table, column].type != head.columns[table, column].type:
        return 0
    parents = f'SELECT FROM "{key.referred_table}" AS parent WHERE parent.id = child."{column}"'
    return _count(connection, table, f'"{column}" IS NOT NULL AND NOT EXISTS ({parents})')


def _count(connection: sa.Connection, table: str, condition: str, **values: object) -> int:
    # all names come from db.tables
    statement = f'SELECT count(*) FROM "{table}" AS child WHERE {condition}'  # noqa: S608
    return int(connection.scalar(sa.text(statement), values) or 0)
