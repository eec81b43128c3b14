"""Create tables of results: portfolios, betas, forecasts, losses and exposures."""

import sqlalchemy as sa
from alembic import op

revision = "c59f3b72e641"
down_revision = "a47c90e5d318"


def _provenance_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column(
            "dagster_run_id",
            sa.String(36),
            comment="Dagster run that last changed the row. NULL: another program.",
        ),
        sa.Column(
            "code_version",
            sa.String(64),
            comment="Version of riskmetrics that last changed the row. NULL: another program.",
        ),
    )


def _undefined_reason_column() -> sa.Column[object]:
    return sa.Column(
        "undefined_reason",
        sa.Text,
        comment="Why figures of the row are NULL. NULL: all are defined.",
    )


def _timestamp_column(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment=comment,
    )


def _subject_columns() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column(
            "subject",
            sa.String(36),
            primary_key=True,
            comment="Symbol, or id of the portfolio.",
        ),
        sa.Column(
            "day", sa.Date, primary_key=True, comment="Session at whose close the forecast is made."
        ),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey("portfolios.id"),
            comment="Portfolio. NULL: the subject is a symbol.",
        ),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
    )


def _portfolio_key() -> sa.Column[object]:
    return sa.Column(
        "portfolio_id",
        sa.Uuid,
        sa.ForeignKey("portfolios.id"),
        primary_key=True,
        comment="Portfolio.",
    )


def _day_key(comment: str = "Session.") -> sa.Column[object]:
    return sa.Column("day", sa.Date, primary_key=True, comment=comment)


def _double(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, comment=comment)


def _flag(name: str, comment: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, comment=comment)


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
        sa.Column(
            "metric",
            sa.String(64),
            primary_key=True,
            comment="Undefined metric, as 'table.column'.",
        ),
        sa.Column(
            "subject", sa.Uuid, primary_key=True, comment="Position or portfolio of the metric."
        ),
        _day_key(),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey("portfolios.id"),
            nullable=False,
            comment="Portfolio, also of a position.",
        ),
        sa.Column("reason", sa.Text, nullable=False, comment="Why the metric is undefined."),
        sa.Column(
            "n_obs", sa.Integer, comment="Available observations. NULL: the reason is another one."
        ),
        *_provenance_columns(),
        _timestamp_column("created_at", comment="When the row was written."),
        sa.Index(None, "portfolio_id", "day"),
        comment="One row per subject, session and metric that is NULL because it is undefined.",
    )


def create_portfolio_coverage() -> None:
    op.create_table(
        "portfolio_coverage",
        _portfolio_key(),
        _day_key(),
        sa.Column(
            "metric", sa.String(32), primary_key=True, comment="Covered metric, such as beta."
        ),
        sa.Column(
            "coverage",
            sa.Double,
            nullable=False,
            comment="Covered share, in [0, 1]: of gross exposure for risk metrics, of instruments for prices and P&L.",
        ),
        _count("n_covered", "Instruments that the metric covers."),
        _count("n_total", "Instruments in scope: held on the session, or traded for daily_pnl."),
        *_provenance_columns(),
        sa.CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
        sa.CheckConstraint("n_covered BETWEEN 0 AND n_total", name="n_covered"),
        comment="One row per portfolio, session and metric: coverage.",
    )


def create_portfolio_sector_weights() -> None:
    op.create_table(
        "portfolio_sector_weights",
        _portfolio_key(),
        _day_key(),
        sa.Column(
            "sector", sa.String(64), primary_key=True, comment="GICS sector, ETF or Unclassified."
        ),
        sa.Column(
            "gross_weight", sa.Double, nullable=False, comment="Share of gross value, in [0, 1]."
        ),
        _double("net_weight", "Signed share of equity, fraction. NULL: equity is too small."),
        _double("benchmark_weight", "Weight in the benchmark, fraction. NULL: no benchmark."),
        _double("active_weight", "net_weight minus benchmark_weight. NULL: one of them is NULL."),
        sa.Column(
            "benchmark_asof",
            sa.Date,
            comment="As-of date of the benchmark's weights. NULL: no benchmark.",
        ),
        sa.Column(
            "benchmark_code", sa.String(32), comment="Benchmark, such as SP500. NULL: no benchmark."
        ),
        *_provenance_columns(),
        sa.CheckConstraint("gross_weight BETWEEN -1e-9 AND 1 + 1e-9", name="gross_weight"),
        comment="One row per portfolio, session and sector: weights of the portfolio and of the benchmark.",
    )


def create_portfolio_figures() -> None:
    op.create_table(
        "portfolio_figures",
        _portfolio_key(),
        _day_key(),
        sa.Column(
            "figure",
            sa.String(64),
            primary_key=True,
            comment="Name of the figure, as registered by its extension.",
        ),
        _double("value", "Value, in the unit that the extension states. NULL: undefined."),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint(
            "(value IS NULL) = (undefined_reason IS NOT NULL)", name="undefined_reason"
        ),
        comment="One row per portfolio, session and figure of an extension.",
    )


def create_portfolio_rate_betas() -> None:
    op.create_table(
        "portfolio_rate_betas",
        _portfolio_key(),
        _day_key(),
        _double(
            "rate_beta",
            "Mean of the positions' rate betas, weighted by signed value over equity. NULL: undefined.",
        ),
        _double("r_squared", "Mean R² of the positions, weighted by gross value. NULL: undefined."),
        sa.Column(
            "observations",
            sa.Integer,
            comment="Fewest observations among the positions. NULL: undefined.",
        ),
        _double(
            "two_factor_market_beta",
            "Market beta of the two-factor regression, weighted as rate_beta. NULL: undefined.",
        ),
        _double(
            "two_factor_rate_beta",
            "Rate beta of the two-factor regression, weighted as rate_beta. NULL: undefined.",
        ),
        sa.Column("rate_index", sa.String(16), nullable=False, comment="Symbol of the rate index."),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per portfolio and session: interest-rate betas, per unit return of the rate index.",
    )


def create_symbol_two_factor_betas() -> None:
    op.create_table(
        "symbol_two_factor_betas",
        sa.Column(
            "symbol",
            sa.String(20),
            primary_key=True,
            comment="Symbol in normal form, such as BRK-B.",
        ),
        _day_key("Last session of the window."),
        _double(
            "market_beta",
            "Beta to the market index, with the rate index held fixed. NULL: undefined.",
        ),
        _double("market_std_error", "Classical standard error of market_beta. NULL: undefined."),
        _double("market_p_value", "Two-sided p-value of market_beta = 0. NULL: undefined."),
        _double(
            "rate_beta",
            "Beta to the rate index, with the market index held fixed. NULL: undefined.",
        ),
        _double("rate_std_error", "Classical standard error of rate_beta. NULL: undefined."),
        _double("rate_p_value", "Two-sided p-value of rate_beta = 0. NULL: undefined."),
        _double("alpha", "Intercept: return per session, fraction. NULL: undefined."),
        _double("r_squared", "R², in [0, 1]. NULL: undefined."),
        _count("observations", "Sessions with returns of the symbol and both indices."),
        _count("window_days", "Sessions in the window."),
        sa.Column(
            "market_index", sa.String(16), nullable=False, comment="Symbol of the market index."
        ),
        sa.Column("rate_index", sa.String(16), nullable=False, comment="Symbol of the rate index."),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per symbol and session: regression on market index and rate index together.",
    )


def create_symbol_adjusted_betas() -> None:
    op.create_table(
        "symbol_adjusted_betas",
        sa.Column(
            "symbol",
            sa.String(20),
            primary_key=True,
            comment="Symbol in normal form, such as BRK-B.",
        ),
        _day_key("Last session of the window."),
        _double(
            "beta",
            "Market beta shrunk toward prior_mean by its sampling error (Vasicek 1973). NULL: undefined.",
        ),
        _double("std_error", "Posterior standard deviation of beta. NULL: undefined."),
        sa.Column(
            "prior_mean",
            sa.Double,
            nullable=False,
            comment="Mean of the prior distribution of stocks' betas.",
        ),
        sa.Column(
            "prior_std",
            sa.Double,
            nullable=False,
            comment="Standard deviation of the prior distribution of stocks' betas.",
        ),
        sa.Column(
            "market_index", sa.String(16), nullable=False, comment="Symbol of the market index."
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per symbol and session: Vasicek-adjusted market beta.",
    )


def create_volatility_forecasts() -> None:
    op.create_table(
        "volatility_forecasts",
        *_subject_columns(),
        _double(
            "volatility_forecast",
            "Forecast volatility of the next 21 sessions, annualized fraction, as all volatilities here. NULL: undefined.",
        ),
        _double("root_variance_forecast", "Square root of the variance forecast. NULL: undefined."),
        _double(
            "low",
            "Lower end of the 80% interval: 10th percentile of realized volatility. NULL: undefined.",
        ),
        _double(
            "high",
            "Upper end of the 80% interval: 90th percentile of realized volatility. NULL: undefined.",
        ),
        _double(
            "rise_probability",
            "Probability, in [0, 1], that the next 21 sessions are more volatile than the last 21. NULL: undefined.",
        ),
        _double(
            "trailing_21d",
            "Benchmark forecast: standard deviation of the last 21 returns. NULL: too few returns.",
        ),
        _double(
            "ewma_94",
            "Benchmark forecast: EWMA with decay 0.94 over 252 sessions. NULL: too few returns.",
        ),
        _double(
            "ewma_97",
            "Benchmark forecast: EWMA with decay 0.97 over 252 sessions. NULL: too few returns.",
        ),
        _count("observations", "Returns in the last 252 sessions."),
        sa.Column(
            "proxy",
            sa.String(16),
            nullable=False,
            comment="Measure of one session's volatility, as in har_coefficients.",
        ),
        sa.Column(
            "coefficients",
            sa.String(64),
            nullable=False,
            comment="Version of the coefficients, in har_coefficients.",
        ),
        _flag("in_sample", "Whether the sample of the coefficients extends beyond day."),
        _flag(
            "clipped",
            "Whether the forecast is at a bound of the model: 0.25 or 6 times the 252-session mean.",
        ),
        _flag("short_history", "Whether the forecast has only 63 to 125 returns."),
        _flag(
            "daily_lag_imputed",
            "Whether the month's mean replaces the last session, because none of the last 4 sessions has a return.",
        ),
        sa.Column(
            "thin_coverage_sessions",
            sa.Integer,
            comment="Sessions with returns for only 80 to 95% of gross exposure. NULL: the subject is a symbol.",
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per symbol or portfolio and session: volatility forecast, and three benchmark forecasts.",
    )


def create_har_forecast_scores() -> None:
    op.create_table(
        "har_forecast_scores",
        *_subject_columns(),
        sa.Column(
            "completed_on",
            sa.Date,
            nullable=False,
            comment="21st session after day: the last session of the outcome.",
        ),
        _double(
            "realized",
            "Realized volatility: root mean square return of the 21 sessions after day, annualized fraction. NULL: undefined.",
        ),
        _double(
            "volatility_forecast",
            "Copy of volatility_forecasts.volatility_forecast. NULL: undefined.",
        ),
        _double(
            "root_variance_forecast",
            "Copy of volatility_forecasts.root_variance_forecast. NULL: undefined.",
        ),
        _double("trailing_21d", "Copy of volatility_forecasts.trailing_21d. NULL: undefined."),
        _double("ewma_94", "Copy of volatility_forecasts.ewma_94. NULL: undefined."),
        _double("ewma_97", "Copy of volatility_forecasts.ewma_97. NULL: undefined."),
        _double("low", "Copy of volatility_forecasts.low. NULL: undefined."),
        _double("high", "Copy of volatility_forecasts.high. NULL: undefined."),
        sa.Column(
            "coefficients",
            sa.String(64),
            nullable=False,
            comment="Version of the coefficients, in har_coefficients.",
        ),
        _flag("in_sample", "Whether the sample of the coefficients extends beyond day."),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.Index(None, "completed_on"),
        comment="One row per completed forecast: forecast and realized volatility.",
    )


def create_portfolio_tail_risk() -> None:
    op.create_table(
        "portfolio_tail_risk",
        _portfolio_key(),
        _day_key("Session; its weights are applied to earlier returns (pro-forma)."),
        sa.Column(
            "method",
            sa.String(16),
            primary_key=True,
            comment="historical: past returns. parametric: normal distribution with the forecast variance.",
        ),
        sa.Column(
            "level",
            sa.Numeric(4, 3),
            primary_key=True,
            comment="Confidence level: at 0.99, one session in a hundred has a larger loss.",
        ),
        sa.Column(
            "horizon_days",
            sa.Integer,
            primary_key=True,
            comment="Horizon in sessions; more than 1: scaled by the square root of time.",
        ),
        _double(
            "value_at_risk",
            "Loss that is exceeded with probability 1 - level, fraction of equity. NULL: undefined.",
        ),
        _double(
            "expected_shortfall",
            "Mean of the losses at or beyond value_at_risk, fraction of equity. NULL: undefined.",
        ),
        sa.Column(
            "value_at_risk_amount",
            sa.Numeric(24, 2),
            comment="value_at_risk in the portfolio's currency. NULL: undefined.",
        ),
        sa.Column(
            "expected_shortfall_amount",
            sa.Numeric(24, 2),
            comment="expected_shortfall in the portfolio's currency. NULL: undefined.",
        ),
        _count("observations", "Portfolio returns used."),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint("method IN ('historical', 'parametric')", name="method"),
        comment="One row per portfolio, session, method, level and horizon: value at risk and expected shortfall.",
    )


def create_portfolio_var_backtests() -> None:
    op.create_table(
        "portfolio_var_backtests",
        _portfolio_key(),
        _day_key("Last tested session; its weights are applied to earlier returns (pro-forma)."),
        sa.Column(
            "level",
            sa.Numeric(4, 3),
            primary_key=True,
            comment="Confidence level of the historical one-day value at risk.",
        ),
        sa.Column(
            "expected_exceptions",
            sa.Double,
            nullable=False,
            comment="Expected number of exceptions: (1 - level) * n_tested.",
        ),
        _count(
            "exceptions",
            "VaR exceptions: tested sessions with a loss above the value at risk before them.",
        ),
        _count("n_tested", "Sessions with a return and a value at risk before them."),
        _double(
            "likelihood_ratio",
            "Statistic of Kupiec (1995), chi-squared with 1 degree of freedom. NULL: undefined.",
        ),
        _double(
            "p_value", "p-value of exceptions as frequent as the level implies. NULL: undefined."
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.CheckConstraint("exceptions BETWEEN 0 AND n_tested", name="exceptions"),
        comment="One row per portfolio, session and level: backtest of the value at risk over the trailing year.",
    )


def create_portfolio_risk_contributions() -> None:
    op.create_table(
        "portfolio_risk_contributions",
        _portfolio_key(),
        sa.Column(
            "symbol",
            sa.String(20),
            primary_key=True,
            comment="Symbol held, or underlying of a held option.",
        ),
        _day_key("Last session of the window."),
        _double(
            "weight", "Signed share of equity, fraction. NULL: no price, or equity is too small."
        ),
        _double(
            "component",
            "Component of the portfolio's volatility, annualized fraction; components sum to it. NULL: undefined.",
        ),
        _double(
            "marginal",
            "Change of the portfolio's volatility per unit of weight, annualized. NULL: undefined.",
        ),
        _double(
            "share", "component over the portfolio's volatility; shares sum to 1. NULL: undefined."
        ),
        _count(
            "observations", "Sessions of the window with a return of both portfolio and symbol."
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per portfolio, symbol and session: contribution to the volatility over the trailing year.",
    )


def create_portfolio_drawdowns() -> None:
    op.create_table(
        "portfolio_drawdowns",
        _portfolio_key(),
        _day_key("Session; its weights are applied to earlier returns (pro-forma)."),
        _double(
            "current_drawdown",
            "Drawdown at the session's close: fall from the window's highest close, in [0, 1]. NULL: undefined.",
        ),
        sa.Column(
            "current_drawdown_peak",
            sa.Date,
            comment="Session of that highest close. NULL: undefined.",
        ),
        _double("max_drawdown", "Maximum drawdown in the window, in [0, 1]. NULL: undefined."),
        sa.Column(
            "max_drawdown_peak",
            sa.Date,
            comment="Session of the peak before the maximum drawdown. NULL: undefined, or no drawdown.",
        ),
        sa.Column(
            "max_drawdown_trough",
            sa.Date,
            comment="Session of the maximum drawdown. NULL: undefined, or no drawdown.",
        ),
        _count("observations", "Portfolio returns in the window."),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per portfolio and session: drawdowns over the trailing year.",
    )


def create_portfolio_stress() -> None:
    op.create_table(
        "portfolio_stress",
        _portfolio_key(),
        _day_key("Session whose holdings are stressed."),
        sa.Column(
            "scenario",
            sa.String(64),
            primary_key=True,
            comment="Name in stress_scenarios at the time.",
        ),
        _double("loss", "Loss, fraction of equity; a gain is negative. NULL: undefined."),
        sa.Column(
            "loss_value",
            sa.Numeric(24, 2),
            comment="Loss in the portfolio's currency. NULL: undefined.",
        ),
        _double(
            "coverage",
            "Share of gross exposure with a beta, or with prices at both ends of the window. NULL: undefined.",
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        comment="One row per portfolio, session and scenario: first-order stress loss.",
    )


def create_position_option_exposures() -> None:
    op.create_table(
        "position_option_exposures",
        sa.Column(
            "position_id",
            sa.Uuid,
            sa.ForeignKey("positions.id"),
            primary_key=True,
            comment="Option position.",
        ),
        _day_key(),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey("portfolios.id"),
            nullable=False,
            comment="Portfolio.",
        ),
        _double(
            "value",
            "Black-Scholes value of a European option, money per share, as all sensitivities. NULL: undefined.",
        ),
        _double("delta", "Change of value per unit of the underlying's price. NULL: undefined."),
        _double("gamma", "Change of delta per unit of the underlying's price. NULL: undefined."),
        _double("theta", "Change of value per calendar day. NULL: undefined."),
        _double("vega", "Change of value per percentage point of volatility. NULL: undefined."),
        _double(
            "exposure", "delta x signed contracts x 100 x underlying_price, money. NULL: undefined."
        ),
        sa.Column(
            "underlying_symbol", sa.String(20), nullable=False, comment="Symbol of the underlying."
        ),
        _double(
            "underlying_price", "Close of the session, or one at most 5 sessions old. NULL: none."
        ),
        _double(
            "volatility",
            "Volatility forecast of the underlying for 21 sessions, annualized fraction. NULL: undefined.",
        ),
        _double(
            "years_to_expiration",
            "Calendar days to expiration / 365; negative: expired. NULL: expiration unknown.",
        ),
        sa.Column(
            "risk_free_rate",
            sa.Double,
            nullable=False,
            comment="Risk-free rate set for the run: per year, continuously compounded.",
        ),
        sa.Column(
            "dividend_yield",
            sa.Double,
            nullable=False,
            comment="Dividend yield set for the run: per year, continuously compounded.",
        ),
        _flag(
            "linearized", "Whether exposure leaves out gamma: the change of delta with the price."
        ),
        _undefined_reason_column(),
        *_provenance_columns(),
        sa.Index(None, "portfolio_id", "day"),
        comment="One row per option position and session: value and sensitivities (Black-Scholes).",
    )
