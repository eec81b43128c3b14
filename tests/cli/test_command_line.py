"""The command line itself: help, JSON, exit codes and forbidden imports."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer

from riskmetrics import trading_calendar
from riskmetrics.cli.main import app
from riskmetrics.db import migrate, tables
from riskmetrics.db.postgres_cluster import SUPERUSER
from riskmetrics.errors import (
    ConfigurationError,
    DatabaseError,
    DataQualityError,
    RiskmetricsError,
    SchemaError,
    UsageError,
)
from tests.commands import invoke
from tests.conftest import COMMAND, open_connection

HEAVY = {
    "pandas",
    "numpy",
    "scipy",
    "statsmodels",
    "dagster",
    "sqlalchemy",
    "pydantic",
    "exchange_calendars",
    "rich.table",
    "pyarrow",
}


def _commands(
    group: "typer.core.TyperGroup", path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command.help or ""


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.integration
def test_help_loads_nothing_heavy() -> None:
    """A package that takes a second to import is imported by the commands that need it."""
    script = "import sys; from riskmetrics.cli.main import app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    result = invoke(*path, "--help")
    assert result.exit_code == 0
    assert f"riskmetrics {' '.join(path)}" in COMMANDS[path].partition("Example: ")[2]


@pytest.mark.parametrize("path", [path for path in COMMANDS if "psql" in COMMANDS[path]])
def test_an_example_with_psql_keeps_the_embedded_server_up(path):
    """Without that the server stops with the command that prints its URL."""
    example = COMMANDS[path].partition("Example: ")[2]
    assert example.startswith("riskmetrics db start && psql ")


def test_the_version_is_that_of_the_package() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"{version('riskmetrics')}\n")


def test_every_command_is_there() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        *(
            "demo",
            "simulate",
            "run",
            "backfill",
            "catch-up",
            "report",
            "status",
            "env",
            "ui",
            "alert",
            "init",
        ),
        *("reset", "reprocess", "export", "compare", "calibrate", "explain", "doctor", "mcp"),
        *(
            f"import {kind}"
            for kind in (
                "prices",
                "portfolio",
                "transactions",
                "profiles",
                "benchmark",
                "factors",
                "scenarios",
                "events",
            )
        ),
        *("layouts check", "layouts list"),
        *(f"limits {what}" for what in ("set", "unset", "list")),
        *("portfolio add", "portfolio list", "portfolio remove", "portfolio rename"),
        "seed benchmark",
        *("symbols rename", "symbols refetch"),
        *(f"prices {what}" for what in ("list", "accept", "split", "undo")),
        *(
            f"show {what}"
            for what in (
                "betas",
                "rate-betas",
                "volatility",
                "sectors",
                "snapshot",
                "undefined",
                "quality",
                "rejected",
                "track-record",
                "figures",
                "correlations",
            )
        ),
        *(
            f"ai {what}"
            for what in ("generate", "preview", "ask", "budget", "verify", "rate", "dismiss")
        ),
        *(f"ai templates {what}" for what in ("list", "show", "diff", "activate")),
        *(
            f"show {what}"
            for what in (
                "figures",
                "risk",
                "contributions",
                "factors",
                "liquidity",
                "limits",
                "stress",
                "scenarios",
                "options",
                "insights",
                "model",
            )
        ),
        *(
            f"db {what}"
            for what in (
                "start",
                "stop",
                "status",
                "upgrade",
                "downgrade",
                "current",
                "history",
                "heads",
                "stamp",
                "verify",
                "url",
                "setting",
                "sql",
            )
        ),
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RiskmetricsError, 1),
        (UsageError, 2),
        (DataQualityError, 3),
        (ConfigurationError, 6),
        (DatabaseError, 6),
        (SchemaError, 6),
    ],
)
def test_exit_codes_are_those_of_the_errors(error: type[RiskmetricsError], code: int) -> None:
    assert error.exit_code == code


@pytest.mark.integration
def test_an_error_is_one_sentence_and_its_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "import", "prices", "nowhere.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("riskmetrics: ")
    assert "nowhere.csv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.integration
def test_an_unreachable_database_is_reported_without_its_password(tmp_path: Path) -> None:
    environment = {
        "RISKMETRICS_DATABASE_URL": "postgresql://someone:hidden-word@127.0.0.1:1/none",
        "PATH": "/usr/bin",
    }
    done = subprocess.run(
        [COMMAND, "status"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6
    assert "cannot connect to the database" in done.stderr
    assert "hidden-word" not in done.stdout + done.stderr


def test_a_file_without_a_good_row_changes_nothing_and_exits_3(
    call, tmp_path: Path, database: str
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("symbol,date,close\nAAPL,2022-12-28,-1\nAAPL,2022-12-26,100\n")
    result = call("import", "prices", str(file))
    assert isinstance(result.exception, DataQualityError)
    assert "no valid row" in str(result.exception)
    with open_connection(database) as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM rejected_rows")) == 0


def test_importing_a_file_again_changes_no_row_and_keeps_one_rejection(
    call, tmp_path: Path, database: str
) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("symbol,date,close\nAAPL,2022-12-28,126.04\nAAPL,2022-12-26,100\n")
    first, second = call("import", "prices", str(file)), call("import", "prices", str(file))
    assert "1 row written, 0 unchanged" in first.stdout
    assert "0 rows written, 1 unchanged" in second.stdout
    assert "the exchange is closed" in first.stderr
    with open_connection(database) as connection:
        rows = connection.execute(
            sa.text("SELECT kind, source, line, raw_row FROM rejected_rows")
        ).all()
    assert [tuple(row) for row in rows] == [("prices", str(file), 3, "AAPL,2022-12-26,100")]


def test_empty_answers_exit_1_and_say_what_to_do(call) -> None:
    for arguments in (
        ("show", "betas"),
        ("show", "snapshot", "--date", "2022-12-28"),
        ("portfolio", "list"),
        ("report",),
    ):
        result = call(*arguments)
        assert result.exit_code == 1
        assert "riskmetrics " in result.stderr


def test_a_renamed_portfolio_keeps_its_holdings(call, tmp_path: Path) -> None:
    for name, symbol in (("Mine", "AAPL"), ("Other", "MSFT")):
        assert call("portfolio", "add", name, f"{symbol}=10").exit_code == 0
    assert call("portfolio", "rename", "Mine", "Growth").exit_code == 0
    rows = json.loads(call("portfolio", "list", "--json").stdout)
    assert [(row["portfolio"], row["open_lots"]) for row in rows] == [("Growth", 1), ("Other", 1)]
    assert isinstance(call("portfolio", "rename", "Other", "Growth").exception, UsageError)
    assert call("portfolio", "rename", "Growth", "Growth").exit_code == 0


def test_a_portfolio_is_removed_from_lists_and_keeps_its_rows(
    call, tmp_path: Path, database: str
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol,quantity\nAAPL,10\n")
    assert call("import", "portfolio", str(file), "--name", "Mine").exit_code == 0
    assert json.loads(call("portfolio", "list", "--json").stdout)[0]["open_lots"] == 1
    unasked = call("portfolio", "remove", "Mine", input="y\n")
    assert isinstance(unasked.exception, UsageError)
    assert (unasked.exit_code, "pass --yes" in unasked.stderr) == (2, True)
    assert len(json.loads(call("portfolio", "list", "--json").stdout)) == 1
    assert call("portfolio", "remove", "Mine", "--yes").exit_code == 0
    assert json.loads(call("portfolio", "list", "--json").stdout) == []
    assert call("portfolio", "remove", "Mine", "--yes").exit_code == 2
    with open_connection(database) as connection:
        assert (
            connection.scalar(sa.text("SELECT count(*) FROM positions WHERE deleted_at IS NULL"))
            == 1
        )


def test_sql_reads_and_cannot_write(call) -> None:
    assert json.loads(
        call("db", "sql", "SELECT 1 AS one, NULL AS none, 'ü%' AS text", "--format", "json").stdout
    ) == [{"one": 1, "none": None, "text": "ü%"}]
    infinite = call(
        "db",
        "sql",
        "SELECT 'Infinity'::float8 AS a, '-Infinity'::numeric AS b, 'NaN'::float8 AS c",
        "--format",
        "json",
    )
    assert json.loads(infinite.stdout) == [{"a": "inf", "b": "-Infinity", "c": None}]
    assert (
        call(
            "db", "sql", "SELECT 1.50::numeric AS a, DATE '2022-12-28' AS b", "--format", "csv"
        ).stdout
        == "a,b\n1.50,2022-12-28\n"
    )
    escaped = call("db", "sql", "SELECT 1; UPDATE database_settings SET value = 'x' RETURNING name")
    assert escaped.exit_code == 1
    assert "multiple commands" in escaped.stderr
    refused = call("db", "sql", "DELETE FROM positions")
    assert refused.exit_code == 1
    assert "Only one query is run: SELECT, VALUES, TABLE or WITH" in refused.stderr


def test_sql_warns_of_a_superuser(call, server, database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("db", "sql", "SELECT 1 AS a").stderr == ""
    name = sa.make_url(database).database
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", server.database_url(name, SUPERUSER))
    result = call("db", "sql", "SELECT 1 AS a")
    assert result.exit_code == 0
    assert (
        "warning: the role of RISKMETRICS_DATABASE_URL is a superuser, and queries run with its"
        " privileges." in result.stderr
    )


def test_the_schema_can_be_downgraded_and_upgraded(call) -> None:
    assert json.loads(call("db", "current", "--json").stdout) == {
        "revision": migrate.head(),
        "head": migrate.head(),
    }
    assert "the schema is as this version expects" in call("db", "verify").stdout
    assert "h1i2j3k4l5m6" in call("db", "downgrade", "h1i2j3k4l5m6", "--yes").stdout
    assert call("db", "verify").exit_code == 6
    assert migrate.head() in call("db", "upgrade").stdout
    assert call("db", "heads").stdout.strip() == migrate.head()
    assert call("db", "history").stdout.count("\n") == len(migrate.history())


def test_the_market_index_is_kept_with_the_database(call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("db", "setting", "market_index").stdout == "SPY\n"
    assert call("db", "setting", "market_index", "spx").stdout == "SPX\n"
    assert call("db", "setting", "rate_index", "IEF").stdout == "IEF\n"
    assert json.loads(call("status", "--json").stdout)["market_index"] == "SPX"
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", "IVV")
    assert json.loads(call("status", "--json").stdout)["market_index"] == "IVV"
    assert isinstance(call("db", "setting", "color", "red").exception, UsageError)


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("market_index", "SPX", "no price of SPX (is it SPY?) is stored"),
        ("benchmark", "NOPE", "no sector weights of NOPE are stored"),
        ("market_index", "SPY", ""),
    ],
)
def test_a_setting_that_names_nothing_stored_is_noted_at_once(
    call, engine: sa.Engine, name: str, value: str, note: str
) -> None:
    with engine.begin() as connection:
        day = trading_calendar.last_completed_session()
        row = {"symbol": "SPY", "date": day, "close": 400.0, "data_source": "file"}
        connection.execute(sa.insert(tables.market_data_cache).values(row))
    result = call("db", "setting", name, value)
    assert (result.exit_code, result.stdout) == (0, f"{value}\n")
    assert note in result.stderr
    assert bool(result.stderr) == bool(note)


def test_the_environment_for_dagster_holds_no_secret(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "RISKMETRICS_DATABASE_URL", "postgresql://someone:hidden-word@127.0.0.1:1/none"
    )
    assert "hidden-word" not in call("env").stdout
    assert "export DAGSTER_HOME=" in call("env").stdout


def test_the_demo_does_not_touch_a_database_with_other_portfolios(call, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol,quantity\nAAPL,10\n")
    assert call("import", "portfolio", str(file), "--name", "Mine").exit_code == 0
    result = call("demo")
    assert isinstance(result.exception, UsageError)
    assert "Mine" in str(result.exception)
    assert [row["portfolio"] for row in json.loads(call("portfolio", "list", "--json").stdout)] == [
        "Mine"
    ]


def test_a_row_that_cannot_be_read_does_not_sell_what_it_is_about(call, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("symbol,quantity\nAAPL,10\nJPM,5\nKO,7\n")
    assert (
        call("import", "portfolio", str(file), "--name", "Mine", "--as-of", "2022-12-01").exit_code
        == 0
    )
    file.write_text("symbol,quantity\nAAPL,10\njpm,1x0\n")
    result = call("import", "portfolio", str(file), "--name", "Mine", "--as-of", "2022-12-28")
    assert result.exit_code == 4  # a row was rejected
    assert "0 lots opened, 1 closed, 0 corrected, 1 unchanged" in result.stdout
    assert "closed on 2022-12-28: KO" in result.stderr
    assert "because one of their rows was rejected: JPM" in result.stderr
    assert json.loads(call("portfolio", "list", "--json").stdout)[0]["open_lots"] == 2
