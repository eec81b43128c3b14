"""What is known of positions, and of the symbols they hold: their betas.

Estimated per symbol, written per position.
"""

from functools import partial

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.har_calibration import har_coefficients
from riskmetrics.assets.market_data import market_prices
from riskmetrics.assets.partitions import run_sessions, session_asset
from riskmetrics.db import tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import betas, forecasts, rate_sensitivity

_position_asset = partial(session_asset, "positions")


@_position_asset(market_prices, writes=(tables.position_market_betas, tables.symbol_adjusted_betas))
def position_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Market betas of open positions, 90 sessions, and Vasicek-adjusted betas of symbols."""
    days = run_sessions(context)
    table, adjusted_table = tables.position_market_betas, tables.symbol_adjusted_betas
    with warehouse.begin("position_betas") as connection:
        lots = inputs.read_lots(warehouse, connection)
        estimates = inputs.estimate_market_betas(warehouse, connection, days)
        rows, undefined = betas.position_rows(estimates, lots, days, betas.MARKET_BETA_TABLE)
        rows, undefined = write.null_out_of_range(
            table, rows, undefined, subject="position_id", day="calc_date"
        )
        key, scope = (
            ("portfolio_id", "position_id", "calc_date", "method", "window_days"),
            write.scope_of_days(table.c.calc_date, days),
        )
        written = write.replace_rows(
            connection, table, rows, key=key, scope=scope, provenance=provenance(context)
        )
        write.replace_symbol_rows(
            connection,
            adjusted_table,
            betas.adjusted_beta_rows(estimates, lots, days),
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=betas.MARKET_BETA_TABLE.metrics,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="calc_date",
        median_column="beta",
        undefined=undefined,
    )


@_position_asset(
    market_prices, writes=(tables.position_interest_rate_betas, tables.symbol_two_factor_betas)
)
def interest_rate_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Rate betas of open positions, and two-factor betas of symbols (market and rates)."""
    days = run_sessions(context)
    table = tables.position_interest_rate_betas
    with warehouse.begin("interest_rate_betas") as connection:
        lots = inputs.read_lots(warehouse, connection)
        one_factor, two_factor = inputs.estimate_rate_betas(warehouse, connection, days)
        rows, undefined = betas.position_rows(one_factor, lots, days, betas.RATE_BETA_TABLE)
        rows, undefined = write.null_out_of_range(
            table, rows, undefined, subject="position_id", day="calculation_date"
        )
        key, scope = (
            ("position_id", "calculation_date"),
            write.scope_of_days(table.c.calculation_date, days),
        )
        written = write.replace_rows(
            connection, table, rows, key=key, scope=scope, provenance=provenance(context)
        )
        symbol_rows = rate_sensitivity.symbol_rows(two_factor, lots, days)
        write.replace_symbol_rows(
            connection,
            tables.symbol_two_factor_betas,
            symbol_rows,
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=betas.RATE_BETA_TABLE.metrics,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="calculation_date",
        median_column="ir_beta",
        undefined=undefined,
    )


@_position_asset(
    market_prices,
    har_coefficients,
    writes=(tables.position_volatility, tables.volatility_forecasts),
)
def position_volatility(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Realized volatility of open positions, and volatility forecasts of symbols."""
    days = run_sessions(context)
    table = tables.position_volatility
    with warehouse.begin("position_volatility") as connection:
        lots = inputs.read_lots(warehouse, connection)
        estimates = inputs.estimate_symbol_volatility(warehouse, connection, days)
        rows, undefined = forecasts.position_rows(
            estimates, lots, days, inputs.value_options(warehouse, connection, days)
        )
        rows, undefined = write.null_out_of_range(
            table, rows, undefined, subject="position_id", day=forecasts.POSITION_DAY
        )
        key, scope = (
            ("position_id", forecasts.POSITION_DAY),
            write.scope_of_days(table.c.calculation_date, days),
        )
        table_rows = rows.drop(columns="portfolio_id")
        written = write.replace_rows(
            connection, table, table_rows, key=key, scope=scope, provenance=provenance(context)
        )
        forecast_rows = forecasts.symbol_forecasts(estimates, lots, days)
        write.replace_forecasts(
            connection,
            forecast_rows,
            is_of_portfolios=False,
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=forecasts.POSITION_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column=forecasts.POSITION_DAY,
        median_column="expected_vol_21d",
        undefined=undefined,
    )
