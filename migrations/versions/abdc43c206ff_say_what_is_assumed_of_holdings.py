"""Say which entry dates are assumed, and which days a stated equity and stated holdings describe."""

import sqlalchemy as sa
from alembic import op

revision = "abdc43c206ff"
down_revision = "537e210b44ad"

ASSUMED = "True: entry date unknown, the calendar's first session stands in."

STATED = "The last day that the holdings were stated for. NULL: not known."


def upgrade() -> None:
    op.add_column(
        "positions",
        sa.Column(
            "entry_date_assumed",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment=ASSUMED,
        ),
    )
    op.add_column("portfolios", sa.Column("holdings_as_of", sa.Date, comment=STATED))
    op.add_column(
        "portfolios",
        sa.Column(
            "equity_as_of",
            sa.Date,
            comment="The day that equity_balance describes. NULL: not known.",
        ),
    )


def downgrade() -> None:
    op.drop_column("portfolios", "holdings_as_of")
    op.drop_column("portfolios", "equity_as_of")
    op.drop_column("positions", "entry_date_assumed")
