"""Holdings of every kind: classes, currencies, cash, totals, lots and days, each as files state it.

Files are small and invented; what they hold is written by hand next to them.
"""

from datetime import date

import numpy as np
import pytest

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.brokers import Account, HoldingsFile, StatedSize, read_holdings
from tests.sources.accounts import held


def only(found: HoldingsFile) -> Account:
    [account] = found.accounts
    return account


def symbols(found: HoldingsFile) -> list[str]:
    return [symbol for account in found.accounts for symbol in account.holdings.rows["symbol"]]


def reasons(found: HoldingsFile) -> list[str]:
    return [row.reason for account in found.accounts for row in account.holdings.rejected]


@pytest.mark.parametrize(
    ("header", "cell", "reason"),
    [
        ("Asset Class", "Fixed Income", "Fixed Income: only shares"),
        ("Anlageklasse", "Anleihen", "Anleihen: only shares"),
        ("Type de titre", "Obligation", "Obligation: only shares"),
        ("Tipo de activo", "Futuros", "Futuros: only shares"),
        ("Tipologia", "Criptovalute", "Criptovalute: only shares"),
        ("Classe de ativo", "Câmbio", "Câmbio: only shares"),
        ("Soort effect", "Obligaties", "Obligaties: only shares"),
        ("Type", "CRYPTOCURRENCY", "CRYPTOCURRENCY: only shares"),
        ("Klasse nach Bank", "Anleihen", "Anleihen: only shares"),
        ("Ccy", "EUR", "currency EUR: only USD"),
        ("Handelswährung", "CHF", "currency CHF: only USD"),
        ("Whatever", "GBP", "currency GBP: only USD"),
        ("MIC", "XTSE", "QQB is listed outside the United States"),
    ],
)
def test_a_column_of_classes_or_currencies_is_read_whatever_its_header(file, header, cell, reason):
    fine = "" if header == "MIC" else {"EUR": "USD", "CHF": "USD", "GBP": "USD"}.get(cell, "ETF")
    found = read_holdings(file(f"Symbol,Quantity,{header}\nQQA,5,{fine}\nQQB,7,{cell}\n"))
    assert symbols(found) == ["QQA"]
    assert [text[: len(reason)] for text in reasons(found)] == [reason]


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("/ESH5", "a future"),
        ("GC=F", "a future"),
        ("BTC-USD", "a cryptocurrency"),
        ("ETH/USD", "a cryptocurrency"),
        ("CRYPTO:QQC", "a cryptocurrency"),
        ("EUR.USD", "a pair of currencies"),
        ("EURUSD=X", "a pair of currencies"),
        ("912797LX3", "the CUSIP of a bond"),
        ("037833100", "a CUSIP, not a symbol. Add a column Symbol"),
        ("US0378331005", "an ISIN, not a symbol. Add a column Symbol"),
        ("TSX:QQB", "TSX:QQB is listed on TSX"),
        ("QQB LN", "QQB LN is listed on LN"),
        ("QQB.L", "QQB.L is listed outside the United States"),
        ("12345.6", "a number, not a symbol"),
    ],
)
def test_the_form_of_a_symbol_tells_what_it_is(file, symbol, reason):
    found = read_holdings(file(f"Symbol,Quantity\nQQA,5\n{symbol},7\n"))
    assert symbols(found) == ["QQA"]
    assert reason in reasons(found)[0]


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("NASDAQ:QQB", "QQB"),
        ("NYSE:BRK.B", "BRK-B"),
        ("QQB US", "QQB"),
        ("BRK/B US Equity", "BRK-B"),
        ("Some Company Inc. (QQB)", "QQB"),
        ("QQB - Some Company", "QQB"),
        ("$QQB", "QQB"),
        ("MKC.V", "MKC-V"),
        ("QQB", "QQB"),
    ],
)
def test_decoration_around_a_symbol_is_taken_off(file, written, symbol):
    found = read_holdings(file(f"Symbol,Quantity\n{written},7\n"))
    assert symbols(found) == [symbol]
    assert any("is read as" in note for note in only(found).holdings.notes) is (
        written not in {"QQB", "MKC.V"}
    )


def test_a_foreign_listing_is_a_holding_only_if_a_column_says_usd(file):
    found = read_holdings(file("Symbol,Quantity,Currency\nQQB.L,7,USD\nQQC.L,8,\n"))
    assert symbols(found) == ["QQB.L"]
    assert "QQC.L is listed outside" in reasons(found)[0]


def test_sections_tell_the_class_of_their_lines(file):
    text = "Symbol,Quantity\nStocks,\nQQA,5\nCryptocurrencies,\nQQB,7\nETFs,\nQQC,9\n"
    found = read_holdings(file(text))
    assert symbols(found) == ["QQA", "QQC"]
    assert reasons(found)[0].startswith("Cryptocurrencies: only shares")


@pytest.mark.parametrize(
    ("header", "is_usd"),
    [
        ("Market value (USD)", True),
        ("Market value $", True),
        ("Market value (EUR)", False),
        ("Marktwert in EUR", False),
        ("Valeur €", False),
        ("Value (C$)", False),
    ],
)
def test_the_unit_of_a_header_is_a_currency(file, header, is_usd):
    text = f"Symbol,Quantity,{header}\nQQA,5,100\nCash,,50\n"
    if is_usd:
        assert only(read_holdings(file(text))).equity == 150
    else:
        with pytest.raises(DataQualityError, match=r"currency (EUR|CAD): only USD"):
            read_holdings(file(text))


def test_an_amount_in_another_currency_next_to_usd_is_left_out(file):
    text = "Symbol,Quantity,Currency,Value (EUR),Value (USD)\nQQA,5,USD,90,100\n"
    assert only(read_holdings(file(text))).value == 100


def test_a_percentage_is_no_amount(file):
    found = read_holdings(file("Symbol,Quantity,Cost basis %,Market value\nQQA,5,60,100\n"))
    assert np.isnan(only(found).holdings.rows["entry_price"][0])


@pytest.mark.parametrize(
    "line",
    [
        "CUR:USD,U S Dollar,500,1.00,500",
        "USD CASH,,500,1,500",
        "QQDEP,FDIC INSURED DEPOSIT AT SOME BANK,500,1.00,500",
        "QQQXX,PRIME FUND,500,1.00,500",
        "Barmittel,,,,500",
        "Liquidités,,,,500",
        "Efectivo,,,,500",
        "Contanti,,,,500",
        "Dinheiro,,,,500",
        "Contanten,,,,500",
        ",Cash & Cash Investments,,,500",
    ],
)
def test_cash_is_cash_in_every_word(file, line):
    text = f"Symbol,Description,Quantity,Price,Market value\nQQA,Some Co,5,20,100\n{line}\n"
    account = only(read_holdings(file(text)))
    assert (account.cash, account.equity, len(account.holdings.rows)) == (500, 600, 1)


def test_a_fund_that_is_not_at_par_is_no_cash(file):
    text = "Symbol,Description,Quantity,Price\nCASH,Some Financial Co,5,81.50\n"
    assert symbols(read_holdings(file(text))) == ["CASH"]


REJECTED = """Symbol,Quantity,Price,Market value,Asset class
QQA,10,30,300,Stock
912797LX3,500,99,495,Fixed Income
Cash,,,105,Cash
"""


@pytest.mark.parametrize(
    ("total", "equity"),
    [
        ("Account total,,,900,\n", 900),
        ("Total positions,,,795,\n", 900),
        ("Account total,,,904.5,\n", 904.5),
        ("Account total,,,904.6,\n", None),
        ("", None),
    ],
    ids=["with cash", "without cash", "within half a percent", "above it", "no total"],
)
def test_equity_counts_what_was_rejected_or_is_unknown(file, total, equity):
    """Oracle: 300 + 495 + 105 = 900, half a percent of which is 4.50."""
    account = only(read_holdings(file(REJECTED + total)))
    assert account.equity == pytest.approx(equity if equity is not None else np.nan, nan_ok=True)
    assert any("pass --equity" in note for note in account.holdings.notes) is (equity is None)


def test_equity_without_rejected_lines_is_the_sum(file):
    text = "Symbol,Quantity,Market value\nQQA,10,300\nCash,,100\nTotal,,999\n"
    assert only(read_holdings(file(text))).equity == 400


@pytest.mark.parametrize(
    ("row", "reason"),
    [("QQB,0,0", "quantity 0: no longer held"), ("QQB,0,", "quantity 0: no longer held")],
)
def test_a_quantity_of_zero_is_a_holding_that_is_gone(file, row, reason):
    found = read_holdings(file(f"Symbol,Quantity,Market value\nQQA,10,300\n{row}\n"))
    assert symbols(found) == ["QQA"]
    assert [(line.line, line.reason) for line in found.skipped] == [(3, reason)]
    assert reasons(found) == []


def test_a_pie_of_trading_212_has_slices(file):
    text = (
        "Slice,Name,Invested value,Value,Result,Owned quantity\n"
        "AAPL,Apple,1200,1260.40,60.40,10\nTotal,Pie,1200,1260.40,60.40,-\n"
    )
    rows = only(read_holdings(file(text))).holdings.rows
    assert rows[["symbol", "quantity", "entry_price"]].to_numpy().tolist() == [["AAPL", 10, 120]]


def test_a_quantity_of_zero_with_a_value_is_a_contradiction(file):
    found = read_holdings(file("Symbol,Quantity,Market value\nQQA,10,300\nQQB,0,50\n"))
    assert reasons(found) == ["quantity 0 is zero"]


LOTS = """Symbol,Quantity,Price Paid $,Value $,Last Price $
QQA,60,10,660,11
05/12/2023,20,9,220,11
08/09/2023,40,10.5,440,11
"""


def test_lots_below_a_position_replace_it(file):
    """The layout of the broker writes the month first."""
    rows = only(read_holdings(file(LOTS))).holdings.rows
    assert rows[["symbol", "quantity", "entry_price", "entry_date"]].to_numpy().tolist() == [
        ["QQA", 20, 9, date(2023, 5, 12)],
        ["QQA", 40, 10.5, date(2023, 8, 9)],
    ]


def test_lots_that_do_not_sum_to_the_position_are_left_out(file):
    found = read_holdings(file(LOTS.replace("08/09/2023,40", "08/09/2023,39")))
    assert held(only(found)) == [("QQA", "LONG", 60, 10)]
    assert [line.reason for line in found.skipped] == [
        "a lot; the lots do not sum to the position"
    ] * 2


def test_options_may_have_their_terms_in_columns(file):
    text = (
        "Symbol,Type,Strike,Expiration,Call/Put,Quantity\n"
        "QQA,Option,250,2027-03-19,Put,-2\nQQA,Stock,,,,100\n"
    )
    account = only(read_holdings(file(text)))
    assert held(account)[0][:3] == ("QQA270319P00250000", "SP", -2)
    assert held(account)[1][:3] == ("QQA", "LONG", 100)


def test_values_are_quantities_at_the_price_of_the_file(file):
    found = read_holdings(file("Symbol,Price,Market value\nQQA,20,100\nCash,,50\n"))
    assert (found.stated_size, held(only(found))[0][2]) == (StatedSize.QUANTITY, 5)
    assert "market value divided by price" in only(found).holdings.notes[0]


def test_values_without_prices_stay_values(file):
    found = read_holdings(file("Symbol,Market value\nQQA,100\nCash,50\n"))
    assert (found.stated_size, held(only(found))[0][2]) == (StatedSize.VALUE, 100)
    assert (only(found).cash, only(found).equity) == (50, 150)


@pytest.mark.parametrize(("header", "is_read"), [("Gain/Loss $", True), ("Xyzzy", False)])
def test_a_table_of_values_with_an_unknown_column_of_numbers_is_refused(file, header, is_read):
    path = file(f"Symbol,Market value,{header}\nQQA,100,5\n")
    if is_read:
        assert read_holdings(path).stated_size is StatedSize.VALUE
    else:
        with pytest.raises(DataQualityError, match=r"unknown columns Xyzzy. Name the one with"):
            read_holdings(path)


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Positions as of 12/06/2024 04:00 PM ET", date(2024, 12, 6)),
        ("Generated at Dec 06 2024 04:31 PM ET", date(2024, 12, 6)),
        ('"As of 2024-12-06 16:30 GMT-05:00"', date(2024, 12, 6)),
        ("Depotbestand per 06.12.2024", date(2024, 12, 6)),
        ("Portefeuille au 6 décembre 2024", date(2024, 12, 6)),
        ("Portafoglio al 06/12/2024", date(2024, 12, 6)),
        ("Posição em 13/12/2024", date(2024, 12, 13)),
        ("Stand per 06-12-2024", date(2024, 12, 6)),
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_a_line_states_the_day(file, line, day, is_above):
    table = "Symbol,Quantity\nQQA,5\n"
    text = f"{line}\n\n{table}" if is_above else f"{table}\n{line}\n"
    assert read_holdings(file(text)).day == day


def test_a_day_that_can_be_two_is_asked_for(file):
    path = file("Positions as of 05/06/2024\nSymbol,Quantity\nQQA,5\n")
    with pytest.raises(UsageError, match=r"05/06/2024, which can be two days. Pass --as-of"):
        read_holdings(path)
    assert read_holdings(path, as_of=date(2024, 5, 6)).day is None


def test_a_column_of_one_day_states_it_and_one_of_several_is_refused(file):
    text = "As of date,Symbol,Quantity\n2024-12-06,QQA,5\n2024-12-06,QQB,7\n"
    assert read_holdings(file(text)).day == date(2024, 12, 6)
    with pytest.raises(DataQualityError, match=r"holdings of 2 days. Import a file for each day"):
        read_holdings(file(text.replace("2024-12-06,QQB", "2024-12-05,QQB")))


CONSOLIDATED = """Statement,Header,Field Name,Field Value
Account Information,Header,Field Name,Field Value
Account Information,Data,Account,U990001 (Custom Consolidated)
Open Positions,Header,DataDiscriminator,Account,Asset Category,Currency,\
Symbol,Quantity,Close Price,Value
Open Positions,Data,Summary,U990001,Stocks,USD,QQA,5,20,100
Open Positions,Data,Summary,U990002,Stocks,USD,QQA,7,20,140
Cash Report,Header,Currency Summary,Currency,Total
Cash Report,Data,Ending Cash,USD,55.5
"""


def test_cash_of_a_consolidated_statement_makes_no_portfolio(file):
    found = read_holdings(file(CONSOLIDATED))
    assert [(one.name, np.isnan(one.cash)) for one in found.accounts] == [
        ("Account ...0001", True),
        ("Account ...0002", True),
    ]
    assert found.skipped[-1].reason == (
        "cash, 55.50 USD, of several accounts together: pass --equity"
    )
    one = "\n".join(line for line in CONSOLIDATED.splitlines() if "U990002" not in line)
    assert only(read_holdings(file(one))).cash == 55.5


def test_equal_columns_of_one_name_are_one(file):
    text = "Symbol,Quantity,Cost basis,Cost basis\nQQA,5,100,{}\n"
    assert held(only(read_holdings(file(text.format(100)))))[0][3] == 20
    with pytest.raises(DataQualityError, match="2 columns named Cost basis, which differ on line"):
        read_holdings(file(text.format(101)))


def test_blanks_after_a_quotation_mark_do_not_matter(file):
    text = '"Symbol " ,"Quantity" ,"Value" \n"QQA" ,"70" ,"$1,400.00" \n'
    assert (held(only(read_holdings(file(text))))[0][2], only(read_holdings(file(text))).value) == (
        70,
        1400,
    )


def test_a_list_of_transactions_below_the_holdings_is_another_table(file):
    text = (
        "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value\n"
        "12345678,Some Fund,QQVAX,5,20,100\n\n"
        "Account Number,Trade Date,Transaction Type,Symbol,Shares,Share Price,Commission Fees\n"
        "12345678,2024-01-05,Buy,QQZZX,9,20,0\n"
    )
    found = read_holdings(file(text))
    assert symbols(found) == ["QQVAX"]
    assert found.skipped[-1].reason == "part of another table"


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        (
            "Account,Symbol,Quantity,Price\nShort,,,\nX,AMD,10,60\nTotal,,,600\nY,AAPL,5,130\n",
            {"AMD": -10, "AAPL": 5},
        ),
        (
            "Symbol,Quantity,Price\nShort positions,,\nStocks,,\nAMD,10,60\nETFs,,\nSPY,2,400\n",
            {"AMD": -10, "SPY": -2},
        ),
    ],
)
def test_the_side_of_a_section_ends_with_it(file, text, shares):
    found = read_holdings(file(text))
    rows = [
        (row.symbol, row.quantity)
        for account in found.accounts
        for row in account.holdings.rows.itertuples()
    ]
    assert dict(rows) == shares


def test_a_class_after_short_positions_without_a_side_is_refused(file):
    text = "Symbol,Quantity,Price\nShort positions,,\nAMD,10,60\nStocks,,\nAAPL,5,130\n"
    with pytest.raises(DataQualityError, match="line 4, Stocks, follows short positions"):
        read_holdings(file(text))


@pytest.mark.parametrize(
    ("header", "cell", "is_held"),
    [
        ("Status", "Sold", False),
        ("Status", "Closed 2024-03-05", False),
        ("Status", "Sold to open", True),
        ("Status", "Closed-end fund", True),
        ("Date sold", "2024-03-05", False),
        ("Date sold", "2999-03-05", True),
    ],
)
def test_a_position_is_sold_by_its_whole_status_or_a_past_day(file, header, cell, is_held):
    found = read_holdings(file(f"Symbol,Quantity,Price,{header}\nQQA,1,2,\nQQB,10,130,{cell}\n"))
    assert symbols(found) == (["QQA", "QQB"] if is_held else ["QQA"])


def test_a_header_after_short_positions_is_refused_unless_another_account_is_named(file):
    table = "Symbol,Quantity,Price\n{}AMD,10,60\n"
    text = table.format("Short positions,,\n") + table.format("")
    with pytest.raises(DataQualityError, match="line 4, a header, follows short positions"):
        read_holdings(file(text))


def test_the_name_of_a_company_is_not_that_of_a_coin(file):
    found = read_holdings(file("Symbol,Quantity,Price,Description\nSUI,10,130,Sun Communities\n"))
    assert symbols(found) == ["SUI"]


@pytest.mark.parametrize(
    "header",
    ["Equity Ticker,Total Units Owned", "security_ticker,position_qty", "Tkr,Shs", "Symbol,netQty"],
)
def test_headers_whose_other_words_do_not_change_them(file, header):
    found = read_holdings(file(f"{header}\nQQA,5\nQQB,7\n"))
    rows = found.accounts[0].holdings.rows
    assert dict(zip(rows["symbol"], rows["quantity"], strict=True)) == {"QQA": 5, "QQB": 7}


@pytest.mark.parametrize(
    "header",
    [
        *("Symbol,Position Shares,Shares", "Symbol,Position Qty,Shares"),
        "Equity ticker,Position Shares,Stock symbol,Shares",
    ],
)
def test_a_header_without_other_words_precedes(file, header):
    cells = {"Symbol": "QQA", "Stock symbol": "QQA", "Equity ticker": "QQB", "Shares": "5"}
    row = ",".join(cells.get(name, "3") for name in header.split(","))
    rows = read_holdings(file(f"{header}\n{row}\n")).accounts[0].holdings.rows
    assert rows[["symbol", "quantity"]].values.tolist() == [["QQA", 5]]


def test_two_headers_with_other_words_are_refused(file):
    with pytest.raises(DataQualityError, match="no known column"):
        read_holdings(file("Symbol,Position Shares,Owned Shares\nQQA,3,5\n"))


@pytest.mark.parametrize("header", ["Account code,Qty", "Symbol,Available qty", "Symbol,Short qty"])
def test_words_that_change_a_header(file, header):
    with pytest.raises(DataQualityError, match="no known column"):
        read_holdings(file(f"{header}\nQQA,5\nQQB,7\n"))


def test_a_refusal_without_headers_says_what_to_add(file):
    with pytest.raises(DataQualityError, match=r"no line of headers.*Add one above"):
        read_holdings(file("QQA,5\nQQB,7\n"))


def test_a_refusal_quotes_the_headers_at_their_delimiter(file):
    with pytest.raises(DataQualityError, match="Its columns are: Ticker, Menge in Kisten, Preis"):
        read_holdings(file("Ticker;Menge in Kisten;Preis\nQQA;10,5;1,5\nQQB;7,5;2,5\n"))


def test_names_of_funds_are_no_asset_classes(file):
    found = read_holdings(file("Fund,Ticker,Weight\nTotal Stock,VTI,60%\nBonds,BND,40%\n"))
    rows = found.accounts[0].holdings.rows
    assert dict(zip(rows["symbol"], rows["quantity"], strict=True)) == {"VTI": 0.6, "BND": 0.4}


def test_sides_with_the_signs_of_values_are_those_of_positions(file):
    text = "Symbol,Quantity,Side,Market Value\nQQA,10,Buy,2428.40\nQQB,4,Sell,"
    lots = held(read_holdings(file(f"{text}-1556.88\n")).accounts[0])
    assert [lot[:3] for lot in lots] == [("QQA", "LONG", 10), ("QQB", "SHORT", -4)]
    with pytest.raises(DataQualityError, match="list of transactions"):
        read_holdings(file(f"{text}1556.88\n"))
