"""Warnings of a run concern only its sessions, in few lines, whatever later data exists."""

import uuid
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_writes, tables
from tests.conftest import open_connection
from tests.e2e.conftest import Run, query_frame

EARLY, ENDED, LATE = date(2022, 9, 30), date(2022, 10, 14), date(2022, 12, 28)
N_MANY = 12


def many(prefix: str) -> list[str]:
    return [f"{prefix}{number:02}" for number in range(N_MANY)]


@pytest.fixture
def crowded(sample: str) -> str:
    """Add portfolios of many symbols without a price, or whose prices end, and faults after EARLY.

    The prices that end are those of the index, plus a constant.
    """
    with open_connection(sample) as connection:
        statement = (
            "INSERT INTO market_data_cache (id, symbol, date, close, adj_close, data_source) "
            "SELECT gen_random_uuid(), :symbol, date, close + :n, adj_close + :n, 'test' "
            "FROM market_data_cache WHERE symbol = 'SPX' AND date <= :last"
        )
        rows = [{"symbol": name, "n": n, "last": ENDED} for n, name in enumerate(many("END"))]
        connection.execute(sa.text(statement), rows)
        for prefix in ("END", "GHO"):
            owner = uuid.uuid4()
            connection.execute(
                sa.insert(tables.portfolios).values(id=owner, name=f"All {prefix}", currency="USD")
            )
            lot = {"portfolio_id": owner, "position_type": "LONG", "quantity": 1}
            lots = [
                {**lot, "symbol": name, "entry_date": date(2022, 1, 3)} for name in many(prefix)
            ]
            connection.execute(sa.insert(tables.positions), lots)
        tick = (
            "UPDATE market_data_cache SET adj_close = 10 * adj_close WHERE symbol = :s AND date"
            " = :d"
        )
        connection.execute(sa.text(tick), [{"s": "AAPL", "d": date(2022, 11, 14)}])
        weights = pd.DataFrame({"date": date(2022, 11, 1), "sector": ["Energy"], "weight": [1.0]})
        input_writes.store_benchmark_weights(connection, weights, "SP500", "test")
    return sample


def remarks(error: str) -> list[str]:
    """Return the output of a run without its id."""
    return [line for line in error.splitlines() if not line.startswith("run ")]


def test_a_run_over_old_sessions_warns_as_if_later_data_did_not_exist(
    crowded: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Oracle: the same run on a database without any data after its last session."""
    with open_connection(
        crowded
    ) as connection:  # equity was stated for a later day, with its prices
        connection.execute(sa.text("UPDATE portfolios SET equity_balance = NULL"))
    days = trading_calendar.sessions_between(date(2022, 9, 29), EARLY)
    outcomes, said, notes = [], [], []
    for _ in range(2):
        outcomes.append(run(days).exit_code)
        said.append(remarks(capsys.readouterr().err))
        insights = "SELECT title, summary, key_findings::text FROM ai_insights ORDER BY 1, 2, 3"
        notes.append(query_frame(crowded, insights).to_dict("list"))
        with open_connection(crowded) as connection:
            for table, column in (
                ("market_data_cache", "date"),
                ("benchmarks_sector_weights", "asof_date"),
            ):
                statement = f"DELETE FROM {table} WHERE {column} > :day"
                connection.execute(sa.text(statement), {"day": EARLY})
            connection.execute(sa.text("DELETE FROM ai_insights"))
    assert outcomes[0] == outcomes[1] == 3  # nothing of a portfolio has a price
    assert said[0] == said[1]
    assert notes[0] == notes[1]
    assert len(notes[0]["title"]) > 0
    assert not any(month in line for line in said[0] for month in ("2022-10", "2022-11", "2022-12"))
    assert not any("delisted" in line for line in said[0])
    (missing,) = [line for line in said[0] if "no price up to 2022-09-30 is stored for" in line]
    assert "GHO00, GHO01, GHO02, GHO03, GHO04 and 7 more" in missing
    assert f"`riskmetrics show quality --date {EARLY}`" in missing
    assert len(said[0]) <= 8


def test_a_run_over_later_sessions_names_what_has_ended_in_one_line(
    crowded: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([LATE]).exit_code == 3
    said = remarks(capsys.readouterr().err)
    (ended,) = [line for line in said if "delisted or renamed?" in line]
    assert ended.startswith("no price of END00 after 2022-10-14, ")
    assert "and 7 more, held on 2022-12-28" in ended
    assert any("bad ticks in 1 of " in line and "AAPL" in line for line in said)
    assert any("has 1 of 11 sectors" in line for line in said)
    assert len(said) <= 10
    assert max(map(len, said)) < 700


def test_what_was_sold_before_the_session_is_not_warned_of(
    crowded: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ended symbols nor symbols without any price are named."""
    with open_connection(crowded) as connection:
        sold = "UPDATE positions SET exit_date = '2022-09-01' WHERE symbol ~ '^(END|GHO)'"
        connection.execute(sa.text(sold))
    assert run([LATE]).exit_code == 0
    said = remarks(capsys.readouterr().err)
    assert not any("END" in line or "GHO" in line for line in said)


def test_checks_of_prices_look_at_every_year_of_a_long_range(
    crowded: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault 18 months before the last session belongs to the first sessions of the range."""
    with open_connection(crowded) as connection:
        tick = (
            "UPDATE market_data_cache SET adj_close = 10 * adj_close WHERE symbol = 'KO' AND date"
            " = :d"
        )
        connection.execute(sa.text(tick), {"d": date(2021, 9, 14)})
    days = trading_calendar.sessions_between(date(2021, 9, 1), LATE)
    assert run(days, ["market_prices"]).exit_code == 0
    (ticks,) = [line for line in remarks(capsys.readouterr().err) if "bad ticks" in line]
    assert "2021-09-14" in ticks
    assert "2022-11-14" in ticks
