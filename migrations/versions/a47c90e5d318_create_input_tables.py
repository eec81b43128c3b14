"""Create tables of inputs: settings, rejected rows, price decisions, vendors, scenarios, coefficients.

The stress scenarios and the shipped coefficients of the volatility forecast are inserted.
"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "a47c90e5d318"
down_revision = "8d2e7c41f9b6"

MOVES = (
    ("market +10%", 0.1, None, "The market index rises by a tenth."),
    ("market -10%", -0.1, None, "The market index falls by a tenth."),
    ("market -20%", -0.2, None, "The market index falls by a fifth, as bear markets begin."),
    ("market -40%", -0.4, None, "The market index falls by two fifths, as from 2007 to late 2008."),
    ("rate index +10%", None, 0.1, "The price of the rate index rises by a tenth: yields fall."),
    ("rate index -10%", None, -0.1, "The price of the rate index falls by a tenth: yields rise."),
    ("market -20%, rate index -10%", -0.2, -0.1, "Stocks and bonds fall together."),
)
"""Name, move of the market, move of the rate index, description."""

REPLAYS = (
    (
        "dot-com bust",
        date(2000, 3, 24),
        date(2002, 10, 9),
        "From the high of the S&P 500 to its low.",
    ),
    (
        "Lehman Brothers",
        date(2008, 9, 12),
        date(2008, 11, 20),
        "From the close before the bankruptcy to the low of November.",
    ),
    (
        "fourth quarter of 2018",
        date(2018, 9, 20),
        date(2018, 12, 24),
        "Rising policy rates and a trade dispute.",
    ),
    ("COVID-19", date(2020, 2, 19), date(2020, 3, 23), "From the high of the S&P 500 to its low."),
    ("rate rises of 2022", date(2022, 1, 3), date(2022, 10, 12), "Stocks and bonds fell together."),
)
"""Name, session at whose close it begins and at whose close it ends, description."""

SHIPPED = {
    "close_market": (0.48, 0.015, 0.085, 0.28, 0.18, 0.13),
    "close": (0.54, 0.013, 0.083, 0.40, 0.0, 0.13),
    "range_market": (0.21, 0.05, 0.125, 0.425, 0.215, 0.11),
}
"""Constant, day, week, month, market, residual variance; fitted on large US stocks."""

SHIPPED_DIGEST = "98ce46b112a62df148bb3ea771a918589616ae767521446bfc5b6da2e8b524b8"
"""SHA-256 of the numbers and dates, computed as for fitted versions."""


def _timestamp_column(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _double(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    op.create_table(
        "database_settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        _timestamp_column("updated_at"),
    )

    op.create_table(
        "rejected_rows",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("line", sa.Integer),
        sa.Column("raw_row", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _timestamp_column("rejected_at"),
        sa.Index(None, "kind", "rejected_at"),
    )

    op.create_table(
        "price_decisions",
        sa.Column("symbol", sa.String(20), primary_key=True),
        sa.Column("date", sa.Date, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("new_shares", sa.Integer),
        sa.Column("old_shares", sa.Integer),
        sa.Column("code_version", sa.String(64)),
        _timestamp_column("decided_at"),
        sa.CheckConstraint(
            "kind = 'accept' AND new_shares IS NULL AND old_shares IS NULL OR kind = 'split' AND new_shares IS NOT NULL AND old_shares IS NOT NULL AND new_shares > 0 AND old_shares > 0 AND new_shares <> old_shares",
            name="shares",
        ),
    )

    op.create_table(
        "vendor_quotas",
        sa.Column("vendor", sa.String(16), primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        _count("calls"),
        sa.Column("paced_until", sa.DateTime(timezone=True), nullable=False),
    )

    op.create_table(
        "vendor_responses",
        sa.Column("vendor", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(32), primary_key=True),
        _timestamp_column("received_at"),
        sa.Column("first_day", sa.Date),
        sa.Column("problem", sa.Text),
    )
    create_stress_scenarios()
    create_har_coefficients()


def downgrade() -> None:
    op.drop_table("har_coefficients")
    op.drop_table("stress_scenarios")
    op.drop_table("vendor_responses")
    op.drop_table("vendor_quotas")
    op.drop_table("price_decisions")
    op.drop_table("rejected_rows")
    op.drop_table("database_settings")


def create_stress_scenarios() -> None:
    scenarios = op.create_table(
        "stress_scenarios",
        sa.Column("name", sa.String(64), primary_key=True),
        _double("market_move"),
        _double("rate_move"),
        sa.Column("first_day", sa.Date),
        sa.Column("last_day", sa.Date),
        sa.Column("description", sa.Text, nullable=False),
        _timestamp_column("created_at"),
        _timestamp_column("updated_at"),
        sa.CheckConstraint(
            "(first_day IS NULL) = (last_day IS NULL) AND first_day < last_day IS NOT FALSE",
            name="window",
        ),
        sa.CheckConstraint(
            "(first_day IS NULL) = (num_nonnulls(market_move, rate_move) > 0)", name="kind"
        ),
        sa.CheckConstraint(
            "market_move > -1 IS NOT FALSE AND rate_move > -1 IS NOT FALSE", name="moves"
        ),
    )
    columns = ("name", "market_move", "rate_move", "first_day", "last_day", "description")
    rows = [
        *((name, market, rates, None, None, text) for name, market, rates, text in MOVES),
        *((name, None, None, first, last, text) for name, first, last, text in REPLAYS),
    ]
    op.bulk_insert(scenarios, [dict(zip(columns, row, strict=True)) for row in rows])


def create_har_coefficients() -> None:
    coefficients = op.create_table(
        "har_coefficients",
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("proxy", sa.String(16), primary_key=True),
        sa.Column("constant", sa.Double, nullable=False),
        sa.Column("day_weight", sa.Double, nullable=False),
        sa.Column("week_weight", sa.Double, nullable=False),
        sa.Column("month_weight", sa.Double, nullable=False),
        sa.Column("market_weight", sa.Double, nullable=False),
        sa.Column("residual_variance", sa.Double, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_target", sa.Date, nullable=False),
        sa.Column("n_obs", sa.Integer),
        sa.Column("n_symbols", sa.Integer),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("code_version", sa.String(64), nullable=False),
        _timestamp_column("created_at"),
        _double("constant_std_error"),
        _double("day_std_error"),
        _double("week_std_error"),
        _double("month_std_error"),
        _double("market_std_error"),
        sa.Column("rejection_reason", sa.Text),
        sa.CheckConstraint("first_day < last_target", name="range"),
    )
    version = {
        "version": "shipped-1",
        "first_day": date(1990, 1, 2),
        "last_target": date(2022, 12, 30),
        "digest": SHIPPED_DIGEST,
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
        version | {"proxy": proxy} | dict(zip(columns, numbers, strict=True))
        for proxy, numbers in SHIPPED.items()
    ]
    op.bulk_insert(coefficients, rows)
