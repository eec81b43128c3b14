"""Series that the shards of a run have in common: the first that needs one computes it for all."""

import hashlib
import pickle
from collections.abc import Callable, Hashable
from contextlib import suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")


class SharedSeries:
    """Series by name, in memory, and in files for the other processes of a run.

    Parameters
    ----------
    files : Path, optional
        Start of the paths of files, in a directory only this user can write. Processes with the
        same files compute a series once: the others wait for it, and read it.
    """

    def __init__(self, files: Path | None = None) -> None:
        self._files = files
        self._found: dict[Hashable, object] = {}

    def get_or_compute(self, name: Hashable, compute: Callable[[], T]) -> T:
        """Return what was found under a name; compute it if it is new.

        Processes recognize a name by its `repr`. ``compute`` must not request the name
        itself.
        """
        if name not in self._found:
            self._found[name] = (
                compute() if self._files is None else _load_or_compute(self._files, name, compute)
            )
        return cast("T", self._found[name])


def _load_or_compute(files: Path, name: Hashable, compute: Callable[[], T]) -> T:
    """Read a file, or write it; the kernel frees the lock of a process that is killed."""
    file = files.with_name(f"{files.name}-{hashlib.sha256(repr(name).encode()).hexdigest()}")
    with file.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if file.exists():
            return cast("T", pickle.loads(file.read_bytes()))  # noqa: S301  # of this user's run
        value = compute()
        unfinished = file.with_suffix(".new")
        with suppress(OSError):  # the disk is full: the others compute it too
            unfinished.write_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
            unfinished.replace(file)
        return value
