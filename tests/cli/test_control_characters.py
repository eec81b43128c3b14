"""Control characters in names and texts never reach a terminal, a page or an alert."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import alerts, settings
from riskmetrics.cli.output import PrintableStream
from riskmetrics.errors import UsageError
from riskmetrics.report import page
from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.files import read_profiles
from riskmetrics.text import escape_all_but_colors, escape_controls
from tests.conftest import COMMAND, open_connection
from tests.forked_commands import PATIENCE
from tests.webhook_server import serve as serve_webhook

EVIL = "A\x1b]0;owned\x07\x1b[2J\x1b[8mB\x9b31m\u202eC\rD"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture
def evil_portfolio(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Store a portfolio whose name contains terminal escapes, as other code may have done."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    with open_connection(database) as connection:
        statement = sa.text(
            "INSERT INTO portfolios (id, name, currency) VALUES (gen_random_uuid(), :name, 'USD')"
        )
        connection.execute(statement, {"name": EVIL})
    return EVIL


def in_terminal(*arguments: str) -> str:
    """Return the output of a command on a terminal."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *arguments], stdout=child, stderr=child, stdin=child
    ) as process:
        os.close(child)
        printed = b""
        try:
            while piece := os.read(parent, 65_536):
                printed += piece
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(parent)
        process.wait(PATIENCE)
    return printed.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "command", [("portfolio", "list"), ("db", "sql", "SELECT name FROM portfolios")], ids=" ".join
)
def test_a_stored_name_is_spelled_out_on_a_terminal_and_in_a_pipe(evil_portfolio, command):
    shown = in_terminal(*command)
    assert not RAW.search(re.sub("\x1b\\[[0-79;]*m", "", shown)), shown
    assert "A\\x1b]0;o" in shown
    piped = subprocess.run([COMMAND, *command], capture_output=True, text=True, check=True).stdout
    assert not RAW.search(piped)
    assert "\\x1b[2J" in piped


def test_json_and_csv_hold_no_control_character(evil_portfolio):
    query = ("db", "sql", "SELECT name FROM portfolios", "--format")
    text = subprocess.run(
        [COMMAND, *query, "json"], capture_output=True, text=True, check=True
    ).stdout
    assert not RAW.search(text)
    assert json.loads(text)[0]["name"] == EVIL
    assert not RAW.search(
        subprocess.run([COMMAND, *query, "csv"], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.integration
def test_help_keeps_its_colors_on_a_terminal():
    assert "\x1b[1m" in in_terminal("--help")


def test_an_error_that_quotes_an_argument_is_spelled_out(evil_portfolio):
    shown = in_terminal("portfolio", "remove", "X\x1b[2Jnone", "--yes")
    assert "\\x1b[2Jnone" in shown
    assert not RAW.search(re.sub("\x1b\\[[0-79;]*m", "", shown))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é € 中文\tand\nlines", "plain é € 中文\tand\nlines"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x00\x07\x0b\x0d\x7f\x85\x9b", "\\x00\\x07\\x0b\\r\\x7f\\x85\\x9b"),
        ("\u202e\u2066\u2028\u200f", "\\u202e\\u2066\\u2028\\u200f"),
        ("👩\u200d👩", "👩\u200d👩"),
    ],
)
def test_each_control_character_is_spelled_out_and_letters_stay(text, shown):
    assert escape_controls(text) == shown
    assert escape_controls("a\tb\nc", one_line=True) == "a\\tb\\nc"


@pytest.mark.parametrize("color", ["\x1b[m", "\x1b[0m", "\x1b[1;33m", "\x1b[38;5;208m"])
def test_colors_pass_and_nothing_else_that_a_terminal_obeys(color):
    assert escape_all_but_colors(f"{color}x") == f"{color}x"
    for other in ("\x1b[8m", "\x1b[1;8m", "\x1b[2J", "\x1b]0;t\x07", "\x1b[31", "\x1bc"):
        assert escape_all_but_colors(f"a{other}{color}x") == f"a{escape_controls(other)}{color}x"


def test_a_stream_that_is_no_terminal_takes_no_color(capsys):
    PrintableStream(sys.stdout).write("\x1b[1mx\n")
    assert capsys.readouterr().out == "\\x1b[1mx\n"


def test_a_page_and_an_alert_spell_it_out(monkeypatch):
    shown = (
        page._environment()
        .from_string("<p>{{ name }}</p>{{ chart | safe }}")
        .render(name=f"<{EVIL}>", chart="<svg/>")
    )
    assert not RAW.search(shown)
    assert "&lt;A\\x1b]0;owned" in shown
    assert shown.endswith("<svg/>")
    with serve_webhook() as hook:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", hook.url)
        alerts.send(settings.load(), f"of {EVIL}", f"line\n{EVIL}")
    assert not RAW.search(hook.messages[0])


@pytest.mark.parametrize("name", ["A\x1b[2J", "A\x9b", "A\u202eB", "A\x07"])
def test_a_profile_with_a_control_character_is_rejected_and_the_rest_is_stored(tmp_path, name):
    path = tmp_path / "file.csv"
    path.write_text(f"symbol,name\nA,Good €\nB,{name}\n")
    parsed = read_profiles(path)
    assert parsed.rows["company_name"].to_list() == ["Good €"]
    assert [(row.line, row.reason) for row in parsed.rejected] == [
        (3, "company_name contains a control character")
    ]


def test_a_portfolio_cannot_be_named_so(tmp_path, call):
    path = tmp_path / "file.csv"
    path.write_text("symbol,quantity\nA,1\n")
    for name in ("A\x1b[2J", "A\nB", "A\udcff", "A\u202e"):
        result = call("import", "portfolio", str(path), "--name", name, "--equity", "1")
        assert isinstance(result.exception, UsageError), result.output
        assert result.exception.exit_code == 2
        assert str(result.exception).isascii()
    table = pd.DataFrame({"symbol": ["A"], "quantity": [1], "account": ["A\x1b[2J"]})
    table.to_parquet(tmp_path / "file.parquet")
    assert len(read_holdings(tmp_path / "file.parquet").accounts) == 1
    result = call("import", "portfolio", str(tmp_path / "file.parquet"), "--equity", "1")
    assert isinstance(result.exception, UsageError)
    assert (
        call("db", "sql", "SELECT count(*) AS n FROM portfolios", "--format", "csv").stdout
        == "n\n0\n"
    )


@pytest.mark.parametrize(
    "options",
    [
        ("ask", "P", "why\x1b[2J?"),
        ("rate", "6f0e2c1a-7f43-4f7c-9a52-3f3f6a1f0b1d", "4", "--feedback", "\udcff"),
    ],
    ids=["question", "remark"],
)
def test_a_question_and_a_remark_cannot_hold_one(call, options):
    assert isinstance(call("ai", *options).exception, UsageError)


def test_a_path_is_never_a_reason_to_fail(tmp_path):
    """A file name is chosen by the user; it is escaped when it is printed."""
    path = Path(tmp_path / "a\x1b[2J.csv")
    path.write_text("symbol,name\nA,Good\n")
    assert len(read_profiles(path).rows) == 1
