"""What a night costs: the job for one session of a simulated market, for 1,000, 10,000 and 100,000 positions.

Beside it, 165 fits by statsmodels for each position, which is what the system spends that this one
replaces.
"""

import re
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import measure
from benchmarks.job import run_job, temporary_home
from riskmetrics import trading_calendar
from riskmetrics.cli.simulate_command import simulate
from riskmetrics.db import input_queries
from riskmetrics.metrics.reference_ols import statsmodels_ols
from riskmetrics.results import betas

REFERENCE_FITS = 165
"""Regressions for each position and night of the system that this one replaces."""

LOTS_PER_PORTFOLIO = 100
"""In each portfolio."""

LAST_SESSION = datetime(2024, 12, 6)  # noqa: DTZ001  a day, as the command line takes it

_TIMED_FITS = 400
_STATEMENT = re.compile(r"LOG:  (statement|execute)")


class Size(NamedTuple):
    """How large the market is, for how many portfolios, and how many nights are measured."""

    portfolios: tuple[int, ...] = (10, 100, 1_000)
    symbols: int = 3_000
    sessions: int = 252
    repeats: int = 3


QUICK = Size(portfolios=(1, 2), symbols=50, sessions=100, repeats=1)


class Night(NamedTuple):
    """One size: the median of its nights."""

    positions: int
    symbols: int
    total: measure.Cost
    asset_cpu_seconds: float
    """Processor seconds of this process inside assets and checks."""
    statements: int


def report(quick: bool) -> str:
    """Run the nights of every size, each in a process of its own, and fit by statsmodels."""
    size = QUICK if quick else Size()
    nights = [
        measure.run_in_child(measure_nights, portfolios, size) for portfolios in size.portfolios
    ]
    return _text(size, nights, statistics.median(seconds_per_fit() for _ in range(size.repeats)))


def measure_nights(portfolios: int, size: Size) -> Night:
    """Simulate a market and portfolios, and run the job for the last sessions, one night each."""
    first, *nights = trading_calendar.sessions_between(
        trading_calendar.FIRST_SESSION, LAST_SESSION.date()
    )[-size.repeats - 1 :]
    with temporary_home() as (home, engine):
        with redirect_stdout(sys.stderr):
            simulate(
                size.symbols,
                size.sessions,
                portfolios,
                LOTS_PER_PORTFOLIO,
                seed=1,
                last_session=LAST_SESSION,
            )
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            symbols = len(input_queries.read_held_symbols(connection))
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            connection.exec_driver_sql("CHECKPOINT")
            connection.exec_driver_sql("ALTER SYSTEM SET log_statement = 'all'")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        run_job(home, [first])  # imports what is imported once, and waits for the reload
        before = _count_statements(home)
        costs = [run_job(home, [day]) for day in nights]
        statements = (_count_statements(home) - before) // len(nights)
    whole = measure.median_cost([cost.total for cost in costs])
    asset_cpu_seconds = statistics.median(cost.asset_cpu_seconds for cost in costs)
    return Night(portfolios * LOTS_PER_PORTFOLIO, symbols, whole, asset_cpu_seconds, statements)


def seconds_per_fit() -> float:
    """Processor seconds of one regression of a window by statsmodels, in one thread: coefficients, errors, p-values and R²."""
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
        "symbols in use",
        "seconds",
        "CPU s, ours",
        "Dagster",
        "Postgres",
        "of 1,000 positions",
        f"{REFERENCE_FITS} fits beside it",
        "statements",
        "peak MB",
    ]
    wanted = [
        measure.Target(
            f"{REFERENCE_FITS} statsmodels fits beside all of ours, {nights[-1].positions:,}"
            " positions",
            300,
            _speedup(nights[-1], fit),
        ),
        *(
            measure.Target(
                f"growth of processor time beside that of positions, {one.positions:,} to"
                f" {more.positions:,}",
                1.0,
                (more.total.processor / one.total.processor) / (more.positions / one.positions),
                is_upper_limit=True,
            )
            for one, more in pairwise(nights)
        ),
    ]
    return f"""## A night

The job for one session, none of whose results are stored: portfolios of {LOTS_PER_PORTFOLIO} lots in a simulated market of {size.symbols:,} stocks
with {size.sessions} sessions of prices; what scales is the portfolios, and with them the symbols in use. Processor seconds are those
of the functions of assets and checks, of Dagster in the same process, and of the durable Postgres; what is imported once (a few
seconds) is not counted. A statsmodels fit of {betas.BETA_WINDOW} returns takes {fit * 1e3:.2f} ms. Medians of {size.repeats} nights; statements
are what Postgres executes in one, BEGIN and COMMIT too; memory is this process's largest.

{measure.markdown_table(head, lines)}

{measure.targets_table(wanted)}
"""


def _speedup(night: Night, fit: float) -> float:
    return REFERENCE_FITS * fit * night.positions / night.total.processor
