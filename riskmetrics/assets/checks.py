"""What must hold of the data: each check has a measured value, a severity and a sentence."""

import dagster as dg
import numpy as np

from riskmetrics import gics, trading_calendar
from riskmetrics.assets import reports
from riskmetrics.assets.market_data import benchmark_weights
from riskmetrics.assets.partitions import run_sessions, sessions_or_latest
from riskmetrics.assets.portfolios import portfolio_values, portfolio_volatility, sector_concentration
from riskmetrics.assets.positions import position_betas
from riskmetrics.db import read, stored, stored_prices
from riskmetrics.db.suspects import suspected_moves
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY
from riskmetrics.resources import Warehouse
from riskmetrics.results import betas
from riskmetrics.results.second_opinion import largest_disagreement
from riskmetrics.text import name_some

_REFITTED = 5
"""Stored betas that a run has statsmodels fit again."""

_STORED_PRECISION = 2e-6
"""Columns keep six decimals; one unit in the last place covers both roundings."""

_EXTREME_BETA = 5.0
"""A beta larger in size did not occur in 164,000 windows of real stocks: it tells of prices."""

_SUM_TOLERANCE = 1e-9
"""How far the sector weights of a portfolio may sum from 1: rounding of float64."""

_SECTORS = len(gics.SECTORS)

_BENCHMARK_TOLERANCE = 0.005 + 1e-9
"""How far a benchmark's weights may sum from 1; weights have six decimals, and sums are rounded."""


@dg.asset_check(asset=position_betas, blocking=True)
def betas_second_opinion(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """A sample of the stored betas agrees with statsmodels; otherwise nothing downstream runs."""
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
        description=f"{len(rows)} stored betas, refitted by statsmodels, differ by {worst:.1e} at most; "
        f"{_STORED_PRECISION:.0e} is the limit",
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
    """Enough holdings of every portfolio have a close, options one of their underlying; a missing price of an option is a warning."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        sourced, valued = (stored.coverage_below(connection, metric, days, MIN_COVERAGE) for metric in ("sources", "prices"))
        never = stored_prices.never_priced(connection, days)
    absent = not sourced.empty
    short = sourced if absent else valued
    named = [f"{row.portfolio} ({row.n_covered} of {row.n_total} instruments on {row.day:%Y-%m-%d})" for row in short.itertuples()]
    said = []
    if absent:
        said.append(
            f"too few holdings have a close (options: of their underlying) in {name_some(named)}; {MIN_COVERAGE:.0%} are"
            " needed, and their risk figures are undefined: import the prices with `riskmetrics import prices FILE`,"
            " or remove the portfolio"
        )
    elif named:
        said.append(f"too few holdings have a price of their own in {name_some(named)}: state the prices of options with the holdings")
    if never:
        said.append(f"no price is stored of {name_some(never)}: check the symbol, or import its prices")
    return dg.AssetCheckResult(
        passed=short.empty and not never,
        severity=dg.AssetCheckSeverity.ERROR if absent else dg.AssetCheckSeverity.WARN,
        metadata={"portfolios_affected": len(short), "symbols_never_priced": len(never), **reports.shown(short)},
        description="; ".join(said) or "enough holdings of every portfolio have a price",
    )


@dg.asset_check(asset=portfolio_values)
def portfolios_valued(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Every portfolio has values on every session of the run; one without names the reason."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        missing = stored.portfolios_without_values(connection, days)
    named = [f"{row.portfolio} on {row.day:%Y-%m-%d} ({row.reason})" for row in missing.itertuples()]
    return dg.AssetCheckResult(
        passed=missing.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"portfolios_affected": len(missing), **reports.shown(missing)},
        description=f"no values are stored of {name_some(named)}" if named else "every portfolio has values",
    )


@dg.asset_check(asset=portfolio_values)
def believed_values(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """No value or profit of a portfolio rests on a close that is not believed: a move over half, not confirmed or taken back."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        doubted = stored.coverage_below(connection, "believed_prices", days, 1.0)
    if doubted.empty:
        return dg.AssetCheckResult(passed=True, description="no value or profit rests on a close that is not believed")
    doubted = doubted.assign(n_doubted=doubted["n_total"] - doubted["n_covered"])
    named = [f"{row.portfolio} ({row.n_doubted} of {row.n_total} instruments on {row.day:%Y-%m-%d})" for row in doubted.itertuples()]
    day = f"{doubted['day'].iloc[0]:%Y-%m-%d}"
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"portfolios_affected": len(doubted), **reports.shown(doubted)},
        description=f"value and profit rest on closes that are not believed in {name_some(named)}; see which with "
        f"`riskmetrics show quality --date {day}`, and import the right ones",
    )


@dg.asset_check(asset=portfolio_volatility)
def equity_sufficient(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """The equity of every portfolio is large enough that weights and losses can be fractions of it."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        small = stored.small_equity(connection, days, MIN_EQUITY)
    named = [
        f"{row.portfolio} (equity {row.total_value:,.2f}, gross {row.gross_exposure:,.2f} on {row.day:%Y-%m-%d})"
        for row in small.itertuples()
    ]
    return dg.AssetCheckResult(
        passed=small.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"portfolios_affected": len(small), **reports.shown(small)},
        description=f"equity is below {MIN_EQUITY:.0%} of gross exposure in {name_some(named)}: weights and figures in units"
        " of equity are undefined; correct the equity with `riskmetrics import portfolio FILE --equity AMOUNT`"
        if named
        else f"equity of every portfolio is at least {MIN_EQUITY:.0%} of gross exposure",
    )


@dg.asset_check(asset=sector_concentration, blocking=True)
def sector_weights_sum(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> dg.AssetCheckResult:
    """The sector weights of every portfolio sum to 1; otherwise nothing downstream runs."""
    days = run_sessions(context)
    with warehouse.read() as connection:
        sums = stored.sector_weight_sums(connection, days)
    worst = float(np.abs(sums["total"] - 1.0).max()) if len(sums) else 0.0
    return dg.AssetCheckResult(
        passed=worst <= _SUM_TOLERANCE,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"portfolio_sessions": len(sums), "largest_deviation": worst},
        description=f"sector weights of {len(sums)} portfolio sessions sum to 1 within {worst:.1e}; {_SUM_TOLERANCE:.0e} is the limit",
    )


@dg.asset_check(asset=benchmark_weights)
def benchmark_complete(
    context: dg.AssetCheckExecutionContext,
    warehouse: Warehouse,
) -> dg.AssetCheckResult:
    """The benchmark of the run's last session has all GICS sectors, with weights that sum to 1."""
    day = sessions_or_latest(context)[-1]
    with warehouse.read() as connection:
        code = warehouse.benchmark_code(connection)
        weights = read.benchmark_weights(connection, code, day)
    if weights.empty:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"no sector weights of {code} are stored up to {day}: "
            f"import them with `riskmetrics import benchmark FILE --code {code}`",
        )
    latest = weights.iloc[-1].dropna()
    total = float(latest.sum())
    return dg.AssetCheckResult(
        passed=len(latest) == _SECTORS and abs(total - 1.0) <= _BENCHMARK_TOLERANCE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"sectors": len(latest), "sum": total},
        description=f"{code} of {weights.index[-1].date()} has {len(latest)} of {_SECTORS} sectors, which sum to {total:.4f}",
    )
