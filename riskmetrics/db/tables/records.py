"""Tables of rejected input rows, reasons of undefined metrics, and database settings."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import metadata, provenance_columns, timestamp_column

rejected_rows = sa.Table(
    "rejected_rows",
    metadata,
    sa.Column(
        "digest",
        sa.String(64),
        primary_key=True,
        comment=(
            "sha256 hex of kind, source, line, raw row and reason: the same rejection twice is one"
            " row."
        ),
    ),
    sa.Column(
        "kind",
        sa.String(32),
        nullable=False,
        comment="What the row would have been, such as prices.",
    ),
    sa.Column("source", sa.Text, nullable=False, comment="File or vendor."),
    sa.Column("line", sa.Integer, comment="Line in the source, from 1. NULL: it has none."),
    sa.Column("raw_row", sa.Text, nullable=False, comment="The row as it came."),
    sa.Column("reason", sa.Text, nullable=False),
    timestamp_column("rejected_at"),
    sa.Index(None, "kind", "rejected_at"),
    comment="One row per input row that was refused.",
)

undefined_metrics = sa.Table(
    "undefined_metrics",
    metadata,
    sa.Column("metric", sa.String(64), primary_key=True, comment="'table.column' that is NULL."),
    sa.Column(
        "subject", sa.Uuid, primary_key=True, comment="The position or portfolio that it is about."
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column(
        "n_obs",
        sa.Integer,
        comment="Observations there were. NULL: the reason is not their number.",
    ),
    *provenance_columns(),
    timestamp_column("created_at"),
    sa.Index(None, "portfolio_id", "day"),
    comment="One row per metric, subject and day that is NULL because it is undefined, and why.",
)

database_settings = sa.Table(
    "database_settings",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True, comment="Such as market_index."),
    sa.Column("value", sa.Text, nullable=False),
    timestamp_column("updated_at"),
    comment="One row per setting that belongs to the data and not to a machine.",
)
