"""Tables of rejected input rows, reasons of undefined metrics, and database settings."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    optional_column,
    provenance_columns,
    required_column,
    timestamp_column,
)

rejected_rows = sa.Table(
    "rejected_rows",
    metadata,
    key_column(
        "digest",
        sa.String(64),
        "SHA-256 of kind, source, line, raw row and reason, hexadecimal: the same rejection"
        " is stored once.",
    ),
    required_column("kind", sa.String(32), "Kind of the row, such as prices."),
    required_column("source", sa.Text(), "File or vendor."),
    optional_column(
        "line", sa.Integer(), "Line in the source, from 1. NULL: the source has no lines."
    ),
    required_column("raw_row", sa.Text(), "Row as received."),
    required_column("reason", sa.Text(), "Why the row was rejected."),
    timestamp_column("rejected_at", comment="When the row was rejected."),
    sa.Index(None, "kind", "rejected_at"),
    comment="One row per rejected input row.",
)

undefined_metrics = sa.Table(
    "undefined_metrics",
    metadata,
    key_column("metric", sa.String(64), "Undefined metric, as 'table.column'."),
    key_column("subject", sa.Uuid(), "Position or portfolio of the metric."),
    day_key_column(),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id"),
        nullable=False,
        comment="Portfolio, also of a position.",
    ),
    required_column("reason", sa.Text(), "Why the metric is undefined."),
    optional_column(
        "n_obs", sa.Integer(), "Available observations. NULL: the reason is another one."
    ),
    *provenance_columns(),
    timestamp_column("created_at", comment="When the row was written."),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per subject, session and metric that is NULL because it is undefined.",
)

database_settings = sa.Table(
    "database_settings",
    metadata,
    key_column("name", sa.String(64), "Setting, such as market_index."),
    required_column("value", sa.Text(), "Value of the setting."),
    timestamp_column("updated_at", comment="When the value was set."),
    comment="One row per setting that belongs to the data, not to a machine.",
)
