"""Commands called in this process."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from riskmetrics.cli.main import app

Call = Callable[..., Result]


@pytest.fixture
def call(database: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a command on a database at head; a refusal must be an error of ours."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)

    def call(*arguments: str, **options: object) -> Result:
        return CliRunner().invoke(app, arguments, **options)

    return call
