"""Tables of data vendors: call quotas and latest responses."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import metadata, timestamp_column

vendor_quotas = sa.Table(
    "vendor_quotas",
    metadata,
    sa.Column("vendor", sa.String(16), primary_key=True, comment="Data vendor, such as FMP."),
    sa.Column("day", sa.Date, nullable=False, comment="UTC day of the latest call."),
    sa.Column("calls", sa.Integer, nullable=False, comment="Calls on that day, by all processes."),
    sa.Column(
        "hour", sa.DateTime(timezone=True), comment="Start of the latest call's hour. NULL: none."
    ),
    sa.Column("hour_calls", sa.Integer, comment="Calls in that hour. NULL: none was counted."),
    sa.Column(
        "paced_until",
        sa.DateTime(timezone=True),
        nullable=False,
        comment=(
            "Theoretical time of the calls so far at the rate limit per minute; at most a "
            "minute in the future."
        ),
    ),
    comment="One row per data vendor: calls counted toward the rate limits, by all processes.",
)

vendor_responses = sa.Table(
    "vendor_responses",
    metadata,
    sa.Column("vendor", sa.String(16), primary_key=True, comment="Data vendor, such as FMP."),
    sa.Column(
        "kind",
        sa.String(16),
        primary_key=True,
        comment="Kind of the request: prices, profile or benchmark.",
    ),
    sa.Column(
        "subject", sa.String(32), primary_key=True, comment="Symbol, or code of a benchmark."
    ),
    timestamp_column("received_at", comment="When the response was received."),
    sa.Column(
        "first_day",
        sa.Date,
        comment="First day of prices that was ever requested. NULL: not a request for prices.",
    ),
    sa.Column("problem", sa.Text, comment="Why the response has no data. NULL: it has."),
    comment=(
        "One row per data vendor, kind and subject: latest response, so that it is not "
        "requested again too soon."
    ),
)
