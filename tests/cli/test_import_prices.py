"""`riskmetrics import prices`: files, folders and patterns as one import, stored in Postgres."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import outdated_results, tables
from riskmetrics.db.used_closes import LOOKBACK_SESSIONS, read_used_closes
from riskmetrics.errors import DataQualityError, UsageError
from tests.cli.conftest import Call
from tests.outdated_ranges import read_outdated_range
from tests.sources.small_workbooks import write_workbook

PRICES, REJECTED = tables.market_data_cache, tables.rejected_rows
YAHOO = "Date,Close,Adj Close\n"


def stored(engine: sa.Engine, *names: str) -> list[tuple[object, ...]]:
    """Return stored prices, ordered by symbol and day."""
    columns = [PRICES.c[name] for name in names or ("symbol", "date", "close")]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).order_by(PRICES.c.symbol, PRICES.c.date))
        return [
            tuple(float(cell) if hasattr(cell, "as_tuple") else cell for cell in row)
            for row in rows
        ]


def rejections(engine: sa.Engine) -> list[tuple[str, str]]:
    """Return name of the file and reason of every rejected row."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(REJECTED.c.source, REJECTED.c.reason))
        return sorted((Path(source).name, reason) for source, reason in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a folder of downloads: prices of three vendors, a repeated file and others."""
    for name, text in {
        "QQA.csv": YAHOO + "2024-12-05,41,40\n2024-12-06,42,41\n2024-12-07,42,41\n",
        "QQA (1).csv": YAHOO + "2024-12-06,42,41\n",
        "qqb.us.txt": "<TICKER>,<PER>,<DATE>,<CLOSE>\nQQB.US,D,20241205,9\n",
        "notes.md": "not read from a folder",
        "holdings.csv": "Ticker,Shares\nQQA,5\n",
    }.items():
        (tmp_path / name).write_text(text)
    write_workbook(
        tmp_path / "wide.xlsx", {"P": [["Date", "QQC", "QQD"], [date(2024, 12, 5), 1.125, 7.5]]}
    )
    return tmp_path


EXPECTED = [
    ("QQA", date(2024, 12, 5), 41.0),
    ("QQA", date(2024, 12, 6), 42.0),
    ("QQB", date(2024, 12, 5), 9.0),
    ("QQC", date(2024, 12, 5), 1.125),
    ("QQD", date(2024, 12, 5), 7.5),
]


def test_a_folder_is_one_import_and_a_refused_file_is_named(
    call: Call, engine: sa.Engine, folder: Path
) -> None:
    result = call("import", "prices", str(folder))
    assert isinstance(result.exception, DataQualityError)
    assert str(result.exception).startswith("1 of 5 files were refused")
    assert "refused: " in result.stderr
    assert "holdings.csv is a table of holdings, not a table of prices" in result.stderr
    assert "4 files: 5 rows written, 0 unchanged" in result.stdout
    assert "notes.md" not in result.output
    assert stored(engine) == EXPECTED
    assert rejections(engine) == [
        ("QQA.csv", "duplicate row; the one of an earlier file is kept"),
        ("QQA.csv", "the exchange is closed on 2024-12-07"),
    ]


def test_rejected_rows_are_listed_by_kind_the_newest_first(call: Call, folder: Path) -> None:
    assert "no row was rejected" in call("show", "rejected").stdout
    call("import", "prices", str(folder))
    listed = json.loads(call("show", "rejected", "--kind", "prices", "--json").stdout)
    assert {(row["kind"], Path(row["source"]).name) for row in listed} == {("prices", "QQA.csv")}
    assert {row["reason"] for row in listed} == {
        "duplicate row; the one of an earlier file is kept",
        "the exchange is closed on 2024-12-07",
    }
    assert len(json.loads(call("show", "rejected", "--last", "1", "--json").stdout)) == 1
    assert "closed on 2024-12-07" in call("show", "rejected", "--wide").stdout
    other = call("show", "rejected", "--kind", "portfolio").stdout
    assert other == "no row of the kind portfolio was rejected: rows of prices were\n"


@pytest.mark.parametrize("kind", ["prices", "benchmark", "portfolio"])
def test_an_import_without_some_of_its_rows_ends_with_4_and_says_why(
    call: Call, tmp_path: Path, kind: str
) -> None:
    good, header, options = {
        "prices": (["KO,2024-12-05,1"], "symbol,date,close", []),
        "benchmark": (
            ["2024-12-05,Energy,0.5", "2024-12-05,Materials,0.5"],
            "date,sector,weight",
            [],
        ),
        "portfolio": (["KO,1"], "symbol,quantity", ["--name", "A", "--as-of", "2024-12-05"]),
    }[kind]
    file = tmp_path / "file.csv"
    arguments = ("import", kind, str(file), *options)
    file.write_text("\n".join([header, *good, ""]))
    assert call(*arguments).exit_code == 0
    bad = {
        "prices": ["PEP,2024-12-05,-1", "PEP,2024-12-04,-1", "PEP,soon,2"],
        "benchmark": ["2024-12-05,Energie,0.5", "soon,Utilities,0.1"],
        "portfolio": ["PEP,none", "PEP,many"],
    }[kind]
    file.write_text("\n".join([header, *good, *bad, ""]))
    result = call(*arguments)
    assert result.exit_code == 4, result.output
    assert f"{len(bad)} rows rejected and stored in rejected_rows" in result.stderr
    if kind == "prices":
        assert "rejected_rows: line 3: " in result.stderr
        assert " (and 1 more); line 5: " in result.stderr


def test_rows_that_an_earlier_file_repeats_are_no_missing_input(call: Call, tmp_path: Path) -> None:
    for name in ("QQA.csv", "QQB.csv"):
        (tmp_path / name).write_text("symbol,date,close\nKO,2024-12-05,1\n")
    result = call("import", "prices", str(tmp_path))
    assert "1 row rejected" in result.stderr
    assert result.exit_code == 0


RESULT = {
    **dict.fromkeys(
        ("total_value", "cash_value", "long_value", "short_value", "gross_exposure"), 1
    ),
    **dict.fromkeys(
        ("net_exposure", "num_positions", "num_long_positions", "num_short_positions"), 1
    ),
}


def test_changed_closes_of_computed_sessions_are_named_until_they_are_recomputed(
    call: Call, engine: sa.Engine, tmp_path: Path
) -> None:
    days = [date(2024, 12, day) for day in (3, 4, 5, 6)]
    file = tmp_path / "prices.csv"
    lines = [f"{symbol},{day},{100 + day.day}" for symbol in ("KO", "SPY") for day in days]
    file.write_text("\n".join(["symbol,date,close", *lines, ""]))
    assert call("import", "prices", str(file)).exit_code == 0
    portfolios = tables.portfolios
    with engine.begin() as connection:
        owner = connection.scalar(
            sa.insert(portfolios).values(name="A", currency="USD").returning(portfolios.c.id)
        )
        rows = [RESULT | {"portfolio_id": owner, "snapshot_date": day} for day in days[:3]]
        connection.execute(sa.insert(tables.portfolio_snapshots), rows)
        lot = {"symbol": "KO", "position_type": "LONG", "quantity": 10, "entry_date": days[0]}
        connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **lot))
    assert "changed" not in call("import", "prices", str(file)).stderr
    file.write_text(
        "symbol,date,close\nKO,2024-12-04,99\nKO,2024-12-05,105.00004\nKO,2024-12-06,1\n"
    )
    warned = " ".join(call("import", "prices", str(file)).stderr.split())
    assert "warning: 1 stored close changed: KO 2024-12-04 104.00 → 99.00" in warned
    remedy = "riskmetrics catch-up"
    assert remedy in warned
    assert remedy in call("doctor").stdout
    assert "2024-12-04 to 2024-12-05" in call("status").stdout
    with engine.begin() as connection:
        earlier = outdated_results.read_mark(connection)
    with engine.begin() as connection:
        outdated_results.mark_outdated(connection, days[1])  # while a run computes
        outdated_results.mark_recomputed(connection, days, earlier)
        assert read_outdated_range(connection) == tuple(days[1:3])
        _recompute(connection, days[3:])
        assert read_outdated_range(connection) == tuple(days[1:3])
        _recompute(connection, days[:2])
        assert read_outdated_range(connection) == (days[2], days[2])
        assert outdated_results.mark_outdated(connection, days[0])[:2] == (days[0], days[2])
        _recompute(connection, days[1:2])  # the ends are still outdated
        assert read_outdated_range(connection) == (days[0], days[2])
        _recompute(connection, days)
        assert read_outdated_range(connection) is None
        assert outdated_results.mark_outdated(connection, days[3]) is None
    assert remedy not in call("doctor").stdout


OLDEST = trading_calendar.previous_session(date(2024, 12, 3), LOOKBACK_SESSIONS)
"""First session whose closes the results from 2024-12-03 on can depend on."""
DAY_BEFORE = trading_calendar.previous_session(OLDEST)
OLDEST_OF_NEW = trading_calendar.previous_session(date(2024, 12, 5), LOOKBACK_SESSIONS)
DAY_BEFORE_NEW = trading_calendar.previous_session(OLDEST_OF_NEW)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PEP,2024-12-04,1", ""),  # no portfolio holds it
        ("NEW,2024-12-03,1", "1 close added to computed sessions: NEW 2024-12-03 1.00"),
        ("NEW,2024-12-03,1", "Results from 2024-12-05 on are outdated"),  # since held
        ("LATER,2024-12-03,1", ""),  # held after the last result only
        ("PAST,2024-11-29,1", ""),  # sold before the first result
        ("CASH,2024-11-29,1", "Results from 2024-12-03 on are outdated"),  # in its cash
        ("SOLD,2024-12-04,1", "Results from 2024-12-04 on are outdated"),  # on that day
        ("SOLD,2024-12-05,1", "Results from 2024-12-05 on are outdated"),  # judged then
        ("CASH,2024-12-03,1", ""),  # no forecast of a day with it
        ("OPT,2024-12-04,1", "Results from 2024-12-04 on are outdated"),
        ("OPT,2024-12-05,1", "Results from 2024-12-05 on are outdated"),
        ("OTHER,2024-12-04,1", ""),  # held by a portfolio without results
        (f"KO,{OLDEST},1", "Results from 2024-12-03 on are outdated"),
        (f"KO,{DAY_BEFORE},1", ""),  # older than every window
        (f"NEW,{OLDEST_OF_NEW},1", "Results from 2024-12-05 on are outdated"),
        (f"NEW,{DAY_BEFORE_NEW},1", ""),  # in no window that ends while it is held
        ("SPY,2024-12-04,1", "1 stored close changed: SPY 2024-12-04 5.00 → 1.00"),
    ],
)
def test_only_closes_that_results_depend_on_make_them_outdated(
    call: Call, engine: sa.Engine, tmp_path: Path, line: str, expected: str
) -> None:
    days = [date(2024, 12, day) for day in (3, 4, 5, 6)]
    file = tmp_path / "prices.csv"
    stored_lines = [f"{symbol},{days[1]},5" for symbol in ("KO", "SPY", "PEP")]
    file.write_text("\n".join(["symbol,date,close", *stored_lines, ""]))
    assert call("import", "prices", str(file)).exit_code == 0
    held = {"KO": days[0], "NEW": days[2], "LATER": days[3], "SOLD": days[0]}
    held |= dict.fromkeys(["PAST", "CASH"], date(2024, 11, 1))
    exits = {"PAST": date(2024, 11, 29), "CASH": date(2024, 12, 2), "SOLD": days[1]}
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.stress_scenarios))
        owner = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="A", currency="USD", equity_as_of=date(2024, 11, 29), equity_balance=1000)
            .returning(tables.portfolios.c.id)
        )
        rows = [RESULT | {"portfolio_id": owner, "snapshot_date": day} for day in days[:3]]
        connection.execute(sa.insert(tables.portfolio_snapshots), rows)
        lot = {"position_type": "LONG", "quantity": 10, "portfolio_id": owner}
        lot |= dict.fromkeys(["exit_date", "underlying_symbol", "expiration_date"])
        lots = [
            lot | {"symbol": symbol, "entry_date": day, "exit_date": exits.get(symbol)}
            for symbol, day in held.items()
        ]
        option = {"symbol": "OPT241204C00100000", "underlying_symbol": "OPT"}
        terms = {"position_type": "LC", "entry_date": days[0], "expiration_date": days[1]}
        lots.append(lot | option | terms)
        other = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="B", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        lots.append(lot | {"symbol": "OTHER", "entry_date": days[0], "portfolio_id": other})
        connection.execute(sa.insert(tables.positions), lots)
    file.write_text(f"symbol,date,close\n{line}\n")
    said = " ".join(call("import", "prices", str(file)).stderr.split())
    assert expected in said
    assert ("outdated" in said) is bool(expected)


@pytest.mark.parametrize(
    ("adjusted", "first"),
    [
        ([(3, 49.5), (4, 50), (5, 50)], None),  # a level: all returns are the stored ones
        ([(4, 101), (5, 101)], date(2024, 12, 4)),  # the return from a stored row to the first
        ([(3, 98), (4, 100)], date(2024, 12, 4)),  # a dividend of one percent, not two
        ([(4, 99.99), (5, 99.99)], None),  # within a cent
    ],
)
def test_an_import_that_changes_adjusted_closes_only_outdates_results(
    call: Call,
    engine: sa.Engine,
    tmp_path: Path,
    adjusted: list[tuple[int, float]],
    first: date | None,
) -> None:
    """Stored are closes of 100 and a dividend of one percent on December 4."""
    days = [date(2024, 12, day) for day in (3, 4, 5)]
    file = tmp_path / "prices.csv"
    lines = [f"KO,{day},100,{99 if day == days[0] else 100}" for day in days]
    file.write_text("\n".join(["symbol,date,close,adj_close", *lines, ""]))
    assert call("import", "prices", str(file)).exit_code == 0
    with engine.begin() as connection:
        owner = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="A", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        lot = {"symbol": "KO", "position_type": "LONG", "quantity": 10, "entry_date": days[0]}
        connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **lot))
        rows = [RESULT | {"portfolio_id": owner, "snapshot_date": day} for day in days]
        connection.execute(sa.insert(tables.portfolio_snapshots), rows)
    changed = [f"KO,2024-12-{day:02},100,{price}" for day, price in adjusted]
    file.write_text("\n".join(["symbol,date,close,adj_close", *changed, ""]))
    said = call("import", "prices", str(file)).stderr
    assert ("adj_close of KO has another return on 2024-12-04" in said) is (first is not None)
    with engine.connect() as connection:
        assert read_outdated_range(connection) == (first and (first, days[-1]))


def test_closes_score_forecasts_for_90_sessions_after_a_sale(engine: sa.Engine) -> None:
    first, sold, last = date(2024, 1, 2), date(2024, 3, 1), date(2024, 12, 5)
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.stress_scenarios))
        owner = connection.scalar(
            sa.insert(tables.portfolios)
            .values(name="A", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        rows = [RESULT | {"portfolio_id": owner, "snapshot_date": day} for day in (first, last)]
        connection.execute(sa.insert(tables.portfolio_snapshots), rows)
        lot = {"symbol": "SOLD", "position_type": "LONG", "quantity": 10, "portfolio_id": owner}
        dated = lot | {"entry_date": first, "exit_date": sold}
        connection.execute(sa.insert(tables.positions), dated)
        used = read_used_closes(connection)
    assert used is not None
    days = pd.Series([date(2024, 7, 11), date(2024, 7, 12)])  # 90 and 91 sessions later
    found = used.first_sessions(pd.Series(["SOLD", "SOLD"]), days)
    assert used.held["SOLD"] == (first, days[0])
    assert found.notna().to_list() == [True, False]


@pytest.mark.parametrize("name", ["Q*.csv", "QQA.csv"])
def test_a_pattern_or_a_file_is_imported(
    call: Call, engine: sa.Engine, folder: Path, name: str
) -> None:
    result = call("import", "prices", str(folder / name))
    assert result.exit_code == 4, result.output  # the last row is of a Saturday
    assert stored(engine) == EXPECTED[:2]
    again = call("import", "prices", str(folder / name))
    assert "0 rows written, 2 unchanged" in again.stdout


def test_a_file_among_others_that_none_can_be_read_from_is_refused(
    call: Call, engine: sa.Engine, folder: Path
) -> None:
    (folder / "other.csv").write_text("a,b\n1,2\n")
    result = call("import", "prices", str(folder / "holdings.csv"), str(folder / "other.csv"))
    assert isinstance(result.exception, DataQualityError)
    assert "is a table of holdings, not a table of prices" in str(result.exception)
    assert stored(engine) == []


def test_what_cannot_be_found_is_a_usage_error(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ([f"{tmp_path}/none.csv"], "does not exist"),
        ([f"{tmp_path}/*.csv"], "no file matches"),
        ([f"{tmp_path}/empty"], "has no file that ends in .csv"),
        ([f"{tmp_path}/a.csv", f"{tmp_path}/b.csv", "--symbol", "QQA"], "for a single file"),
        ([f"{tmp_path}/a.csv", "--dates", "ydm"], "--dates ydm is invalid: use mdy, dmy, ymd"),
        ([f"{tmp_path}/a.csv", "--decimal", "dot"], "use point or comma"),
    ):
        result = call("import", "prices", *arguments)
        assert isinstance(result.exception, UsageError), result.output
        assert message in str(result.exception)


def test_a_raw_close_is_stored_adjusted_for_its_split(
    call: Call, engine: sa.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "download.csv"
    path.write_text(
        "date,close,open,volume,adjClose,divCash,splitFactor\n"
        "2024-12-05,164.4,160,100,40.6,0,1\n2024-12-06,41.5,41,900,41,0,4\n"
    )
    result = call("import", "prices", str(path), "--symbol", "qqa")
    assert result.exit_code == 0, result.output
    assert "closes before a split are divided by it: QQA 4:1 on 2024-12-06" in result.stderr
    assert stored(engine, "close", "open", "volume", "adj_close", "data_source") == [
        (41.1, 40.0, 400, 40.6, "file"),
        (41.5, 41.0, 900, 41.0, "file"),
    ]


def test_ambiguous_prices_and_dates_are_stored_as_the_options_say(
    call: Call, engine: sa.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    path.write_text("symbol;date;close\nQQA;06/12/2024;1,125\n")
    refused = call("import", "prices", str(path))
    assert "Pass --decimal point or --decimal comma" in str(refused.exception)
    refused = call("import", "prices", str(path), "--decimal", "comma")
    assert "pass --dates mdy or --dates dmy" in str(refused.exception)
    assert stored(engine) == []
    result = call("import", "prices", str(path), "--decimal", "comma", "--dates", "dmy")
    assert result.exit_code == 0, result.output
    assert stored(engine) == [("QQA", date(2024, 12, 6), 1.125)]


def test_profiles_weights_and_scenarios_take_the_notation_too(
    call: Call, engine: sa.Engine, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    path.write_text("symbol;beta\nQQA;1,125\n")
    refused = call("import", "profiles", str(path))
    assert isinstance(refused.exception, UsageError)
    assert call("import", "profiles", str(path), "--decimal", "comma").exit_code == 0
    path.write_text("date;sector;weight\n06/12/2024;Energy;1,0\n")
    assert call("import", "benchmark", str(path), "--dates", "dmy").exit_code == 0
    path.write_text("name;first day;last day\nx;05/11/2024;06/12/2024\n")
    assert call("import", "scenarios", str(path), "--dates", "dmy").exit_code == 0
    with engine.connect() as connection:
        assert float(connection.scalar(sa.select(tables.company_profiles.c.beta))) == 1.125
        weights, scenarios = tables.benchmarks_sector_weights, tables.stress_scenarios
        assert connection.scalar(sa.select(weights.c.asof_date)) == date(2024, 12, 6)
        imported = sa.select(scenarios.c.first_day).where(scenarios.c.name == "x")
        assert connection.scalar(imported) == date(2024, 11, 5)


def _recompute(connection: sa.Connection, days: list[date]) -> None:
    mark = outdated_results.read_mark(connection)
    outdated_results.mark_recomputed(connection, days, mark)
