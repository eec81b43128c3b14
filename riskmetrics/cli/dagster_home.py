"""Create and check Dagster's home directory."""

import os
import re
from collections.abc import Iterator
from errno import EACCES, EROFS
from pathlib import Path

from riskmetrics import folders
from riskmetrics.errors import ConfigurationError

MAX_PATH_BYTES = 451
"""Length of the longest path of a home.

SQLite opens paths of at most 511 bytes, and the longest path below the home adds 61 bytes:
/history/runs/, the 36 characters of a run's id, .db and -journal.
"""

_SUBFOLDERS = ("history", "history/runs", "schedules", "storage")
_FILES = ("dagster.yaml", ".env")
"""Files that Dagster reads: they name code, and set variables of its processes."""
_DATABASES = ("history/*.db*", "history/runs/index.db*", "schedules/*.db*")
_STORAGE_SETTINGS = frozenset(
    {"storage", "run_storage", "event_log_storage", "schedule_storage", "instance_class"}
)
"""Keys of dagster.yaml that name a storage, or a class of instance with storage of its own."""
_ADVICE = "Set DAGSTER_HOME to another directory"


def find_path_fault(home: Path) -> str | None:
    """Return why Dagster cannot use a path, or None if it can.

    Dagster makes SQLAlchemy URLs of its SQLite files by concatenation, without quoting.
    """
    text = str(home)
    if not folders.is_utf8(text):
        return "the path is not UTF-8"
    if "?" in text:
        return "its SQLite storage cannot use a path with a question mark"
    if escape := re.search(r"%[0-9A-Fa-f]{2}", text):
        return f"its SQLite storage reads {escape[0]} in a path as another character"
    size = max(len(os.fsencode(path)) for path in (text, os.path.realpath(text)))
    if size > MAX_PATH_BYTES:
        return f"the path has {size} bytes; its SQLite storage takes at most {MAX_PATH_BYTES}"
    return None


def check_path(home: Path) -> None:
    """Raise ConfigurationError if Dagster cannot use a path."""
    if fault := find_path_fault(home):
        raise ConfigurationError(f"Dagster cannot store its files in {home}: {fault}. {_ADVICE}")


def prepare_home(home: Path, *, is_default_home: bool) -> None:
    """Create Dagster's home with the bundled instance file, or check the home that exists.

    Created files and directories are private to this account.

    Parameters
    ----------
    home : Path
        Absolute path.
    is_default_home : bool
        Whether it is the default, RISKMETRICS_HOME/dagster, which gets mode 0700. Any other
        existing directory keeps its mode, see `folders.create_home`.

    Raises
    ------
    ConfigurationError
        If Dagster cannot use the path, or this account cannot write there.
    """
    check_path(home)
    try:
        folders.create_home(home.parent if is_default_home else home)
        if is_default_home:
            folders.create_private_folder(home)
        for name in _FILES:
            folders.refuse_foreign_owner_as_root(home / name)
        for path in (*(home / name for name in _FILES), *_iter_writable_paths(home)):
            folders.refuse_special_file(path)
        for name in _SUBFOLDERS:
            if (home / name).exists():
                folders.create_private_folder(home / name)
        if not (home / "dagster.yaml").exists():
            _copy_instance_file(home)
        _require_writable(home)
    except OSError as error:
        reason = folders.describe_access_failure(error, home)
        raise ConfigurationError(
            f"Dagster cannot store its files in {home}: {reason}. {_ADVICE}"
        ) from None


def _copy_instance_file(home: Path) -> None:
    """Write the instance file atomically."""
    from riskmetrics.settings import bundled_path

    unfinished = home / f"dagster.yaml.{os.getpid()}"
    try:
        unfinished.unlink(missing_ok=True)
        with folders.private_umask(), unfinished.open("xb") as file:  # follows no link
            file.write(bundled_path("dagster.yaml").read_bytes())
        unfinished.replace(home / "dagster.yaml")
    finally:
        unfinished.unlink(missing_ok=True)


def _require_writable(home: Path) -> None:
    """Raise OSError if a path that every run writes to is not writable."""
    for path in _iter_writable_paths(home):
        if os.access(path, os.W_OK):
            continue
        if os.geteuid() in (0, path.stat().st_uid):
            raise OSError(EROFS, "its mode or its file system does not allow writing", str(path))
        raise PermissionError(EACCES, "Permission denied", str(path))


def _iter_writable_paths(home: Path) -> Iterator[Path]:
    """Yield the home and the existing paths in it that every run writes to."""
    yield home
    for name in (*_SUBFOLDERS, "creating.lock"):
        if (home / name).exists():
            yield home / name
    for pattern in _DATABASES:
        yield from home.glob(pattern)


def names_storage(home: Path) -> bool:
    """Return whether a home's instance file names a storage, instead of Dagster's default."""
    import yaml

    content = yaml.safe_load((home / "dagster.yaml").read_bytes())
    return isinstance(content, dict) and not _STORAGE_SETTINGS.isdisjoint(content)


def describe_storage_fault(error: BaseException) -> str:
    """Return in one line why Dagster's storage does not open; its own message names no cause."""
    import dagster as dg

    faults = error.errors if isinstance(error, dg.DagsterInvalidConfigError) else ()
    reason = faults[0].message if faults else str(error.__cause__ or error) or type(error).__name__
    return reason.strip().partition("\n")[0].removesuffix(":")
