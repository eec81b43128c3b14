"""Create the tables that stand before the first risk migration: holdings, snapshots, prices, profiles, rate betas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "19c513d3bf90"
down_revision = None

POSITION_TYPES = ("LC", "LP", "SC", "SP", "LONG", "SHORT")


def upgrade() -> None:
    create_portfolios()
    create_positions()
    create_portfolio_snapshots()
    create_market_data_cache()
    create_company_profiles()
    create_position_interest_rate_betas()


def downgrade() -> None:
    for table in (
        "position_interest_rate_betas",
        "company_profiles",
        "market_data_cache",
        "portfolio_snapshots",
        "positions",
        "portfolios",
    ):
        op.drop_table(table)
    op.execute("DROP TYPE positiontype")


def surrogate_key() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid())


def instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def create_portfolios() -> None:
    op.create_table(
        "portfolios",
        surrogate_key(),
        sa.Column("user_id", sa.Uuid),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(1000)),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("equity_balance", sa.Numeric(16, 2)),
        instant("created_at"),
        instant("updated_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_portfolios_deleted_at", "portfolios", ["deleted_at"])


def create_positions() -> None:
    op.execute(
        f"CREATE TYPE positiontype AS ENUM {POSITION_TYPES}"
    )  # a tuple prints as SQL writes a list
    op.create_table(
        "positions",
        surrogate_key(),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), nullable=False),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column(
            "position_type", postgresql.ENUM(name="positiontype", create_type=False), nullable=False
        ),
        sa.Column("quantity", sa.Numeric(16, 4), nullable=False),
        sa.Column("entry_price", sa.Numeric(12, 4), nullable=False),
        sa.Column("entry_date", sa.Date, nullable=False),
        sa.Column("exit_price", sa.Numeric(12, 4)),
        sa.Column("exit_date", sa.Date),
        sa.Column("underlying_symbol", sa.String(10)),
        sa.Column("strike_price", sa.Numeric(12, 4)),
        sa.Column("expiration_date", sa.Date),
        sa.Column("investment_class", sa.String(20)),
        sa.Column("investment_subtype", sa.String(30)),
        sa.Column("last_price", sa.Numeric(12, 4)),
        sa.Column("market_value", sa.Numeric(16, 2)),
        sa.Column("unrealized_pnl", sa.Numeric(16, 2)),
        sa.Column("realized_pnl", sa.Numeric(16, 2)),
        instant("created_at"),
        instant("updated_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    for column in ("portfolio_id", "symbol", "exit_date", "deleted_at", "investment_class"):
        op.create_index(f"ix_positions_{column}", "positions", [column])


def create_portfolio_snapshots() -> None:
    values = (
        "total_value",
        "cash_value",
        "long_value",
        "short_value",
        "gross_exposure",
        "net_exposure",
    )
    greeks = ("portfolio_delta", "portfolio_gamma", "portfolio_theta", "portfolio_vega")
    counts = ("num_positions", "num_long_positions", "num_short_positions")
    op.create_table(
        "portfolio_snapshots",
        surrogate_key(),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), nullable=False),
        sa.Column("snapshot_date", sa.Date, nullable=False),
        *(sa.Column(name, sa.Numeric(16, 2), nullable=False) for name in values),
        sa.Column("daily_pnl", sa.Numeric(16, 2)),
        sa.Column("daily_return", sa.Numeric(8, 6)),
        sa.Column("cumulative_pnl", sa.Numeric(16, 2)),
        *(sa.Column(name, sa.Numeric(12, 2)) for name in greeks),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        sa.Column("equity_balance", sa.Numeric(16, 2)),
        instant("created_at"),
        sa.UniqueConstraint(
            "portfolio_id", "snapshot_date", name="uq_portfolio_snapshots_portfolio_date"
        ),
    )
    op.create_index("ix_portfolio_snapshots_portfolio_id", "portfolio_snapshots", ["portfolio_id"])
    op.create_index(
        "ix_portfolio_snapshots_snapshot_date", "portfolio_snapshots", ["snapshot_date"]
    )


def create_market_data_cache() -> None:
    op.create_table(
        "market_data_cache",
        surrogate_key(),
        sa.Column("symbol", sa.String(20), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("open", sa.Numeric(12, 4)),
        sa.Column("high", sa.Numeric(12, 4)),
        sa.Column("low", sa.Numeric(12, 4)),
        sa.Column("close", sa.Numeric(12, 4), nullable=False),
        sa.Column("volume", sa.Integer),
        sa.Column("sector", sa.String(100)),
        sa.Column("industry", sa.String(100)),
        sa.Column("exchange", sa.String(20)),
        sa.Column("country", sa.String(10)),
        sa.Column("market_cap", sa.Numeric(18, 2)),
        sa.Column("data_source", sa.String(50), nullable=False),
        instant("created_at"),
        instant("updated_at"),
        sa.UniqueConstraint("symbol", "date", name="uq_market_data_cache_symbol_date"),
    )
    op.create_index("ix_market_data_cache_symbol", "market_data_cache", ["symbol"])
    op.create_index("ix_market_data_cache_date", "market_data_cache", ["date"])


def create_company_profiles() -> None:
    op.create_table(
        "company_profiles",
        sa.Column("symbol", sa.String(20), primary_key=True),
        sa.Column("company_name", sa.String(200)),
        sa.Column("sector", sa.String(100)),
        sa.Column("industry", sa.String(100)),
        sa.Column("exchange", sa.String(50)),
        sa.Column("country", sa.String(50)),
        sa.Column("market_cap", sa.Numeric(18, 2)),
        sa.Column("description", sa.String(1000)),
        sa.Column("is_etf", sa.Boolean),
        sa.Column("is_fund", sa.Boolean),
        sa.Column("beta", sa.Numeric(8, 4)),
        sa.Column("data_source", sa.String(50), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True)),
        instant("created_at"),
        instant("updated_at"),
    )


def create_position_interest_rate_betas() -> None:
    op.create_table(
        "position_interest_rate_betas",
        surrogate_key(),
        sa.Column("position_id", sa.Uuid, sa.ForeignKey("positions.id"), nullable=False),
        sa.Column("ir_beta", sa.Numeric(8, 6), nullable=False),
        sa.Column("r_squared", sa.Numeric(6, 4)),
        sa.Column("calculation_date", sa.Date, nullable=False),
        instant("created_at"),
    )
    op.create_index(
        "idx_ir_betas_position_date",
        "position_interest_rate_betas",
        ["position_id", "calculation_date"],
    )
