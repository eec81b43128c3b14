"""`riskmetrics init` and `portfolio add`: what they ask, refuse, write and never show."""

import json
import os
import pty
import select
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from riskmetrics import settings
from riskmetrics.cli.env_file import merge_settings
from riskmetrics.errors import ConfigurationError, SourceError, UsageError
from tests.commands import invoke
from tests.conftest import COMMAND
from tests.fmp_server import KEY
from tests.forked_commands import PATIENCE


@pytest.fixture
def set_zone() -> Iterator[Callable[[str], None]]:
    """Yield a function that sets the time zone of the machine until the test ends."""
    with pytest.MonkeyPatch.context() as patch:

        def set_zone(zone: str) -> None:
            patch.setenv("TZ", zone)
            time.tzset()

        yield set_zone
    time.tzset()


def init(*arguments: str) -> object:
    """Call the command without a terminal."""
    return invoke("init", *arguments)


def test_settings_are_written_for_the_owner_only(tmp_path: Path) -> None:
    result = init("--source", "Tiingo, yahoo", "--key", KEY, "--schedule")
    assert result.exit_code == 0
    env = tmp_path / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert dotenv_values(env) == {
        "RISKMETRICS_SOURCE": "tiingo, yahoo",
        "RISKMETRICS_TIINGO_API_KEY": KEY,
        "RISKMETRICS_NIGHTLY": "true",
    }
    assert KEY not in result.output
    assert "riskmetrics import portfolio positions.csv       what you hold" in result.stdout
    assert "riskmetrics ui                           keep it running" in result.stdout
    assert "Instead of ui, you can add to your crontab (18:30 in New York" in result.stdout
    assert f"cd {tmp_path} && " in result.stdout
    assert list(tmp_path.iterdir()) == [env]  # nothing unfinished stays


def test_an_existing_file_is_changed_only_when_told_to(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    text = "# mine\nRISKMETRICS_HOME=here\nRISKMETRICS_SOURCE=none\n"
    env.write_text(text)
    result = init("--source", "yahoo")
    assert isinstance(result.exception, UsageError)
    assert "--overwrite" in str(result.exception)
    assert env.read_text() == text
    assert init("--source", "yahoo", "--overwrite").exit_code == 0
    assert env.read_text() == (
        "# mine\nRISKMETRICS_HOME=here\nRISKMETRICS_SOURCE='yahoo'\nRISKMETRICS_NIGHTLY='false'\n"
    )
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert init("--source", "yahoo").exit_code == 0  # nothing would change


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((), UsageError, "without a terminal: pass --source"),
        (("--source", "fmp"), UsageError, "FMP_API_KEY is not set"),
        (("--source", "yahoo", "--key", KEY), UsageError, "yahoo has none"),
        (("--source", "fmp,tiingo", "--key", KEY), UsageError, "has 2"),
        (("--source", "bloom"), ConfigurationError, "names bloom"),
        (("--source", "a b"), ConfigurationError, "RISKMETRICS_SOURCE"),
        (("--source", "fmp", "--key", "a b"), ConfigurationError, "FMP_API_KEY"),
        (("--source", "yahoo", "--holdings", "none.csv"), UsageError, "none.csv is not a file"),
    ],
)
@pytest.mark.parametrize("before", [None, "RISKMETRICS_HOME=here\n"])
def test_what_cannot_be_used_leaves_the_file_as_it_was(
    tmp_path: Path, arguments: tuple[str, ...], error: type[Exception], text: str, before: str
) -> None:
    env = tmp_path / ".env"
    if before:
        env.write_text(before)
    result = init(*arguments, "--overwrite")
    assert isinstance(result.exception, error)
    assert text in str(result.exception)
    assert (env.read_text() if env.exists() else None) == before
    assert KEY not in result.output + str(result.exception)


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("A=1\n")
    (tmp_path / ".env").symlink_to(target)
    result = init("--source", "yahoo", "--overwrite")
    assert isinstance(result.exception, ConfigurationError)
    assert target.read_text() == "A=1\n"


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("riskmetrics.cli.env_file.os.open", denied)
    result = init("--source", "none")
    assert isinstance(result.exception, ConfigurationError)
    assert f"cannot write {tmp_path / '.env'}: Permission denied" in str(result.exception)


def test_a_key_in_the_environment_is_used_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMP_API_KEY", KEY)
    monkeypatch.setenv("RISKMETRICS_NIGHTLY", "true")
    result = init("--source", "fmp")
    assert result.exit_code == 0
    assert KEY not in (tmp_path / ".env").read_text()
    assert "RISKMETRICS_NIGHTLY in the environment takes precedence over .env" in result.stderr


def test_a_crontab_in_the_folder_uses_the_same_home_as_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_zone: Callable[[str], None]
) -> None:
    """It does not see the shell's environment."""
    folder = tmp_path / "not here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RISKMETRICS_HOME", "../risk")
    monkeypatch.setenv("DAGSTER_HOME", "~/runs")
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "postgresql://me:secret@host/risk")
    monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", "https://hooks.example.com/secret")
    set_zone("America/New_York")
    result = init("--source", "none")
    assert result.exit_code == 0
    for name in ("RISKMETRICS_DATABASE_URL", "RISKMETRICS_ALERT_WEBHOOK"):
        assert f"note: {name} is only in the environment" in result.stderr
    assert "RISKMETRICS_HOME is only" not in result.stderr
    assert "secret" not in (folder / ".env").read_text() + result.output
    for name in ("RISKMETRICS_HOME", "DAGSTER_HOME", "RISKMETRICS_DATABASE_URL"):
        monkeypatch.delenv(name)
    assert settings.load().home_directory.resolve() == tmp_path / "risk"
    assert settings.load().dagster_directory == Path.home() / "runs"
    printed = result.stdout.splitlines()[-1]
    assert printed.startswith(f"  30 18 * * 1-5  cd '{folder}' && ")
    assert "riskmetrics import prices FILE; " in printed
    assert printed.endswith('riskmetrics alert "the nightly run failed"; }')


@pytest.mark.parametrize(
    "value", ["plain", "it's", 'a"b', "back\\slash", "#no comment", "$HOME", "${A}", "=", "\\'"]
)
def test_any_value_is_read_back_as_it_was_written(tmp_path: Path, value: str) -> None:
    """By the library that reads .env for the settings."""
    file = tmp_path / "written"
    file.write_text(merge_settings("B=1", {"A": value}))
    assert dotenv_values(file, interpolate=False) == {"B": "1", "A": value}


def test_a_setting_of_several_lines_is_replaced_whole() -> None:
    before = "export A='one\ntwo'\n# note\nB=2"
    assert merge_settings(before, {"A": "x"}) == "# note\nB=2\nA='x'\n"


@pytest.mark.integration
def test_a_terminal_is_asked_and_the_key_is_not_echoed(tmp_path: Path) -> None:
    shown, code = converse(
        tmp_path, {"Data source": "tiingo", "API_KEY": KEY, "Holdings": "", "evening": "n"}
    )
    assert code == 0, shown
    assert "yahoo   no key" in shown
    assert KEY not in shown
    assert dotenv_values(tmp_path / ".env") == {
        "RISKMETRICS_SOURCE": "tiingo",
        "RISKMETRICS_TIINGO_API_KEY": KEY,
        "RISKMETRICS_NIGHTLY": "false",
    }
    before = (tmp_path / ".env").read_text()
    shown, code = converse(
        tmp_path, {"Data source": "none", "Holdings": "", "evening": "y", "Other lines stay": "n"}
    )
    assert code == 1
    assert (tmp_path / ".env").read_text() == before


def converse(folder: Path, answers: dict[str, str]) -> tuple[str, int]:
    """Run the command on a terminal; answer each question that contains a text, in order."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "init"],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # without the terminal of whoever runs the tests
    )
    os.close(theirs)
    shown, seen, end = "", 0, time.monotonic() + PATIENCE
    waiting = list(answers.items())
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            shown += os.read(ours, 4096).decode()
        except OSError:  # the other end is closed
            break
        # the space follows when the terminal no longer echoes a key
        if waiting and waiting[0][0] in shown[seen:] and shown.endswith(": "):
            seen = len(shown)
            os.write(ours, (waiting.pop(0)[1] + "\n").encode())
    os.close(ours)
    return shown, process.wait(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("zone", "line"),
    [
        ("UTC", "30 23 * * 1-5"),
        ("America/Los_Angeles", "30 15 * * 1-5"),
        ("Europe/Berlin", "30 0 * * 2-6"),
        ("Asia/Kolkata", "0 5 * * 2-6"),
        ("Australia/Sydney", "30 10 * * 2-6"),
    ],
)
def test_the_evening_of_new_york_is_in_the_time_of_the_machine(
    tmp_path: Path, set_zone: Callable[[str], None], zone: str, line: str
) -> None:
    set_zone(zone)
    printed = init("--source", "yahoo").stdout.splitlines()[-1]
    assert printed.startswith(f"  {line}  cd {tmp_path} && ")
    assert printed.endswith("riskmetrics catch-up")


def test_what_is_stored_needs_no_step(call) -> None:
    assert "riskmetrics portfolio add" in call("init", "--source", "none").stdout
    call("portfolio", "add", "Growth", "AAPL=10")
    again = call("init", "--source", "none", "--overwrite").stdout
    assert "\nNext:\n  riskmetrics import prices FILE" in again
    assert "and of the market index, SPY\n" in again


def test_holdings_of_a_source_that_does_not_answer_stay(
    call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_YAHOO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RISKMETRICS_YAHOO_CALL_SECONDS", "1")
    file = tmp_path / "positions.csv"
    file.write_text("symbol,quantity\nKO,5\nPEP,5\n")
    result = call("init", "--source", "yahoo", "--holdings", str(file))
    assert isinstance(result.exception, SourceError)
    assert "crumb" not in result.output
    assert "pass --offline, or set RISKMETRICS_SOURCE=none" in result.stderr
    assert ".env and the holdings are stored" in result.stdout
    assert "riskmetrics import prices FILE" in result.stdout
    advice = call("doctor").stdout
    assert "→ riskmetrics run, or riskmetrics import prices FILE" in advice
    assert '"open_lots": 2' in call("portfolio", "list", "--json").stdout


@pytest.mark.parametrize(
    ("accounts", "names"),
    [((), ["Portfolio"]), (("IRA",), ["IRA"]), (("IRA", "Joint"), ["IRA", "Joint"])],
)
def test_an_account_is_one_portfolio_for_init_and_import(
    call, tmp_path: Path, accounts: tuple[str, ...], names: list[str]
) -> None:
    header = "account,symbol,quantity" if accounts else "symbol,quantity"
    rows = [f"{account},{symbol},5" for account in accounts for symbol in ("KO", "PEP")]
    file = tmp_path / "positions.csv"
    file.write_text("\n".join([header, *(rows or ["KO,5", "PEP,5"]), ""]))
    assert call("init", "--source", "none", "--holdings", str(file)).exit_code == 0
    named = () if accounts else ("--name", "Portfolio")
    again = call("import", "portfolio", str(file), *named)
    assert again.stdout.count("0 lots opened, 0 closed, 0 corrected, 2 unchanged") == len(names)
    stored = json.loads(call("portfolio", "list", "--json").stdout)
    assert [row["portfolio"] for row in stored] == names


def test_a_portfolio_is_added_without_a_file(call) -> None:
    result = call("portfolio", "add", "Growth", "aapl=10", "BRK.B=-2.5", "--as-of", "2024-12-06")
    assert result.exit_code == 0
    assert result.stdout == "Growth: 2 lots, as of 2024-12-06\n"
    assert "no price is stored for AAPL, BRK-B" in result.stderr
    listed = call("portfolio", "list", "--json").stdout
    assert '"open_lots": 2' in listed
    found = call(
        "db", "sql", "SELECT symbol, quantity, position_type FROM positions ORDER BY symbol"
    )
    assert [line.split() for line in found.stdout.splitlines()[-2:]] == [
        ["AAPL", "10", "LONG"],
        ["BRK-B", "−2.5", "SHORT"],
    ]


def test_a_portfolio_of_after_the_last_price_says_so(call, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text("symbol,date,close\nKO,2024-12-05,62.81\nKO,2024-12-06,62.62\n")
    assert call("import", "prices", str(file)).exit_code == 0
    added = call("portfolio", "add", "Growth", "KO=10", "--as-of", "2024-12-09")
    assert added.stdout == "Growth: 1 lot, as of 2024-12-09 (their prices end on 2024-12-06)\n"
    added = call("portfolio", "add", "Other", "KO=10", "--as-of", "2024-12-06")
    assert added.stdout == "Other: 1 lot, as of 2024-12-06\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("AAPL",), "'AAPL' has no number of shares: write SYMBOL=SHARES"),
        (("AAPL=x",), "AAPL=x: quantity 'x' is not a number"),
        (("AAPL=0",), "AAPL=0: quantity 0 is zero"),
        (("=5",), "=5: no symbol"),
        (("a b c=5",), "is not a valid symbol"),
        (("AAPL=1", "aapl=2"), "AAPL is named twice"),
        (("AAPL=1", "--as-of", "2999-01-01"), "is in the future"),
        (("AAPL=1", "--equity", "nan"), "not a valid amount"),
        (("AAPL=1", "--equity", "1e14"), "not a valid amount"),
    ],
)
def test_what_is_no_holding_is_named(call, arguments, text) -> None:
    result = call("portfolio", "add", "Growth", *arguments)
    assert isinstance(result.exception, UsageError)
    assert text in str(result.exception)
    assert call("portfolio", "list", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize(("length", "is_accepted"), [(1, True), (255, True), (256, False)])
def test_a_name_fits_its_column(call, length, is_accepted) -> None:
    result = call("portfolio", "add", "x" * length, "AAPL=1")
    assert (result.exit_code == 0) == is_accepted


def test_a_name_that_exists_is_refused(call) -> None:
    call("portfolio", "add", "Growth", "AAPL=10")
    result = call("portfolio", "add", "Growth", "MSFT=5")
    assert isinstance(result.exception, UsageError)
    assert "there is a portfolio Growth already" in str(result.exception)
