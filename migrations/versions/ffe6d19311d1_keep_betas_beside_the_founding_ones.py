"""Keep two-factor and adjusted betas of symbols, and rate betas of portfolios."""

import sqlalchemy as sa
from alembic import op

revision = "ffe6d19311d1"
down_revision = "db646f12715c"


def upgrade() -> None:
    op.create_table(
        "symbol_adjusted_betas",
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="Last session of the window."),
        sa.Column(
            "beta",
            sa.Double,
            comment="Market beta drawn towards the prior by as much as it is uncertain (Vasicek 1973).",
        ),
        sa.Column("std_error", sa.Double, comment="Posterior, of beta."),
        sa.Column("prior_mean", sa.Double, nullable=False, comment="Of betas of stocks."),
        sa.Column("prior_std", sa.Double, nullable=False, comment="Of betas of stocks."),
        sa.Column(
            "market_index",
            sa.String(16),
            nullable=False,
            comment="Symbol that stands for the market.",
        ),
        sa.Column(
            "undefined_reason", sa.Text, comment="Why figures of this row are NULL. NULL: none is."
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_symbol_adjusted_betas")),
        comment="One row per symbol and session: the market beta that predicts the next window's best.",
    )
    op.create_table(
        "symbol_two_factor_betas",
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="Last session of the window."),
        sa.Column(
            "market_beta",
            sa.Double,
            comment="Return per unit of the market's return, that of the rate index held fixed.",
        ),
        sa.Column("market_std_error", sa.Double, comment="Classical, of market_beta."),
        sa.Column("market_p_value", sa.Double, comment="Two-sided, of market_beta = 0."),
        sa.Column(
            "rate_beta",
            sa.Double,
            comment="Return per unit of the rate index's return, that of the market held fixed.",
        ),
        sa.Column("rate_std_error", sa.Double, comment="Classical, of rate_beta."),
        sa.Column("rate_p_value", sa.Double, comment="Two-sided, of rate_beta = 0."),
        sa.Column("alpha", sa.Double, comment="Return per session, as a fraction."),
        sa.Column("r_squared", sa.Double, comment="In [0, 1]."),
        sa.Column(
            "observations",
            sa.Integer,
            nullable=False,
            comment="Sessions on which all three have a return.",
        ),
        sa.Column("window_days", sa.Integer, nullable=False, comment="Sessions in the window."),
        sa.Column(
            "market_index",
            sa.String(16),
            nullable=False,
            comment="Symbol that stands for the market.",
        ),
        sa.Column(
            "rate_index",
            sa.String(16),
            nullable=False,
            comment="Symbol that stands for interest rates.",
        ),
        sa.Column(
            "undefined_reason", sa.Text, comment="Why figures of this row are NULL. NULL: none is."
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name=op.f("pk_symbol_two_factor_betas")),
        comment="One row per symbol and session: the regression on the market and the rate index together.",
    )
    op.create_table(
        "portfolio_rate_betas",
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="Session."),
        sa.Column(
            "rate_beta",
            sa.Double,
            comment="Mean of the positions' rate betas, weighted by signed value over equity.",
        ),
        sa.Column(
            "r_squared", sa.Double, comment="Mean of the positions', weighted by gross value."
        ),
        sa.Column("observations", sa.Integer, comment="Fewest among the positions."),
        sa.Column(
            "two_factor_market_beta",
            sa.Double,
            comment="The same mean of the market betas that hold the rate index fixed.",
        ),
        sa.Column(
            "two_factor_rate_beta",
            sa.Double,
            comment="The same mean of the rate betas that hold the market fixed.",
        ),
        sa.Column(
            "rate_index",
            sa.String(16),
            nullable=False,
            comment="Symbol that stands for interest rates.",
        ),
        sa.Column(
            "undefined_reason", sa.Text, comment="Why figures of this row are NULL. NULL: none is."
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_portfolio_rate_betas_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint("portfolio_id", "day", name=op.f("pk_portfolio_rate_betas")),
        comment="One row per portfolio and session: sensitivity to interest rates, per unit return of the rate index.",
    )


def downgrade() -> None:
    op.drop_table("portfolio_rate_betas")
    op.drop_table("symbol_adjusted_betas")
    op.drop_table("symbol_two_factor_betas")
