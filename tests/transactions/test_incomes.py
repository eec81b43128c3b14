"""Incomes of reinvested dividends: which are stated, at the boundaries of the comparison."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from riskmetrics.transactions.incomes import find_unstated_incomes
from riskmetrics.transactions.model import Kind, Transaction

DAY = date(2024, 3, 5)
BOUGHT = Transaction(
    Kind.BUY, DAY, Decimal(-30), symbol="KO", quantity=Decimal("0.5"), price=Decimal(60)
)
PAID = Transaction(Kind.DIVIDEND, DAY, Decimal(30), symbol="KO")


@pytest.mark.parametrize(
    ("paid", "is_stated"),
    [
        (PAID, True),
        (replace(PAID, symbol=None), True),
        (replace(PAID, symbol="PEP"), False),
        (replace(PAID, day=DAY - timedelta(days=7)), True),
        (replace(PAID, day=DAY - timedelta(days=8)), False),
        (replace(PAID, amount=Decimal(60)), True),  # half of it was withheld
        (replace(PAID, amount=Decimal("60.01")), False),
        (replace(PAID, amount=Decimal(29)), True),
        (replace(PAID, amount=Decimal("28.99")), False),
        (replace(PAID, kind=Kind.INTEREST), False),
    ],
)
def test_a_dividend_is_that_of_a_purchase(paid: Transaction, is_stated: bool) -> None:
    deposit = Transaction(Kind.DEPOSIT, DAY, Decimal(500))
    found = find_unstated_incomes([BOUGHT], [deposit, paid, BOUGHT])
    assert [one.amount for one in found] == ([] if is_stated else [30])


def test_a_dividend_is_reinvested_once() -> None:
    [income] = find_unstated_incomes([BOUGHT, BOUGHT], [PAID, BOUGHT, BOUGHT])
    assert (income.kind, income.symbol, income.quantity, income.amount) == (
        Kind.DIVIDEND,
        "KO",
        0,
        30,
    )
