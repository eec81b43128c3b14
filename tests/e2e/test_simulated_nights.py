"""Nights with late closes and restated histories: what is marked as outdated, and what heals."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import outdated_results, result_tables
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import read_results
from tests.fmp_market import Market
from tests.fmp_server import KEY, serve
from tests.stopped_clocks import stopped_clock

NIGHTS = trading_calendar.sessions_between(date(2024, 12, 2), date(2024, 12, 13))
HELD = ["S001", "S002", "LATE"]

Night = Callable[[date], str]


class FaultyMarket(Market):
    """A market with closes that are a session late, and wrong ones, as factors."""

    def __init__(self, through: date) -> None:
        super().__init__(through)
        self.late_symbols: set[str] = set()
        self.wrong: dict[tuple[str, date], float] = {}

    def closes(self, symbol: str) -> dict[date, tuple[float, float]]:
        """Return the closes that are known tonight."""
        found = super().closes(symbol)
        if symbol in self.late_symbols:
            found.pop(self.through, None)
        return {
            day: (close * self.wrong.get((symbol, day), 1), adjusted)
            for day, (close, adjusted) in found.items()
        }


@pytest.fixture
def market() -> FaultyMarket:
    """Return a market that knows nothing after the session before the first night."""
    return FaultyMarket(trading_calendar.previous_session(NIGHTS[0]))


@pytest.fixture
def url(
    market: FaultyMarket, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Yield the URL of a database with a portfolio; the settings point to it and to a vendor."""
    file = tmp_path / "holdings.csv"
    entry = trading_calendar.previous_session(NIGHTS[0], 5)
    lots = [f"{symbol},100,50,{entry}" for symbol in HELD]
    file.write_text("\n".join(["symbol,quantity,entry_price,entry_date", *lots, ""]))
    with serve(market) as running:
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
        monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("FMP_API_KEY", KEY)
        monkeypatch.setenv("RISKMETRICS_FMP_URL", running.url)
        monkeypatch.setenv("RISKMETRICS_FMP_CALLS_PER_MINUTE", "100000")
        done = invoke("import", "portfolio", str(file), "--name", "Growth")
        assert done.exit_code == 0, done.output
        yield database


@pytest.fixture
def catch_up(url: str, market: FaultyMarket, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Return a function that runs `catch-up` in the evening of a session; what it prints."""

    def catch_up(day: date) -> str:
        market.through = day
        evening = stopped_clock(datetime.combine(day, time(23, 30), UTC))
        for module in ("trading_calendar", "ingest.prices"):
            monkeypatch.setattr(f"riskmetrics.{module}.datetime", evening)
        with open_connection(url) as connection:
            connection.execute(sa.text("UPDATE vendor_responses SET received_at = '2024-01-01'"))
        done = invoke("catch-up")
        assert done.exit_code in (0, 4), done.output
        return done.output

    return catch_up


def outdated_sessions(url: str) -> list[date]:
    """Return the sessions whose results are marked as outdated."""
    with open_connection(url) as connection:
        return sorted(outdated_results._read_stored_days(connection)[0])


def assert_equal_to_recomputed(url: str, days: list[date]) -> None:
    """Recompute all sessions; the results of those given must be the stored ones.

    Outcomes are of the forecasts as they were stored (decision 11), so those of outdated sessions
    are left out.
    """
    before = read_results(url)
    first, last = str(NIGHTS[0]), str(NIGHTS[-1])
    done = invoke("reprocess", "--all", "--from", first, "--to", last, "--yes")
    assert done.exit_code in (0, 4), done.output
    after = read_results(url)
    for result in result_tables.list_result_tables():
        name, known = result.table.name, list(map(str, days))
        columns = {result.day.name, *({"made_on", "completed_on"} & {*before[name]})}
        kept, computed = (
            table[table[[*columns]].isin(known).all(axis=1)].reset_index(drop=True)
            for table in (before[name], after[name])
        )
        pd.testing.assert_frame_equal(kept, computed, obj=name)


@pytest.mark.slow(50)
def test_recent_faults_heal_and_older_ones_stay_marked(
    url: str, market: FaultyMarket, catch_up: Night
) -> None:
    """A close is late every day, one is corrected, and a dividend is stated seven sessions late."""
    market.late_symbols = {"LATE"}
    market.wrong["S001", NIGHTS[1]] = 1.5
    for day in NIGHTS[:2]:
        assert "outdated" not in catch_up(day)
        assert outdated_sessions(url) == []
    del market.wrong["S001", NIGHTS[1]]
    said = catch_up(NIGHTS[2])
    assert f"1 stored close changed: S001 {NIGHTS[1]}" in said
    assert "outdated" not in said  # the late close of the same session has it computed again
    assert outdated_sessions(url) == []
    assert "outdated" not in catch_up(NIGHTS[7])  # after a downtime
    market.dividends["S002", NIGHTS[1]] = 2
    said = catch_up(NIGHTS[8])
    outdated = NIGHTS[1:7]  # the session before is computed again for its late close
    assert outdated_sessions(url) == outdated
    remedy = f"reprocess --all --from {outdated[0]} --to {outdated[-1]}"
    assert remedy in said
    catch_up(NIGHTS[9])  # the last five sessions are those from NIGHTS[4] on
    assert outdated_sessions(url) == NIGHTS[1:4]
    # NIGHTS[0] rests on adjusted closes in cents, which the dividend restated
    assert_equal_to_recomputed(url, NIGHTS[4:])
    assert outdated_sessions(url) == []
