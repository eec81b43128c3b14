"""The wheel, and environments with it and nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from docs.site import readme
from tests.forked_commands import PATIENCE

CHECKOUT = Path(__file__).parents[2]
ORDINARY_USER = "nobody"


class Environment(NamedTuple):
    """An environment with riskmetrics installed, and its user (None: the user of the tests)."""

    folder: Path
    user: str | None = None

    def call(self, *command: str, cwd: Path, **variables: str) -> str:
        """Return the output of a command of the environment, which must succeed.

        It has none of our variables, and an empty HOME next to ``cwd``.
        """
        done = subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=cwd,
            env={"PATH": os.defpath, "HOME": str(cwd.with_name("home"))} | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            user=self.user,
            extra_groups=None if self.user is None else [],
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def public_folder() -> Iterator[Path]:
    """Return a directory that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="riskmetrics-wheel-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def distributions(public_folder: Path) -> Path:
    """Return a directory with the source distribution and the wheel built from it."""
    built = public_folder / "dist"
    build("sdist", CHECKOUT, built)
    (source,) = built.glob("*.tar.gz")
    subprocess.run(
        ["tar", "-xzf", str(source), "-C", str(built)], check=True
    )  # tarfile's filters came with Python 3.11.4
    build("wheel", built / source.name.removesuffix(".tar.gz"), built)
    return built


def build(target: str, source: Path, into: Path) -> None:
    """Build a source tree as ``pip`` does, with the build backend of the tests' environment."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=source,
        check=True,
    )


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """Return the wheel."""
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, public_folder: Path) -> Environment:
    """Return an environment with the wheel and, without network, the tests' dependencies."""
    return offline(public_folder / "environment", wheel)


def offline(folder: Path, wheel: Path, python: str = sys.executable) -> Environment:
    """Create an environment with the wheel and the other packages of the tests."""
    environment = empty(folder, python)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        str(folder / "bin" / "python"),
    ]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    link(environment, Path(sysconfig.get_path("purelib")))
    return environment


def empty(folder: Path, python: str = sys.executable) -> Environment:
    """Create an empty environment."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return Environment(folder)


def link(environment: Environment, *folders: Path) -> None:
    """Add ``folders`` to an environment's path; ignore their .pth files, as of editables."""
    (site_packages,) = environment.folder.glob("lib/python*/site-packages")
    (site_packages / "linked.pth").write_text("".join(f"{folder}\n" for folder in folders))


@pytest.fixture
def empty_directory(public_folder: Path) -> Path:
    """Return an empty working directory, with an empty HOME next to it."""
    folder = Path(tempfile.mkdtemp(dir=public_folder))
    folder.chmod(0o755)
    for name in ("home", "work"):
        (folder / name).mkdir()
    return folder / "work"


def demonstrate(environment: Environment, cwd: Path, **variables: str) -> set[str]:
    """Run the demo in an empty directory with ``variables``, check its output, return its files."""
    imported = environment.call(
        "python", "-c", "import riskmetrics; print(riskmetrics.__file__)", cwd=cwd
    )
    assert Path(imported).is_relative_to(environment.folder)
    shown = environment.call("riskmetrics", "demo", cwd=cwd, **variables)
    assert readme.find_summary(shown) == readme.read_summary()  # else: make readme
    assert len(shown.splitlines()) <= 45
    assert "Long-Short, 2022-12-28" in shown
    assert "Market beta 0.58" in shown
    assert "Long-Short" in (cwd / "report.html").read_text()
    betas = environment.call(
        "riskmetrics", "show", "betas", "--portfolio", "Long-Short", cwd=cwd, **variables
    )
    assert "Market betas, 2022-12-28" in betas
    assert "the schema is as this version expects" in environment.call(
        "riskmetrics", "db", "verify", cwd=cwd, **variables
    )
    assert list(cwd.with_name("home").iterdir()) == []
    return {path.name for path in cwd.iterdir()}
