"""Create portfolio_coverage: how much of a portfolio a metric speaks for."""

import sqlalchemy as sa
from alembic import op

revision = "c26e63e0bff7"
down_revision = "b0621653ab91"


def upgrade() -> None:
    op.create_table(
        "portfolio_coverage",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, comment="Session."),
        sa.Column(
            "metric", sa.String(32), primary_key=True, comment="What is covered, such as beta."
        ),
        sa.Column(
            "coverage",
            sa.Double,
            nullable=False,
            comment="Share covered, in [0, 1]: of gross exposure for betas, of instruments for prices.",
        ),
        sa.Column(
            "n_covered", sa.Integer, nullable=False, comment="Instruments that the metric covers."
        ),
        sa.Column(
            "n_total",
            sa.Integer,
            nullable=False,
            comment="Instruments that it is about: held, or for daily_pnl traded.",
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        sa.CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
        sa.CheckConstraint("n_covered BETWEEN 0 AND n_total", name="n_covered"),
        comment="One row per portfolio, session and metric: how much of the portfolio the metric speaks for.",
    )


def downgrade() -> None:
    op.drop_table("portfolio_coverage")
