"""Tables of holdings: portfolios and positions."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    metadata,
    optional_column,
    surrogate_key_column,
    timestamp_column,
)

portfolios = sa.Table(
    "portfolios",
    metadata,
    surrogate_key_column(),
    sa.Column("user_id", sa.Uuid, doc="Owner in a multi-user system. NULL: stand-alone database."),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.String(1000)),
    sa.Column(
        "currency", sa.String(3), nullable=False, doc="ISO 4217 code of the currency of its prices."
    ),
    sa.Column(
        "equity_balance",
        sa.Numeric(16, 2),
        doc="Net asset value in the portfolio's currency on equity_as_of.",
    ),
    optional_column(
        "holdings_as_of", sa.Date(), "Last day that the holdings describe. NULL: unknown."
    ),
    optional_column("equity_as_of", sa.Date(), "Day that equity_balance describes. NULL: unknown."),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.Column(
        "deleted_at",
        sa.DateTime(timezone=True),
        doc="When the portfolio was removed (soft delete). NULL: not removed.",
    ),
    sa.Index(None, "deleted_at"),
)
"""One row per portfolio."""

positions = sa.Table(
    "positions",
    metadata,
    surrogate_key_column(),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("symbol", sa.String(20), nullable=False),
    sa.Column(
        "position_type",
        sa.Enum("LC", "LP", "SC", "SP", "LONG", "SHORT", name="positiontype", metadata=metadata),
        nullable=False,
        doc="LC, LP: long call, put. SC, SP: short call, put. LONG, SHORT: stock.",
    ),
    sa.Column(
        "quantity",
        sa.Numeric(28, 10),
        nullable=False,
        doc="Shares or contracts; negative if short.",
    ),
    sa.Column(
        "entry_price",
        sa.Numeric(12, 4),
        doc="Entry price per share, split-adjusted. NULL: unknown.",
    ),
    sa.Column("entry_date", sa.Date, nullable=False, doc="First day on which the lot is held."),
    sa.Column(
        "entry_date_assumed",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment=(
            "Whether the entry date is unknown and the first session of the calendar replaces it."
        ),
    ),
    sa.Column("exit_price", sa.Numeric(12, 4), doc="Exit price per share. NULL: open or unknown."),
    sa.Column(
        "exit_date", sa.Date, doc="First day on which the lot is no longer held. NULL: open."
    ),
    sa.Column("underlying_symbol", sa.String(10), doc="Underlying of an option."),
    sa.Column("strike_price", sa.Numeric(12, 4), doc="Strike price of an option, per share."),
    sa.Column("expiration_date", sa.Date, doc="Expiration date of an option."),
    sa.Column("investment_class", sa.String(20), doc="PUBLIC, OPTIONS or PRIVATE."),
    sa.Column("investment_subtype", sa.String(30)),
    sa.Column(
        "last_price",
        sa.Numeric(12, 4),
        doc="Price stated with the holding, for instruments without a price source.",
    ),
    sa.Column("market_value", sa.Numeric(16, 2), doc="Market value stated with the holding."),
    sa.Column("unrealized_pnl", sa.Numeric(16, 2), doc="Unrealized P&L stated with the holding."),
    sa.Column("realized_pnl", sa.Numeric(16, 2), doc="Realized P&L stated with the holding."),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.Column(
        "deleted_at",
        sa.DateTime(timezone=True),
        doc="When the lot was removed as an error: it is excluded on all days. NULL: not removed.",
    ),
    *(
        sa.Index(None, name)
        for name in ("portfolio_id", "symbol", "exit_date", "deleted_at", "investment_class")
    ),
)
"""One row per lot; a portfolio may have several lots of one symbol."""
