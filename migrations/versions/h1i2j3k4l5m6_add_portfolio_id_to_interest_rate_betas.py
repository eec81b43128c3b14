"""Add portfolio_id to position_interest_rate_betas, so that a portfolio's rows are found and deleted without a join."""

import sqlalchemy as sa
from alembic import op

revision = "h1i2j3k4l5m6"
down_revision = "7003a3be89fe"

TABLE = "position_interest_rate_betas"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("portfolio_id", sa.Uuid))
    op.execute(
        "UPDATE position_interest_rate_betas SET portfolio_id = positions.portfolio_id"
        " FROM positions WHERE position_interest_rate_betas.position_id = positions.id"
    )
    op.alter_column(TABLE, "portfolio_id", nullable=False)
    op.create_foreign_key(
        "fk_position_ir_betas_portfolio",
        TABLE,
        "portfolios",
        ["portfolio_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index("idx_ir_betas_portfolio_date", TABLE, ["portfolio_id", "calculation_date"])


def downgrade() -> None:
    op.drop_index("idx_ir_betas_portfolio_date", TABLE)
    op.drop_column(TABLE, "portfolio_id")  # and with it its foreign key
