"""Create the table of ISINs and CUSIPs with their symbols."""

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


def downgrade() -> None:
    op.drop_table("security_identifiers")
