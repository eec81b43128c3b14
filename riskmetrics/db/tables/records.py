"""Tables of rejected input rows, reasons of undefined metrics, and database settings."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    metadata,
    provenance_columns,
    timestamp_column,
)

rejected_rows = sa.Table(
    "rejected_rows",
    metadata,
    sa.Column(
        "digest",
        sa.String(64),
        primary_key=True,
        comment=(
            "SHA-256 of kind, source, line, raw row and reason, hexadecimal: the same rejection"
            " is stored once."
        ),
    ),
    sa.Column("kind", sa.String(32), nullable=False, comment="Kind of the row, such as prices."),
    sa.Column("source", sa.Text, nullable=False, comment="File or vendor."),
    sa.Column(
        "line", sa.Integer, comment="Line in the source, from 1. NULL: the source has no lines."
    ),
    sa.Column("raw_row", sa.Text, nullable=False, comment="Row as received."),
    sa.Column("reason", sa.Text, nullable=False, comment="Why the row was rejected."),
    timestamp_column("rejected_at", comment="When the row was rejected."),
    sa.Index(None, "kind", "rejected_at"),
    comment="One row per rejected input row.",
)

undefined_metrics = sa.Table(
    "undefined_metrics",
    metadata,
    sa.Column(
        "metric", sa.String(64), primary_key=True, comment="Undefined metric, as 'table.column'."
    ),
    sa.Column("subject", sa.Uuid, primary_key=True, comment="Position or portfolio of the metric."),
    day_key_column(),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id"),
        nullable=False,
        comment="Portfolio, also of a position.",
    ),
    sa.Column("reason", sa.Text, nullable=False, comment="Why the metric is undefined."),
    sa.Column(
        "n_obs",
        sa.Integer,
        comment="Available observations. NULL: the reason is another one.",
    ),
    *provenance_columns(),
    timestamp_column("created_at", comment="When the row was written."),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per subject, session and metric that is NULL because it is undefined.",
)

database_settings = sa.Table(
    "database_settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True, comment="Setting, such as market_index."),
    sa.Column("value", sa.Text, nullable=False, comment="Value of the setting."),
    timestamp_column("updated_at", comment="When the value was set."),
    comment="One row per setting that belongs to the data, not to a machine.",
)
