"""Make position_market_betas.beta nullable: too few returns is an answer.

Downgrading keeps an undefined beta as NaN, which NUMERIC can hold; upgrading reads NaN as NULL.
"""

from alembic import op

revision = "211736c377be"
down_revision = "4cdd22418897"


def upgrade() -> None:
    op.alter_column("position_market_betas", "beta", nullable=True)
    op.execute("UPDATE position_market_betas SET beta = NULL WHERE beta = 'NaN'")


def downgrade() -> None:
    op.execute("UPDATE position_market_betas SET beta = 'NaN' WHERE beta IS NULL")
    op.alter_column("position_market_betas", "beta", nullable=False)
