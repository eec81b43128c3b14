"""Create the table of symbols of ISINs and CUSIPs; add stated values to portfolio_snapshots."""

import sqlalchemy as sa
from alembic import op

revision = "m1a5b7c20e31"
down_revision = "l2e5a8c41d70"


def _timestamp(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def upgrade() -> None:
    op.create_table(
        "security_identifiers",
        sa.Column("identifier", sa.String(12), primary_key=True),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("data_source", sa.String(50), nullable=False),
        _timestamp("created_at"),
        _timestamp("updated_at"),
    )
    op.add_column("portfolio_snapshots", sa.Column("stated_value", sa.Numeric(16, 2)))


def downgrade() -> None:
    op.drop_column("portfolio_snapshots", "stated_value")
    op.drop_table("security_identifiers")
