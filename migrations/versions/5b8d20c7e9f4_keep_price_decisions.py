"""Create price_decisions: what a user decided about a price move that looks like a split."""

import sqlalchemy as sa
from alembic import op

revision = "5b8d20c7e9f4"
down_revision = "5b0e7d31c9a6"

KIND = "accept: the move is real. split: earlier prices are multiplied by old_shares / new_shares when they are read."


def upgrade() -> None:
    op.create_table(
        "price_decisions",
        sa.Column("symbol", sa.String(20), primary_key=True),
        sa.Column(
            "date", sa.Date, primary_key=True, comment="First session at the price after the move."
        ),
        sa.Column("kind", sa.String(16), nullable=False, comment=KIND),
        sa.Column(
            "new_shares",
            sa.Integer,
            comment="Shares after a split for old_shares before it: 4 of a 4:1 split.",
        ),
        sa.Column("old_shares", sa.Integer, comment="Shares before a split: 1 of a 4:1 split."),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that recorded the decision.",
        ),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.CheckConstraint(
            "kind = 'accept' AND new_shares IS NULL AND old_shares IS NULL "
            "OR kind = 'split' AND new_shares IS NOT NULL AND old_shares IS NOT NULL "
            "AND new_shares > 0 AND old_shares > 0 AND new_shares <> old_shares",
            name=op.f("ck_price_decisions_shares"),
        ),
        comment="One row per symbol and session whose price move a user decided about.",
    )


def downgrade() -> None:
    op.drop_table("price_decisions")
