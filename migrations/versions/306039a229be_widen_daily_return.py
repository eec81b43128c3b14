"""Make daily_return NUMERIC(18,6): one bad price must not abort a whole write.

Downgrading makes returns of 100 (10,000 %) and beyond NULL: NUMERIC(8,6) cannot hold them.
"""

import sqlalchemy as sa
from alembic import op

revision = "306039a229be"
down_revision = "2b37dbe38cc0"


def upgrade() -> None:
    op.alter_column("portfolio_snapshots", "daily_return", type_=sa.Numeric(18, 6))


def downgrade() -> None:
    op.execute("UPDATE portfolio_snapshots SET daily_return = NULL WHERE abs(daily_return) >= 100")
    op.alter_column("portfolio_snapshots", "daily_return", type_=sa.Numeric(8, 6))
