"""Create ai_batches and ai_batch_requests: prompts whose answers come within a day, at half the price."""

import sqlalchemy as sa
from alembic import op

revision = "4e8a90d2c7b6"
down_revision = "9d41c7e05b2a"


def upgrade() -> None:
    op.create_table(
        "ai_batches",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column(
            "vendor_id",
            sa.String(64),
            comment="What the vendor calls it. NULL: it is being sent, or its process died.",
        ),
        sa.Column("run_id", sa.String(36), nullable=False, comment="Run that sent it."),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column(
            "closed_at", sa.DateTime(timezone=True), comment="NULL: its answers are waited for."
        ),
        sa.UniqueConstraint("vendor_id", name="uq_ai_batches_vendor_id"),
        comment="One row per batch of prompts: stored before it is sent, so that none is lost and none is paid for twice.",
    )
    op.create_table(
        "ai_batch_requests",
        sa.Column(
            "custom_id",
            sa.String(64),
            primary_key=True,
            comment="What the vendor's answer is known by.",
        ),
        sa.Column(
            "batch_id",
            sa.Uuid,
            sa.ForeignKey(
                "ai_batches.id",
                ondelete="CASCADE",
                name=op.f("fk_ai_batch_requests_batch_id_ai_batches"),
            ),
            nullable=False,
        ),
        sa.Column("prompt_hash", sa.String(64), nullable=False, comment="Hash of the prompt."),
        sa.Column(
            "spend_id",
            sa.Uuid,
            sa.ForeignKey("ai_spend.id", name=op.f("fk_ai_batch_requests_spend_id_ai_spend")),
            nullable=False,
            comment="What is reserved for it.",
        ),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey(
                "portfolios.id",
                ondelete="CASCADE",
                name=op.f("fk_ai_batch_requests_portfolio_id_portfolios"),
            ),
            nullable=False,
        ),
        sa.Column("day", sa.Date, nullable=False, comment="Session that it is about."),
        sa.Column("insight_type", sa.String(32), nullable=False),
        comment="One row per prompt in a batch: what its answer is for. An insight by rules stands meanwhile.",
    )
    op.create_index("ix_ai_batch_requests_batch_id", "ai_batch_requests", ["batch_id"])


def downgrade() -> None:
    op.drop_table("ai_batch_requests")
    op.drop_table("ai_batches")
