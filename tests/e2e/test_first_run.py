"""A new user with a holdings file has a report after three commands, with each data source."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from riskmetrics import trading_calendar
from tests.commands import call_main
from tests.fmp_market import Market
from tests.fmp_server import KEY, serve
from tests.forked_commands import run_forked
from tests.tiingo_server import TiingoMarket, serve_tiingo
from tests.yahoo_server import YahooMarket, serve_yahoo

HELD = [f"S{number:03}" for number in range(6)]
Command = Callable[..., subprocess.CompletedProcess[str]]

SERVERS = {
    "yahoo": (serve_yahoo, YahooMarket, "RISKMETRICS_YAHOO", None),
    "tiingo": (serve_tiingo, TiingoMarket, "RISKMETRICS_TIINGO", "RISKMETRICS_TIINGO_API_KEY"),
    "fmp": (serve, Market, "RISKMETRICS_FMP", "FMP_API_KEY"),
}


@pytest.fixture(params=SERVERS)
def source(request: pytest.FixtureRequest) -> str:
    """Return the name of a data source."""
    return str(request.param)


@pytest.fixture
def settings(source: str, empty_database: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the variables of a new user's environment while the source's local server runs."""
    serve_source, market, prefix, _ = SERVERS[source]
    with ExitStack() as stack:
        server = stack.enter_context(
            serve_source(market(trading_calendar.last_completed_session()))
        )
        yield {
            f"{prefix}_URL": server.url,
            f"{prefix}_CALLS_PER_MINUTE": "100000",
            "RISKMETRICS_DATABASE_URL": empty_database,
            "RISKMETRICS_HOME": str(tmp_path / "home"),
        }


@pytest.fixture
def command(source: str, settings: dict[str, str], tmp_path: Path, command_server: None) -> Command:
    """Call the command in a directory of the user's, for the first source in processes.

    Those of other sources start in the same way.
    """
    run = run_forked if source == next(iter(SERVERS)) else call_main
    return lambda *arguments: run(arguments, os.environ | settings, tmp_path)


@pytest.mark.slow(12)
def test_a_holdings_file_becomes_a_report_in_three_commands(
    source: str, command: Command, settings: dict[str, str], tmp_path: Path
) -> None:
    """The sector weights of Tiingo's user are missing, and said to be; everything else is there.

    A bond among the holdings is rejected: the others are computed, and the exit code tells it.
    """
    (tmp_path / "positions.csv").write_text(
        "symbol,quantity\n" + "".join(f"{symbol},100\n" for symbol in (*HELD, "912828YK0"))
    )
    key = ("--key", KEY) if SERVERS[source][3] else ()
    done = [
        command("init", "--source", source, *key, "--holdings", "positions.csv"),
        command("show", "betas"),
        command("report"),
    ]
    assert [one.returncode for one in done] == [4, 0, 0], [one.stderr for one in done]
    assert "1 row rejected" in done[0].stderr
    assert "Next:\n  riskmetrics report" in done[0].stdout
    assert "Portfolio" in done[0].stdout
    page = (tmp_path / "report.html").read_text()
    assert all(symbol in page for symbol in HELD)
    env = tmp_path / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert f"RISKMETRICS_SOURCE='{source}'\n" in env.read_text()
    assert KEY not in "".join(one.stdout + one.stderr for one in done) + page
    with psycopg.connect(
        settings["RISKMETRICS_DATABASE_URL"].replace("+psycopg", "")
    ) as connection:
        stored = {
            table: connection.execute(
                f"SELECT DISTINCT data_source FROM {table}".encode()
            ).fetchall()
            for table in ("market_data_cache", "company_profiles", "benchmarks_sector_weights")
        }
    name = {"yahoo": "Yahoo", "tiingo": "Tiingo", "fmp": "FMP"}[source]
    assert stored["market_data_cache"] == [(name,)]
    others = [] if source == "tiingo" else [(name,)]
    assert stored["company_profiles"] == stored["benchmarks_sector_weights"] == others


@pytest.mark.slow(12)
@pytest.mark.parametrize("source", ["yahoo"], indirect=True)
def test_a_user_without_a_file_names_shares_and_computes(command: Command, tmp_path: Path) -> None:
    done = [
        command("init", "--source", "yahoo"),
        command("portfolio", "add", "Growth", "S001=10", "S002=-5", "--equity", "5000"),
        command("run"),
        command("report", "--out", "page.html"),
    ]
    assert [one.returncode for one in done] == [0, 0, 0, 0], [one.stderr for one in done]
    assert "riskmetrics portfolio add Growth AAPL=10" in done[0].stdout
    assert "S001" in (tmp_path / "page.html").read_text()
