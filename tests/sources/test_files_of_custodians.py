"""Reports of custodians, statements with sections and short headers; truth by hand."""

import math
from datetime import date

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.price_files import read_prices
from tests.sources.small_workbooks import write_workbook


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    rows = [one.holdings.rows for one in found.accounts]
    return {s: q for part in rows for s, q in zip(part["symbol"], part["quantity"], strict=True)}


def reasons(found: HoldingsFile) -> list[str]:
    rows = [*found.rejected, *(row for one in found.accounts for row in one.holdings.rejected)]
    return [row.reason for row in rows]


APPRAISAL = (
    "Quantity,Security,Security Symbol,Unit Cost,Total Cost,Price,Market Value\n"
    "COMMON STOCK,,,,,,\n"
    "500,ALPHA INC,QQA,12,6000,20,10000\n"
    "200,BETA CORP,QQB,20,4000,40,8000\n"
    ",,,,10000,,18000\n"
    "CASH AND EQUIVALENTS,,,,,,\n"
)


@pytest.mark.parametrize(
    "total",
    [
        "TOTAL PORTFOLIO,,,,,,20000",
        "TOTAL PORTFOLIO,,,,,,20100",  # with accrued interest
        ",Grand total,,,,,20000",
        ",Grand total,,,,,20100",
        ",,,,,,20000",  # without a name only as a sum
    ],
)
def test_the_total_below_a_section_of_cash_is_no_cash(file, total):
    found = read_holdings(file(f"{APPRAISAL},CASH ACCOUNT,,,2000,,2000\n{total}\n"))
    [account] = found.accounts
    assert (held(found), account.cash) == ({"QQA": 500, "QQB": 200}, 2000)
    assert (account.value, account.equity) == (18000, 20000)


def test_cash_that_equals_the_sum_of_the_holdings_is_cash(file):
    rows = "QQA,Alpha,10,20,200\nQQB,Beta,20,5,100\n,Cash,,,300\n"
    [account] = read_holdings(file(f"Symbol,Name,Quantity,Price,Market value\n{rows}")).accounts
    assert (account.value, account.cash, account.equity) == (300, 300, 600)


@pytest.mark.parametrize(
    ("rows", "cash"),
    [
        (",Bank sweep,,,70\n,Money market,,,30\n,Cash,,,100\n", 100),
        (",Cash and cash equivalents,,,100\n,US Dollar,,,70\n,Money market,,,30\n", 100),
        (",Bank sweep,,,70\n,Money market,,,30\n,Cash,,,101\n", 201),
        (",Bank sweep,,,100\n,Cash,,,100\n", 200),  # one line can be equal by chance
        (",Cash,,,70\n,Cash,,,30\n,Cash,,,100\n", 200),
        (",Bank sweep,,,70\nQQB,Beta,1,9,9\n,Money market,,,30\n,Cash,,,100\n", 200),
    ],
)
def test_cash_that_is_the_sum_of_the_cash_next_to_it_counts_once(file, rows, cash):
    found = read_holdings(file(f"Symbol,Name,Quantity,Price,Value\nQQA,Alpha,5,10,50\n{rows}"))
    [account] = found.accounts
    assert account.cash == cash
    n_sums = sum(line.reason == "the sum of the cash next to it" for line in found.skipped)
    assert n_sums == (1 if cash == 100 else 0)


@pytest.mark.parametrize("text", ["(Cash)", "CASH$", "[cash]"])
def test_cash_in_brackets_or_with_a_sign(file, text):
    [account] = read_holdings(
        file(f"Symbol,Quantity,Price,Value\nQQA,5,10,50\n{text},,,12.5\n")
    ).accounts
    assert (account.cash, account.equity) == (12.5, 62.5)


@pytest.mark.parametrize("status", ["Pending", "Working", "Ausstehend", "Open order"])
def test_a_position_with_the_status_of_an_order_is_rejected(file, status):
    found = read_holdings(file(f"Symbol,Quantity,Status\nQQA,5,Open\nQQB,7,{status}\n"))
    assert held(found) == {"QQA": 5}
    assert reasons(found) == [
        f"the status {status} is that of an order, which may not be executed: remove the line if"
        " it is not held, else the status"
    ]


@pytest.mark.parametrize("status", ["Open", "Active", "Settled", "Held", "New", "Suspended"])
def test_a_position_with_another_status_is_held(file, status):
    found = read_holdings(file(f"Symbol,Quantity,Status\nQQA,5,{status}\nQQB,7,{status}\n"))
    assert (held(found), reasons(found)) == ({"QQA": 5, "QQB": 7}, [])


@pytest.mark.parametrize(
    ("header", "entry"),
    [
        ("Tkr,Qty,Avg. purchase px,Px,Mkt worth (USD)", 8),
        ("Sym,Shs,Ave px,Mkt px,Mkt val", 8),
        ("Security Symbol,Quantity,Purch px,Curr px,Curr mkt val", 8),
        ("Symbol,Ending Quantity Held,Cost Px,Ending Price (USD),Port. Ending Market Value", 8),
        ("Symbol,Pos,Cost Px,Px Close,Mkt Val", 8),
    ],
)
def test_headers_with_abbreviated_words(file, header, entry):
    found = read_holdings(file(f"{header}\nQQA,5,{entry},10,50\nQQB,7,{entry},20,140\n"))
    [account] = found.accounts
    assert held(found) == {"QQA": 5, "QQB": 7}
    assert account.holdings.rows["entry_price"].to_list() == [entry, entry]
    assert (account.value, account.holdings.notes) == (190, [])


def test_a_total_book_cost_is_the_cost_of_the_position(file):
    text = "Symbol,Quantity,Last Price,Total Book Cost,Total Market Value\nQQA,5,10,40,50\n"
    [account] = read_holdings(file(text)).accounts
    assert account.holdings.rows["entry_price"].to_list() == [8]


def test_the_day_on_which_a_file_was_printed(file):
    found = read_holdings(file("Printed 06-Dec-2024\nSymbol,Quantity\nQQA,5\n"))
    assert found.day == date(2024, 12, 6)
    above = "Printed 13-Dec-2024\nAs of 06-Dec-2024\nSymbol,Quantity\nQQA,5\n"
    assert read_holdings(file(above)).day == date(2024, 12, 6)


@pytest.mark.parametrize(
    ("row", "is_held"),
    [
        ("QQA,Acme Total Bond ETF", True),
        ("QQA,iShares 0-3 Month Treasury", True),
        ("BND,", True),
        ("QQABX,", True),  # the form of a mutual fund
        ("QQA,ACME INC 3.85% 05/04/43", False),
        ("QQA,Acme Fund Finance 4.5% 2031", False),
        ("QQA,", False),  # a bond can have the symbol of its issuer
        ("912797LX3,Treasury Bond ETF", False),
        ("BND,US TREASURY 4 1/2% 2036", False),
    ],
)
@pytest.mark.parametrize("stated", ["Fixed Income", "Bonds", "US Short-Term Treasury"])
def test_a_fund_of_bonds_with_the_class_of_its_bonds(file, row, is_held, stated):
    text = f"Symbol,Name,Quantity,Asset class\nQQB,Beta Inc,3,Equity\n{row},5,{stated}\n"
    found = read_holdings(file(text))
    assert len(held(found)) == (2 if is_held else 1)
    assert len(reasons(found)) == (0 if is_held else 1)


@pytest.mark.parametrize(
    ("text", "symbol"), [("QQA NYSE", "QQA"), ("QQA NASDAQ.NMS", "QQA"), ("QQA", "QQA")]
)
def test_a_symbol_with_the_name_of_its_exchange(file, text, symbol):
    header = "Financial Instrument,Position,Last,Average Price,Market Value"
    found = read_holdings(file(f"{header}\n{text},5,10,8,50\nQQB,-7,20,21,-140\n"))
    assert held(found) == {symbol: 5, "QQB": -7}


def test_a_symbol_with_the_name_of_a_foreign_exchange(file):
    found = read_holdings(file("Symbol,Quantity\nQQA NYSE,5\nQQB LSE,7\n"))
    assert held(found) == {"QQA": 5}
    assert "listed on LSE" in reasons(found)[0]


def test_a_symbol_with_the_mark_of_a_footnote(file):
    rows = "Symbol,Quantity,Price\nQQA*,5,10\nQQB (1),7,20\nQQC†,9,30\nSPAXX**,100,1\n"
    found = read_holdings(file(rows))
    assert held(found) == {"QQA": 5, "QQB": 7, "QQC": 9}
    assert found.accounts[0].cash == 100


@pytest.mark.parametrize("symbol", ["XAU", "XPT"])
def test_metal_is_no_share(file, symbol):
    found = read_holdings(file(f"Symbol,Quantity,Price\nQQA,5,10\n{symbol},2,2630\n"))
    assert held(found) == {"QQA": 5}
    assert reasons(found)[0].startswith(f"{symbol} is a precious metal")


HEADER = ["Symbol", "Shares", "Price", "Value"]
FIRST = [HEADER, ["QQA", 10, 20, 200], ["QQB", 5, 40, 200]]


@pytest.mark.parametrize(
    "other",
    [
        [HEADER, ["QQC", 7, 10, 70]],
        [HEADER, ["QQA", 4, 20, 80]],
        [HEADER, ["QQA", 10, 20, 200], ["QQB", 6, 40, 240]],
        [["Ticker", "Market value"], ["QQA", 70]],
    ],
)
def test_a_sheet_with_further_holdings_is_refused(tmp_path, other):
    path = tmp_path / "book.xlsx"
    write_workbook(path, {"Brokerage": FIRST, "Retirement": other})
    with pytest.raises(DataQualityError, match="the sheet Retirement has holdings next to those"):
        read_holdings(path)
    write_workbook(path, {"Brokerage": FIRST, "Retirement": other}, hidden="Retirement")
    assert held(read_holdings(path)) == {"QQA": 10, "QQB": 5}


@pytest.mark.parametrize(
    "others",
    [
        {"By sector": [["Symbol", "Sector", "Shares"], ["QQB", "Energy", 5], ["QQA", "Tech", 10]]},
        {"Model": [["Symbol", "Weight"], ["QQA", 0.5], ["QQC", 0.5]]},
        {"Lookup": [["Symbol", "Name"], ["QQC", "Gamma Inc"]]},
        {"Watchlist": [HEADER, ["QQC", 7, 10, 70]]},
        {"Taxable": [HEADER, ["QQA", 6, 20, 120], FIRST[2]], "IRA": [HEADER, ["QQA", 4, 20, 80]]},
    ],
)
def test_sheets_that_state_no_further_holdings_are_not_read(tmp_path, others):
    path = tmp_path / "book.xlsx"
    write_workbook(path, {"Holdings": FIRST, **others})
    found = read_holdings(path)
    assert held(found) == {"QQA": 10, "QQB": 5}
    assert math.isnan(found.accounts[0].cash)


@pytest.mark.parametrize(
    ("header", "symbols"),
    [
        ("date,qqqq,ko", ["QQQQ", "KO"]),
        ("date,spy,tlt", ["SPY", "TLT"]),
        ("date,msft_close,ko_close", ["MSFT", "KO"]),
        ("date,close_msft,close_ko", None),
        ("date,spread,carry", None),
        ("date,gdp,cpi", None),
        ("date,msft,spread2", None),
        ("date,msft,value", None),
    ],
)
def test_wide_prices_with_symbols_in_lower_case(file, header, symbols):
    path = file(f"{header}\n2024-12-02,10,20\n2024-12-03,11,21\n")
    if symbols is None:
        with pytest.raises(DataQualityError):
            read_prices(path)
    else:
        found = read_prices(path)
        assert [*dict.fromkeys(found.rows["symbol"])] == symbols
        assert f"columns are symbols: {', '.join(symbols)}" in found.notes


def test_the_days_of_a_file_of_metastock(file):
    header = "<TICKER>,<PER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n"
    found = read_prices(file(header + "QQA,D,20241205,000000,10,12,9,11,500\n"))
    assert found.rows[["date", "close"]].to_numpy().tolist() == [[date(2024, 12, 5), 11]]


def test_prices_of_sale_next_to_days_are_those_of_closed_trades(file):
    header = "{}ticker,shares,entry_price,exit_price\n"
    rows = "{}QQA,10,24,25\n{}QQB,5,6,7\n"
    quotes = header.format("") + rows.format("", "")
    assert held(read_holdings(file(quotes))) == {"QQA": 10, "QQB": 5}
    trades = header.format("date,") + rows.format("2024-12-05,", "2024-12-06,")
    with pytest.raises(DataQualityError, match=r"a price of sale \(25\), and no state"):
        read_holdings(file(trades))


@pytest.mark.parametrize(
    ("title", "is_foreign"),
    [
        ("Portfolio valuation (SGD)", True),
        ("Depotbewertung (CHF)", True),
        ("Portfolio valuation (USD)", False),
        ("Singapore desk (SGD)", False),
        ("Portfolio valuation (SGD converted)", False),
    ],
)
def test_the_currency_in_brackets_behind_a_title(file, title, is_foreign):
    path = file(f"{title}\nSymbol,Quantity,Price\nQQA,5,10\n")
    if is_foreign:
        with pytest.raises(DataQualityError, match="only USD is supported"):
            read_holdings(path)
    else:
        assert held(read_holdings(path)) == {"QQA": 5}


@pytest.mark.parametrize(
    "title", ["Market value by holding", "Position values", "Net exposure", "Quantities"]
)
def test_values_of_positions_are_no_prices(file, title):
    with pytest.raises(DataQualityError, match="are no prices"):
        read_prices(file(f"{title}\nDate,QQA,QQB\n2024-12-02,240,125\n2024-12-03,243,126\n"))


@pytest.mark.parametrize("title", ["Closing prices and market value", "Prices", "Portfolio values"])
def test_titles_of_prices(file, title):
    text = f"{title}\nDate,QQA,QQB\n2024-12-02,240,125\n2024-12-03,243,126\n"
    assert len(read_prices(file(text)).rows) == 4


def test_a_report_of_portfolio_analyst(file):
    section = "Open Position Summary"
    header = "Header,Date,FinancialInstrument,Currency,Symbol,Description,Quantity,ClosePrice,Value"
    text = (
        "Introduction,Header,Name,Account,BaseCurrency\nIntroduction,Data,J,U1,USD\n"
        f"{section},{header},Cost Basis\n"
        f"{section},Data,12/06/2024,Stocks,USD,QQA,ALPHA INC,100,20,2000,1500\n"
        f"{section},Data,12/06/2024,Stocks,USD,QQB,BETA CORP,-20,60,-1200,-1100\n"
        f"{section},Data,12/06/2024,Stocks,EUR,QQC,GAMMA AG,5,30,150,100\n"
        f"{section},Data,12/06/2024,Cash,USD,USD,US Dollar,900,1,900,900\n"
        f"{section},Total,,,,,,,,1850,\n"
    )
    found = read_holdings(file(text))
    [account] = found.accounts
    assert (found.day, held(found)) == (date(2024, 12, 6), {"QQA": 100, "QQB": -20})
    assert (account.cash, account.holdings.rows["entry_price"].to_list()) == (900, [15, 55])
    assert reasons(found) == ["currency EUR: only USD is supported"]


@pytest.mark.parametrize("end", ["End of report", "***END OF FILE***"])
def test_rows_below_the_end_of_a_report(file, end):
    rows = f"Symbol,Quantity,Price\nQQA,5,10\n{end}\n"
    for below in ("", "Printed for Jane\n", "Cash,,1\n"):
        assert held(read_holdings(file(rows + below))) == {"QQA": 5}
    with pytest.raises(DataQualityError, match=r"line 4 is below .*(?i:end of)"):
        read_holdings(file(f"{rows}QQB,7,20\n"))
    assert held(read_holdings(file(f"{rows}Open positions\nQQB,7,20\n"))) == {"QQA": 5, "QQB": 7}
