"""Runs of the real job in a temporary home, with the time spent in assets and in Dagster."""

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stdout
from datetime import date
from inspect import isgenerator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import sqlalchemy as sa

from benchmarks import measure
from riskmetrics import settings
from riskmetrics.cli.simulate_command import simulate
from riskmetrics.db import embedded, migrate
from riskmetrics.db.engine import create_engine

LOTS_PER_PORTFOLIO = 100

LAST_SESSION = date(2024, 12, 6)


class JobCost(NamedTuple):
    """Cost of a run, in total and in functions of assets and checks; the remainder is Dagster."""

    run_id: str
    total: measure.Cost
    asset_wall_seconds: dict[str, float]
    """Wall-clock seconds by asset or check."""
    asset_cpu_seconds: float
    """CPU seconds of this process in assets and checks."""


@contextmanager
def temporary_home() -> Iterator[tuple[Path, sa.Engine]]:
    """Yield a temporary home with a migrated embedded server, both set in the environment."""
    with (
        tempfile.TemporaryDirectory(prefix="riskmetrics-benchmark-") as folder,
        chdir(folder),  # so that the .env of the user is not read
        embedded.connect_or_start(Path(folder)) as server,
        patch.dict(os.environ, RISKMETRICS_HOME=folder, RISKMETRICS_DATABASE_URL=server.url),
    ):
        for name in ("RISKMETRICS_MARKET_INDEX", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
            os.environ.pop(name, None)
        # for CHECKPOINT, server settings, and the database of Dagster on the same server
        with server._cluster.superuser_connection() as superuser:
            superuser.execute("ALTER ROLE riskmetrics_owner SUPERUSER")
        engine = create_engine(server.url)
        migrate.ensure_head(engine)
        yield Path(folder), engine
        engine.dispose()


@contextmanager
def simulated_home(
    symbols: int, sessions: int, portfolios: int, lots: int = LOTS_PER_PORTFOLIO
) -> Iterator[tuple[Path, sa.Engine]]:
    """Yield a temporary home with a simulated market and portfolios, vacuumed and checkpointed."""
    with temporary_home() as (home, engine):
        with redirect_stdout(sys.stderr):
            simulate(symbols, sessions, portfolios, lots, seed=1, last_session=LAST_SESSION)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # autovacuum would be too late: plans without statistics take minutes
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            connection.exec_driver_sql("CHECKPOINT")
        yield home, engine


QUICK_ASSETS = ("portfolio_values", "position_betas")
"""Assets of a smoke test: one that is computed by portfolio, and one by symbol."""


def run_job(home: Path, days: Sequence[date], assets: Sequence[str] = ()) -> JobCost:
    """Run the job for ``days`` in the same way as `riskmetrics run` and `riskmetrics backfill`.

    ``assets`` are the names of those to compute; all if there are none.
    """
    from dagster._core.execution.plan import compute_generator

    from riskmetrics.cli import launch

    outcomes: list[launch.RunOutcome] = []
    asset_wall_seconds: defaultdict[str, float] = defaultdict(float)
    asset_cpu_seconds: list[float] = []
    invoke = compute_generator.invoke_compute_fn  # only calls the functions of assets and checks

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        wall, client = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            asset_wall_seconds[name] += time.perf_counter() - wall
            asset_cpu_seconds.append(time.process_time() - client)

    def iterate_timed(name: str, results: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            with timed(name):
                result = next(results, end)
            if result is end:
                return
            yield result

    def invoke_timed(function: Any, *arguments: Any) -> Any:
        with timed(function.__name__):
            result = invoke(function, *arguments)
        # a function that yields runs only when Dagster takes its results
        return iterate_timed(function.__name__, result) if isgenerator(result) else result

    with patch.object(compute_generator, "invoke_compute_fn", invoke_timed):
        whole = measure.measure_cost(
            lambda: outcomes.append(launch.run(settings.load(), days, assets)), home
        )
    (outcome,) = outcomes
    if outcome.exit_code:
        raise RuntimeError(f"run of {days[0]} failed with exit code {outcome.exit_code}")
    return JobCost(outcome.run_id, whole, asset_wall_seconds, sum(asset_cpu_seconds))
