"""What must hold of the data: each check has a measured value, a severity and a sentence."""

import dagster as dg
import numpy as np

from riskmetrics import gics, trading_calendar
from riskmetrics.assets import reports
from riskmetrics.assets.market_data import benchmark_weights
from riskmetrics.assets.partitions import run_sessions
from riskmetrics.assets.portfolios import portfolio_values, sector_concentration
from riskmetrics.assets.positions import position_betas
from riskmetrics.db import read, stored
from riskmetrics.db.suspects import suspected_moves
from riskmetrics.metrics.portfolio import MIN_COVERAGE
from riskmetrics.resources import Warehouse
from riskmetrics.results import betas
from riskmetrics.results.second_opinion import largest_disagreement

_REFITTED = 5
"""Stored betas that a run has statsmodels fit again."""

_STORED_PRECISION = 2e-6
"""Columns keep six decimals; one unit in the last place covers both roundings."""

_EXTREME_BETA = 5.0
"""A beta larger in size did not occur in 164,000 windows of real stocks: it tells of prices."""

_SECTORS = len(gics.SECTORS)

_BENCHMARK_TOLERANCE = 0.005


@dg.asset_check(asset=position_betas)
def betas_second_opinion(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """A handful of the stored betas agree with a regression by statsmodels."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        rows = stored.some_betas(connection, days, _REFITTED)
        symbols = {*rows["symbol"], *rows["market_index"]}
        sessions = trading_calendar.window(days, betas.WINDOW + 1)
        closes = read.adjusted_closes(connection, symbols, sessions)
        suspected = suspected_moves(connection, symbols)
    worst = largest_disagreement(rows, closes, suspected)
    return dg.AssetCheckResult(
        passed=worst <= _STORED_PRECISION,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"refitted": len(rows), "largest_difference": worst},
        description=f"{len(rows)} stored betas, refitted by statsmodels, differ by {worst:.1e} at most",
    )


@dg.asset_check(asset=position_betas)
def beta_extreme(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """No market beta is so large that only wrong prices explain it; none is capped."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        extreme, n_betas = stored.betas_beyond(connection, days, _EXTREME_BETA), stored.count_betas(connection, days)
    worst = "".join(f": the largest is {row.beta:.1f}, of {row.symbol} on {row.calc_date:%Y-%m-%d}" for row in extreme[:1].itertuples())
    advice = "; look for its cause with `riskmetrics show quality`, and import the right prices" if worst else ""
    return dg.AssetCheckResult(
        passed=extreme.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"betas_affected": len(extreme), "betas_looked_at": n_betas, **reports.shown(extreme)},
        description=f"{len(extreme)} of {n_betas} betas are beyond ±{_EXTREME_BETA:.0f}{worst}{advice}",
    )


@dg.asset_check(asset=portfolio_values)
def price_coverage(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Nearly all holdings of every portfolio have a close, options one of their underlying; and a value, or it is a warning."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        sourced, valued = (stored.lowest_coverage(connection, metric, days) for metric in ("sources", "prices"))
    if sourced is None or valued is None:
        return dg.AssetCheckResult(passed=True, description="no portfolio holds anything on these sessions")
    absent, unstated = sourced.coverage < MIN_COVERAGE, valued.coverage < MIN_COVERAGE
    if absent:
        lowest, what = sourced, "close (options: of their underlying)"
        to_do = "import its prices with `riskmetrics import prices FILE`, or remove the portfolio"
    else:
        lowest, what, to_do = valued, "price of their own", "state the prices of options with the holdings"
    advice = f"; the rest is in no value: {to_do}" if absent or unstated else ""
    return dg.AssetCheckResult(
        passed=not absent and not unstated,
        severity=dg.AssetCheckSeverity.ERROR if absent else dg.AssetCheckSeverity.WARN,
        metadata={"lowest_coverage": lowest.coverage, "portfolio": lowest.name, "session": str(lowest.day)},
        description=f"{lowest.coverage:.0%} of the holdings of {lowest.name} have a {what} on {lowest.day}; "
        f"{MIN_COVERAGE:.0%} is the least{advice}",
    )


@dg.asset_check(asset=portfolio_values)
def believed_values(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """No value or profit of a portfolio rests on a close that is not believed: a move over half, not confirmed or taken back."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        lowest = stored.lowest_coverage(connection, "believed_prices", days)
    if lowest is None or lowest.coverage == 1:
        return dg.AssetCheckResult(passed=True, description="every value and profit rests on closes that are believed")
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"lowest_coverage": lowest.coverage, "portfolio": lowest.name, "session": str(lowest.day)},
        description=f"value and profit of {lowest.name} on {lowest.day} rest on closes that are not believed, {1 - lowest.coverage:.0%} of "
        f"them; see which with `riskmetrics show quality --date {lowest.day}`, and import the right ones",
    )


@dg.asset_check(asset=portfolio_values)
def equity_positive(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """The equity of every portfolio is positive, so that weights can be taken of it; else they are of gross exposure."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        lowest = stored.lowest_equity(connection, days)
    if lowest is None:
        return dg.AssetCheckResult(passed=True, description="no portfolio holds anything with a price on these sessions")
    return dg.AssetCheckResult(
        passed=lowest.total_value > 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"lowest_equity": float(lowest.total_value), "portfolio": lowest.name, "session": str(lowest.snapshot_date)},
        description=f"equity of {lowest.name} is {lowest.total_value} on {lowest.snapshot_date}: weights are of gross if not positive",
    )


@dg.asset_check(asset=sector_concentration)
def sector_weights_sum(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """The sector weights of every portfolio sum to 1."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        sums = stored.sector_weight_sums(connection, days)
    worst = float(np.abs(sums["total"] - 1.0).max()) if len(sums) else 0.0
    return dg.AssetCheckResult(
        passed=worst < 1e-9,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"portfolio_sessions": len(sums), "largest_deviation": worst},
        description=f"sector weights of {len(sums)} portfolio sessions sum to 1 within {worst:.1e}",
    )


@dg.asset_check(asset=benchmark_weights)
def benchmark_complete(warehouse: Warehouse) -> dg.AssetCheckResult:
    """The latest benchmark has all eleven GICS sectors, and their weights sum to 1."""
    with warehouse.read() as connection:
        weights = read.benchmark_weights(connection, read.BENCHMARK, trading_calendar.last_ended())
    if weights.empty:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description="no benchmark is stored")
    latest = weights.iloc[-1].dropna()
    total = float(latest.sum())
    return dg.AssetCheckResult(
        passed=len(latest) == _SECTORS and abs(total - 1.0) <= _BENCHMARK_TOLERANCE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"sectors": len(latest), "sum": total},
        description=f"the benchmark of {weights.index[-1].date()} has {len(latest)} of {_SECTORS} sectors, which sum to {total:.4f}",
    )
