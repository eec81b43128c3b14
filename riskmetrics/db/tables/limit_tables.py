"""Limits of portfolios, and whether the figures of each session kept them."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    optional_column,
    portfolio_key_column,
    provenance_columns,
    required_column,
    timestamp_column,
    undefined_reason_column,
)


def _limit_column() -> sa.Column[object]:
    return key_column(
        "limit_name", sa.String(32), "Limited figure, as in `riskmetrics limits list`."
    )


portfolio_limits = sa.Table(
    "portfolio_limits",
    metadata,
    portfolio_key_column(),
    _limit_column(),
    required_column(
        "limit_value", sa.Double(), "Maximum allowed value, in the unit of the figure."
    ),
    timestamp_column("updated_at", comment="When the limit was set."),
    sa.Column(
        "alerted_status",
        sa.String(16),
        nullable=False,
        server_default="kept",
        comment="Status of which the last alert was sent; kept: none was, or of a recovery.",
    ),
    optional_column(
        "alerted_at", sa.DateTime(timezone=True), "When the last alert was sent. NULL: none was."
    ),
    sa.CheckConstraint("limit_value > 0", name="limit_value"),
    comment="One row per portfolio and limited figure: the limit in force.",
)

portfolio_limit_checks = sa.Table(
    "portfolio_limit_checks",
    metadata,
    portfolio_key_column(),
    day_key_column(),
    _limit_column(),
    required_column(
        "limit_value", sa.Double(), "Limit that the figure was compared with, in its unit."
    ),
    optional_column(
        "value", sa.Double(), "Compared value: the largest of the session. NULL: undefined."
    ),
    optional_column(
        "subject",
        sa.String(64),
        "Symbol, sector or scenario of the value. NULL: the portfolio, or undefined.",
    ),
    required_column(
        "status",
        sa.String(16),
        "kept: the value is at most the limit. exceeded: it is larger. undefined: no value,"
        " or a symbol, sector or scenario that could have a larger one has none.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("status IN ('kept', 'exceeded', 'undefined')", name="status"),
    comment="One row per portfolio, session and limit that was in force when it was checked.",
)
