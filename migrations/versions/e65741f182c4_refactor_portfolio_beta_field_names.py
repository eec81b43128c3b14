"""Name the portfolio betas by how they are made, and add the vendor's."""

import sqlalchemy as sa
from alembic import op

revision = "e65741f182c4"
down_revision = "d2e3f4g5h6i7"

TABLE = "portfolio_snapshots"
NEW_NAMES = {
    "market_beta_weighted": "beta_calculated_90d",
    "market_beta_r_squared": "beta_calculated_90d_r_squared",
    "market_beta_observations": "beta_calculated_90d_observations",
    "market_beta_direct": "beta_portfolio_regression",
}


def upgrade() -> None:
    for old, new in NEW_NAMES.items():
        op.alter_column(TABLE, old, new_column_name=new)
    op.add_column(TABLE, sa.Column("beta_provider_1y", sa.Numeric(10, 4)))


def downgrade() -> None:
    op.drop_column(TABLE, "beta_provider_1y")
    for old, new in NEW_NAMES.items():
        op.alter_column(TABLE, new, new_column_name=old)
