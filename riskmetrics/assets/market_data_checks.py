"""Checks of prices and benchmark weights. Findings are reported, and nothing is deleted."""

from collections.abc import Iterator
from functools import reduce

import dagster as dg
import pandas as pd

from riskmetrics import gics
from riskmetrics.assets import reports
from riskmetrics.assets.partitions import sessions_or_latest
from riskmetrics.db import input_queries, stored_prices
from riskmetrics.inputs.stored_faults import read_faults
from riskmetrics.panels import Bars
from riskmetrics.resources import Warehouse
from riskmetrics.results import price_faults

_SECTOR_COUNT = len(gics.SECTORS)

_MAX_BENCHMARK_AGE_DAYS = 366
"""Days after which sector weights are outdated in a run; doctor warns after a month."""

_BENCHMARK_TOLERANCE = 0.005 + 1e-9
"""How far a benchmark's weights may sum from 1; weights have six decimals, and sums are rounded."""


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset="market_prices", description=fault.description)
        for name, fault in price_faults.FAULT_KINDS.items()
    ]
)
def price_quality_checks(
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
        findings, all_bars = [], []
        for day in days[:: -price_faults.YEAR_WINDOW]:
            faults = read_faults(connection, day, indices)
            findings.append(faults.found)
            all_bars.append(faults.bars)
        # held symbols without any price are named by the check price_coverage
        never_priced = stored_prices.find_unpriced_symbols(connection, days)
    found = pd.concat(findings, ignore_index=True).drop_duplicates(["fault", "symbol", "finding"])
    found = found[~found["symbol"].isin(never_priced)]
    bars = Bars(
        *(reduce(pd.DataFrame.combine_first, frames) for frames in zip(*all_bars, strict=True))
    )
    yield from (
        _check_result(name, found[found["fault"] == name], bars)
        for name in price_faults.FAULT_KINDS
    )


def _check_result(name: str, found: pd.DataFrame, bars: Bars) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=found.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "symbols_affected": found["symbol"].nunique(),
            "symbols_checked": bars.close.shape[1],
            "sessions_checked": len(bars.close),
            **reports.preview(found[["symbol", "measure", "finding"]]),
        },
        description=price_faults.describe_findings(name, found, bars),
    )


@dg.asset_check(asset="benchmark_weights")
def benchmark_complete(
    context: dg.AssetCheckExecutionContext,
    warehouse: Warehouse,
) -> dg.AssetCheckResult:
    """The benchmark of the run's last session has all GICS sectors, with weights that sum to 1.

    Weights are at most a year old.
    """
    day = sessions_or_latest(context)[-1]
    with warehouse.read() as connection:
        code = warehouse.benchmark_code(connection)
        weights = input_queries.read_benchmark_weights(connection, code, day)
    if weights.empty:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=(
                f"no sector weights of {code} are stored up to {day}: "
                f"import them with `riskmetrics import benchmark FILE --code {code}`"
            ),
        )
    latest = weights.iloc[-1].dropna()
    total = float(latest.sum())
    as_of = weights.index[-1].date()
    is_old = (day - as_of).days > _MAX_BENCHMARK_AGE_DAYS
    age = f"; they are older than a year: import those of {day:%Y}" if is_old else ""
    return dg.AssetCheckResult(
        passed=len(latest) == _SECTOR_COUNT
        and abs(total - 1.0) <= _BENCHMARK_TOLERANCE
        and not is_old,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"sectors": len(latest), "sum": total},
        description=(
            f"{code} of {as_of} has {len(latest)} of {_SECTOR_COUNT} sectors,"
            f" which sum to {total:.4f}{age}"
        ),
    )
