"""Create the tables of the distribution of returns, of time under water, and of alpha."""

import sqlalchemy as sa
from alembic import op

revision = "m3e5f7a91b24"
down_revision = "m2c4d6e80f12"

TABLES = {
    "portfolio_return_distribution": (
        ("win_rate", sa.Double),
        ("payoff_ratio", sa.Double),
        ("omega_ratio", sa.Double),
        ("skewness", sa.Double),
        ("excess_kurtosis", sa.Double),
        ("tail_ratio", sa.Double),
        ("losing_streak", sa.Integer),
        ("probabilistic_sharpe", sa.Double),
        ("kelly_leverage", sa.Double),
    ),
    "portfolio_underwater": (
        ("ulcer_index", sa.Double),
        ("average_drawdown", sa.Double),
        ("time_under_water", sa.Double),
        ("longest_drawdown", sa.Integer),
        ("martin_ratio", sa.Double),
    ),
    "portfolio_alpha": (
        ("alpha", sa.Double),
        ("alpha_std_error", sa.Double),
        ("year_beta", sa.Double),
        ("market_correlation", sa.Double),
        ("treynor_ratio", sa.Double),
    ),
}


def upgrade() -> None:
    for table, figures in TABLES.items():
        op.create_table(
            table,
            sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
            sa.Column("day", sa.Date, primary_key=True),
            *(sa.Column(name, kind) for name, kind in figures),
            sa.Column("observations", sa.Integer, nullable=False),
            sa.Column("undefined_reason", sa.Text),
            sa.Column("dagster_run_id", sa.String(36)),
            sa.Column("code_version", sa.String(64)),
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
