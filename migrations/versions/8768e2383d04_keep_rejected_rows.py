"""Create rejected_rows: bad input is never lost and never silent."""

import sqlalchemy as sa
from alembic import op

revision = "8768e2383d04"
down_revision = "abdc43c206ff"

DIGEST = (
    "sha256 hex of kind, source, line, raw row and reason: the same rejection twice is one row."
)


def upgrade() -> None:
    op.create_table(
        "rejected_rows",
        sa.Column("digest", sa.String(64), primary_key=True, comment=DIGEST),
        sa.Column(
            "kind",
            sa.String(32),
            nullable=False,
            comment="What the row would have been, such as prices.",
        ),
        sa.Column("source", sa.Text, nullable=False, comment="File or vendor."),
        sa.Column("line", sa.Integer, comment="Line in the source, from 1. NULL: it has none."),
        sa.Column("raw_row", sa.Text, nullable=False, comment="The row as it came."),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column(
            "rejected_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        comment="One row per input row that was refused.",
    )
    op.create_index("ix_rejected_rows_kind_rejected_at", "rejected_rows", ["kind", "rejected_at"])


def downgrade() -> None:
    op.drop_table("rejected_rows")
