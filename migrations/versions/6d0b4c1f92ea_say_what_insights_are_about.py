"""Say which session an insight is about and which run wrote it, and let one text stand for one set of facts.

The founding table has only the instant at which a row was written; a backfill writes a year in a second, and a corrected day is written
again later. The unique index holds the rows of this version alone: other code may have used a cache_key twice.
"""

import sqlalchemy as sa
from alembic import op

revision = "6d0b4c1f92ea"
down_revision = "3a3e05b229aa"


def upgrade() -> None:
    op.add_column(
        "ai_insights",
        sa.Column("day", sa.Date, comment="Session that it is about. NULL: written by other code."),
    )
    op.add_column(
        "ai_insights",
        sa.Column(
            "run_id",
            sa.String(36),
            comment="Dagster run that wrote it. NULL: a command did.",
        ),
    )
    op.create_index("ix_ai_insights_portfolio_id_day", "ai_insights", ["portfolio_id", "day"])
    op.create_index(
        "uq_ai_insights_cache_key_provider",
        "ai_insights",
        ["cache_key", "provider"],
        unique=True,
        postgresql_where=sa.text("cache_source_id IS NULL AND day IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_ai_insights_cache_key_provider", "ai_insights")
    op.drop_index("ix_ai_insights_portfolio_id_day", "ai_insights")
    op.drop_column("ai_insights", "run_id")
    op.drop_column("ai_insights", "day")
