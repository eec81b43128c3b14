"""Add corrections and horizons of the volatility forecast, and the versions fitted before use."""

import json
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "k1a7f30b52c9"
down_revision = "h4c8e20a97f1"

SHIPPED = Path(__file__).parents[1] / "data" / f"{revision}.json"
"""Rows that `python -m benchmarks.shipped_versions` wrote."""

FEATURES = ("season", "quarter", "range_level")
COEFFICIENTS = (
    *("version", "proxy", "constant", "day_weight", "week_weight", "month_weight"),
    *("market_weight", "residual_variance", "first_day", "last_target", "n_obs", "n_symbols"),
    *("digest", "code_version", "constant_std_error", "day_std_error", "week_std_error"),
    *("month_std_error", "market_std_error", "horizon"),
)


def upgrade() -> None:
    op.add_column(
        "har_coefficients", sa.Column("horizon", sa.Integer, nullable=False, server_default="21")
    )
    replace_primary_key("version", "proxy", "horizon")
    corrections = op.create_table(
        "variance_corrections",
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("series_class", sa.String(16), primary_key=True),
        sa.Column("horizon", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("level", sa.Double, nullable=False),
        *(
            sa.Column(f"{feature}_{part}", sa.Double, nullable=False)
            for feature in FEATURES
            for part in ("weight", "center", "lowest", "highest")
        ),
        sa.Column("volatility_ratio", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("rise_mean", sa.Double, nullable=False),
        sa.Column("rise_sd", sa.Double, nullable=False),
        sa.Column("n_obs", sa.Integer),
    )
    create_horizon_forecasts()
    shipped = json.loads(SHIPPED.read_text())
    coefficients = sa.table("har_coefficients", *(sa.column(name) for name in COEFFICIENTS))
    coefficients.c.first_day.type = coefficients.c.last_target.type = sa.Date()
    rows = [
        row | {name: date.fromisoformat(row[name]) for name in ("first_day", "last_target")}
        for row in shipped["har_coefficients"]
    ]
    op.bulk_insert(coefficients, rows)
    op.bulk_insert(corrections, shipped["variance_corrections"])


def create_horizon_forecasts() -> None:
    op.create_table(
        "volatility_horizon_forecasts",
        sa.Column("subject", sa.String(36), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id")),
        sa.Column("horizon", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("volatility_forecast", sa.Double),
        sa.Column("root_variance_forecast", sa.Double),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
    )


def replace_primary_key(*columns: str) -> None:
    op.drop_constraint("pk_har_coefficients", "har_coefficients", type_="primary")
    op.create_primary_key("pk_har_coefficients", "har_coefficients", list(columns))


def downgrade() -> None:
    op.drop_table("volatility_horizon_forecasts")
    op.drop_table("variance_corrections")
    versions = sorted(
        {row["version"] for row in json.loads(SHIPPED.read_text())["har_coefficients"]}
    )
    coefficients = sa.table("har_coefficients", sa.column("version"), sa.column("horizon"))
    op.execute(
        sa.delete(coefficients).where(
            sa.or_(coefficients.c.version.in_(versions), coefficients.c.horizon != 21)
        )
    )
    replace_primary_key("version", "proxy")
    op.drop_column("har_coefficients", "horizon")
