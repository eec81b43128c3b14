"""Create vendor_quotas: how often a data vendor was asked, which all processes share."""

import sqlalchemy as sa
from alembic import op

revision = "5e121d403b3c"
down_revision = "cc798442684f"

PACED_UNTIL = "When calls made at the allowed pace would have got as far: at most a minute ahead."


def upgrade() -> None:
    op.create_table(
        "vendor_quotas",
        sa.Column("vendor", sa.String(16), primary_key=True, comment="Such as FMP."),
        sa.Column("day", sa.Date, nullable=False, comment="Day of UTC of the latest call."),
        sa.Column(
            "calls", sa.Integer, nullable=False, comment="Calls on that day, of all processes."
        ),
        sa.Column("paced_until", sa.DateTime(timezone=True), nullable=False, comment=PACED_UNTIL),
        comment="One row per vendor: the calls of the day and of the minute, which all processes share.",
    )


def downgrade() -> None:
    op.drop_table("vendor_quotas")
