"""Lines above, between and below the rows of a table: days, sections, currencies and scales."""

import math
from datetime import date

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings

TABLE = "Symbol,Quantity,Price\nQQA,5,10\n"
DAY = date(2024, 12, 6)


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    rows = [one.holdings.rows for one in found.accounts]
    return {s: q for part in rows for s, q in zip(part["symbol"], part["quantity"], strict=True)}


@pytest.mark.parametrize(
    "title",
    [
        *("Closed Positions (3)", "CLOSED POSITIONS - 2024", "Recently closed", "Closed"),
        *("Positions closed in 2024", "Sold in 2024", "Realized lots 2024", "Past positions"),
        *("Exited positions", "Disposals", "Not held", "Expired options", "Options sold in 2024"),
        *("My watchlist", "Geschlossene Positionen (3)", "Positions soldées", "Closed trades"),
    ],
)
def test_titles_of_what_is_not_held(file, title):
    assert held(read_holdings(file(f"{TABLE}{title}\nQQB,7,3\n"))) == {"QQA": 5}
    with_total = f"{TABLE}{title},,-120.50\nQQB,7,3\n"
    assert held(read_holdings(file(with_total))) == {"QQA": 5}


@pytest.mark.parametrize("title", ["Open orders (2)", "Realized gains: short term"])
def test_titles_that_close_without_an_amount(file, title):
    assert held(read_holdings(file(f"{TABLE}{title}\nQQB,7,3\n"))) == {"QQA": 5}


@pytest.mark.parametrize(
    "title",
    [
        "Realized and unrealized gains",
        "Open trades",
        "Holdings list",
        "Stocks",
        "Sold to fund Ann",
        "No longer",
        *("Historical Holdings", "Positions and orders", "Open positions and orders"),
        *("Tracked investments", "Holdings (previous year)", "Lots not sold", "Stocks held longer"),
    ],
)
def test_titles_of_what_is_held(file, title):
    expected = {"QQA": 5} if title == "No longer" else {"QQA": 5, "QQB": 7}
    assert held(read_holdings(file(f"{TABLE}{title}\nQQB,7,3\n"))) == expected


def test_a_table_of_orders_above_that_of_positions(file):
    text = f"Open orders\nSymbol,Quantity,Limit\nQQB,3,9\n\nPositions\n{TABLE}"
    assert held(read_holdings(file(text))) == {"QQA": 5}
    below = f"{TABLE}\nOpen orders\nSymbol,Quantity,Limit\nQQB,3,9\n"
    assert held(read_holdings(file(below))) == {"QQA": 5}


@pytest.mark.parametrize("title", ["Options sold", "Sold options,,-300"])
def test_options_that_are_sold_are_held(file, title):
    rows = f"QQA,200,12000\n{title}\nQQA250117C00065000,-2,-300\n"
    found = read_holdings(file(f"Symbol,Quantity,Market Value\n{rows}"))
    assert held(found) == {"QQA": 200, "QQA250117C00065000": -2}
    assert found.accounts[0].value == 11_700


@pytest.mark.parametrize(
    "line",
    ["Realized gains,,12.50", "Realized,,20", "Pending orders,,-120", "Realized loss,,(12.50)"],
)
def test_amounts_of_gains_and_orders_end_no_table(file, line):
    text = f"Symbol,Quantity,Market Value\nQQA,5,300\n{line}\nQQB,7,1100\nCash,,900\n"
    [found] = read_holdings(file(text)).accounts
    assert found.holdings.rows["symbol"].tolist() == ["QQA", "QQB"]
    assert (found.cash, [row.line for row in found.holdings.rejected]) == (900, [3])


@pytest.mark.parametrize(
    "line",
    [
        *("Realized gain YTD,120.50", "Open orders,0", "Closed positions,3", "Realized,(12.50)"),
        "As of 2024-12-06\nPrevious period 2024-10-01 to 2024-10-31",
    ],
)
def test_a_summary_above_the_table_closes_nothing(file, line):
    assert held(read_holdings(file(f"{line}\n\n{TABLE}"))) == {"QQA": 5}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Created on 2024-12-09\nPositions as of 2024-12-06", DAY),
        ("Positions as of 2024-12-06\nCreated on 2024-12-09", DAY),
        ("Created on 2024-12-06", DAY),
        ("Created on 2024-12-09\nPeriod: 2024-11-07 to 2024-12-06", DAY),
        ("Performance 2024-01-01 to 2024-06-30\nPositions as of 2024-12-06", DAY),
        ("Open positions as of 2024-12-06", DAY),
        ("Period: 2024-11-07 to 2024-12-06", DAY),
        ("Statement period,11/07/2024 - 12/06/2024", None),  # which number is the month?
        ("Statement period,11/13/2024 - 12/06/2024", DAY),
        ("Zeitraum;07.11.2024 bis 06.12.2024", DAY),
        ("Portfolio holdings - 2024-12-06", DAY),
        ("Holdings (2024-12-06)", DAY),
        ("Inception (2015-01-02)", None),
        ("Inception date: 2015-01-02", None),
        ("Account opened on 2015-01-02", None),
        ("Next statement on 2024-12-31", None),
        ("Client since, on 2015-01-02", None),
        ("A client since 2015 with positions in funds as of 2024-12-06", DAY),
        ("Date: 2024-12-06\nBenchmark period: 2023-01-01 to 2023-12-31", DAY),
        ("Date: 2024-12-06\nStatement period: 2024-11-01 to 2024-11-30", DAY),
        ("Date,2024-12-06\nTax year,2023-04-06 to 2024-04-05", DAY),
        ("Date: 2024-12-06\nFund launched (2010-03-01)", DAY),
        ("Last rebalance - 2024-09-30\nPositions as of 2024-12-06", DAY),
        ("Generated by J. Doe - 2024-12-09\nHoldings as of 2024-12-06", DAY),
        ("Holdings - 2024-12-09\nHoldings as of 2024-12-06", DAY),
        ("Positions as of 2024-12-06, created on 2024-12-09", DAY),
        ("Benchmark data 2023-01-01 to 2023-12-31", None),
        ("Période du 01/01/2023 au 31/12/2023", date(2023, 12, 31)),
        ("Indice du 01/01/2023 au 31/12/2023", None),
        ("Client 12 - 2019-05-14", None),
        ("Portfolio performance 2024-01-01 to 2024-06-30", None),
        ("As of 12/06/2024 04:10 PM ET", DAY),
        ("Performance since inception as of 2024-12-06", DAY),
        ("Market opening as of 2024-12-06", DAY),
        ("Start of day positions on 2024-12-06", DAY),
        ("Wertentwicklung seit Auflage per 06.12.2024", DAY),
        ("Performance depuis création au 06/12/2024", DAY),
        ("Conta: abertura em 02/01/2015", None),
    ],
)
def test_the_day_of_the_positions(file, lines, expected):
    table = TABLE.replace(",", ";") if ";" in lines else TABLE
    assert read_holdings(file(f"{lines}\n{table}"), as_of=DAY).day == expected


def test_a_file_of_an_unsupported_broker_with_symbols_under_a_name(file):
    text = "Instrument,Qty.,Avg. cost,LTP,Invested,Cur. val,P&L\nINFY,10,1400,1900,14000,19000,5\n"
    with pytest.raises(DataQualityError, match="Zerodha"):
        read_holdings(file(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Account currency: EUR\nDisplay currency: GBP\n{TABLE}", {}),
        (f"{TABLE}Account: B\nCurrency: EUR\nQQB,7,3\n", {"QQA": 5}),
        (f"Currency: EUR\n{TABLE}Account: B\nCurrency: USD\nQQB,7,3\n", {"QQB": 7}),
        (f"{TABLE}All values in EUR\n", {}),
        ("Symbol,Quantity,Price USD\nQQA,5,10\nAll values in EUR\n", {"QQA": 5}),
        (f"{TABLE}Account value in EUR: 48\n", {"QQA": 5}),
        ("Symbol,Quantity,Market value EUR\nPositions in USD\nQQA,5,48\n", {}),
        (f"Positions in USD\n{TABLE}Positions in CAD\nNone\n", {"QQA": 5}),
        (f"{TABLE}Positions in CAD\n", {"QQA": 5}),
        (f"{TABLE}Secondary currency: EUR\n", {"QQA": 5}),
        (f"Base currency: USD\n{TABLE}Reporting currency: EUR\n", {"QQA": 5}),
        (f"{TABLE}Cash balance in EUR\n", {"QQA": 5}),
        (f"{TABLE}Currency: EUR\n", {}),
    ],
)
def test_the_currency_of_the_rows_below_or_of_all(file, text, expected):
    if not expected:
        with pytest.raises(DataQualityError, match="currency EUR"):
            read_holdings(file(text))
        return
    assert held(read_holdings(file(text))) == expected


@pytest.mark.parametrize(
    "line",
    [
        *("All amounts in thousands of USD", "(USD thousands)", "(in millions)", "Werte in Tsd"),
        *("Values in $ thousands", "USD '000", "($000s)", "(000s)", "USD in millions"),
        *("Market value in '000", "Amounts in thousands as of 2024-12-06", "Valor en miles"),
    ],
)
def test_amounts_in_thousands_are_refused(file, line):
    for text in (f"{line}\n{TABLE}", f"{TABLE}{line}\n"):
        with pytest.raises(DataQualityError, match="thousands or millions"):
            read_holdings(file(text))


@pytest.mark.parametrize(
    "line",
    [
        *("Serving millions of investors", "Account 000", "Prices in USD", "Depot 1000"),
        *("Account (000-12345)", "Account ($000-123)", "Depot (000 123 456)", "Cash USD 000.00"),
        *("Market cap is in millions", "Average volume in thousands", "AUM in millions,,"),
        *("Total net assets in millions,12345.6", "Millions of clients"),
    ],
)
def test_other_lines_state_no_scale(file, line):
    assert held(read_holdings(file(f"{line}\n{TABLE}"))) == {"QQA": 5}


def test_a_table_below_the_title_of_its_class_is_read_with_its_own_columns(file):
    text = "Symbol,Quantity,Price,Value,Held in\nQQA,10,5,50,USD\nQQB,4,5,20,EUR\n\nMutual Funds\n"
    found = read_holdings(file(text + "Symbol,Value,NAV,Shares\nQQAAX,70,2,35\n"))
    rows = found.accounts[0].holdings.rows
    assert dict(zip(rows["symbol"], rows["quantity"], strict=True)) == {"QQA": 10, "QQAAX": 35}
    assert "currency EUR" in found.accounts[0].holdings.rejected[0].reason


@pytest.mark.parametrize(("word", "cash"), [("Total", math.nan), ("Cash", 12)])
def test_tables_below_titles_with_a_total_or_cash_each(file, word, cash):
    text = f"Stocks\nSymbol,Quantity,Price,Value\nQQA,10,5,50\n{word},,,5\n\nETFs\n"
    rows = f"QQB,Some fund,4,5,20\n{word},,,,7\n"
    found = read_holdings(file(f"{text}Symbol,Name,Quantity,Price,Value\n{rows}"))
    assert held(found) == {"QQA": 10, "QQB": 4}
    assert found.accounts[0].cash == pytest.approx(cash, nan_ok=True)


@pytest.mark.parametrize(
    ("second", "lines"),
    [
        ("Stocks\nSymbol,Shares\nQQA,4\nQQA,6\n", [5, 6, 7]),  # the lots of the table above
        ("Ideas\nSymbol,Shares\nQQC,4\n", [5, 6]),
    ],
)
def test_another_table_is_skipped(file, second, lines):
    found = read_holdings(file(f"Symbol,Quantity,Price\nQQA,10,5\n\n{second}"))
    rows = found.accounts[0].holdings.rows
    assert dict(zip(rows["symbol"], rows["quantity"], strict=True)) == {"QQA": 10}
    assert [line.line for line in found.skipped if line.reason == "part of another table"] == lines


def test_names_of_prices_in_cells_are_no_holdings(file):
    text = "Date,Symbol,Field,Value\n2024-12-02,QQA,close,239.59\n2024-12-02,QQA,volume,4813\n"
    with pytest.raises(DataQualityError, match="column Field has the names of prices"):
        read_holdings(file(text))


def test_a_title_with_its_day_in_the_next_cell(file):
    assert read_holdings(file(f"Positions,12/13/2024\n{TABLE}")).day == date(2024, 12, 13)
