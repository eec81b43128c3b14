"""Clean up after the phases: precision of HHI, needless indexes, foreign keys, comments, timestamps.

Naive timestamps are read as UTC, whatever the session's time zone. Downgrading rounds HHI to two decimals; comments that
another program had written are not restored.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "7003a3be89fe"
down_revision = "f8g9h0i1j2k3"

TABLES = (
    "ai_insight_templates",
    "ai_insights",
    "benchmarks_sector_weights",
    "company_profiles",
    "market_data_cache",
    "portfolio_snapshots",
    "portfolios",
    "position_interest_rate_betas",
    "position_market_betas",
    "position_volatility",
    "positions",
)
FOREIGN_KEYS = (  # table, column, referred table, what a deleted parent did before
    ("position_market_betas", "portfolio_id", "portfolios", "CASCADE"),
    ("position_market_betas", "position_id", "positions", "CASCADE"),
    ("position_volatility", "position_id", "positions", "CASCADE"),
    ("ai_insights", "portfolio_id", "portfolios", None),
    ("ai_insights", "cache_source_id", "ai_insights", None),
)
ALWAYS_KNOWN = tuple(
    (table, column)
    for table in (
        "position_market_betas",
        "benchmarks_sector_weights",
        "position_volatility",
        "ai_insights",
        "ai_insight_templates",
    )
    for column in ("created_at", "updated_at")
)
OPTIONAL = (("ai_insights", "expires_at"), ("ai_insight_templates", "deprecated_at"))


def upgrade() -> None:
    op.alter_column("portfolio_snapshots", "hhi", type_=sa.Numeric(10, 4))
    op.drop_index("idx_snapshots_beta", "portfolio_snapshots")
    op.drop_index("idx_snapshots_volatility", "portfolio_snapshots")
    for table, column, referred, _ in FOREIGN_KEYS:
        drop_foreign_key(table, column)
        op.create_foreign_key(f"fk_{table}_{column}_{referred}", table, referred, [column], ["id"])
    remove_comments()
    for table, column in ALWAYS_KNOWN + OPTIONAL:
        op.alter_column(
            table, column, server_default=None
        )  # it would be read in the session's time zone
        op.alter_column(
            table,
            column,
            type_=TIMESTAMP(timezone=True),
            postgresql_using=f"{column} AT TIME ZONE 'UTC'",
        )
    for table, column in ALWAYS_KNOWN:
        op.execute(
            sa.update(sa.table(table, sa.column(column)))
            .where(sa.column(column).is_(None))
            .values({column: sa.func.now()})
        )
        op.alter_column(table, column, server_default=sa.func.now(), nullable=False)
    op.execute(
        "ALTER INDEX ix_ai_templates_insight_type RENAME TO ix_ai_insight_templates_insight_type"
    )


def downgrade() -> None:
    op.execute(
        "ALTER INDEX ix_ai_insight_templates_insight_type RENAME TO ix_ai_templates_insight_type"
    )
    for table, column in ALWAYS_KNOWN + OPTIONAL:
        op.alter_column(table, column, server_default=None, nullable=True)
        op.alter_column(
            table,
            column,
            type_=TIMESTAMP(timezone=False),
            postgresql_using=f"{column} AT TIME ZONE 'UTC'",
        )
    for table, column in ALWAYS_KNOWN:
        op.alter_column(table, column, server_default=sa.text("timezone('UTC', now())"))
    for table, column, referred, ondelete in FOREIGN_KEYS:
        drop_foreign_key(table, column)
        op.create_foreign_key(
            f"{table}_{column}_fkey", table, referred, [column], ["id"], ondelete=ondelete
        )
    op.create_index(
        "idx_snapshots_volatility",
        "portfolio_snapshots",
        ["portfolio_id", "snapshot_date", "realized_volatility_21d"],
    )
    op.create_index(
        "idx_snapshots_beta",
        "portfolio_snapshots",
        ["portfolio_id", "snapshot_date", "beta_calculated_90d"],
    )
    op.alter_column("portfolio_snapshots", "hhi", type_=sa.Numeric(10, 2))


def drop_foreign_key(table: str, column: str) -> None:
    """Drop what the database calls the foreign key of a column: another program may have named it."""
    for key in sa.inspect(op.get_bind()).get_foreign_keys(table):
        if key["constrained_columns"] == [column] and key["name"]:
            op.drop_constraint(key["name"], table, type_="foreignkey")


def remove_comments() -> None:
    inspector = sa.inspect(op.get_bind())
    for table in TABLES:
        if inspector.get_table_comment(table)["text"]:
            op.drop_table_comment(table)
        for column in inspector.get_columns(table):
            if column["comment"]:
                op.alter_column(table, column["name"], comment=None)
