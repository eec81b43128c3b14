"""Allow one rate beta per position and day: the newest stays, the others move to a table of their own.

The table is created only where there are such rows, with every column that they have; downgrading brings them back.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "27dec16d06c1"
down_revision = "382942d1a667"

TABLE = "position_interest_rate_betas"
KEY = "uq_position_interest_rate_betas_position_date"
SUPERSEDED = "position_interest_rate_betas_superseded"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE position_interest_rate_betas_superseded AS SELECT * FROM position_interest_rate_betas WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY position_id, calculation_date ORDER BY created_at DESC NULLS LAST, id) AS place
                FROM position_interest_rate_betas
            ) AS ranked
            WHERE place > 1
        )
    """)
    there, moving = sa.table(TABLE, sa.column("id")), sa.table(SUPERSEDED, sa.column("id"))
    moved = op.get_bind().execute(sa.delete(there).where(there.c.id == moving.c.id)).rowcount
    if moved:
        logging.getLogger("riskmetrics").warning(
            "%d older rate betas of a position and day moved to the table %s", moved, SUPERSEDED
        )
    else:
        op.drop_table(SUPERSEDED)
    op.create_unique_constraint(KEY, TABLE, ["position_id", "calculation_date"])


def downgrade() -> None:
    op.drop_constraint(KEY, TABLE, type_="unique")
    inspector = sa.inspect(op.get_bind())
    if inspector.has_table(SUPERSEDED):
        names = [column["name"] for column in inspector.get_columns(SUPERSEDED)]
        rows = sa.select(*map(sa.column, names)).select_from(sa.table(SUPERSEDED))
        op.execute(sa.insert(sa.table(TABLE, *map(sa.column, names))).from_select(names, rows))
        op.drop_table(SUPERSEDED)
