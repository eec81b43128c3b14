"""Make positions.quantity NUMERIC(28,10): brokers state fractional shares with up to eight decimals.

The views that read the column are dropped and created again. Downgrading rounds to four decimals.
"""

import sqlalchemy as sa
from alembic import op

from riskmetrics.errors import SchemaError

revision = "5d2f8a1c7e36"
down_revision = "7c2e59d0a4b1"

VIEWS = ("v_positions", "v_positions_latest")
"""Read positions.quantity; the second reads the first."""

COMMENTS = sa.text("""
    SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
    WHERE attrelid = CAST(:view AS regclass) AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
""")
DEFINITION = sa.text(
    "SELECT pg_get_viewdef(CAST(:view AS regclass)), obj_description(CAST(:view AS regclass))"
)


GRANTS = sa.text("""
    SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, is_grantable
    FROM pg_class CROSS JOIN aclexplode(relacl) AS granted
    WHERE pg_class.oid = CAST(:view AS regclass) AND grantee <> relowner
""")
BLOCKING = sa.text("""
    SELECT DISTINCT view.relname FROM pg_depend
        JOIN pg_rewrite ON pg_rewrite.oid = objid AND classid = 'pg_rewrite'::regclass
        JOIN pg_class AS view ON view.oid = ev_class
        JOIN pg_class AS read ON read.oid = refobjid AND refclassid = 'pg_class'::regclass
        LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE read.oid = ANY(CAST(:read AS regclass[])) AND view.oid <> ALL(CAST(:read AS regclass[]))
        AND (read.oid <> CAST('positions' AS regclass) OR attname = 'quantity')
    ORDER BY 1
""")


def refuse_other_views() -> None:
    """Name the views of the user's own that Postgres would refuse the change for."""
    found = op.get_bind().execute(BLOCKING, {"read": ["positions", *VIEWS]}).scalars().all()
    if found:
        raise SchemaError(
            f"views of your own read positions.quantity, whose type changes: {', '.join(found)}; drop them, upgrade, and create them again"
        )


def alter_quantity(type_: sa.Numeric) -> None:
    connection = op.get_bind()
    refuse_other_views()
    saved = []
    for view in VIEWS:
        definition, comment = connection.execute(DEFINITION, {"view": view}).one()
        comments = connection.execute(COMMENTS, {"view": view}).all()
        grants = connection.execute(GRANTS, {"view": view}).all()
        saved.append((view, definition, comment, comments, grants))
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    op.alter_column("positions", "quantity", type_=type_)
    for view, definition, comment, comments, grants in saved:
        op.execute(
            sa.text(f"CREATE VIEW {view} AS {definition.rstrip().rstrip(';')}".replace(":", r"\:"))
        )
        if comment is not None:
            op.execute(f"COMMENT ON VIEW {view} IS {quote(comment)}")
        for privilege, grantee, is_grantable in grants:
            op.execute(
                f"GRANT {privilege} ON {view} TO {grantee}{' WITH GRANT OPTION' if is_grantable else ''}"
            )
        for column, text in comments:
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS {quote(text)}")


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def upgrade() -> None:
    alter_quantity(sa.Numeric(28, 10))


def downgrade() -> None:
    alter_quantity(sa.Numeric(16, 4))
