"""Create undefined_metrics: why a value is NULL."""

import sqlalchemy as sa
from alembic import op

revision = "24941284e59a"
down_revision = "8768e2383d04"


def upgrade() -> None:
    op.create_table(
        "undefined_metrics",
        sa.Column(
            "metric", sa.String(64), primary_key=True, comment="'table.column' that is NULL."
        ),
        sa.Column(
            "subject",
            sa.Uuid,
            primary_key=True,
            comment="The position or portfolio that it is about.",
        ),
        sa.Column("day", sa.Date, primary_key=True, comment="Session."),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column(
            "n_obs",
            sa.Integer,
            comment="Observations there were. NULL: the reason is not their number.",
        ),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        comment="One row per metric, subject and day that is NULL because it is undefined, and why.",
    )
    op.create_index(
        "ix_undefined_metrics_portfolio_id_day", "undefined_metrics", ["portfolio_id", "day"]
    )


def downgrade() -> None:
    op.drop_table("undefined_metrics")
