"""What must hold of prices, as checks of `market_prices`: what is found is said, left out where a metric cannot bear it, never deleted."""

from collections.abc import Iterator
from functools import reduce

import dagster as dg
import pandas as pd

from riskmetrics.assets import reports
from riskmetrics.assets.market_data import market_prices
from riskmetrics.assets.partitions import sessions_or_latest
from riskmetrics.db import read
from riskmetrics.db.suspects import import_seams, suspected_moves
from riskmetrics.panels import Bars
from riskmetrics.resources import Warehouse
from riskmetrics.results import price_quality


@dg.multi_asset_check(
    specs=[dg.AssetCheckSpec(name, asset=market_prices, description=fault.meaning) for name, fault in price_quality.FAULTS.items()]
)
def prices_of_the_year(
    context: dg.AssetCheckExecutionContext,
    warehouse: Warehouse,
) -> Iterator[dg.AssetCheckResult]:
    """Look at the prices that the run's sessions rest on, of what is held and of the indices.

    Every check looks back a year from a session, at what is held and known on it: from the last
    session of the run, and in a longer run from one session in each year before.
    """
    days = sessions_or_latest(context)
    with warehouse.read() as connection:
        indices = [warehouse.market_index(connection), warehouse.rate_index(connection)]
        findings, looks = [], []
        for day in days[:: -price_quality.YEAR]:
            sessions = price_quality.sessions(day)
            bars = read.held_bars(connection, sessions, indices)
            suspects = suspected_moves(connection, bars.close.columns)
            findings.append(price_quality.find(bars, suspects, import_seams(connection, bars.close.columns, sessions)))
            looks.append(bars)
    found = pd.concat(findings, ignore_index=True).drop_duplicates(["fault", "symbol", "finding"])
    bars = Bars(*(reduce(pd.DataFrame.combine_first, of) for of in zip(*looks, strict=True)))
    yield from (_result(name, found[found["fault"] == name], bars) for name in price_quality.FAULTS)


def _result(name: str, found: pd.DataFrame, bars: Bars) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=found.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "symbols_affected": found["symbol"].nunique(),
            "symbols_looked_at": bars.close.shape[1],
            "sessions_looked_at": len(bars.close),
            **reports.shown(found[["symbol", "measure", "finding"]]),
        },
        description=price_quality.sentence(name, found, bars),
    )
