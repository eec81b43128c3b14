"""Price files of vendors: foreign listings, wide headers, notations of days; truth by hand."""

import re
from datetime import date

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.dates import parse_date
from riskmetrics.sources.price_files import read_prices
from riskmetrics.sources.row_validation import ParseResult

DAY = date(2024, 12, 2)


def closes(found: ParseResult) -> dict[str, float]:
    """Return the last close of each symbol."""
    return dict(zip(found.rows["symbol"], found.rows["close"], strict=True))


@pytest.mark.parametrize("written", ["QQB LN", "QQB LN Equity", "LON:QQB", "TSX:QQB", "QQB-GB"])
def test_a_foreign_listing_is_not_stored_under_its_bare_symbol(file, written):
    rows = f"QQA,2024-12-02,10\n{written},2024-12-02,70\n"
    for currency in ("", ",USD"):
        header = "Symbol,Date,Close" + (",Currency" if currency else "")
        found = read_prices(file(f"{header}\n" + rows.replace("\n", f"{currency}\n")))
        assert closes(found) == {"QQA": 10}
        assert ["is listed on" in row.reason for row in found.rejected] == [True]
    wide = read_prices(file(f"Date,QQA,{written}\n2024-12-02,10,70\n"))
    assert closes(wide) == {"QQA": 10}
    assert ["is listed on" in row.reason for row in wide.rejected] == [True]


@pytest.mark.parametrize("identifier", ["INE002A01018", "JP3633400001"])
def test_an_isin_of_a_country_without_us_listings_is_abroad(file, identifier):
    text = f"Symbol,ISIN,Date,Close\nQQA,,2024-12-02,10\nQQB,{identifier},2024-12-02,11\n"
    found = read_prices(file(text))
    assert closes(found) == {"QQA": 10}
    assert "outside the United States" in found.rejected[0].reason


@pytest.mark.parametrize(
    "header",
    [
        "Date,QQA US Equity,QQB US Equity",
        "Date,NYSE:QQA,NASDAQ:QQB",
        "Date,QQA.N,QQB.OQ",
        "Date,\"('Close', 'QQA')\",\"('Close', 'QQB')\"",
        "Date,QQA.Close,QQB.Close",
        "Date,QQA (USD),QQB (USD)",
        "Date,Close_QQA,Close_QQB",
    ],
)
def test_symbols_in_wide_headers(file, header):
    assert closes(read_prices(file(f"{header}\n2024-12-02,10,20\n"))) == {"QQA": 10, "QQB": 20}


def test_a_wide_table_in_another_currency_is_refused_as_that(file):
    with pytest.raises(DataQualityError, match="prices in EUR in the column QQB"):
        read_prices(file("Date;QQA (USD);QQB (EUR)\n2024-12-02;63,9;230,1\n"))
    assert closes(read_prices(file("Date,BTC-USD\n2024-12-02,95000\n"))) == {"BTC-USD": 95000}


def test_a_column_that_pandas_numbered_is_a_repeated_one(file):
    with pytest.raises(DataQualityError, match=r"column QQA\.1 next to QQA"):
        read_prices(file("Date,QQA,QQA.1\n2024-12-02,10,20\n"))


@pytest.mark.parametrize(
    "header",
    [
        "t,c,v,Ticker",  # Polygon, Finnhub
        "ts_event,close,volume,symbol",  # Databento
        "Exchange Date,Price Close,Volume,Ticker",  # Refinitiv
        "observation_date,Close,Volume,Ticker",
        "Data,Zamkniecie,Wolumen,Ticker",  # Stooq in Polish
        "As of,NAV per share,Volume,Fund",
    ],
)
def test_headers_of_vendors(file, header):
    found = read_prices(file(f"{header}\n2024-12-02,10.5,100,QQA\n"))
    assert found.rows[["symbol", "date", "close", "volume"]].to_numpy().tolist() == [
        ["QQA", DAY, 10.5, 100]
    ]


def test_single_letters_in_upper_case_are_symbols(file):
    found = read_prices(file("Date,C,T,V\n2024-12-02,10,20,30\n"))
    assert closes(found) == {"C": 10, "T": 20, "V": 30}


def test_a_name_of_a_price_alone_in_upper_case_is_a_symbol(file):
    assert closes(read_prices(file("Date,LOW,QQA\n2024-12-02,270,10\n"))) == {"LOW": 270, "QQA": 10}
    several = "Date,LOW,QQA,OPEN,HIGH\n2024-12-02,270,10,15,3\n"
    found = closes(read_prices(file(several)))
    assert found == {"LOW": 270, "QQA": 10, "OPEN": 15, "HIGH": 3}
    with pytest.raises(DataQualityError, match="no column close"):
        read_prices(file("DATE,OPEN,HIGH,LOW\n2024-12-02,15,16,14\n"), symbol="QQA")
    for header in ("Date,LOW,OPEN", "Date,Low,QQA"):
        with pytest.raises(DataQualityError, match="has no column close"):
            read_prices(file(f"{header}\n2024-12-02,270,10\n"))


def test_compustat_s_factor_adjusts_closes(file):
    text = "tic,datadate,prccd,cshtrd,ajexdi\nQQA,2024-06-07,1200,5,10\nQQA,2024-06-10,121,50,1\n"
    found = read_prices(file(text))
    assert found.rows["close"].to_list() == [120, 121]
    assert found.rows["volume"].to_list() == [50, 50]


def test_adjusted_closes_of_tidyquant(file):
    [row] = read_prices(file("symbol,date,close,adjusted\nQQA,2024-12-02,10,9\n")).rows.itertuples()
    assert (row.close, row.adj_close, row.has_adj_close) == (10, 9, True)


def test_german_turnover_is_no_volume_next_to_shares(file):
    text = "Datum;Tageshoch;Tagestief;Schluss;Umsatz;Umsatz in Stück;Ticker\n"
    found = read_prices(file(text + "02.12.2024;11,5;9,5;10,5;62.000,50;1.000;QQA\n"))
    assert found.rows["volume"].to_list() == [1000]


@pytest.mark.parametrize("text", ["2024-12-02,10,11,9,10.5,100\n", "12/02/2024;10,5;11\n"])
def test_a_file_without_headers_is_told_so(file, text):
    with pytest.raises(DataQualityError, match="has no line of headers"):
        read_prices(file(text), symbol="QQA")


@pytest.mark.parametrize(
    "written",
    [
        "2024/12/2",
        "2024-12-02 15:30:00 (UTC)",
        "Mon Dec 02 2024 16:00:00 GMT-0500 (Eastern Standard Time)",
        "20241202 100001",
        "2024-12-02 1530",
        "2024-12-03 05:00:00 GMT+0800",
    ],
)
def test_days_as_programs_write_them(written):
    assert parse_date(written) == DAY


@pytest.mark.parametrize("written", ["20241202100001", "2024/13/2", "2024-12 02", "2024/1202"])
def test_what_is_no_day(written):
    assert parse_date(written) is None


def test_a_wide_table_with_another_column_says_to_remove_it(file):
    expected = "has columns that are no symbols: Total. Remove them"
    with pytest.raises(DataQualityError, match=re.escape(expected)):
        read_prices(file("Date,QQA,QQB,Total\n2024-12-02,10,20,30\n"))


def test_letters_of_a_bar_next_to_a_day_are_its_prices(file):
    found = read_prices(file("timestamp,symbol,c,h,l,o,v\n2024-12-02,QQA,10.5,11,10,10.2,100\n"))
    assert found.rows[["open", "high", "low", "close"]].to_numpy().tolist() == [
        [10.2, 11, 10, 10.5]
    ]


def test_a_column_that_its_cells_show_to_be_of_symbols_is_named_as_used(file):
    found = read_prices(file("Trade Date,Security,NAV,Yield\n2024-12-02,FXAIX,10.5,1\n"))
    assert closes(found) == {"FXAIX": 10.5}
    assert "Security as symbol, NAV as close; unused columns: Yield" in found.notes[0]
