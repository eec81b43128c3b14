"""Create security_identifiers; add stated values, kinds of references, and calls per hour."""

import sqlalchemy as sa
from alembic import op

revision = "m1a5b7c20e31"
down_revision = "l2e5a8c41d70"

PLACES_IN_DAYS = """
    UPDATE transactions SET ordinal = placed.ordinal
    FROM (SELECT id, row_number() OVER (
            PARTITION BY portfolio_id, day ORDER BY ordinal, reference) - 1 AS ordinal
        FROM transactions) AS placed
    WHERE placed.id = transactions.id AND placed.ordinal <> transactions.ordinal
"""


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
    op.add_column("transactions", sa.Column("has_id", sa.Boolean))
    op.execute(PLACES_IN_DAYS)
    op.add_column("vendor_quotas", sa.Column("hour", sa.DateTime(timezone=True)))
    op.add_column("vendor_quotas", sa.Column("hour_calls", sa.Integer))


def downgrade() -> None:
    """Drop them; total_value and figures of equity contain stated_value until they are recomputed."""
    op.drop_column("vendor_quotas", "hour_calls")
    op.drop_column("vendor_quotas", "hour")
    op.drop_column("transactions", "has_id")
    op.drop_column("portfolio_snapshots", "stated_value")
    op.drop_table("security_identifiers")
