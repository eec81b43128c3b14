"""Folders and files of one account: created private, and refused where another account owns them."""

import io
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES
from pathlib import Path

from riskmetrics.errors import ConfigurationError

if sys.platform != "win32":
    import fcntl
    import pwd

PRIVATE_FOLDER_MODE, PRIVATE_UMASK = 0o700, 0o077
_ROOT_UID = 0


@contextmanager
def private_umask() -> Iterator[None]:
    """Create files with mode 0600 and folders with mode 0700 in this block, whatever the umask.

    The umask belongs to the process: other threads and child processes get it too.
    """
    previous = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(previous)


def create_home(folder: Path) -> None:
    """Create a folder that a setting names, mode 0700 like missing folders above it.

    A folder that exists keeps its mode, but is closed to the writes of group and others where
    everybody could replace what is in it (mode 0777). A folder with the sticky bit, such as /tmp,
    stays as it is, and so does a folder of another account.

    Raises
    ------
    ConfigurationError
        If another account put the folder where everybody may write, or this is root and the folder
        belongs to another account.
    OSError
        If the folder cannot be created, or the path names a file.
    """
    refuse_planted_file(folder)
    with private_umask():
        folder.mkdir(parents=True, exist_ok=True)
    refuse_foreign_owner_as_root(folder)
    status = folder.stat()
    is_open = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if is_open and os.geteuid() in (_ROOT_UID, status.st_uid):
        folder.chmod(stat.S_IMODE(status.st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


def create_private_folder(folder: Path) -> None:
    """Create a folder with mode 0700, or give that mode to the one that exists.

    Raises
    ------
    ConfigurationError
        If the folder belongs to another ordinary account, which may replace what is in it.
    OSError
        If the folder cannot be created, or the path names a file.
    """
    refuse_planted_file(folder)
    with private_umask():
        folder.mkdir(exist_ok=True)
    refuse_foreign_owner_as_root(folder)
    status, user = folder.stat(), os.geteuid()
    if status.st_uid == user:
        if stat.S_IMODE(status.st_mode) != PRIVATE_FOLDER_MODE:
            folder.chmod(PRIVATE_FOLDER_MODE)
    elif status.st_uid != _ROOT_UID:
        raise ConfigurationError(describe_foreign_owner(folder, folder))


def refuse_planted_link(path: Path) -> None:
    """Raise PermissionError for a link that another account put into a folder open to all, such as /tmp.

    Linux does so where `fs.protected_symlinks` is set, but only when a file itself is opened.
    """
    if not path.is_symlink():
        return
    link, folder = path.lstat(), path.parent.stat()
    is_shared = folder.st_mode & stat.S_IWOTH and folder.st_mode & stat.S_ISVTX
    if is_shared and link.st_uid not in (os.geteuid(), folder.st_uid):
        raise PermissionError(EACCES, "it is a link of another account", str(path))


def refuse_planted_file(path: Path) -> None:
    """Raise ConfigurationError for a file or folder that a stranger put where everybody may write."""
    with suppress(FileNotFoundError):
        owner, parent = path.lstat().st_uid, path.absolute().parent
        folder = parent.stat()
        if folder.st_mode & stat.S_IWOTH and owner not in (os.geteuid(), folder.st_uid, _ROOT_UID):
            raise ConfigurationError(
                f"{path} belongs to {account_name(owner)}, and everybody may write to {parent}. Use"
                " another directory"
            )


def refuse_foreign_owner_as_root(path: Path) -> None:
    """Raise ConfigurationError if this is root, and a file or folder belongs to another account.

    That account could change it: name the code that Dagster runs as root, or put a link to a file
    of root's where root writes.
    """
    if os.geteuid() != _ROOT_UID:
        return
    with suppress(FileNotFoundError):
        for place in (path, path.resolve()):  # a link, and where it leads
            if uid := place.lstat().st_uid:
                owner = account_name(uid)
                raise ConfigurationError(
                    f"{place} belongs to {owner}, who could change what root uses. Run riskmetrics "
                    f"as {owner}, or give it to root: `chown -hR root {shlex.quote(str(place))}`"
                )


def refuse_special_file(path: Path) -> None:
    """Raise ConfigurationError for a pipe, socket or device: opening or reading it may never end.

    A missing path, a folder, a link to a regular file and the null device, which is empty, pass.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        status = path.stat()
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not is_file and status.st_rdev != os.stat(os.devnull).st_rdev:  # noqa: PTH116
            raise ConfigurationError(f"{path} is a pipe, a socket or a device. Put a file there")


def describe_foreign_owner(path: Path, home: Path) -> str:
    """Return a sentence on a path of another account, and the command that gives ``home`` to us."""
    user = account_name(os.geteuid())
    return (
        f"{path} belongs to {account_name(path.lstat().st_uid)} and this is {user}. Run `chown -R"
        f" {user} {shlex.quote(str(home))}` as root"
    )


def describe_access_failure(error: Exception, home: Path) -> str:
    """Return why a home cannot be used: the foreign owner on the way if access was denied, else the error."""
    if isinstance(error, PermissionError) and os.geteuid() != _ROOT_UID:
        denied = Path(os.fsdecode(error.filename or home))
        for path in (
            home,
            *(above for above in reversed(denied.parents) if above.is_relative_to(home)),
            denied,
        ):
            with suppress(OSError):
                if path.lstat().st_uid != os.geteuid():
                    return describe_foreign_owner(path, home)
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {os.fsdecode(error.filename)}"
    return str(error)


def account_name(uid: int) -> str:
    """Return the name of an account, or "uid 12345" where the machine has none with this number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def is_utf8(text: str) -> bool:
    """Whether a text is valid Unicode: a file name that is not UTF-8 has surrogates instead."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def lock_exclusively(path: Path, flags: int = 0) -> Iterator[None]:
    """Hold the lock of a file; with ``fcntl.LOCK_NB``, BlockingIOError if another process holds it."""
    with open_private_file(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX | flags)
        try:
            yield
        finally:
            fcntl.flock(
                file, fcntl.LOCK_UN
            )  # closing is not enough if another thread forked meanwhile


def open_private_file(path: Path) -> io.FileIO:
    """Open a file to append to, created with mode 0600.

    Raises
    ------
    ConfigurationError
        If the path is a pipe, socket or device.
    OSError
        If the path is a link, or cannot be opened.
    """
    refuse_special_file(path)
    # Without following a link: who may write to the home could have put one there, to a file of
    # ours.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)
