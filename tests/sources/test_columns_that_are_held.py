"""Columns without a known header that change what is held; contents invented, truth by hand."""

from datetime import date

import pytest

from riskmetrics.sources.brokers import read_holdings
from riskmetrics.sources.transaction_files import read_transactions
from riskmetrics.transactions.model import Kind
from tests.sources.test_files_of_custodians import held, reasons

OPTION = "QQA Sep 20 2024 220 Call"


def test_a_contract_is_what_is_held_of_its_underlying(file):
    rows = f"QQA,{OPTION},-1\nQQA,Shares,100\n"
    found = read_holdings(file(f"Underlying,Contract,Qty\n{rows}"))
    assert held(found) == {"QQA240920C00220000": -1, "QQA": 100}


def test_an_option_in_an_unknown_column_may_be_what_is_held(file):
    """The row is that option, or the shares that cover it."""
    found = read_holdings(file(f"Symbol,Qty,Covered by\nQQA,100,{OPTION}\nQQB,50,\n"))
    assert held(found) == {"QQB": 50}
    assert reasons(found)[0].startswith(f"Covered by {OPTION} can be what is held: write it")


def test_an_option_of_another_share_in_an_unknown_column_is_not_held(file):
    found = read_holdings(file(f"Symbol,Qty,Idea\nQQB,100,{OPTION}\n"))
    assert held(found) == {"QQB": 100}


@pytest.mark.parametrize("marks", [("no", "yes"), ("", "X"), ("FALSE", "TRUE"), ("N", "Y")])
@pytest.mark.parametrize("header", ["Short", "Short?", "Is short"])
def test_marks_of_short_positions_are_their_side(file, header, marks):
    long, short = marks
    found = read_holdings(file(f"Symbol,Shares,{header}\nQQA,10,{long}\nQQB,5,{short}\n"))
    assert held(found) == {"QQA": 10, "QQB": -5}


def test_numbers_in_a_column_short_may_be_what_is_sold(file):
    found = read_holdings(file("Symbol,Shares,Short\nQQA,10,0\nQQB,5,1\n"))
    assert held(found) == {"QQA": 10}
    assert reasons(found)[0].startswith("Short 1 can be what is held")


def test_the_short_interest_of_a_company_is_no_position(file):
    found = read_holdings(file("Symbol,Shares,Short interest\nQQA,10,0.7%\nQQB,5,3.1%\n"))
    assert held(found) == {"QQA": 10, "QQB": 5}


def test_columns_long_and_short_without_another_quantity_are_both_sides(file):
    found = read_holdings(file("Symbol,Long,Short,Price\nQQA,100,,20\nQQB,,40,10\n"))
    assert held(found) == {"QQA": 100, "QQB": -40}


def test_valor_is_a_name_if_it_has_only_words(file):
    """In Spanish it is a security, and a value."""
    table = "Valor;Ticker;Títulos;Precio\nAlfa;QQA;7;20,5\nBeta;QQB;3;10,5\n"
    found = read_holdings(file(table))
    [account] = found.accounts
    assert held(found) == {"QQA": 7, "QQB": 3}
    assert account.holdings.rows["last_price"].tolist() == [20.5, 10.5]


def test_kinds_below_a_shortened_header_of_transactions(file):
    header = "Process Date,Trade Date,Settle Date,Tran Code,Symbol,Qty,Price,Net Amt"
    rows = "06/28/2024,06/28/2024,07/01/2024,BUY,QQA,10,20,(200.00)\n"
    [bought] = read_transactions(file(f"{header}\n{rows}")).transactions
    assert (bought.day, bought.kind, bought.quantity, bought.amount) == (
        date(2024, 6, 28), Kind.BUY, 10, -200)  # fmt: skip
