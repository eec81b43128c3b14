"""An embedded server that stays up without clients, until it is stopped."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from riskmetrics.db import embedded
from riskmetrics.db.embedded import connect_or_start
from tests.db.test_embedded import postmaster, user
from tests.forked_commands import PATIENCE

pytestmark = pytest.mark.integration


def _database_answers(home: Path) -> bool:
    folder = home / "postgres/data"
    url = f"postgresql://riskmetrics_reader@/riskmetrics?host={folder}&port=5432"
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_it_stays_up_without_clients_until_it_is_stopped(tmp_path: Path) -> None:
    assert not embedded.is_running(tmp_path)
    assert embedded.stop_when_unused(tmp_path)  # nothing to stop
    with embedded.keep_running(tmp_path):
        pass
    with connect_or_start(tmp_path):
        pass
    assert embedded.is_running(tmp_path)
    assert embedded.is_kept_running(tmp_path)
    assert _database_answers(tmp_path)
    assert embedded.stop_when_unused(tmp_path)
    assert not embedded.is_running(tmp_path)
    assert not embedded.is_kept_running(tmp_path)


def test_a_stop_waits_for_the_last_client(tmp_path: Path) -> None:
    with embedded.keep_running(tmp_path):
        pass
    client = user(tmp_path)
    assert client.stdout
    assert client.stdout.readline() == "ready\n"
    assert not embedded.stop_when_unused(tmp_path)
    assert embedded.is_running(tmp_path)
    client.communicate()
    assert not embedded.is_running(tmp_path)


def test_the_next_client_starts_it_again_after_a_crash(tmp_path: Path) -> None:
    with embedded.keep_running(tmp_path):
        process = postmaster(tmp_path)
    process.kill()
    process.wait(PATIENCE)
    with connect_or_start(tmp_path):
        pass
    assert embedded.is_running(tmp_path)
    embedded.stop_when_unused(tmp_path)


def test_the_commands_start_report_and_stop_it(tmp_path: Path) -> None:
    def riskmetrics(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("riskmetrics"), *words],
            env={"PATH": "/usr/bin:/bin", "RISKMETRICS_HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    started = riskmetrics("db", "start").stdout
    assert started == f"running until `riskmetrics db stop`: {riskmetrics('db', 'url').stdout}"
    assert "running: yes\nkept running: yes\n" in riskmetrics("db", "status").stdout
    assert riskmetrics("db", "stop").stdout == "stopped\n"
    assert "running: no\nkept running: no\n" in riskmetrics("db", "status").stdout
    own = {"RISKMETRICS_DATABASE_URL": "postgresql://me:secret@host/risk"}
    refused = riskmetrics("db", "start", **own)
    assert refused.returncode == 2
    assert "a server of your own" in refused.stderr
    assert "postgresql://me@host/risk" in riskmetrics("db", "status", **own).stdout
