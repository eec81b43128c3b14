"""Output of commands in encodings other than UTF-8, and file names that are not UTF-8."""

import io
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from riskmetrics.cli import report
from riskmetrics.cli.main import main
from riskmetrics.errors import UsageError
from tests.conftest import COMMAND, open_connection

LATIN = os.fsdecode(b"caf\xe9.csv")
QUERY = "SELECT 'Café 5 € →' AS name"
PRICES = "symbol,date,close\nSPY,2022-12-27,380\nSPY,2022-12-28,378\n,2022-12-28,1\n"


class Said(NamedTuple):
    """Exit code of a command, and the bytes it printed."""

    code: int
    out: bytes
    err: bytes


@pytest.fixture
def say(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Call the command line in this process with streams in an encoding."""

    def say(encoding: str, *arguments: str) -> Said:
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
        out, err = (
            io.TextIOWrapper(io.BytesIO(), encoding, errors)
            for errors in ("strict", "backslashreplace")
        )
        monkeypatch.setattr(sys, "argv", ["riskmetrics", *arguments])
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
        finally:
            monkeypatch.undo()
        for stream in (out, err):
            stream.flush()
        return Said(code, out.buffer.getvalue(), err.buffer.getvalue())

    return say


@pytest.mark.parametrize(
    ("encoding", "row"),
    [
        ("utf-8", "Café 5 € →"),
        ("ascii", "Café 5 € →"),
        ("latin-1", "Café 5 ? ?"),
        ("cp1252", "Café 5 € ?"),
    ],
)
def test_missing_characters_print_as_question_marks_and_ascii_becomes_utf8(
    say, encoding: str, row: str
) -> None:
    said = say(encoding, "db", "sql", QUERY)
    assert said.code == 0
    assert row in said.out.decode("utf-8" if encoding == "ascii" else encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_json_has_every_character_in_every_encoding(say, encoding: str) -> None:
    said = say(encoding, "db", "sql", QUERY, "--format", "json")
    assert (said.code, json.loads(said.out)) == (0, [{"name": "Café 5 € →"}])


def test_csv_is_never_printed_with_replacements(say) -> None:
    assert say("latin-1", "db", "sql", "SELECT 'Café' AS name", "--format", "csv") == (
        0,
        b"name\nCaf\xe9\n",
        b"",
    )
    said = say("latin-1", "db", "sql", QUERY, "--format", "csv")
    assert (said.code, said.out) == (6, b"")
    assert (
        said.err == b"riskmetrics: cannot print '\\u20ac' in latin-1, the encoding of stdout: set"
        b" PYTHONIOENCODING=utf-8\n"
    )
    assert say("ascii", "db", "sql", QUERY, "--format", "csv").out.decode() == "name\nCafé 5 € →\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", b"caf\xe9.csv"), ("ascii", b"caf\xe9.csv"), ("latin-1", b"caf?.csv")],
)
def test_a_file_whose_name_is_not_utf8_is_imported_and_named(
    say, tmp_path: Path, database: str, encoding: str, shown: bytes
) -> None:
    (tmp_path / LATIN).write_text(PRICES)
    said = say(encoding, "import", "prices", str(tmp_path / LATIN))
    assert (said.code, said.out) == (
        4,
        os.fsencode(tmp_path) + b"/" + shown + b": 2 rows written, 0 unchanged\n",
    )
    with open_connection(database) as connection:
        assert connection.execute(sa.text("SELECT source FROM rejected_rows")).scalar_one() == str(
            tmp_path / "caf?.csv"
        )


@pytest.mark.parametrize("command", ["profiles", "benchmark", "scenarios", "portfolio"])
def test_a_missing_file_whose_name_is_not_utf8_is_named_in_one_sentence(say, command: str) -> None:
    for encoding, shown in (("utf-8", b"caf\xe9.csv"), ("latin-1", b"caf?.csv")):
        assert say(encoding, "import", command, LATIN) == (
            2,
            b"",
            b"riskmetrics: " + shown + b" does not exist: check the path\n",
        )


def test_a_name_that_is_too_long_for_a_file_is_refused_in_one_sentence(call) -> None:
    for arguments in (
        ("import", "prices", "x" * 256),
        ("import", "portfolio", "x" * 256, "--name", "A"),
    ):
        error = call(*arguments).exception
        assert isinstance(error, UsageError)
        assert str(error).endswith("cannot be opened: File name too long")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "betas", "--portfolio", LATIN),
        ("db", "sql", f"SELECT '{LATIN}'"),
        ("db", "upgrade", LATIN),
    ],
)
def test_an_argument_that_is_not_utf8_is_refused_in_one_sentence(
    say, arguments: tuple[str, ...]
) -> None:
    said = say("utf-8", *arguments)
    assert said.code in (1, 2, 6)
    assert said.err.count(b"\n") == 1
    assert b"Traceback" not in said.err


def test_a_password_that_is_not_utf8_is_not_shown(
    say, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    url = f"postgresql://someone:hidden-{LATIN}@127.0.0.1:1/none"
    done = subprocess.run(
        [COMMAND, "status"],
        env={**os.environ, "RISKMETRICS_DATABASE_URL": url},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (2, 6)
    assert done.stderr.count(b"\n") == 1
    assert b"hidden" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=["PYTHONIOENCODING=ascii", "LC_ALL=C", "latin-1"],
)
def test_the_installed_command_prints_a_table_in_any_locale(
    database: str, environment: dict[str, str]
) -> None:
    query = "SELECT chr(8364) || ' ' || chr(8594) AS name, NULL AS missing"
    settings = {**os.environ, **environment, "RISKMETRICS_DATABASE_URL": database}
    done = subprocess.run(
        [COMMAND, "db", "sql", query], env=settings, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("€ →".encode() if "latin-1" not in environment.values() else b"? ?") in done.stdout


PAGE = "<p>σ</p>" * 1000
"""9 kB: more than the size limit in the test of a full disk."""


def test_a_report_that_does_not_fit_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("earlier")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            report.write_file(out, PAGE.encode())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (out.read_text(), list(tmp_path.iterdir())) == ("earlier", [out])
    report.write_file(out, PAGE.encode())
    assert out.read_text() == PAGE


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_a_report_has_the_mode_that_the_umask_says_or_that_of_the_file_it_replaces(
    tmp_path: Path, umask: int
) -> None:
    out = tmp_path / ("x" * 250 + ".html")
    before = os.umask(umask)
    try:
        report.write_file(out, PAGE.encode())
        assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~umask
        out.chmod(0o640)
        report.write_file(out, PAGE.encode())
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640


def test_a_report_goes_through_links_and_to_devices(tmp_path: Path) -> None:
    (tmp_path / "real.html").touch()
    (tmp_path / "link.html").symlink_to("real.html")
    report.write_file(tmp_path / "link.html", PAGE.encode())
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text() == PAGE
    report.write_file(Path("/dev/null"), PAGE.encode())
    assert Path("/dev/null").is_char_device()


AWKWARD = [
    "spa ce",
    "grüße",
    "a%20b",
    "what?",
    "a#b",
    "a'b\"c",
    "a\nb",
    "x" * 200,
    os.fsdecode(b"caf\xe9"),
]


@pytest.mark.parametrize("name", AWKWARD)
def test_files_with_awkward_names_in_such_folders_are_imported(
    say, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    file = tmp_path / name / f"{name}.csv"
    file.write_text(PRICES)
    said = say("utf-8", "import", "prices", str(file))
    assert (said.code, said.out) == (4, os.fsencode(file) + b": 2 rows written, 0 unchanged\n")
