"""Create ai_spend: what calls to models may cost and did cost, so that caps hold for all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "9d41c7e05b2a"
down_revision = "d5a17f3c9e04"

SUBJECT = "Hash of the prompt: what is written for it, repaired or looked up adds up."
COST = "USD that it cost. NULL: it is under way, or nobody knows; the reserved counts."


def upgrade() -> None:
    op.create_table(
        "ai_spend",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("day", sa.Date, nullable=False, comment="Day of UTC that the call counts for."),
        sa.Column("run_id", sa.String(36), nullable=False, comment="Run that the call is made in."),
        sa.Column("prompt_hash", sa.String(64), nullable=False, comment=SUBJECT),
        sa.Column("model", sa.String(50), nullable=False),
        sa.Column(
            "reserved",
            sa.Numeric(10, 6),
            nullable=False,
            comment="USD that the call can cost at most.",
        ),
        sa.Column("cost", sa.Numeric(10, 6), comment=COST),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column(
            "reserved_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column(
            "settled_at",
            sa.DateTime(timezone=True),
            comment="NULL: the call is under way, or its process died.",
        ),
        sa.CheckConstraint("reserved >= 0 AND cost >= 0", name="amounts"),
        comment="One row per call to a model that costs: reserved before it, settled after it.",
    )
    op.create_index("ix_ai_spend_day", "ai_spend", ["day"])
    op.create_index("ix_ai_spend_run_id", "ai_spend", ["run_id"])


def downgrade() -> None:
    op.drop_table("ai_spend")
