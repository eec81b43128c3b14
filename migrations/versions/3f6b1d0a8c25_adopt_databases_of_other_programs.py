"""Adopt databases of other programs: one schema, and one spelling of each symbol.

Such a database is at a founding revision. It may have its own names of constraints and indexes,
json instead of jsonb, naive timestamps (read as UTC), defaults kept in code, NOT NULL where a
result may be undefined, and symbols in several spellings (BRK.B, BRK/B and BRKB become BRK-B).
Later revisions and writes then meet one schema. Additions of the other program stay, and holdings
keep their NOT NULLs, because the other program writes them. Nothing changes in a database that this
chain created. Inputs in two spellings with different contents are named, and nothing is changed.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from alembic.script import ScriptDirectory

from riskmetrics.db import schema_diff, symbol_spellings
from riskmetrics.errors import SchemaError

revision = "3f6b1d0a8c25"
down_revision = "h1i2j3k4l5m6"

WIDENED_LATER = {
    ("positions", "quantity"): "numeric(28,10)",
    ("market_data_cache", "volume"): "bigint",
    ("position_interest_rate_betas", "ir_beta"): "numeric(18,6)",
    ("portfolio_snapshots", "daily_return"): "numeric(18,6)",
}
"""Columns that must not be narrowed on the way to their type at head."""

NULLABLE_LATER = {
    ("positions", "entry_price"),
    ("position_market_betas", "beta"),
    ("position_interest_rate_betas", "ir_beta"),
}


def upgrade() -> None:
    connection = op.get_bind()
    adopt_schema(connection)
    if collisions := symbol_spellings.find_collisions(connection):
        raise SchemaError(f"{'; '.join(collisions)}; nothing was changed")
    symbol_spellings.normalize_stored_symbols(connection)


def downgrade() -> None:
    """Leave schema and symbols: the revision before has the same schema, former spellings are lost."""


def adopt_schema(connection: sa.Connection) -> None:
    """Change the schema of the database to that of the founding revisions."""
    with schema_diff.scratch_schema(connection):
        scripts = ScriptDirectory(str(Path(__file__).parents[1]))
        for script in reversed(list(scripts.walk_revisions("base", down_revision))):
            script.module.upgrade()
        expected = schema_diff.describe_schema(connection)
    found = schema_diff.describe_schema(connection)
    for name in expected.enums.keys() - found.enums.keys():
        labels = expected.enums[name]  # a tuple prints as a list of SQL
        op.execute(f"CREATE TYPE {name} AS ENUM {labels}")
    for table in sorted(expected.tables):
        adopt_columns(table, found, expected)
    for key, constraint in expected.constraints.items():
        if found.constraints.get(key) != constraint:
            adopt_constraint(key, constraint, found)
    for key, index in expected.indexes.items():
        if found.indexes.get(key) != index:
            adopt_index(key, index, found, expected)


def adopt_columns(
    table: str, found: schema_diff.SchemaSnapshot, expected: schema_diff.SchemaSnapshot
) -> None:
    """Change types, defaults and NOT NULLs in one statement, which rewrites the table once at most."""
    changes: list[str] = []
    for (of, name), wanted in expected.columns.items():
        if of == table:
            there = found.columns[table, name]
            changes += retyped(table, name, there, wanted)
            if wanted.default and there.default != wanted.default:
                changes.append(f"ALTER {name} SET DEFAULT {wanted.default}")
            if there.not_null and not wanted.not_null and table not in schema_diff.HOLDING_TABLES:
                changes.append(f"ALTER {name} DROP NOT NULL")
            if wanted.not_null and not there.not_null and (table, name) not in NULLABLE_LATER:
                if wanted.default == "now()":
                    op.execute(
                        sa.update(sa.table(table, sa.column(name)))
                        .where(sa.column(name).is_(None))
                        .values({name: sa.func.now()})
                    )
                changes.append(f"ALTER {name} SET NOT NULL")
    if changes:
        op.execute(
            sa.text(f"ALTER TABLE {table} {', '.join(changes)}".replace(":", r"\:"))
        )  # a colon in a default is no parameter


def retyped(
    table: str, name: str, there: schema_diff.Column, wanted: schema_diff.Column
) -> list[str]:
    target = WIDENED_LATER.get((table, name), wanted.type)
    if there.type in {wanted.type, target}:
        return []
    naive = there.type.startswith("timestamp ") and target == "timestamp with time zone"
    changed = f"ALTER {name} TYPE {target} USING " + (
        f"{name} AT TIME ZONE 'UTC'" if naive else f"{name}::text::{target}"
    )
    if there.default is None:
        return [changed]
    kept = wanted.default or f"({there.default})::text::{target}"
    return [f"ALTER {name} DROP DEFAULT", changed, f"ALTER {name} SET DEFAULT {kept}"]


def adopt_constraint(
    key: schema_diff.ObjectKey, wanted: schema_diff.Constraint, found: schema_diff.SchemaSnapshot
) -> None:
    """Rename the same constraint, or put the expected one in the place of those on the same columns."""
    table, name = key
    rivals = {
        known: constraint
        for (of, known), constraint in found.constraints.items()
        if of == table
        and constraint.kind == wanted.kind
        and set(constraint.columns) == set(wanted.columns)
    }
    same = next((known for known, constraint in rivals.items() if constraint == wanted), None)
    for known in rivals.keys() - {same}:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quoted(known)}")
    if same:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(same)} TO {name}")
        return
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {wanted.definition}")
    for (of, known), index in found.indexes.items():
        if (
            wanted.kind == "u"
            and of == table
            and index.is_unique
            and set(index.columns) == set(wanted.columns)
        ):
            op.execute(f"DROP INDEX {quoted(known)}")


def adopt_index(
    key: schema_diff.ObjectKey,
    wanted: schema_diff.Index,
    found: schema_diff.SchemaSnapshot,
    expected: schema_diff.SchemaSnapshot,
) -> None:
    """Rename the same index, or create the expected one."""
    table, name = key
    same = [
        of
        for of, index in found.indexes.items()
        if of[0] == table and of not in expected.indexes and index == wanted
    ]
    if key in found.indexes:
        op.execute(f"DROP INDEX {name}")
    if same:
        op.execute(f"ALTER INDEX {quoted(same[0][1])} RENAME TO {name}")
    else:
        op.execute(wanted.definition.format(name))


def quoted(name: str) -> str:
    return op.get_bind().dialect.identifier_preparer.quote(name)
