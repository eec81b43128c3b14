"""Create tables of results: portfolios, betas, forecasts, losses and exposures."""

import sqlalchemy as sa
from alembic import op

revision = "c59f3b72e641"
down_revision = "a47c90e5d318"


def _provenance_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )


def _undefined_reason_column() -> sa.Column[object]:
    return sa.Column("undefined_reason", sa.Text)


def _timestamp_column(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _subject_columns() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("subject", sa.String(36), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id")),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
    )


def _portfolio_key() -> sa.Column[object]:
    return sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True)


def _day_key() -> sa.Column[object]:
    return sa.Column("day", sa.Date, primary_key=True)


def _double(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def upgrade() -> None:
    create_undefined_metrics()
    create_portfolio_coverage()
    create_portfolio_sector_weights()
    create_portfolio_figures()
    create_portfolio_rate_betas()
    create_symbol_two_factor_betas()
    create_symbol_adjusted_betas()
    create_volatility_forecasts()
    create_har_forecast_scores()
    create_portfolio_tail_risk()
    create_portfolio_var_backtests()
    create_portfolio_risk_contributions()
    create_portfolio_drawdowns()
    create_portfolio_stress()
    create_position_option_exposures()


def downgrade() -> None:
    op.drop_table("position_option_exposures")
    op.drop_table("portfolio_stress")
    op.drop_table("portfolio_drawdowns")
    op.drop_table("portfolio_risk_contributions")
    op.drop_table("portfolio_var_backtests")
    op.drop_table("portfolio_tail_risk")
    op.drop_table("har_forecast_scores")
    op.drop_table("volatility_forecasts")
    op.drop_table("symbol_adjusted_betas")
    op.drop_table("symbol_two_factor_betas")
    op.drop_table("portfolio_rate_betas")
    op.drop_table("portfolio_figures")
    op.drop_table("portfolio_sector_weights")
    op.drop_table("portfolio_coverage")
    op.drop_table("undefined_metrics")


def create_undefined_metrics() -> None:
    op.create_table(
        "undefined_metrics",
        sa.Column("metric", sa.String(64), primary_key=True),
        sa.Column("subject", sa.Uuid, primary_key=True),
        _day_key(),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("n_obs", sa.Integer),
        *_provenance_columns(),
        _timestamp_column("created_at"),
        sa.Index(None, "portfolio_id", "day"),
    )


def create_portfolio_coverage() -> None:
    op.create_table(
        "portfolio_coverage",
        _portfolio_key(),
        _day_key(),
        sa.Column("metric", sa.String(32), primary_key=True),
        sa.Column("coverage", sa.Double, nullable=False),
        _count("n_covered"),
        _count("n_total"),
        *_provenance_columns(),
        sa.CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
        sa.CheckConstraint("n_covered BETWEEN 0 AND n_total", name="n_covered"),
    )


def create_portfolio_sector_weights() -> None:
    op.create_table(
        "portfolio_sector_weights",
        _portfolio_key(),
        _day_key(),
        sa.Column("sector", sa.String(64), primary_key=True),
        sa.Column("gross_weight", sa.Double, nullable=False),
        _double("net_weight"),
        _double("benchmark_weight"),
        _double("active_weight"),
        sa.Column("benchmark_asof", sa.Date),
        sa.Column("benchmark_code", sa.String(32)),
        *_provenance_columns(),
        sa.CheckConstraint("gross_weight BETWEEN -1e-9 AND 1 + 1e-9", name="gross_weight"),
    )


def create_portfolio_figures() -> None:
    op.create_table(
        "portfolio_figures",
        _portfolio_key(),
        _day_key(),
        sa.Column("figure", sa.String(64), primary_key=True),
        _double("value"),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint(
            "(value IS NULL) = (undefined_reason IS NOT NULL)", name="undefined_reason"
        ),
    )


def create_portfolio_rate_betas() -> None:
    op.create_table(
        "portfolio_rate_betas",
        _portfolio_key(),
        _day_key(),
        _double("rate_beta"),
        _double("r_squared"),
        sa.Column("observations", sa.Integer),
        _double("two_factor_market_beta"),
        _double("two_factor_rate_beta"),
        sa.Column("rate_index", sa.String(16), nullable=False),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_symbol_two_factor_betas() -> None:
    op.create_table(
        "symbol_two_factor_betas",
        sa.Column("symbol", sa.String(20), primary_key=True),
        _day_key(),
        _double("market_beta"),
        _double("market_std_error"),
        _double("market_p_value"),
        _double("rate_beta"),
        _double("rate_std_error"),
        _double("rate_p_value"),
        _double("alpha"),
        _double("r_squared"),
        _count("observations"),
        _count("window_days"),
        sa.Column("market_index", sa.String(16), nullable=False),
        sa.Column("rate_index", sa.String(16), nullable=False),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_symbol_adjusted_betas() -> None:
    op.create_table(
        "symbol_adjusted_betas",
        sa.Column("symbol", sa.String(20), primary_key=True),
        _day_key(),
        _double("beta"),
        _double("std_error"),
        sa.Column("prior_mean", sa.Double, nullable=False),
        sa.Column("prior_std", sa.Double, nullable=False),
        sa.Column("market_index", sa.String(16), nullable=False),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_volatility_forecasts() -> None:
    op.create_table(
        "volatility_forecasts",
        *_subject_columns(),
        _double("volatility_forecast"),
        _double("root_variance_forecast"),
        _double("low"),
        _double("high"),
        _double("rise_probability"),
        _double("trailing_21d"),
        _double("ewma_94"),
        _double("ewma_97"),
        _count("observations"),
        sa.Column("proxy", sa.String(16), nullable=False),
        sa.Column("coefficients", sa.String(64), nullable=False),
        _flag("in_sample"),
        _flag("clipped"),
        _flag("short_history"),
        _flag("daily_lag_imputed"),
        sa.Column("thin_coverage_sessions", sa.Integer),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_har_forecast_scores() -> None:
    op.create_table(
        "har_forecast_scores",
        *_subject_columns(),
        sa.Column("completed_on", sa.Date, nullable=False),
        _double("realized"),
        _double("volatility_forecast"),
        _double("root_variance_forecast"),
        _double("trailing_21d"),
        _double("ewma_94"),
        _double("ewma_97"),
        _double("low"),
        _double("high"),
        sa.Column("coefficients", sa.String(64), nullable=False),
        _flag("in_sample"),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.Index(None, "completed_on"),
    )


def create_portfolio_tail_risk() -> None:
    op.create_table(
        "portfolio_tail_risk",
        _portfolio_key(),
        _day_key(),
        sa.Column("method", sa.String(16), primary_key=True),
        sa.Column("level", sa.Numeric(4, 3), primary_key=True),
        sa.Column("horizon_days", sa.Integer, primary_key=True),
        _double("value_at_risk"),
        _double("expected_shortfall"),
        sa.Column("value_at_risk_amount", sa.Numeric(24, 2)),
        sa.Column("expected_shortfall_amount", sa.Numeric(24, 2)),
        _count("observations"),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint("method IN ('historical', 'parametric')", name="method"),
    )


def create_portfolio_var_backtests() -> None:
    op.create_table(
        "portfolio_var_backtests",
        _portfolio_key(),
        _day_key(),
        sa.Column("level", sa.Numeric(4, 3), primary_key=True),
        sa.Column("expected_exceptions", sa.Double, nullable=False),
        _count("exceptions"),
        _count("n_tested"),
        _double("likelihood_ratio"),
        _double("p_value"),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint("exceptions BETWEEN 0 AND n_tested", name="exceptions"),
    )


def create_portfolio_risk_contributions() -> None:
    op.create_table(
        "portfolio_risk_contributions",
        _portfolio_key(),
        sa.Column("symbol", sa.String(20), primary_key=True),
        _day_key(),
        _double("weight"),
        _double("component"),
        _double("marginal"),
        _double("share"),
        _count("observations"),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_portfolio_drawdowns() -> None:
    op.create_table(
        "portfolio_drawdowns",
        _portfolio_key(),
        _day_key(),
        _double("current_drawdown"),
        sa.Column("current_drawdown_peak", sa.Date),
        _double("max_drawdown"),
        sa.Column("max_drawdown_peak", sa.Date),
        sa.Column("max_drawdown_trough", sa.Date),
        _count("observations"),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_portfolio_stress() -> None:
    op.create_table(
        "portfolio_stress",
        _portfolio_key(),
        _day_key(),
        sa.Column("scenario", sa.String(64), primary_key=True),
        _double("loss"),
        sa.Column("loss_value", sa.Numeric(24, 2)),
        _double("coverage"),
        _undefined_reason_column(),
        *_provenance_columns(),
    )


def create_position_option_exposures() -> None:
    op.create_table(
        "position_option_exposures",
        sa.Column("position_id", sa.Uuid, sa.ForeignKey("positions.id"), primary_key=True),
        _day_key(),
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), nullable=False),
        _double("value"),
        _double("delta"),
        _double("gamma"),
        _double("theta"),
        _double("vega"),
        _double("exposure"),
        sa.Column("underlying_symbol", sa.String(20), nullable=False),
        _double("underlying_price"),
        _double("volatility"),
        _double("years_to_expiration"),
        sa.Column("risk_free_rate", sa.Double, nullable=False),
        sa.Column("dividend_yield", sa.Double, nullable=False),
        _flag("linearized"),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.Index(None, "portfolio_id", "day"),
    )
