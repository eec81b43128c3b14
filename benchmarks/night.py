"""What a night costs: the job for one session of a simulated market, for 1,000, 10,000 and 100,000 positions.

Beside it, 165 fits by statsmodels for each position, which is what the system spends that this one replaces.
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
from benchmarks.job import run, temporary_home
from riskmetrics import trading_calendar
from riskmetrics.cli.simulate import simulate
from riskmetrics.db import read
from riskmetrics.metrics.second_opinion import statsmodels_ols
from riskmetrics.results import betas

FITS = 165
"""Regressions for each position and night of the system that this one replaces."""

LOTS = 100
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
    whole: measure.Cost
    ours: float
    """Processor seconds of this process inside assets and checks."""
    statements: int


def report(quick: bool) -> str:
    """Run the nights of every size, each in a process of its own, and fit by statsmodels."""
    size = QUICK if quick else Size()
    nights = [measure.in_child(nights_of, portfolios, size) for portfolios in size.portfolios]
    return _text(size, nights, statistics.median(seconds_a_fit() for _ in range(size.repeats)))


def nights_of(portfolios: int, size: Size) -> Night:
    """Simulate a market and portfolios, and run the job for the last sessions, one night each."""
    first, *nights = trading_calendar.between(trading_calendar.FIRST_SESSION, LAST_SESSION.date())[-size.repeats - 1 :]
    with temporary_home() as (home, engine):
        with redirect_stdout(sys.stderr):
            simulate(size.symbols, size.sessions, portfolios, LOTS, seed=1, last_session=LAST_SESSION)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            symbols = len(read.held_symbols(connection))
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            connection.exec_driver_sql("CHECKPOINT")
            connection.exec_driver_sql("ALTER SYSTEM SET log_statement = 'all'")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        run(home, [first])  # imports what is imported once, and waits for the reload
        before = _statements(home)
        costs = [run(home, [day]) for day in nights]
        statements = (_statements(home) - before) // len(nights)
    whole = measure.median([cost.whole for cost in costs])
    ours = statistics.median(cost.ours_client for cost in costs)
    return Night(portfolios * LOTS, symbols, whole, ours, statements)


def seconds_a_fit() -> float:
    """Processor seconds of one regression of a window by statsmodels, in one thread: coefficients, errors, p-values and R²."""
    rng = np.random.default_rng(1)
    market = rng.normal(0.0004, 0.01, betas.WINDOW)
    returns = market + rng.normal(0.0, 0.018, (_TIMED_FITS, betas.WINDOW))
    statsmodels_ols(returns[0], market)  # imports
    start = time.thread_time()
    for each in returns:
        statsmodels_ols(each, market)
    return (time.thread_time() - start) / _TIMED_FITS


def _statements(home: Path) -> int:
    return len(_STATEMENT.findall((home / "postgres.log").read_text(errors="replace")))


def _text(size: Size, nights: Sequence[Night], fit: float) -> str:
    lines = [
        (
            f"{night.positions:,}",
            f"{night.symbols:,}",
            f"{night.whole.wall:.1f}",
            f"{night.ours:.2f}",
            f"{night.whole.client - night.ours:.2f}",
            f"{night.whole.server:.2f}",
            f"{night.whole.processor / night.positions * 1_000:.3f}",
            f"{_cheaper(night, fit):,.0f}x",
            f"{night.statements}",
            f"{night.whole.peak:,.0f}",
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
        f"{FITS} fits beside it",
        "statements",
        "peak MB",
    ]
    wanted = [
        measure.Target(f"{FITS} statsmodels fits beside all of ours, {nights[-1].positions:,} positions", 300, _cheaper(nights[-1], fit)),
        *(
            measure.Target(
                f"growth of processor time beside that of positions, {one.positions:,} to {more.positions:,}",
                1.0,
                (more.whole.processor / one.whole.processor) / (more.positions / one.positions),
                is_most=True,
            )
            for one, more in pairwise(nights)
        ),
    ]
    return f"""## A night

The job for one session, none of whose results are stored: portfolios of {LOTS} lots in a simulated market of {size.symbols:,} stocks
with {size.sessions} sessions of prices; what scales is the portfolios, and with them the symbols in use. Processor seconds are those
of the functions of assets and checks, of Dagster in the same process, and of the durable Postgres; what is imported once (a few
seconds) is not counted. A statsmodels fit of {betas.WINDOW} returns takes {fit * 1e3:.2f} ms. Medians of {size.repeats} nights; statements
are what Postgres executes in one, BEGIN and COMMIT too; memory is this process's largest.

{measure.table(head, lines)}

{measure.targets(wanted)}
"""


def _cheaper(night: Night, fit: float) -> float:
    return FITS * fit * night.positions / night.whole.processor
