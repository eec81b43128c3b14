"""Extend the founding tables: wider types, undefined values, provenance and further columns.

Of several rate betas of a position and day the newest stays; the others move to the table
position_interest_rate_betas_superseded, which is created only if there are such rows, and a
downgrade brings them back. A downgrade sets values to NULL that the older types cannot hold, writes
unknown prices and undefined betas as NaN, which an upgrade reads as NULL, and rounds quantities to
four decimals.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "8d2e7c41f9b6"
down_revision = "3f6b1d0a8c25"

RATE_BETAS = "position_interest_rate_betas"
RATE_BETA_KEY = "uq_position_interest_rate_betas_position_date"
SUPERSEDED = "position_interest_rate_betas_superseded"
RESULTS = (
    "position_market_betas",
    RATE_BETAS,
    "position_volatility",
    "portfolio_snapshots",
)


def upgrade() -> None:
    extend_prices()
    extend_holdings()
    move_superseded_rate_betas()
    extend_rate_betas()
    op.alter_column("position_market_betas", "beta", nullable=True)
    op.execute("UPDATE position_market_betas SET beta = NULL WHERE beta = 'NaN'")
    extend_snapshots()
    for table in RESULTS:
        for column in provenance_columns():
            op.add_column(table, column)


def downgrade() -> None:
    for table in RESULTS:
        for column in provenance_columns():
            op.drop_column(table, column.name)
    reduce_snapshots()
    op.execute("UPDATE position_market_betas SET beta = 'NaN' WHERE beta IS NULL")
    op.alter_column("position_market_betas", "beta", nullable=False)
    reduce_rate_betas()
    restore_superseded_rate_betas()
    reduce_holdings()
    op.drop_column("market_data_cache", "adj_close")
    op.execute("UPDATE market_data_cache SET volume = NULL WHERE volume > 2147483647")
    op.alter_column("market_data_cache", "volume", type_=sa.Integer)


def provenance_columns() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )


def extend_prices() -> None:
    """Add adjusted closes, equal to the closes: existing rows have no others."""
    op.add_column(
        "market_data_cache",
        sa.Column(
            "adj_close",
            sa.Double,
        ),
    )
    # rewrites the table once, which is several times faster than an UPDATE of each row
    op.execute(
        "ALTER TABLE market_data_cache ALTER volume TYPE bigint,"
        " ALTER adj_close TYPE double precision USING close"
    )


def extend_holdings() -> None:
    op.alter_column("positions", "entry_price", nullable=True)
    op.execute("UPDATE positions SET entry_price = NULL WHERE entry_price = 'NaN'")
    op.alter_column("positions", "quantity", type_=sa.Numeric(28, 10))
    op.add_column(
        "positions",
        sa.Column(
            "entry_date_assumed",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
        ),
    )
    op.add_column(
        "portfolios",
        sa.Column(
            "holdings_as_of",
            sa.Date,
        ),
    )
    op.add_column("portfolios", sa.Column("equity_as_of", sa.Date))


def reduce_holdings() -> None:
    op.drop_column("portfolios", "equity_as_of")
    op.drop_column("portfolios", "holdings_as_of")
    op.drop_column("positions", "entry_date_assumed")
    op.alter_column("positions", "quantity", type_=sa.Numeric(16, 4))
    op.execute("UPDATE positions SET entry_price = 'NaN' WHERE entry_price IS NULL")
    op.alter_column("positions", "entry_price", nullable=False)


def move_superseded_rate_betas() -> None:
    op.execute(f"""
        CREATE TABLE {SUPERSEDED} AS SELECT * FROM {RATE_BETAS} WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY position_id, calculation_date
                    ORDER BY created_at DESC NULLS LAST, id) AS place
                FROM {RATE_BETAS}
            ) AS ranked
            WHERE place > 1
        )
    """)  # noqa: S608  names are ours
    kept, moved = sa.table(RATE_BETAS, sa.column("id")), sa.table(SUPERSEDED, sa.column("id"))
    n_moved = op.get_bind().execute(sa.delete(kept).where(kept.c.id == moved.c.id)).rowcount
    if n_moved:
        logging.getLogger("riskmetrics").warning(
            "%d older rate betas of a position and day moved to the table %s", n_moved, SUPERSEDED
        )
    else:
        op.drop_table(SUPERSEDED)
    op.create_unique_constraint(RATE_BETA_KEY, RATE_BETAS, ["position_id", "calculation_date"])


def restore_superseded_rate_betas() -> None:
    op.drop_constraint(RATE_BETA_KEY, RATE_BETAS, type_="unique")
    inspector = sa.inspect(op.get_bind())
    if inspector.has_table(SUPERSEDED):
        names = [column["name"] for column in inspector.get_columns(SUPERSEDED)]
        rows = sa.select(*map(sa.column, names)).select_from(sa.table(SUPERSEDED))
        op.execute(sa.insert(sa.table(RATE_BETAS, *map(sa.column, names))).from_select(names, rows))
        op.drop_table(SUPERSEDED)


def rate_regression_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("alpha", sa.Double),
        sa.Column("std_error", sa.Double),
        sa.Column("p_value", sa.Double),
        sa.Column("observations", sa.Integer),
        sa.Column("window_days", sa.Integer),
        sa.Column("rate_index", sa.String(16)),
    )


def extend_rate_betas() -> None:
    for column in rate_regression_columns():
        op.add_column(RATE_BETAS, column)
    op.alter_column(RATE_BETAS, "ir_beta", type_=sa.Numeric(18, 6), nullable=True)
    op.execute("UPDATE position_interest_rate_betas SET ir_beta = NULL WHERE ir_beta = 'NaN'")


def reduce_rate_betas() -> None:
    op.execute(
        "UPDATE position_interest_rate_betas SET ir_beta = 'NaN'"
        " WHERE ir_beta IS NULL OR abs(ir_beta) >= 100"
    )
    op.alter_column(RATE_BETAS, "ir_beta", type_=sa.Numeric(8, 6), nullable=False)
    for column in rate_regression_columns():
        op.drop_column(RATE_BETAS, column.name)


def extend_snapshots() -> None:
    op.alter_column("portfolio_snapshots", "daily_return", type_=sa.Numeric(18, 6))
    op.add_column(
        "portfolio_snapshots",
        sa.Column(
            "income",
            sa.Numeric(16, 2),
        ),
    )
    op.add_column(
        "portfolio_snapshots",
        sa.Column(
            "equity_source",
            sa.String(16),
        ),
    )
    op.create_check_constraint(
        "equity_source", "portfolio_snapshots", "equity_source IN ('stated_equity', 'net_value')"
    )


def reduce_snapshots() -> None:
    op.drop_constraint("equity_source", "portfolio_snapshots", type_="check")
    op.drop_column("portfolio_snapshots", "equity_source")
    op.drop_column("portfolio_snapshots", "income")
    op.execute("UPDATE portfolio_snapshots SET daily_return = NULL WHERE abs(daily_return) >= 100")
    op.alter_column("portfolio_snapshots", "daily_return", type_=sa.Numeric(8, 6))
