"""What became of forecasts: the one asset that reads stored results, since it is they that are scored."""

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.partitions import of_sessions, run_sessions
from riskmetrics.assets.portfolios import portfolio_volatility
from riskmetrics.assets.positions import position_volatility
from riskmetrics.db import tables, volatility, write
from riskmetrics.metrics.forecast_score import HORIZON
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import scores


@of_sessions("portfolios", position_volatility, portfolio_volatility, writes=(tables.har_forecast_scores,))
def forecast_scores(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Volatility forecasts whose 21 sessions end on each day, beside what happened in them (`har_forecast_scores`)."""
    days = run_sessions(context)
    made = scores.forecast_days(days)
    with warehouse.begin("forecast_scores") as connection:
        forecasts = volatility.forecasts(connection, made)
        valuation = inputs.exposed(warehouse, connection, made)
        symbols = {*inputs.open_symbols(inputs.lots(warehouse, connection), made), *forecasts["subject"][forecasts["portfolio_id"].isna()]}
        rows = scores.rows(forecasts, days, inputs.returns_of(warehouse, connection, symbols, days, HORIZON), valuation)
        written = write.scores(connection, rows, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="completed_on", figure="realized")
