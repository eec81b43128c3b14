"""Create the views v_*: results with names of portfolios and symbols, for dashboards and SQL.

Postgres refuses to change the type of a column that a view reads: a later revision that does so
drops the view and creates it again.
"""

from alembic import op

revision = "f2a95c8e7d10"
down_revision = "e81d46a0b7f3"

PORTFOLIO = "s.portfolio_id, p.name AS portfolio"
LIVE = "JOIN portfolios p ON p.id = s.portfolio_id AND p.deleted_at IS NULL"

QUERIES = {
    "v_portfolio_risk": f"""
        SELECT {PORTFOLIO}, s.snapshot_date AS day, s.total_value, s.cash_value, s.long_value, s.short_value, s.gross_exposure,
            s.net_exposure, s.daily_pnl, s.daily_return, s.cumulative_pnl, s.num_positions,
            s.beta_calculated_90d, s.beta_portfolio_regression, r.rate_beta,
            s.realized_volatility_21d, s.realized_volatility_63d, s.expected_volatility_21d, f.low AS expected_volatility_low,
            f.high AS expected_volatility_high, s.volatility_trend, s.volatility_percentile,
            t.value_at_risk AS value_at_risk_99, t.expected_shortfall AS expected_shortfall_99,
            d.current_drawdown, d.max_drawdown,
            s.hhi, s.effective_num_positions, s.top_3_concentration, s.top_10_concentration, s.dagster_run_id, s.code_version
        FROM portfolio_snapshots s {LIVE}
            LEFT JOIN portfolio_rate_betas r ON r.portfolio_id = s.portfolio_id AND r.day = s.snapshot_date
            LEFT JOIN volatility_forecasts f ON f.subject = CAST(s.portfolio_id AS varchar) AND f.day = s.snapshot_date
            LEFT JOIN portfolio_tail_risk t ON t.portfolio_id = s.portfolio_id AND t.day = s.snapshot_date
                AND t.method = 'historical' AND t.level = 0.99 AND t.horizon_days = 1
            LEFT JOIN portfolio_drawdowns d ON d.portfolio_id = s.portfolio_id AND d.day = s.snapshot_date
    """,  # noqa: S608  names are ours
    "v_portfolio_risk_latest": """
        SELECT latest.* FROM portfolios
            CROSS JOIN LATERAL (SELECT * FROM v_portfolio_risk WHERE portfolio_id = portfolios.id ORDER BY day DESC LIMIT 1) AS latest
    """,
    "v_positions": f"""
        SELECT {PORTFOLIO}, q.id AS position_id, q.symbol, q.position_type, q.quantity, s.snapshot_date AS day,
            b.beta AS market_beta, b.std_error AS market_beta_std_error, b.r_squared, b.observations, i.ir_beta AS rate_beta,
            v.realized_vol_21d, v.realized_vol_63d, v.expected_vol_21d, v.vol_trend, v.vol_percentile,
            c.weight AS symbol_weight, c.share AS symbol_risk_share
        FROM portfolio_snapshots s {LIVE}
            JOIN positions q ON q.portfolio_id = s.portfolio_id AND q.deleted_at IS NULL AND q.entry_date <= s.snapshot_date
                AND (q.exit_date > s.snapshot_date) IS NOT FALSE AND (q.expiration_date >= s.snapshot_date) IS NOT FALSE
            LEFT JOIN position_market_betas b ON b.portfolio_id = s.portfolio_id AND b.position_id = q.id
                AND b.calc_date = s.snapshot_date AND b.method = 'OLS_SIMPLE' AND b.window_days = 90
            LEFT JOIN position_interest_rate_betas i ON i.position_id = q.id AND i.calculation_date = s.snapshot_date
            LEFT JOIN position_volatility v ON v.position_id = q.id AND v.calculation_date = s.snapshot_date
            LEFT JOIN portfolio_risk_contributions c ON c.portfolio_id = s.portfolio_id AND c.symbol = q.symbol AND c.day = s.snapshot_date
    """,  # noqa: S608
    "v_positions_latest": """
        SELECT v_positions.* FROM v_positions
        WHERE day = (SELECT max(snapshot_date) FROM portfolio_snapshots WHERE portfolio_snapshots.portfolio_id = v_positions.portfolio_id)
    """,
    "v_forecasts": """
        SELECT s.portfolio_id, coalesce(p.name, s.subject) AS subject, s.day, s.volatility_forecast, s.low, s.high, s.trailing_21d, s.in_sample,
            o.completed_on, o.realized, o.realized BETWEEN o.low AND o.high AS in_interval, s.undefined_reason
        FROM volatility_forecasts s LEFT JOIN portfolios p ON p.id = s.portfolio_id
            LEFT JOIN har_forecast_scores o ON o.subject = s.subject AND o.day = s.day
        WHERE p.deleted_at IS NULL
    """,
    "v_quality": f"""
        SELECT {PORTFOLIO}, s.day, s.metric, s.coverage, s.n_covered, s.n_total FROM portfolio_coverage s {LIVE}
    """,  # noqa: S608
    "v_undefined": f"""
        SELECT {PORTFOLIO}, q.symbol, s.day, s.metric, s.reason, s.n_obs
        FROM undefined_metrics s {LIVE} LEFT JOIN positions q ON q.id = s.subject
    """,  # noqa: S608
}

COMMENTS = {
    "v_portfolio_risk": "One row per portfolio and session: amounts in portfolio currency, volatilities annualized, shares as fractions.",
    "v_portfolio_risk_latest": "Rows of v_portfolio_risk for the last computed session of each portfolio.",
    "v_positions": "One row per lot and computed session on which it is held. NULL: undefined (see v_undefined), or not computed.",
    "v_positions_latest": "Rows of v_positions for the last computed session of each portfolio.",
    "v_forecasts": "One row per symbol or portfolio and session: volatility forecast and realized volatility of the next 21 sessions.",
    "v_quality": "One row per portfolio, session and metric: coverage.",
    "v_undefined": "One row per undefined metric of a portfolio or lot, with the reason.",
    "v_forecasts.portfolio_id": "Portfolio. NULL: the subject is a symbol.",
    "v_forecasts.in_interval": "Whether realized is between low and high, as for 80% of forecasts. NULL: not completed.",
    "v_undefined.symbol": "Symbol of the lot. NULL: the metric is the portfolio's.",
    "v_undefined.metric": "Undefined metric, as 'table.column'.",
}


def upgrade() -> None:
    for name, query in QUERIES.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
    for name, comment in COMMENTS.items():
        kind = "COLUMN" if "." in name else "VIEW"
        quoted = comment.replace("'", "''")
        op.execute(f"COMMENT ON {kind} {name} IS '{quoted}'")


def downgrade() -> None:
    for name in reversed(QUERIES):
        op.execute(f"DROP VIEW {name}")
