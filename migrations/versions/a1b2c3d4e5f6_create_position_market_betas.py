"""Create position_market_betas: a position's regression on the market, with its statistics."""

import sqlalchemy as sa
from alembic import op

revision = "a1b2c3d4e5f6"
down_revision = "19c513d3bf90"

TABLE = "position_market_betas"


def upgrade() -> None:
    in_utc = sa.text("timezone('UTC', now())")
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column("position_id", sa.Uuid, nullable=False),
        sa.Column("calc_date", sa.Date, nullable=False),
        sa.Column("beta", sa.Numeric(12, 6), nullable=False),
        sa.Column("alpha", sa.Numeric(12, 6)),
        sa.Column("r_squared", sa.Numeric(12, 6)),
        sa.Column("std_error", sa.Numeric(12, 6)),
        sa.Column("p_value", sa.Numeric(12, 6)),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("window_days", sa.Integer, nullable=False, server_default=sa.text("90")),
        sa.Column("method", sa.String(32), nullable=False, server_default="OLS_SIMPLE"),
        sa.Column("market_index", sa.String(16), nullable=False, server_default="SPY"),
        sa.Column("created_at", sa.DateTime, server_default=in_utc),
        sa.Column("updated_at", sa.DateTime, server_default=in_utc),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["portfolios.id"],
            name=f"{TABLE}_portfolio_id_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["position_id"], ["positions.id"], name=f"{TABLE}_position_id_fkey", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "portfolio_id",
            "position_id",
            "calc_date",
            "method",
            "window_days",
            name="uq_position_market_betas_position_date_method",
        ),
    )
    op.create_index("idx_pos_beta_lookup", TABLE, ["portfolio_id", "calc_date"])
    op.create_index("idx_pos_beta_position", TABLE, ["position_id", "calc_date"])
    op.create_index("idx_pos_beta_created", TABLE, ["created_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
