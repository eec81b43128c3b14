"""Create the table of the calendar of events."""

import sqlalchemy as sa
from alembic import op

revision = "m2c4d6e80f12"
down_revision = "m1a5b7c20e31"


def upgrade() -> None:
    op.create_table(
        "symbol_events",
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("data_source", sa.Text(), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("symbol", "day", name="pk_symbol_events"),
    )


def downgrade() -> None:
    """Drop the table: calendars have to be imported again."""
    op.drop_table("symbol_events")
