"""A symbol has one spelling in every input: files, settings and command arguments."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import Result

from riskmetrics import settings, trading_calendar
from riskmetrics.cli.main import app
from riskmetrics.db import tables
from riskmetrics.errors import PARTIAL_EXIT_CODE, ConfigurationError, UsageError
from tests.conftest import open_connection
from tests.db.small_results import FIRST_DAY, GROWTH, store_small_results
from tests.fmp_server import KEY
from tests.tiingo_server import TiingoMarket, serve_tiingo

Load = Callable[..., Result]

SPELLINGS = ("BRKB", "BRK.B", "BRK/B", "BRK B", "BRK-B", "brk.b.us")
DAYS = ("2024-12-02", "2024-12-03", "2024-12-04", "2024-12-05", "2024-12-06", "2024-12-09")
HEADERS = {
    "prices": "symbol,date,close",
    "profiles": "symbol,name",
    "portfolio": "symbol,quantity",
    "listed": "symbol,quantity,currency",
    "options": "symbol,quantity,position_type,underlying_symbol,strike_price,expiration_date",
}
TESTED_ARGUMENTS = {
    ("explain", "symbol"),
    ("import prices", "symbol"),
    *((f"prices {command}", "symbol") for command in ("accept", "split", "undo")),
    ("portfolio add", "holdings"),
    ("symbols rename", "old"),
    ("symbols rename", "new"),
    ("symbols refetch", "symbol"),
}
"""Parameters of commands that take a symbol, each with a test here."""
OTHER_PARAMETERS = {
    ("show track-record", "every"),
    *(("import transactions", name) for name in ("symbols", "leave_out")),
    ("import portfolio", "symbols"),
}
"""Parameters that are a number of symbols, a choice of rows, or names as the file has them."""


@pytest.fixture
def load(call, tmp_path: Path) -> Load:
    """Import rows of a kind; holdings go into portfolio P."""

    def load(kind: str, *rows: str, name: str = "P") -> Result:
        path = tmp_path / "file.csv"
        path.write_text("\n".join([HEADERS[kind], *rows]))
        into = (
            ("portfolio", "--name", name) if kind in {"portfolio", "listed", "options"} else (kind,)
        )
        done = call("import", *into, str(path))
        assert done.exit_code == (PARTIAL_EXIT_CODE if "rejected" in done.stderr else 0)
        return done

    return load


@pytest.fixture
def stored(database: str) -> Callable[..., list[str]]:
    """Return the distinct symbols of a table."""

    def stored(table: sa.Table, column: str = "symbol") -> list[str]:
        names = table.c[column]
        with open_connection(database) as connection:
            return list(
                connection.scalars(sa.select(names).where(names != "").distinct().order_by(names))
            )

    return stored


def test_prices_of_every_spelling_are_one_history(load: Load, stored) -> None:
    rows = [f"{symbol},{day},470" for symbol, day in zip(SPELLINGS, DAYS, strict=True)]
    done = load("prices", *rows)
    assert done.stdout.endswith("6 rows written, 0 unchanged\n")
    assert stored(tables.market_data_cache) == ["BRK-B"]
    notes = [line for line in done.stderr.splitlines() if "is stored as" in line]
    respelled = ("BRKB", "BRK.B", "BRK/B", "BRK B", "BRK.B.US")
    assert notes == [f"note: {text} is stored as BRK-B" for text in respelled]


@pytest.mark.parametrize("again", SPELLINGS)
def test_prices_in_another_spelling_replace_the_same_rows(load: Load, stored, again: str) -> None:
    load("prices", *(f"BRK-B,{day},470" for day in DAYS))
    same = load("prices", *(f"{again},{day},470" for day in DAYS))
    assert same.stdout.endswith("0 rows written, 6 unchanged\n")
    corrected = load("prices", *(f"{again},{day},471" for day in DAYS))
    assert corrected.stdout.endswith("6 rows written, 0 unchanged\n")
    assert stored(tables.market_data_cache) == ["BRK-B"]


@pytest.mark.parametrize("written", SPELLINGS)
def test_the_symbol_of_a_file_without_symbols_is_specified_in_any_spelling(
    call, stored, tmp_path: Path, written: str
) -> None:
    (tmp_path / "file.csv").write_text("Date,Close\n2024-12-06,470\n")
    done = call("import", "prices", str(tmp_path / "file.csv"), "--symbol", written)
    assert done.exit_code == 0
    assert stored(tables.market_data_cache) == ["BRK-B"]
    refused = call("import", "prices", str(tmp_path / "file.csv"), "--symbol", "=x")
    assert "--symbol =x is not a symbol" in str(refused.exception)


def test_profiles_of_every_spelling_are_one(load: Load, stored) -> None:
    for symbol in SPELLINGS:
        load("profiles", f"{symbol},Berkshire Hathaway")
    assert stored(tables.company_profiles) == ["BRK-B"]


def test_holdings_of_every_spelling_are_lots_of_one_symbol(load: Load, stored) -> None:
    others = [
        "BRKB  270115C00500000,1,",
        "BRK/B 01/15/2027 400.00 P,1,",
        "VOD.L,7,USD",
        "AAPL.US,8,",
    ]
    lots = [f"{symbol},{quantity}," for quantity, symbol in enumerate(SPELLINGS, 1)]
    done = load("listed", *lots, *others)
    assert "10 lots opened, 0 closed" in done.stdout
    options = ["BRKB270115C00500000", "BRKB270115P00400000"]
    assert stored(tables.positions) == ["AAPL", "BRK-B", *options, "VOD.L"]
    assert stored(tables.positions, "underlying_symbol") == ["BRK-B"]
    assert done.stderr.count("note: BRK B is stored as BRK-B") == 1
    assert "VOD.L is stored" not in done.stderr
    again = load("listed", *(f"BRK-B,{quantity}," for quantity in range(1, 7)), *others)
    assert "0 lots opened, 0 closed, 0 corrected, 10 unchanged" in again.stdout


def test_an_underlying_in_a_column_of_its_own_is_the_same_symbol(load: Load, stored) -> None:
    load("options", *(f"C{n},1,LC,{symbol},400,2027-01-15" for n, symbol in enumerate(SPELLINGS)))
    assert stored(tables.positions, "underlying_symbol") == ["BRK-B"]


@pytest.mark.parametrize("written", ["BRK B", "BRKB", "brk/b"])
def test_a_row_that_cannot_be_read_is_not_a_sale_in_any_spelling(load: Load, written: str) -> None:
    load("portfolio", "BRK-B,10", "KO,5")
    done = load("portfolio", f"{written},ten", "KO,5")
    assert "0 lots opened, 0 closed" in done.stdout
    assert "because one of their rows was rejected: BRK-B" in done.stderr


@pytest.mark.parametrize(("count", "unnamed"), [(8, None), (9, 1), (10, 2)])
def test_no_more_than_eight_symbols_are_named(load: Load, count: int, unnamed: int | None) -> None:
    done = load("prices", *(f"S{number}.US,2024-12-06,5" for number in range(count)))
    assert done.stderr.count(" is stored as S") == 8
    rest = (
        f"note: {unnamed} more symbols are stored in another spelling"
        " (see docs/reference/symbols.md)"
    )
    assert ("more symbols" in done.stderr) == (rest in done.stderr) == (unnamed is not None)


def test_a_rejected_row_s_symbol_is_not_reported_as_stored(load: Load) -> None:
    done = load("prices", "BRK.B,2024-12-07,5", "BF.B,2024-12-06,5")  # the first day is a Saturday
    assert "BF.B is stored as BF-B" in done.stderr
    assert "BRK.B is stored" not in done.stderr


@pytest.mark.parametrize("written", SPELLINGS)
@pytest.mark.parametrize("name", ["market_index", "rate_index"])
def test_indices_are_normalized(
    call, monkeypatch: pytest.MonkeyPatch, written: str, name: str
) -> None:
    assert call("db", "setting", name, written).stdout == "BRK-B\n"
    monkeypatch.setenv(f"RISKMETRICS_{name.upper()}", written)
    assert getattr(settings.load(), name) == "BRK-B"


def test_an_index_has_sixteen_characters_at_most(call, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "X" * 16
    assert call("db", "setting", "rate_index", longest).stdout == f"{longest}\n"
    assert isinstance(call("db", "setting", "rate_index", longest + "X").exception, UsageError)
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", longest)
    assert settings.load().market_index == longest
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", longest + "X")
    with pytest.raises(ConfigurationError, match="at most 16 letters"):
        settings.load()


@pytest.mark.parametrize("written", ["AAPL", "aapl.us", "Aapl"])
def test_explain_finds_a_symbol_in_any_spelling(call, database: str, written: str) -> None:
    with open_connection(database) as connection:
        store_small_results(connection)
    options = ("--date", str(FIRST_DAY), "--symbol", written, "--json")
    explained = json.loads(call("explain", GROWTH, "position_market_betas.beta", *options).stdout)
    assert [one["key"]["symbol"] for one in explained] == ["AAPL"]


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_price_move_is_decided_in_any_spelling(call, load: Load, stored, written: str) -> None:
    load("prices", "BRK-B,2022-12-13,400", "BRK-B,2022-12-14,100", "BRK-B,2022-12-15,100")
    assert call("prices", "split", written, "2022-12-14", "4:1").exit_code == 0
    assert stored(tables.price_decisions) == ["BRK-B"]
    assert "decision removed" in call("prices", "undo", written, "2022-12-14").stdout
    assert stored(tables.price_decisions) == []
    accepted = call("prices", "accept", written, "2022-12-14")
    assert "no price of BRK-B is stored" not in str(accepted.exception)


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_holding_without_a_file_is_of_any_spelling(call, stored, written: str) -> None:
    assert call("portfolio", "add", "P", f"{written}=5").exit_code == 0
    assert stored(tables.positions) == ["BRK-B"]


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_symbol_is_renamed_in_any_spelling(call, load: Load, stored, written: str) -> None:
    load("prices", "FB,2024-12-06,5", "BRK-A,2024-12-06,5")
    assert call("symbols", "rename", "fb.us", written).exit_code == 0
    assert stored(tables.market_data_cache) == ["BRK-A", "BRK-B"]
    assert call("symbols", "rename", written, "META").exit_code == 0
    assert stored(tables.market_data_cache) == ["BRK-A", "META"]
    refused = call("symbols", "rename", "META", "no symbol")
    assert isinstance(refused.exception, UsageError)


@pytest.mark.parametrize("written", SPELLINGS)
def test_a_history_is_fetched_again_in_any_spelling(
    call, load: Load, stored, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    market = TiingoMarket(trading_calendar.last_completed_session())
    load("prices", "BRK-B,2024-12-06,5")
    monkeypatch.setenv("RISKMETRICS_SOURCE", "tiingo")
    monkeypatch.setenv("RISKMETRICS_TIINGO_API_KEY", KEY)
    with serve_tiingo(market) as server:
        monkeypatch.setenv("RISKMETRICS_TIINGO_URL", server.url)
        done = call("symbols", "refetch", written)
    assert done.exit_code == 0, done.exception
    assert "closes from Tiingo" in done.stdout
    assert done.stdout.endswith("instead of 1 close\n")
    assert stored(tables.market_data_cache) == ["BRK-B"]


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_argument_that_takes_a_symbol_is_tested_here() -> None:
    """Parameters whose name or help mentions symbols; settings of the database have own tests."""
    found = {
        (name, parameter.name)
        for name, command in commands(typer.main.get_command(app))
        for parameter in command.params
        if "symbol" in f"{parameter.name} {getattr(parameter, 'help', '')}".lower()
    }
    assert found == TESTED_ARGUMENTS | OTHER_PARAMETERS


@pytest.mark.parametrize("known", [("prices", "ABC-A,2024-12-06,5"), ("profiles", "ABC-A,ABC")])
def test_a_share_without_mark_is_the_class_that_the_database_knows(
    call, load: Load, stored, known: tuple[str, str]
) -> None:
    load(*known)
    done = load("portfolio", "ABCA,10", "ABCB,1", "AB,2")
    assert done.stderr.count("note: ABCA is stored as ABC-A") == 1
    assert stored(tables.positions) == ["AB", "ABC-A", "ABCB"]
    assert "3 unchanged" in load("portfolio", "ABC-A,10", "ABCB,1", "AB,2").stdout
    assert "0 lots opened, 0 closed" in load("portfolio", "ABCA,ten", "ABCB,1", "AB,2").stdout
    prices = load("prices", "ABCA,2024-12-05,5", "ABCA,2024-12-06,5")
    assert prices.stderr.count("ABCA is stored as ABC-A") == 1
    load("profiles", "ABCA,ABC")
    assert stored(tables.market_data_cache) == stored(tables.company_profiles) == ["ABC-A"]
    assert call("db", "setting", "market_index", "abca").stdout == "ABC-A\n"


@pytest.mark.parametrize(
    "known", [("prices", "ABCA,2024-12-05,5"), ("profiles", "ABCA,x"), ("portfolio", "ABCA,1")]
)
def test_a_symbol_that_is_itself_known_is_no_class_share(
    load: Load, stored, known: tuple[str, str]
) -> None:
    """HUBB is not HUB-B: a symbol with its own prices, profile or position is kept."""
    load(*known, name="Q")
    load("prices", "ABC-A,2024-12-06,5")
    assert "is stored as" not in load("portfolio", "ABCA,10").stderr
    assert "ABCA" in stored(tables.positions)


def test_a_file_with_both_symbols_keeps_them_apart(load: Load, stored) -> None:
    load("prices", "ABC-A,2024-12-06,5")
    load("prices", "ABC-A,2024-12-06,5", "ABCA,2024-12-06,7")
    assert stored(tables.market_data_cache) == ["ABC-A", "ABCA"]
