"""Tables of volatility forecasts, model coefficients and forecast scores."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    metadata,
    provenance_columns,
    timestamp_column,
    undefined_reason_column,
)


def _subject_columns() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column(
            "subject",
            sa.String(36),
            primary_key=True,
            comment="The symbol, or the id of the portfolio.",
        ),
        sa.Column(
            "day", sa.Date, primary_key=True, comment="Session of the forecast, made at its close."
        ),
        sa.Column(
            "portfolio_id", sa.ForeignKey("portfolios.id"), comment="NULL: the subject is a symbol."
        ),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
    )


har_coefficients = sa.Table(
    "har_coefficients",
    metadata,
    sa.Column("version", sa.String(64), primary_key=True, comment="Such as shipped-1."),
    sa.Column(
        "proxy",
        sa.String(16),
        primary_key=True,
        comment="What stands for a day's volatility: close_market, close, range_market.",
    ),
    sa.Column(
        "constant",
        sa.Double,
        nullable=False,
        comment="Weights of the model in ratios to a series' own level.",
    ),
    sa.Column("day_weight", sa.Double, nullable=False, doc="Weight of the last session."),
    sa.Column("week_weight", sa.Double, nullable=False, doc="Weight of the mean of 5 sessions."),
    sa.Column("month_weight", sa.Double, nullable=False, doc="Weight of the mean of 21 sessions."),
    sa.Column("market_weight", sa.Double, nullable=False, doc="Weight of the market."),
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
    timestamp_column("created_at"),
    sa.Column(
        "constant_std_error",
        sa.Double,
        comment="Driscoll and Kraay's, of the weights. NULL: not known, or no such weight.",
    ),
    sa.Column("day_std_error", sa.Double, doc="Standard error of day_weight."),
    sa.Column("week_std_error", sa.Double, doc="Standard error of week_weight."),
    sa.Column("month_std_error", sa.Double, doc="Standard error of month_weight."),
    sa.Column("market_std_error", sa.Double, doc="Standard error of market_weight."),
    sa.Column(
        "rejection_reason",
        sa.Text,
        comment=(
            "Why the fit was refused and these are an earlier version's. NULL: it was accepted."
        ),
    ),
    sa.CheckConstraint("first_day < last_target", name="range"),
    comment=(
        "One row per version and proxy: coefficients of the volatility forecast. Rows never change."
    ),
)

volatility_forecasts = sa.Table(
    "volatility_forecasts",
    metadata,
    *_subject_columns(),
    sa.Column(
        "volatility_forecast",
        sa.Double,
        comment="Volatility of the next 21 sessions; annualized fraction, as all here.",
    ),
    sa.Column("root_variance_forecast", sa.Double, comment="Square root of the variance forecast."),
    sa.Column("low", sa.Double, comment="10th percentile of what may follow."),
    sa.Column("high", sa.Double, comment="90th percentile of what may follow."),
    sa.Column(
        "rise_probability",
        sa.Double,
        comment="That the next 21 sessions are more volatile than the last 21.",
    ),
    sa.Column(
        "trailing_21d",
        sa.Double,
        comment="Standard deviation of the last 21 returns: the forecast that the past goes on.",
    ),
    sa.Column(
        "ewma_94", sa.Double, comment="Exponentially weighted, decay 0.94, over 252 sessions."
    ),
    sa.Column(
        "ewma_97", sa.Double, comment="Exponentially weighted, decay 0.97, over 252 sessions."
    ),
    sa.Column(
        "observations", sa.Integer, nullable=False, comment="Returns in the level of 252 sessions."
    ),
    sa.Column("proxy", sa.String(16), nullable=False, comment="What stood for a day's volatility."),
    sa.Column(
        "coefficients", sa.String(64), nullable=False, comment="Version in har_coefficients."
    ),
    sa.Column(
        "in_sample",
        sa.Boolean,
        nullable=False,
        comment="The version's fit saw days after this one.",
    ),
    sa.Column(
        "clipped", sa.Boolean, nullable=False, comment="The model's ratio was beyond its bounds."
    ),
    sa.Column(
        "short_history", sa.Boolean, nullable=False, comment="The level rests on 63 to 125 returns."
    ),
    sa.Column(
        "daily_lag_imputed",
        sa.Boolean,
        nullable=False,
        comment="No return in 4 sessions: the month stood in for the day.",
    ),
    sa.Column(
        "thin_coverage_sessions",
        sa.Integer,
        comment="Sessions on which 80 to 95 % of gross exposure had a return. NULL: a symbol.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per symbol or portfolio and session: the forecast, and the ones it is measured"
        " against."
    ),
)

har_forecast_scores = sa.Table(
    "har_forecast_scores",
    metadata,
    *_subject_columns(),
    sa.Column(
        "completed_on",
        sa.Date,
        nullable=False,
        comment="The 21st session after day: the last that the outcome looks at.",
    ),
    sa.Column(
        "realized",
        sa.Double,
        comment="Root mean square return of the 21 sessions after day, annualized fraction.",
    ),
    sa.Column("volatility_forecast", sa.Double, comment="The forecast, as it was stored."),
    sa.Column(
        "root_variance_forecast", sa.Double, doc="Square root of the variance forecast, as stored."
    ),
    sa.Column("trailing_21d", sa.Double, doc="Trailing 21-session volatility, as stored."),
    sa.Column("ewma_94", sa.Double, doc="EWMA volatility, decay 0.94, as stored."),
    sa.Column("ewma_97", sa.Double, doc="EWMA volatility, decay 0.97, as stored."),
    sa.Column("low", sa.Double, comment="Ends of the forecast's 80 % band."),
    sa.Column("high", sa.Double, doc="Upper end of the forecast's 80% band."),
    sa.Column(
        "coefficients", sa.String(64), nullable=False, comment="Version in har_coefficients."
    ),
    sa.Column(
        "in_sample",
        sa.Boolean,
        nullable=False,
        comment="The version's fit saw days after this one.",
    ),
    undefined_reason_column(),
    *provenance_columns(),
    sa.Index(None, "completed_on"),
    comment="One row per completed forecast: what was expected, and what happened.",
)
