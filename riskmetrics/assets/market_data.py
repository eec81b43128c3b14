"""Market data assets: fetch what is missing if a vendor key is set, and report what is not."""

from functools import partial

import dagster as dg

from riskmetrics.assets import reports, table_schemas
from riskmetrics.assets.partitions import sessions_or_latest
from riskmetrics.db import input_queries, stored_prices, tables
from riskmetrics.ingest import benchmark, prices, profiles
from riskmetrics.ingest.vendor_client import RefreshResult
from riskmetrics.resources import MarketDataVendor, Warehouse
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.text import join_names

_market_data_asset = partial(
    dg.asset,
    group_name="market_data",
    kinds={"postgres"},
    owners=["team:riskmetrics"],
    # Dagster's command line asks for it where a range of sessions is materialized
    backfill_policy=dg.BackfillPolicy.single_run(),
)


class RefreshConfig(dg.Config):
    """When to ask the vendor."""

    force: bool = False
    """Without waiting until what is stored is old."""


@_market_data_asset(metadata=table_schemas.table_metadata(tables.market_data_cache))
def market_prices(
    context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: MarketDataVendor
) -> dg.MaterializeResult[None]:
    """Adjusted and unadjusted daily closes of held symbols and both indices."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
        held_symbols = prices.needed_symbols(connection, market)
    needed_symbols = held_symbols | {rate: None}
    result = prices.refresh(vendor.client, needed_symbols, days)
    metadata = reports.fetch_metadata(context, result, len(needed_symbols))
    prices.require_price_coverage(
        result, held_symbols
    )  # without the rate index only betas to it are undefined
    with warehouse.read() as connection:
        held_in_range = input_queries.read_held_symbols(connection, days[0], days[-1])
        held_on_last_day = input_queries.read_held_symbols(connection, days[-1])
        symbols = {*held_in_range, market}
        coverage = stored_prices.read_price_coverage(connection, symbols, last_day=days[-1])
    ended_histories = prices.ended_histories(coverage, held_on_last_day, market)
    if ended_histories:
        names = [f"{symbol} after {last}" for symbol, last in ended_histories.items()]
        context.log.warning(
            f"no price of {join_names(names)}, held on {days[-1]}: delisted or renamed? Close the "
            "lots, hold them under the new name, or import their prices; "
            f"all: `riskmetrics show quality --date {days[-1]}`"
        )
    missing = sorted(symbols - set(coverage["symbol"]) - result.errors.keys())
    if missing:
        context.log.warning(
            f"no price up to {days[-1]} is stored of {join_names(missing)}: import prices with "
            "`riskmetrics import prices FILE`, or set FMP_API_KEY; "
            f"all: `riskmetrics show quality --date {days[-1]}`"
        )
    numbers = {
        "dagster/row_count": int(coverage["closes"].sum()),
        "symbols": len(symbols),
        "symbols_without_prices": len(missing),
    }
    return dg.MaterializeResult(metadata={**numbers, **metadata, **reports.preview(coverage)})


@_market_data_asset(metadata=table_schemas.table_metadata(tables.company_profiles))
def company_profiles(
    context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: MarketDataVendor
) -> dg.MaterializeResult[None]:
    """Sector, kind and vendor beta of every symbol held (`company_profiles`)."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        symbols = list(input_queries.read_price_end_dates(connection))
    result = profiles.refresh(vendor.client, symbols)
    with warehouse.read() as connection:
        stored = input_queries.read_profiles(connection, symbols)
        held_in_range = input_queries.read_held_symbols(connection, days[0], days[-1])
    missing = sorted(set(held_in_range) - set(stored.index))
    if missing:
        context.log.warning(
            f"no profile is stored of {join_names(missing)}: their sector is Unclassified; "
            "import profiles with `riskmetrics import profiles FILE`, or set FMP_API_KEY"
        )
    metadata = reports.fetch_metadata(context, result, len(symbols))
    numbers = {"dagster/row_count": len(stored), "symbols_without_profile": len(missing)}
    return dg.MaterializeResult(
        metadata={**numbers, **metadata, **reports.preview(stored.reset_index())}
    )


@_market_data_asset(metadata=table_schemas.table_metadata(tables.benchmarks_sector_weights))
def benchmark_weights(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    vendor: MarketDataVendor,
    config: RefreshConfig,
) -> dg.MaterializeResult[None]:
    """Sector weights of the benchmark by as-of date; the S&P 500's are fetched."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        code = warehouse.benchmark_code(connection)
    is_fetched = config.force or code == DEFAULT_BENCHMARK
    result = benchmark.refresh(vendor.client, force=config.force) if is_fetched else RefreshResult()
    metadata = reports.fetch_metadata(context, result, 1)
    with warehouse.read() as connection:
        weights = input_queries.read_benchmark_weights(connection, code, days[-1])
    if weights.empty:
        context.log.warning(
            f"no sector weights of {code} are stored up to {days[-1]}: import them with "
            f"`riskmetrics import benchmark FILE --code {code}`; active weights stay undefined"
        )
        return dg.MaterializeResult(metadata={"as_of_dates": 0, **metadata})
    latest = weights.iloc[-1].rename("weight").reset_index()
    numbers: dict[str, int | str] = {
        "dagster/row_count": int(weights.count().sum()),
        "as_of_dates": len(weights),
        "latest": str(weights.index[-1].date()),
        "benchmark": code,
    }
    return dg.MaterializeResult(
        metadata={**numbers, **metadata, **reports.preview(latest)},
    )
