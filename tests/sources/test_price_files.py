"""Files of prices as vendors write them, with invented symbols and numbers."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.price_files import read_prices, reject_repeated_rows
from riskmetrics.sources.price_layouts import load_price_layouts
from riskmetrics.sources.price_tables import symbol_of_file
from riskmetrics.sources.table_headers import header_key

DAYS = [date(2024, 12, 4), date(2024, 12, 5), date(2024, 12, 6)]


def _read(tmp_path, text, name="file.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_prices(path, **options)


def _closes(parsed, column="close"):
    """Return prices by symbol, in the order of the days."""
    rows = parsed.rows.sort_values("date")
    return {symbol: own[column].to_list() for symbol, own in rows.groupby("symbol")}


YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n"
NAMED = {
    "Yahoo": ("QQA.csv", YAHOO + "2024-12-05,40,42,39,41,40.5,1200\n"),
    "Yahoo's page": (
        "QQA.csv",
        YAHOO
        + 'Date,0.25 Dividend\n"Dec 5, 2024",40,42,39,41,40.5,"1,200"\n'
        + '"Dec 4, 2024",0.25 Dividend,,,,,\n"Dec 4, 2024","2:1 Stock Splits",,,,,\n',
    ),
    "Stooq": ("qqa_us_d.csv", "Date,Open,High,Low,Close,Volume\n2024-12-05,40,42,39,41,1200\n"),
    "Stooq bulk": (
        "qqa.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "QQA.US,D,20241205,000000,40,42,39,41,1200,0\n",
    ),
    "Nasdaq": (
        "QQA.csv",
        "Date,Close/Last,Volume,Open,High,Low\n12/05/2024,$41.00,1200,$40.00,$42.00,$39.00\n"
        "11/29/2024,N/A,,,,\n",
    ),
    "EODHD": (
        "QQA.US.csv",
        "Date,Open,High,Low,Close,Adjusted_close,Volume\n2024-12-05,40,42,39,41,40.5,1200\n",
    ),
    "investing.com": (
        "QQA Historical Data.csv",
        '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"12/05/2024","41.00","40.00","42.00","39.00","1.20K","0.1%"\n"11/29/2024","","","","","",""\n',
    ),
    "investing.com in German": (
        "QQA.csv",
        '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"\n'
        '"05.12.2024","41,00","40,00","42,00","39,00","1,20K","0,1%"\n',
    ),
    "Boursorama": (
        "QQA.csv",
        "date;ouverture;+haut;+bas;clôture;volume;devise\n05/12/2024;40;42;39;41;1200;USD\n"
        "29/11/2024;;;;;;USD\n",
    ),
    "Alpha Vantage": (
        "daily_adjusted_QQA.csv",
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n"
        "2024-12-05,40,42,39,41,40.5,1200,0.0000,1.0\n",
    ),
    "Polygon": (
        "day.csv",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "QQA,1200,40,41,42,39,1733374800000000000,9\n",
    ),
    "Sharadar": (
        "SEP.csv",
        "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated\n"
        "QQA,2024-12-05,40,42,39,41,1200,40.5,82,2024-12-06\n",
    ),
    "Quandl": (
        "WIKI.csv",
        "ticker,date,open,high,low,close,volume,ex-dividend,split_ratio,adj_open,adj_close\n"
        "QQA,2024-12-05,40,42,39,41,1200,0.1,1,39,40.5\n",
    ),
    "CRSP": (
        "crsp.csv",
        "PERMNO,date,TICKER,BIDLO,ASKHI,PRC,VOL,OPENPRC,CFACPR,CFACSHR\n"
        "1,20241205,QQA,78,84,-82,600,80,2,2\n",
    ),
    "Portuguese": (
        "QQA.csv",
        "Data;Abertura;Máxima;Mínima;Fechamento;Volume\n05/12/2024;40,0;42,0;39,0;41,0;1200\n"
        "29/11/2024;;;;;\n",
    ),
    "Dutch": (
        "QQA.csv",
        "Datum;Open;Hoog;Laag;Slotkoers;Volume\n5 december 2024;40,0;42,0;39,0;41,0;1.200\n",
    ),
}


@pytest.mark.parametrize("vendor", NAMED)
def test_the_layout_of_a_vendor_is_read(tmp_path, vendor):
    name, text = NAMED[vendor]
    parsed = _read(tmp_path, text, name)
    [row] = parsed.rows.to_dict("records")
    assert (row["symbol"], row["date"]) == ("QQA", DAYS[1])
    assert [row[name] for name in ("open", "high", "low", "close")] == [40, 42, 39, 41]
    assert row["volume"] == 1200
    assert row["adj_close"] == (40.5 if row["has_adj_close"] else 41)
    assert {row.reason for row in parsed.rejected} <= {"no close"}


def test_rows_of_dividends_and_splits_are_noted_and_not_rejected(tmp_path):
    parsed = _read(tmp_path, *reversed(NAMED["Yahoo's page"]))
    assert parsed.rejected == []
    assert "rows of dividends and splits are not read: 3" in parsed.notes


@pytest.mark.parametrize("vendor", load_price_layouts().vendors, ids=lambda one: one.name)
def test_the_headers_of_a_vendor_are_columns_that_are_read_or_named_as_left_out(vendor):
    known = {key for keys in load_price_layouts().columns.values() for key in keys}
    described = header_key(vendor.left_out)
    assert vendor.download
    assert all(key in known or key in described for key in vendor.headers), vendor.headers - known


def test_the_how_to_has_every_vendor_as_the_layouts_describe_it():
    page = (Path(__file__).parents[2] / "docs/how-to/prices.md").read_text(encoding="utf-8")
    for vendor in load_price_layouts().vendors:
        row = f"| {vendor.name} | {vendor.download} | {vendor.columns} | {vendor.left_out} |"
        assert row in page


def test_two_lines_of_headers_are_read_in_both_orders(tmp_path):
    """As yfinance writes one or several symbols, grouped by price or by symbol."""
    by_price = (
        "Price,Adj Close,Adj Close,Close,Close,Volume,Volume\n"
        "Ticker,QQA,QQB,QQA,QQB,QQA,QQB\nDate,,,,,,\n"
        "2024-12-05 00:00:00+00:00,40.5,,41,,1200,\n2024-12-06,40,8.5,40.5,9,1100,70\n"
    )
    parsed = _read(tmp_path, by_price)
    assert _closes(parsed) == {"QQA": [41, 40.5], "QQB": [9]}
    assert _closes(parsed, "adj_close") == {"QQA": [40.5, 40], "QQB": [8.5]}
    assert "empty cells of symbols are not read: 1" in parsed.notes
    assert parsed.rejected == []
    by_symbol = (
        "Ticker,QQA,QQA,QQB,QQB\nPrice,Open,Close,Open,Close\nDate,,,,\n"
        "2024-12-05,40,41,8,9\n2024-12-06,41,40.5,9,9.5\n"
    )
    parsed = _read(tmp_path, by_symbol)
    assert _closes(parsed) == {"QQA": [41, 40.5], "QQB": [9, 9.5]}
    assert _closes(parsed, "open") == {"QQA": [40, 41], "QQB": [8, 9]}
    assert any("yfinance closes without Adj Close" in note for note in parsed.notes)


@pytest.mark.parametrize(
    ("header", "symbols"),
    [
        ("Date,QQA,BRK.B,^QQI", ["BRK-B", "QQA", "^QQI"]),
        ("date,QQA_Close,QQB Close,Close_QQC", ["QQA", "QQB", "QQC"]),
        (",QQA,QQB,QQC", ["QQA", "QQB", "QQC"]),
    ],
)
def test_a_wide_table_has_columns_of_symbols(tmp_path, header, symbols):
    parsed = _read(
        tmp_path, f"{header}\n2024-12-05,41,9,70\n2024-12-07,42,8,71\n2024-12-06,40,,72\n"
    )
    assert sorted(_closes(parsed)) == symbols
    assert parsed.rows["close"].to_list() == [41, 40, 9, 70, 72]
    assert [(row.line, row.raw_row[:10]) for row in parsed.rejected] == [(3, "2024-12-07")] * 3


def test_a_wide_table_is_read_from_parquet(tmp_path):
    pd.DataFrame(
        {"Date": pd.to_datetime(DAYS), "QQA": [40.0, np.nan, 42], "QQB": [8, 9, 7]}
    ).to_parquet(tmp_path / "wide.parquet")
    parsed = read_prices(tmp_path / "wide.parquet")
    assert _closes(parsed) == {"QQA": [40, 42], "QQB": [8, 9, 7]}


@pytest.mark.parametrize(
    "header",
    ["Date,Type,Amount", "DATE,TYPE,AMOUNT", "Date,QQA,Weight", "Date,QQA,qqb", "Date,QQA,QQA"],
)
def test_a_table_with_other_columns_is_no_wide_table(tmp_path, header):
    reasons = "no column|columns that are no symbols|is a list of transactions"
    with pytest.raises(DataQualityError, match=reasons):
        _read(tmp_path, f"{header}\n2024-12-05,41,9\n")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0.6,0.4", "0.5,0.5"], "rows that sum to 1: they are weights"),
        (["60.0,40.05"], "rows that sum to 100: they are weights"),
        (["60.0,40.2"], None),
        (["0.6,0.4", "0.5,0.6"], None),
        (["0.01,0.02", "0.01,-0.02"], "negative numbers"),
    ],
)
def test_a_wide_table_of_weights_or_returns_is_refused(tmp_path, rows, message):
    text = "Date,QQA,QQB\n" + "".join(
        f"{day},{row}\n" for day, row in zip(DAYS, rows, strict=False)
    )
    if message is None:
        assert len(_read(tmp_path, text).rows) == 2 * len(rows)
    else:
        with pytest.raises(DataQualityError, match=message):
            _read(tmp_path, text)


@pytest.mark.parametrize("header", ["Close (EUR)", "Close €", "Schlusskurs in EUR"])
def test_a_header_in_another_currency_is_refused(tmp_path, header):
    with pytest.raises(DataQualityError, match=r"prices in EUR in the column .*: only USD"):
        _read(tmp_path, f"Symbol,Date,{header}\nQQA,2024-12-05,41\n")


@pytest.mark.parametrize("header", ["Close (USD)", "Close $", "Schlusskurs in USD"])
def test_a_header_in_dollars_is_read(tmp_path, header):
    assert len(_read(tmp_path, f"Symbol,Date,{header}\nQQA,2024-12-05,41\n").rows) == 1


@pytest.mark.parametrize("header", ["Whg.", "Munt", "Monnaie", "Xyzzy"])
def test_a_column_of_currencies_is_read_whatever_its_header(tmp_path, header):
    text = f"Symbol,Date,Close,{header}\nQQA,2024-12-05,5,USD\nQQB,2024-12-05,5,GBp\n"
    found = _read(tmp_path, text)
    assert found.rows["symbol"].to_list() == ["QQA"]
    assert [row.reason for row in found.rejected] == ["currency GBp: only USD is supported"]


@pytest.mark.parametrize(
    ("header", "cell", "message"),
    [
        (
            "Quantity",
            "5",
            "is a table of holdings, not a table of prices: columns Symbol, Quantity",
        ),
        ("Action", "Sell", "is a list of transactions, .*: column Action has Sell"),
        ("Operazione", "ACQUISTO", "is a list of transactions, .*: column Operazione has ACQUISTO"),
        ("Action", "5", "has a column Action: it is a list of holdings or transactions"),
        ("Commission", "1.00", "is a list of transactions, .*: column Commission"),
    ],
)
def test_a_list_of_transactions_is_no_list_of_prices(tmp_path, header, cell, message):
    with pytest.raises(DataQualityError, match=message):
        _read(tmp_path, f"Symbol,Date,{header},Price\nQQA,2024-12-05,{cell},41\n")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("QQA.csv", "QQA"),
        ("BRK.B.csv", "BRK-B"),
        ("BRK-B.csv.gz", "BRK-B"),
        ("^GSPC.csv", "^GSPC"),
        ("QQA (1).csv", "QQA"),
        ("QQA Historical Data.csv", "QQA"),
        ("qqa_us_d.csv", "QQA"),
        ("qqa.csv", None),
        ("prices.csv", None),
        ("PRICES.CSV", None),
        ("HistoricalData_1733.csv", None),
        ("Apple Stock Price History.csv", None),
    ],
)
def test_the_symbol_is_the_name_of_the_file_only_where_it_is_written_as_one(tmp_path, name, symbol):
    assert symbol_of_file(tmp_path / name) == symbol


def test_a_symbol_is_specified_for_a_file_without_and_refused_for_one_with_symbols(tmp_path):
    text = "Date,Close\n2024-12-05,41\n"
    assert _closes(_read(tmp_path, text, symbol="brk.b")) == {"BRK-B": [41]}
    with pytest.raises(UsageError, match="Pass --symbol"):
        _read(tmp_path, text)
    for other in ("symbol,date,close\nQQA,2024-12-05,41\n", "Date,QQA\n2024-12-05,41\n"):
        with pytest.raises(UsageError, match="omit --symbol"):
            _read(tmp_path, other, symbol="QQB")


SPLIT = "symbol,date,open,high,low,close,volume{names}\n"


def _split_text(closes, splits, adjusted=None, name="splitFactor"):
    """Return a file of three days, of which the others follow from the closes."""
    names = f",{name}" + (",adjClose" if adjusted else "")
    rows = [
        f"QQA,{day},{close},{close},{close},{close},100,{split}" + (f",{adj}" if adjusted else "")
        for day, close, split, adj in zip(DAYS, closes, splits, adjusted or closes, strict=True)
    ]
    return SPLIT.format(names=names) + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "name", ["splitFactor", "split_coefficient", "Split Ratio", "Stock Splits"]
)
@pytest.mark.parametrize("written", [4, "4:1", "4/1", "4 for 1", "4.0"])
def test_raw_closes_become_split_adjusted_with_their_volume(tmp_path, name, written):
    text = _split_text([164.0, 168.0, 41.0], [1, "", written], [40.0, 41.5, 40.5], name)
    parsed = _read(tmp_path, text)
    for column in ("open", "high", "low", "close"):
        assert parsed.rows[column].to_list() == [41, 42, 41]
    assert parsed.rows["volume"].to_list() == [400, 400, 100]
    assert parsed.rows["adj_close"].to_list() == [40, 41.5, 40.5]
    assert "closes before a split are divided by it: QQA 4:1 on 2024-12-06" in parsed.notes


def test_closes_that_are_adjusted_stay_bit_for_bit(tmp_path):
    text = _split_text([41.1, 42.3, 41.7], [0, 0, 4], name="Stock Splits")
    parsed = _read(tmp_path, text)
    assert parsed.rows["close"].to_list() == [41.1, 42.3, 41.7]
    assert parsed.rows["volume"].to_list() == [100, 100, 100]


def test_a_reverse_split_and_one_on_the_first_day(tmp_path):
    parsed = _read(tmp_path, _split_text([4.0, 4.2, 41.0], [3, 1, 0.1]))
    assert parsed.rows["close"].to_list() == [40, 42, 41]
    parsed = _read(tmp_path, _split_text([4.0, 4.2, 4.1], [3, 1, 1]))
    assert parsed.rows["close"].to_list() == [4, 4.2, 4.1]


def test_closes_between_raw_and_adjusted_are_rejected_with_what_to_do(tmp_path):
    with pytest.raises(DataQualityError, match="neither raw nor adjusted for the splits"):
        _read(tmp_path, _split_text([82.0, 82.0, 41.0], [1, 1, 4]))


@pytest.mark.parametrize("written", ["-2", "two", "1e999"])
def test_a_split_that_is_no_ratio_is_rejected(tmp_path, written):
    parsed = _read(tmp_path, _split_text([41.0, 42.0, 43.0], [1, written, 1]))
    [row] = parsed.rejected
    assert row.line == 3
    assert row.reason.startswith("split")


def test_a_split_in_a_file_with_decimal_commas(tmp_path):
    rows = zip(DAYS, ("164,5", "168,5", "41,5"), ("1", "1,0", "4,0"), strict=True)
    text = "symbol;date;close;split\n" + "".join(f"QQA;{a};{b};{c}\n" for a, b, c in rows)
    assert _read(tmp_path, text).rows["close"].to_list() == [41.125, 42.125, 41.5]


def test_adj_close_is_calculated_from_dividends_where_the_file_has_none(tmp_path):
    """Oracle: the return of a day is close over the close before less the dividend."""
    text = (
        "symbol,date,close,dividend\nQQA,2024-12-04,50,\nQQA,2024-12-05,49,0\nQQA,2024-12-06,48,1\n"
    )
    parsed = _read(tmp_path, text + "QQB,2024-12-06,7,0\n")
    assert _closes(parsed, "adj_close")["QQA"] == pytest.approx([50 * 48 / 49, 48, 48], rel=1e-15)
    assert dict(zip(parsed.rows["symbol"], parsed.rows["has_adj_close"], strict=True)) == {
        "QQA": True,
        "QQB": False,
    }
    assert "adj_close is calculated from dividends for QQA" in parsed.notes


def test_dividends_before_a_split_are_divided_by_it_like_raw_closes(tmp_path):
    text = "symbol,date,close,dividend,split\nQQA,2024-12-04,200,0,1\nQQA,2024-12-05,196,4,1\n"
    parsed = _read(tmp_path, text + "QQA,2024-12-06,49,0,4\n")
    assert parsed.rows["close"].to_list() == [50, 49, 49]
    assert parsed.rows["adj_close"].to_list() == [49, 49, 49]


@pytest.mark.parametrize(("dividend", "count"), [("48.99", 0), ("49", 3), ("-1", 1)])
def test_a_dividend_is_positive_and_below_the_close_before(tmp_path, dividend, count):
    text = "symbol,date,close,dividend\nQQA,2024-12-04,50,\nQQA,2024-12-05,49,0\nQQA,2024-12-06,48,"
    text += f"{dividend}\nQQB,2024-12-06,7,0\n"
    assert len(_read(tmp_path, text).rejected) == count


def test_dividends_of_closes_that_contain_them_are_not_used(tmp_path):
    """The history of yfinance, which is adjusted for dividends unless it has Adj Close."""
    text = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
    text += "2024-12-05,50,50,50,50,9,0,0\n2024-12-06,48,48,48,48,9,1,0\n"
    parsed = _read(tmp_path, text, "QQA.csv")
    assert parsed.rows["adj_close"].to_list() == [50, 48]
    assert any("adjusted for dividends: profits leave them out" in note for note in parsed.notes)


def test_factors_of_crsp_are_positive(tmp_path):
    text = (
        "TICKER,date,PRC,VOL,CFACPR,CFACSHR\nQQA,20241204,82,600,2,2\nQQA,20241205,-41,1200,1,1\n"
    )
    parsed = _read(tmp_path, text + "QQA,20241206,41,1200,0,1\nQQA,20241203,41,1200,,1\n")
    assert parsed.rows["close"].to_list() == [41, 41]
    assert parsed.rows["volume"].to_list() == [1200, 1200]
    assert len(parsed.rejected) == 2
    assert "closes that are midpoints of bid and ask: 1" in parsed.notes


@pytest.mark.parametrize(
    ("symbol", "currency", "is_read"),
    [
        ("VOD.L", None, False),
        ("VOD.L", "", False),
        ("VOD.L", "USD", True),
        ("VOD.L", "GBp", False),
        ("QQA", "GBX", False),
        ("QQA", "US$", True),
        ("QQA.PK", None, True),
        ("RCI.B.TO", None, False),
        ("BRK.B", None, True),
        ("^QQI", None, True),
    ],
)
def test_prices_of_a_listing_without_a_currency_are_never_dollars(
    tmp_path, symbol, currency, is_read
):
    header, cell = ("", "") if currency is None else (",currency", f",{currency}")
    rows = f"{symbol},2024-12-05,10550{cell}\nQQB,2024-12-05,7{header and ',USD'}\n"
    parsed = _read(tmp_path, f"symbol,date,close{header}\n{rows}")
    assert len(parsed.rows) == 1 + is_read
    assert all("only USD is supported" in row.reason for row in parsed.rejected)


@pytest.mark.parametrize("cell", ["£105.50", "€105.50", "105.50p", "105.50 GBX", "105.50 EUR"])
def test_a_price_with_a_foreign_sign_is_no_number(tmp_path, cell):
    parsed = _read(tmp_path, f"symbol,date,close\nQQA,2024-12-05,{cell}\nQQB,2024-12-05,7.5\n")
    assert [row.reason for row in parsed.rejected] == [f"close '{cell}' is not a number"]


def test_prices_of_a_shorter_period_are_refused(tmp_path):
    text = "<TICKER>,<PER>,<DATE>,<CLOSE>\nQQA.US,5,20241205,41\nQQA.US,D,20241206,42\n"
    parsed = _read(tmp_path, text)
    assert _closes(parsed) == {"QQA": [42]}
    assert parsed.rejected[0].reason == "period 5: only daily prices are supported"


@pytest.mark.parametrize(("first", "is_refused"), [("00:00", False), ("00:01", True)])
def test_several_times_a_day_are_intraday(tmp_path, first, is_refused):
    rows = f"QQA,2024-12-05 {first},41\nQQA,2024-12-05 16:00,42\n"
    if is_refused:
        with pytest.raises(DataQualityError, match=r"several times of QQA on 2024-12-05\. Import"):
            _read(tmp_path, f"symbol,date,close\n{rows}")
    else:
        assert len(_read(tmp_path, f"symbol,date,close\n{rows}").rejected) == 1


def test_rows_of_several_files_are_read_once_and_closes_of_a_symbol_have_one_basis(tmp_path):
    files = {
        tmp_path / name: _read(tmp_path, text, name)
        for name, text in {
            "QQA.csv": "Date,Close\n2024-12-04,40\n2024-12-05,41\n",
            "QQA (1).csv": "Date,Close\n2024-12-05,99\n2024-12-06,42\n",
            "QQA (2).csv": "Date,Close,Adj Close\n2024-12-03,39,38\n",
        }.items()
    }
    merged = reject_repeated_rows(files)
    assert [parsed.rows["close"].to_list() for parsed in merged.values()] == [[40, 41], [42], []]
    assert [[row.reason for row in parsed.rejected] for parsed in merged.values()] == [
        [],
        ["duplicate row; the one of an earlier file is kept"],
        ["adj_close is adjusted in only one of this and an earlier file"],
    ]


def test_a_generated_history_in_every_shape_has_the_same_closes(tmp_path):
    """Long, wide and single files of the same random closes, raw with a split and adjusted."""
    days = trading_calendar.sessions_between(date(2024, 10, 1), date(2024, 12, 6))
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        np.round(50 * np.exp(np.cumsum(random.normal(0, 0.02, (len(days), 3)), axis=0)), 2),
        index=pd.Index(days, name="Date"),
        columns=["QQA", "QQB", "QQC"],
    )
    expected = {symbol: frame[symbol].to_list() for symbol in frame}
    assert _closes(_read(tmp_path, frame.to_csv())) == expected
    assert _closes(_read(tmp_path, frame.to_csv(sep=";", decimal=","))) == expected
    long = frame.melt(var_name="symbol", value_name="close", ignore_index=False)
    assert _closes(_read(tmp_path, long.to_csv(date_format="%d.%m.%Y"))) == expected
    for symbol in frame:
        own = frame[[symbol]].set_axis(["Close"], axis=1)
        text = own.to_csv(date_format="%b %d, %Y")
        assert _closes(_read(tmp_path, text, f"{symbol}.csv")) == {symbol: expected[symbol]}
        own["split"] = 1
        own.iloc[20, 1] = 2
        own.iloc[:20, 0] *= 2
        assert _closes(_read(tmp_path, own.to_csv(), f"{symbol}.csv")) == {symbol: expected[symbol]}


def test_closes_of_options_are_noted_because_nothing_uses_them(tmp_path):
    header, option = "symbol,date,close,adj_close\n", "QQA250117C00250000"
    parsed = _read(tmp_path, f"{header}{option},2024-12-05,7,7\nQQA,2024-12-05,41,41\n")
    assert _closes(parsed) == {option: [7.0], "QQA": [41.0]}
    assert parsed.notes == [
        f"closes of options are stored, but do not value holdings: {option}. State the prices of"
        " options with the holdings"
    ]
    assert _read(tmp_path, f"{header}QQA,2024-12-05,41,41\n").notes == []


@pytest.mark.parametrize("symbol", ["BRK1", "QQAB3", "600519.SS", "0700.HK", "PETR4"])
def test_symbols_that_end_in_a_digit_are_read_and_foreign_ones_with_a_currency(tmp_path, symbol):
    parsed = _read(tmp_path, f"symbol,date,close,currency\n{symbol},2024-12-05,41,USD\n")
    assert _closes(parsed) == {symbol: [41.0]}


def test_a_symbol_of_digits_needs_the_code_of_its_listing(tmp_path):
    with pytest.raises(DataQualityError, match=r"600519 is a number.* such as 0700\.HK"):
        _read(tmp_path, "symbol,date,close,currency\n600519,2024-12-05,41,USD\n")
