"""Processes and servers that die in the middle: what was stored stands, and the next run completes without a hand."""

import os
import random
import signal
import time
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from riskmetrics import trading_calendar
from tests.faults.conftest import PATIENCE, RESULTS, Start, finish, query, runs

pytestmark = pytest.mark.faults

RANGE = ("--from", "2022-12-01", "--to", "2022-12-28")
MOMENTS = 10


def test_a_run_killed_at_any_moment_leaves_the_old_rows_or_the_new_ones(home: Path, start: Start) -> None:
    """Each asset's write is whole or absent; the next run finds nothing in its way and marks the dead one as failed."""
    began = time.monotonic()
    finish(start("backfill", *RANGE))
    lasts = time.monotonic() - began
    complete = query(home, RESULTS)
    assert len(complete) == 3 * 19
    chance = random.Random(20221228)  # moments, not secrets
    for moment in sorted(chance.uniform(0.2, 1.0) * lasts for _ in range(MOMENTS)):
        process = start("backfill", *RANGE)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert query(home, RESULTS) == complete  # equal rows are not rewritten, and nothing else may have happened
    finish(start("backfill", *RANGE))
    assert query(home, RESULTS) == complete
    assert not runs(home, statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])


def test_a_run_killed_while_it_writes_for_the_first_time_leaves_whole_assets_only(home: Path, start: Start) -> None:
    """The killed run's tables hold all of an asset's rows or none; running again gives what an unharmed run gives."""
    chance = random.Random(7)
    seen = set()
    for _ in range(MOMENTS):
        process = start("backfill", *RANGE)
        time.sleep(chance.uniform(1.5, 5.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        counts = query(
            home,
            "SELECT (SELECT count(*) FROM portfolio_snapshots), (SELECT count(*) FROM position_market_betas), "
            "(SELECT count(*) FROM portfolio_sector_weights)",
        )[0]
        seen.add(counts)
        assert counts[0] in (0, 57)
        assert counts[1] in (0, 37 * 19 - _not_yet_open(home))
        query(home, "SELECT 1")
    output = finish(start("backfill", *RANGE))
    assert "marked as failed" in output or not runs(home, statuses=[dg.DagsterRunStatus.STARTED])
    assert len(query(home, RESULTS)) == 57
    assert all(None not in row for row in query(home, RESULTS))


def _not_yet_open(home: Path) -> int:
    return int(
        str(
            query(
                home,
                "SELECT count(*) FROM positions, (SELECT DISTINCT date FROM market_data_cache WHERE date >= '2022-12-01') AS days "
                "WHERE entry_date > date",
            )[0][0]
        )
    )


def test_the_server_killed_in_the_middle_of_a_run_loses_nothing_that_was_stored(home: Path, start: Start) -> None:
    finish(start("backfill", *RANGE))
    complete = query(home, RESULTS)
    process = start("backfill", "--from", "2022-06-01", "--to", "2022-12-28")
    time.sleep(3.0)
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE)
    after = query(home, RESULTS)
    assert set(complete) <= set(after)
    if process.returncode != 0:
        assert "Traceback" not in output
    finish(start("backfill", "--from", "2022-06-01", "--to", "2022-12-28"))
    assert len(query(home, RESULTS)) == 3 * len(trading_calendar.between(date(2022, 6, 1), date(2022, 12, 28)))
    assert set(complete) <= set(query(home, RESULTS))


def test_ctrl_c_ends_a_run_and_leaves_it_finished_in_dagsters_eyes(home: Path, start: Start) -> None:
    process = start("backfill", "--from", "2022-01-03", "--to", "2022-12-28")
    time.sleep(4.0)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in (1, 130), output
    assert "Traceback" not in output
    finish(start("run", "--date", "2022-12-28"))
    assert not runs(home, statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    assert len(query(home, RESULTS)) >= 3
