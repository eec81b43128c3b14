"""What is known of positions, and of the symbols they hold: their betas. Estimated per symbol, written per position."""

from functools import partial

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.market_data import market_prices
from riskmetrics.assets.model import har_coefficients
from riskmetrics.assets.partitions import of_sessions, run_sessions
from riskmetrics.db import tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import betas, forecasts, rates

_of_positions = partial(of_sessions, "positions")


@_of_positions(market_prices, writes=(tables.position_market_betas, tables.symbol_adjusted_betas))
def position_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Market beta of every open position over the 90 sessions that end on each day (`position_market_betas`, `symbol_adjusted_betas`)."""
    days = run_sessions(context)
    table, adjusted = tables.position_market_betas, tables.symbol_adjusted_betas
    with warehouse.begin("position_betas") as connection:
        lots = inputs.lots(warehouse, connection)
        estimates = inputs.market_betas(warehouse, connection, days)
        rows, undefined = betas.position_rows(estimates, lots, days, betas.MARKET)
        rows, undefined = write.fit(table, rows, undefined, subject="position_id", day="calc_date")
        key, scope = ("portfolio_id", "position_id", "calc_date", "method", "window_days"), write.of_days(table.c.calc_date, days)
        written = write.replace(connection, table, rows, key=key, scope=scope, provenance=provenance(context))
        write.of_symbols(connection, adjusted, betas.adjusted_rows(estimates, lots, days), days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=betas.MARKET.metrics, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="calc_date", figure="beta", undefined=undefined)


@_of_positions(market_prices, writes=(tables.position_interest_rate_betas, tables.symbol_two_factor_betas))
def interest_rate_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Beta of every open position to interest rates (`position_interest_rate_betas`), and beside the market (`symbol_two_factor_betas`)."""
    days = run_sessions(context)
    table = tables.position_interest_rate_betas
    with warehouse.begin("interest_rate_betas") as connection:
        lots = inputs.lots(warehouse, connection)
        one, two = inputs.rate_betas(warehouse, connection, days)
        rows, undefined = betas.position_rows(one, lots, days, betas.RATES)
        rows, undefined = write.fit(table, rows, undefined, subject="position_id", day="calculation_date")
        key, scope = ("position_id", "calculation_date"), write.of_days(table.c.calculation_date, days)
        written = write.replace(connection, table, rows, key=key, scope=scope, provenance=provenance(context))
        of_symbols = rates.symbol_rows(two, lots, days)
        write.of_symbols(connection, tables.symbol_two_factor_betas, of_symbols, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=betas.RATES.metrics, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="calculation_date", figure="ir_beta", undefined=undefined)


@_of_positions(market_prices, har_coefficients, writes=(tables.position_volatility, tables.volatility_forecasts))
def position_volatility(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Volatility of every open position, past and expected (`position_volatility`, `volatility_forecasts` of symbols)."""
    days = run_sessions(context)
    table = tables.position_volatility
    with warehouse.begin("position_volatility") as connection:
        lots = inputs.lots(warehouse, connection)
        estimates = inputs.symbol_volatility(warehouse, connection, days)
        rows, undefined = forecasts.position_rows(estimates, lots, days, inputs.valued_options(warehouse, connection, days))
        rows, undefined = write.fit(table, rows, undefined, subject="position_id", day=forecasts.POSITION_DAY)
        key, scope = ("position_id", forecasts.POSITION_DAY), write.of_days(table.c.calculation_date, days)
        own = rows.drop(columns="portfolio_id")
        written = write.replace(connection, table, own, key=key, scope=scope, provenance=provenance(context))
        of_symbols = forecasts.symbol_forecasts(estimates, lots, days)
        write.forecasts(connection, of_symbols, of_portfolios=False, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=forecasts.POSITION_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day=forecasts.POSITION_DAY, figure="expected_vol_21d", undefined=undefined)
