"""What tests of files share."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file and give its path."""

    def write(text: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture(scope="module")
def file_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Write a file that the next call overwrites; for tests that run many times."""
    path = tmp_path_factory.mktemp("files") / "file.csv"

    def write(text: str) -> Path:
        path.write_bytes(text.encode())
        return path

    return write
