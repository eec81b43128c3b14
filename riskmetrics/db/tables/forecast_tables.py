"""Tables of volatility forecasts, model coefficients and forecast scores."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    day_key_column,
    key_column,
    metadata,
    optional_column,
    required_column,
    result_table,
    timestamp_column,
)

_SUBJECT_CHECK = "portfolio_id IS NULL OR subject = CAST(portfolio_id AS VARCHAR)"


def _subject_column() -> sa.Column[str]:
    return key_column("subject", sa.String(36), "Symbol, or id of the portfolio.")


def _portfolio_column() -> sa.Column[object]:
    return sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id"),
        comment="Portfolio. NULL: the subject is a symbol.",
    )


def _weight_column(name: str, comment: str) -> sa.Column[float]:
    return required_column(name, sa.Double(), f"Coefficient of the {comment}.")


def _std_error_column(name: str, weight: str, null: str = "unknown") -> sa.Column[float]:
    return optional_column(
        f"{name}_std_error",
        sa.Double(),
        f"Driscoll-Kraay standard error of {weight}. NULL: {null}.",
    )


har_coefficients = sa.Table(
    "har_coefficients",
    metadata,
    key_column("version", sa.String(64), "Version of the coefficients, such as shipped-1."),
    key_column(
        "proxy",
        sa.String(16),
        "Measure of one session's volatility: close_market, close or range_market.",
    ),
    required_column(
        "constant",
        sa.Double(),
        "Constant of the regression. All series are ratios to their 252-session mean.",
    ),
    _weight_column("day_weight", "last session"),
    _weight_column("week_weight", "mean of 5 sessions"),
    _weight_column("month_weight", "mean of 21 sessions"),
    _weight_column("market_weight", "market's mean of 21 sessions; 0 for proxy close"),
    required_column(
        "residual_variance",
        sa.Double(),
        "Mean of realized variance over squared volatility forecast, minus 1.",
    ),
    required_column("first_day", sa.Date(), "First session of the sample."),
    required_column(
        "last_target",
        sa.Date(),
        "Last session of the sample, including the outcomes of its forecasts.",
    ),
    optional_column(
        "n_obs", sa.Integer(), "Pairs of symbol and session in the sample. NULL: unknown."
    ),
    optional_column("n_symbols", sa.Integer(), "Symbols in the sample. NULL: unknown."),
    required_column(
        "digest", sa.String(64), "SHA-256 of the version's numbers and dates, hexadecimal."
    ),
    required_column(
        "code_version", sa.String(64), "Version of riskmetrics that fitted the coefficients."
    ),
    timestamp_column("created_at", comment="When the version was stored."),
    _std_error_column("constant", "constant"),
    *(_std_error_column(name, f"{name}_weight") for name in ("day", "week", "month")),
    _std_error_column("market", "market_weight", null="unknown, or not estimated"),
    optional_column(
        "rejection_reason",
        sa.Text(),
        "Why the fit was rejected; the coefficients are then those of the version before. "
        "NULL: accepted.",
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
        required_column(f"{feature}_{part}", sa.Double(), f"{text}.")
        for part, text in (
            ("weight", f"Weight of the {label}"),
            ("center", f"Value of the {label} at which the correction is zero"),
            ("lowest", f"Lower bound of the {label}"),
            ("highest", f"Upper bound of the {label}"),
        )
    )


variance_corrections = sa.Table(
    "variance_corrections",
    metadata,
    key_column("version", sa.String(64), "Version of the coefficients in har_coefficients."),
    key_column(
        "series_class",
        sa.String(16),
        "stock, diversified (funds), portfolio (of several symbols); with opens, highs, lows and"
        " volumes: bars (stocks) or diversified_bars (funds).",
    ),
    key_column(
        "horizon", sa.Integer(), "Sessions of the volatility that is forecast: 1, 5, 21 or 63."
    ),
    required_column(
        "constant",
        sa.Double(),
        "Log of realized variance over the squared volatility forecast of the regression.",
    ),
    *_feature_columns("season", "event season"),
    *_feature_columns("quarter", "log of the mean of 63 sessions over that of 252"),
    *_feature_columns("range_level", "log of ranges over absolute returns"),
    *(
        required_column(name, sa.Double(), comment)
        for name, comment in (
            ("volatility_ratio", "Volatility forecast over the root of the variance forecast."),
            ("low", "10th percentile of realized volatility over the volatility forecast."),
            ("high", "90th percentile of realized volatility over the volatility forecast."),
            ("rise_mean", "Log of forecast over trailing volatility at even odds of a rise."),
            (
                "rise_sd",
                "Log of forecast over trailing volatility per standard deviation of a rise.",
            ),
        )
    ),
    optional_column(
        "n_obs",
        sa.Integer(),
        "Pairs of series and session in the sample. NULL: kept from the version before.",
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

_MADE_ON = "Session at whose close the forecast is made."

volatility_forecasts = result_table(
    "volatility_forecasts",
    "One row per symbol or portfolio and session: volatility forecast, and three benchmark"
    " forecasts.",
    (_subject_column(), day_key_column(_MADE_ON), _portfolio_column()),
    sa.Column("proxy", sa.String(16), nullable=False),
    sa.Column("coefficients_version", sa.String(64), nullable=False),
    sa.CheckConstraint(_SUBJECT_CHECK, name="subject"),
)

volatility_horizon_forecasts = result_table(
    "volatility_horizon_forecasts",
    "One row per symbol or portfolio, session and horizon: volatility forecast; that of 21"
    " sessions is in volatility_forecasts.",
    (
        _subject_column(),
        day_key_column(_MADE_ON),
        _portfolio_column(),
        key_column(
            "horizon", sa.Integer(), "Sessions of the volatility that is forecast: 1, 5 or 63."
        ),
    ),
    sa.CheckConstraint(_SUBJECT_CHECK, name="subject"),
)

forecast_outcomes = result_table(
    "forecast_outcomes",
    "One row per completed forecast and method: the forecast as stored, and the outcome.",
    (
        _subject_column(),
        key_column("made_on", sa.Date(), "Session at whose close the forecast was made."),
        key_column("kind", sa.String(16), "What was forecast: volatility, value_at_risk or beta."),
        key_column(
            "method",
            sa.String(32),
            "Method of the forecast, such as har, ewma_94, filtered or adjusted.",
        ),
        key_column("horizon", sa.Integer(), "Sessions ahead."),
        key_column(
            "level",
            sa.Numeric(4, 3),
            "Confidence level of a value at risk; 0: the kind has none.",
        ),
        _portfolio_column(),
    ),
    sa.CheckConstraint(_SUBJECT_CHECK, name="subject"),
    sa.Index(None, "completed_on"),
)
