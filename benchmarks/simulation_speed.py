"""Time to simulate and store a market, which other benchmarks use as input."""

import sys
from contextlib import redirect_stdout
from functools import partial

import sqlalchemy as sa

from benchmarks import measure
from benchmarks.job import temporary_home
from riskmetrics.cli.simulate_command import simulate
from riskmetrics.db import tables

SYMBOLS, SESSIONS, PORTFOLIOS, LOTS = 5_000, 1_000, 6, 25

MAX_SECONDS = 180
"""Target in seconds."""


def report(quick: bool) -> str:
    """Time the simulation of a market into an empty database."""
    symbols, sessions = (50, 20) if quick else (SYMBOLS, SESSIONS)
    with temporary_home() as (home, engine):
        with redirect_stdout(sys.stderr):
            cost = measure.measure_cost(
                partial(simulate, symbols, sessions, PORTFOLIOS, LOTS, seed=1, last_session=None),
                home,
            )
        with engine.connect() as connection:
            rows = (
                connection.scalar(sa.select(sa.func.count()).select_from(tables.market_data_cache))
                or 0
            )
    line = (
        f"{rows:,}",
        f"{cost.wall:.1f}",
        f"{cost.client:.1f}",
        f"{cost.server:.1f}",
        f"{rows / cost.wall:,.0f}",
        f"{cost.peak:,.0f}",
    )
    head = ["price rows", "seconds", "CPU s, client", "CPU s, Postgres", "rows/s", "peak MB"]
    return f"""## Simulated market

`riskmetrics simulate` of {symbols:,} stocks with {sessions:,} sessions, into an empty database on a
durable server.

{measure.markdown_table(head, [line])}

{measure.targets_table([measure.Target("seconds", MAX_SECONDS, cost.wall, is_upper_limit=True)])}
"""
