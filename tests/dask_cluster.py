"""A Dask scheduler and workers, as processes of this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.forked_commands import PATIENCE

_DASK = str(Path(sys.executable).parent / "dask")


class Cluster(NamedTuple):
    """Address of a scheduler, and its worker processes."""

    address: str
    workers: list["subprocess.Popen[bytes]"]


@contextmanager
def start_cluster(
    folder: Path, settings: Mapping[str, str], n_workers: int = 2
) -> Iterator[Cluster]:
    """Start a scheduler and workers of one thread, with ``settings`` in their environment."""
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    alone = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        with (folder / f"dask-{len(processes)}.log").open("wb") as log:
            processes.append(
                subprocess.Popen(
                    [_DASK, *arguments, *common],
                    cwd=folder,
                    env=os.environ | settings,
                    stdout=log,
                    stderr=log,
                )
            )
        return processes[-1]

    try:
        start("scheduler", "--port", "0")
        deadline = time.monotonic() + PATIENCE
        while not (address := _read_address(file)):
            assert processes[0].poll() is None, (folder / "dask-0.log").read_text()
            assert time.monotonic() < deadline, (folder / "dask-0.log").read_text()
            time.sleep(0.02)
        yield Cluster(address, [start("worker", *alone) for _ in range(n_workers)])
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _read_address(file: Path) -> str:
    """Return the address in a scheduler's file; empty until it is written."""
    try:
        return str(json.loads(file.read_text())["address"])
    except (OSError, ValueError):
        return ""
