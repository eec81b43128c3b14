"""Table of transactions, from which the lots and the cash of a portfolio follow."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import metadata, surrogate_key_column, timestamp_column

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
    sa.Column(
        "reference",
        sa.String(64),
        nullable=False,
        comment="Broker's id, or a fingerprint of the content: the same transaction has one row.",
    ),
    sa.Column(
        "has_id",
        sa.Boolean,
        comment="Whether reference is of the broker's id. NULL: stored by an earlier version.",
    ),
    sa.Column(
        "kind",
        sa.String(16),
        nullable=False,
        comment=(
            "Kind: buy, sell, sell_short, buy_to_cover, dividend, interest, fee, tax, split,"
            " transfer_in, transfer_out, deposit, withdrawal, exercise, assignment, expiration or"
            " symbol_change."
        ),
    ),
    sa.Column("day", sa.Date, nullable=False, comment="Day on which it is effective."),
    sa.Column(
        "ordinal",
        sa.Integer,
        nullable=False,
        comment=(
            "Place among the transactions of its day, in ascending order of time: the largest of"
            " the files that state it."
        ),
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
        comment=(
            "Shares after a split per share before, such as 4 or 1/10. NULL: no split, or"
            " only added_shares."
        ),
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
        "source_digest", sa.String(64), nullable=False, comment="SHA-256 of the file, hexadecimal."
    ),
    sa.Column("line", sa.Integer, comment="Line in the file. NULL: the file has no lines."),
    timestamp_column("created_at", comment="When it was first imported."),
    timestamp_column("updated_at", comment="When its values last changed."),
    sa.UniqueConstraint("portfolio_id", "reference"),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per transaction of a portfolio that is kept by transactions.",
)
