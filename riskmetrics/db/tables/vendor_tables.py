"""Tables of data vendors: call quotas and latest responses."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    key_column,
    metadata,
    optional_column,
    required_column,
    timestamp_column,
)

vendor_quotas = sa.Table(
    "vendor_quotas",
    metadata,
    key_column("vendor", sa.String(16), "Data vendor, such as FMP."),
    required_column("day", sa.Date(), "UTC day of the latest call."),
    required_column("calls", sa.Integer(), "Calls on that day, by all processes."),
    optional_column(
        "hour", sa.DateTime(timezone=True), "Start of the latest call's hour. NULL: none."
    ),
    optional_column("hour_calls", sa.Integer(), "Calls in that hour. NULL: none was counted."),
    required_column(
        "paced_until",
        sa.DateTime(timezone=True),
        "Theoretical time of the calls so far at the rate limit per minute; at most a "
        "minute in the future.",
    ),
    comment="One row per data vendor: calls counted toward the rate limits, by all processes.",
)

vendor_responses = sa.Table(
    "vendor_responses",
    metadata,
    key_column("vendor", sa.String(16), "Data vendor, such as FMP."),
    key_column("kind", sa.String(16), "Kind of the request: prices, profile or benchmark."),
    key_column("subject", sa.String(32), "Symbol, or code of a benchmark."),
    timestamp_column("received_at", comment="When the response was received."),
    optional_column(
        "first_day",
        sa.Date(),
        "First day of prices that was ever requested. NULL: not a request for prices.",
    ),
    optional_column("problem", sa.Text(), "Why the response has no data. NULL: it has."),
    comment=(
        "One row per data vendor, kind and subject: latest response, so that it is not "
        "requested again too soon."
    ),
)
