"""Cost of a nightly run: one session of a simulated market with 1,000 to 1,000,000 positions.

Compared with 165 statsmodels fits per position, the cost of the system that riskmetrics replaces.
"""

import re
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import measure
from benchmarks.job import (
    LAST_SESSION,
    LOTS_PER_PORTFOLIO,
    QUICK_ASSETS,
    run_job,
    simulated_home,
)
from riskmetrics import trading_calendar
from riskmetrics.db import input_queries
from riskmetrics.metrics.reference_ols import statsmodels_ols
from riskmetrics.results import betas

REFERENCE_FITS = 165
"""Regressions per position and night of the system that riskmetrics replaces."""

LARGE_BOOK, MAX_SECONDS, MAX_MEGABYTES = 1_000_000, 360, 4_000
"""Positions of a large book, and limits of its run in one process."""

MAX_GROWTH, MIN_POSITIONS_OF_GROWTH = 1.05, 100_000
"""Growth of the CPU time of a position, and the number of positions from which on it counts."""

_TIMED_FITS = 400
_STATEMENT = re.compile(r"LOG:  (statement|execute)")


class Size(NamedTuple):
    """Size of the market, numbers of portfolios and of measured nights, and assets (none: all)."""

    portfolios: tuple[int, ...] = (10, 100, 1_000, 10_000)
    symbols: int = 5_000
    sessions: int = 504
    repeats: int = 3
    assets: tuple[str, ...] = ()


QUICK = Size(portfolios=(1, 2), symbols=50, sessions=100, repeats=1, assets=QUICK_ASSETS)


class Night(NamedTuple):
    """Median cost of the nightly runs of one size."""

    positions: int
    symbols: int
    total: measure.Cost
    asset_cpu_seconds: float
    """CPU seconds of this process in assets and checks."""
    statements: int


def report(quick: bool) -> str:
    """Measure nightly runs of every size, each in a new process, and statsmodels fits."""
    size = QUICK if quick else Size()
    nights = [
        measure.run_in_child(measure_nights, portfolios, size) for portfolios in size.portfolios
    ]
    return _text(size, nights, statistics.median(seconds_per_fit() for _ in range(size.repeats)))


def measure_nights(portfolios: int, size: Size) -> Night:
    """Simulate a market and portfolios, and run the job once for each of the last sessions."""
    first, *nights = trading_calendar.sessions_between(
        trading_calendar.FIRST_SESSION, LAST_SESSION
    )[-size.repeats - 1 :]
    with simulated_home(size.symbols, size.sessions, portfolios) as (home, engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            symbols = len(input_queries.read_symbols_ever_held(connection))
            connection.exec_driver_sql("ALTER SYSTEM SET log_statement = 'all'")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        run_job(
            home, [first], size.assets
        )  # imports what is imported once, and waits for the reload
        before = _count_statements(home)
        costs = [run_job(home, [day], size.assets) for day in nights]
        statements = (_count_statements(home) - before) // len(nights)
    whole = measure.median_cost([cost.total for cost in costs])
    asset_cpu_seconds = statistics.median(cost.asset_cpu_seconds for cost in costs)
    return Night(portfolios * LOTS_PER_PORTFOLIO, symbols, whole, asset_cpu_seconds, statements)


def seconds_per_fit() -> float:
    """Return CPU seconds of one statsmodels fit of a window with errors, p-values and R²."""
    rng = np.random.default_rng(1)
    market = rng.normal(0.0004, 0.01, betas.BETA_WINDOW)
    returns = market + rng.normal(0.0, 0.018, (_TIMED_FITS, betas.BETA_WINDOW))
    statsmodels_ols(returns[0], market)  # imports
    start = time.thread_time()
    for each in returns:
        statsmodels_ols(each, market)
    return (time.thread_time() - start) / _TIMED_FITS


def _count_statements(home: Path) -> int:
    return len(_STATEMENT.findall((home / "postgres.log").read_text(errors="replace")))


def _text(size: Size, nights: Sequence[Night], fit: float) -> str:
    lines = [
        (
            f"{night.positions:,}",
            f"{night.symbols:,}",
            f"{night.total.wall:.1f}",
            f"{night.asset_cpu_seconds:.2f}",
            f"{night.total.client - night.asset_cpu_seconds:.2f}",
            f"{night.total.server:.2f}",
            f"{night.total.processor / night.positions * 1_000:.3f}",
            f"{_speedup(night, fit):,.0f}x",
            f"{night.statements}",
            f"{night.total.peak:,.0f}",
        )
        for night in nights
    ]
    head = [
        "positions",
        "symbols held",
        "seconds",
        "CPU s, assets",
        "Dagster",
        "Postgres",
        "per 1,000 positions",
        f"vs. {REFERENCE_FITS} fits",
        "statements",
        "peak MB",
    ]
    return f"""## Nightly run

The job for one session without stored results: portfolios of {LOTS_PER_PORTFOLIO} lots in a
simulated market of {size.symbols:,} stocks with {size.sessions} sessions of prices. The number of
portfolios varies, and with it the number of symbols held. CPU seconds are those of assets and
checks, of Dagster in the same process, and of the durable Postgres; one-time imports (a few
seconds) are excluded. A statsmodels fit of {betas.BETA_WINDOW} returns takes {fit * 1e3:.2f} ms.
Medians of {size.repeats} nights; statements are those that Postgres executes per run, including
BEGIN and COMMIT; memory is the peak of the process.

{measure.markdown_table(head, lines)}

{measure.targets_table(_targets(nights, fit))}
"""


def _targets(nights: Sequence[Night], fit: float) -> list[measure.Target]:
    speedups = [night for night in nights if night.positions == MIN_POSITIONS_OF_GROWTH]
    large = [night for night in nights if night.positions == LARGE_BOOK]
    targets = [
        measure.Target(
            f"speedup over {REFERENCE_FITS} statsmodels fits, {night.positions:,} positions",
            300,
            _speedup(night, fit),
        )
        for night in speedups or nights[-1:]
    ]
    targets += [
        measure.Target(
            f"growth of CPU time relative to positions, {fewer.positions:,} to {more.positions:,}",
            MAX_GROWTH if fewer.positions >= MIN_POSITIONS_OF_GROWTH else 1.0,
            (more.total.processor / fewer.total.processor) / (more.positions / fewer.positions),
            is_upper_limit=True,
        )
        for fewer, more in pairwise(nights)
    ]
    for night in large:
        label = f"{night.positions:,} positions, one process"
        targets += [
            measure.Target(f"seconds, {label}", MAX_SECONDS, night.total.wall, True),
            measure.Target(f"peak MB, {label}", MAX_MEGABYTES, night.total.peak, True),
        ]
    return targets


def _speedup(night: Night, fit: float) -> float:
    return REFERENCE_FITS * fit * night.positions / night.total.processor
