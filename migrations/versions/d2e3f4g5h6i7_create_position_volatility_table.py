"""Create position_volatility: a position's realized volatility and its forecast."""

import sqlalchemy as sa
from alembic import op

revision = "d2e3f4g5h6i7"
down_revision = "c1d2e3f4g5h6"

TABLE = "position_volatility"


def upgrade() -> None:
    in_utc = sa.text("timezone('UTC', now())")
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("position_id", sa.Uuid, nullable=False),
        sa.Column("calculation_date", sa.Date, nullable=False),
        sa.Column("realized_vol_21d", sa.Numeric(10, 4)),
        sa.Column("realized_vol_63d", sa.Numeric(10, 4)),
        sa.Column("vol_daily", sa.Numeric(10, 4)),
        sa.Column("vol_weekly", sa.Numeric(10, 4)),
        sa.Column("vol_monthly", sa.Numeric(10, 4)),
        sa.Column("expected_vol_21d", sa.Numeric(10, 4)),
        sa.Column("vol_trend", sa.String(20)),
        sa.Column("vol_trend_strength", sa.Numeric(10, 4)),
        sa.Column("vol_percentile", sa.Numeric(10, 4)),
        sa.Column("observations", sa.Integer),
        sa.Column("model_r_squared", sa.Numeric(10, 4)),
        sa.Column("created_at", sa.DateTime, server_default=in_utc),
        sa.Column("updated_at", sa.DateTime, server_default=in_utc),
        sa.ForeignKeyConstraint(
            ["position_id"], ["positions.id"], name=f"{TABLE}_position_id_fkey", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "position_id", "calculation_date", name="uq_position_volatility_position_date"
        ),
    )
    op.create_index("ix_position_volatility_position_id", TABLE, ["position_id"])
    op.create_index("ix_position_volatility_calculation_date", TABLE, ["calculation_date"])
    op.create_index("ix_position_volatility_lookup", TABLE, ["position_id", "calculation_date"])


def downgrade() -> None:
    op.drop_table(TABLE)
