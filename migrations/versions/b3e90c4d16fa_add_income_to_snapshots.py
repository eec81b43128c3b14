"""Add the distributions of the day, and what equity rests on, to portfolio_snapshots."""

import sqlalchemy as sa
from alembic import op

revision = "b3e90c4d16fa"
down_revision = "5d2f8a1c7e36"


def upgrade() -> None:
    op.add_column(
        "portfolio_snapshots",
        sa.Column(
            "income",
            sa.Numeric(16, 2),
            comment="Distributions of the holdings that went ex on the day, in daily_pnl and from then on"
            " in cash_value. NULL: not known of any.",
        ),
    )
    op.add_column(
        "portfolio_snapshots",
        sa.Column(
            "equity_source",
            sa.String(16),
            comment="Equity that weights are fractions of: stated_equity, rolled forward, or net_value"
            " where none is stated. NULL: computed by an earlier version.",
        ),
    )
    op.create_check_constraint(
        "equity_source", "portfolio_snapshots", "equity_source IN ('stated_equity', 'net_value')"
    )


def downgrade() -> None:
    op.drop_constraint("equity_source", "portfolio_snapshots", type_="check")
    op.drop_column("portfolio_snapshots", "equity_source")
    op.drop_column("portfolio_snapshots", "income")
