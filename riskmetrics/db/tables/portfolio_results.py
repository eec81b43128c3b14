"""Tables of results per portfolio and session: snapshots, sectors, coverage and rate betas."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from riskmetrics.db.tables.schema import (
    PARAMETER,
    metadata,
    provenance_columns,
    surrogate_key_column,
    timestamp_column,
    undefined_reason_column,
)

portfolio_snapshots = sa.Table(
    "portfolio_snapshots",
    metadata,
    surrogate_key_column(),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("snapshot_date", sa.Date, nullable=False, doc="Session; values are at its close."),
    sa.Column(
        "total_value",
        sa.Numeric(16, 2),
        nullable=False,
        doc="Equity: net value of holdings plus cash; portfolio currency, as all values here.",
    ),
    sa.Column(
        "cash_value",
        sa.Numeric(16, 2),
        nullable=False,
        doc="Cash: equity less the net value of holdings.",
    ),
    sa.Column(
        "long_value", sa.Numeric(16, 2), nullable=False, doc="Sum of the positive position values."
    ),
    sa.Column(
        "short_value", sa.Numeric(16, 2), nullable=False, doc="Sum of the negative position values."
    ),
    sa.Column(
        "gross_exposure", sa.Numeric(16, 2), nullable=False, doc="long_value minus short_value."
    ),
    sa.Column(
        "net_exposure", sa.Numeric(16, 2), nullable=False, doc="long_value plus short_value."
    ),
    sa.Column(
        "daily_pnl",
        sa.Numeric(16, 2),
        doc="P&L since the previous session's close: price changes and income.",
    ),
    sa.Column(
        "daily_return",
        sa.Numeric(18, 6),
        doc=(
            "Simple return: fraction of the previous session's equity plus cash flows at the start"
            " of the day."
        ),
    ),
    sa.Column(
        "cumulative_pnl",
        sa.Numeric(16, 2),
        doc="P&L since entry. NULL: the entry price or current price of a lot is unknown.",
    ),
    sa.Column(
        "portfolio_delta",
        sa.Numeric(12, 2),
        doc="Delta, sum over options: money per unit of the underlyings' prices.",
    ),
    sa.Column(
        "portfolio_gamma",
        sa.Numeric(12, 2),
        doc="Gamma, sum over options: delta per unit of the underlyings' prices.",
    ),
    sa.Column(
        "portfolio_theta", sa.Numeric(12, 2), doc="Theta, sum over options: money per calendar day."
    ),
    sa.Column(
        "portfolio_vega",
        sa.Numeric(12, 2),
        doc="Vega, sum over options: money per point of volatility.",
    ),
    sa.Column(
        "num_positions", sa.Integer, nullable=False, doc="Number of instruments, lots netted."
    ),
    sa.Column(
        "num_long_positions",
        sa.Integer,
        nullable=False,
        doc="Number of long instruments, lots netted.",
    ),
    sa.Column(
        "num_short_positions",
        sa.Integer,
        nullable=False,
        doc="Number of short instruments, lots netted.",
    ),
    sa.Column("equity_balance", sa.Numeric(16, 2), doc="Equity stated with the portfolio."),
    sa.Column(
        "beta_calculated_90d",
        sa.Numeric(10, 4),
        doc="Mean of the positions' betas, weighted by signed value over equity.",
    ),
    sa.Column(
        "beta_calculated_90d_r_squared",
        sa.Numeric(10, 4),
        doc="Mean R² of the positions, weighted by gross value.",
    ),
    sa.Column(
        "beta_calculated_90d_observations",
        sa.Integer,
        doc="Fewest observations among the positions.",
    ),
    sa.Column(
        "beta_portfolio_regression",
        sa.Numeric(10, 4),
        doc="Beta by regression of the portfolio's returns on the market.",
    ),
    sa.Column(
        "beta_provider_1y",
        sa.Numeric(10, 4),
        doc="Mean of the vendor's betas, weighted as beta_calculated_90d.",
    ),
    sa.Column("sector_exposure", JSONB, doc="Sector → share of gross value; the shares sum to 1."),
    sa.Column("hhi", sa.Numeric(10, 4), doc="Herfindahl-Hirschman index on the scale 0..1."),
    sa.Column("effective_num_positions", sa.Numeric(10, 2), doc="1 / HHI, from the unrounded HHI."),
    sa.Column("top_3_concentration", sa.Numeric(10, 4), doc="Top 3 share of gross value."),
    sa.Column("top_10_concentration", sa.Numeric(10, 4), doc="Top 10 share of gross value."),
    sa.Column(
        "realized_volatility_21d",
        sa.Numeric(10, 4),
        doc="Realized volatility over 21 sessions, annualized fraction.",
    ),
    sa.Column(
        "realized_volatility_63d",
        sa.Numeric(10, 4),
        doc="Realized volatility over 63 sessions, annualized fraction.",
    ),
    sa.Column(
        "expected_volatility_21d",
        sa.Numeric(10, 4),
        doc="Forecast volatility for the next 21 sessions, annualized fraction.",
    ),
    sa.Column("volatility_trend", sa.String(20), doc="increasing, decreasing or stable."),
    sa.Column(
        "volatility_percentile",
        sa.Numeric(10, 4),
        doc="Percentile of realized_volatility_21d in the past year, in [0, 1].",
    ),
    timestamp_column("created_at"),
    *provenance_columns(),
    sa.Column(
        "income",
        sa.Numeric(16, 2),
        comment=(
            "Distributions of the holdings with ex-date on the session, portfolio currency; "
            "part of daily_pnl, and of cash_value from then on. NULL: unknown."
        ),
    ),
    sa.Column(
        "equity_source",
        sa.String(16),
        comment=(
            "Basis of equity: stated_equity (stated balance, rolled forward), net_value (holdings"
            " only) or transactions (their cash). NULL: written by an earlier version."
        ),
    ),
    sa.CheckConstraint(
        "equity_source IN ('stated_equity', 'net_value', 'transactions')", name="equity_source"
    ),
    sa.UniqueConstraint(
        "portfolio_id", "snapshot_date", name="uq_portfolio_snapshots_portfolio_date"
    ),
    sa.Index(None, "portfolio_id"),
    sa.Index(None, "snapshot_date"),
)
"""One row per portfolio and session."""

portfolio_sector_weights = sa.Table(
    "portfolio_sector_weights",
    metadata,
    sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column(
        "sector", sa.String(64), primary_key=True, comment="GICS sector, ETF or Unclassified."
    ),
    sa.Column(
        "gross_weight", sa.Double, nullable=False, comment="Share of gross value, in [0, 1]."
    ),
    sa.Column(
        "net_weight",
        sa.Double,
        comment="Signed share of equity, fraction. NULL: equity is too small.",
    ),
    sa.Column(
        "benchmark_weight",
        sa.Double,
        comment="Weight in the benchmark, fraction. NULL: no benchmark.",
    ),
    sa.Column(
        "active_weight",
        sa.Double,
        comment="net_weight minus benchmark_weight. NULL: one of them is NULL.",
    ),
    sa.Column(
        "benchmark_asof",
        sa.Date,
        comment="As-of date of the benchmark's weights. NULL: no benchmark.",
    ),
    sa.Column(
        "benchmark_code", sa.String(32), comment="Benchmark, such as SP500. NULL: no benchmark."
    ),
    *provenance_columns(),
    # sums of shares end a rounding error away from 1
    sa.CheckConstraint("gross_weight BETWEEN -1e-9 AND 1 + 1e-9", name="gross_weight"),
    comment=(
        "One row per portfolio, session and sector: weights of the portfolio and of the benchmark."
    ),
)

portfolio_coverage = sa.Table(
    "portfolio_coverage",
    metadata,
    sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column("metric", sa.String(32), primary_key=True, comment="Covered metric, such as beta."),
    sa.Column(
        "coverage",
        sa.Double,
        nullable=False,
        comment=(
            "Covered share, in [0, 1]: of gross exposure for risk metrics, of instruments for "
            "prices and P&L."
        ),
    ),
    sa.Column(
        "n_covered", sa.Integer, nullable=False, comment="Instruments that the metric covers."
    ),
    sa.Column(
        "n_total",
        sa.Integer,
        nullable=False,
        comment="Instruments in scope: held on the session, or traded for daily_pnl.",
    ),
    *provenance_columns(),
    sa.CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
    sa.CheckConstraint("n_covered BETWEEN 0 AND n_total", name="n_covered"),
    comment="One row per portfolio, session and metric: coverage.",
)

portfolio_figures = sa.Table(
    "portfolio_figures",
    metadata,
    sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column(
        "figure",
        sa.String(64),
        primary_key=True,
        comment="Name of the figure, as registered by its extension.",
    ),
    sa.Column(
        "value", sa.Double, comment="Value, in the unit that the extension states. NULL: undefined."
    ),
    undefined_reason_column(),
    *provenance_columns(),
    sa.CheckConstraint("(value IS NULL) = (undefined_reason IS NOT NULL)", name="undefined_reason"),
    comment="One row per portfolio, session and figure of an extension.",
)

portfolio_rate_betas = sa.Table(
    "portfolio_rate_betas",
    metadata,
    sa.Column(
        "portfolio_id", sa.ForeignKey("portfolios.id"), primary_key=True, comment="Portfolio."
    ),
    sa.Column("day", sa.Date, primary_key=True, comment="Session."),
    sa.Column(
        "rate_beta",
        sa.Double,
        comment=(
            "Mean of the positions' rate betas, weighted by signed value over equity. NULL: "
            "undefined."
        ),
    ),
    sa.Column(
        "r_squared",
        sa.Double,
        comment="Mean R² of the positions, weighted by gross value. NULL: undefined.",
    ),
    sa.Column(
        "observations",
        sa.Integer,
        comment="Fewest observations among the positions. NULL: undefined.",
    ),
    sa.Column(
        "two_factor_market_beta",
        sa.Double,
        comment="Market beta of the two-factor regression, weighted as rate_beta. NULL: undefined.",
    ),
    sa.Column(
        "two_factor_rate_beta",
        sa.Double,
        comment="Rate beta of the two-factor regression, weighted as rate_beta. NULL: undefined.",
    ),
    sa.Column(
        "rate_index",
        sa.String(16),
        nullable=False,
        comment="Symbol of the rate index.",
        info=PARAMETER,
    ),
    undefined_reason_column(),
    *provenance_columns(),
    comment=(
        "One row per portfolio and session: interest-rate betas, per unit return of the rate index."
    ),
)
