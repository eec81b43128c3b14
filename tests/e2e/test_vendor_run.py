"""`riskmetrics run` with a key and a fresh database: tables filled, no repeated call, no leak."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import Result
from urllib3.util.retry import Retry

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.ingest import prices
from riskmetrics.sources import vendor_http
from tests.commands import invoke
from tests.e2e.conftest import OPTIONAL_TABLES, RESULT_KEYS
from tests.fmp_market import Market
from tests.fmp_server import BAD_KEY, KEY, FmpServer, Reply, serve
from tests.forked_commands import run_forked

PASSWORD = "pass-Word_of.the+database"
HELD = [f"S{number:03}" for number in range(30)]
EMPTY = {
    "portfolio_var_backtests",
    "position_option_exposures",
    "forecast_outcomes",
    *tables.STATISTIC_TABLES,
}
"""Tables of results that one session of stocks need not fill."""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def market() -> Market:
    """Return a market with data up to the latest session."""
    return Market(trading_calendar.last_completed_session())


@pytest.fixture
def vendor(market: Market) -> Iterator[FmpServer]:
    """Yield a local vendor server."""
    with serve(market) as running:
        yield running


@pytest.fixture
def settings(request: pytest.FixtureRequest, vendor: FmpServer, tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user with a key and a new database.

    It is empty for processes, which then migrate it, and migrated for calls in this process.
    """
    kind = "empty_database" if "command" in request.fixturenames else "database"
    url = sa.make_url(request.getfixturevalue(kind)).set(password=PASSWORD)
    return {
        "FMP_API_KEY": KEY,
        "RISKMETRICS_FMP_URL": vendor.url,
        "RISKMETRICS_FMP_CALLS_PER_MINUTE": "100000",
        "RISKMETRICS_DATABASE_URL": url.render_as_string(hide_password=False),
        "RISKMETRICS_HOME": str(tmp_path / "home"),
    }


@pytest.fixture
def command(settings: dict[str, str], tmp_path: Path, command_server: None) -> Command:
    """Call the command in a process of its own."""
    return lambda *arguments, **changed: run_forked(
        arguments, os.environ | settings | changed, tmp_path
    )


@pytest.fixture
def call(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call a command in this process, with at most two attempts per request and without waits."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        vendor_http.VendorHttpClient.__init__,
        "__kwdefaults__",
        vendor_http.VendorHttpClient.__init__.__kwdefaults__
        | {"retries": Retry(1), "timeouts": vendor_http.Timeouts(30, 30, 30), "cooldown": 0.01},
    )
    return invoke


def holdings(folder: Path, symbols: list[str]) -> str:
    """Write a file with a hundred shares of each symbol, and return its path."""
    path = folder / "holdings.csv"
    path.write_text("symbol,quantity\n" + "".join(f"{symbol},100\n" for symbol in symbols))
    return str(path)


def contents(url: str) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return {
            name: [row[0] for row in connection.execute(f"SELECT t::text FROM {name} t".encode())]
            for (name,) in names
        }


def secrets_in(folder: Path) -> list[Path]:
    """Return the files that contain the key or the password."""
    words = [KEY.encode(), PASSWORD.encode()]
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in words)
    ]


@pytest.mark.slow(20)
def test_a_fresh_database_and_a_key_are_filled_by_run_and_a_second_run_asks_nothing(
    command: Command,
    call: Callable[..., Result],
    capfd: pytest.CaptureFixture[str],
    settings: dict[str, str],
    vendor: FmpServer,
    market: Market,
    tmp_path: Path,
) -> None:
    """The only other step is to import the holdings.

    All that either leaves is searched for the key and the password.
    """
    held = holdings(tmp_path, [*HELD[:12], "SPY"])
    outputs = [
        command("import", "portfolio", held, "--name", "Growth", "--equity", "500000"),
        command("run"),
    ]
    assert [done.returncode for done in outputs] == [0, 0], outputs[-1].stderr
    assert f"using {market.through}" in outputs[-1].stderr
    rows = contents(settings["RISKMETRICS_DATABASE_URL"])
    assert {name for name in RESULT_KEYS if not rows[name]} <= EMPTY | OPTIONAL_TABLES
    assert len(rows["market_data_cache"]) == 14 * (prices.HISTORY_SESSIONS + 1)
    assert (len(rows["company_profiles"]), len(rows["benchmarks_sector_weights"])) == (41, 11)
    assert vendor.count() == {
        "historical-price-eod/full": 14,
        "historical-price-eod/dividend-adjusted": 14,
        "profile": 41,
        "sp500-constituent": 1,
    }
    asked = len(vendor.calls)
    outputs.append(command("run"))
    assert outputs[-1].returncode == 0, outputs[-1].stderr
    earlier = str(trading_calendar.previous_session(market.through))
    results = [
        call(*arguments)
        for arguments in (("run", "--date", earlier), ("show", "betas"), ("report",), ("status",))
    ]
    assert [result.exit_code for result in results] == [0] * 4, results[0].output
    assert len(vendor.calls) == asked
    printed = [done.stdout + done.stderr for done in outputs]
    printed += [result.output for result in results] + list(capfd.readouterr())
    assert not [text for text in printed if KEY in text or PASSWORD in text]
    assert KEY not in json.dumps(contents(settings["RISKMETRICS_DATABASE_URL"]))
    assert (tmp_path / "report.html").exists()
    assert list((tmp_path / "home").rglob("*.db"))  # Dagster's events
    assert secrets_in(tmp_path) == []


def test_when_everything_fails_the_key_is_still_nowhere(
    call: Callable[..., Result],
    command: Command,
    settings: dict[str, str],
    vendor: FmpServer,
    market: Market,
    tmp_path: Path,
) -> None:
    """One run per fault, including answers that echo the request URL with the key."""
    call("import", "portfolio", holdings(tmp_path, HELD[:3]), "--name", "Growth")
    echo = f"cannot GET /stable/profile?symbol=S001&apikey={KEY}"
    faults = {
        "reset": (Reply(fault="reset"), 5),
        "echo": (Reply(echo, 404, "text/html"), 3),
        "echoed row": (Reply([{"symbol": "S001", "date": echo}]), 3),
        "limit": (
            Reply({"Error Message": f"Limit Reach . {echo}"}, 429, headers=(("Retry-After", "0"),)),
            3,
        ),
        "key": (Reply(BAD_KEY, 401), 6),
    }
    said = ""
    for name, (reply, code) in faults.items():
        vendor.answers = lambda *_, reply=reply: reply
        result = call("run", "--date", str(market.through))
        assert result.exit_code == code, (name, result.output)
        said += result.output
    unreachable = command("run", RISKMETRICS_FMP_URL=f"http://127.0.0.1:1/{KEY}")
    assert (unreachable.returncode, "127.0.0.1 cannot be reached" in unreachable.stderr) == (
        5,
        True,
    ), unreachable.stderr
    rows = contents(settings["RISKMETRICS_DATABASE_URL"])
    assert any("apikey=***" in row for row in rows["rejected_rows"])
    assert KEY not in json.dumps(rows) + said + unreachable.stderr
    assert secrets_in(tmp_path) == []


def stored_symbols(url: str) -> set[str]:
    """Return the symbols with prices."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        symbols = set(connection.scalars(sa.select(tables.market_data_cache.c.symbol).distinct()))
    engine.dispose()
    return symbols


def test_three_of_thirty_symbols_that_fail_end_a_run_with_4_and_are_named_with_the_reason(
    call: Callable[..., Result], market: Market, settings: dict[str, str], tmp_path: Path
) -> None:
    call("import", "portfolio", holdings(tmp_path, HELD), "--name", "Growth")
    market.refuse("S003", "S004")
    market.replies["historical-price-eod/dividend-adjusted", "S009"] = Reply("<html>", 502)
    result = call("run", "--date", str(market.through), "--assets", "market_prices")
    assert result.exit_code == 4, result.output
    assert "(S003): your FMP plan does not include historical-price-eod/full S003" in result.output
    assert "1 of 32 not fetched (S009): FMP server error (status 502" in result.output
    assert stored_symbols(settings["RISKMETRICS_DATABASE_URL"]) == {*HELD, "SPY", "TLT"} - {
        "S003",
        "S004",
        "S009",
    }
    market.replies = {}
    assert call("run", "--date", str(market.through), "--assets", "market_prices").exit_code == 0
    assert stored_symbols(settings["RISKMETRICS_DATABASE_URL"]) == {*HELD, "SPY", "TLT"}


def test_below_four_fifths_a_run_fails_with_3_and_keeps_what_came(
    call: Callable[..., Result], market: Market, settings: dict[str, str], tmp_path: Path
) -> None:
    call("import", "portfolio", holdings(tmp_path, HELD[:8]), "--name", "Growth")
    market.unknown |= {"S000", "S001", "S002"}
    result = call("run", "--date", str(market.through), "--assets", "market_prices")
    assert result.exit_code == 3, result.output
    assert "market_prices failed: 3 of 9 symbols have missing prices (maximum 20%)" in result.output
    assert len(stored_symbols(settings["RISKMETRICS_DATABASE_URL"])) == 7


def test_without_the_rate_index_all_but_its_betas_is_computed(
    call: Callable[..., Result], market: Market, settings: dict[str, str], tmp_path: Path
) -> None:
    """The two other required symbols are complete."""
    call("import", "portfolio", holdings(tmp_path, HELD[:1]), "--name", "Growth")
    market.refuse("TLT")
    result = call("run")
    assert (
        result.exit_code,
        "1 of 3 not fetched (TLT): your FMP plan does not include" in result.output,
    ) == (4, True), result.output
    rows = contents(settings["RISKMETRICS_DATABASE_URL"])
    assert len(rows["position_market_betas"]) == 1
    assert any("interest_rate_betas" in row for row in rows["undefined_metrics"])


@pytest.mark.parametrize(
    ("paths", "subject"),
    [
        (("profile",), "not fetched (S000"),
        (("sp500-constituent", "sector-weightings"), "not fetched (SP500"),
    ],
)
def test_results_are_computed_where_the_vendor_refuses_profiles_or_weights(
    call: Callable[..., Result],
    market: Market,
    vendor: FmpServer,
    settings: dict[str, str],
    tmp_path: Path,
    paths: tuple[str, ...],
    subject: str,
) -> None:
    """A wrong key ends all requests for profiles, a malformed answer those for weights."""
    call("import", "portfolio", holdings(tmp_path, HELD[:3]), "--name", "Growth")
    refused = Reply(BAD_KEY, 401) if "profile" in paths else Reply([{"symbol": 1}])
    vendor.answers = lambda name, query: (
        refused if any(path in name for path in paths) else market(name, query)
    )
    day = str(market.through)
    result = call("reprocess", "--all", "--from", day, "--to", day, "--yes")
    assert result.exit_code == 4, result.output
    assert subject in result.output
    assert "earlier results are removed" not in result.output  # nothing is left to repeat
    rows = contents(settings["RISKMETRICS_DATABASE_URL"])
    assert rows["portfolio_snapshots"]
    assert rows["portfolio_sector_weights"]


def test_a_delisted_and_a_late_symbol_are_reported_without_failing_the_run(
    call: Callable[..., Result], market: Market, tmp_path: Path
) -> None:
    call("import", "portfolio", holdings(tmp_path, HELD[:12]), "--name", "Growth")
    market.delisted_on |= {"S005": market.days[-30], "S006": market.days[-2]}
    result = call("run", "--assets", "market_prices")
    assert result.exit_code == 0, result.output
    assert f"no price of S005 after {market.delisted_on['S005']}, held on " in result.output
    assert "delisted or renamed?" in result.output
    assert (
        f"no close on {market.through} of S006 (last {market.days[-2]}): values use the last close"
        in result.output
    )


def test_offline_asks_nothing_although_there_is_a_key(
    call: Callable[..., Result], vendor: FmpServer
) -> None:
    result = call("run", "--offline")
    assert "set FMP_API_KEY" in str(result.exception)
    assert vendor.calls == []


def test_seed_benchmark_fetches_whatever_is_stored_and_prints_it(
    call: Callable[..., Result], vendor: FmpServer
) -> None:
    for _ in range(2):
        result = call("seed", "benchmark", "--json")
        assert result.exit_code == 0, result.output
        rows = json.loads(result.stdout)
        assert (len(rows), sum(row["num_constituents"] for row in rows)) == (11, 40)
    assert vendor.count() == {"sp500-constituent": 2, "profile": 40}


def test_the_vendor_is_not_called_for_an_unused_benchmark(
    call: Callable[..., Result], vendor: FmpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor has only the S&P 500; `seed benchmark` fetches it whatever the setting is."""
    monkeypatch.setenv("RISKMETRICS_BENCHMARK", "WORLD")
    result = call("run", "--date", "2024-12-05", "--assets", "benchmark_weights")
    assert result.exit_code == 0, result.output
    assert "no sector weights of WORLD are stored" in result.output
    assert vendor.calls == []
    assert call("seed", "benchmark").exit_code == 0
    assert vendor.count()["sp500-constituent"] == 1


def test_seed_benchmark_reports_what_is_missing(
    call: Callable[..., Result], vendor: FmpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.answers = lambda *_: Reply(fault="reset")
    result = call("seed", "benchmark")
    assert (result.exit_code, "closed the connection early" in result.output) == (5, True)
    monkeypatch.setenv("FMP_API_KEY", "")
    result = call("seed", "benchmark")
    assert (result.exception.exit_code, "FMP_API_KEY is not set" in str(result.exception)) == (
        6,
        True,
    )
