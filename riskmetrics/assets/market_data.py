"""Market data: what is stored for the symbols in use. It is imported from files; these assets say what there is and what is missing."""

import dagster as dg

from riskmetrics import trading_calendar
from riskmetrics.assets import reports
from riskmetrics.db import read
from riskmetrics.db.read import BENCHMARK
from riskmetrics.resources import Warehouse

_OWNERS = ["team:riskmetrics"]


@dg.asset(group_name="market_data", kinds={"postgres"}, owners=_OWNERS)
def market_prices(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Daily closes of every symbol held and of the market index, adjusted and unadjusted (`market_data_cache`)."""
    with warehouse.read() as connection:
        symbols = {*read.held_symbols(connection), warehouse.market_index(connection)}
        coverage = read.price_coverage(connection, symbols)
    missing = sorted(symbols - set(coverage["symbol"]))
    if missing:
        context.log.warning(f"no price is stored of {', '.join(missing)}: import them with `riskmetrics import prices FILE`")
    return dg.MaterializeResult(metadata={"symbols": len(symbols), "symbols_without_prices": len(missing), **reports.shown(coverage)})


@dg.asset(group_name="market_data", kinds={"postgres"}, owners=_OWNERS)
def company_profiles(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Sector, kind and vendor beta of every symbol held (`company_profiles`)."""
    with warehouse.read() as connection:
        symbols = read.held_symbols(connection)
        profiles = read.profiles(connection, symbols)
    missing = sorted(set(symbols) - set(profiles.index))
    if missing:
        context.log.warning(f"no profile is stored of {', '.join(missing)}: they count as Unclassified")
    return dg.MaterializeResult(metadata={"symbols_without_profile": len(missing), **reports.shown(profiles.reset_index())})


@dg.asset(group_name="market_data", kinds={"postgres"}, owners=_OWNERS)
def benchmark_weights(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Sector weights of the S&P 500 by as-of date (`benchmarks_sector_weights`)."""
    with warehouse.read() as connection:
        weights = read.benchmark_weights(connection, BENCHMARK, trading_calendar.last_ended())
    if weights.empty:
        context.log.warning("no benchmark is stored: import one with `riskmetrics import benchmark FILE`; active weights stay undefined")
        return dg.MaterializeResult(metadata={"as_of_dates": 0})
    latest = weights.iloc[-1].rename("weight").reset_index()
    return dg.MaterializeResult(metadata={"as_of_dates": len(weights), "latest": str(weights.index[-1].date()), **reports.shown(latest)})
