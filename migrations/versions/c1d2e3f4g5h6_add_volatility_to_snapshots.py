"""Add the volatility of the portfolio's own returns to portfolio_snapshots."""

import sqlalchemy as sa
from alembic import op

revision = "c1d2e3f4g5h6"
down_revision = "f67a98539656"

TABLE = "portfolio_snapshots"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("realized_volatility_21d", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("realized_volatility_63d", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("expected_volatility_21d", sa.Numeric(10, 4)))
    op.add_column(TABLE, sa.Column("volatility_trend", sa.String(20)))
    op.add_column(TABLE, sa.Column("volatility_percentile", sa.Numeric(10, 4)))
    op.create_index(
        "idx_snapshots_volatility",
        TABLE,
        ["portfolio_id", "snapshot_date", "realized_volatility_21d"],
    )


def downgrade() -> None:
    op.drop_index("idx_snapshots_volatility", TABLE)
    for column in (
        "volatility_percentile",
        "volatility_trend",
        "expected_volatility_21d",
        "realized_volatility_63d",
        "realized_volatility_21d",
    ):
        op.drop_column(TABLE, column)
