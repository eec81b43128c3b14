"""A PostgreSQL cluster of the embedded server: create, start and stop it, and set up its roles."""

import io
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from riskmetrics import folders
from riskmetrics.db.postgres_binaries import MAJOR_VERSION
from riskmetrics.db.roles import DATABASE, Role, set_up_digest, set_up_sql
from riskmetrics.errors import DatabaseError

if sys.platform != "win32":
    import fcntl
    import pwd

SUPERUSER = "riskmetrics"
ROOT_SUBSTITUTE = 65533
"""User and group id of the server if riskmetrics runs as root, because Postgres refuses root.

No account has this id (systemd's UIDS-GIDS.md leaves 65520 to 65533 unused), so no other program
can signal the server or read its memory.
"""
INITIALIZER = "nobody"  # initdb looks up the name of its account
PORT = 5432  # no port is opened: it is the suffix of the socket's name
# pages of 8 KB; every role may NOTIFY, and the default could fill 8 GB of the disk
NOTIFY_QUEUE_SETTING = "max_notify_queue_pages=1024"
RELOAD_TIMEOUT_SECONDS = 30
START_TIMEOUT_SECONDS = 600  # includes crash recovery
STOP_TIMEOUT_SECONDS = 60
MAX_LOG_EXCERPT_CHARS = 600


@dataclass(frozen=True)
class Cluster:
    """A database cluster, and the tools that run it as the account that owns ``data``."""

    data: Path
    socket_directory: Path
    log: Path
    binaries: Path
    is_durable: bool

    @property
    def running_lock(self) -> Path:
        """Return the file whose lock the processes of the server hold."""
        return self.data.with_name("running.lock")

    def start(self, lock_file: io.FileIO) -> None:
        """Start the server and wait until it accepts connections.

        The server inherits ``lock_file``: the lock is held as long as any of its processes lives.
        """
        if not self.data.exists():
            self.initialize()
        self.repair_permissions()
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR_VERSION:
            raise DatabaseError(
                f"{self.data} was created by PostgreSQL {version}, but riskmetrics uses"
                f" {MAJOR_VERSION}: dump it with pg_dump {version}, move the directory away, and"
                " load the dump into the new database"
            )
        is_set_up = self.is_set_up()
        if not is_set_up:
            self.write_access_files(is_superuser_allowed=True)
        # No process of an earlier server is alive, or the lock would be held; the pids in these
        # files may belong to other processes now.
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
                lock_file.close()  # the server has it too
                self.stop()
                raise

    def access_files(self, *, is_superuser_allowed: bool) -> dict[str, str]:
        """Return names and contents of the files that map accounts to roles.

        ROOT_SUBSTITUTE runs the server only: it may not connect.
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
        """Write the files that map accounts to roles; the server reads them at start and reload."""
        for name, text in self.access_files(is_superuser_allowed=is_superuser_allowed).items():
            self.replace_file(name, text)

    def replace_file(self, name: str, text: str) -> None:
        """Write a file of the cluster, readable by its owner only, without following a link."""
        fresh = self.data / f"{name}.new"
        fresh.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), self.data.stat().st_uid, self.data.stat().st_gid)
            file.write(text)
        fresh.replace(self.data / name)

    def is_set_up(self) -> bool:
        """Return whether the roles of this version exist and the superuser is rejected."""
        return all(
            (self.data / name).read_text() == text
            for name, text in self.access_files(is_superuser_allowed=False).items()
        )

    def set_up_roles(self) -> None:
        """Create the roles and their grants in the running server; idempotent, one transaction."""
        try:
            with self.superuser_connection() as connection:
                # The access files written next record that the roles exist.
                connection.execute("SET synchronous_commit = on")
                connection.execute(set_up_sql().encode())
        except psycopg.Error as error:
            reason = error.diag.message_primary or error
            raise DatabaseError(
                f"the roles of the embedded PostgreSQL in {self.data} cannot be created ({reason}):"
                f" stop other riskmetrics processes that use it and retry, or see {self.log}"
            ) from error

    @contextmanager
    def superuser_connection(self) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
        """Yield an autocommit connection of the superuser.

        After a block without an error, the superuser is rejected again.
        """
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
            except psycopg.OperationalError:
                # The server reads the access files shortly after the reload signal.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def initialize(self) -> None:
        """Create the cluster with its superuser and database, atomically."""
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
        """Set the mode that Postgres requires, and as root change the owner to ROOT_SUBSTITUTE."""
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
        """Return the settings that trade crash safety for speed; none if the data are durable."""
        if self.is_durable:
            return ()
        return "fsync=off", "full_page_writes=off", "synchronous_commit=off"

    def stop(self) -> None:
        """Stop the server and end its connections; wait until all of its processes have ended."""
        # An error means that it has stopped already, or is in the log for the next client.
        with suppress(DatabaseError):
            self.run_tool("pg_ctl", "stop", "-m", "fast", "-W")  # it would look every 0.1 seconds
            deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
            while time.monotonic() < deadline:
                with (
                    suppress(BlockingIOError),
                    folders.lock_exclusively(self.running_lock, fcntl.LOCK_NB),
                ):
                    return
                time.sleep(0.005)

    def is_accepting_connections(self) -> bool:
        """Return whether the server accepts connections."""
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
        """Run a Postgres tool on the cluster; its output goes to the log, and to the error.

        Raises
        ------
        DatabaseError
            If the tool fails; the message has the end of its output.
        """
        as_root = os.geteuid() == 0
        # The account of the server may not be able to reach the data in root's home, but it can use
        # the working directory, which is entered before the change of user. The environment is
        # minimal so that it contains no secret.
        environment = {
            "PGDATA": "/proc/self/cwd" if as_root else str(self.data),
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
        }
        with folders.open_private_file(self.log) as log:
            log_offset = log.tell()
            code = subprocess.run(  # noqa: S603  # fixed arguments, no shell
                [str(self.binaries / command), *arguments],
                check=False,
                cwd=self.data,
                env=environment,
                input=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=inherited_fds,
                start_new_session=True,  # Ctrl-C in a terminal must not reach the server
                user=self.data.stat().st_uid if as_root else None,
                group=ROOT_SUBSTITUTE if as_root else None,
                extra_groups=[] if as_root else None,
            ).returncode
        if code:
            lines = self.log.read_bytes()[log_offset:].decode(errors="replace").splitlines()
            output = "; ".join(line.strip() for line in lines if line.strip())
            excerpt = output[-MAX_LOG_EXCERPT_CHARS:]
            raise DatabaseError(
                f"the embedded PostgreSQL failed in {command} ({excerpt}): see {self.log}"
            )
