"""Cost of a backfill: 252 sessions of the bundled sample in one run, and in 252 runs.

The time is split into that of assets and checks, and that of Dagster, which is mostly events.
"""

import os
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from benchmarks import measure
from benchmarks.job import QUICK_ASSETS, JobCost, run_job, temporary_home
from riskmetrics import settings, trading_calendar
from riskmetrics.cli import launch
from riskmetrics.cli.demo import load_sample
from riskmetrics.db import result_tables
from riskmetrics.sources import sample


class Size(NamedTuple):
    """Number of sessions of the backfill, of repetitions, and of single runs that are scaled.

    ``assets`` are the names of those to compute; all if there are none.
    """

    sessions: int = 252
    repeats: int = 3
    singles: int = 20
    assets: tuple[str, ...] = ()


QUICK = Size(sessions=3, repeats=1, singles=1, assets=QUICK_ASSETS)


ONE_BY_ONE, BATCHED, SINGLE = (
    "one run, events one by one",
    "one run, batches of 1,000",
    "one run per session",
)

Events = dict[str, tuple[int, float]]
"""Number of events by type, and seconds until the next event, mostly spent on storing the event."""


class Measurement(NamedTuple):
    """Cost and events of a run."""

    cost: JobCost
    events: Events

    @property
    def asset_seconds(self) -> float:
        """Return wall-clock seconds in assets and checks."""
        return sum(self.cost.asset_wall_seconds.values())

    @property
    def n_events(self) -> int:
        """Return the number of events."""
        return sum(number for number, _ in self.events.values())


def report(quick: bool) -> str:
    """Measure the backfill with both event settings, and runs of single sessions."""
    size = QUICK if quick else Size()
    days = trading_calendar.sessions_between(sample.FIRST_SESSION, sample.LAST_SESSION)
    batches = {ONE_BY_ONE: "0", BATCHED: "1000"}
    runs: dict[str, list[Measurement]] = {name: [] for name in batches}
    with temporary_home() as (home, engine):
        with engine.begin() as connection:
            load_sample(connection)
        run_job(home, [days[-size.sessions - 1]], size.assets)  # takes the one-time imports
        for repeat in range(size.repeats):
            for name in list(batches)[:: -1 if repeat % 2 else 1]:
                runs[name].append(
                    _run_without_results(
                        home, engine, days[-size.sessions :], batches[name], size.assets
                    )
                )
        runs[SINGLE] = [
            _run_without_results(home, engine, [day], batches[BATCHED], size.assets)
            for day in days[-size.singles :]
        ]
    return _text(size, runs)


def _run_without_results(
    home: Path, engine: sa.Engine, days: Sequence[date], batch: str, assets: Sequence[str]
) -> Measurement:
    """Run ``days`` after removing their stored results."""
    with engine.begin() as connection:
        result_tables.remove_results(connection, result_tables.Scope(first=days[0]), assets=[])
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = batch
    cost = run_job(home, days, assets)
    return Measurement(cost, _read_events(cost))


def _read_events(cost: JobCost) -> Events:
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(launch.prepare_instance(settings.load()))) as instance:
        log = list(instance.all_logs(cost.run_id))
    number: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for event, following in zip(log, log[1:] + log[-1:], strict=True):
        kind = event.get_dagster_event().event_type_value if event.is_dagster_event else "a message"
        number[kind] += 1
        seconds[kind] += following.timestamp - event.timestamp
    # the function of an asset or check begins after this event
    seconds["STEP_START"] -= sum(cost.asset_wall_seconds.values())
    return {kind: (number[kind], seconds[kind]) for kind in number}


_COLUMNS = [
    "seconds",
    "ratio",
    "assets",
    "Dagster",
    "CPU s, assets",
    "CPU s, Postgres",
    "CPU s, Dagster",
    "events",
    "ms/event",
    "peak MB",
]


def _text(size: Size, runs: dict[str, list[Measurement]]) -> str:
    middle = {
        name: sorted(each, key=lambda one: one.cost.total.wall)[len(each) // 2]
        for name, each in runs.items()
    }
    times = {name: size.sessions if name == SINGLE else 1 for name in runs}
    wholes = {
        name: measure.median_cost([one.cost.total for one in each]) for name, each in runs.items()
    }
    walls = {name: whole.wall * times[name] for name, whole in wholes.items()}
    ours = {
        name: statistics.median(one.asset_seconds for one in each) * times[name]
        for name, each in runs.items()
    }
    client = {
        name: statistics.median(one.cost.asset_cpu_seconds for one in each) * times[name]
        for name, each in runs.items()
    }
    lines = [
        (
            name,
            f"{walls[name]:,.1f}",
            f"{walls[name] / walls[BATCHED]:.2f}x",
            f"{ours[name]:,.1f}",
            f"{walls[name] - ours[name]:,.1f}",
            f"{client[name]:,.1f}",
            f"{whole.server * times[name]:,.1f}",
            f"{whole.client * times[name] - client[name]:,.1f}",
            f"{middle[name].n_events * times[name]:,}",
            f"{(walls[name] - ours[name]) / middle[name].n_events / times[name] * 1e3:.1f}",
            f"{whole.peak:,.0f}",
        )
        for name, whole in wholes.items()
    ]
    in_one, in_many = middle[BATCHED], middle[SINGLE]
    kinds = [
        kind
        for kind, (_, seconds) in sorted(in_one.events.items(), key=lambda item: -item[1][1])
        if seconds > 0.01 * walls[BATCHED]
    ]
    target = measure.Target(
        f"seconds in assets and checks, one run of {size.sessions} sessions",
        5.0,
        ours[BATCHED],
        is_upper_limit=True,
    )
    event_rows = [
        (kind, f"{in_one.events[kind][0]:,}", f"{in_one.events[kind][1]:.1f}") for kind in kinds
    ]
    asset_rows = [
        (name, f"{seconds:.2f}", f"{in_many.cost.asset_wall_seconds[name]:.3f}")
        for name, seconds in in_one.cost.asset_wall_seconds.items()
    ]
    return f"""## Backfill

The last {size.sessions} sessions of the bundled sample, without stored results, in one run, and in
one run per session in a warm process (the median of {size.singles}, times {size.sessions}). Medians
of {size.repeats}. Postgres is durable, and the storage of Dagster is SQLite, as on the command
line, which stores a batch of events in one transaction per file. The columns for assets include
checks, reads, writes and reported metadata; the remainder is Dagster.

{measure.markdown_table([f"{size.sessions} sessions", *_COLUMNS], lines)}

{measure.targets_table([target])}

Time in Dagster: seconds from each event to the next. Functions of assets are subtracted after step
starts, although a function that yields results also runs between other events.

{measure.markdown_table(["one run", "events", "seconds"], event_rows)}

Time in assets and checks:

{measure.markdown_table(["seconds", "one run", "run of one session"], asset_rows)}
"""
