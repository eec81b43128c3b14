"""A database that fails during a write, is locked, or is newer; and a wrong clock."""

import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics.db import embedded, migrate
from riskmetrics.db.engine import create_engine
from riskmetrics.db.roles import Role
from riskmetrics.errors import SchemaError
from tests.faults.conftest import (
    ASSETS,
    FAST,
    PATIENCE,
    RESULTS,
    SLOW,
    UNFINISHED,
    WRITING,
    Start,
    asking,
    change,
    finish,
    query,
    runs,
    wait_for,
)
from tests.faults.proxy import before

pytestmark = pytest.mark.faults

DAY = "2022-12-28"
RUN = ("run", "--date", DAY, "--assets", ",".join(ASSETS))
OF_THE_WRITE = (
    "SELECT (SELECT count(*) FROM position_market_betas), (SELECT count(*) FROM"
    " symbol_adjusted_betas)"
)


BEFORE = "3f6b1d0a8c25"
"""The revision before the one that changes the types of prices and positions."""

OF_OLD = {"RISKMETRICS_MARKET_INDEX": "SPX"}
"""The sample's market index, for schemas without a table of settings."""


def assert_next_run_completes(home: Path, start: Start, **variables: str) -> None:
    """The run after a fault stores every row once, and a further run changes none."""
    finish(start(*RUN, **variables))
    whole = query(home, RESULTS)
    assert len(whole) == 3
    assert all(None not in row for row in whole)
    assert query(home, OF_THE_WRITE)[0][0] == 37
    assert not runs(home, statuses=UNFINISHED)


def test_a_server_killed_in_the_middle_of_a_write_leaves_nothing_of_it(
    home: Path, start: Start
) -> None:
    """Kill PostgreSQL's processes during a write; the next command restarts and recovers it."""
    change(home, *SLOW)
    process = start(*RUN)
    wait_for(home, process, WRITING)
    os.kill(
        int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL
    )
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 6, output
    assert "Traceback" not in output
    assert query(home, OF_THE_WRITE) == [(0, 0)]
    assert [run.status for run in runs(home)] == [dg.DagsterRunStatus.FAILURE]
    change(home, *FAST)
    assert_next_run_completes(home, start)


def test_connections_cut_in_the_middle_of_a_write_leave_nothing_of_it(
    home: Path, start: Start
) -> None:
    """The command connects to the server through a TCP proxy, which resets the connections."""
    change(home, *SLOW)
    with embedded.connect_or_start(home) as server, before(server.url) as proxy:
        through = {
            "RISKMETRICS_DATABASE_URL": (
                f"postgresql://riskmetrics_writer@127.0.0.1:{proxy.port}/riskmetrics"
            )
        }
        process = start(*RUN, **through)
        wait_for(home, process, WRITING)
        proxy.cut()
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 6, output
        assert "Traceback" not in output
        assert proxy.served > 0
        wait_until_the_server_has_noticed(home)
        assert query(home, OF_THE_WRITE) == [(0, 0)]
        assert [run.status for run in runs(home)] == [dg.DagsterRunStatus.FAILURE]
        change(home, *FAST)
        assert_next_run_completes(home, start, **through)


def wait_until_the_server_has_noticed(home: Path) -> None:
    """A statement continues until the server sends something to the lost client."""
    with asking(home) as connection:
        end = (
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <>"
            " pg_backend_pid() AND " + WRITING
        )
        connection.execute(sa.text(end))


def test_a_migration_waits_for_a_reader_and_then_goes_through(home: Path, start: Start) -> None:
    """The reader's open transaction has read a table that the migration changes."""
    with asking(home) as reader:
        finish(start("db", "downgrade", BEFORE, "--yes"))
        assert reader.scalar(sa.text("SELECT count(*) FROM positions"))
        process = start(*RUN, **OF_OLD)
        wait_for(
            home, process, "wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'", Role.OWNER
        )
        assert query(home, "SELECT version_num FROM alembic_version") == [(BEFORE,)]
        reader.rollback()
        finish(process)
    assert query(home, "SELECT version_num FROM alembic_version") == [(migrate.head(),)]
    assert len(query(home, RESULTS)) == 3


def test_a_migration_that_waits_too_long_changes_nothing_and_goes_through_the_next_time(
    home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(start("db", "downgrade", BEFORE, "--yes"))
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "200ms")
    with asking(home) as reader, embedded.connect_or_start(home) as server:
        reader.scalar(sa.text("SELECT count(*) FROM positions"))
        engine = create_engine(server.url)
        with pytest.raises(
            SchemaError, match=r"another process holds a lock on it \(waited 200ms\)"
        ):
            migrate.ensure_head(engine)
        engine.dispose()
        assert query(home, "SELECT version_num FROM alembic_version") == [(BEFORE,)]
    assert_next_run_completes(home, start, **OF_OLD)


def test_an_older_version_leaves_a_newer_schema_alone(home: Path, start: Start) -> None:
    """After an upgrade on another machine: an unknown revision, and a table of it with rows."""
    change(
        home,
        "CREATE TABLE of_the_future AS SELECT 1 AS kept",
        "UPDATE alembic_version SET version_num = 'ffffffffffff'",
        "DELETE FROM vendor_quotas",
    )
    for command in (("run", "--date", DAY), ("db", "upgrade"), ("report", "--date", DAY)):
        assert "unknown to this version of riskmetrics" in finish(start(*command), code=6)
    assert query(home, "SELECT version_num, kept FROM alembic_version, of_the_future") == [
        ("ffffffffffff", 1)
    ]
    assert query(home, OF_THE_WRITE) == [(0, 0)]
    change(
        home,
        "DROP TABLE of_the_future",
        f"UPDATE alembic_version SET version_num = '{migrate.head()}'",
    )
    assert_next_run_completes(home, start)


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    """Return the environment that preloads a clock with an offset."""
    compiler = which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to build a wrong clock with")
    library = tmp_path / "clock.so"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, Path(__file__).with_name("clock.c"), "-ldl"],
        capture_output=True,
        check=False,
    )
    if built.returncode:
        pytest.skip("the C compiler here does not build a wrong clock")
    return {"LD_PRELOAD": str(library)}


def at(moment: datetime) -> str:
    return str(round((moment - datetime.now(UTC)).total_seconds()))


def test_a_clock_an_hour_off_never_computes_a_session_that_has_not_closed(
    home: Path, start: Start, clock: dict[str, str]
) -> None:
    """The exchange closed at 21:00 UTC.

    An hour slow, the evening waits; an hour fast, there are no closes yet.
    """
    evening, afternoon = (
        datetime(2022, 12, 28, 21, 30, tzinfo=UTC),
        datetime(2022, 12, 28, 20, 30, tzinfo=UTC),
    )
    output = finish(start("run", "--date", DAY, **clock, CLOCK_OFFSET=at(afternoon)), code=2)
    assert "has not closed yet; the latest completed session is 2022-12-27" in output
    change(
        home,
        "CREATE TABLE to_come AS SELECT * FROM market_data_cache WHERE date = '2022-12-28'",
        "DELETE FROM market_data_cache WHERE date = '2022-12-28'",
    )
    output = finish(start("run", "--date", DAY, **clock, CLOCK_OFFSET=at(evening)), code=3)
    assert "no close of SPX on 2022-12-28" in output
    assert query(home, OF_THE_WRITE) == [(0, 0)]
    change(home, "INSERT INTO market_data_cache SELECT * FROM to_come", "DROP TABLE to_come")
    assert_next_run_completes(home, start, **clock, CLOCK_OFFSET=at(evening))
