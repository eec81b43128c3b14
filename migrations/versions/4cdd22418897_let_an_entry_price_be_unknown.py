"""Make positions.entry_price nullable: not every statement of holdings tells it.

Downgrading keeps an unknown price as NaN, which NUMERIC can hold; upgrading reads NaN as NULL.
"""

from alembic import op

revision = "4cdd22418897"
down_revision = "306039a229be"


def upgrade() -> None:
    op.alter_column("positions", "entry_price", nullable=True)
    op.execute("UPDATE positions SET entry_price = NULL WHERE entry_price = 'NaN'")


def downgrade() -> None:
    op.execute("UPDATE positions SET entry_price = 'NaN' WHERE entry_price IS NULL")
    op.alter_column("positions", "entry_price", nullable=False)
