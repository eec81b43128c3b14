"""Keep volatility forecasts, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "5704a4f44e3d"
down_revision = "98efe922f012"


def upgrade() -> None:
    op.create_table(
        "har_forecast_scores",
        sa.Column(
            "subject",
            sa.String(36),
            nullable=False,
            comment="The symbol, or the id of the portfolio.",
        ),
        sa.Column(
            "day", sa.Date, nullable=False, comment="Session of the forecast, made at its close."
        ),
        sa.Column("portfolio_id", sa.Uuid, comment="NULL: the subject is a symbol."),
        sa.Column(
            "completed_on",
            sa.Date,
            nullable=False,
            comment="The 21st session after day: the last that the outcome looks at.",
        ),
        sa.Column(
            "realized",
            sa.Double,
            comment="Root mean square return of the 21 sessions after day, annualized fraction.",
        ),
        sa.Column("volatility_forecast", sa.Double, comment="The forecast, as it was stored."),
        sa.Column("root_variance_forecast", sa.Double),
        sa.Column("trailing_21d", sa.Double),
        sa.Column("ewma_94", sa.Double),
        sa.Column("ewma_97", sa.Double),
        sa.Column("low", sa.Double, comment="Ends of the forecast's 80 % band."),
        sa.Column("high", sa.Double),
        sa.Column(
            "coefficients", sa.String(64), nullable=False, comment="Version in har_coefficients."
        ),
        sa.Column(
            "in_sample",
            sa.Boolean,
            nullable=False,
            comment="The version's fit saw days after this one.",
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
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)",
            name=op.f("ck_har_forecast_scores_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_har_forecast_scores_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint("subject", "day", name=op.f("pk_har_forecast_scores")),
        comment="One row per completed forecast: what was expected, and what happened.",
    )
    op.create_index(
        op.f("ix_har_forecast_scores_completed_on"),
        "har_forecast_scores",
        ["completed_on"],
        unique=False,
    )
    op.create_table(
        "volatility_forecasts",
        sa.Column(
            "subject",
            sa.String(36),
            nullable=False,
            comment="The symbol, or the id of the portfolio.",
        ),
        sa.Column(
            "day", sa.Date, nullable=False, comment="Session of the forecast, made at its close."
        ),
        sa.Column("portfolio_id", sa.Uuid, comment="NULL: the subject is a symbol."),
        sa.Column(
            "volatility_forecast",
            sa.Double,
            comment="Volatility of the next 21 sessions; annualized fraction, as all here.",
        ),
        sa.Column(
            "root_variance_forecast", sa.Double, comment="Square root of the variance forecast."
        ),
        sa.Column("low", sa.Double, comment="10th percentile of what may follow."),
        sa.Column("high", sa.Double, comment="90th percentile of what may follow."),
        sa.Column(
            "rise_probability",
            sa.Double,
            comment="That the next 21 sessions are more volatile than the last 21.",
        ),
        sa.Column(
            "trailing_21d",
            sa.Double,
            comment="Standard deviation of the last 21 returns: the forecast that the past goes on.",
        ),
        sa.Column(
            "ewma_94", sa.Double, comment="Exponentially weighted, decay 0.94, over 252 sessions."
        ),
        sa.Column(
            "ewma_97", sa.Double, comment="Exponentially weighted, decay 0.97, over 252 sessions."
        ),
        sa.Column(
            "observations",
            sa.Integer,
            nullable=False,
            comment="Returns in the level of 252 sessions.",
        ),
        sa.Column(
            "proxy", sa.String(16), nullable=False, comment="What stood for a day's volatility."
        ),
        sa.Column(
            "coefficients", sa.String(64), nullable=False, comment="Version in har_coefficients."
        ),
        sa.Column(
            "in_sample",
            sa.Boolean,
            nullable=False,
            comment="The version's fit saw days after this one.",
        ),
        sa.Column(
            "clipped",
            sa.Boolean,
            nullable=False,
            comment="The model's ratio was beyond its bounds.",
        ),
        sa.Column(
            "short_history",
            sa.Boolean,
            nullable=False,
            comment="The level rests on 63 to 125 returns.",
        ),
        sa.Column(
            "daily_lag_imputed",
            sa.Boolean,
            nullable=False,
            comment="No return in 4 sessions: the month stood in for the day.",
        ),
        sa.Column(
            "thin_coverage_sessions",
            sa.Integer,
            comment="Sessions on which 80 to 95 % of gross exposure had a return. NULL: a symbol.",
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
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)",
            name=op.f("ck_volatility_forecasts_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=op.f("fk_volatility_forecasts_portfolio_id_portfolios"),
        ),
        sa.PrimaryKeyConstraint("subject", "day", name=op.f("pk_volatility_forecasts")),
        comment="One row per symbol or portfolio and session: the forecast, and the ones it is measured against.",
    )


def downgrade() -> None:
    op.drop_table("har_forecast_scores")
    op.drop_table("volatility_forecasts")
