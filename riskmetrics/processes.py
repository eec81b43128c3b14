"""Which process runs a run: kept in the run's tags, so that one whose process has died is known from one that goes on."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

_PID, _HOST, _BOOT, _START_TIME = (
    f"riskmetrics/{name}" for name in ("pid", "host", "boot_id", "process_start")
)


def process_tags() -> dict[str, str]:
    """Return what tells this process from all others, on this machine and elsewhere."""
    pid = os.getpid()
    return local_run_tags() | {_PID: str(pid), _BOOT: _boot_id(), _START_TIME: _start_time(pid)}


def local_run_tags() -> dict[str, str]:
    """Return the tags that all processes of this machine share."""
    return {_HOST: socket.gethostname()}


def is_alive(run_tags: Mapping[str, str]) -> bool:
    """Tell whether the process of this machine that has these `process_tags` still runs."""
    return run_tags.get(_BOOT) == _boot_id() and _start_time(int(run_tags[_PID])) == run_tags.get(
        _START_TIME
    )


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _start_time(pid: int) -> str:
    """When a process started, in the kernel's clock ticks: tells it from a later one with the same number; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
