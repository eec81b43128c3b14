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


class Line(NamedTuple):
    """A command, how it is timed, and the seconds that it may take."""

    what: str
    timed: Callable[..., float]
    arguments: tuple[str, ...]
    at_most: float | None = None


def report(quick: bool) -> str:
    """Time every command, in rotation."""
    lines = (
        Line("riskmetrics --help", seconds, ("--help",), 0.5),
        Line("riskmetrics show betas", seconds, ("show", "betas"), 1.5),
        Line("riskmetrics show betas, server running", seconds_with_server, ("show", "betas"), 1.5),
        Line("riskmetrics run, to the first asset", seconds_to_first_asset, ("run",), 3.5),
        Line("riskmetrics run, to its end", seconds, ("run",)),
    )
    repeats = 1 if quick else REPEATS
    with tempfile.TemporaryDirectory(prefix="riskmetrics-benchmark-") as folder:
        home = Path(folder)
        start(home, "simulate")
        start(home, "run")
        taken: list[list[float]] = [[] for _ in lines]
        for _ in range(repeats):
            for line, times in zip(lines, taken, strict=True):
                times.append(line.timed(home, *line.arguments))
    medians = [statistics.median(times) for times in taken]
    rows = [(line.what, f"{median:.2f}", f"{min(times):.2f}") for line, median, times in zip(lines, medians, taken, strict=True)]
    wanted = [
        measure.Target(f"seconds, {line.what}", line.at_most, median, is_most=True)
        for line, median in zip(lines, medians, strict=True)
        if line.at_most is not None
    ]
    return f"""## Cold start

From a shell's prompt to the answer, each in a process of its own, with `riskmetrics simulate`'s default market; the run stores what is
there already. The embedded server is at rest, so that its start and end are in the time, where a line does not say otherwise.
Seconds on the clock; medians of {repeats}.

{measure.table(["", "median", "least"], rows)}

{measure.targets(wanted)}
"""


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
    import dagster as dg

    begin = time.time()
    start(home, *arguments)
    with dg.DagsterInstance.from_config(str(home / "risk" / "dagster")) as instance:
        run_id = instance.get_runs(limit=1)[0].run_id
        return instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_START, limit=1).records[0].timestamp - begin
