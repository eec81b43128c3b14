"""What is known of each position: its market beta. Estimated per symbol, written per position."""

import dagster as dg

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.market_data import market_prices
from riskmetrics.assets.partitions import run_sessions, sessions
from riskmetrics.db import read, tables, write
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import betas


@dg.asset(
    partitions_def=sessions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[market_prices],
    group_name="positions",
    kinds={"postgres"},
    owners=["team:riskmetrics"],
)
def position_betas(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Market beta of every open position over the 90 sessions that end on each day (`position_market_betas`)."""
    days = run_sessions(context)
    table = tables.position_market_betas
    with warehouse.begin("position_betas") as connection:
        market = warehouse.market_index(connection)
        lots = read.lots(connection)
        estimates = inputs.market_betas(connection, lots, days, market)
        rows, undefined = betas.position_rows(estimates, lots, days, betas.MARKET)
        rows, undefined = write.fit(table, rows, undefined, subject="position_id", day="calc_date")
        key, scope = ("portfolio_id", "position_id", "calc_date", "method", "window_days"), write.of_days(table.c.calc_date, days)
        written = write.replace(connection, table, rows, key=key, scope=scope, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=betas.MARKET.metrics, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="calc_date", undefined=undefined)
