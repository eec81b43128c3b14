"""What stands in the way of upgrading a database that other code made, found before anything is changed.

Three schemas are compared: the live one, the one that this chain makes at the revision where the database says it is, and
the one at head. What the second has and the live one lacks cannot be altered, what head adds must not be there yet, and rows
must fit the types and keys of head. Names, defaults and indexes are no obstacle: revision 92d95fa4419d puts them right.
"""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from riskmetrics.db import shape, spellings, tables

_SETTLED = "uq_position_interest_rate_betas_position_date"
"""The one unique constraint whose duplicates a revision sets apart."""

_TEXT = ("text", "character", "json")  # what these types' names begin with

_FITS = """
    CREATE FUNCTION pg_temp.fits(value text, target text, comparable text) RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE fits boolean;
    BEGIN
        EXECUTE format('SELECT ($1::%s)::text::%2$s IS NOT DISTINCT FROM $1::%2$s', target, comparable) INTO fits USING value;
        RETURN fits;
    EXCEPTION WHEN data_exception OR numeric_value_out_of_range THEN
        RETURN false;
    END $$
"""
"""Whether a value given as text survives the way into a type: no error, nothing cut off, no digit lost."""

_CREATED_LATER = sa.text("""
    SELECT relname FROM pg_class WHERE relname = ANY(:names) AND pg_table_is_visible(oid)
    UNION SELECT typname FROM pg_type WHERE typname = ANY(:names) AND typtype = 'e' AND pg_type_is_visible(oid)
    ORDER BY 1
""")
_VIEWS = sa.text("""
    SELECT DISTINCT read.relname, attname, view.relname
    FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid AND classid = 'pg_rewrite'::regclass
        JOIN pg_class AS view ON view.oid = ev_class
        JOIN pg_class AS read ON read.oid = refobjid AND refclassid = 'pg_class'::regclass
        JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE pg_table_is_visible(read.oid) AND view.oid <> read.oid
    ORDER BY 1, 2, 3
""")


def to_upgrade(connection: sa.Connection, migrations: Path, revision: str) -> list[str]:
    """Return what keeps the database from going from ``revision`` to head, a sentence each; empty: nothing.

    Parameters
    ----------
    migrations : Path
        Alembic's folder: the revisions up to ``revision`` are run aside, to see what they make.
    """
    found = shape.describe(connection)
    with shape.aside(connection):
        with Operations.context(MigrationContext.configure(connection, opts={"target_metadata": tables.metadata})):
            for script in reversed(list(ScriptDirectory(str(migrations)).walk_revisions("base", revision))):
                script.module.upgrade()
        present = shape.describe(connection)
    with shape.aside(connection):
        tables.metadata.create_all(connection, checkfirst=False)
        head = shape.describe(connection)
    obstacles = [*_lacking(found, present), *_in_the_way(connection, found, present, head)]
    if not obstacles:  # rows can only be looked at where their columns are
        with connection.begin_nested() as savepoint:
            connection.execute(sa.text(_FITS))
            obstacles = [*_views(connection, found, head), *_rows(connection, found, head)]
            obstacles += spellings.find_collisions(connection)
            savepoint.rollback()
    return obstacles


def _lacking(found: shape.Shape, present: shape.Shape) -> Iterator[str]:
    """What the database should have at its revision."""
    absent = present.tables - found.tables
    for table in sorted(absent):
        yield f"table {table} is missing: name the revision that the tables are at with `riskmetrics db stamp REV`"
    for (table, name), column in present.columns.items():
        if table not in absent and (table, name) not in found.columns:
            yield f"column {table}.{name} is missing: ALTER TABLE {table} ADD {name} {column.type}, and fill it"
    for name, labels in present.enums.items():
        if name in found.enums and (lacking := [label for label in labels if label not in found.enums[name]]):
            yield f"enum {name} lacks {', '.join(lacking)}: ALTER TYPE {name} ADD VALUE"
    for key, constraint in present.constraints.items():
        if constraint.kind == "p" and key[0] not in absent and not _has_key(found, key[0], constraint.columns):
            yield f"table {key[0]} has no primary key ({', '.join(constraint.columns)}): add it"


def _has_key(found: shape.Shape, table: str, columns: tuple[str, ...]) -> bool:
    return any(of == table and known.kind == "p" and known.columns == columns for (of, _), known in found.constraints.items())


def _in_the_way(connection: sa.Connection, found: shape.Shape, present: shape.Shape, head: shape.Shape) -> Iterator[str]:
    """What a later revision creates and the database already has."""
    new = _relations(head) - _relations(present)
    for name in connection.execute(_CREATED_LATER, {"names": sorted(new)}).scalars():
        what = "table or view" if name in head.tables else "enum" if name in head.enums else "index"
        yield f"{what} {name} exists already, and a later revision creates it: rename it"
    for table, name in sorted(head.columns.keys() - present.columns.keys()):
        if table in present.tables and (table, name) in found.columns:
            yield f"column {table}.{name} exists already, and a later revision adds it: rename it"


def _relations(of: shape.Shape) -> set[str]:
    keys = {name for (_, name), constraint in of.constraints.items() if constraint.kind in "pu"}
    return of.tables | keys | {name for _, name in of.indexes} | of.enums.keys()


def _views(connection: sa.Connection, found: shape.Shape, head: shape.Shape) -> Iterator[str]:
    """Views that read columns whose type changes, which Postgres then refuses."""
    for table, name, view in connection.execute(_VIEWS):
        old, new = found.columns.get((table, name)), head.columns.get((table, name))
        if old and new and old.type != new.type:
            yield (
                f"view {view} reads {table}.{name}, whose type changes from {old.type} to {new.type}:"
                f" drop the view, and create it again after the upgrade"
            )


def _rows(connection: sa.Connection, found: shape.Shape, head: shape.Shape) -> Iterator[str]:
    """Rows that do not fit the types and keys of head; ``_FITS`` is there."""
    keys = {(table, key.columns[0]) for (table, _), key in head.constraints.items() if key.kind == "f"}
    keys |= {(key.refers_to, "id") for key in head.constraints.values() if key.kind == "f" and key.refers_to}
    for (table, name), new in head.columns.items():
        old = found.columns.get((table, name))
        if old is None:
            continue
        if old.type != new.type and (table, name) in keys:
            yield f"column {table}.{name} is {old.type}, and keys are {new.type}: change it and what refers to it together"
        elif bad := _unfit(connection, found, head, table, name):
            yield f"{table}.{name} does not fit {new.type} without loss (rows: {bad:,}): mend them"
        if new.not_null and not old.not_null and new.default != "now()" and (bad := _count(connection, table, f'"{name}" IS NULL')):
            yield f"{table}.{name} is NULL where a value is needed (rows: {bad:,}): fill or delete them"
    for (table, name), key in head.constraints.items():
        if any((table, column) not in found.columns for column in key.columns):
            continue
        if key.kind == "u" and name != _SETTLED and (bad := _duplicates(connection, table, key.columns)):
            yield f"{table} repeats its ({', '.join(key.columns)}) (rows: {bad:,}): keep one of each"
        if key.kind == "f" and (bad := _orphans(connection, found, head, table, key)):
            yield f"{table}.{key.columns[0]} refers to no row of {key.refers_to} (rows: {bad:,}): delete them or add what they refer to"


def _unfit(connection: sa.Connection, found: shape.Shape, head: shape.Shape, table: str, name: str) -> int:
    """Count the values that the new type cannot hold as they are."""
    old, new = found.columns[table, name].type, head.columns[table, name].type
    if old == new or new in {"text", "character varying"} or (old.startswith("timestamp ") and new == "timestamp with time zone"):
        return 0
    if labels := head.enums.get(new):
        return _count(connection, table, f'"{name}"::text <> ALL(:labels)', labels=list(labels))
    plain = new.partition("(")[0]
    comparable = plain if old.startswith(_TEXT) and not new.startswith(_TEXT[:2]) else old
    if old.startswith("json") or new.startswith("json"):
        comparable = "jsonb"
    value = f'"{name}"::text'
    try:
        with connection.begin_nested():
            return _count(connection, table, f"({value}::{new})::text::{comparable} IS DISTINCT FROM {value}::{comparable}")
    except sa.exc.DataError:  # some are not even of the type: count row by row, a hundred times as slow
        fits = f"pg_temp.fits({value}, :target, :comparable)"
        return _count(connection, table, f'"{name}" IS NOT NULL AND NOT {fits}', target=new, comparable=comparable)


def _duplicates(connection: sa.Connection, table: str, columns: tuple[str, ...]) -> int:
    key = ", ".join(f'"{column}"' for column in columns)
    known = " AND ".join(f'"{column}" IS NOT NULL' for column in columns)
    groups = f'SELECT count(*) - 1 AS more FROM "{table}" WHERE {known} GROUP BY {key} HAVING count(*) > 1'  # noqa: S608  # names are of db.tables
    return int(connection.scalar(sa.text(f"SELECT coalesce(sum(more), 0) FROM ({groups}) AS groups")) or 0)  # noqa: S608


def _orphans(connection: sa.Connection, found: shape.Shape, head: shape.Shape, table: str, key: shape.Constraint) -> int:
    [column] = key.columns
    kept = (table, column, key.refers_to) in {
        (of, *known.columns, known.refers_to)
        for (of, _), known in found.constraints.items()
        if known.kind == "f" and "NOT VALID" not in known.definition
    }
    if kept or found.columns[table, column].type != head.columns[table, column].type:
        return 0
    parents = f'SELECT FROM "{key.refers_to}" AS parent WHERE parent.id = child."{column}"'
    return _count(connection, table, f'"{column}" IS NOT NULL AND NOT EXISTS ({parents})')


def _count(connection: sa.Connection, table: str, condition: str, **values: object) -> int:
    statement = f'SELECT count(*) FROM "{table}" AS child WHERE {condition}'  # noqa: S608  # names are of db.tables
    return int(connection.scalar(sa.text(statement), values) or 0)
