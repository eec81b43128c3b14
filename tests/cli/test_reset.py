"""`riskmetrics reset` and `reprocess`: messages, confirmation and refusals."""

import pytest
import sqlalchemy as sa

from riskmetrics.db import result_tables, tables
from riskmetrics.db.result_tables import Scope
from riskmetrics.errors import UsageError
from tests.db.small_results import GROWTH, SECOND_DAY, store_small_results


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    """Store a row of every kind for two portfolios and two days."""
    with engine.begin() as connection:
        store_small_results(connection)
    return engine


def _rows(engine: sa.Engine, scope: Scope) -> set[int]:
    with engine.connect() as connection:
        return set(result_tables.count_results(connection, scope).values())


def test_a_reset_says_what_goes_and_asks_before_it_removes(call, filled: sa.Engine) -> None:
    refused = call("reset", "--portfolio", GROWTH, input="n\n")
    assert refused.exit_code == 1
    assert "portfolio_snapshots                      2" in refused.stderr
    assert _rows(filled, Scope(GROWTH)) == {2}
    assert "without a terminal, pass --yes" in call("reset", "--portfolio", GROWTH).stderr
    agreed = call("reset", "--portfolio", GROWTH, input="y\n")
    assert agreed.exit_code == 0
    assert "70 rows removed:\n" in agreed.stdout
    assert _rows(filled, Scope(GROWTH)) == set()
    assert _rows(filled, Scope()) == {2}


def test_a_reset_keeps_to_its_days_and_leaves_input_alone(call, filled: sa.Engine) -> None:
    assert "74 rows removed" in call("reset", "--all", "--from", f"{SECOND_DAY}", "--yes").stdout
    assert _rows(filled, Scope(first=SECOND_DAY)) == set()
    assert _rows(filled, Scope()) == {1, 2}  # of a symbol, and of two portfolios
    with filled.connect() as connection:
        assert len(connection.execute(sa.select(tables.positions)).all()) == 2


def test_a_reset_of_nothing_asks_nothing(call) -> None:
    result = call("reset", "--all")
    assert result.exit_code == 0
    assert "no matching results are stored" in result.stderr
    assert call("reset", "--all", "--yes").stdout == "0 rows removed\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reset"], "either --portfolio NAME or --all"),
        (["reset", "--all", "--portfolio", GROWTH], "either --portfolio NAME or --all"),
        (
            ["reprocess", "--all", "--from", "2022-12-28", "--to", "2022-12-27"],
            "the range is reversed",
        ),
    ],
)
def test_choices_that_cannot_be_made_are_refused(call, arguments: list[str], sentence: str) -> None:
    result = call(*arguments)
    assert isinstance(result.exception, UsageError)
    assert sentence in str(result.exception)


def test_an_unknown_portfolio_is_reported(call) -> None:
    for command in ("reset", "reprocess"):
        result = call(command, "--portfolio", "Nobody")
        assert isinstance(result.exception, UsageError)
        assert "there is no portfolio Nobody: see" in str(result.exception)


def test_reprocessing_needs_days(call) -> None:
    result = call("reprocess", "--all", "--from", "2022-12-27")
    assert result.exit_code == 1
    assert "pass --from and --to" in result.stderr
