"""Tables of results per portfolio and session: snapshots, sectors, coverage and rate betas."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from riskmetrics.db.tables.schema import (
    ADDED,
    day_key_column,
    index_column,
    key_column,
    metadata,
    portfolio_key_column,
    provenance_columns,
    result_table,
    surrogate_key_column,
    timestamp_column,
)

portfolio_snapshots = sa.Table(
    "portfolio_snapshots",
    metadata,
    surrogate_key_column(),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("snapshot_date", sa.Date, nullable=False, doc="Session; values are at its close."),
    sa.Column("total_value", sa.Numeric(16, 2), nullable=False),
    sa.Column("cash_value", sa.Numeric(16, 2), nullable=False),
    sa.Column("long_value", sa.Numeric(16, 2), nullable=False),
    sa.Column("short_value", sa.Numeric(16, 2), nullable=False),
    sa.Column("gross_exposure", sa.Numeric(16, 2), nullable=False),
    sa.Column("net_exposure", sa.Numeric(16, 2), nullable=False),
    sa.Column("daily_pnl", sa.Numeric(16, 2)),
    sa.Column("daily_return", sa.Numeric(18, 6)),
    sa.Column("cumulative_pnl", sa.Numeric(16, 2)),
    sa.Column("portfolio_delta", sa.Numeric(12, 2)),
    sa.Column("portfolio_gamma", sa.Numeric(12, 2)),
    sa.Column("portfolio_theta", sa.Numeric(12, 2)),
    sa.Column("portfolio_vega", sa.Numeric(12, 2)),
    sa.Column("num_positions", sa.Integer, nullable=False),
    sa.Column("num_long_positions", sa.Integer, nullable=False),
    sa.Column("num_short_positions", sa.Integer, nullable=False),
    sa.Column("equity_balance", sa.Numeric(16, 2)),
    sa.Column("beta_calculated_90d", sa.Numeric(10, 4)),
    sa.Column("beta_calculated_90d_r_squared", sa.Numeric(10, 4)),
    sa.Column("beta_calculated_90d_observations", sa.Integer),
    sa.Column("beta_portfolio_regression", sa.Numeric(10, 4)),
    sa.Column("beta_provider_1y", sa.Numeric(10, 4)),
    sa.Column("sector_exposure", JSONB),
    sa.Column("hhi", sa.Numeric(10, 4)),
    sa.Column("effective_num_positions", sa.Numeric(10, 2)),
    sa.Column("top_3_concentration", sa.Numeric(10, 4)),
    sa.Column("top_10_concentration", sa.Numeric(10, 4)),
    sa.Column("realized_volatility_21d", sa.Numeric(10, 4)),
    sa.Column("realized_volatility_63d", sa.Numeric(10, 4)),
    sa.Column("expected_volatility_21d", sa.Numeric(10, 4)),
    sa.Column("volatility_trend", sa.String(20)),
    sa.Column("volatility_percentile", sa.Numeric(10, 4)),
    timestamp_column("created_at"),
    *provenance_columns(),
    sa.Column("income", sa.Numeric(16, 2), info=ADDED),
    sa.Column("equity_source", sa.String(16), info=ADDED),
    sa.Column("stated_value", sa.Numeric(16, 2), info=ADDED),
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

portfolio_sector_weights = result_table(
    "portfolio_sector_weights",
    "One row per portfolio, session and sector: weights of the portfolio and of the benchmark.",
    (
        portfolio_key_column(),
        day_key_column(),
        key_column(
            "sector",
            sa.String(64),
            "GICS sector, Bonds, Fund, not looked through, or Unclassified.",
        ),
    ),
    sa.Column("gross_weight", sa.Double, nullable=False),
    sa.Column("benchmark_code", sa.String(32)),
    # sums of shares end a rounding error away from 1
    sa.CheckConstraint("gross_weight BETWEEN -1e-9 AND 1 + 1e-9", name="gross_weight"),
    has_reason=False,
)

portfolio_coverage = result_table(
    "portfolio_coverage",
    "One row per portfolio, session and metric: coverage.",
    (
        portfolio_key_column(),
        day_key_column(),
        key_column("metric", sa.String(32), "Covered metric, such as beta."),
    ),
    sa.CheckConstraint("coverage BETWEEN 0 AND 1", name="coverage"),
    sa.CheckConstraint("n_covered BETWEEN 0 AND n_total", name="n_covered"),
    has_reason=False,
)

portfolio_figures = result_table(
    "portfolio_figures",
    "One row per portfolio, session and figure of an extension.",
    (
        portfolio_key_column(),
        day_key_column(),
        key_column("figure", sa.String(64), "Name of the figure, as registered by its extension."),
    ),
    sa.CheckConstraint("(value IS NULL) = (undefined_reason IS NOT NULL)", name="undefined_reason"),
)

portfolio_rate_betas = result_table(
    "portfolio_rate_betas",
    "One row per portfolio and session: interest-rate betas, per unit return of the rate index.",
    (portfolio_key_column(), day_key_column()),
    index_column("rate"),
)

portfolio_decayed_betas = result_table(
    "portfolio_decayed_betas",
    "One row per portfolio and session: market beta with exponential weights.",
    (portfolio_key_column(), day_key_column("Last session of the window.")),
    index_column("market"),
)
