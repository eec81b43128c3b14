"""The wheel without the checkout, and a read-only checkout; empty directory, empty HOME."""

import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.forked_commands import PATIENCE
from tests.wheel.conftest import (
    CHECKOUT,
    ORDINARY_USER,
    Environment,
    build,
    demonstrate,
    empty,
    link,
    offline,
)

MAIN = "from riskmetrics.cli.main import main; main()"


def test_the_wheel_is_the_same_from_the_checkout_and_from_the_source_distribution(
    wheel: Path, tmp_path: Path
) -> None:
    build("wheel", CHECKOUT, tmp_path)
    with ZipFile(wheel) as published, ZipFile(tmp_path / wheel.name) as direct:
        contents = {entry.filename: entry.CRC for entry in published.infolist()}
        assert contents == {entry.filename: entry.CRC for entry in direct.infolist()}
    assert "riskmetrics/_bundled/migrations/env.py" in contents
    assert "riskmetrics/py.typed" in contents
    assert "riskmetrics/_bundled/deploy/postgres/roles.sql" in contents
    assert not [name for name in contents if "__pycache__" in name or name.startswith("tests")]


@pytest.mark.slow(30)
def test_the_demo_and_dagsters_own_commands_run_with_a_long_home_that_has_spaces(
    installed: Environment, empty_directory: Path
) -> None:
    """A Unix socket's path is limited to 107 characters; Dagster's storage is a URL."""
    home = empty_directory.parent / ("all the risk of this house " * 6) / "and 100% of its runs"
    assert len(str(home)) > 107
    assert demonstrate(installed, empty_directory, RISKMETRICS_HOME=str(home)) == {"report.html"}
    variables = json.loads(
        installed.call(
            "riskmetrics", "env", "--json", cwd=empty_directory, RISKMETRICS_HOME=str(home)
        )
    )
    code = ("-m", "riskmetrics.definitions")
    assert "daily_risk" in installed.call(
        "python", "-m", "dagster", "job", "list", *code, cwd=empty_directory, **variables
    )
    materialize = (
        "asset",
        "materialize",
        *code,
        "--select",
        "portfolio_values",
        "--partition",
        "2022-12-27",
    )
    installed.call("python", "-m", "dagster", *materialize, cwd=empty_directory, **variables)
    stored = installed.call(
        "riskmetrics",
        "show",
        "snapshot",
        "--date",
        "2022-12-27",
        "--json",
        cwd=empty_directory,
        **variables,
    )
    assert len(json.loads(stored)) == 3


@pytest.mark.slow(30)
def test_the_demo_runs_from_an_empty_directory(
    request: pytest.FixtureRequest, wheel: Path, public_folder: Path, empty_directory: Path
) -> None:
    """Root lets an ordinary user run it, if such a user may run this version of Python.

    The other demos here are run by the user of the tests.
    """
    python = _python_for_all()
    if os.geteuid() == 0 and python is not None:
        environment = offline(public_folder / "ordinary", wheel, python)
        environment = environment._replace(user=ORDINARY_USER)
        for folder in (empty_directory, empty_directory.with_name("home")):
            shutil.chown(folder, ORDINARY_USER)
    else:
        environment = request.getfixturevalue("installed")
    assert demonstrate(environment, empty_directory) == {"report.html", ".riskmetrics"}
    if environment.user is not None:
        assert (empty_directory / ".riskmetrics").owner() == environment.user


def _python_for_all() -> str | None:
    """Return an interpreter of this version that every user may run, if all may read packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (
        Path(sys.executable),
        Path("/usr/bin") / version,
        Path("/usr/local/bin") / version,
    ):
        if candidate.exists() and all(
            _open_to_all(path.resolve())
            for path in (candidate, Path(sysconfig.get_path("purelib")))
        ):
            return str(candidate)
    return None


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


@pytest.mark.slow(40)
def test_a_checkout_that_cannot_be_written_runs_everything(
    public_folder: Path, empty_directory: Path
) -> None:
    """Neither the commands, Dagster, Alembic, pytest nor bytecode writes next to the code."""
    checkout = public_folder / "checkout"
    shutil.copytree(
        CHECKOUT,
        checkout,  # with its bytecode, but that which is being written
        ignore=shutil.ignore_patterns(".*", "*.pyc.*", "dist", "report.html"),
    )
    environment = empty(public_folder / "of-checkout")
    link(environment, Path(sysconfig.get_path("purelib")), checkout)
    home = empty_directory / "risk"
    variables = {
        "PATH": os.defpath,
        "HOME": str(empty_directory),
        "RISKMETRICS_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
    }
    prefix = _read_only(checkout)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*prefix, str(environment.folder / "bin" / "python"), *arguments]
        return subprocess.run(
            command,
            cwd=checkout,
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert "OSError" in call("-c", "open('written', 'w')").stderr
    for arguments in (
        ("-c", MAIN, "demo", "--out", str(empty_directory / "report.html")),
        ("-m", "alembic", "current"),
        ("-m", "dagster", "job", "list"),
        ("-m", "pytest", "tests/test_panels.py"),
    ):
        done = call(*arguments)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    refused = call("-c", MAIN, "report")
    assert refused.returncode == 2
    assert "cannot write report.html" in refused.stderr


def _read_only(folder: Path) -> list[str]:
    """Return a command prefix that makes ``folder`` read-only by a mount, as root needs."""
    if os.geteuid() != 0:
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
        return []
    mount = (
        f"mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}' && cd"
        f" '{folder}' && exec \"$@\""
    )
    prefix = ["unshare", "--mount", "--", "sh", "-c", mount, "sh"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip(
            "root may write everywhere, and there are no mount namespaces here to hinder it"
        )
    return prefix
