"""How long a command takes from a shell's prompt to its answer, or to its first asset, each in a process of its own.

    python benchmarks/cold_start.py

Medians of seconds on the clock; files are in the system's cache and bytecode is compiled, as after `make install`. The
embedded server is at rest, so that its start and end are in the time, where a line does not say otherwise.
"""

# ruff: noqa: T201 — printing is what a benchmark is for
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from riskmetrics.db import embedded

REPEATS = 5
COMMAND = str(Path(sys.executable).parent / "riskmetrics")


def start(home: Path, *arguments: str) -> None:
    """Run a command to its end, in an empty directory with an environment of its own."""
    environment = {"PATH": os.defpath, "HOME": str(home), "RISKMETRICS_HOME": str(home / "risk")}
    subprocess.run([COMMAND, *arguments], cwd=home, env=environment, check=True, capture_output=True)  # noqa: S603  # our own command, no shell


def seconds(home: Path, *arguments: str) -> float:
    """Time a command to its end."""
    begin = time.perf_counter()
    start(home, *arguments)
    return time.perf_counter() - begin


def seconds_with_server(home: Path, *arguments: str) -> float:
    """Time a command that finds the embedded server running."""
    with embedded.acquire(home / "risk"):
        return seconds(home, *arguments)


def seconds_to_first_asset(home: Path, *arguments: str) -> float:
    """Time a run until its first step starts, as Dagster has recorded it."""
    begin = time.time()
    start(home, *arguments)
    with dg.DagsterInstance.from_config(str(home / "risk" / "dagster")) as instance:
        run_id = instance.get_runs(limit=1)[0].run_id
        return instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START, limit=1).records[0].timestamp - begin


def main() -> None:
    """Time every line and print it beside its target."""
    run = ("run", "--date", "2022-12-28")
    lines: list[tuple[str, Callable[..., float], tuple[str, ...], float | None]] = [
        ("riskmetrics --help", seconds, ("--help",), 0.5),
        ("riskmetrics show betas", seconds, ("show", "betas"), 1.5),
        ("riskmetrics show betas, server running", seconds_with_server, ("show", "betas"), 1.5),
        ("riskmetrics run, to the first asset", seconds_to_first_asset, run, 3.5),
        ("riskmetrics run, server running, to its end", seconds_with_server, run, None),
        ("riskmetrics demo, again", seconds, ("demo",), None),
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        start(home, "demo")
        print(f"{'':46}{'median':>8}{'least':>8}{'target':>8}   seconds, {REPEATS} times")
        for name, measure, arguments, target in lines:
            taken = [measure(home, *arguments) for _ in range(REPEATS)]
            print(f"{name:46}{statistics.median(taken):8.2f}{min(taken):8.2f}{f'{target:8.1f}' if target else ''}")
    print(f"load on the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
