"""Nightly runs with one and with two worker processes, against two independent copies of the work.

Two copies on two cores show what the machine gives to two processes: they share its memory.
"""

import os
import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from benchmarks import measure
from benchmarks.job import (
    LAST_SESSION,
    LOTS_PER_PORTFOLIO,
    QUICK_ASSETS,
    run_job,
    simulated_home,
)
from riskmetrics import trading_calendar

MIN_EFFICIENCY = 0.85
"""Throughput of two workers relative to that of two independent copies."""

_WAIT_SECONDS = 3_600


class Size(NamedTuple):
    """Numbers of portfolios, and the size of the market."""

    portfolios: tuple[int, ...] = (100, 1_000)
    symbols: int = 5_000
    sessions: int = 504
    has_warm_up: bool = True
    """Whether a run is made first, to load what is loaded once."""
    assets: tuple[str, ...] = ()
    """Names of assets; all if there are none."""


QUICK = Size(portfolios=(1,), symbols=20, sessions=100, has_warm_up=False, assets=QUICK_ASSETS)


class Run(NamedTuple):
    """Cost of a nightly run, with that of its worker processes."""

    wall: float
    client: float
    server: float

    @property
    def postgres_share(self) -> float:
        """Return the share of CPU time that Postgres uses."""
        return self.server / (self.client + self.server)


class Comparison(NamedTuple):
    """Runs of one size."""

    positions: int
    one: Run
    two: Run
    copies: tuple[Run, Run]
    """Two runs of one process each, at the same time, each with its own database."""

    @property
    def efficiency(self) -> float:
        """Return the throughput of two workers relative to that of two copies."""
        return max(run.wall for run in self.copies) / 2 / self.two.wall


def report(quick: bool) -> str:
    """Measure every size, each run in a new process."""
    size = QUICK if quick else Size()
    return _text(size, [_compare(portfolios, size) for portfolios in size.portfolios])


def measure_run(portfolios: int, size: Size, workers: int) -> Run:
    """Simulate a market and portfolios, run the job once to load everything, and measure it."""
    first, day = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, LAST_SESSION)[
        -2:
    ]
    # so that a small book is divided too
    variables = {
        "RISKMETRICS_WORKERS": str(workers),
        "RISKMETRICS_SHARD_POSITIONS": str(max(1, portfolios * LOTS_PER_PORTFOLIO // workers)),
    }
    with (
        simulated_home(size.symbols, size.sessions, portfolios) as (home, _),
        patch.dict(os.environ, variables),
    ):
        if size.has_warm_up:
            run_job(home, [first], size.assets)
        if _barrier is not None:
            _barrier.wait(_WAIT_SECONDS)
        children = _children_seconds()
        cost = run_job(home, [day], size.assets).total
        return Run(cost.wall, cost.client + _children_seconds() - children, cost.server)


_barrier: Barrier | None = None


def _set_barrier(barrier: Barrier) -> None:
    """Let the measured runs of several processes begin at the same time."""
    global _barrier  # noqa: PLW0603  # the initializer of a process has no other place
    _barrier = barrier


def _children_seconds() -> float:
    """Return the CPU seconds of processes that this one has started, and of their children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = file.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():  # the server that worker processes are forked from
                ticks += sum(map(int, fields[11:15]))
    return usage.ru_utime + usage.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _compare(portfolios: int, size: Size) -> Comparison:
    context = get_context("spawn")
    with ProcessPoolExecutor(2, context, _set_barrier, (context.Barrier(2),)) as pool:
        both = [pool.submit(measure_run, portfolios, size, 1) for _ in range(2)]
        first, second = (future.result() for future in both)
    return Comparison(
        portfolios * LOTS_PER_PORTFOLIO,
        measure.run_in_child(measure_run, portfolios, size, 1),
        measure.run_in_child(measure_run, portfolios, size, 2),
        (first, second),
    )


def _text(size: Size, found: Sequence[Comparison]) -> str:
    lines = [
        (
            f"{each.positions:,}",
            label,
            f"{wall:.1f}",
            f"{each.one.wall * n_runs / wall:.2f}",
            f"{client:.1f}",
            f"{server:.1f}",
            f"{server / (client + server):.0%}",
        )
        for each in found
        for label, n_runs, wall, client, server in (
            ("1 worker", 1, *each.one),
            ("2 workers", 1, *each.two),
            (
                "2 copies",
                2,
                max(run.wall for run in each.copies),
                sum(run.client for run in each.copies),
                sum(run.server for run in each.copies),
            ),
        )
    ]
    head = ["positions", "", "seconds", "throughput", "CPU s, client", "Postgres", "its share"]
    targets = [
        measure.Target(
            f"throughput of 2 workers relative to 2 copies, {each.positions:,} positions",
            MIN_EFFICIENCY,
            each.efficiency,
        )
        for each in found
    ]
    return f"""## Workers

The nightly run of one session without stored results, as in the table above, with
{size.symbols:,} stocks and {size.sessions} sessions: in one process, with RISKMETRICS_WORKERS=2,
and as two independent copies at the same time, each with its own database. Throughput is relative
to one process. CPU seconds of the client include worker processes, and that their modules are
loaded, which takes about a second.

{measure.markdown_table(head, lines)}

{measure.targets_table(targets)}
"""
