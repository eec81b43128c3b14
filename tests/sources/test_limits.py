"""Files that would fill the memory are refused before they do, at limits that settings raise."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from riskmetrics import settings
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.size_limits import Limits
from riskmetrics.sources import brokers, files, raw_files, tabular_files
from riskmetrics.sources.scenarios import read_scenarios
from tests.commands import invoke
from tests.forked_commands import PATIENCE
from tests.sources import bombs

pytestmark = pytest.mark.together(20)

HEADER = "symbol,date,close"

READ_ALL = """
import json, os, re, sys
from pathlib import Path
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources import brokers, files

for name, path in json.loads(sys.argv[1]):
    if os.fork() == 0:  # each reader starts with the memory of the imports alone
        try:
            getattr(brokers if name == "read_holdings" else files, name)(Path(path))
            said = "read"
        except (DataQualityError, UsageError) as error:
            said = str(error)
        peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
        print(json.dumps([name, path, said, peak]), flush=True)
        os._exit(0)
    os.wait()
"""
"""Peak memory is read from /proc: ru_maxrss of a child is at least that of its parent."""


READERS = ("read_prices", "read_profiles", "read_holdings")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, int]]:
    """What each reader said of each bomb, and its largest memory in KB."""
    folder = tmp_path_factory.mktemp("bombs")
    paths = {bomb.__name__: str(bomb(folder)) for bomb in bombs.ALL}
    asked = [(reader, path) for path in paths.values() for reader in READERS]
    command = [sys.executable, "-c", READ_ALL, json.dumps(asked)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    shutil.rmtree(folder)
    assert done.stderr == ""
    named = {path: name for name, path in paths.items()}
    found = map(json.loads, done.stdout.splitlines())
    return {(named[path], reader): (said, peak) for reader, path, said, peak in found}


ROWS, SIZE, LINE, TOO_MANY, BAD = (
    f"raise RISKMETRICS_MAX_{name}$"
    for name in (
        "(ROWS|HOLDINGS)",
        "(FILE_MB|HOLDINGS)",
        "LINE_KB",
        "(SYMBOLS|REJECTED_ROWS|HOLDINGS)",
        "(REJECTED_ROWS|HOLDINGS)",
    )
)
REFUSALS = {
    "gzip_bomb": ROWS,
    "gzip_of_blanks": LINE,
    "gzip_of_parquet": SIZE,
    "one_line": LINE,
    "million_columns": LINE,
    "short_names": "or raise RISKMETRICS_MAX_COLUMNS$|has no (column quantity|known column)",
    "tiny_symbols": TOO_MANY,
    "tiny_dates": TOO_MANY,
    "bad_rows": BAD,
    "torn_rows": BAD,
    "blank_lines": ROWS,
    "another_table": f"has no (column (symbol|date)|known column of symbols)|{ROWS}",
    "sparse": LINE,
    "equal_rows": ROWS,
    "long_cells": SIZE,
    "wide_cells": SIZE,
    "growing_cells": SIZE,
    "nested_cells": "has lists or records in the column symbol. Write one value per cell$",
    "parquet_columns": "has thousands of columns$",
    "device": "is a device or a socket, not a file",
}
"""What the sentence says: a limit, with the setting that raises it, or why it is no table."""
PRICE_BOMBS = {"gzip_bomb", "tiny_symbols", "tiny_dates", "bad_rows"}
OTHER_KIND = "is a table of prices, not a table of profiles: .* Use `riskmetrics import prices`$"


@pytest.mark.integration
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("bomb", [bomb.__name__ for bomb in bombs.ALL])
def test_a_bomb_is_refused_in_a_sentence_and_half_a_gigabyte(answers, bomb, reader):
    said, peak = answers[bomb, reader]
    assert re.match(r"\S*/(bombs\d+/[a-z.]+|dev/zero) (has|is|cannot)", said), said
    is_other_kind = reader == "read_profiles" and bomb in PRICE_BOMBS
    assert re.search(OTHER_KIND if is_other_kind else REFUSALS[bomb], said), said
    assert len(said) < 1500
    assert peak < 500 * 1024


def prices(n_rows: int, symbol: str = "X") -> str:
    """Rows of different sessions, each 20 bytes long."""
    days = pd.bdate_range("2022-01-03", periods=400).difference(
        pd.DatetimeIndex(settings_holidays())
    )
    return "".join(f"{symbol},{day:%Y-%m-%d},1.00\n" for day in days[:n_rows])


def settings_holidays() -> list[str]:
    """Weekdays of 2022 on which the exchange was closed."""
    return [
        "2022-01-17", "2022-02-21", "2022-04-15", "2022-05-30", "2022-06-20",
        "2022-07-04", "2022-09-05", "2022-11-24", "2022-12-26",
    ]  # fmt: skip


def refused(text: str | bytes, setting: str, limits: Limits, path: Path) -> bool:
    """Whether a file of prices is refused, in which case the setting must be named."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        files.read_prices(path, limits)
    except DataQualityError as error:
        said = str(error)
    else:
        return False
    assert setting in said
    return True


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_bytes_and_rows_may_be_exactly_as_many_as_the_limit(tmp_path, pack):
    text = f"{HEADER}\n{prices(100)}"
    packed, path = pack(text.encode()), tmp_path / "file.csv"
    size = len(text)
    assert not refused(packed, "", Limits(file_bytes=size, rows=100), path)
    assert refused(packed, "RISKMETRICS_MAX_FILE_MB", Limits(file_bytes=size - 1), path)
    assert refused(packed, "RISKMETRICS_MAX_ROWS", Limits(rows=99), path)
    assert not refused(pack(text.encode().removesuffix(b"\n")), "", Limits(rows=100), path)
    assert refused(
        pack(text.encode().removesuffix(b"\n")), "RISKMETRICS_MAX_ROWS", Limits(rows=99), path
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_line_may_be_exactly_as_long_as_the_limit(tmp_path, end, place):
    """Also one that goes on over the pieces in which the file is read."""
    lines = [f"{HEADER},remark", *(f"{row},a" for row in prices(20).splitlines())]
    at = {"first": 0, "middle": 10, "last": 20}[place]
    lines[at] += "x" * (1000 - len(lines[at]))
    text, path = end.join(lines), tmp_path / "file.csv"
    assert not refused(text, "", Limits(line_bytes=1000), path)
    assert refused(text, "RISKMETRICS_MAX_LINE_KB", Limits(line_bytes=999), path)
    assert refused(text, "RISKMETRICS_MAX_LINE_KB", Limits(line_bytes=300), path)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "byte order mark"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_large_file_has_the_same_limits_before_it_is_read(tmp_path, monkeypatch, pack, mark):
    """Its header, blank lines before that, and a quoted line end count for nothing."""
    monkeypatch.setattr(tabular_files, "PRESCAN_MIN_BYTES", 0)
    monkeypatch.setattr(files, "RowValidator", lambda _: pytest.fail("it was read"))
    path = tmp_path / "file.csv"
    text = f'{mark}\n\nsymbol,date,"no\nte",close\nA,2024-12-06,1,1\nB,2024-12-06,1,1\nC\nD\n'
    path.write_bytes(pack(text.encode()))
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_SYMBOLS"):
        files.read_prices(path, Limits(symbols=1))
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_REJECTED_ROWS"):
        files.read_prices(path, Limits(rejected_rows=1))
    monkeypatch.undo()
    monkeypatch.setattr(tabular_files, "PRESCAN_MIN_BYTES", 0)
    parsed = files.read_prices(path, Limits(symbols=2, rejected_rows=2))
    assert parsed.rows["symbol"].to_list() == ["A", "B"]
    assert [row.line for row in parsed.rejected] == [7, 8]


@pytest.mark.integration
def test_many_symbols_in_a_large_file_are_found_in_little_memory(tmp_path):
    """460 MB, of which only the last part has too many symbols, are rejected before loading.

    It takes 250 MB, and took 420 to 525 MB with blocks of 16 MB, of which the reader holds several.
    """
    path = tmp_path / "file.csv"
    with path.open("wb") as file:
        file.write(f"{HEADER},remark\n".encode())
        for _ in range(450):
            file.write((b"AAPL,2024-12-06,1," + b"x" * 1005 + b"\n") * 1024)
        file.write("".join(f"S{n},2024-12-06,1,\n" for n in range(100_001)).encode())
    command = [sys.executable, "-c", READ_ALL, json.dumps([("read_prices", str(path))])]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    _, _, said, peak = json.loads(done.stdout)
    assert "RISKMETRICS_MAX_SYMBOLS" in said
    assert peak < 350 * 1024


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_symbols_dates_and_rejected_rows_may_be_exactly_as_many_as_the_limit(
    tmp_path, form
):
    path = tmp_path / "file"
    frame = pd.DataFrame(
        {
            "symbol": ["A", "B", "C", "C", "A"],
            "date": ["2024-12-06", "2024-12-06", "2024-12-06", "2024-12-05", "2024-12-04"],
            "close": ["1", "1", "1", "x", "y"],
        }
    )
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    exact = Limits(columns=3, symbols=3, rejected_rows=2, rows=5)
    assert len(files.read_prices(path, exact).rows) == 3
    for name, setting in (
        ("columns", "RISKMETRICS_MAX_COLUMNS"),
        ("symbols", "RISKMETRICS_MAX_SYMBOLS"),
        ("rejected_rows", "RISKMETRICS_MAX_REJECTED_ROWS"),
        ("rows", "RISKMETRICS_MAX_ROWS"),
    ):
        tight = exact._replace(**{name: getattr(exact, name) - 1})
        with pytest.raises(DataQualityError, match=setting):
            files.read_prices(path, tight)


def test_torn_rows_count_as_rejected(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(f"{HEADER}\nA,2024-12-06,1\nA\nB\nC,2024-12-06,x\n")
    assert len(files.read_prices(path, Limits(rejected_rows=3)).rejected) == 3
    for most in (1, 2):
        with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_REJECTED_ROWS"):
            files.read_prices(path, Limits(rejected_rows=most))


def test_holdings_have_a_limit_of_their_own(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("symbol,quantity\nA,1\nB,2\nC,3\n")
    assert len(brokers.read_portfolio(path).rows) == 3
    assert len(brokers.read_holdings(path, limits=Limits(holdings=3)).accounts) == 1
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_HOLDINGS"):
        brokers.read_holdings(path, limits=Limits(holdings=2))
    path.write_text("symbol,quantity,description\n" + f"A,1,{'x' * 2000}\n")
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_HOLDINGS"):
        brokers.read_holdings(path, limits=Limits(holdings=1))
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_COLUMNS"):
        brokers.read_holdings(path, limits=Limits(columns=2))


def test_a_file_of_holdings_is_raised_by_its_own_setting_in_every_form(tmp_path):
    """10 kB of cells, where one line of 1,024 bytes is allowed: another setting would not help."""
    table = pd.DataFrame({"symbol": ["A"], "quantity": [1], "description": ["x" * 10_000]})
    table.to_csv(tmp_path / "file.csv", index=False)
    table.to_parquet(tmp_path / "file.parquet")
    for path in tmp_path.iterdir():
        with pytest.raises(
            DataQualityError, match=r"more than .* MB.* raise RISKMETRICS_MAX_HOLDINGS"
        ):
            brokers.read_holdings(path, limits=Limits(holdings=1))
        assert len(brokers.read_holdings(path, limits=Limits(holdings=20)).accounts) == 1


def test_a_parquet_cell_may_be_exactly_as_long_as_a_line(tmp_path):
    path = tmp_path / "file.parquet"
    pd.DataFrame({"symbol": ["A"], "name": ["x" * 100]}).to_parquet(path)
    assert len(files.read_profiles(path, Limits(line_bytes=100)).rows) == 1
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_LINE_KB"):
        files.read_profiles(path, Limits(line_bytes=99))


def test_every_setting_reaches_the_reader(monkeypatch):
    names = {
        "RISKMETRICS_MAX_FILE_MB": ("file_bytes", 1 << 20),
        "RISKMETRICS_MAX_LINE_KB": ("line_bytes", 1024),
        "RISKMETRICS_MAX_ROWS": ("rows", 1),
        "RISKMETRICS_MAX_COLUMNS": ("columns", 1),
        "RISKMETRICS_MAX_SYMBOLS": ("symbols", 1),
        "RISKMETRICS_MAX_HOLDINGS": ("holdings", 1),
        "RISKMETRICS_MAX_REJECTED_ROWS": ("rejected_rows", 1),
    }
    assert settings.load().limits == Limits()
    assert {field for field, _ in names.values()} == set(Limits._fields)
    for number, name in enumerate(names, 7):
        monkeypatch.setenv(name, str(number))
    found = settings.load().limits
    for number, (field, unit) in enumerate(names.values(), 7):
        assert getattr(found, field) == number * unit


@pytest.mark.parametrize("kind", ["prices", "profiles", "benchmark", "scenarios", "portfolio"])
def test_every_import_honors_the_settings_and_exits_3(kind, tmp_path, monkeypatch):
    """No database is needed to refuse a file."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("RISKMETRICS_MAX_ROWS", "2")
    path = tmp_path / "file.csv"
    path.write_text(
        "name,market_move\n" + "crash,-0.2\n" * 3
        if kind == "scenarios"
        else "symbol,date,close,sector,weight,name,quantity\n" + "A,2024-12-06,1,Energy,1,A,1\n" * 3
    )
    result = invoke("import", kind, str(path), *(["--name", "P"] if kind == "portfolio" else []))
    assert isinstance(result.exception, DataQualityError)
    assert "RISKMETRICS_MAX_ROWS" in str(result.exception)
    assert result.exception.exit_code == 3


def test_a_pipe_is_read_and_an_idle_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_files, "_PIPE_TIMEOUT_SECONDS", 0.2)
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises((UsageError, DataQualityError), match=r"pipe\.csv"):
        files.read_prices(path)
    writer = threading.Thread(target=lambda: path.write_text(f"{HEADER}\n{prices(3)}"))
    writer.start()
    monkeypatch.setattr(raw_files, "_PIPE_TIMEOUT_SECONDS", 5.0)
    assert len(files.read_prices(path).rows) == 3
    writer.join()


def test_a_pipe_without_end_is_refused(tmp_path):
    read_end, write_end = os.pipe()

    def write() -> None:
        try:
            while True:
                os.write(write_end, b"A,2024-12-06,1\n" * 1000)
        except BrokenPipeError:
            os.close(write_end)

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_FILE_MB"):
        files.read_prices(Path(f"/dev/fd/{read_end}"), Limits(file_bytes=100_000))
    os.close(read_end)
    writer.join()


def test_a_cell_of_many_digits_is_quoted_in_part(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(
        f"{HEADER}\nA,2024-12-06,1\nB,2024-12-06,{'9' * 900_000}\nC,2024-12-06,{'9' * 900_000}x\n"
    )
    parsed = files.read_prices(path)
    assert parsed.rows["symbol"].to_list() == ["A"]
    assert [row.line for row in parsed.rejected] == [3, 4]
    assert all(len(row.reason) < 300 and len(row.raw_row) <= 2000 for row in parsed.rejected)


@pytest.mark.parametrize("filling", ["zeros", "empty members"])
def test_what_fills_up_a_gzip_file_takes_no_time(tmp_path, filling):
    """Python's own reader takes 15 s for each of them."""
    path = tmp_path / "file.csv.gz"
    table = gzip.compress(f"{HEADER}\n{prices(3)}".encode())
    path.write_bytes(table + gzip.compress(b"") * (300_000 if filling == "empty members" else 0))
    if filling == "zeros":
        os.truncate(path, 10_000_000)
    began = time.process_time()
    assert len(files.read_prices(path).rows) == 3
    assert time.process_time() - began < 10
    os.truncate(path, 8 << 40)
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_FILE_MB"):
        files.read_prices(path)


def test_a_line_that_nearly_names_an_account_again_and_again_takes_no_time(tmp_path):
    path = tmp_path / "file.csv"
    cells = ",".join([" as of x" * 15_000] * 4)
    path.write_text(f"Positions for account {cells}\nSymbol,Qty (Quantity)\nA,1\n")
    began = time.process_time()
    assert len(brokers.read_holdings(path).accounts) == 1
    assert time.process_time() - began < 5


@pytest.mark.parametrize("kept", [3, 9, 17, 40, -9, -8, -1])
def test_a_gzip_file_that_breaks_off_is_damaged(tmp_path, kept):
    path = tmp_path / "file.csv.gz"
    table = gzip.compress(f"{HEADER}\n{prices(3)}".encode())
    for packed in (table[:kept], table + table[:kept]):
        path.write_bytes(packed)
        with pytest.raises(DataQualityError, match="damaged gzip file"):
            files.read_prices(path)


def test_scenarios_are_bounded_too(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("name,market_move\nA,-0.1\nB,-0.2\n")
    assert len(read_scenarios(path, Limits(rows=2)).rows) == 2
    with pytest.raises(DataQualityError, match="RISKMETRICS_MAX_ROWS"):
        read_scenarios(path, Limits(rows=1))
