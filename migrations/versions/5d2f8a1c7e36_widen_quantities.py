"""Make positions.quantity NUMERIC(28,10): brokers state fractional shares with up to eight decimals.

The views that read the column are dropped and created again. Downgrading rounds to four decimals.
"""

import sqlalchemy as sa
from alembic import op

revision = "5d2f8a1c7e36"
down_revision = "7c2e59d0a4b1"

VIEWS = ("v_positions", "v_positions_latest")
"""Read positions.quantity; the second reads the first."""

COMMENTS = sa.text("""
    SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
    WHERE attrelid = CAST(:view AS regclass) AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
""")
DEFINITION = sa.text("SELECT pg_get_viewdef(CAST(:view AS regclass)), obj_description(CAST(:view AS regclass))")


def alter_quantity(type_: sa.Numeric) -> None:
    connection = op.get_bind()
    saved = []
    for view in VIEWS:
        definition, comment = connection.execute(DEFINITION, {"view": view}).one()
        comments = connection.execute(COMMENTS, {"view": view}).all()
        saved.append((view, definition, comment, comments))
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    op.alter_column("positions", "quantity", type_=type_)
    for view, definition, comment, comments in saved:
        op.execute(sa.text(f"CREATE VIEW {view} AS {definition.rstrip().rstrip(';')}".replace(":", r"\:")))
        op.execute(f"COMMENT ON VIEW {view} IS {quote(comment)}")
        for column, text in comments:
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS {quote(text)}")


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def upgrade() -> None:
    alter_quantity(sa.Numeric(28, 10))


def downgrade() -> None:
    alter_quantity(sa.Numeric(16, 4))
