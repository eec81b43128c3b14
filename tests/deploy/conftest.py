"""Postgres servers on loopback with passwords, and with the roles and databases of a deployment."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from riskmetrics.db import postgres_binaries
from tests.commands import call_main
from tests.conftest import COMMAND, MEMORY
from tests.listening import free_port

CHECKOUT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
ENVIRONMENT = {"PATH": f"{Path(COMMAND).parent}:{os.defpath}", "LC_ALL": "C.UTF-8"}
"""Environment of every process of a deployment, without that of the user."""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    binaries: Path
    port: int
    passwords: Mapping[str, str]
    """By the names that docker-compose.yml has for them."""

    def url(self, role: str, database: str = "riskmetrics") -> str:
        """Return the address of a database for the owner, the writer or the reader."""
        return f"postgresql://riskmetrics_{role}:{self.passwords[f'{role.upper()}_PASSWORD']}@127.0.0.1:{self.port}/{database}"

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        """Run a Postgres tool as the superuser, and return its output."""
        variables = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": self.passwords["POSTGRES_PASSWORD"],
        }
        environment = {
            **ENVIRONMENT,
            **variables,
            **self.passwords,
            "PATH": f"{self.binaries}:{os.defpath}",
        }
        done = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def make_passwords(folder: Path) -> dict[str, str]:
    """Return the passwords that `make env` writes into ``folder``."""
    make = [
        "make",
        "--silent",
        "--file",
        str(CHECKOUT / "Makefile"),
        "env",
        f"PYTHON={sys.executable}",
    ]
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    return dict(line.split("=") for line in (folder / ".env").read_text().splitlines())


def serve(binaries: Path, folder: Path, passwords: Mapping[str, str], *options: str) -> Postgres:
    """Start a server on loopback with data in a new ``folder`` and a superuser with password."""
    as_root = os.geteuid() == 0  # whom Postgres refuses to run as
    user = pwd.getpwnam("nobody") if as_root else pwd.getpwuid(os.geteuid())
    port = free_port()
    (folder / "password").write_text(passwords["POSTGRES_PASSWORD"])
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)

    def run(tool: str, *arguments: str) -> None:
        subprocess.run(
            [str(binaries / tool), "--pgdata", str(folder / "data"), *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if as_root else {}),
        )

    run(
        "initdb",
        "--username=postgres",
        "--auth=scram-sha-256",
        f"--pwfile={folder / 'password'}",
        "--encoding=UTF8",
        "--no-sync",
    )
    settings = (
        "listen_addresses=127.0.0.1",
        f"port={port}",
        f"unix_socket_directories={folder}",
        "fsync=off",
        *options,
    )
    run(
        "pg_ctl",
        "start",
        "--wait",
        f"--log={folder / 'log'}",
        "--options",
        " ".join(f"-c {setting}" for setting in settings),
    )
    return Postgres(binaries, port, passwords)


def stop(server: Postgres, folder: Path) -> None:
    """End a server that `serve` started, and remove its data."""
    owner = {"user": folder.stat().st_uid} if os.geteuid() == 0 else {}
    command = [
        str(server.binaries / "pg_ctl"),
        "stop",
        "--pgdata",
        str(folder / "data"),
        "--mode=immediate",
    ]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **owner)
    shutil.rmtree(folder)


def new_folder() -> Path:
    """Return a new folder that an unprivileged user can reach, in memory if there is room."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1 << 30
    return Path(tempfile.mkdtemp(prefix="riskmetrics-postgres-", dir=MEMORY if roomy else None))


def embedded_binaries() -> Path:
    """Return the tools of the Postgres that comes with riskmetrics."""
    installation = postgres_binaries.find_binaries()
    return (
        postgres_binaries.ensure_world_readable(installation) if os.geteuid() == 0 else installation
    ) / "bin"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Return a server with the roles and the databases of roles.sql, not yet migrated."""
    folder = new_folder()
    server = serve(embedded_binaries(), folder, make_passwords(tmp_path_factory.mktemp("env")))
    server.run("psql", "--quiet", "--file", str(CHECKOUT / "deploy" / "postgres" / "roles.sql"))
    yield server
    stop(server, folder)


def interpolated(value: object, variables: Mapping[str, str]) -> object:
    """Return a part of docker-compose.yml with ``${NAME…}`` replaced, as docker compose does."""
    if isinstance(value, dict):
        return {name: interpolated(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    return re.sub(
        r"\$\{(\w+):([-?])([^}]*)\}",
        lambda found: variables.get(found[1], found[3]) if found[2] == "-" else variables[found[1]],
        value,
    )


def riskmetrics(*arguments: str, url: str, home: Path, code: int = 0, **variables: str) -> str:
    """Call the command on the database at ``url``, check its exit code, and return its output."""
    environment = {
        **ENVIRONMENT,
        "RISKMETRICS_DATABASE_URL": url,
        "RISKMETRICS_HOME": str(home),
        **variables,
    }
    done = call_main(arguments, environment, home)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr
