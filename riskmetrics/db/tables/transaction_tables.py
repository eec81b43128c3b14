"""Table of transactions, from which the lots and the cash of a portfolio follow."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    metadata,
    optional_column,
    required_column,
    surrogate_key_column,
    timestamp_column,
)

transactions = sa.Table(
    "transactions",
    metadata,
    surrogate_key_column(comment="Row."),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id"),
        nullable=False,
        comment="Portfolio; its lots in positions follow from its transactions.",
    ),
    required_column(
        "reference",
        sa.String(64),
        "Broker's id, or a fingerprint of the content: the same transaction has one row.",
    ),
    optional_column(
        "has_id",
        sa.Boolean(),
        "Whether reference is of the broker's id. NULL: stored by an earlier version.",
    ),
    required_column(
        "kind",
        sa.String(16),
        "Kind: buy, sell, sell_short, buy_to_cover, dividend, interest, fee, tax, split,"
        " transfer_in, transfer_out, deposit, withdrawal, exercise, assignment, expiration or"
        " symbol_change.",
    ),
    required_column("day", sa.Date(), "Day on which it is effective."),
    required_column(
        "ordinal",
        sa.Integer(),
        "Place among the transactions of its day, in ascending order of time: the largest of"
        " the files that state it.",
    ),
    optional_column("symbol", sa.String(20), "Symbol. NULL: cash without a security."),
    required_column(
        "quantity",
        sa.Numeric(28, 10),
        "Shares or contracts as on its day, not negative; 0 for cash.",
    ),
    optional_column(
        "price", sa.Numeric(20, 8), "Price per share before fees, USD, as on its day. NULL: none."
    ),
    required_column(
        "amount",
        sa.Numeric(18, 4),
        "Change of the cash, net of fees, USD; negative for a purchase.",
    ),
    required_column(
        "fees", sa.Numeric(18, 4), "Fees and taxes in amount, USD; negative for a rebate."
    ),
    optional_column(
        "ratio",
        sa.String(40),
        "Shares after a split per share before, such as 4 or 1/10. NULL: no split, or"
        " only added_shares.",
    ),
    optional_column(
        "added_shares",
        sa.Numeric(28, 10),
        "Shares that a split added to the holding. NULL: not stated, or no split.",
    ),
    optional_column("new_symbol", sa.String(20), "Symbol after a change. NULL: no change."),
    optional_column(
        "lot_day", sa.Date(), "Entry day of the lots that it closes. NULL: first-in first-out."
    ),
    required_column("layout", sa.String(64), "Layout of the file."),
    required_column("source", sa.Text(), "File that last stated it."),
    required_column("source_digest", sa.String(64), "SHA-256 of the file, hexadecimal."),
    optional_column("line", sa.Integer(), "Line in the file. NULL: the file has no lines."),
    timestamp_column("created_at", comment="When it was first imported."),
    timestamp_column("updated_at", comment="When its values last changed."),
    sa.UniqueConstraint("portfolio_id", "reference"),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per transaction of a portfolio that is kept by transactions.",
)
