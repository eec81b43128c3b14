"""A sheet is read one way for every kind of file: separators, workbooks, titles and notations."""

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.size_limits import Limits
from riskmetrics.sources import files, workbooks
from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.event_files import read_events
from riskmetrics.sources.files import read_benchmark, read_prices, read_profiles
from riskmetrics.sources.row_validation import Notation
from riskmetrics.sources.scenarios import read_scenarios
from riskmetrics.sources.transaction_files import read_transactions
from tests.sources.small_workbooks import write_workbook

HEADER = ["symbol", "date", "close", "volume"]
ROWS = [["QQA", date(2024, 12, 5), 41.125, 1200], ["QQA", date(2024, 12, 6), 40.5, 1500]]


def _text(separator: str, decimal: str = ".") -> str:
    rows = [HEADER, *([str(cell).replace(".", decimal) for cell in row] for row in ROWS)]
    return "".join(separator.join(row) + "\n" for row in rows)


def _is_expected(parsed: files.ParseResult) -> bool:
    return parsed.rows[["symbol", "date", "close", "volume"]].to_numpy().tolist() == ROWS


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_every_separator_is_read_in_every_encoding(tmp_path, separator, encoding):
    path = tmp_path / "file.csv"
    path.write_bytes(_text(separator).encode(encoding))
    assert _is_expected(read_prices(path))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_decimal_comma_is_inferred_from_the_numbers(file, separator):
    assert _is_expected(read_prices(file(_text(separator, ","))))


@pytest.mark.parametrize(
    ("text", "read", "column", "expected"),
    [
        ("symbol;beta\nQQA;1,25\n", read_profiles, "beta", 1.25),
        (
            "date;sector;weight;market cap\n2024-12-06;Energy;99,5;1,2B\n",
            read_benchmark,
            "market_cap",
            1.2e9,
        ),
        ("name;market move\nx;-0,25\n", read_scenarios, "market_move", -0.25),
    ],
)
def test_profiles_weights_and_scenarios_are_read_the_same_way(file, text, read, column, expected):
    assert read(file(text)).rows[column].to_list() == [expected]


def test_a_workbook_gives_what_the_table_as_csv_gives(tmp_path, file):
    """Numbers, dates and lines: 41.125 is a number in a workbook, and no grouped 41,125."""
    rows = [HEADER, *ROWS, [], ["QQA", date(2024, 12, 7), 1.0, True]]
    write_workbook(tmp_path / "p.xlsx", {"Prices": rows})
    parsed = read_prices(tmp_path / "p.xlsx")
    assert _is_expected(parsed)
    [(line, raw, reason)] = parsed.rejected
    assert (line, raw) == (5, "QQA,2024-12-07,1,TRUE")
    assert reason.startswith("the exchange is closed on 2024-12-07")
    plain = read_prices(file(_text(",")))
    pd.testing.assert_frame_equal(parsed.rows, plain.rows)


def test_holdings_profiles_weights_and_scenarios_are_read_from_a_workbook(tmp_path):
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"H": [["My holdings"], [], ["Ticker", "Shares"], ["QQA", 1.125]]})
    found = read_holdings(path)
    assert found.accounts[0].holdings.rows["quantity"].to_list() == [1.125]
    assert found.file_format.startswith("Excel")
    write_workbook(path, {"P": [["symbol", "beta"], ["QQA", 1.125]]})
    assert read_profiles(path).rows["beta"].to_list() == [1.125]
    write_workbook(path, {"B": [["date", "sector", "weight"], [date(2024, 12, 6), "Energy", 1.0]]})
    assert read_benchmark(path).rows["date"].to_list() == [date(2024, 12, 6)]
    write_workbook(path, {"S": [["name", "market_move"], ["x", -0.125]]})
    assert read_scenarios(path).rows["market_move"].to_list() == [-0.125]


def test_the_sheet_with_the_table_of_the_reader_is_read(tmp_path):
    path = tmp_path / "book.xlsx"
    sheets = {
        "Watchlist": [["Symbol", "Price", "Date"], ["QQX", 3.0, date(2024, 12, 6)]],
        "Holdings": [["Symbol", "Quantity"], ["QQA", 10]],
        "Sold": [
            ["Symbol", "Quantity", "Date acquired", "Date sold", "Proceeds", "Cost basis"],
            ["QQX", 5, date(2024, 1, 3), date(2024, 3, 4), 60, 50],
        ],
        "Companies": [["Symbol", "Company name", "Sector"], ["QQA", "Acme", "Energy"]],
        "Weights": [["Date", "Sector", "Weight"], [date(2024, 12, 6), "Energy", 100]],
        "Reports": [["Symbol", "Date", "Known on"], ["QQA", date(2024, 12, 6), date(2024, 11, 1)]],
        "Crashes": [["name", "market_move"], ["Crash", -0.5]],
        "Trades": [
            ["Date", "Symbol", "Action", "Quantity", "Price"],
            [date(2024, 12, 6), "QQB", "Buy", 5, 44],
        ],
    }
    write_workbook(path, sheets)
    assert read_holdings(path).accounts[0].holdings.rows["quantity"].tolist() == [10]
    assert read_profiles(path).rows["company_name"].tolist() == ["Acme"]
    assert read_benchmark(path).rows["sector"].tolist() == ["Energy"]
    assert read_events(path).rows["known_on"].tolist() == [date(2024, 11, 1)]
    assert read_scenarios(path).rows["market_move"].tolist() == [-0.5]
    assert [one.symbol for one in read_transactions(path).transactions] == ["QQB"]


def test_a_sheet_of_sold_positions_is_not_read_before_one_of_unknown_kind(tmp_path):
    path = tmp_path / "etoro.xlsx"
    sold = ["Action", "Amount", "Units", "Open Date", "Close Date", "Open Rate", "Close Rate"]
    activity = ["Date", "Type", "Details", "Amount", "Units", "Realized Equity Change"]
    sheets = {
        "Closed Positions": [
            [*sold, "ISIN"],
            ["QQX", 500, 2.5, "03/01/2024", "04/03/2024", 200, 220, "US0378331005"],
        ],
        "Account Activity": [
            activity,
            ["13/12/2024 10:00:00", "Open Position", "QQA/USD", 440, 1, 0],
            ["01/12/2024 09:00:00", "Deposit", None, 1000, None, 1000],
        ],
    }
    write_workbook(path, sheets)
    found = read_transactions(path)
    assert [(one.symbol, float(one.amount)) for one in found.transactions] == [
        (None, 1000),
        ("QQA", -440),
    ]
    assert found.notes[-1] == "sheet Account Activity (not read: Closed Positions)"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Closed positions", ["Symbol", "Quantity", "Value"]),
        ("Orders", ["Symbol", "Quantity", "Limit price", "Status"]),
        ("Targets", ["Symbol", "Target weight"]),
        ("Watchlist", ["Symbol", "Quantity", "Price"]),
    ],
)
def test_a_sheet_named_for_what_is_not_held_is_not_read_before_the_holdings(tmp_path, name, header):
    path = tmp_path / "book.xlsx"
    other = [header, ["QQX", 100, 100, "Open"][: len(header)]]
    holdings = [["Symbol", "Quantity", "Value"], ["QQA", 5, 50]]
    write_workbook(path, {name: other, "Mine": holdings})
    found = read_holdings(path)
    assert found.accounts[0].holdings.rows["symbol"].to_list() == ["QQA"]
    assert f"not read: {name}" in found.file_format


def test_the_only_sheet_with_weights_is_read_whatever_its_name(tmp_path):
    path = tmp_path / "book.xlsx"
    targets = [["Symbol", "Target weight"], ["QQA", 100]]
    write_workbook(path, {"Prices": [HEADER, *ROWS], "Targets": targets})
    assert read_holdings(path).accounts[0].holdings.rows["symbol"].to_list() == ["QQA"]


def test_the_first_visible_sheet_with_cells_is_read(tmp_path):
    path = tmp_path / "w.xlsx"
    sheets = {"Secret": [["x"]], "Empty": [], "Prices": [HEADER, *ROWS], "Later": [["y"]]}
    write_workbook(path, sheets, hidden="Secret")
    assert _is_expected(read_prices(path))
    write_workbook(path, {"Empty": []})
    with pytest.raises(DataQualityError, match="without a visible cell"):
        read_prices(path)


def test_a_zip_archive_and_a_damaged_workbook_are_refused(tmp_path):
    path = tmp_path / "w.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("prices.csv", "symbol,date,close\n")
    with pytest.raises(DataQualityError, match="is a zip archive, not a workbook"):
        read_prices(path)
    write_workbook(path, {"P": [HEADER, *ROWS]})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataQualityError, match="damaged workbook"):
        read_prices(path)


def test_a_workbook_beyond_a_limit_is_refused_before_it_is_held_in_memory(tmp_path, monkeypatch):
    """The last cell of a sheet spans 17 billion cells; the reader would allocate all of them."""
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS]})
    assert _is_expected(read_prices(path, Limits(rows=2)))
    with pytest.raises(DataQualityError, match="3 rows and 4 columns, more than the limits"):
        read_prices(path, Limits(rows=1))
    with pytest.raises(DataQualityError, match="more than the limits"):
        read_prices(path, Limits(columns=3))
    monkeypatch.setattr(workbooks, "_MAX_CELLS", 12)
    assert _is_expected(read_prices(path))
    monkeypatch.setattr(workbooks, "_MAX_CELLS", 11)
    with pytest.raises(DataQualityError, match="more than the limits"):
        read_prices(path)
    _rewrite(path, lambda name, part: (name, part.replace(b'r="D3"', b'r="XFD1048576"')))
    monkeypatch.undo()
    with pytest.raises(DataQualityError, match="1,048,576 rows and 16,384 columns"):
        read_prices(path)


def _without_references(part: bytes) -> bytes:
    return re.sub(rb' r="[A-Z]*[0-9]+"', b"", part)


@pytest.mark.parametrize(
    "change",
    [
        lambda name, part: (name, part.replace(b'"', b"'")),
        lambda name, part: (name, _without_references(part)),
        lambda name, part: (name, re.sub(rb'r="([A-Z])', lambda r: r[0].lower(), part)),
        lambda name, part: (name, re.sub(rb"<(/?)(row|c|sheetData)\b", rb"<\1s:\2", part)),
        lambda name, part: (
            name.replace("worksheets/", ""),
            part.replace(b"worksheets/", b"") if name.endswith(".rels") else part,
        ),
    ],
    ids=["quotes", "no references", "lower case", "prefix", "folder"],
)
def test_the_extent_does_not_depend_on_how_a_sheet_is_written(tmp_path, change):
    """Whatever the reader takes for a cell counts, so that no spelling evades the limits."""
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS]})
    _rewrite(path, change)
    assert len(read_prices(path, Limits(rows=2)).rows) == 2
    with pytest.raises(DataQualityError, match="3 rows and 4 columns, more than the limits"):
        read_prices(path, Limits(rows=1))


def test_the_cells_of_all_sheets_count_together(tmp_path, monkeypatch):
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS], "Q": [HEADER, *ROWS]})
    monkeypatch.setattr(workbooks, "_MAX_CELLS", 24)
    assert _is_expected(read_prices(path))
    monkeypatch.setattr(workbooks, "_MAX_CELLS", 23)
    with pytest.raises(DataQualityError, match="24 cells, more than the limits"):
        read_prices(path)


def test_a_sheet_that_is_not_xml_is_damaged(tmp_path):
    """The reader of cells forgives what the check of their extent cannot parse."""
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS]})
    _rewrite(path, lambda name, part: (name, part.replace(b"<sheetData>", b"<sheetData a>")))
    with pytest.raises(DataQualityError, match="damaged workbook"):
        read_prices(path)
    write_workbook(path, {"P": [HEADER, *ROWS]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG\r\n\x1a\n<c>")
    assert _is_expected(read_prices(path))


def _rewrite(path: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> None:
    """Change names and contents of the parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = [change(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts:
            archive.writestr(name, part)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_with_a_wrong_byte_anywhere_is_read_or_refused(tmp_path, compression):
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    whole, n_refused = path.read_bytes(), 0
    places = range(0, len(whole), 7)
    for place in places:
        damaged = bytes([*whole[:place], whole[place] ^ 0xFF, *whole[place + 1 :]])
        try:
            workbooks.workbook_to_csv(path, damaged, Limits())
        except DataQualityError:
            n_refused += 1
    assert n_refused > len(places) / 2


def test_a_workbook_that_expands_beyond_the_limit_of_a_file_is_refused(tmp_path):
    path = tmp_path / "w.xlsx"
    write_workbook(path, {"P": [HEADER, *ROWS, ["x" * 5_000_000]]})
    assert path.stat().st_size < 100_000
    with pytest.raises(DataQualityError, match="5 MB decompressed"):
        read_prices(path, Limits(file_bytes=4_000_000))


def test_lines_above_the_header_and_repeated_headers_are_noted_and_footers_rejected(file):
    text = (
        'Prices of a day; exported\n"one\ntwo"\n\nsymbol;date;close\nQQA;2024-12-05;2.5\n'
        "symbol;date;close\nQQB;2024-12-05;3.5\nEnd of the export\n"
    )
    parsed = read_prices(file(text))
    assert parsed.rows["symbol"].to_list() == ["QQA", "QQB"]
    assert parsed.notes[:2] == [
        "lines 1 to 3 are above the header and not read",
        "repeated headers are not read: 1",
    ]
    assert parsed.rejected == [(9, "End of the export", "1 cells, but the header has 3")]


def test_a_header_is_found_up_to_a_limit_of_lines(file):
    table = "symbol,date,close\nQQA,2024-12-05,2.5\n"
    assert len(read_prices(file("title\n" * 39 + table)).rows) == 1
    with pytest.raises(DataQualityError, match="no column date"):
        read_prices(file("title\n" * 40 + table))


@pytest.mark.parametrize(
    ("text", "closes", "volumes"),
    [
        ('QQA,2024-12-05,41.125,"1,500"', [41.125], [1500]),
        ('QQA,2024-12-05,"1,250.5","1,500"', [1250.5], [1500]),
        ('QQA,2024-12-05,"41,5","1.500"', [41.5], [1500]),
        ("QQA,2024-12-05,1.295,1.981.209", [1295], [1981209]),
        ("QQA,2024-12-05,41.125,1500", [41.125], [1500]),
        ("QQA,2024-12-05,41.125,2.01M", [41.125], [2_010_000]),
        ("QQA,2024-12-05,41.125,980.45k", [41.125], [980_450]),
        ("QQA,2024-12-05,41.125,-", [41.125], [None]),
        ("QQA,2024-12-05,$41.5,1500", [41.5], [1500]),
    ],
)
def test_notations_of_a_comma_separated_file(file, text, closes, volumes):
    rows = read_prices(file(f"symbol,date,close,volume\n{text}\n")).rows
    assert rows["close"].to_list() == closes
    assert rows["volume"].astype(object).where(rows["volume"].notna(), None).to_list() == volumes


@pytest.mark.parametrize(
    "text",
    [
        'symbol,date,close\nQQA,2024-12-05,"171,125"\n',
        "symbol,date,close\nQQA,2024-12-04,1\nQQA,2024-12-05,171.125\n",
        "symbol;date;close\nQQA;2024-12-05;171,125\n",
        "symbol;date;close\nQQA;2024-12-05;171.125\n",
        "symbol\tdate\tclose\nQQA\t2024-12-05\t171.125\n",
    ],
)
def test_a_price_that_can_be_read_two_ways_is_refused_until_the_mark_is_specified(file, text):
    path = file(text)
    with pytest.raises(UsageError, match=r"171.125 can be 171125 or 171\.125|171\.125 can be"):
        read_prices(path)
    closes = {
        mark: read_prices(path, notation=Notation(mark)).rows["close"].to_list()[-1:]
        for mark in (".", ",")
    }
    assert sorted(closes.values()) == [[171.125], [171125.0]]


def test_prices_with_both_marks_are_refused_where_one_of_them_can_be_read_two_ways(file):
    header = "symbol,date,close\nQQA,2024-12-04,2.5\n"
    parsed = read_prices(file(header + 'QQA,2024-12-05,"2,25"\n'))
    assert [row.reason for row in parsed.rejected] == ["close '2,25' is not a number"]
    with pytest.raises(UsageError, match=r"decimal point \(2\.5\) and with a decimal comma"):
        read_prices(file(header + 'QQA,2024-12-05,"2,25"\nQQA,2024-12-06,"2,250"\n'))


@pytest.mark.parametrize(("order", "month"), [("mdy", 12), ("dmy", 6)])
def test_the_order_of_ambiguous_dates_can_be_specified(file, order, month):
    path = file("symbol,date,close\nQQA,12/06/2024,2.5\n")
    with pytest.raises(DataQualityError, match="pass --dates mdy or --dates dmy"):
        read_prices(path)
    [day] = read_prices(path, notation=Notation(date_order=order)).rows["date"]
    assert day == date(2024, month, 18 - month)


@pytest.mark.parametrize(("quantity", "expected"), [("1,500", 1500), ("1,500.5", 1500.5)])
def test_a_quoted_quantity_of_a_comma_separated_file_has_thousands(file, quantity, expected):
    [account] = read_holdings(file(f'symbol,quantity\nQQA,"{quantity}"\n')).accounts
    assert account.holdings.rows["quantity"].to_list() == [expected]


@pytest.mark.parametrize(
    "text", ["symbol,quantity\nQQA,1.500\n", 'symbol,quantity,cost price\nQQA,5,"1,500"\n']
)
def test_other_ambiguous_numbers_of_holdings_are_refused(file, text):
    with pytest.raises(UsageError, match="Pass --decimal point or --decimal comma"):
        read_holdings(file(text))


def test_each_command_reads_the_sheet_of_its_kind(tmp_path):
    path = tmp_path / "book.xlsx"
    positions = [["Symbol", "Quantity", "Value"], ["QQA", 6, 60]]
    trades = [["Date", "Action", "Symbol", "Quantity", "Price"]]
    trades += [[date(2024, 12, 2), "Buy", "QQA", 10, 9], [date(2024, 12, 6), "Sell", "QQA", 4, 9]]
    prices = [["Date", "Symbol", "Close"], [date(2024, 12, 2), "QQA", 9.5]]
    for sheets in ({"Held": positions, "Trades": trades}, {"Trades": trades, "Held": positions}):
        write_workbook(path, {**sheets, "Prices": prices})
        assert read_prices(path).rows["close"].tolist() == [9.5]
        assert read_holdings(path).accounts[0].holdings.rows["quantity"].tolist() == [6]
        found = read_transactions(path)
        assert [float(one.quantity) for one in found.transactions] == [10, 4]
        assert found.notes[-1] == "sheet Trades (not read: Held, Prices)"


def test_profiles_with_the_headers_of_yahoo(tmp_path):
    path = tmp_path / "profiles.csv"
    text = "symbol,longName,quoteType,sector\nQQA,Some Co,EQUITY,Technology\nQQB,Some ETF,ETF,\n"
    path.write_text(text)
    rows = read_profiles(path).rows
    assert rows["company_name"].tolist() == ["Some Co", "Some ETF"]
    assert rows["is_etf"].tolist() == [False, True]
