"""Add sector exposure and concentration to portfolio_snapshots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "f67a98539656"
down_revision = "7818709e948d"

TABLE = "portfolio_snapshots"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("sector_exposure", JSONB))
    op.add_column(TABLE, sa.Column("hhi", sa.Numeric(10, 2)))
    op.add_column(TABLE, sa.Column("effective_num_positions", sa.Numeric(10, 2)))
    op.add_column(TABLE, sa.Column("top_3_concentration", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("top_10_concentration", sa.Numeric(10, 4)))


def downgrade() -> None:
    for column in (
        "top_10_concentration",
        "top_3_concentration",
        "effective_num_positions",
        "hhi",
        "sector_exposure",
    ):
        op.drop_column(TABLE, column)
