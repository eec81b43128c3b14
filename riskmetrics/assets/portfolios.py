"""What is known of each portfolio: its row in `portfolio_snapshots`, of which each asset owns some columns."""

from collections.abc import Callable

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.market_data import benchmark_weights, company_profiles, market_prices
from riskmetrics.assets.partitions import run_sessions, sessions
from riskmetrics.assets.positions import position_betas
from riskmetrics.db import read, tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import exposures, snapshots

_SNAPSHOT = ("portfolio_id", "snapshot_date")


def _of_portfolios(*upstream: dg.AssetsDefinition) -> Callable[[Callable[..., None]], dg.AssetsDefinition]:
    return dg.asset(
        deps=upstream,
        partitions_def=sessions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="portfolios",
        kinds={"postgres"},
        owners=["team:riskmetrics"],
    )


@_of_portfolios(market_prices)
def portfolio_values(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Values, exposures, profit and counts of every portfolio at each close (`portfolio_snapshots`: the row itself)."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_values") as connection:
        valuation, _ = inputs.valued(connection, days)
        rows, undefined = write.fit(table, *snapshots.value_rows(valuation), subject="portfolio_id", day=snapshots.DAY)
        scope = write.of_days(table.c.snapshot_date, days)
        written = write.replace(connection, table, rows, key=_SNAPSHOT, scope=scope, provenance=provenance(context))
        coverage = snapshots.value_coverage(valuation)
        write.coverage(connection, coverage, metrics=snapshots.VALUE_COVERAGE, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=snapshots.VALUE_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", undefined=undefined)


@_of_portfolios(position_betas, portfolio_values, company_profiles)
def portfolio_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Market beta of every portfolio: of its positions, of its own returns, and of the vendor (`portfolio_snapshots`: beta columns)."""
    days = run_sessions(context)
    table = tables.portfolio_snapshots
    with warehouse.begin("portfolio_betas") as connection:
        valuation, lots = inputs.valued(connection, days)
        betas = inputs.market_betas(connection, lots, days, warehouse.market_index(connection))
        profiles = read.profiles(connection, valuation.instruments["symbol"])
        rows, coverage, undefined = snapshots.beta_rows(valuation, betas, profiles)
        rows, undefined = write.fit(table, rows, undefined, subject="portfolio_id", day=snapshots.DAY)
        written = write.update(connection, table, rows, key=_SNAPSHOT, provenance=provenance(context))
        write.coverage(connection, coverage, metrics=snapshots.BETA_COVERAGE, days=days, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=snapshots.BETA_METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", undefined=undefined)


@_of_portfolios(portfolio_values, company_profiles, benchmark_weights)
def sector_concentration(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Sector weights beside the benchmark's, and concentration (`portfolio_snapshots`, `portfolio_sector_weights`)."""
    days = run_sessions(context)
    table = tables.portfolio_sector_weights
    with warehouse.begin("sector_concentration") as connection:
        valuation, _ = inputs.valued(connection, days)
        profiles = read.profiles(connection, valuation.instruments["company"].dropna())
        benchmark = read.benchmark_weights(connection, read.BENCHMARK, days[-1])
        sectors = exposures.sector_rows(valuation, profiles, benchmark, read.BENCHMARK)
        rows, undefined = exposures.concentration_rows(valuation, sectors)
        written = write.update(connection, tables.portfolio_snapshots, rows, key=_SNAPSHOT, provenance=provenance(context))
        key, scope = ("portfolio_id", "day", "sector"), write.of_days(table.c.day, days)
        write.replace(connection, table, sectors, key=key, scope=scope, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=exposures.METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="snapshot_date", undefined=undefined)
