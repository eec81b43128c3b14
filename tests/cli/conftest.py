"""Fixtures that call commands in this process."""

from collections.abc import Callable

import pytest
from typer.testing import Result

from tests.commands import invoke

Call = Callable[..., Result]


@pytest.fixture
def call(database: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that calls a command on a database at head."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)

    return invoke
