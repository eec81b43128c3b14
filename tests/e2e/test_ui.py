"""Dagster's UI as `riskmetrics ui` starts it."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.conftest import COMMAND
from tests.e2e.conftest import Run


@pytest.fixture
def address(sample: str) -> Iterator[str]:
    """Start the UI on a free port; it must end on SIGTERM and leave no process behind."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [COMMAND, "ui", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    deadline = time.monotonic() + 20
    while _lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _lives(process.pid)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


QUERY = "{ assetNodes { assetKey { path } groupName description } runsOrError { ... on Runs { results { runId status } } } }"


def _ask(address: str, query: str) -> Any:
    request = urllib.request.Request(f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                data: Any = json.load(answer)["data"]
                return data
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_the_ui_shows_the_graph_and_the_runs_of_the_command_line(run: Run, address: str) -> None:
    run_id = run([date(2022, 12, 28)]).run_id
    data = _ask(address, QUERY)
    groups = {node["assetKey"]["path"][0]: node["groupName"] for node in data["assetNodes"]}
    assert groups == {
        **dict.fromkeys(("market_prices", "company_profiles", "benchmark_weights"), "market_data"),
        "har_coefficients": "model",
        **dict.fromkeys(("position_betas", "interest_rate_betas", "position_volatility"), "positions"),
        **dict.fromkeys(("portfolio_values", "portfolio_betas", "portfolio_rate_betas", "portfolio_volatility"), "portfolios"),
        **dict.fromkeys(("sector_concentration", "portfolio_tail_risk", "risk_contributions", "portfolio_drawdowns"), "portfolios"),
        **dict.fromkeys(("stress_tests", "option_exposures", "forecast_scores"), "portfolios"),
    }
    assert all(node["description"] for node in data["assetNodes"])
    assert {"runId": run_id, "status": "SUCCESS"} in data["runsOrError"]["results"]
