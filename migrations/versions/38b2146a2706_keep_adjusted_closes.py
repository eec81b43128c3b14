"""Add adj_close to market_data_cache: returns need closes adjusted for dividends too.

Rows that are there get their close: it is the only one that they have, as for a file without the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "38b2146a2706"
down_revision = "92d95fa4419d"

ADJ_CLOSE = "Close adjusted for splits and dividends, per share: what returns are made of. NULL: not known."


def upgrade() -> None:
    op.add_column("market_data_cache", sa.Column("adj_close", sa.Double, comment=ADJ_CLOSE))
    op.execute("UPDATE market_data_cache SET adj_close = close")


def downgrade() -> None:
    op.drop_column("market_data_cache", "adj_close")
