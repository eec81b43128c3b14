"""Tables of results per position and session: market and rate betas, volatility and options."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    ADDED,
    PARAMETER,
    day_key_column,
    metadata,
    parameter_column,
    provenance_columns,
    result_table,
    surrogate_key_column,
    timestamp_column,
)

position_market_betas = sa.Table(
    "position_market_betas",
    metadata,
    surrogate_key_column(),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("position_id", sa.ForeignKey("positions.id"), nullable=False),
    sa.Column("calc_date", sa.Date, nullable=False, doc="Last session of the window."),
    sa.Column("beta", sa.Numeric(12, 6)),
    sa.Column("alpha", sa.Numeric(12, 6)),
    sa.Column("r_squared", sa.Numeric(12, 6)),
    sa.Column("std_error", sa.Numeric(12, 6)),
    sa.Column("p_value", sa.Numeric(12, 6)),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column(
        "window_days",
        sa.Integer,
        nullable=False,
        server_default=sa.text("90"),
        doc="Sessions in the window.",
        info=PARAMETER,
    ),
    sa.Column(
        "method",
        sa.String(32),
        nullable=False,
        server_default="OLS_SIMPLE",
        doc="Estimation method: OLS_SIMPLE is ordinary least squares.",
        info=PARAMETER,
    ),
    sa.Column(
        "market_index",
        sa.String(16),
        nullable=False,
        server_default="SPY",
        doc="Symbol of the market index.",
        info=PARAMETER,
    ),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    *provenance_columns(),
    sa.UniqueConstraint(
        "portfolio_id",
        "position_id",
        "calc_date",
        "method",
        "window_days",
        name="uq_position_market_betas_position_date_method",
    ),
    sa.Index("idx_pos_beta_lookup", "portfolio_id", "calc_date"),
    sa.Index("idx_pos_beta_position", "position_id", "calc_date"),
    sa.Index("idx_pos_beta_created", "created_at"),
)
"""One row per position, session, method and window: the regression on the market."""

position_interest_rate_betas = sa.Table(
    "position_interest_rate_betas",
    metadata,
    surrogate_key_column(),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id", name="fk_position_ir_betas_portfolio", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("position_id", sa.ForeignKey("positions.id"), nullable=False),
    sa.Column("calculation_date", sa.Date, nullable=False, doc="Last session of the window."),
    sa.Column("ir_beta", sa.Numeric(18, 6)),
    sa.Column("r_squared", sa.Numeric(6, 4)),
    sa.Column("alpha", sa.Double, info=ADDED),
    sa.Column("std_error", sa.Double, info=ADDED),
    sa.Column("p_value", sa.Double, info=ADDED),
    sa.Column("observations", sa.Integer, info=ADDED),
    sa.Column(
        "window_days",
        sa.Integer,
        comment="Sessions in the window. NULL: written by another program.",
        info=PARAMETER,
    ),
    sa.Column(
        "rate_index",
        sa.String(16),
        comment="Symbol of the rate index, such as TLT. NULL: written by another program.",
        info=PARAMETER,
    ),
    timestamp_column("created_at"),
    *provenance_columns(),
    sa.UniqueConstraint(
        "position_id", "calculation_date", name="uq_position_interest_rate_betas_position_date"
    ),
    sa.Index("idx_ir_betas_position_date", "position_id", "calculation_date"),
    sa.Index("idx_ir_betas_portfolio_date", "portfolio_id", "calculation_date"),
)
"""One row per position and session: the regression on the rate index."""

position_volatility = sa.Table(
    "position_volatility",
    metadata,
    surrogate_key_column(),
    sa.Column("position_id", sa.ForeignKey("positions.id"), nullable=False),
    sa.Column("calculation_date", sa.Date, nullable=False, doc="Last session of the window."),
    sa.Column("realized_vol_21d", sa.Numeric(10, 4)),
    sa.Column("realized_vol_63d", sa.Numeric(10, 4)),
    sa.Column("vol_daily", sa.Numeric(10, 4)),
    sa.Column("vol_weekly", sa.Numeric(10, 4)),
    sa.Column("vol_monthly", sa.Numeric(10, 4)),
    sa.Column("expected_vol_21d", sa.Numeric(10, 4)),
    sa.Column("vol_trend", sa.String(20)),
    sa.Column("vol_trend_strength", sa.Numeric(10, 4)),
    sa.Column("vol_percentile", sa.Numeric(10, 4)),
    sa.Column("observations", sa.Integer),
    sa.Column("model_r_squared", sa.Numeric(10, 4)),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    *provenance_columns(),
    sa.UniqueConstraint(
        "position_id", "calculation_date", name="uq_position_volatility_position_date"
    ),
    sa.Index("ix_position_volatility_position_id", "position_id"),
    sa.Index("ix_position_volatility_calculation_date", "calculation_date"),
    sa.Index("ix_position_volatility_lookup", "position_id", "calculation_date"),
)
"""One row per position and session."""

position_option_exposures = result_table(
    "position_option_exposures",
    "One row per option position and session: value and sensitivities (Black-Scholes).",
    (
        sa.Column(
            "position_id",
            sa.ForeignKey("positions.id"),
            primary_key=True,
            comment="Option position.",
        ),
        day_key_column(),
        sa.Column(
            "portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False, comment="Portfolio."
        ),
    ),
    sa.Column("exposure", sa.Double),
    parameter_column("underlying_symbol", sa.String(20), "Symbol of the underlying."),
    parameter_column(
        "risk_free_rate",
        sa.Double(),
        "Risk-free rate set for the run: per year, continuously compounded.",
    ),
    parameter_column(
        "dividend_yield",
        sa.Double(),
        "Dividend yield set for the run: per year, continuously compounded.",
    ),
    parameter_column(
        "linearized",
        sa.Boolean(),
        "Whether exposure leaves out gamma: the change of delta with the price.",
    ),
    sa.Index(None, "portfolio_id", "day"),
)
