"""Let fractions of equity be NULL where equity is too small, and keep value at risk in money.

Downgrading deletes the sectors' rows whose net weight is NULL.
"""

import sqlalchemy as sa
from alembic import op

revision = "e1a7d52f08c4"
down_revision = "b3e90c4d16fa"

AMOUNTS = {
    "value_at_risk_amount": "value_at_risk in the portfolio's currency.",
    "expected_shortfall_amount": "expected_shortfall in the portfolio's currency.",
}


def upgrade() -> None:
    op.alter_column("portfolio_sector_weights", "net_weight", nullable=True)
    for name, comment in AMOUNTS.items():
        op.add_column("portfolio_tail_risk", sa.Column(name, sa.Numeric(24, 2), comment=comment))


def downgrade() -> None:
    for name in reversed(AMOUNTS):
        op.drop_column("portfolio_tail_risk", name)
    op.execute("DELETE FROM portfolio_sector_weights WHERE net_weight IS NULL")
    op.alter_column("portfolio_sector_weights", "net_weight", nullable=False)
