"""How long a command takes from a shell's prompt to its answer, or to its first asset, each in a process of its own.

Files are in the system's cache and bytecode is compiled, as after `make install`.
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
from riskmetrics.db import embedded

REPEATS = 5
COMMAND = str(Path(sys.executable).parent / "riskmetrics")


class TimedCommand(NamedTuple):
    """A command, how it is timed, and the seconds that it may take."""

    label: str
    timer: Callable[..., float]
    arguments: tuple[str, ...]
    max_seconds: float | None = None


def report(quick: bool) -> str:
    """Time every command, in rotation."""
    lines = (
        TimedCommand("riskmetrics --help", time_command, ("--help",), 0.5),
        TimedCommand("riskmetrics show betas", time_command, ("show", "betas"), 1.5),
        TimedCommand(
            "riskmetrics show betas, server running", time_with_server, ("show", "betas"), 1.5
        ),
        TimedCommand("riskmetrics run, to the first asset", time_to_first_asset, ("run",), 3.5),
        TimedCommand("riskmetrics run, to its end", time_command, ("run",)),
    )
    repeats = 1 if quick else REPEATS
    with tempfile.TemporaryDirectory(prefix="riskmetrics-benchmark-") as folder:
        home = Path(folder)
        run_command(home, "simulate")
        run_command(home, "run")
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

From a shell's prompt to the answer, each in a process of its own, with `riskmetrics simulate`'s default market; the run stores what is
there already. The embedded server is at rest, so that its start and end are in the time, where a line does not say otherwise.
Seconds on the clock; medians of {repeats}.

{measure.markdown_table(["", "median", "least"], rows)}

{measure.targets_table(wanted)}
"""


def run_command(home: Path, *arguments: str) -> None:
    """Run a command to its end, in an empty directory with an environment of its own."""
    environment = {"PATH": os.defpath, "HOME": str(home), "RISKMETRICS_HOME": str(home / "risk")}
    subprocess.run(  # noqa: S603  # our own command, no shell
        [COMMAND, *arguments], cwd=home, env=environment, check=True, capture_output=True
    )


def time_command(home: Path, *arguments: str) -> float:
    """Time a command to its end."""
    begin = time.perf_counter()
    run_command(home, *arguments)
    return time.perf_counter() - begin


def time_with_server(home: Path, *arguments: str) -> float:
    """Time a command that finds the embedded server running."""
    with embedded.connect_or_start(home / "risk"):
        return time_command(home, *arguments)


def time_to_first_asset(home: Path, *arguments: str) -> float:
    """Time a run until its first step starts, as Dagster has recorded it."""
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
