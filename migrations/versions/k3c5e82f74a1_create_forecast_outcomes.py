"""Create the track record of all forecasts; it replaces the scores of volatility forecasts.

A downgrade loses the outcomes of forecasts other than those of volatility over 21 sessions.
"""

import sqlalchemy as sa
from alembic import op

revision = "k3c5e82f74a1"
down_revision = "k2b9d41e63f8"

METHODS = {
    "har": ("volatility_forecast", "root_variance_forecast"),
    "trailing_21d": ("trailing_21d", "trailing_21d"),
    "ewma_94": ("ewma_94", "ewma_94"),
    "ewma_97": ("ewma_97", "ewma_97"),
}
"""Method to the columns of the forecast and of the root of its variance forecast."""

VIEW = """
    CREATE OR REPLACE VIEW v_forecasts AS
    SELECT s.portfolio_id, coalesce(p.name, s.subject) AS subject, s.day, s.volatility_forecast, s.low, s.high, s.trailing_21d, s.in_sample,
        o.completed_on, o.{realized} AS realized, o.{realized} BETWEEN o.low AND o.high AS in_interval, s.undefined_reason
    FROM volatility_forecasts s LEFT JOIN portfolios p ON p.id = s.portfolio_id
        LEFT JOIN {joined}
    WHERE p.deleted_at IS NULL
"""
"""Replaced, not dropped: grants and views of others stay."""


def upgrade() -> None:
    op.create_table(
        "forecast_outcomes",
        sa.Column("subject", sa.String(36), primary_key=True),
        sa.Column("made_on", sa.Date, primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("method", sa.String(32), primary_key=True),
        sa.Column("horizon", sa.Integer, primary_key=True),
        sa.Column("level", sa.Numeric(4, 3), primary_key=True),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id")),
        sa.Column("completed_on", sa.Date, nullable=False),
        sa.Column("forecast", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("root_variance", "shortfall_forecast")),
        *(sa.Column(name, sa.Double) for name in ("low", "high", "outcome", "forecast_loss")),
        sa.Column("in_sample", sa.Boolean, nullable=False),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
        sa.Index(None, "completed_on"),
    )
    for method, (forecast, root_variance) in METHODS.items():
        op.execute(_copy_scores(method, forecast, root_variance))
    joined = (
        "forecast_outcomes o ON o.subject = s.subject AND o.made_on = s.day"
        " AND o.kind = 'volatility' AND o.method = 'har' AND o.horizon = 21"
    )
    op.execute(VIEW.format(realized="outcome", joined=joined))
    op.drop_table("har_forecast_scores")


def _copy_scores(method: str, forecast: str, root_variance: str) -> str:
    """Return the statement that copies the scores of one method, with their QLIKE."""
    is_har = method == "har"
    ratio = f"realized / {root_variance}"
    return f"""
        INSERT INTO forecast_outcomes (subject, made_on, kind, method, horizon, level,
            portfolio_id, completed_on, forecast, root_variance, low, high, outcome, forecast_loss,
            in_sample, undefined_reason, dagster_run_id, code_version)
        SELECT subject, day, 'volatility', '{method}', 21, 0, portfolio_id, completed_on,
            {forecast}, {root_variance if is_har else "NULL"}, {"low, high" if is_har else "NULL, NULL"}, realized,
            CASE WHEN realized > 0 AND {root_variance} > 0 THEN ({ratio}) ^ 2 - 2 * ln({ratio}) - 1 END,
            in_sample, CASE WHEN realized = 0 THEN 'the price did not move in the horizon' ELSE undefined_reason END,
            dagster_run_id, code_version
        FROM har_forecast_scores WHERE {forecast} IS NOT NULL
    """  # noqa: S608  names are ours


def downgrade() -> None:
    doubles = (
        *("realized", "volatility_forecast", "root_variance_forecast"),
        *("trailing_21d", "ewma_94", "ewma_97", "low", "high"),
    )
    op.create_table(
        "har_forecast_scores",
        sa.Column("subject", sa.String(36), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id")),
        sa.Column("completed_on", sa.Date, nullable=False),
        *(sa.Column(name, sa.Double) for name in doubles),
        sa.Column("coefficients", sa.String(64), nullable=False),
        sa.Column("in_sample", sa.Boolean, nullable=False),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
        sa.Index(None, "completed_on"),
    )
    alternatives = ", ".join(f"{method}.forecast" for method in METHODS if method != "har")
    joins = " ".join(
        f"LEFT JOIN forecast_outcomes {method} ON {method}.subject = o.subject AND {method}.made_on = o.made_on"
        f" AND {method}.kind = o.kind AND {method}.horizon = o.horizon AND {method}.method = '{method}'"
        for method in METHODS
        if method != "har"
    )
    op.execute(f"""
        INSERT INTO har_forecast_scores (subject, day, portfolio_id, completed_on, realized,
            volatility_forecast, root_variance_forecast, trailing_21d, ewma_94, ewma_97, low, high,
            coefficients, in_sample, undefined_reason, dagster_run_id, code_version)
        SELECT o.subject, o.made_on, o.portfolio_id, o.completed_on, o.outcome, o.forecast,
            o.root_variance, {alternatives}, o.low, o.high, coalesce(f.coefficients, 'unknown'),
            o.in_sample, CASE WHEN o.outcome IS NULL THEN o.undefined_reason END,
            o.dagster_run_id, o.code_version
        FROM forecast_outcomes o {joins}
            LEFT JOIN volatility_forecasts f ON f.subject = o.subject AND f.day = o.made_on
        WHERE o.kind = 'volatility' AND o.method = 'har' AND o.horizon = 21
    """)  # noqa: S608  names are ours
    joined = "har_forecast_scores o ON o.subject = s.subject AND o.day = s.day"
    op.execute(VIEW.format(realized="realized", joined=joined))
    op.drop_table("forecast_outcomes")
