"""The wheel and its locked packages, installed from the network for every available Python."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.wheel.conftest import CHECKOUT, Environment, demonstrate

pytestmark = pytest.mark.wheel


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_demo_runs_where_the_wheel_and_its_locked_packages_are_installed(
    version: str, wheel: Path, public_folder: Path, empty_directory: Path
) -> None:
    environment = Environment(public_folder / version)
    subprocess.run([_interpreter(version), "-m", "venv", str(environment.folder)], check=True)
    pip = [str(environment.folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    locked = [
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--requirement",
        str(CHECKOUT / "requirements.lock"),
    ]
    subprocess.run([*pip, "install", "--quiet", *locked], check=True)
    subprocess.run(
        [*pip, "install", "--quiet", "--no-index", str(wheel)], check=True
    )  # refused if the lock leaves out a dependency
    assert demonstrate(environment, empty_directory) == {"report.html", ".riskmetrics"}


def _interpreter(version: str) -> str:
    """Return a Python of a version, from the PATH or pyenv."""
    name = f"python{version}"
    for found in (shutil.which(name), *Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}")):
        if (
            found
            and subprocess.run([found, "--version"], capture_output=True, check=False).returncode
            == 0
        ):  # pyenv's own may have none
            return str(found)
    pytest.skip(f"no {name} here")
