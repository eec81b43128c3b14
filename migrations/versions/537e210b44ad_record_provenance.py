"""Record which run of which code wrote a result."""

import sqlalchemy as sa
from alembic import op

revision = "537e210b44ad"
down_revision = "211736c377be"

TABLES = (
    "position_market_betas",
    "position_interest_rate_betas",
    "position_volatility",
    "portfolio_snapshots",
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(
            table,
            sa.Column(
                "dagster_run_id", sa.String(36), comment="Dagster run that last changed the row."
            ),
        )
        op.add_column(
            table,
            sa.Column(
                "code_version",
                sa.String(64),
                comment="Version of riskmetrics that last changed the row.",
            ),
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "code_version")
        op.drop_column(table, "dagster_run_id")
