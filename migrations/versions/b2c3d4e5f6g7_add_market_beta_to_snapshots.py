"""Add the portfolio's market beta to portfolio_snapshots.

The index is on snapshot_date, the column that the table has (there is no calculation_date).
"""

import sqlalchemy as sa
from alembic import op

revision = "b2c3d4e5f6g7"
down_revision = "a1b2c3d4e5f6"

TABLE = "portfolio_snapshots"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("market_beta_weighted", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("market_beta_r_squared", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("market_beta_observations", sa.Integer))
    op.add_column(TABLE, sa.Column("market_beta_direct", sa.Numeric(10, 4)))
    op.create_index(
        "idx_snapshots_beta", TABLE, ["portfolio_id", "snapshot_date", "market_beta_weighted"]
    )


def downgrade() -> None:
    op.drop_index("idx_snapshots_beta", TABLE)
    for column in (
        "market_beta_direct",
        "market_beta_observations",
        "market_beta_r_squared",
        "market_beta_weighted",
    ):
        op.drop_column(TABLE, column)
