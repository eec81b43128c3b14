"""Market data of the symbols in use: what is missing is fetched if there is a key, and what stays missing is said."""

from functools import partial

import dagster as dg

from riskmetrics.assets import reports, schemas
from riskmetrics.assets.partitions import sessions_or_latest
from riskmetrics.db import read, stored_prices, tables
from riskmetrics.ingest import benchmark, prices, profiles
from riskmetrics.ingest.feed import Refreshed
from riskmetrics.resources import Vendor, Warehouse
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.text import name_some

_of_the_market = partial(
    dg.asset,
    group_name="market_data",
    kinds={"postgres"},
    owners=["team:riskmetrics"],
    backfill_policy=dg.BackfillPolicy.single_run(),  # Dagster's command line asks for it where a range of sessions is materialized
)


class Refresh(dg.Config):
    """When to ask the vendor."""

    anew: bool = False
    """Without waiting until what is stored is old."""


@_of_the_market(metadata=schemas.of(tables.market_data_cache))
def market_prices(context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: Vendor) -> dg.MaterializeResult[None]:
    """Daily closes of every symbol held and of both indices, adjusted and unadjusted (`market_data_cache`)."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
        held = prices.needed(connection, market)
    needed = held | {rate: None}
    found = prices.refresh(vendor.feed, needed, days)
    metadata = reports.refreshed(context, found, len(needed))
    prices.require(found, held)  # without the rate index only betas to it are undefined
    with warehouse.read() as connection:
        held_then = read.held_symbols(connection, days[0], days[-1])
        held_last = read.held_symbols(connection, days[-1])
        symbols = {*held_then, market}
        coverage = stored_prices.price_coverage(connection, symbols, through=days[-1])
    ended = prices.ended_histories(coverage, held_last, market)
    if ended:
        names = [f"{symbol} after {last}" for symbol, last in ended.items()]
        context.log.warning(
            f"no price of {name_some(names)}, held on {days[-1]}: delisted or renamed? Close the "
            "lots, hold them under the new name, or import their prices; "
            f"all: `riskmetrics show quality --date {days[-1]}`"
        )
    missing = sorted(symbols - set(coverage["symbol"]) - found.problems.keys())
    if missing:
        context.log.warning(
            f"no price up to {days[-1]} is stored of {name_some(missing)}: import prices with "
            "`riskmetrics import prices FILE`, or set FMP_API_KEY; "
            f"all: `riskmetrics show quality --date {days[-1]}`"
        )
    numbers = {"dagster/row_count": int(coverage["closes"].sum()), "symbols": len(symbols), "symbols_without_prices": len(missing)}
    return dg.MaterializeResult(metadata={**numbers, **metadata, **reports.shown(coverage)})


@_of_the_market(metadata=schemas.of(tables.company_profiles))
def company_profiles(context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: Vendor) -> dg.MaterializeResult[None]:
    """Sector, kind and vendor beta of every symbol held (`company_profiles`)."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        symbols = list(read.needed_prices(connection))
    found = profiles.refresh(vendor.feed, symbols)
    with warehouse.read() as connection:
        stored = read.profiles(connection, symbols)
        held_then = read.held_symbols(connection, days[0], days[-1])
    missing = sorted(set(held_then) - set(stored.index))
    if missing:
        context.log.warning(
            f"no profile is stored of {name_some(missing)}: their sector is Unclassified; "
            "import profiles with `riskmetrics import profiles FILE`, or set FMP_API_KEY"
        )
    metadata = reports.refreshed(context, found, len(symbols))
    numbers = {"dagster/row_count": len(stored), "symbols_without_profile": len(missing)}
    return dg.MaterializeResult(metadata={**numbers, **metadata, **reports.shown(stored.reset_index())})


@_of_the_market(metadata=schemas.of(tables.benchmarks_sector_weights))
def benchmark_weights(
    context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: Vendor, config: Refresh
) -> dg.MaterializeResult[None]:
    """Sector weights of the benchmark by as-of date; the S&P 500's are fetched."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        code = warehouse.benchmark_code(connection)
    is_fetched = config.anew or code == DEFAULT_BENCHMARK
    found = benchmark.refresh(vendor.feed, anew=config.anew) if is_fetched else Refreshed()
    metadata = reports.refreshed(context, found, 1)
    with warehouse.read() as connection:
        weights = read.benchmark_weights(connection, code, days[-1])
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
        metadata={**numbers, **metadata, **reports.shown(latest)},
    )
