"""Add adj_close to market_data_cache: returns need closes adjusted for dividends too.

Rows that are there get their close: it is the only one that they have, as for a file without the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "38b2146a2706"
down_revision = "92d95fa4419d"

ADJ_CLOSE = (
    "Close adjusted for splits and dividends, per share: what returns are made of. NULL: not known."
)


def upgrade() -> None:
    op.add_column("market_data_cache", sa.Column("adj_close", sa.Double, comment=ADJ_CLOSE))
    # writes the table anew at once, several times as fast as an UPDATE of each row and its index entries
    op.alter_column("market_data_cache", "adj_close", type_=sa.Double, postgresql_using="close")


def downgrade() -> None:
    op.drop_column("market_data_cache", "adj_close")
