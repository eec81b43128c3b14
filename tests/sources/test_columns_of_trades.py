"""Columns of transactions of which the cells show the meaning: net amounts, and states; by hand."""

from datetime import date

import pytest

from riskmetrics.sources.transaction_files import TransactionList, read_transactions


def stated(found: TransactionList) -> list[tuple[str, str, float]]:
    return [(one.kind.value, one.symbol or "", float(one.amount)) for one in found.transactions]


@pytest.mark.parametrize(
    ("header", "trade", "income"),
    [
        ("Amount,Tax,Net", "-190,1,-191", "100.00,15.00,85.00"),
        ("Net,Tax,Amount", "-191,1,-190", "85.00,15.00,100.00"),
        ("Value,Tax,Net value", "190,1,-191", "100.00,15.00,85.00"),
        ("Amount,Tax,Payout", "190,1,191", "100.00,-15.00,85.00"),
        ("Gross,Tax,Net", "-190,1,-191", "100.00,15.00,85.00"),
    ],
)
def test_the_net_one_of_two_amounts_is_read(file, header, trade, income):
    text = f"Date,Type,Symbol,Shares,{header}\n2024-12-02,Buy,QQA,10,{trade}\n"
    found = read_transactions(file(f"{text}2024-12-05,Dividend,QQA,,{income}\n"))
    assert stated(found) == [("buy", "QQA", -191), ("dividend", "QQA", 85)]


def test_an_amount_that_is_not_that_of_all_rows_without_its_tax_is_no_net_amount(file):
    header = "Date,Type,Symbol,Gross amount,Tax,Balance\n"
    rows = "2024-12-05,Dividend,QQA,100,15,85\n2024-12-06,Dividend,QQB,50,5,130\n"
    found = read_transactions(file(header + rows))
    assert stated(found) == [("dividend", "QQA", 85), ("dividend", "QQB", 45)]


HEADER = "Date,Symbol,Side,Quantity,Price,Status\n"
OPEN = "2024-12-02,QQA,Buy,10,19,Open\n"


@pytest.mark.parametrize("others", [("Closed", "Closed"), ("WIN", "LOSS")])
def test_open_next_to_states_of_positions_is_not_that_of_an_order(file, others):
    rows = "".join(f"2024-12-0{day},QQB,Buy,5,44,{state}\n" for day, state in enumerate(others, 3))
    found = read_transactions(file(HEADER + OPEN + rows))
    assert found.rejected[0].raw_row == OPEN.rstrip()
    assert all("does not tell if it was executed" in row.reason for row in found.rejected)
    assert [one.day for one in found.transactions] == (
        [date(2024, 12, 3), date(2024, 12, 4)] if "Closed" in others else []
    )


@pytest.mark.parametrize("other", ["Filled", "Canceled", "Executed 12:00"])
def test_open_next_to_states_of_orders_is_not_executed(file, other):
    filled = "2024-12-03,QQB,Buy,5,44,Filled\n"
    found = read_transactions(file(f"{HEADER}{OPEN}{filled}2024-12-04,QQB,Buy,5,44,{other}\n"))
    assert "not executed: Open" in [line.reason for line in found.skipped]
    assert {one.symbol for one in found.transactions} == {"QQB"}


def test_open_orders_alone_are_not_executed(file):
    found = read_transactions(file(HEADER + OPEN))
    assert found.transactions == []
    assert "not executed: Open" in [line.reason for line in found.skipped]
