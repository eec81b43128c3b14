"""Time of commands from start to end, or to the first asset, each in a new process.

Files are in the page cache and bytecode is compiled, as after `make install`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import measure
from benchmarks.job import QUICK_ASSETS
from riskmetrics.db import embedded

REPEATS = 5
QUICK = ("--stocks", "20", "--sessions", "60", "--portfolios", "1", "--lots", "5")
"""Size of the market of a smoke test."""

COMMAND = str(Path(sys.executable).parent / "riskmetrics")


class TimedCommand(NamedTuple):
    """A command, the function that times it, and its target in seconds."""

    label: str
    timer: Callable[..., float]
    arguments: tuple[str, ...]
    max_seconds: float | None = None


def report(quick: bool) -> str:
    """Time all commands in rotation."""
    compute = ("run", *(("--assets", ",".join(QUICK_ASSETS)) if quick else ()))
    lines = (
        TimedCommand("riskmetrics --help", time_command, ("--help",), 0.5),
        TimedCommand("riskmetrics show betas", time_command, ("show", "betas"), 1.5),
        TimedCommand(
            "riskmetrics show betas, server running", time_with_server, ("show", "betas"), 1.5
        ),
        TimedCommand("riskmetrics run, to the first asset", time_to_first_asset, compute, 3.5),
        TimedCommand("riskmetrics run, to the end", time_command, compute),
    )
    repeats = 1 if quick else REPEATS
    with tempfile.TemporaryDirectory(prefix="riskmetrics-benchmark-") as folder:
        home = Path(folder)
        run_command(home, "simulate", *(QUICK if quick else ()))
        run_command(home, *compute)
        taken: list[list[float]] = [[] for _ in lines]
        for _ in range(repeats):
            for line, times in zip(lines, taken, strict=True):
                times.append(line.timer(home, *line.arguments))
    medians = [statistics.median(times) for times in taken]
    rows = [
        (line.label, f"{median:.2f}", f"{min(times):.2f}")
        for line, median, times in zip(lines, medians, taken, strict=True)
    ]
    wanted = [
        measure.Target(f"seconds, {line.label}", line.max_seconds, median, is_upper_limit=True)
        for line, median in zip(lines, medians, strict=True)
        if line.max_seconds is not None
    ]
    return f"""## Cold start

Wall-clock seconds of each command in a new process, on the default market of `riskmetrics
simulate`; median and minimum of {repeats}. The run computes a session that is already stored.
Unless stated otherwise, the embedded server is stopped, and its start and stop are included.

{measure.markdown_table(["", "median", "minimum"], rows)}

{measure.targets_table(wanted)}
"""


def run_command(home: Path, *arguments: str) -> None:
    """Run a command to its end, in an empty directory with a minimal environment."""
    environment = {"PATH": os.defpath, "HOME": str(home), "RISKMETRICS_HOME": str(home / "risk")}
    subprocess.run(  # noqa: S603  # a fixed command without a shell
        [COMMAND, *arguments], cwd=home, env=environment, check=True, capture_output=True
    )


def time_command(home: Path, *arguments: str) -> float:
    """Return the seconds that a command takes."""
    begin = time.perf_counter()
    run_command(home, *arguments)
    return time.perf_counter() - begin


def time_with_server(home: Path, *arguments: str) -> float:
    """Return the seconds that a command takes while the embedded server is running."""
    with embedded.connect_or_start(home / "risk"):
        return time_command(home, *arguments)


def time_to_first_asset(home: Path, *arguments: str) -> float:
    """Return the seconds until the first step of a run starts, from the events of Dagster."""
    import dagster as dg

    begin = time.time()
    run_command(home, *arguments)
    with dg.DagsterInstance.from_config(str(home / "risk" / "dagster")) as instance:
        run_id = instance.get_runs(limit=1)[0].run_id
        return (
            instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START, limit=1)
            .records[0]
            .timestamp
            - begin
        )
