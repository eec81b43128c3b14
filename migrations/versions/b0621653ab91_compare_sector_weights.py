"""Create portfolio_sector_weights: net and active weights beside the gross ones of sector_exposure."""

import sqlalchemy as sa
from alembic import op

revision = "b0621653ab91"
down_revision = "24941284e59a"


def upgrade() -> None:
    op.create_table(
        "portfolio_sector_weights",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, comment="Session."),
        sa.Column(
            "sector", sa.String(64), primary_key=True, comment="GICS sector, ETF or Unclassified."
        ),
        sa.Column(
            "gross_weight", sa.Double, nullable=False, comment="Share of gross value, in [0, 1]."
        ),
        sa.Column(
            "net_weight",
            sa.Double,
            nullable=False,
            comment="Signed share of equity, as a fraction.",
        ),
        sa.Column(
            "benchmark_weight",
            sa.Double,
            comment="The benchmark's, as a fraction. NULL: no benchmark.",
        ),
        sa.Column(
            "active_weight",
            sa.Double,
            comment="net_weight minus benchmark_weight. NULL: no benchmark.",
        ),
        sa.Column("benchmark_asof", sa.Date, comment="Day that the benchmark's weights describe."),
        sa.Column("benchmark_code", sa.String(32), comment="Such as SP500."),
        sa.Column(
            "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row.",
        ),
        # sums of shares end a rounding error away from 1
        sa.CheckConstraint("gross_weight BETWEEN -1e-9 AND 1 + 1e-9", name="gross_weight"),
        comment="One row per portfolio, session and sector: weights beside the benchmark's.",
    )


def downgrade() -> None:
    op.drop_table("portfolio_sector_weights")
