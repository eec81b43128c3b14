"""Titles, footers, scales, blocks and times of price files; truth by hand."""

from datetime import date

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.price_files import read_prices
from riskmetrics.sources.row_validation import ParseResult

WIDE = "Date,QQA,QQB\n2024-12-02,10,20\n2024-12-03,11,21\n"
LONG = "Symbol,Date,Close\nQQA,2024-12-02,10\nQQA,2024-12-03,11\n"


def closes(found: ParseResult) -> dict[tuple[str, str], float]:
    """Return the close of each symbol and day."""
    rows = found.rows
    keys = zip(rows["symbol"], rows["date"].map(date.isoformat), strict=True)
    return dict(zip(keys, rows["close"], strict=True))


@pytest.mark.parametrize(
    "title",
    [
        *("P/E ratio", "Volume", "Daily returns in %", "Market capitalization, USD bn"),
        *("Dividends", "Prices indexed to 100", "Renditen", "Closes, rebased"),
        *("P/E", "Weights of the index", "Market cap", "Rendements quotidiens"),
        *("Change in percent", "Volume (shares)", "Log returns"),
    ],
)
def test_the_title_of_columns_that_are_no_prices(file, title):
    text = f'"{title}"\n{WIDE}'
    with pytest.raises(DataQualityError, match="no prices"):
        read_prices(file(text))
    assert len(closes(read_prices(file(f'"{title}"\n{LONG}')))) == 2  # its header says Close


@pytest.mark.parametrize(
    "title",
    [
        *("Prices and volume", "Daily closes", "S&P 500 stocks", "P&G and peers", "P. Miller"),
        *("Large cap US equities", "Dividend aristocrats", "Low Volatility Fund", "No weights"),
        *("Beta Capital LLC", "Core and Score funds"),
        "The past returns of a fund are no guarantee of others",
    ],
)
def test_other_titles_above_columns_of_symbols(file, title):
    assert len(closes(read_prices(file(f"{title}\n{WIDE}")))) == 4


@pytest.mark.parametrize("remark", ["log", "normalized", "rebased to 100", "return", "P/E"])
def test_remarks_behind_symbols_that_are_no_prices(file, remark):
    text = WIDE.replace("QQA", f"QQA ({remark})")
    with pytest.raises(DataQualityError):
        read_prices(file(text))
    assert len(closes(read_prices(file(text.replace(remark, "Alpha Inc"))))) == 4


@pytest.mark.parametrize(
    "remark", ["Dividend Equity ETF", "Small Cap ETF", "High Yield", "Mid Cap"]
)
def test_remarks_behind_symbols_that_are_names(file, remark):
    text = WIDE.replace("QQA", f"QQA ({remark})")
    assert len(closes(read_prices(file(text)))) == 4


@pytest.mark.parametrize("remark", ["Dividend yield", "Daily volatility", "volume"])
def test_the_same_remark_behind_all_symbols_is_that_of_the_numbers(file, remark):
    text = WIDE.replace("QQA", f"QQA ({remark})").replace("QQB", f"QQB ({remark})")
    with pytest.raises(DataQualityError):
        read_prices(file(text))


def test_an_offer_of_prices_in_another_currency_is_no_statement(file):
    found = read_prices(file(f"{LONG}Prices in EUR are available on request\n"))
    assert (len(closes(found)), len(found.rejected)) == (2, 1)


def test_the_scale_of_volumes_above_is_not_that_of_prices(file):
    text = "Volume in thousands\nSymbol,Date,Close,Volume\nQQA,2024-12-02,10,5100\n"
    assert closes(read_prices(file(text))) == {("QQA", "2024-12-02"): 10}


@pytest.mark.parametrize("line", ["Quotes in GBP", "All prices in EUR"])
def test_a_currency_above_or_below_prices(file, line):
    for text in (f"{line}\n{LONG}", f"{LONG}{line},,\n"):
        with pytest.raises(DataQualityError, match=f"prices in {line[-3:]}"):
            read_prices(file(text))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        *(("Volume (000)", 5_100), ("Volume (thousands)", 5_100), ("Vol (mln)", 5_100_000)),
        ("Volume", 5),
    ],
)
def test_the_scale_of_volumes(file, header, expected):
    text = f"Symbol,Date,Close,{header}\nQQA,2024-12-02,10,5.1\n"
    assert read_prices(file(text)).rows["volume"].to_list() == [expected]


def test_blocks_of_a_symbol_each_with_its_days(file):
    text = (
        "QQA US Equity,,,QQB US Equity,\nDate,PX_LAST,PX_VOLUME,Date,PX_LAST\n"
        "2024-12-02,10,100,2024-12-03,21\n2024-12-03,11,100,2024-12-04,22\n"
    )
    assert closes(read_prices(file(text))) == {
        ("QQA", "2024-12-02"): 10,
        ("QQA", "2024-12-03"): 11,
        ("QQB", "2024-12-03"): 21,
        ("QQB", "2024-12-04"): 22,
    }


@pytest.mark.parametrize("field", ["PX_VOLUME", "PX_LAST"])
def test_two_blocks_of_a_symbol_are_refused(file, field):
    text = (
        f"QQA US Equity,,QQA US Equity,\nDate,PX_LAST,Date,{field}\n"
        "2024-12-02,10,2024-12-03,200\n2024-12-03,11,2024-12-04,300\n"
    )
    with pytest.raises(DataQualityError, match="two blocks of QQA"):
        read_prices(file(text))


@pytest.mark.parametrize(
    ("times", "is_refused"),
    [
        (("T10:00:00", "T16:00:00"), True),
        (("T16:00:00", "T16:00:00"), False),
        ((" 10:00", " 16:00"), True),
    ],
)
def test_two_times_of_a_day_are_intraday(file, times, is_refused):
    first, second = times
    text = f"Symbol,Date,Close\nQQA,2024-12-02{first},10\nQQA,2024-12-02{second},11\n"
    if is_refused:
        with pytest.raises(DataQualityError, match="several times of QQA on 2024-12-02"):
            read_prices(file(text))
    else:
        assert len(read_prices(file(text)).rejected) == 1
    other = text.replace(f"QQA,2024-12-02{second},11", f"QQB,2024-12-02{second},11")
    assert len(closes(read_prices(file(other)))) == 2  # symbols with times of their own


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (
            "Date,Time,Symbol,Close",
            ["2024-12-02 00:00:00,09:30,QQA", "2024-12-02 00:00:00,16:00,QQA"],
        ),
        ("Date,Symbol,Close", ["45628.4,QQA", "45628.67,QQA"]),
        ("Date;Symbol;Close", ["2024-12-02, 09:30;QQA", "2024-12-02, 16:00;QQA"]),
        ("Date,Symbol,Close", ["2024-12-02T00:00,QQA", "2024-12-02T08:00,QQA", "2024-12-03,QQA"]),
    ],
)
def test_times_of_a_day_in_other_notations_are_intraday(file, header, rows):
    separator = ";" if ";" in header else ","
    lines = [f"{row}{separator}{close}" for close, row in enumerate(rows, 10)]
    with pytest.raises(DataQualityError, match="several times of QQA on 2024-12-02"):
        read_prices(file("\n".join([header, *lines, ""])))


@pytest.mark.parametrize(
    "times", [("", "", " 16:00"), (" 00:00", " 00:00", " 16:00"), (".0", ".0", ".67")]
)
def test_a_quote_of_the_last_day_is_no_intraday_price(file, times):
    first, second = ("45628", "45629") if times[0] == ".0" else ("2024-12-02", "2024-12-03")
    days = [first + times[0], second + times[1], second + times[2]]
    rows = "".join(f"QQA,{day},{close}\n" for close, day in enumerate(days, 10))
    found = read_prices(file(f"Symbol,Date,Close\n{rows}"))
    assert closes(found) == {("QQA", "2024-12-02"): 10, ("QQA", "2024-12-03"): 11}
    assert len(found.rejected) == 1


@pytest.mark.parametrize(("end", "n_rejected"), [("\t", 0), ("", 0), ("\tNote", 2)])
def test_a_separator_at_the_end_of_the_header_only(file, end, n_rejected):
    rows = "QQA\t2024-12-02\t10\nQQA\t2024-12-03\t11\n"
    path = file(f"Symbol\tDate\tClose{end}\n{rows}QQB\t2024-12-03\t12{end and chr(9)}\n")
    found = read_prices(path)
    assert len(found.rejected) == (n_rejected or (1 if end else 0))


@pytest.mark.parametrize(
    ("ends", "n_closes"), [(("", ";;", ";;"), 2), (("", "", ";;"), 2), (("", "", ""), 3)]
)
def test_most_rows_say_which_cells_without_a_header_are_columns(file, ends, n_closes):
    rows = [f"QQA;2024-12-0{day};1{day}{end}\n" for day, end in zip((2, 3, 4), ends, strict=True)]
    found = read_prices(file("Symbol;Date;Close;;\n" + "".join(rows)))
    assert len(closes(found)) == n_closes
    assert len(found.rejected) == 3 - n_closes


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("Date,COST,OPEN\n2024-12-02,970,2\n2024-12-03,975,3\n", {"COST", "OPEN"}),
        ("Date,US:BOND,US:GOLD\n2024-12-02,92,15\n2024-12-03,93,16\n", {"BOND", "GOLD"}),
        ("KO,PEP,Date\n63,160,2024-12-02\n64,161,2024-12-03\n", {"KO", "PEP"}),
        (",Date,KO,PEP\n0,2024-12-02,63,160\n1,2024-12-03,64,161\n", {"KO", "PEP"}),
    ],
    ids=["known symbols that are words", "words with an exchange", "days last", "row numbers"],
)
def test_columns_of_symbols_around_a_column_of_days(file, text, symbols):
    found = closes(read_prices(file(text)))
    days = ("2024-12-02", "2024-12-03")
    assert {*found} == {(symbol, day) for symbol in symbols for day in days}


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Date,BOND,GOLD\n2024-12-02,92,15\n", "such as US:BOND"),
        ("Date,KO,CASH\n2024-12-02,63,1\n", "no symbols: CASH. Remove"),
        ("Date,Apple,Tesla\n2024-12-02,240,350\n", "no symbols: Apple, Tesla. Write"),
        ("Symbol,2024-12-02,2024-12-03\nKO,63,64\n", "Transpose it"),
        ("Date,KO,PEP\n2024-12-02,9000000,7000000\n", "volumes or values, not prices"),
        ("Date,KO,PEP\n2024-12-02,98,97\n2024-12-03,100,100\n", "all end at 100"),
    ],
)
def test_a_refused_wide_table_says_how_to_go_on(file, text, advice):
    with pytest.raises(DataQualityError, match=advice):
        read_prices(file(text))


@pytest.mark.parametrize(
    "header",
    ["ticker,trade_dt,px_last", "Instrument,As Of Date,Closing Value", "Symbol,Date,Raw Close"],
)
def test_other_headers_of_closes(file, header):
    found = closes(read_prices(file(f"{header}\nKO,2024-12-02,63.5\n")))
    assert found == {("KO", "2024-12-02"): 63.5}


def test_the_raw_close_next_to_the_adjusted_one(file):
    text = "Symbol,Date,Raw Close,Adjusted Close\nKO,2024-12-02,63.5,63.1\n"
    rows = read_prices(file(text)).rows
    assert (rows["close"].item(), rows["adj_close"].item()) == (63.5, 63.1)


@pytest.mark.parametrize("title", ["Profit and loss", "Shares held", "Daily P&L", "Realized gains"])
def test_numbers_below_titles_of_gains_and_positions_are_no_prices(file, title):
    text = f"{title}\nDate,QQA,QQB\n2024-12-05,243,442\n2024-12-06,242,443\n"
    with pytest.raises(DataQualityError, match="are no prices"):
        read_prices(file(text))


def test_small_numbers_in_all_columns_of_symbols_are_no_prices(file):
    text = "Date,QQA,QQB\n2024-12-05,0.0012,0.0021\n2024-12-06,0.0010,{}\n"
    with pytest.raises(DataQualityError, match="returns or fractions"):
        read_prices(file(text.format(0.002)))
    pennies = text.replace("0.001", "0.1").replace("0.002", "0.2")
    assert read_prices(file(pennies.format(0.2))).rows["close"].max() == 0.21


def test_prices_next_to_those_in_dollars_have_an_unknown_currency(file):
    text = "Symbol,Date,Close,Close USD\nQQA,2024-12-06,230,245\n"
    with pytest.raises(DataQualityError, match=r"Close and Close USD.*Keep the one in USD"):
        read_prices(file(text))
    only = read_prices(file(text.replace("Close,", "Rating,")))
    assert only.rows["close"].tolist() == [245]


def test_rows_of_dividends_and_splits_are_rejected(file):
    rows = "QQA,2024-11-29,0.485,Cash dividend\nQQA,2024-12-02,2,Split\n"
    rows += "".join(f"QQA,2024-12-0{day},64.2,Price\n" for day in range(3, 7))
    found = read_prices(file("Symbol,Date,Close,Type\n" + rows))
    assert found.rows["close"].tolist() == [64.2] * 4
    assert len(found.rejected) == 2
