"""Store each symbol in one spelling: BRK.B, BRK/B and BRKB become BRK-B, AAPL.US becomes AAPL.

Inputs in two spellings that contradict each other are named, and nothing is changed. Downgrading
leaves the normal form, which every earlier revision can hold.
"""

from alembic import op

from riskmetrics.db import symbol_spellings
from riskmetrics.errors import SchemaError

revision = "5b0e7d31c9a6"
down_revision = "e1a7d52f08c4"


def upgrade() -> None:
    connection = op.get_bind()
    if collisions := symbol_spellings.find_collisions(connection):
        refused = f"the database cannot be upgraded to {revision}, and nothing was changed"
        raise SchemaError(f"{refused}: {'; '.join(collisions)}")
    symbol_spellings.normalize_stored_symbols(connection)


def downgrade() -> None:
    """Leave the symbols: their former spellings are not kept."""
