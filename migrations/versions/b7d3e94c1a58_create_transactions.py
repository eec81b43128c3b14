"""Create the table of transactions, and let equity rest on them.

The downgrade drops the stored transactions; the lots that followed from them stay in positions.
Snapshots whose equity rests on transactions get no source.
"""

import sqlalchemy as sa
from alembic import op

revision = "b7d3e94c1a58"
down_revision = "f2a95c8e7d10"

CONDITION = "equity_source IN ('stated_equity', 'net_value'"


def upgrade() -> None:
    op.create_table(
        "transactions",
        sa.Column(
            "id",
            sa.Uuid,
            primary_key=True,
            server_default=sa.func.gen_random_uuid(),
            comment="Row.",
        ),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey("portfolios.id"),
            nullable=False,
            comment="Portfolio; its lots in positions follow from its transactions.",
        ),
        sa.Column(
            "reference",
            sa.String(64),
            nullable=False,
            comment="Broker's id, or a fingerprint of the content: the same transaction has one row.",
        ),
        sa.Column(
            "kind",
            sa.String(16),
            nullable=False,
            comment="Kind: buy, sell, sell_short, buy_to_cover, dividend, interest, fee, tax, split, transfer_in, transfer_out, deposit,"
            " withdrawal, exercise, assignment, expiration or symbol_change.",
        ),
        sa.Column("day", sa.Date, nullable=False, comment="Day on which it is effective."),
        sa.Column(
            "ordinal",
            sa.Integer,
            nullable=False,
            comment="Place among the transactions of its file, in ascending order of time.",
        ),
        sa.Column("symbol", sa.String(20), comment="Symbol. NULL: cash without a security."),
        sa.Column(
            "quantity",
            sa.Numeric(28, 10),
            nullable=False,
            comment="Shares or contracts as on its day, not negative; 0 for cash.",
        ),
        sa.Column(
            "price",
            sa.Numeric(20, 8),
            comment="Price per share before fees, USD, as on its day. NULL: none.",
        ),
        sa.Column(
            "amount",
            sa.Numeric(18, 4),
            nullable=False,
            comment="Change of the cash, net of fees, USD; negative for a purchase.",
        ),
        sa.Column(
            "fees",
            sa.Numeric(18, 4),
            nullable=False,
            comment="Fees and taxes in amount, USD; negative for a rebate.",
        ),
        sa.Column(
            "ratio",
            sa.String(40),
            comment="Shares after a split per share before, such as 4 or 1/10. NULL: no split, or only added_shares.",
        ),
        sa.Column(
            "added_shares",
            sa.Numeric(28, 10),
            comment="Shares that a split added to the holding. NULL: not stated, or no split.",
        ),
        sa.Column("new_symbol", sa.String(20), comment="Symbol after a change. NULL: no change."),
        sa.Column(
            "lot_day",
            sa.Date,
            comment="Entry day of the lots that it closes. NULL: first-in first-out.",
        ),
        sa.Column("layout", sa.String(64), nullable=False, comment="Layout of the file."),
        sa.Column("source", sa.Text, nullable=False, comment="File that last stated it."),
        sa.Column(
            "source_digest",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the file, hexadecimal.",
        ),
        sa.Column("line", sa.Integer, comment="Line in the file. NULL: the file has no lines."),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
            comment="When it was first imported.",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
            comment="When its values last changed.",
        ),
        sa.UniqueConstraint("portfolio_id", "reference"),
        comment="One row per transaction of a portfolio that is kept by transactions.",
    )
    op.create_index(
        op.f("ix_transactions_portfolio_id_day"), "transactions", ["portfolio_id", "day"]
    )
    replace_source_check(f"{CONDITION}, 'transactions')")


def downgrade() -> None:
    op.execute(
        "UPDATE portfolio_snapshots SET equity_source = NULL WHERE equity_source = 'transactions'"
    )
    replace_source_check(f"{CONDITION})")
    op.drop_table("transactions")


def replace_source_check(condition: str) -> None:
    op.drop_constraint("equity_source", "portfolio_snapshots", type_="check")
    op.create_check_constraint("equity_source", "portfolio_snapshots", condition)
