"""Schema at the newest revision as SQLAlchemy Core tables, for reads, writes and the drift check.

Founding columns have ``doc=``, because revision 7003a3be89fe removes comments from the database;
tables and columns of riskmetrics have ``comment=``: unit, and meaning of NULL. Columns of figures
have neither here: their records in the catalog describe them. Timestamps are timestamptz, trading
days are dates.
"""

from riskmetrics.db.tables.factor_tables import (
    factor_returns,
    portfolio_factor_exposures,
    portfolio_factor_risk,
    symbol_factor_exposures,
)
from riskmetrics.db.tables.forecast_tables import (
    forecast_outcomes,
    har_coefficients,
    variance_corrections,
    volatility_forecasts,
    volatility_horizon_forecasts,
)
from riskmetrics.db.tables.holding_tables import portfolios, positions
from riskmetrics.db.tables.insight_tables import (
    ai_batch_requests,
    ai_batches,
    ai_insight_templates,
    ai_insights,
    ai_spend,
)
from riskmetrics.db.tables.limit_tables import portfolio_limit_checks, portfolio_limits
from riskmetrics.db.tables.market_data_tables import (
    benchmarks_sector_weights,
    company_profiles,
    market_data_cache,
    price_decisions,
    security_identifiers,
    symbol_events,
)
from riskmetrics.db.tables.portfolio_results import (
    portfolio_coverage,
    portfolio_decayed_betas,
    portfolio_figures,
    portfolio_rate_betas,
    portfolio_sector_weights,
    portfolio_snapshots,
)
from riskmetrics.db.tables.position_results import (
    position_interest_rate_betas,
    position_market_betas,
    position_option_exposures,
    position_volatility,
)
from riskmetrics.db.tables.records import database_settings, rejected_rows, undefined_metrics
from riskmetrics.db.tables.risk_tables import (
    holding_liquidity,
    portfolio_active_sectors,
    portfolio_correlations,
    portfolio_diversification,
    portfolio_ex_ante_volatility,
    portfolio_liquidity,
    portfolio_risk_contributions,
    portfolio_stress,
    portfolio_tail_risk,
    portfolio_var_backtests,
    stress_scenarios,
)
from riskmetrics.db.tables.schema import describe_figures, metadata
from riskmetrics.db.tables.statistic_tables import STATISTIC_TABLES
from riskmetrics.db.tables.symbol_results import (
    symbol_adjusted_betas,
    symbol_decayed_betas,
    symbol_two_factor_betas,
)
from riskmetrics.db.tables.transaction_tables import transactions
from riskmetrics.db.tables.vendor_tables import vendor_quotas, vendor_responses

describe_figures()
