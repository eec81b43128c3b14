"""Identify the process of a run by tags, to distinguish runs that died from runs in progress."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

_PID, _HOST, _BOOT, _START_TIME = (
    f".dagster/riskmetrics_{name}" for name in ("pid", "host", "boot_id", "process_start")
)
"""Tags that Dagster's UI does not show, as all that begin so."""


def process_tags() -> dict[str, str]:
    """Return the run tags that identify this process among those of all machines."""
    pid = os.getpid()
    return local_run_tags() | {_PID: str(pid), _BOOT: _boot_id(), _START_TIME: _start_time(pid)}


def local_run_tags() -> dict[str, str]:
    """Return the run tags that all processes of this machine share."""
    return {_HOST: socket.gethostname()}


def is_alive(run_tags: Mapping[str, str]) -> bool:
    """Return whether the process with these `process_tags` still runs on this machine."""
    return run_tags.get(_BOOT) == _boot_id() and _start_time(int(run_tags[_PID])) == run_tags.get(
        _START_TIME
    )


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; "" if it no longer exists.

    The start time distinguishes a process from a later one with the same pid.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
