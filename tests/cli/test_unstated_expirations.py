"""Options of transactions that expire without a line."""

from datetime import date
from decimal import Decimal

from riskmetrics.cli.transaction_check import unstated_expirations
from riskmetrics.transactions.lots import build_lots
from riskmetrics.transactions.model import Transaction, TransactionKind

EXPIRED, EXERCISED, LATER = (f"KO{day}C00065000" for day in ("240816", "240719", "241220"))


def test_an_option_that_expires_without_a_line_is_named_and_others_are_not() -> None:
    bought = [
        Transaction(
            TransactionKind.BUY, date(2024, 6, 5), Decimal(-200), symbol, Decimal(1), Decimal(2)
        )
        for symbol in (EXPIRED, EXERCISED, LATER)
    ]
    exercise = Transaction(
        TransactionKind.EXERCISE, date(2024, 7, 22), Decimal(0), EXERCISED, Decimal(1)
    )
    history = build_lots([*bought, exercise])
    (warning,) = unstated_expirations(history, date(2024, 8, 17))
    assert warning.startswith(f"{EXPIRED} expired without a line")
    assert unstated_expirations(history, date(2024, 8, 16)) == []
