"""Databases of another program at two revisions, as SQL, with its own names, types and defaults.

They also have tables, columns and rows of that program. Rows come from ``generate_series``; their
numbers, days and timestamps are arbitrary but fixed.
"""

N_POSITIONS = 75
N_DAYS = 1000
"""Days with both betas of every position."""

N_SYMBOLS = 130
"""Symbols with prices on each day."""

N_DUPLICATES = 500
"""Older duplicates of rate betas of the same position and day."""

BASE_SCHEMA = """
    CREATE TYPE positiontype AS ENUM ('LC', 'LP', 'SC', 'SP', 'LONG', 'SHORT');
    CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255) NOT NULL UNIQUE);
    CREATE TABLE portfolios (
        id uuid NOT NULL, user_id uuid NOT NULL, name text NOT NULL, description varchar(1000),
            currency varchar(3) NOT NULL DEFAULT 'USD',
        equity_balance numeric(16,2), created_at timestamp NOT NULL, updated_at timestamp,
            deleted_at timestamp,
        "Color" text NOT NULL DEFAULT 'blue',
        CONSTRAINT "PK of portfolios" PRIMARY KEY (id), FOREIGN KEY (user_id) REFERENCES users (id)
            ON DELETE CASCADE);
    CREATE INDEX portfolios_by_deletion ON portfolios (deleted_at);
    CREATE TABLE positions (
        id uuid PRIMARY KEY, portfolio_id uuid NOT NULL, symbol varchar(20) NOT NULL,
            position_type positiontype NOT NULL,
        quantity numeric(16,4) NOT NULL, entry_price numeric(12,4) NOT NULL,
            entry_date date NOT NULL, exit_price numeric(12,4),
        exit_date date, underlying_symbol varchar(10), strike_price numeric(12,4),
            expiration_date date,
        investment_class varchar(20) NOT NULL, investment_subtype varchar(30),
            last_price numeric(12,4), market_value numeric(16,2),
        unrealized_pnl numeric(16,2), realized_pnl numeric(16,2), created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
        deleted_at timestamptz, tags text[],
        CONSTRAINT "of: portfolio" FOREIGN KEY (portfolio_id) REFERENCES portfolios (id)
            ON DELETE CASCADE);
    CREATE INDEX positions_of ON positions (portfolio_id);
    CREATE INDEX ix_positions_symbol ON positions (symbol);
    CREATE TABLE notes (id serial PRIMARY KEY, position_id uuid REFERENCES positions (id),
        body jsonb);
    CREATE TABLE portfolio_snapshots (
        id uuid PRIMARY KEY, portfolio_id uuid NOT NULL REFERENCES portfolios (id),
            snapshot_date date NOT NULL,
        total_value numeric(16,2) NOT NULL, cash_value numeric(16,2) NOT NULL,
            long_value numeric(16,2) NOT NULL,
        short_value numeric(16,2) NOT NULL, gross_exposure numeric(16,2) NOT NULL,
            net_exposure numeric(16,2) NOT NULL,
        daily_pnl numeric(16,2) NOT NULL, daily_return numeric(8,6), cumulative_pnl numeric(16,2),
            portfolio_delta numeric(12,2),
        portfolio_gamma numeric(12,2), portfolio_theta numeric(12,2), portfolio_vega numeric(12,2),
            num_positions integer NOT NULL,
        num_long_positions integer NOT NULL, num_short_positions integer NOT NULL,
            equity_balance numeric(16,2),
        created_at timestamp NOT NULL, source_job text, UNIQUE (portfolio_id, snapshot_date));
    CREATE TABLE market_data_cache (
        id uuid PRIMARY KEY, symbol varchar(20) NOT NULL, date date NOT NULL, open numeric(12,4),
            high numeric(12,4), low numeric(12,4),
        close numeric(12,4) NOT NULL, volume integer, sector varchar(100), industry varchar(100),
            exchange varchar(20),
        country varchar(10), market_cap numeric(18,2),
            data_source varchar(50) NOT NULL DEFAULT 'other', created_at timestamp NOT NULL,
        updated_at timestamp NOT NULL, quality smallint NOT NULL DEFAULT 3);
    CREATE UNIQUE INDEX one_price_a_day ON market_data_cache (symbol, date);
    CREATE INDEX prices_by_day ON market_data_cache (date);
    CREATE TABLE company_profiles (
        symbol varchar(20) PRIMARY KEY, company_name varchar(200), sector varchar(100),
            industry varchar(100), exchange varchar(50),
        country varchar(50), market_cap numeric(18,2), description text, is_etf boolean NOT NULL,
            is_fund boolean, beta numeric(8,4),
        data_source varchar(50) NOT NULL, last_updated timestamp, created_at timestamptz,
            updated_at timestamptz, ceo text,
        employees integer NOT NULL DEFAULT 0);
    CREATE TABLE position_interest_rate_betas (
        id uuid PRIMARY KEY, position_id uuid NOT NULL, ir_beta numeric(8,6) NOT NULL,
            r_squared numeric(6,4),
        calculation_date date NOT NULL, created_at timestamp NOT NULL DEFAULT now(),
            treasury varchar(10) NOT NULL DEFAULT '10y',
        CONSTRAINT betas_fk FOREIGN KEY (position_id) REFERENCES positions (id));
    CREATE INDEX rate_betas_by_position
        ON position_interest_rate_betas (position_id, calculation_date);
"""

FOUNDING_HEAD_SCHEMA = """
    CREATE TYPE insight_type AS ENUM ('daily_summary', 'volatility_analysis', 'concentration_risk',
        'hedge_quality', 'factor_exposure',
        'stress_test_review', 'custom');
    CREATE TYPE insight_severity AS ENUM ('info', 'normal', 'elevated', 'warning', 'critical',
        'catastrophic');
    ALTER TABLE portfolio_snapshots
        ADD beta_calculated_90d numeric(10,4), ADD beta_calculated_90d_r_squared numeric(10,4),
        ADD beta_calculated_90d_observations integer, ADD beta_portfolio_regression numeric(10,4),
            ADD beta_provider_1y numeric(10,4),
        ADD sector_exposure json, ADD hhi numeric(10,4), ADD effective_num_positions numeric(10,2),
            ADD top_3_concentration numeric(10,4),
        ADD top_10_concentration numeric(10,4), ADD realized_volatility_21d numeric(10,4),
            ADD realized_volatility_63d numeric(10,4),
        ADD expected_volatility_21d numeric(10,4), ADD volatility_trend varchar(20),
            ADD volatility_percentile numeric(10,4);
    UPDATE portfolio_snapshots SET hhi = 0.1234,
        sector_exposure = '{"Technology" : 0.35, "Health Care":0.180, "Énergie": null,
        "deep": {"b": [1, 2], "a": true}}';
    ALTER TABLE position_interest_rate_betas ADD portfolio_id uuid REFERENCES portfolios (id);
    UPDATE position_interest_rate_betas SET portfolio_id = positions.portfolio_id FROM positions
        WHERE positions.id = position_id;
    ALTER TABLE position_interest_rate_betas ALTER portfolio_id SET NOT NULL;
    CREATE TABLE position_market_betas (
        id uuid PRIMARY KEY,
        portfolio_id uuid NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
        position_id uuid NOT NULL REFERENCES positions (id) ON DELETE CASCADE,
            calc_date date NOT NULL, beta numeric(12,6) NOT NULL,
        alpha numeric(12,6), r_squared numeric(12,6), std_error numeric(12,6),
            p_value numeric(12,6), observations integer NOT NULL,
        window_days integer NOT NULL, method varchar(32) NOT NULL,
            market_index varchar(16) NOT NULL, created_at timestamp NOT NULL,
        updated_at timestamp NOT NULL, UNIQUE (portfolio_id, position_id, calc_date, method,
            window_days));
    CREATE INDEX idx_pos_beta_lookup ON position_market_betas (portfolio_id, calc_date);
    CREATE TABLE position_volatility (
        id uuid PRIMARY KEY, position_id uuid NOT NULL REFERENCES positions (id),
            calculation_date date NOT NULL,
        realized_vol_21d numeric(10,4) NOT NULL, realized_vol_63d numeric(10,4),
            vol_daily numeric(10,4), vol_weekly numeric(10,4),
        vol_monthly numeric(10,4), expected_vol_21d numeric(10,4), vol_trend varchar(20),
            vol_trend_strength numeric(10,4),
        vol_percentile numeric(10,4), observations integer NOT NULL, model_r_squared numeric(10,4),
            created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL, UNIQUE (position_id, calculation_date));
    CREATE TABLE benchmarks_sector_weights (
        id uuid PRIMARY KEY, benchmark_code varchar(32) NOT NULL, asof_date date NOT NULL,
            sector varchar(64) NOT NULL,
        weight numeric(12,6) NOT NULL, market_cap numeric(20,2), num_constituents integer,
            data_source varchar(32) NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, UNIQUE (sector,
            benchmark_code, asof_date));
    CREATE TABLE ai_insights (
        id uuid PRIMARY KEY, portfolio_id uuid NOT NULL, insight_type insight_type NOT NULL,
            title varchar(200) NOT NULL,
        severity insight_severity NOT NULL, summary varchar(4000) NOT NULL, full_analysis text,
            key_findings jsonb, recommendations json,
        data_limitations text, context_data json, data_quality json, focus_area varchar(100),
            user_question text,
        model_used varchar(50) NOT NULL, provider varchar(20) NOT NULL, prompt_version varchar(20),
            cost_usd numeric(10,6),
        generation_time_ms numeric(10,2), token_count_input numeric(10,0),
            token_count_output numeric(10,0), tool_calls_count numeric(3,0),
        cache_hit boolean NOT NULL, cache_source_id uuid REFERENCES ai_insights (id),
            cache_key varchar(64), user_rating numeric(2,1),
        user_feedback text, viewed boolean NOT NULL, dismissed boolean NOT NULL,
            created_at timestamp NOT NULL, expires_at timestamp,
        updated_at timestamp);
    CREATE TABLE ai_insight_templates (
        id uuid PRIMARY KEY, insight_type insight_type NOT NULL, name varchar(100) NOT NULL,
            description text, version varchar(20) NOT NULL,
        system_prompt text NOT NULL, investigation_prompt text NOT NULL,
            model_preference varchar(50), max_tokens numeric(6,0),
        temperature numeric(3,2), required_tools json, optional_tools json, active boolean NOT NULL,
            avg_quality_score numeric(3,2),
        usage_count numeric(10,0) NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, deprecated_at timestamptz);
"""
"""Additions to BASE_SCHEMA. Some foreign keys are missing, such as from insights to portfolios."""

BASE_ROWS = f"""
    INSERT INTO users VALUES ('00000000-0000-0000-0000-0000000000aa', 'owner@example.org');
    INSERT INTO portfolios (id, user_id, name, currency, created_at, updated_at)
    SELECT md5('portfolio' || n)::uuid, '00000000-0000-0000-0000-0000000000aa', 'Portfolio ' || n,
        'USD',
        timestamp '2025-07-01 12:00' + n * interval '1 hour', NULL
    FROM generate_series(1, 3) AS n;
    INSERT INTO positions (id, portfolio_id, symbol, position_type, quantity, entry_price,
        entry_date, investment_class, created_at,
        updated_at, tags)
    SELECT md5('position' || n)::uuid, md5('portfolio' || 1 + mod(n, 3))::uuid, 'S' || n, 'LONG', n,
        n + 0.25, date '2020-01-02', 'PUBLIC',
        '2025-07-01 12:00Z', '2025-07-01 12:00Z', ARRAY['a', 'b']
    FROM generate_series(1, {N_POSITIONS}) AS n;
    INSERT INTO notes (position_id, body)
    SELECT id, jsonb_build_object('of', symbol) FROM positions;
    INSERT INTO portfolio_snapshots
    SELECT md5('snapshot' || n || day)::uuid, md5('portfolio' || n)::uuid, date '2020-01-01' + day,
        day, 0, day, 0, day, day, day,
        day * 0.00001, NULL, NULL, NULL, NULL, NULL, 1, 1, 0, NULL, timestamp '2025-07-01 12:00',
            'nightly'
    FROM generate_series(1, 3) AS n, generate_series(1, {N_DAYS}) AS day;
    INSERT INTO market_data_cache (id, symbol, date, close, volume, created_at, updated_at, quality)
    SELECT md5('price' || n || '.' || day)::uuid, 'S' || n, date '2020-01-01' + day,
        n + day * 0.0001, n * day,
        timestamp '2025-07-01 02:30' + day * interval '1 hour', timestamp '2025-07-01 12:00', mod(n,
            5)
    FROM generate_series(1, {N_SYMBOLS}) AS n, generate_series(1, {N_DAYS}) AS day;
    INSERT INTO company_profiles (symbol, company_name, is_etf, data_source, last_updated,
        created_at, updated_at, ceo, employees)
    SELECT 'S' || n, 'Company ' || n, false, 'FMP', timestamp '2025-01-01 12:00',
        '2025-01-01 12:00Z', '2025-01-01 12:00Z', 'CEO ' || n, n
    FROM generate_series(1, {N_SYMBOLS}) AS n;
    INSERT INTO position_interest_rate_betas
    SELECT md5('rate' || n || '.' || day)::uuid, md5('position' || n)::uuid,
        n * 0.01 + day * 0.000001, 0.5, date '2020-01-01' + day,
        timestamp '2025-07-01 12:00', '10y'
    FROM generate_series(1, {N_POSITIONS}) AS n, generate_series(1, {N_DAYS}) AS day;
    INSERT INTO position_interest_rate_betas
    SELECT md5('older' || n)::uuid, md5('position' || 1)::uuid, -n * 0.001, 0.1,
        date '2020-01-01' + n, timestamp '2025-06-01 12:00', '2y'
    FROM generate_series(1, {N_DUPLICATES}) AS n;
"""
FOUNDING_HEAD_ROWS = f"""
    INSERT INTO position_market_betas
    SELECT md5('beta' || n || '.' || day)::uuid, md5('portfolio' || 1 + mod(n, 3))::uuid,
        md5('position' || n)::uuid,
        date '2020-01-01' + day, n * 0.01 + day * 0.000001, NULL, 0.5, 0.1, 0, 90, 90, 'OLS_SIMPLE',
            'SPY', timestamp '2025-07-01 02:30',
        timestamp '2025-07-01 12:00'
    FROM generate_series(1, {N_POSITIONS}) AS n, generate_series(1, {N_DAYS}) AS day;
    INSERT INTO position_volatility (id, position_id, calculation_date, realized_vol_21d,
        observations, created_at, updated_at)
    SELECT md5('volatility' || n)::uuid, md5('position' || n)::uuid, date '2020-01-02', 0.25, 252,
        '2025-07-01 12:00Z', '2025-07-01 12:00Z'
    FROM generate_series(1, {N_POSITIONS}) AS n;
    INSERT INTO benchmarks_sector_weights
    VALUES (md5('w')::uuid, 'SP500', '2025-07-01', 'Energy', 0.03, NULL, NULL, 'FMP',
        '2025-07-01 12:00Z', '2025-07-01 12:00Z');
    INSERT INTO ai_insights (id, portfolio_id, insight_type, title, severity, summary, key_findings,
        recommendations, model_used, provider,
        cache_hit, viewed, dismissed, created_at, expires_at)
    VALUES (md5('insight')::uuid, md5('portfolio1')::uuid, 'custom', 'T', 'catastrophic', 'S',
        '["a", 1.50]', '["b" , 2.50]', 'm', 'p',
        false, true, false, '2025-07-01 02:30', '2025-12-01 02:30');
    INSERT INTO ai_insight_templates (id, insight_type, name, version, system_prompt,
        investigation_prompt, active, usage_count, created_at,
        updated_at)
    VALUES (md5('template')::uuid, 'custom', 'n', 'v1', 's', 'i', true, 0, '2025-07-01 12:00Z',
        '2025-07-01 12:00Z');
"""

STAMP = (
    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO"
    " alembic_version VALUES ('{}');"
)

DATABASES = {
    "19c513d3bf90": BASE_SCHEMA + BASE_ROWS + STAMP.format("19c513d3bf90"),
    "h1i2j3k4l5m6": (
        BASE_SCHEMA
        + BASE_ROWS
        + FOUNDING_HEAD_SCHEMA
        + FOUNDING_HEAD_ROWS
        + STAMP.format("h1i2j3k4l5m6")
    ),
}
