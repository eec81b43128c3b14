"""Market data assets: fetch what is missing from data sources, and report what is not."""

from collections.abc import Collection, Iterator, Set
from datetime import date

import dagster as dg
import pandas as pd

from riskmetrics.assets import reports, table_schemas
from riskmetrics.assets.isolation import AssetResult, materialize_each
from riskmetrics.assets.partitions import sessions_or_latest
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.dagster_private import RawMetadataValue
from riskmetrics.db import input_queries, outdated_results, stored_prices, tables
from riskmetrics.errors import SourceError
from riskmetrics.ingest import benchmark, fallback, fund_sectors, late_closes, prices
from riskmetrics.ingest.vendor_client import RefreshResult
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.resources import MarketDataVendor, Warehouse
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.text import join_names

Metadata = dict[str, RawMetadataValue]


class RefreshConfig(dg.Config):
    """When to call the vendor."""

    force_benchmark: bool = False
    """Fetch the benchmark's weights without waiting until those stored are old."""


def _refresh_prices(
    context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: MarketDataVendor
) -> Metadata:
    """Fetch closes of holdings, indices and factor funds; warn of those without recent closes."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
        held_symbols = prices.needed_symbols(connection, market)
    needed_symbols = held_symbols | dict.fromkeys([rate, *warehouse.factor_funds])
    result = fallback.refresh_prices(vendor.clients, needed_symbols, days)
    with warehouse.read() as connection:
        never_priced = stored_prices.find_unpriced_symbols(connection, days)
    is_run_continued = prices.has_price_coverage(result, held_symbols)
    metadata = reports.fetch_metadata(
        context,
        result,
        len(needed_symbols),
        reported_elsewhere=never_priced if is_run_continued else (),
    )
    prices.require_price_coverage(
        result, held_symbols
    )  # without the rate index and factor funds only exposures to them are undefined
    with warehouse.read() as connection:
        held_in_range = input_queries.read_held_symbols(connection, days[0], days[-1])
        held_on_last_day = input_queries.read_held_symbols(connection, days[-1])
        symbols = {*held_in_range, market}
        coverage = stored_prices.read_price_coverage(connection, symbols, last_day=days[-1])
        outdated = outdated_results.read_outdated(
            connection, days if _computes_all_results(context) else ()
        )
    if outdated is not None:
        context.log.warning(outdated_results.describe_outdated(outdated))
    _warn_of_late_closes(context, coverage, held_on_last_day, market, days[-1])
    missing = sorted(symbols - set(coverage["symbol"]) - result.errors.keys())
    # the check price_coverage names those that are held
    if unreported := [symbol for symbol in missing if symbol not in never_priced]:
        context.log.warning(
            f"no price up to {days[-1]} is stored for {join_names(unreported)}: import prices with "
            "`riskmetrics import prices FILE`, or set FMP_API_KEY or RISKMETRICS_SOURCE; "
            f"all: `riskmetrics show quality --date {days[-1]}`"
        )
    numbers = {
        "dagster/row_count": int(coverage["closes"].sum()),
        "symbols": len(symbols),
        "symbols_without_prices": len(missing),
    }
    return {**numbers, **metadata, **reports.preview(coverage)}


def _computes_all_results(context: dg.AssetExecutionContext) -> bool:
    """Return whether the run computes every result of its sessions."""
    names = {key.to_user_string() for key in context.run.asset_selection or ()}
    return not names or names.issuperset(asset.name for asset in RESULT_ASSETS)


def _warn_of_late_closes(
    context: dg.AssetExecutionContext,
    coverage: pd.DataFrame,
    held: Collection[str],
    market: str,
    day: date,
) -> None:
    """Warn of held symbols without a close on a day; parameters as in `late_closes`."""
    if ended := late_closes.find_ended_histories(coverage, held, market):
        names = [f"{symbol} after {last}" for symbol, last in ended.items()]
        context.log.warning(
            f"no price of {join_names(names)}, held on {day}: delisted or renamed? Close the "
            "lots, rename with `riskmetrics symbols rename OLD NEW`, or import their prices; "
            f"all: `riskmetrics show quality --date {day}`"
        )
    if carried := late_closes.find_carried_closes(coverage, held, market):
        names = [f"{symbol} (last {last})" for symbol, last in carried.items()]
        context.log.warning(
            f"no close on {day} of {join_names(names)}: values use the last close, for at most"
            f" {MAX_STALE_SESSIONS} sessions. The next nightly run, or `riskmetrics catch-up` once"
            " the close is published, computes them again"
        )


def _refresh_profiles(
    context: dg.AssetExecutionContext, warehouse: Warehouse, vendor: MarketDataVendor
) -> Metadata:
    """Fetch the profiles of held symbols; warn of symbols without one."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        held = input_queries.read_price_end_dates(connection)
        never_priced = stored_prices.find_unpriced_symbols(connection, days)
    # a symbol that never had a price is likely misspelled, and the check price_coverage names it
    symbols = [symbol for symbol in held if symbol not in never_priced] or list(held)
    try:
        result = fallback.refresh_profiles(vendor.clients, symbols)
    except SourceError as error:  # those stored will do: results must not wait for a vendor
        result = RefreshResult(errors=dict.fromkeys(symbols, error))
    with warehouse.read() as connection:
        stored = input_queries.read_profiles(connection, symbols)
        held_in_range = input_queries.read_held_symbols(connection, days[0], days[-1])
    missing = sorted(set(held_in_range) - set(stored.index) - set(never_priced))
    if missing:
        sectors = "its sector is" if len(missing) == 1 else "their sectors are"
        context.log.warning(
            f"no profile is stored for {join_names(missing)}: {sectors} Unclassified; "
            "import profiles with `riskmetrics import profiles FILE`, or set FMP_API_KEY or"
            " RISKMETRICS_SOURCE"
        )
    metadata = reports.fetch_metadata(context, result, len(symbols))
    numbers = {"dagster/row_count": len(stored), "symbols_without_profile": len(missing)}
    return {**numbers, **metadata, **reports.preview(stored.reset_index())}


def _refresh_benchmark(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    vendor: MarketDataVendor,
    *,
    is_forced: bool,
) -> Metadata:
    """Fetch the S&P 500's sector weights; warn if the benchmark has none."""
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        code = warehouse.benchmark_code(connection)
    is_fetched = is_forced or code == DEFAULT_BENCHMARK
    try:
        result = (
            benchmark.refresh(vendor.clients, force=is_forced) if is_fetched else RefreshResult()
        )
    except SourceError as error:
        if is_forced:
            raise
        result = RefreshResult(errors={code: error})
    metadata = reports.fetch_metadata(context, result, 1)
    _refresh_fund_sectors(context, warehouse, vendor, days[-1], code)
    with warehouse.read() as connection:
        weights = input_queries.read_benchmark_weights(connection, code, days[-1])
    if weights.empty:
        context.log.warning(
            f"no sector weights of {code} are stored up to {days[-1]}: import them with "
            f"`riskmetrics import benchmark FILE --code {code}`; active weights stay undefined"
        )
        return {"as_of_dates": 0, **metadata}
    latest = weights.iloc[-1].rename("weight").reset_index()
    numbers: dict[str, int | str] = {
        "dagster/row_count": int(weights.count().sum()),
        "as_of_dates": len(weights),
        "latest": str(weights.index[-1].date()),
        "benchmark": code,
    }
    return {**numbers, **metadata, **reports.preview(latest)}


def _refresh_fund_sectors(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    vendor: MarketDataVendor,
    day: date,
    benchmark_code: str,
) -> None:
    """Fetch the sector weights of held funds; without them funds keep their class."""
    with warehouse.read() as connection:
        held = input_queries.read_held_symbols(connection, day)
        funds = fund_sectors.read_held_funds(connection, held, benchmark_code)
    try:
        result = fund_sectors.refresh(vendor.clients, funds)
    except SourceError as error:
        result = RefreshResult(warnings=(f"sector weights of funds: {error}",))
    problems = [f"sector weights of {fund}: {error}" for fund, error in result.errors.items()]
    for warning in (*result.warnings, *problems):
        context.log.warning(warning)


_DESCRIPTIONS = {
    "market_prices": (
        tables.market_data_cache,
        "Adjusted and unadjusted daily closes of held symbols and both indices.",
    ),
    "company_profiles": (
        tables.company_profiles,
        "Sector, kind and vendor beta of every symbol held.",
    ),
    "benchmark_weights": (
        tables.benchmarks_sector_weights,
        "Sector weights of the benchmark and of held funds by as-of date; those of the S&P 500 and "
        "of funds are fetched.",
    ),
}


@dg.multi_asset(
    name="market_data",
    specs=[
        dg.AssetSpec(
            name,
            description=description,
            group_name="market_data",
            kinds={"postgres"},
            owners=["team:riskmetrics"],
            metadata=table_schemas.table_metadata(table),
        )
        for name, (table, description) in _DESCRIPTIONS.items()
    ],
    # Dagster's command line requires it where a range of sessions is materialized
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
)
def market_data(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    vendor: MarketDataVendor,
    config: RefreshConfig,
) -> Iterator[AssetResult]:
    """Refresh what is selected of the stored market data."""

    def refresh(name: str, _: Set[str]) -> Iterator[AssetResult]:
        if name == "market_prices":
            metadata = _refresh_prices(context, warehouse, vendor)
        elif name == "company_profiles":
            metadata = _refresh_profiles(context, warehouse, vendor)
        else:
            is_forced = config.force_benchmark
            metadata = _refresh_benchmark(context, warehouse, vendor, is_forced=is_forced)
        yield dg.MaterializeResult(asset_key=name, metadata=metadata)

    selected = {key.to_user_string() for key in context.selected_asset_keys}
    yield from materialize_each(
        context, {name: () for name in _DESCRIPTIONS if name in selected}, refresh
    )
