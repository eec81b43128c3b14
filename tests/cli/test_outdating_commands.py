"""Commands that outdate results: new names, settings in the database, weights and scenarios."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics.db import outdated_results, tables
from tests.cli.test_price_commands import store_results
from tests.commands import invoke
from tests.outdated_ranges import read_outdated_range

DAYS = [date(2024, 12, day) for day in (3, 4, 5)]
"""Sessions with results; KO is held from the second one on."""


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch, engine: sa.Engine) -> sa.Engine:
    """Return the engine of a database with results; the settings point to it."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    portfolios = tables.portfolios
    with engine.begin() as connection:
        owner = connection.scalar(
            sa.insert(portfolios).values(name="A", currency="USD").returning(portfolios.c.id)
        )
        lot = {"symbol": "KO", "position_type": "LONG", "quantity": 10, "entry_date": DAYS[1]}
        connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **lot))
        store_results(connection, DAYS)
    return engine


def outdated_range(engine: sa.Engine) -> tuple[date, date] | None:
    """Return the range of outdated results."""
    with engine.connect() as connection:
        return read_outdated_range(connection)


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [("market_index", "SPY", "ACWI"), ("rate_index", "IEF", "TLT"), ("benchmark", "X", "Y")],
)
def test_a_setting_outdates_all_results_if_its_value_changes(
    engine: sa.Engine, name: str, value: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_to(new: str) -> tuple[date, date] | None:
        with engine.begin() as connection:
            mark = outdated_results.read_mark(connection)
            outdated_results.mark_recomputed(connection, DAYS, mark)
        done = invoke("db", "setting", name, new)
        assert done.exit_code == 0, done.output
        found = outdated_range(engine)
        assert ("are outdated" in done.stderr) is (found is not None)
        return found

    change_to(value)
    assert change_to(value) is None
    assert change_to(other) == (DAYS[0], DAYS[2])
    monkeypatch.setenv(f"RISKMETRICS_{name.upper()}", other)
    assert change_to(value) is None  # the setting of this machine is in use


@pytest.mark.parametrize(("old", "first"), [("KO", DAYS[1]), ("PEP", None)])
def test_a_new_name_outdates_the_results_that_are_stored_under_the_old_one(
    engine: sa.Engine, old: str, first: date | None
) -> None:
    """PEP has a lot that is opened after the last result."""
    with engine.begin() as connection:
        owner = connection.scalar(sa.select(tables.portfolios.c.id))
        later = {"symbol": "PEP", "position_type": "LONG", "quantity": 1}
        later |= {"portfolio_id": owner, "entry_date": date(2024, 12, 6)}
        connection.execute(sa.insert(tables.positions).values(later))
    done = invoke("symbols", "rename", old, "NEW")
    assert done.exit_code == 0, done.output
    assert outdated_range(engine) == (first and (first, DAYS[2]))
    assert ("are outdated" in done.stderr) is (first is not None)


def test_an_import_of_weights_outdates_from_the_first_date_that_changes(
    engine: sa.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "weights.csv"

    def import_weights(*weights: float, code: str = "SP500") -> tuple[date, date] | None:
        rows = [
            f"{day},{sector},{share}"
            for day, weight in zip(DAYS, weights, strict=False)
            for sector, share in (("Energy", weight), ("Utilities", 1 - weight))
        ]
        file.write_text("\n".join(["date,sector,weight", *rows, ""]))
        with engine.begin() as connection:
            mark = outdated_results.read_mark(connection)
            outdated_results.mark_recomputed(connection, DAYS, mark)
        done = invoke("import", "benchmark", str(file), "--code", code)
        assert done.exit_code == 0, done.output
        return outdated_range(engine)

    assert import_weights(0.5, 0.5, 0.5) == (DAYS[0], DAYS[2])
    assert import_weights(0.5, 0.5, 0.5) is None
    assert import_weights(0.5, 0.4, 0.5) == (DAYS[1], DAYS[2])
    assert import_weights(0.5, code="OTHER") is None  # no result uses it


def test_an_import_of_scenarios_outdates_all_results_if_one_changes(
    engine: sa.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "scenarios.csv"
    for move, expected in ((-0.1, (DAYS[0], DAYS[2])), (-0.1, None), (-0.2, (DAYS[0], DAYS[2]))):
        file.write_text(f"name,market_move\nFall,{move}\n")
        with engine.begin() as connection:
            mark = outdated_results.read_mark(connection)
            outdated_results.mark_recomputed(connection, DAYS, mark)
        assert invoke("import", "scenarios", str(file)).exit_code == 0
        assert outdated_range(engine) == expected
