"""Create vendor_responses: when a data vendor last answered to what, so that it is not asked again too soon."""

import sqlalchemy as sa
from alembic import op

revision = "3a3e05b229aa"
down_revision = "5e121d403b3c"


def upgrade() -> None:
    op.create_table(
        "vendor_responses",
        sa.Column("vendor", sa.String(16), primary_key=True, comment="Such as FMP."),
        sa.Column(
            "kind",
            sa.String(16),
            primary_key=True,
            comment="What was asked for: prices, profile or benchmark.",
        ),
        sa.Column(
            "subject", sa.String(32), primary_key=True, comment="Symbol, or code of a benchmark."
        ),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column(
            "first_day",
            sa.Date,
            comment="First day of prices that was ever asked for. NULL: they have none.",
        ),
        sa.Column("problem", sa.Text, comment="Why the answer brought nothing. NULL: it did."),
        comment="One row per vendor, kind and subject: when it last answered. What was answered is not asked again too soon.",
    )


def downgrade() -> None:
    op.drop_table("vendor_responses")
