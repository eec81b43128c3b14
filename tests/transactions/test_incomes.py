"""Incomes of reinvested dividends: which are stated, at the boundaries of the comparison."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from riskmetrics.transactions.incomes import Reinvestments, find_unstated_incomes
from riskmetrics.transactions.model import Kind, Transaction

DAY = date(2024, 3, 5)
BOUGHT = Transaction(
    Kind.BUY, DAY, Decimal(-30), symbol="KO", quantity=Decimal("0.5"), price=Decimal(60)
)
PAID = Transaction(Kind.DIVIDEND, DAY, Decimal(30), symbol="KO")
DEPOSIT = Transaction(Kind.DEPOSIT, DAY, Decimal(500))


@pytest.mark.parametrize(
    ("paid", "is_stated"),
    [
        (PAID, True),
        (replace(PAID, symbol=None), True),
        (replace(PAID, symbol="PEP"), False),
        (replace(PAID, day=DAY - timedelta(days=7)), True),
        (replace(PAID, day=DAY - timedelta(days=8)), False),
        (replace(PAID, amount=Decimal(100)), True),  # a part of it is reinvested
        (replace(PAID, amount=Decimal(29)), True),
        (replace(PAID, amount=Decimal("28.99")), False),
        (replace(PAID, kind=Kind.INTEREST), True),
        (replace(PAID, kind=Kind.DEPOSIT), False),
    ],
)
def test_an_income_is_that_of_a_purchase(paid: Transaction, is_stated: bool) -> None:
    stated = [DEPOSIT, paid, BOUGHT]
    found = find_unstated_incomes(Reinvestments([BOUGHT], []), stated)
    assert [one.amount for one in found.incomes] == ([] if is_stated else [30])
    found = find_unstated_incomes(Reinvestments([], [BOUGHT]), stated)
    assert found == ([], [] if is_stated else [BOUGHT])


def test_an_income_is_reinvested_once() -> None:
    stated = [PAID, BOUGHT, BOUGHT]
    [income] = find_unstated_incomes(Reinvestments([BOUGHT, BOUGHT], []), stated).incomes
    assert (income.kind, income.symbol, income.quantity, income.amount) == (
        Kind.DIVIDEND,
        "KO",
        0,
        30,
    )


def test_an_income_is_reinvested_in_parts() -> None:
    half = replace(BOUGHT, amount=Decimal(-15))
    found = find_unstated_incomes(Reinvestments([half, half], []), [PAID, half, half])
    assert found == ([], [])


def test_a_list_without_cash_has_no_incomes() -> None:
    assert find_unstated_incomes(Reinvestments([BOUGHT], [BOUGHT]), [BOUGHT]) == ([], [])
