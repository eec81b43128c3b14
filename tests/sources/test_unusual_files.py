"""Files in notations of single brokers, banks and vendors; contents invented, truth by hand."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.price_files import read_prices
from riskmetrics.sources.transaction_files import read_transactions
from tests.sources.small_workbooks import write_workbook


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol."""
    rows = found.accounts[0].holdings.rows
    return dict(zip(rows["symbol"], rows["quantity"], strict=True))


def reasons(found: HoldingsFile) -> list[str]:
    rows = [*found.rejected, *(row for one in found.accounts for row in one.holdings.rejected)]
    return [row.reason for row in rows]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Market", "CA"),
        ("Exchange", "Toronto Stock Exchange"),
        ("Börse", "Xetra Frankfurt"),
        ("Bolsa", "Bolsa de Madrid"),
        ("Market Code", "ASX"),
    ],
)
def test_an_exchange_abroad_is_known_by_its_country_or_place(file, header, cell):
    found = read_holdings(file(f"Symbol,Quantity,{header}\nQQA,5,New York\nQQB,7,{cell}\n"))
    assert held(found) == {"QQA": 5}
    assert "listed outside the United States" in reasons(found)[0]


@pytest.mark.parametrize("symbol", ["QQAA3", "QQAA11", "QQAA4F", "QQAA.SA"])
def test_a_symbol_of_sao_paulo_is_not_one_of_new_york(file, symbol):
    found = read_holdings(file(f"Symbol,Quantity\nQQA,5\n{symbol},7\n"))
    assert held(found) == {"QQA": 5}
    assert "outside the United States" in reasons(found)[0]


def test_saxo_s_exchange_after_the_symbol(file):
    found = read_holdings(file("Symbol,Quantity\nQQA:xnas,5\nQQB:xcse,7\n"))
    assert held(found) == {"QQA": 5}


@pytest.mark.parametrize("header", ["Price (pence)", "Price (p)", "Kurs in Euro", "Preço (R$)"])
def test_a_header_names_its_currency_in_words(file, header):
    with pytest.raises(DataQualityError, match=r"currency (GBX|EUR|BRL): only USD"):
        read_holdings(file(f"Symbol,Quantity,{header}\nQQA,5,10.5\n"))


def test_a_value_in_the_currency_of_the_account_is_not_that_of_the_holdings(file):
    found = read_holdings(file("Symbol;Anzahl;Kurs USD;Wert EUR\nQQA;5;10,50;48,30\n"))
    assert held(found) == {"QQA": 5}
    assert np.isnan(found.accounts[0].value) or found.accounts[0].value == 52.5


def test_an_entry_price_that_contradicts_the_cost_is_unknown(file):
    text = "Symbol,Quantity,Entry price,Cost basis\nQQA,10,{},{}\n"
    [agreed] = read_holdings(file(text.format("15.00", "157.50"))).accounts
    assert agreed.holdings.rows["entry_price"].to_list() == [15.75]
    [contradicted] = read_holdings(file(text.format("15.00", "157.51"))).accounts
    assert np.isnan(contradicted.holdings.rows["entry_price"]).all()
    assert any("entry price unknown" in note for note in contradicted.holdings.notes)


def test_a_line_without_a_symbol_that_has_a_value_is_named_or_is_the_sum_above(file):
    text = "Symbol,Quantity,Value\nQQA,5,50\nQQB,5,60\n,,{}\n"
    [summed] = read_holdings(file(text.format("110.00"))).accounts
    assert (summed.value, summed.holdings.rejected) == (110, [])
    [left] = read_holdings(file(text.format("111.00"))).accounts
    assert [row.reason for row in left.holdings.rejected] == ["no symbol"]
    assert np.isnan(left.equity)


def test_cash_is_known_by_a_text_in_any_column(file):
    found = read_holdings(file("Valeur;Code;Parts;Valorisation\nX;QQA;5;50\nLiquidités;;;7\n"))
    assert found.accounts[0].cash == 7


def test_cash_of_a_fund_is_priced_per_hundred(file):
    found = read_holdings(
        file("Symbol,Name,Quantity,Price,Value\nQQA,X,5,10,50\nUSD,USD CASH,90,100,90\n")
    )
    assert found.accounts[0].cash == 90


def test_a_day_alone_above_the_table_is_the_day(file):
    assert read_holdings(file("Model\n12/13/2024\n\nSymbol,Shares\nQQA,5\n")).day == date(
        2024, 12, 13
    )


def test_cash_above_the_table_is_named(file):
    found = read_holdings(file("Cash:,500\nSymbol,Shares\nQQA,5\n"))
    assert "cash outside of the table: pass --equity" in [line.reason for line in found.skipped]


def test_a_minus_behind_the_number(file):
    assert held(read_holdings(file("Symbol,Shares\nQQA,15-\nQQB,2\n"))) == {
        "QQA": -15,
        "QQB": 2,
    }


def test_options_by_their_underlying_and_terms(file):
    text = "Type,Underlying,Expiry,Strike,Put/Call,Contracts\nOption,QQA,2025-01-17,25,P,-2\n"
    assert held(read_holdings(file(text))) == {"QQA250117P00025000": -2}


TRADES = (
    "Date,Action,Ticker,{},Shares,Price\n2024-12-02,Buy,QQA,{},5,10\n2024-12-02,Buy,{},{},7,9\n"
)


@pytest.mark.parametrize(
    ("header", "fine", "symbol", "cell", "reason"),
    [
        ("Kind of asset", "Stock", "QQB", "Future", "Future: only shares"),
        ("Anlage", "Aktie", "QQB", "Anleihe", "Anleihe: only shares"),
        ("Denomination", "USD", "QQB", "EUR", "currency EUR: only USD"),
        ("Exchange", "NYSE", "QQB", "TSX", "QQB is listed outside the United States"),
        ("Note", "", "BTC-USD", "", "BTC-USD is a cryptocurrency"),
        ("Note", "", "/ESH5", "", "/ESH5 is a future"),
        ("Note", "", "QQB.L", "", "QQB.L is listed outside the United States"),
        ("Note", "", "LON:QQB", "", "LON:QQB is listed on LON"),
    ],
)
def test_a_transaction_of_what_is_not_supported_is_rejected(
    file, header, fine, symbol, cell, reason
):
    found = read_transactions(file(TRADES.format(header, fine, symbol, cell)))
    assert [one.symbol for one in found.transactions] == ["QQA"]
    assert [row.reason[: len(reason)] for row in found.rejected] == [reason]


@pytest.mark.parametrize("header", ["Price (EUR),Fee", "Price,Amount (EUR)", "Price,Amount in €"])
def test_amounts_in_another_currency_are_rejected_by_the_header(file, header):
    found = read_transactions(file(f"Date,Action,Ticker,Qty,{header}\n2024-12-02,Buy,QQA,5,10,1\n"))
    assert [row.reason[:21] for row in found.rejected] == ["currency EUR: only US"]


def test_debit_and_credit_are_the_amount(file):
    header = "Date,Action,Ticker,Qty,Price,Debit,Credit"
    rows = "2024-12-02,Buy,QQA,5,10,51,\n2024-12-03,Sell,QQA,2,11,,21\n"
    found = read_transactions(file(f"{header}\n{rows}"))
    assert [one.amount for one in found.transactions] == [Decimal(-51), Decimal(21)]


def test_letters_for_purchase_and_sale(file):
    header = "Data do negócio;C/V;Código;Quantidade;Preço"
    found = read_transactions(file(f"{header}\n02/12/2024;C;QQA;5;10,5\n13/12/2024;V;QQA;2;11\n"))
    assert [one.kind for one in found.transactions] == ["buy", "sell"]


@pytest.mark.parametrize(
    ("days", "period"),
    [
        (("2024-11-18", "2024-11-25", "2024-12-02", "2024-12-09"), "week"),
        (("2024-08-30", "2024-09-30", "2024-10-31", "2024-11-29"), "month"),
    ],
)
def test_weekly_and_monthly_prices_are_refused(file, days, period):
    rows = [f"QQA,{day},10\n" for day in days]
    with pytest.raises(DataQualityError, match=f"one price per {period}"):
        read_prices(file("Symbol,Date,Close\n" + "".join(rows)))
    assert len(read_prices(file("Symbol,Date,Close\n" + "".join(rows[:3]))).rows) == 3
    daily = "QQA,2024-12-10,10\nQQA,2024-12-11,10\n"
    assert len(read_prices(file("Symbol,Date,Close\n" + "".join(rows) + daily)).rows) == 6


@pytest.mark.parametrize(
    ("columns", "bad", "reason"),
    [
        ("Code,Exchange", "QQB,LSE", "outside the United States"),
        ("ISIN,Name", "US0378331005,X", "an ISIN, not a symbol"),
        ("Symbol,Name", "7203,X", "a number, not a symbol"),
        ("Symbol,Name", "QQAA3,X", "outside the United States"),
    ],
)
def test_prices_of_what_is_no_us_symbol_are_rejected(file, columns, bad, reason):
    fine = "QQA,US" if "Exchange" in columns else "QQA,X"
    found = read_prices(file(f"{columns},Date,Close\n{fine},2024-12-02,10\n{bad},2024-12-02,11\n"))
    assert [row.reason for row in found.rejected if reason not in row.reason] == []
    assert found.rows["symbol"].to_list() == ["QQA"]


def test_prices_of_symbols_with_decoration(file):
    found = read_prices(file("Symbol,Date,Close\nNYSE:QQA,2024-12-02,10\nQQB US,2024-12-02,9\n"))
    assert found.rows["symbol"].to_list() == ["QQA", "QQB"]


@pytest.mark.parametrize(("header", "words"), [("L/S", "LS"), ("Whatever", ("Long", "Short"))])
def test_short_positions_are_known_by_letters_or_by_words_under_any_header(file, header, words):
    text = f"Symbol,Quantity,{header}\nQQA,5,{words[0]}\nQQB,7,{words[1]}\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQB": -7}


def test_an_option_that_only_the_description_names(file):
    text = "Symbol,Description,Quantity\nQQA,QQ ALPHA,5\nQQA,QQA Jan 17 2025 65.0 Call,2\n"
    assert held(read_holdings(file(text))) == {"QQA": 5, "QQA250117C00065000": 2}
    unreadable = "QQA,CALL (QQA) QQ ALPHA JAN 17 25 $65 (100 SHS),2\n"  # codespell:ignore
    found = read_holdings(file(text + unreadable))
    assert held(found) == {"QQA": 5, "QQA250117C00065000": 2}
    assert ["option" in reason for reason in reasons(found)] == [True]
    company = "Symbol,Description,Quantity\nQQC,CALLAWAY 2000 CLASS C,5\nQQP,PUT IT,7\n"
    assert held(read_holdings(file(company))) == {"QQC": 5, "QQP": 7}


@pytest.mark.parametrize("code", ["850663", "A1CX3T", "B7TL820"])
def test_an_identifier_in_the_form_of_a_symbol_is_none(file, code):
    with pytest.raises(DataQualityError, match="is an identifier, not a symbol"):
        read_holdings(file(f"WKN;Stück\n{code};5\n"))


def test_a_word_in_the_place_of_a_symbol_is_a_total_if_it_is_the_sum(file):
    text = "Symbol,Shares,Value\nQQA,5,50.00\nQQB,5,60.00\nPORTFOLIO,10,{}\n"
    assert held(read_holdings(file(text.format("110.00")))) == {"QQA": 5, "QQB": 5}
    assert held(read_holdings(file(text.format("111.00")))) == {"QQA": 5, "QQB": 5, "PORTFOLIO": 10}


def test_an_order_that_is_not_executed_is_no_transaction(file):
    header = "Date,Side,Symbol,Qty,Price,Order Status\n"
    rows = "2024-12-02,Buy,QQA,5,10,Filled\n2024-12-03,Buy,QQA,5,9,{}\n"
    unexecuted = "Cancelled", "REJECTED by exchange", "Storniert", "en attente"  # codespell:ignore
    for status in unexecuted:
        found = read_transactions(file(header + rows.format(status)))
        assert len(found.transactions) == 1
        assert [line.reason for line in found.skipped] == [f"not executed: {status}"]


def test_amounts_that_are_the_value_that_enters_the_holdings(file):
    header = "Date,Action,Symbol,Quantity,Price,Amount\n"
    bought = "2024-12-02,Buy,QQA,5,10,50\n"
    found = read_transactions(file(header + bought + "2024-12-03,Sell,QQA,-2,11,-22\n"))
    assert [one.amount for one in found.transactions] == [Decimal(-50), Decimal(22)]
    sold = "2024-12-03,Sell,QQA,2,11,22\n2024-12-04,Sell,QQA,2,11,-22\n"
    found = read_transactions(file(header + bought + sold))
    assert ["a canceled trade" in row.reason for row in found.rejected] == [True]


def test_the_sheet_with_a_table_is_read_and_the_others_are_named(tmp_path):
    path = tmp_path / "book.xlsx"
    table = [["Symbol", "Quantity"], ["QQA", 5]]
    write_workbook(path, {"Summary": [["Value"]], "Stocks": table, "Funds": table})
    found = read_holdings(path)
    assert held(found) == {"QQA": 5}
    assert "sheet Stocks (not read: Funds)" in found.file_format
    prices = [["Symbol", "Date", "Close"], ["QQA", "2024-12-02", 10]]
    write_workbook(path, {"Info": [["Prices"]], "Data": prices})
    parsed = read_prices(path)
    assert (len(parsed.rows), parsed.notes[0]) == (1, "sheet Data")
    trades = [["Date", "Type", "Symbol", "Quantity", "Price"], ["2024-12-02", "Buy", "QQA", 5, 10]]
    other = [["Date", "Action", "Ticker", "Shares", "Price"], *trades[1:]]
    write_workbook(path, {"Info": [["Trades"]], "Data": trades, "More": other})
    assert read_transactions(path).notes == ["sheet Data (not read: More)"]
    write_workbook(path, {"2023": trades, "2024": trades})
    with pytest.raises(DataQualityError, match=r"several sheets .*; the others: 2024\. Save each"):
        read_transactions(path)


def test_a_header_without_rows(file):
    for read in (read_holdings, read_transactions, read_prices):
        with pytest.raises(DataQualityError, match=r"a header but no (row|transaction)"):
            read(file("Date,Action,Symbol,Quantity,Close\n"))


@pytest.mark.parametrize("name", ["US Dollar", "$", "usd"])
def test_the_dollar_in_words_is_a_dollar_in_every_kind_of_file(file, name):
    rows = f"2024-12-02,{{}}QQA,5,10,{name}\n2024-12-02,{{}}QQB,5,10,Euro\n"
    trades = "Date,Action,Symbol,Qty,Price,Currency\n" + rows.format("Buy,", "Buy,")
    assert [one.symbol for one in read_transactions(file(trades)).transactions] == ["QQA"]
    prices = f"Symbol,Date,Close,Currency\nQQA,2024-12-02,10,{name}\nQQB,2024-12-02,10,Euro\n"
    assert read_prices(file(prices)).rows["symbol"].to_list() == ["QQA"]
    assert held(read_holdings(file(f"Symbol,Qty,Currency\nQQA,5,{name}\nQQB,5,Euro\n"))) == {
        "QQA": 5
    }


def test_a_transaction_of_an_option_that_only_the_description_names(file):
    header = "Date,Action,Symbol,Description,Quantity,Price,Amount\n"
    row = "2024-12-02,Sell to Open,QQA,QQA Jan 17 2025 65 Call,1,0.50,50.00\n"
    [trade] = read_transactions(file(header + row)).transactions
    assert trade.symbol == "QQA250117C00065000"


def test_the_stated_day_shows_the_order_of_the_other_dates(file):
    text = "As of {}\nSymbol,Shares,Purchase date\nQQA,5,05/01/2023\n"
    [account] = read_holdings(file(text.format("27/09/2024"))).accounts
    assert account.holdings.rows["entry_date"].to_list() == [date(2023, 1, 5)]
    with pytest.raises(DataQualityError, match="not an unambiguous date"):
        read_holdings(file(text.format("2024-09-27")))


@pytest.mark.parametrize("header", ["Fecha;Cierre", "Datum;Schlusskurs", "Date;Clôture"])
def test_in_other_languages_than_english_the_day_comes_first(file, header):
    text = "Ticker;{}\nQQA;02/12/2024;10,5\nQQA;03/12/2024;10,25\n"
    found = read_prices(file(text.format(header)))
    assert found.rows["date"].to_list() == [date(2024, 12, 2), date(2024, 12, 3)]
    with pytest.raises(DataQualityError, match="not an unambiguous date"):
        read_prices(file(text.format("Date;Close")))
    trades = "Fecha;Operación;Ticker;Títulos;Precio\n02/12/2024;Compra;QQA;5;10,5\n"
    assert [one.day for one in read_transactions(file(trades)).transactions] == [date(2024, 12, 2)]


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [
        ("Bloomberg", "QQ US Equity", "QR UN Equity"),
        ("Exchange:Ticker", "NYSE:QQ", "NASDAQ:QR"),
        ("Mnemonic", "QQ", "QR"),
        ("Description", "Qqa Inc (QQ)", "Qrst Corp (QR)"),
    ],
)
def test_a_column_of_tickers_tells_that_short_words_are_names(file, header, first, second):
    content = f"Stock,{header},Shares,Price\nQQAA,{first},9,310\nQRST,{second},300,10.5\n"
    assert held(read_holdings(file(content))) == {"QQ": 9, "QR": 300}


def test_one_code_of_an_exchange_on_all_rows_is_that_of_a_benchmark(file):
    content = "Stock,Compared with,Shares\nQQA,SPX US,9\nQRS,SPX US,300\n"
    assert held(read_holdings(file(content))) == {"QQA": 9, "QRS": 300}


def test_names_in_the_column_of_symbols_are_rejected_together(file):
    content = "Symbol,Shares,Price\nVisa,9,310\nFord Motor,300,10.5\nQQA,5,20\nTotal,,2900\n"
    found = read_holdings(file(content))
    assert held(found) == {"QQA": 5}
    problems = [reason.split(":")[0] for reason in reasons(found)]
    assert problems == ["Visa is a name", "Ford Motor is a name"]


def test_symbols_in_the_case_of_names_are_read(file):
    assert held(read_holdings(file("Symbol,Shares\nAapl,9\nMsft,5\n"))) == {"AAPL": 9, "MSFT": 5}


@pytest.mark.parametrize(
    ("header", "open_cell", "closed_cell"),
    [
        ("Exit Price", "", "160"),
        ("Sell Price", "0.00", "160"),
        ("Sold Qty", "0", "50"),
        ("Closed", "0", "50"),
    ],
)
def test_a_position_that_may_be_closed_is_rejected_without_a_state(
    file, header, open_cell, closed_cell
):
    rows = f"QQA,100,60,{open_cell}\nQQB,50,150,{closed_cell}\n"
    found = read_holdings(file(f"Symbol,Quantity,Buy Price,{header}\n{rows}"))
    assert held(found) == {"QQA": 100}
    assert "remove the line if nothing is held" in reasons(found)[0]


def test_a_price_of_sale_on_all_rows_or_next_to_a_state_is_of_positions_that_are_held(file):
    content = "Symbol,Quantity,Sell Price\nQQA,100,63\nQQB,50,160\n"
    assert held(read_holdings(file(content))) == {"QQA": 100, "QQB": 50}
    content = "Symbol,Quantity,Sell Price,Status\nQQA,100,,Open\nQQB,50,160,Open\nQQC,7,8,Closed\n"
    assert held(read_holdings(file(content))) == {"QQA": 100, "QQB": 50}


@pytest.mark.parametrize(
    ("quantity", "remaining", "n_read"),
    [("100", "0", 1), ("100", "1", 0), ("100", "100", 0), ("100", "101", 1), ("-100", "60", 0)],
)
def test_an_order_of_which_a_part_remains_is_rejected(file, quantity, remaining, n_read):
    rows = f"2024-12-02,QQA,Sell,{quantity},{remaining},62\n2024-12-02,QQB,Buy,5,0,10\n"
    found = read_transactions(file(f"Date,Symbol,Side,Quantity,Remaining,Price\n{rows}"))
    assert len(found.transactions) == n_read + 1
    assert len(found.rejected) == 1 - n_read
    assert all(f"{remaining} of 100 remain" in row.reason for row in found.rejected)


def test_the_filled_quantity_counts_next_to_what_remains(file):
    header = "Date,Symbol,Side,Quantity,Filled Qty,Remaining,Price\n"
    [one] = read_transactions(file(f"{header}2024-12-02,QQA,Buy,100,40,60,62\n")).transactions
    assert one.quantity == Decimal(40)


@pytest.mark.parametrize(("header", "cell"), [("Status", "Withdrawn"), ("Withdrawn", "Yes")])
def test_orders_that_are_all_withdrawn_change_nothing_and_the_import_says_so(file, header, cell):
    found = read_transactions(
        file(f"Date,Symbol,Side,Quantity,Price,{header}\n2024-12-02,QQA,Buy,100,62,{cell}\n")
    )
    assert not found.transactions
    assert len(found.skipped) == 1
    assert found.notes[-1] == "no line of the file is an executed transaction: it changes nothing"


def test_a_trade_that_opens_a_position_is_no_open_order(file):
    content = "Date,Symbol,Side,Quantity,Price,Open\n2024-12-02,QQA,Buy,100,62,Yes\n"
    assert len(read_transactions(file(content)).transactions) == 1
