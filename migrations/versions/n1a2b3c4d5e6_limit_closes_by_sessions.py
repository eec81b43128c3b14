"""Limit the age of closes in v_positions by sessions, as portfolios do."""

from alembic import context, op

revision = "n1a2b3c4d5e6"
down_revision = "m7a8b9c0d1e2"

POSITIONS = """
    CREATE OR REPLACE VIEW v_positions AS
    SELECT s.portfolio_id, p.name AS portfolio, q.id AS position_id, q.symbol, q.position_type, q.quantity, s.snapshot_date AS day,
        b.beta AS market_beta, b.std_error AS market_beta_std_error, b.r_squared, b.observations, i.ir_beta AS rate_beta,
        v.realized_vol_21d, v.realized_vol_63d, v.expected_vol_21d, v.vol_trend, v.vol_percentile,
        c.weight AS symbol_weight, c.share AS symbol_risk_share,
        k.sector, m.price, q.units * m.price AS value,
        q.units * (m.price - CASE WHEN q.entry_date = s.snapshot_date THEN q.entry_price ELSE m.price_before END) AS daily_price_pnl,
        q.units * (m.price - q.entry_price) AS cumulative_price_pnl,
        CASE WHEN l.is_listed THEN coalesce(t.date, z.date) END AS price_day
    FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id AND p.deleted_at IS NULL
        CROSS JOIN LATERAL (SELECT coalesce(min(date) FILTER (WHERE age <= 5), s.snapshot_date - 7) AS price_day,
            coalesce(min(date), s.snapshot_date - 7) AS price_day_before
            FROM (SELECT date, row_number() OVER (ORDER BY date DESC) - 1 AS age FROM market_data_cache
                WHERE date <= s.snapshot_date AND symbol = (SELECT market_index FROM position_market_betas
                    WHERE portfolio_id = s.portfolio_id AND calc_date = s.snapshot_date LIMIT 1)
                ORDER BY date DESC LIMIT 7) AS recent) o
        JOIN (SELECT id, portfolio_id, symbol, position_type, quantity, entry_date, exit_date, expiration_date, deleted_at,
            entry_price, last_price, investment_class, underlying_symbol, abs(quantity) * CASE WHEN position_type IN ('SHORT', 'SC', 'SP') THEN -1 ELSE 1 END
            * CASE WHEN position_type IN ('LONG', 'SHORT') THEN 1 ELSE 100 END AS units FROM positions) q
            ON q.portfolio_id = s.portfolio_id AND q.deleted_at IS NULL AND q.entry_date <= s.snapshot_date
            AND (q.exit_date > s.snapshot_date) IS NOT FALSE AND (q.expiration_date >= s.snapshot_date) IS NOT FALSE
        LEFT JOIN position_market_betas b ON b.portfolio_id = s.portfolio_id AND b.position_id = q.id
            AND b.calc_date = s.snapshot_date AND b.method = 'OLS_SIMPLE' AND b.window_days = 90
        LEFT JOIN position_interest_rate_betas i ON i.position_id = q.id AND i.calculation_date = s.snapshot_date
        LEFT JOIN position_volatility v ON v.position_id = q.id AND v.calculation_date = s.snapshot_date
        LEFT JOIN portfolio_risk_contributions c ON c.portfolio_id = s.portfolio_id AND c.symbol = q.symbol AND c.day = s.snapshot_date
        LEFT JOIN company_profiles k ON k.symbol = coalesce(q.underlying_symbol, q.symbol)
        LEFT JOIN market_data_cache t ON t.symbol = q.symbol AND t.date = s.snapshot_date
        LEFT JOIN LATERAL (SELECT close, date FROM market_data_cache WHERE symbol = q.symbol AND date < s.snapshot_date
            AND date >= o.price_day_before ORDER BY date DESC LIMIT 1) y ON true
        LEFT JOIN LATERAL (SELECT y.close, y.date WHERE y.date >= o.price_day) z ON true
        CROSS JOIN LATERAL (SELECT q.position_type IN ('LONG', 'SHORT') AND q.investment_class IS DISTINCT FROM 'PRIVATE' AS is_listed) l
        CROSS JOIN LATERAL (SELECT CASE WHEN l.is_listed THEN coalesce(t.close, z.close) ELSE q.last_price END AS price,
            CASE WHEN l.is_listed THEN y.close END AS price_before) m
"""


def upgrade() -> None:
    """Count sessions by the closes of the market index; where it has none, allow 7 days."""
    op.execute(POSITIONS)


def downgrade() -> None:
    """Restore the limit of 7 days."""
    op.execute(context.script.get_revision(down_revision).module.POSITIONS)
