"""Bring a database that other code made to this chain's constraint names, defaults and types.

Such a database stands at the revision before this one, perhaps with names of its own, json for sector_exposure, defaults
kept in its code, and NOT NULL where a result may be undefined. Later revisions and writes then meet one schema. The tables
of holdings keep their NOT NULLs: their rows are the other program's. Where this chain made the database, nothing changes;
so there is nothing to undo.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

revision = "92d95fa4419d"
down_revision = "h1i2j3k4l5m6"

FOREIGN_KEYS = (
    ("positions", "portfolio_id", "fk_positions_portfolio_id_portfolios"),
    ("portfolio_snapshots", "portfolio_id", "fk_portfolio_snapshots_portfolio_id_portfolios"),
    ("position_market_betas", "portfolio_id", "fk_position_market_betas_portfolio_id_portfolios"),
    ("position_market_betas", "position_id", "fk_position_market_betas_position_id_positions"),
    ("position_interest_rate_betas", "portfolio_id", "fk_position_ir_betas_portfolio"),
    ("position_interest_rate_betas", "position_id", "fk_position_interest_rate_betas_position_id_positions"),
    ("position_volatility", "position_id", "fk_position_volatility_position_id_positions"),
    ("ai_insights", "portfolio_id", "fk_ai_insights_portfolio_id_portfolios"),
    ("ai_insights", "cache_source_id", "fk_ai_insights_cache_source_id_ai_insights"),
)
UNIQUE = (
    ("portfolio_snapshots", {"portfolio_id", "snapshot_date"}, "uq_portfolio_snapshots_portfolio_date"),
    ("market_data_cache", {"symbol", "date"}, "uq_market_data_cache_symbol_date"),
    (
        "position_market_betas",
        {"portfolio_id", "position_id", "calc_date", "method", "window_days"},
        "uq_position_market_betas_position_date_method",
    ),
    ("position_volatility", {"position_id", "calculation_date"}, "uq_position_volatility_position_date"),
    ("benchmarks_sector_weights", {"benchmark_code", "asof_date", "sector"}, "uq_benchmarks_sector_weights_code_date_sector"),
)
NEW_ID = {"id": "gen_random_uuid()"}
CREATED = {"created_at": "now()"}
TOUCHED = CREATED | {"updated_at": "now()"}
DEFAULTS = {
    "portfolios": NEW_ID | TOUCHED,
    "positions": NEW_ID | TOUCHED,
    "portfolio_snapshots": NEW_ID | CREATED,
    "market_data_cache": NEW_ID | TOUCHED,
    "company_profiles": TOUCHED,
    "benchmarks_sector_weights": NEW_ID | TOUCHED | {"data_source": "'FMP'"},
    "position_market_betas": NEW_ID | TOUCHED | {"window_days": "90", "method": "'OLS_SIMPLE'", "market_index": "'SPY'"},
    "position_interest_rate_betas": NEW_ID | CREATED,
    "position_volatility": NEW_ID | TOUCHED,
    "ai_insights": NEW_ID | TOUCHED | {"provider": "'anthropic'", "cache_hit": "false", "viewed": "false", "dismissed": "false"},
    "ai_insight_templates": NEW_ID | TOUCHED | {"active": "true", "usage_count": "0"},
}
VALUES = {"total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure"}
COUNTS = {"num_positions", "num_long_positions", "num_short_positions"}
REQUIRED = {
    "portfolio_snapshots": {"id", "portfolio_id", "snapshot_date", "created_at"} | VALUES | COUNTS,
    "market_data_cache": {"id", "symbol", "date", "close", "data_source", "created_at", "updated_at"},
    "company_profiles": {"symbol", "data_source", "created_at", "updated_at"},
    "benchmarks_sector_weights": {"id", "benchmark_code", "asof_date", "sector", "weight", "data_source", "created_at", "updated_at"},
    "position_market_betas": {"id", "portfolio_id", "position_id", "calc_date", "beta", "observations", "window_days"}
    | {"method", "market_index", "created_at", "updated_at"},
    "position_interest_rate_betas": {"id", "portfolio_id", "position_id", "ir_beta", "calculation_date", "created_at"},
    "position_volatility": {"id", "position_id", "calculation_date", "created_at", "updated_at"},
    "ai_insights": {"id", "portfolio_id", "insight_type", "title", "severity", "summary", "model_used", "provider"}
    | {"cache_hit", "viewed", "dismissed", "created_at", "updated_at"},
    "ai_insight_templates": {"id", "insight_type", "name", "version", "system_prompt", "investigation_prompt", "active", "usage_count"}
    | {"created_at", "updated_at"},
}


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    rename_constraints(inspector)
    for table, defaults in DEFAULTS.items():
        for column, default in defaults.items():
            op.alter_column(table, column, server_default=sa.text(default))
    for table, required in REQUIRED.items():
        for found in inspector.get_columns(table):
            if not found["nullable"] and found["name"] not in required:
                op.alter_column(table, found["name"], nullable=True)
    types = {column["name"]: column["type"] for column in inspector.get_columns("portfolio_snapshots")}
    if type(types["sector_exposure"]) is JSON:  # JSONB is a kind of JSON to SQLAlchemy
        op.alter_column("portfolio_snapshots", "sector_exposure", type_=JSONB, postgresql_using="sector_exposure::jsonb")


def downgrade() -> None:
    """Leave everything: the revision before this one means the same schema."""


def rename_constraints(inspector: sa.Inspector) -> None:
    for table in DEFAULTS:
        rename(table, inspector.get_pk_constraint(table)["name"], f"pk_{table}")
    for table, column, name in FOREIGN_KEYS:
        for foreign_key in inspector.get_foreign_keys(table):
            if foreign_key["constrained_columns"] == [column]:
                rename(table, foreign_key["name"], name)
    for table, columns, name in UNIQUE:
        for unique in inspector.get_unique_constraints(table):
            if set(unique["column_names"]) == columns:
                rename(table, unique["name"], name)


def rename(table: str, old: str | None, new: str) -> None:
    if old and old != new:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {op.get_bind().dialect.identifier_preparer.quote(old)} TO {new}")
