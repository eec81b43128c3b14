"""Say what a symbol of portfolio_risk_contributions is: options count with their underlying."""

from alembic import op

revision = "8c41d7e09b52"
down_revision = "6c1f0b7d92ae"

BEFORE = "Listed; options and private holdings have no return series."


def upgrade() -> None:
    op.alter_column(
        "portfolio_risk_contributions",
        "symbol",
        comment="What is held, or what a held option is on.",
        existing_comment=BEFORE,
    )


def downgrade() -> None:
    op.alter_column("portfolio_risk_contributions", "symbol", comment=BEFORE)
