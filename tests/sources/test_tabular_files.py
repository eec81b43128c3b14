"""Files as tables: lines, encodings, kinds of file, and what is said when one cannot be read."""

import csv
import gzip
import io
import json
import math
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.files import read_prices, read_profiles


def test_lines_are_counted_as_an_editor_does(file):
    """Blank lines, both line ends, a cell that spans lines, a ragged row, no final newline."""
    text = (
        'symbol,date,close,remark\r\n\r\nX,2024-12-06,1,"two\r\nlines"\r\nX,2024-12-05\n\nX,2024-12-04,0,"a'
        ' ""b""\nc"\nX,2024-12-03,-1,d'
    )
    parsed = read_prices(file(text))
    assert parsed.rows["close"].to_list() == [1]
    assert [(line, raw) for line, raw, _ in parsed.rejected] == [
        (5, "X,2024-12-05"),
        (7, 'X,2024-12-04,0,"a ""b""\nc"'),
        (9, "X,2024-12-03,-1,d"),
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["A", "=A", "", "B"]), st.text('a", \n\t=é')), min_size=1),
    st.booleans(),
)
def test_cells_and_lines_agree_with_the_csv_module(rows, final_newline):
    """Oracle: Python's own reader, on cells with quotes, commas and line ends."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("symbol", "name"), ("OK", ""), *rows])
    text = written.getvalue() if final_newline else written.getvalue().removesuffix("\n")
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(text.encode())
        file.flush()
        parsed = read_profiles(Path(file.name))
    reader, lines = csv.reader(io.StringIO(text)), {}
    before = 0
    for record in reader:
        lines[before + 1] = record
        before = reader.line_num
    assert [next(csv.reader(io.StringIO(raw))) for _, raw, _ in parsed.rejected] == [
        lines[line] for line, _, _ in parsed.rejected
    ]
    named = {}
    for symbol, name in rows:
        if symbol in ("A", "B"):
            named.setdefault(symbol, name.strip())
    ours = parsed.rows.set_index("symbol")["company_name"].drop("OK")
    assert {symbol: name or "" for symbol, name in ours.items()} == named


def test_lines_are_right_across_the_blocks_of_a_large_file(file, monkeypatch):
    monkeypatch.setattr("riskmetrics.sources.tabular_files.CSV_BLOCK_BYTES", 4096)
    days = pd.bdate_range("2024-01-02", "2024-01-12").strftime("%Y-%m-%d")
    lines = [
        "symbol,date,close",
        *(
            f"S{n},{day},{0 if n % 100 == 7 else 1}{',torn' if n % 100 == 8 else ''}"
            for n in range(1000)
            for day in days
        ),
    ]
    parsed = read_prices(file("\n".join(lines)))
    assert len(parsed.rejected) == 180
    assert all(lines[line - 1] == raw for line, raw, _ in parsed.rejected)


def test_a_byte_order_mark_and_gzip_make_no_difference(file, tmp_path):
    text = "symbol,date,close\nX,2024-12-06,1\n"
    plain = read_prices(file(text)).rows
    packed = tmp_path / "prices.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    pd.testing.assert_frame_equal(read_prices(packed).rows, plain)


@pytest.mark.parametrize(
    "kind", ["str", "datetime64[ns]", "datetime64[ns, America/New_York]", "object"]
)
def test_parquet_says_the_same_as_csv_whatever_its_dates_are(file, tmp_path, kind):
    text = "symbol,date,close,volume\nX,2024-12-06,1.1,5\nX,2024-12-07,2,6\n"
    frame = pd.read_csv(file(text))
    frame["date"] = (
        pd.to_datetime(frame["date"]).dt.date if kind == "object" else frame["date"].astype(kind)
    )
    frame.to_parquet(tmp_path / "prices.parquet")
    parsed, from_csv = read_prices(tmp_path / "prices.parquet"), read_prices(file(text))
    pd.testing.assert_frame_equal(parsed.rows, from_csv.rows)
    [(line, raw, reason)] = parsed.rejected
    assert line == 3
    assert json.loads(raw)["close"] == 2
    assert reason.startswith("the exchange is closed on 2024-12-07")


def test_missing_numbers_of_a_rejected_parquet_row_are_null_in_its_json(tmp_path):
    pd.DataFrame({"symbol": ["X", "Y"], "date": "2024-12-06", "close": [1.0, math.nan]}).to_parquet(
        tmp_path / "p.parquet"
    )
    [(_, raw, reason)] = read_prices(tmp_path / "p.parquet").rejected
    assert json.loads(raw) == {"symbol": "Y", "date": "2024-12-06", "close": None}
    assert reason == "no close"


def test_a_missing_column_is_named_with_what_was_found_and_what_is_understood(file):
    with pytest.raises(
        DataQualityError,
        match=(
            r"no column close \(accepted: close, closeprice.*Its comma-separated columns are:"
            r" symbol, date, clsoe"
        ),
    ):
        read_prices(file("symbol,date,clsoe\nX,2024-12-06,1\n"))


def test_columns_that_are_not_understood_are_named(file):
    parsed = read_prices(file("symbol,date,close,adj_close,adjclse\nX,2024-12-06,1,1,1\n"))
    assert parsed.notes == ["used columns: symbol, date, close, adj_close; unused columns: adjclse"]


def test_two_columns_of_one_name_are_refused(file):
    with pytest.raises(DataQualityError, match="2 columns named Close"):
        read_prices(file("symbol,date,Close,close\nX,2024-12-06,1,2\n"))


def test_a_file_that_is_not_there_is_a_mistake_in_the_call(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_prices(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="is a directory"):
        read_prices(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"symbol,date,close\n", "a header but no row"),
        (b",,\n,,\n", "no column date"),
        (b"symbol,date,close\n,,\n", "no valid row"),
        (
            b"symbol,date,close\nX,2024-12-06\n",
            "no valid row. Line 2: 2 cells, but the header has 3",
        ),
        (b"symbol,date,close\nX,2024-12-06,0\n", "no valid row. Line 2: close 0 is not a price"),
        (b"symbol,date,close\nX,2024-12-06,\xff\n", "close '\xff' is not a number"),
        (b"symbol,date,close\nX,2024-12-06,\xe2\x82\n", "damaged on line 2"),
        (
            b'symbol,date,close\nX,2024-12-06,"1\nX,2024-12-05,1\n',
            "unclosed quotation mark",
        ),
        (
            b'symbol,date,close\nX,2024-12-06,1"\nX,2024-12-05,1\nX,2024-12-04,1"\n',
            "quotation mark or line end inside an unquoted cell",
        ),
        (
            b"symbol,date,close\nX,2024-12-06,1\rX,2024-12-05,1\n",
            "quotation mark or line end inside an unquoted cell",
        ),
        (b"PK\x03\x04 a workbook", "Save the table as CSV"),
        (b"PAR1 but not Parquet", "cannot be read as a table"),
        (b"\x1f\x8b but not gzip", "damaged gzip"),
    ],
)
def test_a_file_without_a_good_row_is_bad_data(tmp_path, content, message):
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(DataQualityError, match=message) as caught:
        read_prices(tmp_path / "file.csv")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
