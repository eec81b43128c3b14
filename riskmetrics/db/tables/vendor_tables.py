"""Tables of data vendors: call quotas and latest responses."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import metadata, timestamp_column

vendor_quotas = sa.Table(
    "vendor_quotas",
    metadata,
    sa.Column("vendor", sa.String(16), primary_key=True, comment="Such as FMP."),
    sa.Column("day", sa.Date, nullable=False, comment="Day of UTC of the latest call."),
    sa.Column("calls", sa.Integer, nullable=False, comment="Calls on that day, of all processes."),
    sa.Column(
        "paced_until",
        sa.DateTime(timezone=True),
        nullable=False,
        comment=(
            "When calls made at the allowed pace would have got as far: at most a minute ahead."
        ),
    ),
    comment=(
        "One row per vendor: the calls of the day and of the minute, which all processes share."
    ),
)

vendor_responses = sa.Table(
    "vendor_responses",
    metadata,
    sa.Column("vendor", sa.String(16), primary_key=True, comment="Such as FMP."),
    sa.Column(
        "kind",
        sa.String(16),
        primary_key=True,
        comment="What was asked for: prices, profile or benchmark.",
    ),
    sa.Column(
        "subject", sa.String(32), primary_key=True, comment="Symbol, or code of a benchmark."
    ),
    timestamp_column("received_at"),
    sa.Column(
        "first_day",
        sa.Date,
        comment="First day of prices that was ever asked for. NULL: they have none.",
    ),
    sa.Column("problem", sa.Text, comment="Why the answer brought nothing. NULL: it did."),
    comment=(
        "One row per vendor, kind and subject: when it last answered. What was answered is not"
        " asked again too soon."
    ),
)
