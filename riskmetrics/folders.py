"""Private directories and files: create them, and refuse those that another account owns."""

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
    """Create files with mode 0600 and directories with mode 0700 inside the block.

    The umask belongs to the process: it also applies to other threads and to child processes.
    """
    previous = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(previous)


def create_home(folder: Path) -> None:
    """Create a directory named in the settings, and its missing parents, with mode 0700.

    An existing directory keeps its mode, except that write permission of group and others is
    removed from a world-writable directory (mode 0777). A directory with the sticky bit, such as
    /tmp, and a directory of another account are not changed.

    Raises
    ------
    ConfigurationError
        If another account created the directory in a world-writable directory, or if this is root
        and the directory belongs to another account.
    OSError
        If the directory cannot be created, or the path names a file.
    """
    refuse_untrusted_file(folder)
    with private_umask():
        folder.mkdir(parents=True, exist_ok=True)
    refuse_foreign_owner_as_root(folder)
    status = folder.stat()
    is_open = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    if is_open and os.geteuid() in (_ROOT_UID, status.st_uid):
        folder.chmod(stat.S_IMODE(status.st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


def create_private_folder(folder: Path) -> None:
    """Create a directory with mode 0700, or set that mode on the existing directory.

    Raises
    ------
    ConfigurationError
        If the directory belongs to another account than root, which could replace its contents.
    OSError
        If the directory cannot be created, or the path names a file.
    """
    refuse_untrusted_file(folder)
    with private_umask():
        folder.mkdir(exist_ok=True)
    refuse_foreign_owner_as_root(folder)
    status, user = folder.stat(), os.geteuid()
    if status.st_uid == user:
        if stat.S_IMODE(status.st_mode) != PRIVATE_FOLDER_MODE:
            folder.chmod(PRIVATE_FOLDER_MODE)
    elif status.st_uid != _ROOT_UID:
        raise ConfigurationError(describe_foreign_owner(folder, folder))


def refuse_untrusted_link(path: Path) -> None:
    """Raise PermissionError for a link of another account in a shared directory, such as /tmp.

    Linux does the same with `fs.protected_symlinks`, but only when the file itself is opened.
    """
    if not path.is_symlink():
        return
    link, folder = path.lstat(), path.parent.stat()
    is_shared = folder.st_mode & stat.S_IWOTH and folder.st_mode & stat.S_ISVTX
    if is_shared and link.st_uid not in (os.geteuid(), folder.st_uid):
        raise PermissionError(EACCES, "the link belongs to another account", str(path))


def refuse_untrusted_file(path: Path) -> None:
    """Raise ConfigurationError for a path of another account in a world-writable directory."""
    with suppress(FileNotFoundError):
        owner, parent = path.lstat().st_uid, path.absolute().parent
        folder = parent.stat()
        if folder.st_mode & stat.S_IWOTH and owner not in (os.geteuid(), folder.st_uid, _ROOT_UID):
            raise ConfigurationError(
                f"{path} belongs to {account_name(owner)}, and {parent} is world-writable. Use"
                " another directory"
            )


def refuse_foreign_owner_as_root(path: Path) -> None:
    """Raise ConfigurationError if this is root and a file or directory belongs to another account.

    That account could change the code that Dagster runs as root, or make root write to a file of
    root's by a link.
    """
    if os.geteuid() != _ROOT_UID:
        return
    with suppress(FileNotFoundError):
        for place in (path, path.resolve()):  # a link, and its target
            if uid := place.lstat().st_uid:
                owner = account_name(uid)
                raise ConfigurationError(
                    f"{place} belongs to {owner}, who could change what root uses. Run riskmetrics "
                    f"as {owner}, or give it to root: `chown -hR root {shlex.quote(str(place))}`"
                )


def refuse_special_file(path: Path) -> None:
    """Raise ConfigurationError for a pipe, socket or device, which may block forever.

    A missing path, a directory, a link to a regular file and the null device are accepted.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        status = path.stat()
        is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if not is_file and status.st_rdev != os.stat(os.devnull).st_rdev:  # noqa: PTH116
            raise ConfigurationError(f"{path} is a pipe, socket or device. Use a regular file")


def describe_foreign_owner(path: Path, home: Path) -> str:
    """Return a message about a path of another account, with the command that changes its owner.

    The command changes the owner of ``home`` and everything in it.
    """
    user = account_name(os.geteuid())
    return (
        f"{path} belongs to {account_name(path.lstat().st_uid)}, but riskmetrics runs as {user}."
        f" Run `chown -R {user} {shlex.quote(str(home))}` as root"
    )


def describe_access_failure(error: Exception, home: Path) -> str:
    """Return why ``home`` cannot be used: a path that belongs to another account, or the error."""
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
    """Return the name of an account, or "uid 12345" if the machine has no name for it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def is_utf8(text: str) -> bool:
    """Return whether text can be encoded as UTF-8; file names that are not UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def lock_exclusively(path: Path, flags: int = 0) -> Iterator[None]:
    """Hold an exclusive lock on a file inside the block.

    Parameters
    ----------
    path : Path
        Created if absent.
    flags : int
        ``fcntl.LOCK_NB`` raises BlockingIOError if another process holds the lock; 0 waits.
    """
    with open_private_file(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX | flags)
        try:
            yield
        finally:
            # Closing is not enough if another thread has forked in between.
            fcntl.flock(file, fcntl.LOCK_UN)


def open_private_file(path: Path) -> io.FileIO:
    """Open a file for appending; a new file gets mode 0600.

    Raises
    ------
    ConfigurationError
        If the path is a pipe, socket or device.
    OSError
        If the path is a link, or cannot be opened.
    """
    refuse_special_file(path)
    # O_NOFOLLOW: an account that can write to the directory could have put a link to another file.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)
