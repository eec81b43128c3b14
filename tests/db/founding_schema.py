"""Schema of the founding document, written by hand for comparison in tests."""

REVISION_CHAIN = [
    "19c513d3bf90",
    "a1b2c3d4e5f6",
    "b2c3d4e5f6g7",
    "7818709e948d",
    "f67a98539656",
    "c1d2e3f4g5h6",
    "d2e3f4g5h6i7",
    "e65741f182c4",
    "f8g9h0i1j2k3",
    "7003a3be89fe",
    "h1i2j3k4l5m6",
]

COLUMNS = {
    "position_market_betas": (
        """
        id UUID, portfolio_id UUID, position_id UUID, calc_date DATE, beta NUMERIC(12,6),
            alpha NUMERIC(12,6), r_squared NUMERIC(12,6),
        std_error NUMERIC(12,6), p_value NUMERIC(12,6), observations INTEGER, window_days INTEGER,
            method VARCHAR(32),
        market_index VARCHAR(16), created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ"""
    ),
    "benchmarks_sector_weights": (
        """
        id UUID, benchmark_code VARCHAR(32), asof_date DATE, sector VARCHAR(64),
            weight NUMERIC(12,6), market_cap NUMERIC(20,2),
        num_constituents INTEGER, data_source VARCHAR(32), created_at TIMESTAMPTZ,
            updated_at TIMESTAMPTZ"""
    ),
    "position_volatility": (
        """
        id UUID, position_id UUID, calculation_date DATE, realized_vol_21d NUMERIC(10,4),
            realized_vol_63d NUMERIC(10,4),
        vol_daily NUMERIC(10,4), vol_weekly NUMERIC(10,4), vol_monthly NUMERIC(10,4),
            expected_vol_21d NUMERIC(10,4), vol_trend VARCHAR(20),
        vol_trend_strength NUMERIC(10,4), vol_percentile NUMERIC(10,4), observations INTEGER,
            model_r_squared NUMERIC(10,4),
        created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ"""
    ),
    "portfolio_snapshots": (
        """
        id UUID, portfolio_id UUID, snapshot_date DATE, total_value NUMERIC(16,2),
            cash_value NUMERIC(16,2), long_value NUMERIC(16,2),
        short_value NUMERIC(16,2), gross_exposure NUMERIC(16,2), net_exposure NUMERIC(16,2),
            daily_pnl NUMERIC(16,2),
        daily_return NUMERIC(8,6), cumulative_pnl NUMERIC(16,2), portfolio_delta NUMERIC(12,2),
            portfolio_gamma NUMERIC(12,2),
        portfolio_theta NUMERIC(12,2), portfolio_vega NUMERIC(12,2), num_positions INTEGER,
            num_long_positions INTEGER,
        num_short_positions INTEGER, equity_balance NUMERIC(16,2), created_at TIMESTAMPTZ,
        beta_calculated_90d NUMERIC(10,4), beta_calculated_90d_r_squared NUMERIC(10,4),
            beta_calculated_90d_observations INTEGER,
        beta_portfolio_regression NUMERIC(10,4), beta_provider_1y NUMERIC(10,4),
            sector_exposure JSONB, hhi NUMERIC(10,4),
        effective_num_positions NUMERIC(10,2), top_3_concentration NUMERIC(10,4),
            top_10_concentration NUMERIC(10,4),
        realized_volatility_21d NUMERIC(10,4), realized_volatility_63d NUMERIC(10,4),
            expected_volatility_21d NUMERIC(10,4),
        volatility_trend VARCHAR(20), volatility_percentile NUMERIC(10,4)"""
    ),
    "ai_insights": (
        """
        id UUID, portfolio_id UUID, insight_type insight_type, title VARCHAR(200),
            severity insight_severity, summary TEXT,
        full_analysis TEXT, key_findings JSON, recommendations JSON, data_limitations TEXT,
            context_data JSON, data_quality JSON,
        focus_area VARCHAR(100), user_question TEXT, model_used VARCHAR(50), provider VARCHAR(20),
            prompt_version VARCHAR(20),
        cost_usd NUMERIC(10,6), generation_time_ms NUMERIC(10,2), token_count_input NUMERIC(10,0),
            token_count_output NUMERIC(10,0),
        tool_calls_count NUMERIC(3,0), cache_hit BOOLEAN, cache_source_id UUID,
            cache_key VARCHAR(64), user_rating NUMERIC(2,1),
        user_feedback TEXT, viewed BOOLEAN, dismissed BOOLEAN, created_at TIMESTAMPTZ,
            expires_at TIMESTAMPTZ, updated_at TIMESTAMPTZ"""
    ),
    "ai_insight_templates": (
        """
        id UUID, insight_type insight_type, name VARCHAR(100), description TEXT,
            version VARCHAR(20), system_prompt TEXT,
        investigation_prompt TEXT, model_preference VARCHAR(50), max_tokens NUMERIC(6,0),
            temperature NUMERIC(3,2), required_tools JSON,
        optional_tools JSON, active BOOLEAN, avg_quality_score NUMERIC(3,2),
            usage_count NUMERIC(10,0), created_at TIMESTAMPTZ,
        updated_at TIMESTAMPTZ, deprecated_at TIMESTAMPTZ"""
    ),
    "position_interest_rate_betas": (
        """
        id UUID, position_id UUID, ir_beta NUMERIC(8,6), r_squared NUMERIC(6,4),
            calculation_date DATE, created_at TIMESTAMPTZ, portfolio_id UUID"""
    ),
    "positions": (
        """
        id UUID, portfolio_id UUID, symbol VARCHAR(20), position_type positiontype,
            quantity NUMERIC(16,4), entry_price NUMERIC(12,4),
        entry_date DATE, exit_price NUMERIC(12,4), exit_date DATE, underlying_symbol VARCHAR(10),
            strike_price NUMERIC(12,4),
        expiration_date DATE, investment_class VARCHAR(20), investment_subtype VARCHAR(30),
            last_price NUMERIC(12,4),
        market_value NUMERIC(16,2), unrealized_pnl NUMERIC(16,2), realized_pnl NUMERIC(16,2),
            created_at TIMESTAMPTZ,
        updated_at TIMESTAMPTZ, deleted_at TIMESTAMPTZ"""
    ),
    "portfolios": (
        """
        id UUID, user_id UUID, name VARCHAR(255), description VARCHAR(1000), currency VARCHAR(3),
            equity_balance NUMERIC(16,2),
        created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, deleted_at TIMESTAMPTZ"""
    ),
    "market_data_cache": (
        """
        id UUID, symbol VARCHAR(20), date DATE, open NUMERIC(12,4), high NUMERIC(12,4),
            low NUMERIC(12,4), close NUMERIC(12,4),
        volume INTEGER, sector VARCHAR(100), industry VARCHAR(100), exchange VARCHAR(20),
            country VARCHAR(10), market_cap NUMERIC(18,2),
        data_source VARCHAR(50), created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ"""
    ),
    "company_profiles": (
        """
        symbol VARCHAR(20), company_name VARCHAR(200), sector VARCHAR(100), industry VARCHAR(100),
            exchange VARCHAR(50),
        country VARCHAR(50), market_cap NUMERIC(18,2), description VARCHAR(1000), is_etf BOOLEAN,
            is_fund BOOLEAN, beta NUMERIC(8,4),
        data_source VARCHAR(50), last_updated TIMESTAMPTZ, created_at TIMESTAMPTZ,
            updated_at TIMESTAMPTZ"""
    ),
}
"""Columns at the last founding revision, including the corrections and renames up to it."""

ENUMS = {
    "insight_severity": "info, normal, elevated, warning, critical",
    "insight_type": (
        "daily_summary, volatility_analysis, concentration_risk, hedge_quality, factor_exposure,"
        " stress_test_review, custom"
    ),
    "positiontype": "LC, LP, SC, SP, LONG, SHORT",
}

INDEXES = {
    "idx_pos_beta_lookup": ("position_market_betas", ["portfolio_id", "calc_date"]),
    "idx_pos_beta_position": ("position_market_betas", ["position_id", "calc_date"]),
    "idx_pos_beta_created": ("position_market_betas", ["created_at"]),
    "idx_benchmark_lookup": ("benchmarks_sector_weights", ["benchmark_code", "asof_date"]),
    "idx_benchmark_sector": (
        "benchmarks_sector_weights",
        ["benchmark_code", "sector", "asof_date"],
    ),
    "ix_position_volatility_position_id": ("position_volatility", ["position_id"]),
    "ix_position_volatility_calculation_date": ("position_volatility", ["calculation_date"]),
    "ix_position_volatility_lookup": ("position_volatility", ["position_id", "calculation_date"]),
    "ix_ai_insights_portfolio_id": ("ai_insights", ["portfolio_id"]),
    "ix_ai_insights_insight_type": ("ai_insights", ["insight_type"]),
    "ix_ai_insights_created_at": ("ai_insights", ["created_at"]),
    "ix_ai_insights_cache_key": ("ai_insights", ["cache_key"]),
    "ix_ai_insights_portfolio_created": ("ai_insights", ["portfolio_id", "created_at"]),
    "ix_ai_insights_type_severity": ("ai_insights", ["insight_type", "severity"]),
    "ix_ai_insights_cache_lookup": ("ai_insights", ["cache_key", "created_at"]),
    "ix_ai_insight_templates_insight_type": ("ai_insight_templates", ["insight_type"]),
    "ix_ai_templates_type_active": ("ai_insight_templates", ["insight_type", "active"]),
    "ix_ai_templates_version": ("ai_insight_templates", ["insight_type", "version"]),
    "idx_ir_betas_position_date": (
        "position_interest_rate_betas",
        ["position_id", "calculation_date"],
    ),
    "idx_ir_betas_portfolio_date": (
        "position_interest_rate_betas",
        ["portfolio_id", "calculation_date"],
    ),
}

NOT_NULL_HOLDING_COLUMNS = {
    "portfolios": "name currency created_at updated_at",
    "positions": (
        "portfolio_id symbol position_type quantity entry_price entry_date created_at updated_at"
    ),
}
"""Columns of holdings that are NOT NULL in a database of another program."""

EXTERNAL_CONSTRAINTS = """
    CREATE TABLE users (id uuid PRIMARY KEY);
    ALTER TABLE portfolios ADD FOREIGN KEY (user_id) REFERENCES users;
    ALTER TABLE positions ADD CONSTRAINT "of: portfolio" FOREIGN KEY (portfolio_id) REFERENCES
        portfolios;
    ALTER TABLE portfolio_snapshots ADD FOREIGN KEY (portfolio_id) REFERENCES portfolios,
        ADD UNIQUE (portfolio_id, snapshot_date);
    ALTER TABLE market_data_cache ADD UNIQUE (symbol, date);
    ALTER TABLE benchmarks_sector_weights ADD UNIQUE (benchmark_code, asof_date, sector);
    ALTER TABLE position_market_betas ADD FOREIGN KEY (portfolio_id) REFERENCES portfolios,
        ADD FOREIGN KEY (position_id) REFERENCES positions, ADD UNIQUE (portfolio_id, position_id,
            calc_date, method, window_days);
    ALTER TABLE position_interest_rate_betas ADD FOREIGN KEY (portfolio_id) REFERENCES portfolios ON
        DELETE CASCADE,
        ADD FOREIGN KEY (position_id) REFERENCES positions;
    ALTER TABLE position_volatility ADD FOREIGN KEY (position_id) REFERENCES positions,
        ADD UNIQUE (position_id, calculation_date);
    ALTER TABLE ai_insights ADD FOREIGN KEY (portfolio_id) REFERENCES portfolios,
        ADD FOREIGN KEY (cache_source_id) REFERENCES ai_insights;
    ALTER TABLE company_profiles ADD full_time_employees integer NOT NULL DEFAULT 0,
        ADD price_target numeric;
    CREATE INDEX ix_portfolios_deleted_at ON portfolios (deleted_at);
    CREATE INDEX ix_positions_portfolio_id ON positions (portfolio_id);
    CREATE INDEX ix_positions_symbol ON positions (symbol);
    CREATE INDEX ix_positions_exit_date ON positions (exit_date);
    CREATE INDEX ix_positions_deleted_at ON positions (deleted_at);
    CREATE INDEX ix_positions_investment_class ON positions (investment_class);
    CREATE INDEX ix_portfolio_snapshots_portfolio_id ON portfolio_snapshots (portfolio_id);
    CREATE INDEX ix_portfolio_snapshots_snapshot_date ON portfolio_snapshots (snapshot_date);
    CREATE INDEX ix_market_data_cache_symbol ON market_data_cache (symbol);
    CREATE INDEX ix_market_data_cache_date ON market_data_cache (date);
"""
"""Additions of another program: keys with Postgres' default names, columns and a table."""
