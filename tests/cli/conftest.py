"""Fixtures that call commands in this process."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from riskmetrics.cli.main import app

Call = Callable[..., Result]


@pytest.fixture
def call(database: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that calls a command on a database at head.

    An exception must be a RiskmetricsError.
    """
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)

    def call(*arguments: str, **options: object) -> Result:
        return CliRunner().invoke(app, arguments, **options)

    return call
