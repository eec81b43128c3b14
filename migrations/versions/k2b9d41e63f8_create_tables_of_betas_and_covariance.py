"""Create the tables of exponentially weighted betas, covariance and correlation."""

import sqlalchemy as sa
from alembic import op

revision = "k2b9d41e63f8"
down_revision = "k1a7f30b52c9"

CONTRIBUTIONS = ("decayed_component", "decayed_marginal", "decayed_share")


def upgrade() -> None:
    op.create_table(
        "symbol_decayed_betas",
        sa.Column("symbol", sa.String(20), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *_doubles("beta", "std_error", "forecast_std_error", "effective_observations"),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("window_days", sa.Integer, nullable=False),
        sa.Column("half_life", sa.Integer, nullable=False),
        sa.Column("market_index", sa.String(16), nullable=False),
        *_provenance(),
    )

    op.create_table(
        "portfolio_decayed_betas",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *_doubles("beta", "regression_beta", "std_error", "forecast_std_error"),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("market_index", sa.String(16), nullable=False),
        *_provenance(),
    )
    for column in _doubles(*CONTRIBUTIONS):
        op.add_column("portfolio_risk_contributions", column)
    op.create_table(
        "portfolio_ex_ante_volatility",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("method", sa.String(16), primary_key=True),
        *_doubles("volatility", "shrinkage", "effective_observations"),
        sa.Column("observations", sa.Integer, nullable=False),
        *_provenance(),
        sa.CheckConstraint("method IN ('equal_weighted', 'decayed')", name="method"),
    )
    op.create_table(
        "portfolio_diversification",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *_doubles("average_correlation", "first_component_share", "diversification_ratio"),
        *_doubles("highest_correlation"),
        sa.Column("highest_pair", sa.String(48)),
        *_doubles("lowest_correlation"),
        sa.Column("lowest_pair", sa.String(48)),
        sa.Column("symbols", sa.Integer, nullable=False),
        *_provenance(),
    )
    op.create_table(
        "portfolio_correlations",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("symbol_a", sa.String(20), primary_key=True),
        sa.Column("symbol_b", sa.String(20), primary_key=True),
        *_doubles("correlation"),
        sa.Column("observations", sa.Integer, nullable=False),
        *_provenance(),
    )


def downgrade() -> None:
    op.drop_table("portfolio_correlations")
    op.drop_table("portfolio_diversification")
    op.drop_table("portfolio_ex_ante_volatility")
    for name in CONTRIBUTIONS:
        op.drop_column("portfolio_risk_contributions", name)
    op.drop_table("portfolio_decayed_betas")
    op.drop_table("symbol_decayed_betas")


def _doubles(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double) for name in names]


def _provenance() -> list[sa.Column[str]]:
    return [
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    ]
