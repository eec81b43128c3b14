"""Killed processes and servers: committed results are kept, and the next run completes."""

import os
import random
import signal
import time
from datetime import date
from pathlib import Path

import pytest

from riskmetrics import trading_calendar
from tests.faults.conftest import (
    ASSETS,
    FAST,
    PATIENCE,
    RESULTS,
    SLOW,
    UNFINISHED,
    WRITING,
    Command,
    Start,
    change,
    finish,
    kill,
    query,
    runs,
    wait_for,
)

pytestmark = pytest.mark.faults

ONLY_ASSETS = ("--assets", ",".join(ASSETS))
RANGE = ("--from", "2022-12-01", "--to", "2022-12-28", *ONLY_ASSETS)
HALF_A_YEAR = ("--from", "2022-06-01", "--to", "2022-12-28", *ONLY_ASSETS)
MOMENTS = 10

COUNTS = (
    "SELECT (SELECT count(*) FROM portfolio_snapshots), (SELECT count(*) FROM"
    " position_market_betas), (SELECT count(*) FROM portfolio_sector_weights)"
)
"""Query of the rows of three assets, each of which writes in one transaction."""


def moments(lasts: float, seed: int) -> list[float]:
    """Return the seconds after which to kill a command that takes ``lasts`` seconds."""
    chance = random.Random(seed)  # moments, not secrets
    return sorted(chance.uniform(0.2, 1.0) * lasts for _ in range(MOMENTS))


def kill_at(moment: float, process: Command) -> None:
    """Kill a process and its children after some seconds, unless it has ended."""
    time.sleep(moment)
    kill(process)


def timed_backfill(start: Start) -> float:
    """Return the seconds of an undisturbed run."""
    began = time.monotonic()
    finish(start("backfill", *RANGE))
    return time.monotonic() - began


@pytest.mark.slow(25)
def test_a_run_killed_at_any_moment_leaves_the_old_rows_or_the_new_ones(
    home: Path, start: Start
) -> None:
    """Each asset's write is complete or absent; the next run marks the dead run as failed."""
    lasts = timed_backfill(start)
    complete = query(home, RESULTS)
    assert len(complete) == 3 * 19
    for moment in moments(lasts, seed=20221228):
        kill_at(moment, start("backfill", *RANGE))
        assert (
            query(home, RESULTS) == complete
        )  # equal rows are not rewritten, and nothing else may have happened
    finish(start("backfill", *RANGE))
    assert query(home, RESULTS) == complete
    assert not runs(home, statuses=UNFINISHED)


@pytest.mark.slow(20)
def test_a_run_killed_while_it_writes_for_the_first_time_leaves_whole_assets_only(
    home: Path, start: Start
) -> None:
    """A killed run leaves all or none of an asset's rows; a rerun equals an undisturbed run."""
    lasts = timed_backfill(start)
    complete, whole = query(home, RESULTS), query(home, COUNTS)
    assert len(complete) == 3 * 19
    finish(start("reset", "--all", "--yes"))
    assert query(home, COUNTS) == [(0,) * len(whole[0])]
    for moment in moments(lasts, seed=7):
        kill_at(moment, start("backfill", *RANGE))
        for count, all_rows in zip(query(home, COUNTS)[0], whole[0], strict=True):
            assert count in (0, all_rows)
    finish(start("backfill", *RANGE))
    assert query(home, RESULTS) == complete
    assert not runs(home, statuses=UNFINISHED)


@pytest.mark.slow(12)
def test_the_server_killed_in_the_middle_of_a_run_loses_nothing_that_was_stored(
    home: Path, start: Start
) -> None:
    finish(start("backfill", *RANGE))
    complete = query(home, RESULTS)
    change(home, *SLOW)
    process = start("backfill", *HALF_A_YEAR)
    wait_for(home, process, WRITING)
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 6, output
    assert "Traceback" not in output
    assert set(complete) <= set(query(home, RESULTS))
    change(home, *FAST)
    finish(start("backfill", *HALF_A_YEAR))
    assert len(query(home, RESULTS)) == 3 * len(
        trading_calendar.sessions_between(date(2022, 6, 1), date(2022, 12, 28))
    )
    assert set(complete) <= set(query(home, RESULTS))


def test_ctrl_c_ends_a_run_and_leaves_it_finished_in_dagsters_eyes(
    home: Path, start: Start
) -> None:
    change(home, *SLOW)
    process = start("backfill", *HALF_A_YEAR)
    wait_for(home, process, WRITING)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in (1, 130), output
    assert "Traceback" not in output
    change(home, *FAST)
    finish(start("run", "--date", "2022-12-28", *ONLY_ASSETS))
    assert not runs(home, statuses=UNFINISHED)
    assert len(query(home, RESULTS)) >= 3
