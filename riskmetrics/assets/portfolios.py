"""Portfolio assets that write `portfolio_snapshots`; each owns some of its columns."""

from functools import partial

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.har_calibration import har_coefficients
from riskmetrics.assets.market_data import benchmark_weights, company_profiles, market_prices
from riskmetrics.assets.partitions import run_sessions, session_asset
from riskmetrics.assets.positions import interest_rate_betas, position_betas
from riskmetrics.db import input_queries, tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import exposures, forecasts, rate_sensitivity, snapshots

SNAPSHOT_KEY = ("portfolio_id", "snapshot_date")
"""What identifies a row of `portfolio_snapshots`."""
_portfolio_asset = partial(session_asset, "portfolios")


@_portfolio_asset(market_prices, writes=(tables.portfolio_snapshots, tables.portfolio_coverage))
def portfolio_values(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Values, exposures, P&L and counts of every portfolio at each close."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_values") as connection:
        valuation = inputs.value_portfolios(warehouse, connection, days)
        rows, undefined = write.null_out_of_range(
            table,
            *snapshots.value_rows(valuation),
            subject="portfolio_id",
            day=snapshots.DAY_COLUMN,
        )
        scope = write.scope_of_days(table.c.snapshot_date, days)
        written = write.replace_rows(
            connection, table, rows, key=SNAPSHOT_KEY, scope=scope, provenance=provenance(context)
        )
        coverage = snapshots.value_coverage(valuation)
        write.replace_coverage(
            connection,
            coverage,
            metrics=snapshots.VALUE_COVERAGE,
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=snapshots.VALUE_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="snapshot_date",
        median_column="total_value",
        undefined=undefined,
    )


@_portfolio_asset(
    position_betas,
    portfolio_values,
    company_profiles,
    har_coefficients,
    writes=(tables.portfolio_snapshots, tables.portfolio_coverage),
)
def portfolio_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Portfolio market betas: weighted by position, by regression, and from the vendor."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_betas") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        betas = inputs.estimate_market_betas(warehouse, connection, days)
        profiles = input_queries.read_profiles(
            connection, valuation.instruments["underlying"].dropna()
        )
        rows, coverage, undefined = snapshots.beta_rows(valuation, betas, profiles)
        rows, undefined = write.null_out_of_range(
            table, rows, undefined, subject="portfolio_id", day=snapshots.DAY_COLUMN
        )
        written = write.update_rows(
            connection, table, rows, key=SNAPSHOT_KEY, provenance=provenance(context)
        )
        write.replace_coverage(
            connection,
            coverage,
            metrics=snapshots.BETA_COVERAGE,
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=snapshots.BETA_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="snapshot_date",
        median_column="beta_calculated_90d",
        undefined=undefined,
    )


@_portfolio_asset(
    interest_rate_betas, portfolio_values, har_coefficients, writes=(tables.portfolio_rate_betas,)
)
def portfolio_rate_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Portfolio rate betas: one-factor, and two-factor with the market (`portfolio_rate_betas`)."""
    days = run_sessions(context)
    table = tables.portfolio_rate_betas
    with warehouse.begin("portfolio_rate_betas") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        one_factor, two_factor = inputs.estimate_rate_betas(warehouse, connection, days)
        rows, coverage = rate_sensitivity.portfolio_rows(valuation, one_factor, two_factor)
        scope = write.scope_of_days(table.c.day, days)
        written = write.replace_rows(
            connection,
            table,
            rows,
            key=("portfolio_id", "day"),
            scope=scope,
            provenance=provenance(context),
        )
        write.replace_coverage(
            connection,
            coverage,
            metrics=rate_sensitivity.RATE_BETA_COVERAGE,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="rate_beta"
    )


@_portfolio_asset(
    portfolio_values,
    har_coefficients,
    writes=(tables.portfolio_snapshots, tables.volatility_forecasts),
)
def portfolio_volatility(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Realized and forecast portfolio volatility from pro-forma returns."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_volatility") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        estimates = inputs.estimate_portfolio_volatility(warehouse, connection, days)
        rows, coverage, undefined = forecasts.portfolio_rows(valuation, estimates)
        rows, undefined = write.null_out_of_range(
            table, rows, undefined, subject="portfolio_id", day=snapshots.DAY_COLUMN
        )
        written = write.update_rows(
            connection, table, rows, key=SNAPSHOT_KEY, provenance=provenance(context)
        )
        forecast_rows = forecasts.portfolio_forecasts(valuation, estimates)
        write.replace_forecasts(
            connection,
            forecast_rows,
            is_of_portfolios=True,
            days=days,
            provenance=provenance(context),
        )
        write.replace_coverage(
            connection,
            coverage,
            metrics=forecasts.VOLATILITY_COVERAGE,
            days=days,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=forecasts.SNAPSHOT_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="snapshot_date",
        median_column="expected_volatility_21d",
        undefined=undefined,
    )


@_portfolio_asset(
    portfolio_values,
    company_profiles,
    benchmark_weights,
    writes=(tables.portfolio_sector_weights, tables.portfolio_snapshots),
)
def sector_concentration(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Sector weights, active weights against the benchmark, and concentration."""
    days = run_sessions(context)
    table = tables.portfolio_sector_weights
    with warehouse.begin("sector_concentration") as connection:
        valuation = inputs.value_portfolios(warehouse, connection, days)
        profiles = input_queries.read_profiles(
            connection, valuation.instruments["underlying"].dropna()
        )
        code = warehouse.benchmark_code(connection)
        benchmark = input_queries.read_benchmark_weights(connection, code, days[-1])
        sectors = exposures.sector_rows(valuation, profiles, benchmark, code)
        rows, undefined = exposures.concentration_rows(valuation, sectors)
        written = write.update_rows(
            connection,
            tables.portfolio_snapshots,
            rows,
            key=SNAPSHOT_KEY,
            provenance=provenance(context),
        )
        key, scope = ("portfolio_id", "day", "sector"), write.scope_of_days(table.c.day, days)
        write.replace_rows(
            connection, table, sectors, key=key, scope=scope, provenance=provenance(context)
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=exposures.EXPOSURE_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context,
        days,
        rows,
        written,
        day_column="snapshot_date",
        median_column="hhi",
        undefined=undefined,
    )
