"""Allow one rate beta per position and day, the newest of those there are.

Downgrading does not bring the older ones back.
"""

from alembic import op

revision = "27dec16d06c1"
down_revision = "382942d1a667"

KEY = "uq_position_interest_rate_betas_position_date"


def upgrade() -> None:
    op.execute("""
        DELETE FROM position_interest_rate_betas AS beta
        USING (
            SELECT id, row_number() OVER (PARTITION BY position_id, calculation_date ORDER BY created_at DESC NULLS LAST, id) AS place
            FROM position_interest_rate_betas
        ) AS ranked
        WHERE beta.id = ranked.id AND ranked.place > 1
    """)
    op.create_unique_constraint(KEY, "position_interest_rate_betas", ["position_id", "calculation_date"])


def downgrade() -> None:
    op.drop_constraint(KEY, "position_interest_rate_betas", type_="unique")
