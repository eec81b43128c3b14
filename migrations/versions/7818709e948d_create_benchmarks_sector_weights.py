"""Create benchmarks_sector_weights: what share of a benchmark each sector has on a day."""

import sqlalchemy as sa
from alembic import op

revision = "7818709e948d"
down_revision = "b2c3d4e5f6g7"

TABLE = "benchmarks_sector_weights"


def upgrade() -> None:
    in_utc = sa.text("timezone('UTC', now())")
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("benchmark_code", sa.String(32), nullable=False),
        sa.Column("asof_date", sa.Date, nullable=False),
        sa.Column("sector", sa.String(64), nullable=False),
        sa.Column("weight", sa.Numeric(12, 6), nullable=False),
        sa.Column("market_cap", sa.Numeric(20, 2)),
        sa.Column("num_constituents", sa.Integer),
        sa.Column("data_source", sa.String(32), nullable=False, server_default="FMP"),
        sa.Column("created_at", sa.DateTime, server_default=in_utc),
        sa.Column("updated_at", sa.DateTime, server_default=in_utc),
        sa.UniqueConstraint(
            "benchmark_code",
            "asof_date",
            "sector",
            name="uq_benchmarks_sector_weights_code_date_sector",
        ),
    )
    op.create_index("idx_benchmark_lookup", TABLE, ["benchmark_code", "asof_date"])
    op.create_index("idx_benchmark_sector", TABLE, ["benchmark_code", "sector", "asof_date"])


def downgrade() -> None:
    op.drop_table(TABLE)
