"""Keep the standard errors of the volatility model's weights, and why a fit was refused."""

import sqlalchemy as sa
from alembic import op

revision = "d5a17f3c9e04"
down_revision = "8c41d7e09b52"

COMMENTS = {
    "constant_std_error": "Driscoll and Kraay's, of the weights. NULL: not known, or no such weight.",
    **dict.fromkeys(("day_std_error", "week_std_error", "month_std_error", "market_std_error")),
}


def upgrade() -> None:
    for name, comment in COMMENTS.items():
        op.add_column("har_coefficients", sa.Column(name, sa.Double, comment=comment))
    why = "Why the fit was refused and these are an earlier version's. NULL: it was accepted."
    op.add_column("har_coefficients", sa.Column("rejection_reason", sa.Text, comment=why))


def downgrade() -> None:
    for name in ("rejection_reason", *COMMENTS):
        op.drop_column("har_coefficients", name)
