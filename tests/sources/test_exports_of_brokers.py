"""Exports of brokers and funds: sides, sold positions, vendors' symbols; truth by hand."""

from datetime import date

import numpy as np
import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.transaction_files import read_transactions


def held(found: HoldingsFile) -> dict[str, float]:
    """Return the quantity of each symbol in all accounts."""
    rows = [one.holdings.rows for one in found.accounts]
    return {s: q for part in rows for s, q in zip(part["symbol"], part["quantity"], strict=True)}


def reasons(found: HoldingsFile) -> list[str]:
    rows = [*found.rejected, *(row for one in found.accounts for row in one.holdings.rejected)]
    return [row.reason for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Symbol,Quantity,Type\nQQA,5,Cash\nQQB,7,Short\n", {"QQA": 5, "QQB": -7}),
        ("Symbol,Quantity,Type\nQQA,5,BUY\nQQB,7,SELL\n", None),
        ("Symbol,Quantity,Account type\nQQA,5,Margin\nQQB,7,Short\n", {"QQA": 5, "QQB": -7}),
        ("Symbol,Quantity\nLongs,\nQQA,5\nShort positions,\nQQB,7\n", {"QQA": 5, "QQB": -7}),
        ("Symbol,Quantity\nLeerverkäufe,\nQQA,5\n", {"QQA": -5}),
        # the term of a gain for the tax is no side
        ("Symbol,Quantity,Term\nQQA,5,Long\nQQB,7,Short\n", {"QQA": 5, "QQB": 7}),
        ("Symbol,Quantity,Holding period\nQQA,5,Long\nQQB,7,Short\n", {"QQA": 5, "QQB": 7}),
    ],
)  # fmt: skip
def test_the_side_of_a_position_is_read_from_types_and_headings(file, text, expected):
    if expected is None:  # trades, not positions
        with pytest.raises(DataQualityError, match="a list of transactions"):
            read_holdings(file(text))
    else:
        assert held(read_holdings(file(text))) == expected


def test_buy_and_sell_are_sides_next_to_the_price_of_purchase_and_that_of_now(file):
    header = "Symbol,Type,Quantity,Open time,Open price,Market price\n"
    rows = "QQA,BUY,5,2024-01-03 15:30:00,10,11\nQQB,SELL,7,2024-01-04 15:30:00,20,19\n"
    assert held(read_holdings(file(header + rows))) == {"QQA": 5, "QQB": -7}
    with pytest.raises(DataQualityError, match="rename Volume to Quantity"):
        read_holdings(file("Position," + header.replace("Quantity", "Volume") + "1," + rows))


def test_buy_and_sell_next_to_a_date_of_purchase_are_transactions(file):
    text = "Symbol,Side,Quantity,Purchase date,Avg cost,Price\nQQA,Buy,5,2024-12-02,10,10\n"
    with pytest.raises(DataQualityError, match="a list of transactions"):
        read_holdings(file(text + "QQA,Sell,2,2024-12-16,10,11\n"))


SOLD = "Symbol,Quantity,Date acquired,{},Proceeds,Cost basis\nQQA,5,2023-02-01,{},60,50\n"


@pytest.mark.parametrize("header", ["Date sold", "Closed Date", "Verkaufsdatum", "Fecha de venta"])
def test_realized_gains_are_no_holdings(file, header):
    with pytest.raises(DataQualityError, match=r"sold positions.*Export the positions that are"):
        read_holdings(file(SOLD.format(header, "2024-12-02")))
    assert held(read_holdings(file(SOLD.format(header, "")))) == {"QQA": 5}


@pytest.mark.parametrize(
    "text",
    [
        "Symbol,Quantity,Status\nQQA,5,Open\nQQB,7,Closed\n",
        "Symbol,Quantity,Cost,Date sold\nQQA,5,50,\nQQC,5,50,\nQQB,7,70,2024-12-02\n",
        "Symbol,Quantity,Sold\nQQA,5,No\nQQC,5,0\nQQB,7,Yes\n",
    ],
)
def test_a_position_that_is_sold_is_no_longer_held(file, text):
    found = read_holdings(file(text))
    assert held(found) == {"QQA": 5, **({"QQC": 5} if "QQC" in text else {})}
    assert [line.reason for line in found.skipped if "no longer held" in line.reason] != []


def test_a_list_of_dividends_is_not_taken_for_holdings(file):
    text = "Symbol,Ex-date,Pay date,Shares,{}Amount\nQQA,2024-11-29,2024-12-16,5,{}2.5\n"
    with pytest.raises(DataQualityError, match="can be a table of holdings or a list of trans"):
        read_holdings(file(text.format("", "")))
    assert held(read_holdings(file(text.format("Market value,", "50,")))) == {"QQA": 5}


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("QQA.N", "QQA"),  # Refinitiv
        ("QQAb.N", "QQA-B"),
        ("QQA.OQ", "QQA"),
        ("QQA_US_EQ", "QQA"),  # Trading 212
        ("QQA-US", "QQA"),  # FactSet
        ("QQA (Alpha Holdings)", "QQA"),
        ("QQA (ALPHA)", "QQA"),
        ("ALPHA (QQA)", "QQA"),
        ("QQA (NYSE)", "QQA"),
        ('=""QQA""', "QQA"),  # a text that Excel must not convert
        ("BAC-PL", "BAC-PL"),
        ("QQA-B", "QQA-B"),
    ],
)
def test_a_symbol_of_a_vendor(file, written, symbol):
    assert list(held(read_holdings(file(f'Symbol,Quantity\n"{written}",5\n')))) == [symbol]


def test_a_class_is_no_code_of_a_vendor_next_to_plain_symbols(file):
    """GS.N can be a preferred share: only a column of such codes is one of Refinitiv."""
    rows = "Symbol,Quantity\nQQA,5\nGS.N,7\nQQB,3\n"
    assert held(read_holdings(file(rows))) == {"QQA": 5, "GS.N": 7, "QQB": 3}


def test_names_in_capitals_are_no_symbols(file):
    with pytest.raises(DataQualityError, match="no known column of symbols"):
        read_holdings(file("Company,Shares\nIBM,5\nADOBE,7\nINTEL,9\n"))
    found = read_holdings(file("Company,Shares\nIBM,5\nKO,7\n"))
    assert held(found) == {"IBM": 5, "KO": 7}
    assert (
        "Company is read as Symbol, because its cells are, such as IBM"
        in found.accounts[0].holdings.notes
    )


@pytest.mark.parametrize(
    ("columns", "bad", "reason"),
    [
        ("Symbol,Name", "QQBl_EQ,X", "listed on an exchange outside the United States"),
        ("Symbol,Name", "QQB-GB,X", "listed on GB"),
        ("Symbol,Name", "QQB (TSX),X", "listed on TSX"),
        ("Symbol,Name", "ESZ4,X", "a future"),
        ("Symbol,Name", "BTC,Bitcoin", "a cryptocurrency"),
        ("Symbol,ISIN", "QQB,INE002A01018", "outside the United States"),
        ("Symbol,Name", "--,SWAP", "no symbol"),
    ],
)
def test_what_is_no_us_listing_is_rejected(file, columns, bad, reason):
    found = read_holdings(file(f"{columns},Quantity\nQQA,X,5\n{bad},7\n"))
    assert held(found) == {"QQA": 5}
    assert reason in reasons(found)[0]


@pytest.mark.parametrize(
    "text",
    [
        "Stock,Shares,Price\n$QQA,5,10\nCash,7,1\n",
        "Security,Position,Price\nQQA US Equity,5,10\n",
        "Action,Units,ISIN,Price\nAlpha (QQA),5,US0378331005,10\n",
        "Identifier,CUSIP,Shares,Price\nQQA,037833100,5,10\n",
        "Symbol & Name,Quantity,Price\nQQA,5,10\n",
    ],
)
def test_a_column_of_tickers_under_another_header(file, text):
    assert held(read_holdings(file(text))) == {"QQA": 5}


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Stock,Shares", "Alpha,5\nQQA,7\n"),
        ("Stock,ISIN,Shares", "ALPHA,US0378331005,5\n"),
        ("Name,Shares", "ALPHA,5\n"),
        ("Description,Shares", "FEE,5\n"),
        ("Product,Shares", "ETF,5\n"),
        ("Instrument,Shares", "BUY,5\n"),
    ],
)
def test_names_are_not_taken_for_tickers(file, header, rows):
    with pytest.raises(DataQualityError, match=r"no known column of symbols|an ISIN"):
        read_holdings(file(f"{header}\n{rows}"))


def test_a_value_column_with_names_or_percentages(file):
    spanish = "Valor;Ticker;Títulos;Precio\nALPHA SA;QQA;5;10\n"
    assert held(read_holdings(file(spanish))) == {"QQA": 5}
    weights = read_holdings(file("Symbol,Balance\nQQA,60%\nQQB,40%\n"))
    assert (weights.has_weights, held(weights)) == (True, {"QQA": 0.6, "QQB": 0.4})
    # amounts that cannot be read are not left out
    assert "EUR" in reasons(read_holdings(file("Symbol,Qty,Value\nQQA,5,\nQQB,7,70 EUR\n")))[0]


def test_calls_and_puts_by_the_type_of_the_row(file):
    text = "Underlying,Type,Strike,Expiration,Qty\nQQA,Call,65,2025-01-17,-1\n"
    assert held(read_holdings(file(text))) == {"QQA250117C00065000": -1}


def test_the_total_of_all_accounts_is_no_account(file):
    text = "Account number,Symbol,Quantity,Value\n123,QQA,5,50\nTotal,,,50\n"
    assert [one.value for one in read_holdings(file(text)).accounts] == [50]


def test_a_day_in_brackets_behind_the_title(file):
    found = read_holdings(file("Alpha Fund - Daily Holdings (12/13/2024)\nTicker,Shares\nQQA,5\n"))
    assert found.day == date(2024, 12, 13)


def test_a_purchase_on_various_days_has_no_date(file):
    [account] = read_holdings(file("Symbol,Qty,Date acquired\nQQA,5,Various\n")).accounts
    assert account.holdings.rows["entry_date"].to_list() == [None]


@pytest.mark.parametrize(
    "name", ["-USD CASH-", "*Cash*", "UBS BANK USA DEP ACCT", "BANK DEPOSIT SWEEP"]
)
def test_cash_by_other_names(file, name):
    [account] = read_holdings(
        file(f"Symbol,Name,Quantity,Value\nQQA,X,5,50\n,{name},,7\n")
    ).accounts
    assert account.cash == 7
    assert not np.isnan(account.equity)


TRADE = "Date,{},Symbol,Quantity,Price,Amount\n2024-12-02,{},QQA,5,10,{}\n"


@pytest.mark.parametrize(
    ("headers", "cells", "amount", "kind"),
    [
        ("Type,Side", "TRADE,BUY", "-50", "buy"),
        ("Activity type,Activity sub type", "Trade,SELL", "50", "sell"),
        ("Type", "Cash Dividend Reinvested", "-50", "buy"),
        ("Type", "Dividend - Reinvested", "-50", "buy"),
        ("Type", "Dividend", "-50", "dividend"),  # of a short position
        ("Typ av transaktion", "Köp", "-50", "buy"),
        ("Transaktionstype", "SOLGT", "50", "sell"),
    ],
)
def test_the_kind_of_a_transaction_in_other_words(file, headers, cells, amount, kind):
    [found] = read_transactions(file(TRADE.format(headers, cells, amount))).transactions
    assert (found.kind, found.amount) == (kind, int(amount))


@pytest.mark.parametrize(("price", "is_coin"), [("999.99", False), ("1000", True)])
def test_a_coin_costs_a_thousand_dollars_and_a_fund_of_it_less(file, price, is_coin):
    text = f"Date,Action,Symbol,Quantity,Price\n2024-12-02,Buy,BTC,2,{price}\n"
    assert len(read_transactions(file(text)).rejected) == is_coin
    lots = f"Symbol,Quantity,Price\nQQA,5,10\nBTC,2,{price}\n"
    assert ("BTC" in held(read_holdings(file(lots)))) != is_coin


def test_the_balances_of_an_account_are_of_no_known_kind(file):
    text = "Date,Description,Amount,Balance\n2024-12-02,ALPHA,5,5\n2024-12-03,BETA,6,11\n"
    with pytest.raises(DataQualityError, match="no line with headers of a date, a kind"):
        read_transactions(file(text))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("currency,EUR", "currency EUR"), ("ISIN,INE002A01018", "outside the United States")],
)
def test_what_is_not_supported_is_said_before_an_ambiguous_day(file, name, reason):
    header, cell = name.split(",")
    text = f"Date,Action,Symbol,Quantity,Price,{header}\n02/12/2024,Buy,QQA,5,10,{cell}\n"
    [row] = read_transactions(file(text)).rejected
    assert reason in row.reason


def test_a_statement_in_another_language_is_refused_as_that(file):
    text = "Transaktionen,Header,DataDiscriminator,Symbol,Menge\nTransaktionen,Data,Order,QQA,5\n"
    with pytest.raises(DataQualityError, match="Export it in English"):
        read_transactions(file(text))


def test_positions_of_avanza_have_values_in_kronor(file):
    text = (
        "Kontonummer;Namn;Kortnamn;Volym;Marknadsvärde;GAV (SEK);GAV;Valuta;Land;ISIN;Marknad;Typ\n"
        "1;Alpha Inc;QQA;12;31900,30;1580,20;150,10;USD;US;;XNAS;STOCK\n"
        "1;Beta AB;QQB B;40;10804,00;200,00;200,00;SEK;SE;;XSTO;STOCK\n"
    )
    [account] = read_holdings(file(text)).accounts
    rows = account.holdings.rows
    assert rows[["symbol", "quantity", "entry_price"]].to_numpy().tolist() == [["QQA", 12, 150.1]]
    assert np.isnan(account.value)


def test_the_day_of_a_download_of_merrill_has_the_month_first(file):
    text = '"COB Date","Account #","Symbol","Quantity"\n"12/06/2024","1","QQA","12"\n'
    assert read_holdings(file(text)).day == date(2024, 12, 6)
