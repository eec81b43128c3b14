"""Make volume a bigint: index funds pass 2^31 shares.

Downgrading makes volumes above 2^31 - 1 NULL: integer cannot hold them.
"""

import sqlalchemy as sa
from alembic import op

revision = "382942d1a667"
down_revision = "38b2146a2706"


def upgrade() -> None:
    op.alter_column("market_data_cache", "volume", type_=sa.BigInteger)


def downgrade() -> None:
    op.execute("UPDATE market_data_cache SET volume = NULL WHERE volume > 2147483647")
    op.alter_column("market_data_cache", "volume", type_=sa.Integer)
