"""Create the tables of limits and of their checks."""

import sqlalchemy as sa
from alembic import op

revision = "k8b7d37ec9f6"
down_revision = "k7a6c26db8e5"

PORTFOLIO = ("portfolio_id", sa.Uuid)


def upgrade() -> None:
    op.create_table(
        "portfolio_limits",
        sa.Column(*PORTFOLIO, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("limit_name", sa.String(32), primary_key=True),
        sa.Column("limit_value", sa.Double, nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column("alerted_status", sa.String(16), nullable=False, server_default="kept"),
        sa.Column("alerted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("limit_value > 0", name=op.f("ck_portfolio_limits_limit_value")),
    )
    op.create_table(
        "portfolio_limit_checks",
        sa.Column(*PORTFOLIO, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("limit_name", sa.String(32), primary_key=True),
        sa.Column("limit_value", sa.Double, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("subject", sa.String(64)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
        sa.CheckConstraint(
            "status IN ('kept', 'exceeded', 'undefined')",
            name=op.f("ck_portfolio_limit_checks_status"),
        ),
    )


def downgrade() -> None:
    op.drop_table("portfolio_limit_checks")
    op.drop_table("portfolio_limits")
