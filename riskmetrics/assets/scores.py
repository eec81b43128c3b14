"""Forecast scores: the one asset that reads stored results, which it evaluates."""

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.partitions import run_sessions, session_asset
from riskmetrics.assets.portfolios import portfolio_volatility
from riskmetrics.assets.positions import position_volatility
from riskmetrics.db import tables, volatility_queries, write
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import score_results


@session_asset(
    "portfolios", position_volatility, portfolio_volatility, writes=(tables.har_forecast_scores,)
)
def forecast_scores(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Volatility forecasts that complete on each day, against realized volatility."""
    days = run_sessions(context)
    forecast_days = score_results.forecast_days(days)
    with warehouse.begin("forecast_scores") as connection:
        forecasts = volatility_queries.read_forecasts(connection, forecast_days)
        valuation = inputs.value_option_adjusted(warehouse, connection, forecast_days)
        symbols = {
            *inputs.list_open_symbols(inputs.read_lots(warehouse, connection), forecast_days),
            *forecasts["subject"][forecasts["portfolio_id"].isna()],
        }
        rows = score_results.score_forecasts(
            forecasts,
            days,
            inputs.read_symbol_returns(warehouse, connection, symbols, days, FORECAST_HORIZON),
            valuation,
        )
        written = write.replace_forecast_scores(
            connection, rows, days=days, provenance=provenance(context)
        )
    reports.log_materialization(
        context, days, rows, written, day_column="completed_on", median_column="realized"
    )
