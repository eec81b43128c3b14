"""Concurrent commands, and a full disk."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from riskmetrics.db import embedded
from riskmetrics.sources import sample
from tests.faults.conftest import ASSETS, RESULTS, Start, change_as_superuser, finish, query

pytestmark = pytest.mark.faults

RANGE = ("--from", "2022-12-19", "--to", "2022-12-28")
SESSIONS = 7
COMPARED = ("--assets", ",".join(ASSETS))
"""Enough for a run that follows: RESULTS reads nothing else."""


def test_two_runs_of_the_same_sessions_at_once_both_end_and_write_each_row_once(
    home: Path, start: Start
) -> None:
    both = [start("backfill", *RANGE), start("backfill", *RANGE)]
    for process in both:
        finish(process)
    together = query(home, RESULTS)
    assert len(together) == 3 * SESSIONS
    finish(start("backfill", *RANGE, *COMPARED))
    assert query(home, RESULTS) == together


def test_an_import_and_a_run_at_once_both_end(home: Path, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("symbol,quantity\nAAPL,10\nXOM,-5\n")
    processes = [
        start("backfill", *RANGE),
        start("import", "prices", str(sample.FOLDER / "prices.csv.gz")),
        start("import", "portfolio", str(file), "--name", "More", "--as-of", "2022-12-28"),
    ]
    for process in processes:
        finish(process)
    finish(start("backfill", *RANGE, *COMPARED))
    assert len(query(home, RESULTS)) == 4 * SESSIONS


def test_four_imports_into_a_new_directory_share_one_server_and_one_migration(
    start: Start, tmp_path: Path
) -> None:
    new = tmp_path / "new home"
    file = tmp_path / "more.csv"
    file.write_text("symbol,quantity\nAAPL,10\nXOM,-5\n")
    names = [f"Fund {number}" for number in range(4)]
    processes = [
        start(
            *("import", "portfolio", str(file), "--name", name, "--as-of", "2022-12-28"),
            RISKMETRICS_HOME=str(new),
        )
        for name in names
    ]
    for process in processes:
        finish(process)
    assert query(new, "SELECT name FROM portfolios ORDER BY name") == [(name,) for name in names]
    assert len(query(new, "SELECT version_num FROM alembic_version")) == 1


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_a_full_disk_fails_the_run_with_a_sentence_and_leaves_the_old_rows(
    home: Path, start: Start
) -> None:
    """The tables that the run writes are on a small file system."""
    finish(start("run", "--date", "2022-12-28", *COMPARED))
    before = query(home, RESULTS)
    small = Path(
        tempfile.mkdtemp(dir="/tmp")
    )  # the server, which is not root's, must be able to reach it
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1400k,mode=0777", "none", str(small)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("no right to mount a small file system here")
    os.chown(small, *_owner(home / "postgres" / "data"))
    try:
        with embedded.connect_or_start(home) as server:
            make = f"CREATE TABLESPACE small LOCATION '{small}'"
            change_as_superuser(
                server, make, "ALTER TABLE position_market_betas SET TABLESPACE small"
            )
            two_years = ("--from", "2021-01-04", "--to", "2022-12-28")
            output = finish(start("backfill", *two_years, "--assets", "position_betas"), code=6)
            assert "No space left" in output
            assert "Traceback" not in output
            assert query(home, RESULTS) == before
            move = "ALTER TABLE position_market_betas SET TABLESPACE pg_default"
            change_as_superuser(server, move, "DROP TABLESPACE small")
        finish(start("backfill", *RANGE, *COMPARED))
        assert len(query(home, RESULTS)) == 3 * SESSIONS
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
        small.rmdir()
