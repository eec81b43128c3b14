"""Dagster's UI and daemon as started by `riskmetrics ui`, and queries of its GraphQL API."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import COMMAND
from tests.forked_commands import PATIENCE
from tests.listening import free_port


@contextmanager
def serve(log: Path = Path(os.devnull)) -> Iterator[str]:
    """Start the UI on a free port, output in a file; on SIGTERM it must end all its processes."""
    port = free_port()
    command = [COMMAND, "ui", "--port", str(port)]
    with log.open("w") as log_file:
        process = subprocess.Popen(
            command, stdout=log_file, stderr=log_file, start_new_session=True
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=PATIENCE)
    assert code == 0
    deadline = time.monotonic() + PATIENCE
    while _is_group_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _is_group_alive(process.pid)


def _is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def query_graphql(address: str, query: str, **variables: object) -> Any:
    """Return the data of a GraphQL response; wait until the UI is up."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(
        f"{address}/graphql", body, {"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                data: Any = json.load(answer)["data"]
                return data
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
