"""Tables of volatility forecasts, model coefficients and forecast scores."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
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
            comment="Symbol, or id of the portfolio.",
        ),
        day_key_column("Session at whose close the forecast is made."),
        sa.Column(
            "portfolio_id",
            sa.ForeignKey("portfolios.id"),
            comment="Portfolio. NULL: the subject is a symbol.",
        ),
        sa.CheckConstraint(
            "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
        ),
    )


har_coefficients = sa.Table(
    "har_coefficients",
    metadata,
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
    sa.Column("day_weight", sa.Double, nullable=False, comment="Coefficient of the last session."),
    sa.Column(
        "week_weight", sa.Double, nullable=False, comment="Coefficient of the mean of 5 sessions."
    ),
    sa.Column(
        "month_weight", sa.Double, nullable=False, comment="Coefficient of the mean of 21 sessions."
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
    timestamp_column("created_at", comment="When the version was stored."),
    sa.Column(
        "constant_std_error",
        sa.Double,
        comment="Driscoll-Kraay standard error of constant. NULL: unknown.",
    ),
    sa.Column(
        "day_std_error",
        sa.Double,
        comment="Driscoll-Kraay standard error of day_weight. NULL: unknown.",
    ),
    sa.Column(
        "week_std_error",
        sa.Double,
        comment="Driscoll-Kraay standard error of week_weight. NULL: unknown.",
    ),
    sa.Column(
        "month_std_error",
        sa.Double,
        comment="Driscoll-Kraay standard error of month_weight. NULL: unknown.",
    ),
    sa.Column(
        "market_std_error",
        sa.Double,
        comment="Driscoll-Kraay standard error of market_weight. NULL: unknown, or not estimated.",
    ),
    sa.Column(
        "rejection_reason",
        sa.Text,
        comment=(
            "Why the fit was rejected; the coefficients are then those of the version before. "
            "NULL: accepted."
        ),
    ),
    sa.Column(
        "horizon",
        sa.Integer,
        primary_key=True,
        server_default="21",
        comment="Sessions of the volatility that is forecast: 1, 5, 21 or 63.",
    ),
    sa.CheckConstraint("first_day < last_target", name="range"),
    comment=(
        "One row per version, proxy and horizon: coefficients of the volatility forecast. Rows "
        "never change."
    ),
)


def _feature_columns(feature: str, label: str) -> tuple[sa.Column[float], ...]:
    return tuple(
        sa.Column(f"{feature}_{part}", sa.Double, nullable=False, comment=f"{text} {label}.")
        for part, text in (
            ("weight", "Weight of the"),
            ("center", "Value that corrects nothing of the"),
            ("lowest", "Lower bound of the"),
            ("highest", "Upper bound of the"),
        )
    )


variance_corrections = sa.Table(
    "variance_corrections",
    metadata,
    sa.Column(
        "version",
        sa.String(64),
        primary_key=True,
        comment="Version of the coefficients in har_coefficients.",
    ),
    sa.Column(
        "series_class",
        sa.String(16),
        primary_key=True,
        comment=(
            "stock, diversified (funds), portfolio (of several symbols); with opens, highs, lows "
            "and volumes: bars (stocks) or diversified_bars (funds)."
        ),
    ),
    sa.Column(
        "horizon",
        sa.Integer,
        primary_key=True,
        comment="Sessions of the volatility that is forecast: 1, 5, 21 or 63.",
    ),
    sa.Column(
        "level",
        sa.Double,
        nullable=False,
        comment="Log of realized variance over the squared volatility forecast of the regression.",
    ),
    *_feature_columns("season", "event season"),
    *_feature_columns("quarter", "log of the mean of 63 sessions over that of 252"),
    *_feature_columns("range_level", "log of ranges over absolute returns"),
    sa.Column(
        "volatility_ratio",
        sa.Double,
        nullable=False,
        comment="Volatility forecast over the root of the variance forecast.",
    ),
    sa.Column(
        "low",
        sa.Double,
        nullable=False,
        comment="10th percentile of realized volatility over the volatility forecast.",
    ),
    sa.Column(
        "high",
        sa.Double,
        nullable=False,
        comment="90th percentile of realized volatility over the volatility forecast.",
    ),
    sa.Column(
        "rise_mean",
        sa.Double,
        nullable=False,
        comment="Log of forecast over trailing volatility at even odds of a rise.",
    ),
    sa.Column(
        "rise_sd",
        sa.Double,
        nullable=False,
        comment="Log of forecast over trailing volatility per standard deviation of a rise.",
    ),
    sa.Column(
        "n_obs",
        sa.Integer,
        comment="Pairs of series and session in the sample. NULL: kept from the version before.",
    ),
    *(
        sa.Column(
            f"ewma_{decay}_weight",
            sa.Double,
            nullable=False,
            server_default="0",
            comment=f"Weight of the exponentially weighted variance of decay 0.{decay}.",
        )
        for decay in (94, 97)
    ),
    comment=(
        "One row per version, class of series and horizon: correction of the variance forecast. "
        "Rows never change."
    ),
)

volatility_forecasts = sa.Table(
    "volatility_forecasts",
    metadata,
    *_subject_columns(),
    sa.Column("volatility_forecast", sa.Double),
    sa.Column("root_variance_forecast", sa.Double),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("rise_probability", sa.Double),
    sa.Column("trailing_21d", sa.Double),
    sa.Column("ewma_94", sa.Double),
    sa.Column("ewma_97", sa.Double),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column("proxy", sa.String(16), nullable=False),
    sa.Column("coefficients", sa.String(64), nullable=False),
    sa.Column("in_sample", sa.Boolean, nullable=False),
    sa.Column("clipped", sa.Boolean, nullable=False),
    sa.Column("short_history", sa.Boolean, nullable=False),
    sa.Column("daily_lag_imputed", sa.Boolean, nullable=False),
    sa.Column("thin_coverage_sessions", sa.Integer),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per symbol or portfolio and session: volatility forecast, and three "
        "benchmark forecasts."
    ),
)

volatility_horizon_forecasts = sa.Table(
    "volatility_horizon_forecasts",
    metadata,
    *_subject_columns(),
    sa.Column(
        "horizon",
        sa.Integer,
        primary_key=True,
        comment="Sessions of the volatility that is forecast: 1, 5 or 63.",
    ),
    sa.Column("volatility_forecast", sa.Double),
    sa.Column("root_variance_forecast", sa.Double),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per symbol or portfolio, session and horizon: volatility forecast; that of 21 "
        "sessions is in volatility_forecasts."
    ),
)

forecast_outcomes = sa.Table(
    "forecast_outcomes",
    metadata,
    sa.Column(
        "subject",
        sa.String(36),
        primary_key=True,
        comment="Symbol, or id of the portfolio.",
    ),
    sa.Column(
        "made_on",
        sa.Date,
        primary_key=True,
        comment="Session at whose close the forecast was made.",
    ),
    sa.Column(
        "kind",
        sa.String(16),
        primary_key=True,
        comment="What was forecast: volatility, value_at_risk or beta.",
    ),
    sa.Column(
        "method",
        sa.String(32),
        primary_key=True,
        comment="Method of the forecast, such as har, ewma_94, filtered or adjusted.",
    ),
    sa.Column("horizon", sa.Integer, primary_key=True, comment="Sessions ahead."),
    sa.Column(
        "level",
        sa.Numeric(4, 3),
        primary_key=True,
        comment="Confidence level of a value at risk; 0: the kind has none.",
    ),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id"),
        comment="Portfolio. NULL: the subject is a symbol.",
    ),
    sa.Column("completed_on", sa.Date, nullable=False),
    sa.Column("forecast", sa.Double, nullable=False),
    sa.Column("root_variance", sa.Double),
    sa.Column("shortfall_forecast", sa.Double),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("outcome", sa.Double),
    sa.Column("forecast_loss", sa.Double),
    sa.Column("in_sample", sa.Boolean, nullable=False),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint(
        "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)", name="subject"
    ),
    sa.Index(None, "completed_on"),
    comment="One row per completed forecast and method: the forecast as stored, and the outcome.",
)
