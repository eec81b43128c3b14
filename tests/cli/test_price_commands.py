"""`riskmetrics prices`: decisions about suspected splits, and refusals."""

import json
from collections.abc import Sequence
from datetime import date

import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import outdated_results, tables
from riskmetrics.errors import DataQualityError, UsageError
from tests.cli.conftest import Call
from tests.outdated_ranges import read_outdated_range

DAYS = trading_calendar.sessions_between(date(2024, 11, 18), date(2024, 12, 6))
DAY = DAYS[10]
CLOSES = {
    "SPLIT": [400.0] * 10 + [100.0] * (len(DAYS) - 10),
    "SMALL": [150.0] * 10 + [100.0] * (len(DAYS) - 10),
    "REVERSE": [10.0] * 10 + [100.0] * (len(DAYS) - 10),
    "CRASH": [100.0] * 10 + [45.0] * (len(DAYS) - 10),
    "QUIET": [100.0 + at % 3 for at in range(len(DAYS))],
}


@pytest.fixture(autouse=True)
def stored(engine: sa.Engine) -> None:
    """Store prices with two suspected splits, and a lot."""
    rows = [
        {"symbol": symbol, "date": day, "close": close, "adj_close": close, "data_source": "test"}
        for symbol, closes in CLOSES.items()
        for day, close in zip(DAYS, closes, strict=True)
    ]
    portfolio = {"name": "Growth", "currency": "USD"}
    lot = {"symbol": "SPLIT", "position_type": "LONG", "quantity": 10, "entry_date": DAYS[0]}
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.market_data_cache), rows)
        owner = connection.scalar(
            sa.insert(tables.portfolios).values(portfolio).returning(tables.portfolios.c.id)
        )
        connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **lot))


def store_results(connection: sa.Connection, days: Sequence[date]) -> None:
    """Store a snapshot of the portfolio on each day."""
    owner = connection.scalar(sa.select(tables.portfolios.c.id))
    amounts = ("total_value", "cash_value", "long_value", "short_value", "gross_exposure")
    counts = ("num_positions", "num_long_positions", "num_short_positions")
    row = dict.fromkeys([*amounts, "net_exposure", *counts], 1) | {"portfolio_id": owner}
    rows = [row | {"snapshot_date": day} for day in days]
    connection.execute(sa.insert(tables.portfolio_snapshots), rows)


def listed(call: Call) -> dict[str, tuple[str, str]]:
    """Return state and ratio of every listed move, by symbol."""
    rows = json.loads(call("prices", "list", "--json").stdout)
    assert {row["date"] for row in rows} <= {f"{DAY}"}
    return {row["symbol"]: (row["state"], row["ratio"]) for row in rows}


def refused(call: Call, *arguments: str) -> str:
    """Return the error message of a command, which must record nothing."""
    before = listed(call)
    result = call("prices", *arguments)
    assert isinstance(result.exception, (DataQualityError, UsageError)), result.output
    assert listed(call) == before
    return str(result.exception)


SUSPECTED = {"SPLIT": ("suspected", "4:1"), "REVERSE": ("suspected", "1:10")}


def test_suspects_are_listed_with_both_commands(call: Call) -> None:
    assert listed(call) == SUSPECTED
    text = " ".join(call("prices", "list").stdout.split())
    assert f"riskmetrics prices split REVERSE {DAY} 1:10" in text
    assert f"riskmetrics prices accept SPLIT {DAY}" in text


def test_a_decision_is_recorded_once_and_can_be_undone(call: Call, engine: sa.Engine) -> None:
    first = call("prices", "split", "split", f"{DAY}", "4:1")
    assert first.exit_code == 0, first.output
    assert "earlier prices are divided by 4, a 4:1 split" in first.stdout
    assert "1 lot of SPLIT opened before the split" in first.stderr
    assert "reprocess" not in first.stderr  # nothing is computed yet
    assert call("prices", "accept", "REVERSE", f"{DAY}").exit_code == 0
    decided = {"SPLIT": ("split", "4:1"), "REVERSE": ("accepted", "")}
    assert listed(call) == decided
    for arguments in (("split", "SPLIT", f"{DAY}", "4"), ("accept", "REVERSE", f"{DAY}")):
        again = call("prices", *arguments)
        assert again.exit_code == 0
        assert "already recorded as" in again.stdout
    with engine.connect() as connection:
        versions = connection.scalars(sa.select(tables.price_decisions.c.code_version)).all()
        assert len(versions) == 2
        assert all(versions)
        closes = tables.market_data_cache.c
        stored = sa.select(closes.close).where(closes.symbol == "SPLIT").order_by(closes.date)
        assert [float(close) for close in connection.scalars(stored)] == CLOSES["SPLIT"]
    assert "decision removed" in call("prices", "undo", "SPLIT", f"{DAY}").stdout
    assert "no decision to remove" in call("prices", "undo", "SPLIT", f"{DAY}").stdout
    assert listed(call) == SUSPECTED | {"REVERSE": ("accepted", "")}


def test_a_decision_marks_the_results_that_it_changes_as_outdated(
    call: Call, engine: sa.Engine
) -> None:
    """A split rescales all earlier closes; a real move counts from its session on."""
    with engine.begin() as connection:
        store_results(connection, DAYS)

    def outdated(*arguments: str) -> str:
        with engine.begin() as connection:
            outdated_results.mark_recomputed(
                connection, DAYS, outdated_results.read_mark(connection)
            )
        done = call("prices", *arguments)
        assert done.exit_code == 0, done.output
        return " ".join(done.stderr.split())

    after = f"Results from {DAY} on are outdated: the next nightly run, or riskmetrics catch-up,"
    every = f"reprocess --all --from {DAYS[0]} --to {DAYS[-1]}"
    assert after in outdated("accept", "SPLIT", f"{DAY}")
    assert after in outdated("undo", "SPLIT", f"{DAY}")
    assert every in outdated("split", "SPLIT", f"{DAY}", "4:1")
    assert every in outdated("undo", "SPLIT", f"{DAY}")
    assert "outdated" not in outdated("accept", "REVERSE", f"{DAY}")  # nobody holds it


def test_a_large_move_of_a_holding_is_listed_until_it_is_accepted(
    call: Call, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        market = [
            {"symbol": "SPY", "date": day, "close": 1, "adj_close": 1, "data_source": "test"}
            for day in DAYS
        ]
        connection.execute(sa.insert(tables.market_data_cache), market)
        connection.execute(sa.update(tables.positions).values(symbol="CRASH"))
    assert listed(call) == SUSPECTED | {"CRASH": ("large move, -55%", "")}
    checked = json.loads(call("doctor", "--json").stdout)
    (moves,) = [finding for finding in checked if finding["area"] == "moves"]
    assert moves["state"] == "warn"
    assert f"to confirm: CRASH moves by -55% on {DAY}, and stays there" in moves["finding"]
    assert call("prices", "accept", "CRASH", f"{DAY}").exit_code == 0
    assert listed(call) == SUSPECTED | {"CRASH": ("accepted", "")}
    assert '"no large move in the year to 2024-12-06 waits' in call("doctor", "--json").stdout
    with engine.begin() as connection:
        last = sa.and_(
            tables.market_data_cache.c.symbol == "CRASH",
            tables.market_data_cache.c.date == DAYS[-1],
        )
        connection.execute(sa.update(tables.market_data_cache).where(last).values(adj_close=90))
    checked = json.loads(call("doctor", "--json").stdout)
    (moves,) = [finding for finding in checked if finding["area"] == "moves"]
    assert moves["finding"].startswith(f"1 unconfirmed close on {DAYS[-1]}: CRASH adj_close")


def test_another_decision_about_the_same_move_must_be_undone_first(call: Call) -> None:
    assert call("prices", "accept", "SPLIT", f"{DAY}").exit_code == 0
    sentence = refused(call, "split", "SPLIT", f"{DAY}", "4:1")
    assert "is already recorded as a real move" in sentence
    assert f"riskmetrics prices undo SPLIT {DAY}" in sentence


def test_a_split_too_small_to_be_suspected_can_be_recorded(call: Call) -> None:
    assert call("prices", "split", "SMALL", f"{DAY}", "1.5").exit_code == 0
    assert listed(call) == SUSPECTED | {"SMALL": ("split", "3:2")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("accept", "NOBODY", f"{DAY}"),
            "no price of NOBODY is stored: see `riskmetrics prices list`",
        ),
        (("split", "NOBODY", f"{DAY}", "4"), "no price of NOBODY is stored: see"),
        (
            ("accept", "SPLIT", "2024-11-30"),
            f"no price of SPLIT is stored on 2024-11-30; suspected splits: {DAY}",
        ),
        (("accept", "SPLIT", f"{DAYS[3]}"), f"nothing to accept; suspected splits: {DAY}"),
        (
            ("accept", "QUIET", f"{DAY}"),
            "nothing to accept; the symbol has no suspected split",
        ),
        (
            ("split", "QUIET", f"{DAY}", "4:1"),
            "which is not a 4:1 split; the symbol has no suspected split",
        ),
        (
            ("split", "SPLIT", f"{DAY}", "1:4"),
            "which is not a 1:4 split; new shares come first: 4:1 fits",
        ),
        (("split", "SPLIT", f"{DAYS[0]}", "4:1"), f"no price of SPLIT is stored before {DAYS[0]}"),
        (("split", "SPLIT", f"{DAY}", "4:0"), "4:0 is not a split"),
        (("split", "SPLIT", f"{DAY}", "1"), "1 is not a split"),
        (
            ("split", "SPLIT", f"{DAY}", "four"),
            "four is not a split ratio: pass new shares per old ones",
        ),
        (("split", "SPLIT", f"{DAY}", "100001:1"), "100001:1 is not a split"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_a_sentence(
    call: Call, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(call, *arguments)


def test_nothing_to_decide_is_reported(call: Call, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.market_data_cache))
    assert call("prices", "list").stdout == "no suspected splits, no large moves and no decisions\n"
    assert call("prices", "list", "--json").stdout == "[]\n"


@pytest.mark.parametrize("command", ["list", "accept", "split", "undo"])
def test_every_command_has_an_example(call: Call, command: str) -> None:
    assert f"Example: riskmetrics prices {command}" in call("prices", command, "--help").stdout


def test_a_real_move_after_all_results_is_not_reported_with_older_outdated_ones(
    call: Call, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        store_results(connection, DAYS[:10])
        older = outdated_results.mark_outdated(connection, DAYS[0])
    accepted = call("prices", "accept", "SPLIT", f"{DAY}")
    assert accepted.exit_code == 0, accepted.output
    assert "outdated" not in accepted.stderr
    with engine.connect() as connection:
        assert read_outdated_range(connection) == older[:2] == (DAYS[0], DAYS[9])
