"""Which process runs a run: kept in the run's tags, so that one whose process has died is known from one that goes on."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

_PID, _HOST, _BOOT, _STARTED = (f"riskmetrics/{name}" for name in ("pid", "host", "boot_id", "process_start"))


def tags() -> dict[str, str]:
    """Return what tells this process from all others, on this machine and elsewhere."""
    pid = os.getpid()
    return of_this_machine() | {_PID: str(pid), _BOOT: _boot_id(), _STARTED: _start(pid)}


def of_this_machine() -> dict[str, str]:
    """Return the tags that all processes of this machine share."""
    return {_HOST: socket.gethostname()}


def lives(known: Mapping[str, str]) -> bool:
    """Tell whether the process of this machine that has these `tags` still runs."""
    return known.get(_BOOT) == _boot_id() and _start(int(known[_PID])) == known.get(_STARTED)


def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _start(pid: int) -> str:
    """When a process started, in the kernel's clock ticks: tells it from a later one with the same number; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
