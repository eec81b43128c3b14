"""What is known of each portfolio: its row in `portfolio_snapshots`, of which each asset owns some columns."""

from functools import partial

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.market_data import benchmark_weights, company_profiles, market_prices
from riskmetrics.assets.model import har_coefficients
from riskmetrics.assets.partitions import of_sessions, run_sessions
from riskmetrics.assets.positions import interest_rate_betas, position_betas
from riskmetrics.db import read, tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import exposures, forecasts, rates, snapshots

SNAPSHOT = ("portfolio_id", "snapshot_date")
"""What identifies a row of `portfolio_snapshots`."""
_of_portfolios = partial(of_sessions, "portfolios")


@_of_portfolios(market_prices, writes=(tables.portfolio_snapshots, tables.portfolio_coverage))
def portfolio_values(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Values, exposures, profit and counts of every portfolio at each close (`portfolio_snapshots`: the row itself)."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_values") as connection:
        valuation = inputs.valued(warehouse, connection, days)
        rows, undefined = write.fit(table, *snapshots.value_rows(valuation), subject="portfolio_id", day=snapshots.DAY)
        scope = write.of_days(table.c.snapshot_date, days)
        written = write.replace(connection, table, rows, key=SNAPSHOT, scope=scope, provenance=provenance(context))
        coverage = snapshots.value_coverage(valuation)
        write.coverage(connection, coverage, metrics=snapshots.VALUE_COVERAGE, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=snapshots.VALUE_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", figure="total_value", undefined=undefined)


@_of_portfolios(
    position_betas, portfolio_values, company_profiles, har_coefficients, writes=(tables.portfolio_snapshots, tables.portfolio_coverage)
)
def portfolio_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Market beta of every portfolio: of its positions, of its own returns, and of the vendor (`portfolio_snapshots`: beta columns)."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_betas") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        betas = inputs.market_betas(warehouse, connection, days)
        profiles = read.profiles(connection, valuation.instruments["underlying"].dropna())
        rows, coverage, undefined = snapshots.beta_rows(valuation, betas, profiles)
        rows, undefined = write.fit(table, rows, undefined, subject="portfolio_id", day=snapshots.DAY)
        written = write.update(connection, table, rows, key=SNAPSHOT, provenance=provenance(context))
        write.coverage(connection, coverage, metrics=snapshots.BETA_COVERAGE, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=snapshots.BETA_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", figure="beta_calculated_90d", undefined=undefined)


@_of_portfolios(interest_rate_betas, portfolio_values, har_coefficients, writes=(tables.portfolio_rate_betas,))
def portfolio_rate_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Beta of every portfolio to interest rates, alone and with the market held fixed (`portfolio_rate_betas`)."""
    days = run_sessions(context)
    table = tables.portfolio_rate_betas
    with warehouse.begin("portfolio_rate_betas") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        one, two = inputs.rate_betas(warehouse, connection, days)
        rows, coverage = rates.portfolio_rows(valuation, one, two)
        scope = write.of_days(table.c.day, days)
        written = write.replace(connection, table, rows, key=("portfolio_id", "day"), scope=scope, provenance=provenance(context))
        write.coverage(connection, coverage, metrics=rates.COVERAGE, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="rate_beta")


@_of_portfolios(portfolio_values, har_coefficients, writes=(tables.portfolio_snapshots, tables.volatility_forecasts))
def portfolio_volatility(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Volatility of every portfolio, of its own returns (`portfolio_snapshots`: volatility columns, `volatility_forecasts`)."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_volatility") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        estimates = inputs.portfolio_volatility(warehouse, connection, days)
        rows, coverage, undefined = forecasts.portfolio_rows(valuation, estimates)
        rows, undefined = write.fit(table, rows, undefined, subject="portfolio_id", day=snapshots.DAY)
        written = write.update(connection, table, rows, key=SNAPSHOT, provenance=provenance(context))
        of_portfolios = forecasts.portfolio_forecasts(valuation, estimates)
        write.forecasts(connection, of_portfolios, of_portfolios=True, days=days, provenance=provenance(context))
        write.coverage(connection, coverage, metrics=forecasts.COVERAGE, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=forecasts.SNAPSHOT_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", figure="expected_volatility_21d", undefined=undefined)


@_of_portfolios(portfolio_values, company_profiles, benchmark_weights, writes=(tables.portfolio_sector_weights, tables.portfolio_snapshots))
def sector_concentration(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Sector weights beside the benchmark's, and concentration (`portfolio_snapshots`, `portfolio_sector_weights`)."""
    days = run_sessions(context)
    table = tables.portfolio_sector_weights
    with warehouse.begin("sector_concentration") as connection:
        valuation = inputs.valued(warehouse, connection, days)
        profiles = read.profiles(connection, valuation.instruments["underlying"].dropna())
        code = warehouse.benchmark_code(connection)
        benchmark = read.benchmark_weights(connection, code, days[-1])
        sectors = exposures.sector_rows(valuation, profiles, benchmark, code)
        rows, undefined = exposures.concentration_rows(valuation, sectors)
        written = write.update(connection, tables.portfolio_snapshots, rows, key=SNAPSHOT, provenance=provenance(context))
        key, scope = ("portfolio_id", "day", "sector"), write.of_days(table.c.day, days)
        write.replace(connection, table, sectors, key=key, scope=scope, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=exposures.METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", figure="hhi", undefined=undefined)
