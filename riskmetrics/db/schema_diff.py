"""Describe and compare schemas by the catalog of Postgres.

All objects visible in the search path are read, so temporary tables are described in the same way
as the live ones: types, defaults and CHECKs are compared in the server's own notation.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa


class Column(NamedTuple):
    """A column: its type with modifier, NOT NULL, and its default as SQL or None."""

    type: str
    not_null: bool
    default: str | None

    def __str__(self) -> str:
        return (
            self.type
            + (" NOT NULL" if self.not_null else "")
            + (f" DEFAULT {self.default}" if self.default else "")
        )


class Constraint(NamedTuple):
    """A primary key (kind "p"), unique constraint ("u"), foreign key ("f") or CHECK ("c")."""

    kind: str
    columns: tuple[str, ...]
    referred_table: str | None
    definition: str

    def __str__(self) -> str:
        return self.definition


class Index(NamedTuple):
    """An index without constraint; ``definition`` is its CREATE statement with ``{}`` as name."""

    columns: tuple[str, ...]
    is_unique: bool
    definition: str


ObjectKey = tuple[str, str]
"""Name of a table, and name of one of its columns, constraints or indexes."""


class SchemaSnapshot(NamedTuple):
    """Tables and enums of one schema."""

    columns: dict[ObjectKey, Column]
    constraints: dict[ObjectKey, Constraint]
    indexes: dict[ObjectKey, Index]
    enums: dict[str, tuple[str, ...]]

    @property
    def tables(self) -> set[str]:
        """Names of the tables that have columns."""
        return {table for table, _ in self.columns}


_VISIBLE_TABLES = """
    WITH seen AS (
        SELECT oid, relname FROM pg_class
        WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid)
            AND relnamespace <> 'pg_catalog'::regnamespace
    )
"""


def _visible_tables_query(query: str) -> sa.TextClause:
    """Return a query in which ``seen`` is a CTE of the visible tables."""
    return sa.text(_VISIBLE_TABLES + query)


_COLUMNS = _visible_tables_query("""
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull,
        pg_get_expr(adbin, adrelid)
    FROM seen JOIN pg_attribute ON attrelid = seen.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    ORDER BY relname, attnum
""")
_CONSTRAINTS = _visible_tables_query("""
    SELECT seen.relname, conname, contype::text,
        ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
        referred.relname, pg_get_constraintdef(pg_constraint.oid, true)
    FROM seen JOIN pg_constraint ON conrelid = seen.oid AND contype IN ('p', 'u', 'f', 'c')
        LEFT JOIN pg_class AS referred ON referred.oid = confrelid
    ORDER BY contype = 'f', 1, 2
""")
_INDEXES = _visible_tables_query("""
    SELECT seen.relname, index.relname,
        ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = number ORDER BY place),
        indisunique,
        replace(pg_get_indexdef(indexrelid, 0, true),
            'INDEX ' || quote_ident(index.relname) || ' ON ', 'INDEX {} ON ')
    FROM seen JOIN pg_index ON indrelid = seen.oid JOIN pg_class AS index ON index.oid = indexrelid
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
    ORDER BY 1, 2
""")
_ENUMS = sa.text("""
    SELECT typname, array_agg(enumlabel::text ORDER BY enumsortorder)
    FROM pg_type JOIN pg_enum ON enumtypid = pg_type.oid
    WHERE pg_type_is_visible(pg_type.oid) GROUP BY typname
""")


def describe_schema(connection: sa.Connection) -> SchemaSnapshot:
    """Describe every table and enum in the search path.

    Unique constraints precede the foreign keys that refer to them.
    """
    return SchemaSnapshot(
        columns={
            (table, name): Column(*rest) for table, name, *rest in connection.execute(_COLUMNS)
        },
        constraints={
            (table, name): Constraint(kind, tuple(columns), referred, definition)
            for table, name, kind, columns, referred, definition in connection.execute(_CONSTRAINTS)
        },
        indexes={
            (table, name): Index(tuple(columns), unique, definition)
            for table, name, columns, unique, definition in connection.execute(_INDEXES)
        },
        enums={name: tuple(labels) for name, labels in connection.execute(_ENUMS)},
    )


@contextmanager
def scratch_schema(connection: sa.Connection) -> Iterator[None]:
    """Create tables and enums of the block in the temporary schema, and roll them back.

    The live tables are not visible inside the block.
    """
    with connection.begin_nested() as savepoint:
        connection.execute(sa.text("SET LOCAL search_path TO pg_temp"))
        yield
        savepoint.rollback()


def describe_tables(connection: sa.Connection, metadata: sa.MetaData) -> SchemaSnapshot:
    """Describe tables of the code, which Postgres creates as temporary tables and rolls back."""
    with scratch_schema(connection):
        _without_comments(metadata).create_all(connection, checkfirst=False)
        return describe_schema(connection)


@cache
def _without_comments(metadata: sa.MetaData) -> sa.MetaData:
    """Return a copy: the comments of a thousand columns are a statement each."""
    copy = sa.MetaData(naming_convention=metadata.naming_convention)
    for table in (original.to_metadata(copy) for original in metadata.sorted_tables):
        table.comment = None
        for column in table.columns:
            column.comment = None
    return copy


class Comparison(NamedTuple):
    """Differences between a live schema and the expected schema, one sentence each."""

    missing: list[str]
    """Missing or different objects."""
    unexpected: list[str]
    """CHECKs, unique indexes and keys that may reject rows that riskmetrics writes."""
    additions: list[str]
    """Allowed additions of other programs.

    These are tables, columns, indexes that are not unique, defaults, foreign keys to their own
    tables, labels of enums, and NOT NULL in `HOLDING_TABLES`, whose rows they write.
    """

    @property
    def differences(self) -> list[str]:
        """Missing, different and unexpected objects, sorted."""
        return sorted(self.missing + self.unexpected)


_TEXT_CASTS = re.compile(r"::(text|character varying)(\[\])?")

HOLDING_TABLES = frozenset({"portfolios", "positions"})


def compare_schemas(live: SchemaSnapshot, expected: SchemaSnapshot) -> Comparison:
    """Compare two schemas; each list of sentences is sorted."""
    missing_tables = expected.tables - live.tables
    result = Comparison(
        missing=[f"table {name} is missing" for name in missing_tables],
        unexpected=[],
        additions=[
            f"table {name} belongs to another program"
            for name in live.tables - expected.tables - {"alembic_version"}
        ],
    )
    for name, labels in expected.enums.items():
        _compare_enum(name, live.enums.get(name, ()), labels, result)
    live_items, expected_items = _list_items(live), _list_items(expected)
    for item, value in expected_items.items():
        if item.table not in missing_tables and item not in live_items:
            result.missing.append(
                f"{item.label} is missing; expected {_describe_item(item, value)}"
            )
        elif item.table not in missing_tables and _normalize_constraint(
            live_items[item]
        ) != _normalize_constraint(value):
            is_tolerated = isinstance(value, Column) and _is_only_stricter(
                item.table, live_items[item], value
            )
            (result.additions if is_tolerated else result.missing).append(
                f"{item.label} is {_describe_item(item, live_items[item])}; expected"
                f" {_describe_item(item, value)}"
            )
    for item in live_items.keys() - expected_items.keys():
        if item.table in expected.tables:
            is_harmless = _is_harmless(live_items[item], expected.tables)
            (result.additions if is_harmless else result.unexpected).append(
                f"{item.label} is unexpected: {_describe_item(item, live_items[item])}"
            )
    for sentences in result:
        sentences.sort()
    return result


class _Item(NamedTuple):
    table: str
    name: str
    label: str


def _list_items(snapshot: SchemaSnapshot) -> dict[_Item, Column | Constraint | Index]:
    kinds: tuple[tuple[str, Mapping[ObjectKey, Column | Constraint | Index]], ...] = (
        ("column {0}.{1}", snapshot.columns),
        ("constraint {1} on {0}", snapshot.constraints),
        ("index {1} on {0}", snapshot.indexes),
    )
    return {
        _Item(table, name, label.format(table, name)): item
        for label, items in kinds
        for (table, name), item in items.items()
    }


def _describe_item(item: _Item, value: Column | Constraint | Index) -> str:
    return value.definition.replace("{}", item.name, 1) if isinstance(value, Index) else str(value)


def _normalize_constraint(value: Column | Constraint | Index) -> Column | Constraint | Index:
    """Return a constraint without casts to text, which Postgres moves when it restores a dump."""
    return (
        value._replace(definition=_TEXT_CASTS.sub("", value.definition))
        if isinstance(value, Constraint)
        else value
    )


def _is_harmless(value: Column | Constraint | Index, own_tables: set[str]) -> bool:
    if isinstance(value, Constraint):
        return value.kind == "f" and value.referred_table not in own_tables
    return isinstance(value, Column) or not value.is_unique


def _is_only_stricter(table: str, live: Column | Constraint | Index, expected: Column) -> bool:
    """Return whether a column differs only by an added default, or NOT NULL in holdings."""
    if not isinstance(live, Column):
        return False
    default = live.default if expected.default is None else expected.default
    not_null = expected.not_null or (live.not_null and table in HOLDING_TABLES)
    return live == expected._replace(default=default, not_null=not_null)


def _compare_enum(
    name: str, live: tuple[str, ...], expected: tuple[str, ...], result: Comparison
) -> None:
    if live != expected:
        is_superset = tuple(label for label in live if label in expected) == expected
        sentence = f"enum {name} is {', '.join(live) or 'missing'}; expected {', '.join(expected)}"
        (result.additions if is_superset else result.missing).append(sentence)
