"""A calendar of events from its file to forecasts and their explanation."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import Result

from tests.commands import invoke
from tests.e2e.conftest import Run, list_differences, query_frame, recalculate_explanations

DAY = date(2022, 12, 28)
EVENTS = ("2022-01-05", "2022-04-05", "2022-07-05", "2022-10-04", "2023-01-10")
"""Days that are not those of Microsoft's reports, whose months have other surprises."""


def call(*arguments: str) -> Result:
    return invoke(*arguments)


def read_forecasts(url: str) -> pd.DataFrame:
    return (
        query_frame(
            url,
            "SELECT f.subject, f.volatility_forecast, h.horizon, h.volatility_forecast AS ahead"
            " FROM volatility_forecasts f JOIN volatility_horizon_forecasts h USING (subject, day)"
            " WHERE f.portfolio_id IS NULL",
        )
        .set_index(["subject", "horizon"])
        .sort_index()
    )


@pytest.fixture
def calendar(tmp_path: Path) -> str:
    file = tmp_path / "earnings.csv"
    lines = [f"MSFT,{day},{day[:7]}-01" for day in EVENTS[:-1]]
    file.write_text("\n".join(["symbol,date,known_on", *lines, f"MSFT,{EVENTS[-1]},2022-12-20\n"]))
    return str(file)


def test_a_calendar_moves_the_forecasts_of_its_symbols_only_and_they_can_be_recalculated(
    computed_sample: str, run: Run, calendar: str
) -> None:
    before = read_forecasts(computed_sample)
    dry = call("import", "events", calendar, "--dry-run")
    assert dry.stdout == f"{calendar}: 5 rows read; dry run: nothing stored\n"
    assert query_frame(computed_sample, "SELECT * FROM symbol_events").empty
    assert call("import", "events", calendar).stdout == f"{calendar}: 5 rows written, 0 unchanged\n"
    assert call("import", "events", calendar).stdout == f"{calendar}: 0 rows written, 5 unchanged\n"
    assert run([DAY]).exit_code == 0
    after = read_forecasts(computed_sample)
    moved = (after != before).any(axis=1)
    assert set(moved.index[moved].get_level_values("subject")) == {"MSFT"}
    assert moved["MSFT"].all()
    holders = "SELECT name FROM portfolios f JOIN positions p ON p.portfolio_id = f.id WHERE symbol"
    assert "Core Equity" in set(query_frame(computed_sample, f"{holders} = 'MSFT'")["name"])
    explanations = recalculate_explanations(computed_sample, DAY, ["Core Equity"])
    assert list_differences(explanations) == []


def test_rejected_rows_are_stored_with_their_reasons(sample: str, tmp_path: Path) -> None:
    file = tmp_path / "earnings.csv"
    file.write_text("symbol,date\nMSFT,2022-10-25\nMSFT,\n,2022-10-25\n")
    result = call("import", "events", str(file))
    assert result.exit_code == 4
    assert "2 rows rejected and stored in rejected_rows: line 3: no date" in result.stderr
    rows = query_frame(sample, "SELECT kind, line, reason FROM rejected_rows ORDER BY line")
    assert rows.values.tolist() == [["events", 3, "no date"], ["events", 4, "no symbol"]]
    dry = call("import", "events", str(file), "--dry-run")
    assert "rejected, line 3: no date\nrejected, line 4: no symbol\n" in dry.stderr
