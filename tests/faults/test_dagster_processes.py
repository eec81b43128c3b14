"""A killed code server of Dagster, which runs what the UI and the daemon start."""

import os
import signal
import socket
import time
from pathlib import Path

import dagster as dg
import pytest

from tests.faults.conftest import (
    ASSETS,
    FAST,
    PATIENCE,
    RESULTS,
    SLOW,
    WRITING,
    Command,
    Start,
    change,
    finish,
    query,
    runs,
    wait_for,
)
from tests.listening import free_port

pytestmark = pytest.mark.faults

DAY = "2022-12-28"
LOCATION = "riskmetrics.definitions"


def serve(home: Path, start: Start, folder: Path) -> tuple[Command, dict[str, str]]:
    """Start a code server on a free port; return it, and the environment of its instance."""
    variables = {"DAGSTER_HOME": str(home / "dagster")}
    finish(start("env", **variables))
    port = free_port()
    (folder / "workspace.yaml").write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name:"
        f" {LOCATION}}}\n"
    )
    server = start(
        "api",
        "grpc",
        "-m",
        LOCATION,
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        program="dagster",
        **variables,
    )
    began = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert server.poll() is None, server.communicate()[0]
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.2)
        else:
            return server, variables


def launch(start: Start, variables: dict[str, str]) -> None:
    """Submit a session's run like the UI."""
    tags = f'{{"dagster/partition": "{DAY}"}}'
    finish(
        start(
            "job",
            "launch",
            "-w",
            "workspace.yaml",
            "-l",
            LOCATION,
            "-j",
            "daily_risk",
            "--tags",
            tags,
            program="dagster",
            **variables,
        )
    )


def wait_until(home: Path, *statuses: dg.DagsterRunStatus) -> None:
    """Wait until the runs, newest first, have the given statuses."""
    began = time.monotonic()
    while [run.status for run in runs(home)] != list(statuses):
        assert time.monotonic() - began < PATIENCE, [run.status for run in runs(home)]
        time.sleep(0.5)


def test_a_run_that_died_with_its_code_server_is_marked_as_failed_by_the_next_which_completes(
    home: Path, start: Start, tmp_path: Path
) -> None:
    """Dagster would count the run as running until its timeout; the run's tags name its process."""
    change(home, *SLOW)
    server, variables = serve(home, start, tmp_path)
    launch(start, variables)
    wait_for(home, server, WRITING)
    os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    assert [run.status for run in runs(home)] == [dg.DagsterRunStatus.STARTED]
    change(home, *FAST)
    assert query(home, "SELECT count(*) FROM position_market_betas") == [(0,)]
    again = start("run", "--date", DAY, "--assets", ",".join(ASSETS))
    assert "marked as failed" in finish(again)
    wait_until(home, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
    assert len(query(home, RESULTS)) == 3
