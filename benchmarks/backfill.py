"""What a year costs: 252 sessions of the bundled sample in one run, beside 252 runs of one session in a warm process.

Each is split into our work, which is the functions of assets and checks, and Dagster's, which is
mostly events.
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
from benchmarks.job import JobCost, run_job, temporary_home
from riskmetrics import settings, trading_calendar
from riskmetrics.cli import launch
from riskmetrics.cli.demo import load_sample
from riskmetrics.db import result_tables
from riskmetrics.sources import sample


class Size(NamedTuple):
    """How many sessions are in a range, how often it is run, and how many single sessions stand for as many."""

    sessions: int = 252
    repeats: int = 3
    singles: int = 20


QUICK = Size(sessions=3, repeats=1, singles=1)


ONE_BY_ONE, BATCHED, SINGLE = (
    "one run, events stored one by one",
    "one run, in batches of 1,000",
    "a run for each",
)

Events = dict[str, tuple[int, float]]
"""Of a run, by type: how many, and the seconds from each to the next one, most of which its storing takes."""


class Measurement(NamedTuple):
    """A run, and its events."""

    cost: JobCost
    events: Events

    @property
    def asset_seconds(self) -> float:
        """Seconds inside assets and checks."""
        return sum(self.cost.asset_wall_seconds.values())

    @property
    def n_events(self) -> int:
        """How many events there are."""
        return sum(number for number, _ in self.events.values())


def report(quick: bool) -> str:
    """Run the range both ways, and single sessions."""
    size = QUICK if quick else Size()
    days = trading_calendar.sessions_between(sample.FIRST_SESSION, sample.LAST_SESSION)
    batches = {ONE_BY_ONE: "0", BATCHED: "1000"}
    runs: dict[str, list[Measurement]] = {name: [] for name in batches}
    with temporary_home() as (home, engine):
        with engine.begin() as connection:
            load_sample(connection)
        run_job(home, [days[-size.sessions - 1]])  # imports what is imported once
        for repeat in range(size.repeats):
            for name in list(batches)[:: -1 if repeat % 2 else 1]:
                runs[name].append(
                    _run_without_results(home, engine, days[-size.sessions :], batches[name])
                )
        runs[SINGLE] = [
            _run_without_results(home, engine, [day], batches[BATCHED])
            for day in days[-size.singles :]
        ]
    return _text(size, runs)


def _run_without_results(
    home: Path, engine: sa.Engine, days: Sequence[date], batch: str
) -> Measurement:
    """Run ``days``, none of whose results are stored."""
    with engine.begin() as connection:
        result_tables.remove_results(connection, result_tables.Scope(first=days[0]), assets=[])
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = batch
    cost = run_job(home, days)
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
    seconds["STEP_START"] -= sum(
        cost.asset_wall_seconds.values()
    )  # what follows it is our function
    return {kind: (number[kind], seconds[kind]) for kind in number}


_COLUMNS = [
    "seconds",
    "ratio",
    "ours",
    "Dagster",
    "CPU s, ours",
    "CPU s, Postgres",
    "CPU s, Dagster",
    "events",
    "ms each",
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
    return f"""## A backfill

The bundled sample's last {
        size.sessions
    } sessions, none of whose results are stored, in one run, beside a run for each in a warm process
(the median of {size.singles}, times {size.sessions}); medians of {
        size.repeats
    }. Postgres is durable, Dagster's storage is SQLite, as on
the command line. Ours are the functions of assets and checks with their reads and writes, and with what they report of each
session; the rest is Dagster's. Its SQLite storage takes a batch event by event, each with its own transactions: `DAGSTER_EVENT_BATCH_SIZE`
is for its Postgres storage.

{measure.markdown_table([f"{size.sessions} sessions", *_COLUMNS], lines)}

{
        measure.targets_table(
            [
                measure.Target(
                    f"seconds of our own work in a run for {size.sessions} sessions",
                    5.0,
                    ours[BATCHED],
                    is_upper_limit=True,
                )
            ]
        )
    }

Where Dagster's time goes: seconds from each event to the next one (of a step's start, without our function).

{
        measure.markdown_table(
            ["one run", "events", "seconds"],
            [
                (kind, f"{in_one.events[kind][0]:,}", f"{in_one.events[kind][1]:.1f}")
                for kind in kinds
            ],
        )
    }

Where ours goes:

{
        measure.markdown_table(
            ["seconds", "in one run", "in that of one session"],
            [
                (name, f"{seconds:.2f}", f"{in_many.cost.asset_wall_seconds[name]:.3f}")
                for name, seconds in in_one.cost.asset_wall_seconds.items()
            ],
        )
    }
"""
