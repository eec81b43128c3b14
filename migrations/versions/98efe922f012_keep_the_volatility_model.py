"""Keep the coefficients of the volatility forecast, the shipped ones first."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "98efe922f012"
down_revision = "ffe6d19311d1"

SHIPPED = {
    "close_market": (0.48, 0.015, 0.085, 0.28, 0.18, 0.13),
    "close": (0.54, 0.013, 0.083, 0.40, 0.0, 0.13),
    "range_market": (0.21, 0.05, 0.125, 0.425, 0.215, 0.11),
}
"""Constant, day, week, month, market, residual variance; fitted on large US stocks, 1990-01-02 to 2022-12-30."""

DIGEST = "98ce46b112a62df148bb3ea771a918589616ae767521446bfc5b6da2e8b524b8"
"""sha256 of the numbers and dates, as later versions have it."""


def upgrade() -> None:
    table = op.create_table(
        "har_coefficients",
        sa.Column("version", sa.String(64), nullable=False, comment="Such as shipped-1."),
        sa.Column(
            "proxy",
            sa.String(16),
            nullable=False,
            comment="What stands for a day's volatility: close_market, close, range_market.",
        ),
        sa.Column(
            "constant",
            sa.Double,
            nullable=False,
            comment="Weights of the model in ratios to a series' own level.",
        ),
        sa.Column("day_weight", sa.Double, nullable=False),
        sa.Column("week_weight", sa.Double, nullable=False),
        sa.Column("month_weight", sa.Double, nullable=False),
        sa.Column("market_weight", sa.Double, nullable=False),
        sa.Column(
            "residual_variance",
            sa.Double,
            nullable=False,
            comment="Variance over squared volatility forecast, less 1.",
        ),
        sa.Column("first_day", sa.Date, nullable=False, comment="First session of the fit."),
        sa.Column(
            "last_target",
            sa.Date,
            nullable=False,
            comment="Last session that a target of the fit looks at.",
        ),
        sa.Column("n_obs", sa.Integer, comment="Pairs of a symbol and a session. NULL: not known."),
        sa.Column("n_symbols", sa.Integer, comment="NULL: not known."),
        sa.Column(
            "digest",
            sa.String(64),
            nullable=False,
            comment="sha256 hex of the version's numbers and dates.",
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            nullable=False,
            comment="Version of riskmetrics that fitted it.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("first_day < last_target", name=op.f("ck_har_coefficients_range")),
        sa.PrimaryKeyConstraint("version", "proxy", name=op.f("pk_har_coefficients")),
        comment="One row per version and proxy: coefficients of the volatility forecast. Rows never change.",
    )
    of_all = {
        "version": "shipped-1",
        "first_day": date(1990, 1, 2),
        "last_target": date(2022, 12, 30),
        "digest": DIGEST,
        "code_version": "0.1.0",
    }
    columns = (
        "constant",
        "day_weight",
        "week_weight",
        "month_weight",
        "market_weight",
        "residual_variance",
    )
    rows = [
        of_all | {"proxy": proxy} | dict(zip(columns, numbers, strict=True))
        for proxy, numbers in SHIPPED.items()
    ]
    op.bulk_insert(table, rows)


def downgrade() -> None:
    op.drop_table("har_coefficients")
