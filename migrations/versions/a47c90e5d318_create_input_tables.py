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


def _timestamp_column(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment=comment,
    )


def _double(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, comment=comment)


def upgrade() -> None:
    op.create_table(
        "database_settings",
        sa.Column(
            "name", sa.String(64), primary_key=True, comment="Setting, such as market_index."
        ),
        sa.Column("value", sa.Text, nullable=False, comment="Value of the setting."),
        _timestamp_column("updated_at", comment="When the value was set."),
        comment="One row per setting that belongs to the data, not to a machine.",
    )

    op.create_table(
        "rejected_rows",
        sa.Column(
            "digest",
            sa.String(64),
            primary_key=True,
            comment="SHA-256 of kind, source, line, raw row and reason, hexadecimal: the same rejection is stored once.",
        ),
        sa.Column(
            "kind", sa.String(32), nullable=False, comment="Kind of the row, such as prices."
        ),
        sa.Column("source", sa.Text, nullable=False, comment="File or vendor."),
        sa.Column(
            "line", sa.Integer, comment="Line in the source, from 1. NULL: the source has no lines."
        ),
        sa.Column("raw_row", sa.Text, nullable=False, comment="Row as received."),
        sa.Column("reason", sa.Text, nullable=False, comment="Why the row was rejected."),
        _timestamp_column("rejected_at", comment="When the row was rejected."),
        sa.Index(None, "kind", "rejected_at"),
        comment="One row per rejected input row.",
    )

    op.create_table(
        "price_decisions",
        sa.Column(
            "symbol",
            sa.String(20),
            primary_key=True,
            comment="Symbol in normal form, such as BRK-B.",
        ),
        sa.Column(
            "date", sa.Date, primary_key=True, comment="First session at the price after the move."
        ),
        sa.Column(
            "kind",
            sa.String(16),
            nullable=False,
            comment="accept: the move is real. split: earlier prices are multiplied by old_shares / new_shares when they are read.",
        ),
        sa.Column(
            "new_shares",
            sa.Integer,
            comment="Shares after the split for old_shares before it: 4 for a 4:1 split. NULL: no split.",
        ),
        sa.Column(
            "old_shares",
            sa.Integer,
            comment="Shares before the split: 1 for a 4:1 split. NULL: no split.",
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that recorded the decision. NULL: unknown.",
        ),
        _timestamp_column("decided_at", comment="When the decision was recorded."),
        sa.CheckConstraint(
            "kind = 'accept' AND new_shares IS NULL AND old_shares IS NULL OR kind = 'split' AND new_shares IS NOT NULL AND old_shares IS NOT NULL AND new_shares > 0 AND old_shares > 0 AND new_shares <> old_shares",
            name="shares",
        ),
        comment="One row per symbol and session: a user's decision about a price move.",
    )

    op.create_table(
        "vendor_quotas",
        sa.Column("vendor", sa.String(16), primary_key=True, comment="Data vendor, such as FMP."),
        sa.Column("day", sa.Date, nullable=False, comment="UTC day of the latest call."),
        _count("calls", "Calls on that day, by all processes."),
        sa.Column(
            "paced_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Theoretical time of the calls so far at the rate limit per minute; at most a minute in the future.",
        ),
        comment="One row per data vendor: calls counted toward the rate limits, by all processes.",
    )

    op.create_table(
        "vendor_responses",
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
        _timestamp_column("received_at", comment="When the response was received."),
        sa.Column(
            "first_day",
            sa.Date,
            comment="First day of prices that was ever requested. NULL: not a request for prices.",
        ),
        sa.Column("problem", sa.Text, comment="Why the response has no data. NULL: it has."),
        comment="One row per data vendor, kind and subject: latest response, so that it is not requested again too soon.",
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
        sa.Column("name", sa.String(64), primary_key=True, comment="Name of the scenario."),
        _double(
            "market_move",
            "Return of the market index, fraction: -0.2 is a fall of 20%. NULL: no such move.",
        ),
        _double(
            "rate_move",
            "Return of the rate index, fraction; negative if yields rise. NULL: no such move.",
        ),
        sa.Column(
            "first_day",
            sa.Date,
            comment="Session at whose close the replayed window begins. NULL: no window.",
        ),
        sa.Column(
            "last_day",
            sa.Date,
            comment="Session at whose close the replayed window ends. NULL: no window.",
        ),
        sa.Column("description", sa.Text, nullable=False, comment="Description, one line."),
        _timestamp_column("created_at", comment="When the scenario was added."),
        _timestamp_column("updated_at", comment="When the scenario was last changed."),
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
        comment="One row per stress scenario: moves of the market and of rates, or a past window to replay.",
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
        sa.Column(
            "version",
            sa.String(64),
            primary_key=True,
            comment="Version of the coefficients, such as shipped-1.",
        ),
        sa.Column(
            "proxy",
            sa.String(16),
            primary_key=True,
            comment="Measure of one session's volatility: close_market, close or range_market.",
        ),
        sa.Column(
            "constant",
            sa.Double,
            nullable=False,
            comment="Constant of the regression. All series are ratios to their 252-session mean.",
        ),
        sa.Column(
            "day_weight", sa.Double, nullable=False, comment="Coefficient of the last session."
        ),
        sa.Column(
            "week_weight",
            sa.Double,
            nullable=False,
            comment="Coefficient of the mean of 5 sessions.",
        ),
        sa.Column(
            "month_weight",
            sa.Double,
            nullable=False,
            comment="Coefficient of the mean of 21 sessions.",
        ),
        sa.Column(
            "market_weight",
            sa.Double,
            nullable=False,
            comment="Coefficient of the market's mean of 21 sessions; 0 for proxy close.",
        ),
        sa.Column(
            "residual_variance",
            sa.Double,
            nullable=False,
            comment="Mean of realized variance over squared volatility forecast, minus 1.",
        ),
        sa.Column("first_day", sa.Date, nullable=False, comment="First session of the sample."),
        sa.Column(
            "last_target",
            sa.Date,
            nullable=False,
            comment="Last session of the sample, including the outcomes of its forecasts.",
        ),
        sa.Column(
            "n_obs", sa.Integer, comment="Pairs of symbol and session in the sample. NULL: unknown."
        ),
        sa.Column("n_symbols", sa.Integer, comment="Symbols in the sample. NULL: unknown."),
        sa.Column(
            "digest",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the version's numbers and dates, hexadecimal.",
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            nullable=False,
            comment="Version of riskmetrics that fitted the coefficients.",
        ),
        _timestamp_column("created_at", comment="When the version was stored."),
        _double("constant_std_error", "Driscoll-Kraay standard error of constant. NULL: unknown."),
        _double("day_std_error", "Driscoll-Kraay standard error of day_weight. NULL: unknown."),
        _double("week_std_error", "Driscoll-Kraay standard error of week_weight. NULL: unknown."),
        _double("month_std_error", "Driscoll-Kraay standard error of month_weight. NULL: unknown."),
        _double(
            "market_std_error",
            "Driscoll-Kraay standard error of market_weight. NULL: unknown, or not estimated.",
        ),
        sa.Column(
            "rejection_reason",
            sa.Text,
            comment="Why the fit was rejected; the coefficients are then those of the version before. NULL: accepted.",
        ),
        sa.CheckConstraint("first_day < last_target", name="range"),
        comment="One row per version and proxy: coefficients of the volatility forecast. Rows never change.",
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
