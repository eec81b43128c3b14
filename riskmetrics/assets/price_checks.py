"""What must hold of prices, as checks of `market_prices`: what is found is said, left out where a metric cannot bear it, never deleted."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.assets import reports
from riskmetrics.assets.market_data import market_prices
from riskmetrics.db import read
from riskmetrics.db.suspects import import_seams, suspected_moves
from riskmetrics.panels import Bars
from riskmetrics.resources import Warehouse
from riskmetrics.results import price_quality


@dg.multi_asset_check(
    specs=[dg.AssetCheckSpec(name, asset=market_prices, description=fault.meaning) for name, fault in price_quality.FAULTS.items()]
)
def prices_of_the_year(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
    """Look once at the year of prices that is stored last, of what is held and of the indices."""
    with warehouse.read() as connection:
        market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
        day = read.last_close(connection, market) or trading_calendar.last_ended()
        bars = read.held_bars(connection, price_quality.sessions(day), [market, rate])
        suspects = suspected_moves(connection, bars.close.columns)
        seams = import_seams(connection, bars.close.columns, price_quality.sessions(day))
    found = price_quality.find(bars, suspects, seams)
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
