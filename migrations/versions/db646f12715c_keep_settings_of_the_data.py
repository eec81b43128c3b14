"""Create database_settings: settings that belong to the data, such as the market index that betas are measured against."""

import sqlalchemy as sa
from alembic import op

revision = "db646f12715c"
down_revision = "c26e63e0bff7"


def upgrade() -> None:
    op.create_table(
        "database_settings",
        sa.Column("name", sa.String(64), primary_key=True, comment="Such as market_index."),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        comment="One row per setting that belongs to the data and not to a machine.",
    )


def downgrade() -> None:
    op.drop_table("database_settings")
