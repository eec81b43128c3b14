"""Tables of market data: prices, price decisions, events, profiles and benchmark weights."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    optional_column,
    required_column,
    surrogate_key_column,
    symbol_key_column,
    timestamp_column,
)

market_data_cache = sa.Table(
    "market_data_cache",
    metadata,
    surrogate_key_column(),
    sa.Column("symbol", sa.String(20), nullable=False),
    sa.Column("date", sa.Date, nullable=False, doc="Exchange session."),
    sa.Column("open", sa.Numeric(12, 4), doc="Open per share, split-adjusted."),
    sa.Column("high", sa.Numeric(12, 4), doc="High per share, split-adjusted."),
    sa.Column("low", sa.Numeric(12, 4), doc="Low per share, split-adjusted."),
    sa.Column(
        "close",
        sa.Numeric(12, 4),
        nullable=False,
        doc="Close per share, adjusted for splits, not for dividends; used for values.",
    ),
    optional_column(
        "adj_close",
        sa.Double(),
        "Close adjusted for splits and dividends, per share; used for returns. NULL: unknown.",
    ),
    sa.Column("volume", sa.BigInteger, doc="Shares traded; can exceed 2^31."),
    sa.Column("sector", sa.String(100), doc="GICS sector according to the source of the row."),
    sa.Column("industry", sa.String(100), doc="Industry according to the source of the row."),
    sa.Column("exchange", sa.String(20), doc="Exchange according to the source of the row."),
    sa.Column("country", sa.String(10), doc="Country according to the source of the row."),
    sa.Column("market_cap", sa.Numeric(18, 2), doc="Market cap according to the row's source."),
    sa.Column("data_source", sa.String(50), nullable=False),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.UniqueConstraint("symbol", "date", name="uq_market_data_cache_symbol_date"),
    sa.Index(None, "symbol"),
    sa.Index(None, "date"),
)
"""One row per symbol and session."""

price_decisions = sa.Table(
    "price_decisions",
    metadata,
    key_column("symbol", sa.String(20), "Symbol in normal form, such as BRK-B."),
    key_column("date", sa.Date(), "First session at the price after the move."),
    required_column(
        "kind",
        sa.String(16),
        "accept: the move is real. split: earlier prices are multiplied by old_shares / "
        "new_shares when they are read.",
    ),
    optional_column(
        "new_shares",
        sa.Integer(),
        "Shares after the split for old_shares before it: 4 for a 4:1 split. NULL: no split.",
    ),
    optional_column(
        "old_shares", sa.Integer(), "Shares before the split: 1 for a 4:1 split. NULL: no split."
    ),
    optional_column(
        "code_version",
        sa.String(64),
        "Version of riskmetrics that recorded the decision. NULL: unknown.",
    ),
    timestamp_column("decided_at", comment="When the decision was recorded."),
    sa.CheckConstraint(
        "kind = 'accept' AND new_shares IS NULL AND old_shares IS NULL "
        "OR kind = 'split' AND new_shares IS NOT NULL AND old_shares IS NOT NULL "
        "AND new_shares > 0 AND old_shares > 0 AND new_shares <> old_shares",
        name="shares",
    ),
    comment="One row per symbol and session: a user's decision about a price move.",
)

symbol_events = sa.Table(
    "symbol_events",
    metadata,
    symbol_key_column(),
    day_key_column("Day of the event, past or to come; need not be a session."),
    required_column(
        "known_on",
        sa.Date(),
        "Day on which the date became known: forecasts of earlier sessions do not use it as an"
        " event to come.",
    ),
    required_column("data_source", sa.Text(), "Name of the imported file."),
    timestamp_column("updated_at", comment="When the row was last changed."),
    comment="One row per symbol and day: an event of a calendar, such as an earnings report.",
)

company_profiles = sa.Table(
    "company_profiles",
    metadata,
    sa.Column("symbol", sa.String(20), primary_key=True),
    sa.Column("company_name", sa.String(200), doc="Company name."),
    sa.Column("sector", sa.String(100), doc="GICS sector. NULL: unknown."),
    sa.Column("industry", sa.String(100), doc="Vendor's industry within the sector."),
    sa.Column("exchange", sa.String(50), doc="Exchange of the listing."),
    sa.Column("country", sa.String(50), doc="Country of the headquarters."),
    sa.Column("market_cap", sa.Numeric(18, 2), doc="Market capitalization, USD."),
    sa.Column("description", sa.String(1000), doc="Description of the business."),
    sa.Column("is_etf", sa.Boolean, doc="Whether it is an exchange-traded fund."),
    sa.Column("is_fund", sa.Boolean, doc="Whether it is a fund other than an ETF."),
    sa.Column(
        "beta", sa.Numeric(8, 4), doc="Vendor's beta: FMP's of one year, or Yahoo's of five."
    ),
    sa.Column("data_source", sa.String(50), nullable=False),
    sa.Column("last_updated", sa.DateTime(timezone=True), doc="When the vendor was last queried."),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
)
"""One row per symbol."""

security_identifiers = sa.Table(
    "security_identifiers",
    metadata,
    key_column(
        "identifier",
        sa.String(12),
        "CUSIP of the security, also of its ISIN if that contains one; else the ISIN.",
    ),
    required_column("symbol", sa.String(20), "Symbol in normal form, such as BRK-B."),
    required_column(
        "data_source", sa.String(50), "Vendor, file (of profiles), statement or user (--map)."
    ),
    timestamp_column("created_at", comment="When the identifier was first stored."),
    timestamp_column("updated_at", comment="When its symbol last changed."),
    comment="One row per ISIN or CUSIP: the symbol that it stands for.",
)

benchmarks_sector_weights = sa.Table(
    "benchmarks_sector_weights",
    metadata,
    surrogate_key_column(),
    sa.Column(
        "benchmark_code", sa.String(32), nullable=False, doc="Such as SP500; of a fund, its symbol."
    ),
    sa.Column("asof_date", sa.Date, nullable=False, doc="As-of date of the weights."),
    sa.Column("sector", sa.String(64), nullable=False, doc="GICS sector."),
    sa.Column("weight", sa.Numeric(12, 6), nullable=False, doc="Weight, fraction: 0.28 is 28%."),
    sa.Column("market_cap", sa.Numeric(20, 2), doc="Market capitalization of the sector, USD."),
    sa.Column("num_constituents", sa.Integer, doc="Number of stocks in the sector."),
    sa.Column("data_source", sa.String(32), nullable=False, server_default="FMP"),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.UniqueConstraint(
        "benchmark_code",
        "asof_date",
        "sector",
        name="uq_benchmarks_sector_weights_code_date_sector",
    ),
    sa.Index("idx_benchmark_lookup", "benchmark_code", "asof_date"),
    sa.Index("idx_benchmark_sector", "benchmark_code", "sector", "asof_date"),
)
"""One row per benchmark, day and sector."""
