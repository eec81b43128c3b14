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
