"""Typical mistakes: each is answered with one sentence that says what, where and what to do."""

import gc
import io
import os
import resource
import secrets
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from riskmetrics.cli.demo import load_sample
from riskmetrics.cli.main import main
from riskmetrics.db import migrate
from tests.conftest import COMMAND, NewDatabase, Superuser, open_connection

SECRET = "hidden-word"
FILES: dict[str, bytes] = {
    "empty.csv": b"",
    "blank.csv": b"\n\n",
    "header.csv": b"symbol,date,close\n",
    "holdings_header.csv": b"symbol,quantity\n",
    "transactions_header.csv": b"date,type,symbol,quantity,price\n",
    "no_close.csv": b"symbol,date\nAAPL,2022-12-28\n",
    "no_symbol.csv": b"name,shares\nApple,10\n",
    "no_sector.csv": b"date,weight\n2022-12-28,1\n",
    "no_return.csv": b"date\n2022-12-28\n",
    "day_first.csv": b"symbol,date,close\nAAPL,28th of Dec,100\n",
    "closed_day.csv": b"symbol,date,close\nAAPL,2022-12-26,100\n",
    "future.csv": b"symbol,date,close\nAAPL,2999-01-04,100\n",
    "negative.csv": b"symbol,date,close\nAAPL,2022-12-28,-1\n",
    "ambiguous.csv": b"symbol,quantity\nAAPL,1.200\n",
    "many_columns.csv": b",".join([b"a long name of a column"] * 40) + b"\n1\n",
    "weights.csv": b"symbol,weight\nAAPL,0.5\nMSFT,0.5\n",
    "holdings.csv": b"symbol,quantity\nAAPL,10\n",
    "trades.csv": b"date,symbol,type,quantity,price\n2022-12-01,AAPL,BUY,10,100\n",
    "report.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "picture.csv": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "photo.csv": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "page.csv": b"<!DOCTYPE html><html><head><title>Log in</title></head></html>",
    "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "binary.csv": b"symbol,\x00\x01close\n",
}


class Mistake(NamedTuple):
    """Arguments of a command, its exit code, and words of its answer."""

    arguments: str
    code: int
    words: tuple[str, ...]


def _mistake(arguments: str, code: int, *words: str) -> Mistake:
    return Mistake(arguments, code, words)


ARGUMENTS = [
    _mistake("rnu", 2, "'rnu'", "'run'", "riskmetrics --help"),
    _mistake("show bets", 2, "'bets'", "'betas'", "riskmetrics show --help"),
    _mistake("show tail", 2, "'tail'", "Did you mean 'risk'?"),
    _mistake("show drawdowns", 2, "'drawdowns'", "Did you mean 'risk'?"),
    _mistake("run --dat 2022-12-28", 2, "--dat", "--date", "riskmetrics run --help"),
    _mistake("run 2022-12-28", 2, "without an option", "Write riskmetrics run --date 2022-12-28"),
    _mistake("show betas 2022-12-28", 2, "Write riskmetrics show betas --date 2022-12-28"),
    _mistake("limits list 2022-12-28", 2, "2022-12-28", "riskmetrics limits list --help"),
    _mistake("backfill --from 2022-01-03", 2, "'--to'", "riskmetrics backfill --help"),
    _mistake("limits set", 2, "'portfolio'", "riskmetrics limits set --help"),
    _mistake("run --date 28/12/2022", 2, "28/12/2022 is not a date", "such as 2022-12-28"),
    _mistake("show betas --date 2022-02-30", 2, "2022-02-30 is not a date", "2022-12-28"),
    _mistake("prices accept AAPL yesterday", 2, "yesterday is not a date", "2022-12-28"),
    _mistake("report --format word", 2, "'word'", "'html', 'pdf'"),
    _mistake("report --history 1", 2, "--history", "greater than or equal to 2", "Leave it out"),
    _mistake("ui --port 80000", 2, "--port", "less than or equal to 65535"),
    _mistake("ai rate 5 4", 2, "insight", "UUID"),
    _mistake("import prices holdings.csv --decimal dot", 2, "--decimal dot", "point or comma"),
    _mistake("import prices holdings.csv --dates ydm", 2, "--dates ydm", "mdy, dmy, ymd"),
    _mistake("backfill --from 2022-12-28 --to 2022-12-20", 2, "reversed", "2022-12-28"),
    _mistake("compare --from 2022-12-28 --to 2022-12-20", 2, "reversed", "Exchange --from"),
    _mistake("compare --from 2022-12-28 --to 2022-12-28", 2, "are both", "earlier session"),
    _mistake("portfolio add Growth AAPL", 2, "'AAPL'", "AAPL=10"),
    _mistake("portfolio add Growth AAPL=ten", 2, "AAPL=ten", "number"),
    _mistake("reset --yes", 2, "--portfolio NAME or --all"),
    _mistake("explain Growth", 2, "a portfolio and a figure", "--list"),
    _mistake("init", 2, "without a terminal", "--source"),
    _mistake("init --source none --holdings no.csv", 2, "no.csv", "holdings file"),
    _mistake("ai ask Growth ''", 2, "1 to 500 characters"),
    _mistake("ai rate 123 5", 2, "must be a valid UUID. See", "ai rate --help"),
    _mistake("portfolio add New AAPL=10 --equity much", 2, "must be a valid number. See", "--help"),
    _mistake("report --format docx", 2, "'html', 'pdf'"),
    _mistake("rune", 2, "mean 'run'?"),
]
"""Mistakes in arguments: neither a file nor a database is read."""

IN_FILES = [
    _mistake("import prices nowhere.csv", 2, "nowhere.csv does not exist", "check the path"),
    _mistake("import portfolio nowhere.csv --name X", 2, "does not exist", "check the path"),
    _mistake("import transactions nowhere.csv --portfolio X", 2, "does not exist", "check the"),
    _mistake("import prices 'px*.csv'", 2, "no file matches px*.csv"),
    _mistake("import prices folder", 2, "folder has no file", ".csv"),
    _mistake("import portfolio folder --name X", 2, "folder is a directory", "CSV, Excel"),
    _mistake("import transactions folder --portfolio X", 2, "folder is a directory", "CSV"),
    _mistake("import profiles folder", 2, "folder is a directory", "CSV, Excel"),
    _mistake("import prices empty.csv", 3, "empty.csv is empty", "save the table again"),
    _mistake("import portfolio blank.csv --name X", 3, "blank.csv is empty"),
    _mistake("import scenarios empty.csv", 3, "empty.csv is empty", "save the table again"),
    _mistake("import prices header.csv", 3, "a header but no row", "save it again"),
    _mistake("import portfolio holdings_header.csv --name X", 3, "no row", "--allow-empty"),
    _mistake(
        "import transactions transactions_header.csv --portfolio X", 3, "no transaction", "again"
    ),
    _mistake("import prices no_close.csv", 3, "no_close.csv", "no column close", "symbol, date"),
    _mistake("import portfolio no_symbol.csv --name X", 3, "name, shares", "Symbol and Quantity"),
    _mistake("import portfolio many_columns.csv --name X", 3, "and 20 more. Name them Symbol"),
    _mistake("import benchmark no_sector.csv", 3, "no column sector", "date, weight"),
    _mistake("import factors no_return.csv", 3, "no_return.csv", "factor"),
    _mistake("import prices day_first.csv", 3, "Line 2", "28th of Dec", "YYYY-MM-DD"),
    _mistake("import prices closed_day.csv", 3, "Line 2", "the exchange is closed"),
    _mistake("import prices future.csv", 3, "Line 2", "2999-01-04"),
    _mistake("import prices negative.csv", 3, "Line 2", "-1"),
    _mistake("import portfolio ambiguous.csv --name X", 2, "1.200", "--decimal"),
    _mistake("import prices holdings.csv", 3, "a table of holdings", "import portfolio"),
    _mistake("import portfolio trades.csv --name X", 3, "type has BUY", "import transactions"),
    _mistake("import portfolio header.csv --name X", 3, "header.csv", "close"),
    _mistake("import prices report.pdf", 3, "a PDF document", "CSV or .xlsx"),
    _mistake("import prices picture.csv", 3, "a picture", "CSV or .xlsx"),
    _mistake("import portfolio photo.csv --name X", 3, "a picture", "CSV or .xlsx"),
    _mistake("import transactions page.csv --portfolio X", 3, "HTML", "Log in"),
    _mistake("import prices old.xls", 3, "an old or an encrypted workbook", "CSV or .xlsx"),
    _mistake("import prices archive.csv", 3, "a zip archive", "Unpack it"),
    _mistake("import prices binary.csv", 3, "not UTF-8 text", "Save it as CSV"),
    _mistake("import portfolio holdings.csv", 2, "holdings.csv names no account", "--name"),
    _mistake("import portfolio holdings.csv --name X --as-of 2999-01-04", 2, "in the future"),
    _mistake("import portfolio weights.csv --name X", 2, "has weights", "--value"),
    _mistake("import portfolio holdings.csv --name X --equity nan", 2, "--equity nan", "USD"),
    _mistake("layouts check folder", 2, "folder is a directory", "CSV, Excel"),
]
"""Mistakes in files; no database is needed to see them."""

IN_DATA = [
    _mistake("run --date 2999-01-04 --offline", 2, "2999-01-04", "latest completed session"),
    _mistake("run --date 2022-12-31", 2, "Saturday", "previous session is 2022-12-30"),
    _mistake("run --date 2016-01-04", 3, "no close", "up to 2016-01-04", "import earlier prices"),
    _mistake("backfill --from 2017-11-01 --to 2017-12-08", 3, "no close", "first is of 2017-12-01"),
    _mistake("backfill --from 2016-01-04 --to 2016-01-08", 3, "up to 2016-01-04", "2017-12-01"),
    _mistake("run --date 2022-12-28 --assets position_beta", 2, "mean position_betas", "choose"),
    _mistake("show betas", 1, "no results are stored yet", "riskmetrics run"),
    _mistake("show betas --date 2022-12-28", 1, "2022-12-28", "riskmetrics run --date"),
    _mistake("show betas --date 2022-12-31", 2, "Saturday", "2022-12-30"),
    _mistake("show betas --date 2999-01-04", 2, "2999-01-04", "latest completed session"),
    _mistake("show insights --date 2022-12-31", 2, "Saturday", "2022-12-30"),
    _mistake("report --date 2022-12-31", 2, "Saturday", "2022-12-30"),
    _mistake("report --date 2022-12-28", 3, "2022-12-28", "riskmetrics run --date"),
    _mistake("compare --from 2022-12-24 --to 2022-12-28", 2, "Saturday", "2022-12-23"),
    _mistake("export out --date 2022-12-28", 1, "no results", "riskmetrics status"),
    _mistake("show quality --date 2022-12-31", 2, "Saturday", "2022-12-30"),
    _mistake("show betas --portfolio core-equity", 2, "mean Core Equity?", "portfolio list"),
    _mistake("show track-record --portfolio Nobody", 2, "portfolio Nobody:", "portfolio list"),
    _mistake("show insights --portfolio core", 2, "no portfolio core", "portfolio list"),
    _mistake("explain Concentrate hhi", 2, "mean Concentrated?", "portfolio list"),
    _mistake("report --portfolio concentrated", 2, "mean Concentrated?", "portfolio list"),
    _mistake(
        "compare --from 2022-12-27 --to 2022-12-28 --portfolio LongShort", 2, "mean Long-Short?"
    ),
    _mistake("reset --portfolio Concentrate --yes", 2, "mean Concentrated?", "portfolio list"),
    _mistake("portfolio remove Concentrate", 2, "mean Concentrated?", "portfolio list"),
    _mistake("limits set Concentrate single_name 10%", 2, "mean Concentrated?"),
    _mistake("ai ask Concentrate 'What drives the risk?'", 2, "mean Concentrated?"),
    _mistake("ai generate --portfolio Concentrate", 2, "mean Concentrated?"),
    _mistake("explain Concentrated hhii", 2, "mean hhi?", "--list"),
    _mistake("explain Concentrated beta", 2, "several tables", "position_market_betas.beta"),
    _mistake("limits set Concentrated single_nam 10%", 2, "mean single_name?", "leverage"),
    _mistake("limits set Concentrated single_name many", 2, "many", "25%"),
    _mistake("portfolio add Concentrated AAPL=1", 2, "already", "import portfolio FILE"),
    _mistake("portfolio rename Concentrate Bold", 2, "mean Concentrated?", "portfolio list"),
    _mistake("portfolio rename Concentrated Long-Short", 2, "already", "another name"),
    _mistake("limits set Concentrated value_at_risk 1", 2, "1 is 100%", "1%"),
    _mistake("limits set Concentrated single_name -5%", 2, "-5%", "positive"),
    _mistake("limits unset Concentrated beta", 1, "no limit on beta", "limits list"),
    _mistake("show track-record --kind vol", 2, "vol", "volatility, value_at_risk or beta"),
    _mistake("symbols rename JPM MSFT", 3, "different returns", "refetch MSFT"),
    _mistake("symbols rename APPL META", 2, "APPL", "check the symbol"),
    _mistake("prices accept NOPE 2022-12-14", 3, "no price of NOPE", "prices list"),
    _mistake("prices split AAPL 2022-12-14 four", 2, "four", "4:1"),
    _mistake("ai templates show nothing", 1, "nothing", "ai templates list"),
    _mistake("db setting color red", 2, "color", "market_index"),
    _mistake("db sql 'SELECT * FROM nothing'", 1, "nothing", "List tables and views with SELECT"),
    _mistake("db sql 'SELECT * FROM portfolio'", 1, "(did you mean portfolios?)"),
    _mistake("db sql 'DELETE FROM positions'", 1, "SELECT"),
    _mistake("db downgrade nothing --yes", 6, "nothing", "nothing was changed"),
    _mistake("db start", 2, "RISKMETRICS_DATABASE_URL", "unset it"),
    _mistake("seed benchmark", 6, "FMP_API_KEY is not set", "import benchmark FILE"),
    _mistake("symbols refetch AAPL", 6, "no data source", "RISKMETRICS_SOURCE"),
    _mistake("alert", 6, "no alert channel", "RISKMETRICS_ALERT_WEBHOOK"),
    _mistake("report --out /dev/null/report.html --date 2022-12-28", 3, "2022-12-28"),
    _mistake("export holdings.csv --date 2022-12-28", 2, "holdings.csv names a file", "directory"),
    _mistake("export results.xlsx", 2, "results.xlsx names a file", "directory"),
    _mistake("report --out page.pdf", 2, "page.pdf would be HTML", "--format pdf"),
    _mistake("report --out page.html --format pdf", 2, "would be PDF", "--format html"),
    _mistake("init --source bloomberg --holdings holdings.csv", 6, "bloomberg", "yahoo"),
    _mistake("init --source fmp --holdings holdings.csv", 2, "FMP_API_KEY", "--key"),
]
"""Mistakes about what is stored: the sample without results."""


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[int, str]]:
    """Return a function that calls a command in this process: its exit code and its sentence."""
    import shlex

    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "archive.csv", "w") as archive:
        archive.writestr("prices.csv", "symbol,date,close\n")

    def answer(arguments: str) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["riskmetrics", *shlex.split(arguments)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdin", io.StringIO())
            with pytest.raises(SystemExit) as ending:
                main()
        gc.enable()  # `main` leaves it to the command
        assert out.getvalue() == ""
        return int(str(ending.value.code)), require_sentence(err.getvalue())

    return answer


def require_sentence(text: str) -> str:
    """Return the only line of an answer, which has neither a traceback nor a secret."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("riskmetrics: "), text
    assert "Traceback" not in text
    assert SECRET not in text
    return lines[0]


def require(said: tuple[int, str], mistake: Mistake) -> None:
    code, sentence = said
    assert [word for word in mistake.words if word not in sentence] == [], sentence
    assert code == mistake.code, sentence


@pytest.fixture(scope="module")
def stored_sample(create_database: NewDatabase, template: str) -> str:
    """Return the URL of a database with the sample; no mistake changes it."""
    url = create_database(template)
    with open_connection(url) as connection:
        load_sample(connection)
    return url


@pytest.mark.parametrize("mistake", ARGUMENTS + IN_FILES, ids=lambda one: one.arguments)
def test_a_mistake_in_arguments_or_a_file_is_one_sentence(answer, mistake: Mistake) -> None:
    require(answer(mistake.arguments), mistake)


@pytest.mark.parametrize("mistake", IN_DATA, ids=lambda one: one.arguments)
def test_a_mistake_about_the_data_is_one_sentence(
    answer, stored_sample: str, monkeypatch: pytest.MonkeyPatch, mistake: Mistake
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", stored_sample)
    require(answer(mistake.arguments), mistake)


SETTINGS = [
    ("RISKMETRICS_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:1/x", "refused", "URL"),
    ("RISKMETRICS_DATABASE_URL", f"me:{SECRET}@here", "cannot be read", "postgresql://USER"),
    ("RISKMETRICS_DATABASE_URL", f"mysql://me:{SECRET}@here/x", "postgresql://", "not mysql"),
    ("RISKMETRICS_HOME", "/proc/nothing", "/proc/nothing", "choose another RISKMETRICS_HOME"),
    ("RISKMETRICS_HOME", "/dev/null", "/dev/null", "choose another RISKMETRICS_HOME"),
    ("RISKMETRICS_NIGHTLY", "perhaps", "RISKMETRICS_NIGHTLY", "boolean"),
    ("RISKMETRICS_SOURCE", "bloomberg", "bloomberg", "Known sources: fmp"),
    ("RISKMETRICS_SOURCE", "fmp", "FMP_API_KEY is not set", "FMP"),
    ("FMP_API_KEY", f"{SECRET} x", "FMP_API_KEY", "without spaces"),
    ("RISKMETRICS_ALERT_EMAIL", "me at home", "RISKMETRICS_ALERT_EMAIL", "Comma-separated e-mail"),
    ("RISKMETRICS_AI_TYPES", "summary", "RISKMETRICS_AI_TYPES", "Comma-separated types"),
    ("RISKMETRICS_DASK_SCHEDULER", "localhost", "RISKMETRICS_DASK_SCHEDULER", "tcp://HOST:PORT"),
]


@pytest.mark.parametrize(("name", "value", "what", "advice"), SETTINGS)
def test_a_wrong_setting_is_one_sentence_without_its_secret(
    answer,
    stored_sample: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    what: str,
    advice: str,
) -> None:
    if name != "RISKMETRICS_HOME":  # where the embedded server would be
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", stored_sample)
    monkeypatch.setenv(name, value)
    command = "symbols refetch AAPL" if name == "RISKMETRICS_SOURCE" else "run"
    require(answer(command), Mistake(command, 6, (what, advice)))


@pytest.mark.parametrize("command", ["run", "run --date 2022-12-28", "catch-up --offline"])
@pytest.mark.parametrize(("index", "advice"), [("SPXX", "=SPX"), ("VTI", "=SYMBOL")])
def test_a_market_index_without_closes_is_refused_before_a_run_starts(
    answer,
    stored_sample: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    index: str,
    advice: str,
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", stored_sample)
    monkeypatch.setenv("RISKMETRICS_MARKET_INDEX", index)
    words = (
        f"market index {index} is stored",
        "import prices",
        f"RISKMETRICS_MARKET_INDEX{advice}",
    )
    require(answer(command), Mistake(command, 3, words))


@pytest.mark.parametrize("command", ["status", "run --date 2022-12-28 --offline"])
def test_a_source_that_nobody_knows_is_refused_by_commands_that_do_not_use_it(
    answer, stored_sample: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", stored_sample)
    monkeypatch.setenv("RISKMETRICS_SOURCE", "yaho")
    words = ("RISKMETRICS_SOURCE names yaho", "Known sources: fmp")
    require(answer(command), Mistake(command, 6, words))


@pytest.fixture
def login(superuser: Superuser, fast_folder: Path) -> Iterator[str]:
    """Return the name of a role that must give its password."""
    name = f"mistaken_{secrets.token_hex(4)}"
    (path,) = fast_folder.glob("server/**/pg_hba.conf")
    rules = path.read_text()
    superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'".encode())
    path.write_text(f"local all {name} scram-sha-256\n{rules}")
    superuser.execute("SELECT pg_reload_conf()")
    yield name
    path.write_text(rules)
    superuser.execute("SELECT pg_reload_conf()")
    superuser.execute(f"DROP ROLE {name}".encode())


def test_a_wrong_password_is_one_sentence(
    answer, login: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sa.make_url(database).set(username=login, password=SECRET)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url.render_as_string(hide_password=False))
    words = ("password authentication failed", login, "Check RISKMETRICS_DATABASE_URL")
    require(answer("status"), Mistake("status", 6, words))


def test_a_newer_schema_is_one_sentence(
    answer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    with open_connection(database) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'z9'"))
    require(answer("status"), Mistake("status", 6, ("z9", migrate.head(), "upgrade riskmetrics")))


def test_an_old_schema_that_the_role_may_not_change_is_one_sentence(
    answer, empty_database: str, server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = sa.make_url(empty_database).database
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", server.database_url(name, "riskmetrics_reader"))
    require(answer("status"), Mistake("status", 6, ("riskmetrics db upgrade", "owner")))


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("command", ["ui", "report --serve", "mcp --http"])
def test_a_port_that_is_taken_is_one_sentence(
    answer, stored_sample: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", stored_sample)
    with taken_port() as port:
        said = answer(f"{command} --port {port}")
    require(said, Mistake(command, 2, (f"127.0.0.1:{port}: Address already in use", "--port")))


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_settings_is_one_sentence(answer) -> None:
    with limited_file_size(0):
        said = answer("init --source none")
    require(said, Mistake("init", 6, (".env: File too large", "Run init in a directory")))


@pytest.mark.integration
def test_a_full_disk_behind_stdout_is_one_sentence(stored_sample: str, tmp_path: Path) -> None:
    environment = os.environ | {"RISKMETRICS_DATABASE_URL": stored_sample}
    command = [COMMAND, "show", "scenarios"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    words = ("No space left on device", "Free disk space")
    require((done.returncode, require_sentence(done.stderr)), Mistake("show", 1, words))


@pytest.mark.integration
def test_a_full_disk_of_the_database_is_one_sentence(
    answer, database: str, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that needs more temporary space than its role may use."""
    name = sa.make_url(database).database
    superuser.execute(f"ALTER DATABASE {name} SET temp_file_limit = '1MB'".encode())
    superuser.execute(f"ALTER DATABASE {name} SET work_mem = '64kB'".encode())
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    query = "SELECT count(*) FROM (SELECT i FROM generate_series(1, 999999) i ORDER BY -i) x"
    code, sentence = answer(f"db sql '{query}'")
    assert code == 1
    assert "temp_file_limit" in sentence
