"""Files with unusual or wrong encodings: each gives an error message, never garbled rows."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import raw_files
from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.files import read_profiles
from riskmetrics.sources.scenarios import read_scenarios

PROFILES = "symbol,name\nA,{}\n"

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
"""Python's names of the encodings in which Excel, brokers and vendors write."""

WRONG = {
    "half a character at the end": PROFILES.format("x").encode() + b"B,\xe2\x82",
    "a NUL": PROFILES.format("x\0y").encode(),
    "UTF-32": PROFILES.format("x").encode("utf-32"),
    "UTF-16 cut in a character": PROFILES.format("x").encode("utf-16")[:-1],
    "a byte that Windows-1252 lacks": PROFILES.format("x").encode() + b"B,\x81\n",
    "two encodings": PROFILES.format("€").encode() + "B,Größe\n".encode("latin-1"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_is_read_in_each_encoding(tmp_path, encoding):
    path = tmp_path / "file.csv"
    path.write_bytes(PROFILES.format("Größe, née É".replace(",", "")).encode(encoding))
    assert read_profiles(path).rows["company_name"].to_list() == ["Größe née É"]


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_damaged_text_is_refused(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(DataQualityError, match="Save it as CSV UTF-8"):
        read_profiles(path)


def test_a_windows_character_after_a_megabyte_is_read(tmp_path):
    """The head of a file is plain text, and the encoding shows only later."""
    lines = "".join(f"S{number},xxxxxxxxxxxxxxxxxxxxxxxxxxx\n" for number in range(40_000))
    path = tmp_path / "file.csv"
    path.write_bytes(f"symbol,name\n{lines}B,Größe\n".encode("cp1252"))
    assert path.stat().st_size > 1 << 20
    assert read_profiles(path).rows["company_name"].iloc[-1] == "Größe"


def test_a_character_on_the_border_of_two_pieces_is_whole(tmp_path, monkeypatch):
    """Files are decoded piece by piece."""
    monkeypatch.setattr(raw_files, "_CHUNK_BYTES", 16)
    path = tmp_path / "file.csv"
    for shift in range(16):
        path.write_text(f"symbol,name\nA,{'x' * shift}€€🙂\n", encoding="utf-8")
        assert read_profiles(path).rows["company_name"].to_list() == [f"{'x' * shift}€€🙂"]
        path.write_bytes(f"symbol,name\nA,x\nB,{'x' * shift}".encode() + b"\xe2\x82\n")
        with pytest.raises(DataQualityError, match="on line 3"):
            read_profiles(path)


HOLDINGS = "symbol,quantity,account\nA,1,Größe\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_holdings_are_read_in_each_encoding_of_a_broker(tmp_path, encoding):
    path = tmp_path / "file.csv"
    path.write_bytes(HOLDINGS.encode(encoding))
    [account] = read_holdings(path).accounts
    assert account.name == "Größe"


@pytest.mark.parametrize(
    "content",
    [HOLDINGS.encode("utf-32"), b"symbol,quantity\nA,1\x1b[2J\n", b"symbol,quantity\nA,1\n\x81\n"],
)
def test_holdings_in_no_encoding_are_refused(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(DataQualityError, match=r"file\.csv (is|has)"):
        read_holdings(path)


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("kind", ["string", "binary"])
@pytest.mark.parametrize("cell", [b"\xff", b"\xed\xa0\x80", b"ok\xc3"])
def test_parquet_text_that_is_no_utf_8_is_refused(tmp_path, cell, kind, dictionary):
    """Parquet does not look at the bytes of a text."""
    lengths = pa.array([0, len(cell)], pa.int32()).buffers()[1]
    column = pa.Array.from_buffers(pa.type_for_alias(kind), 1, [None, lengths, pa.py_buffer(cell)])
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"symbol": ["A"], "name": column}), path, use_dictionary=dictionary)
    with pytest.raises(DataQualityError, match="cannot be read as a table"):
        read_profiles(path)


@pytest.mark.parametrize("cell", ["x\0y", "x\x1b[2J", "x\u202ey"])
def test_parquet_text_with_control_characters_is_rejected_by_row(tmp_path, cell):
    path = tmp_path / "file.parquet"
    pd.DataFrame({"symbol": ["A", "B"], "name": [cell, "Good"]}).to_parquet(path)
    parsed = read_profiles(path)
    assert parsed.rows["symbol"].to_list() == ["B"]
    assert [row.reason for row in parsed.rejected] == ["company_name contains a control character"]


def test_scenarios_cannot_be_named_with_control_characters(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("name,market_move,description\nA\x1b[2J,-0.1,x\nB,-0.1,x\x07\nC,-0.1,x\n")
    parsed = read_scenarios(path)
    assert parsed.rows["name"].to_list() == ["C"]
    assert {row.reason for row in parsed.rejected} == {
        "name contains a control character",
        "description contains a control character",
    }
