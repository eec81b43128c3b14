"""Create the tables of regressions on the market index and of active risk."""

import sqlalchemy as sa
from alembic import op

revision = "h4c8e20a97f1"
down_revision = "g7d3b61c0e94"

FIGURES = {
    "portfolio_market_regressions": ("beta", "std_error", "r_squared", "specific_volatility"),
    "portfolio_active_risk": ("tracking_error", "active_return", "information_ratio"),
}


def upgrade() -> None:
    for table, figures in FIGURES.items():
        op.create_table(
            table,
            sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
            sa.Column("day", sa.Date, primary_key=True),
            *(sa.Column(figure, sa.Double) for figure in figures),
            sa.Column("observations", sa.Integer, nullable=False),
            sa.Column("undefined_reason", sa.Text),
            sa.Column("dagster_run_id", sa.String(36)),
            sa.Column("code_version", sa.String(64)),
        )


def downgrade() -> None:
    for table in FIGURES:
        op.drop_table(table)
