"""Incomes that a list of transactions leaves out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from riskmetrics.transactions.model import EXTERNAL_KINDS, Kind, Transaction

_MAX_DAYS = timedelta(days=7)
"""Time between a dividend and the purchase that it is reinvested in."""
_MAX_ROUNDING = Decimal(1)
"""Dollars that a purchase may cost more than the dividend that it reinvests."""
_INCOMES = (Kind.DIVIDEND, Kind.INTEREST)


class Reinvestments(NamedTuple):
    """Purchases that reinvest an income."""

    with_income: list[Transaction]
    """Those whose line is that of the income, too, such as ReinvDiv of Quicken."""
    alone: list[Transaction]
    """Those whose income may have a line of its own."""


class UnstatedIncomes(NamedTuple):
    """What a file does not state of the incomes that it reinvests."""

    incomes: list[Transaction]
    """Incomes that the lines of their purchases state."""
    unpaired: list[Transaction]
    """Purchases whose income may be in another file, or missing."""


def find_unstated_incomes(
    reinvested: Reinvestments, stated: Iterable[Transaction]
) -> UnstatedIncomes:
    """Find the incomes of reinvestments that have no line of their own.

    Brokers state a dividend and its purchase in two lines, and programs such as Quicken in one.
    Only the line of a program says that it is both: the dividend of a broker can be in the file of
    another month. A list without any dividend, deposit or withdrawal leaves out all cash.

    Parameters
    ----------
    reinvested : Reinvestments
        Purchases whose text names a reinvestment.
    stated : iterable of Transaction
        All transactions of the file.

    Examples
    --------
    >>> from datetime import date
    >>> bought = Transaction(
    ...     Kind.BUY, date(2024, 1, 3), Decimal(-30), symbol="KO", quantity=Decimal(1)
    ... )
    >>> paid = Transaction(Kind.DIVIDEND, date(2024, 1, 2), Decimal(30), symbol="KO")
    >>> deposit = Transaction(Kind.DEPOSIT, date(2024, 1, 2), Decimal(500))
    >>> program = Reinvestments([bought], [])
    >>> [one.amount for one in find_unstated_incomes(program, [deposit, bought]).incomes]
    [Decimal('30')]
    >>> find_unstated_incomes(program, [paid, bought])
    UnstatedIncomes(incomes=[], unpaired=[])
    """
    stated = list(stated)
    if not any(one.kind in (*EXTERNAL_KINDS, Kind.DIVIDEND) for one in stated):
        return UnstatedIncomes([], [])
    payers = [one for one in stated if one.kind in _INCOMES and one.amount > 0]
    alone, with_income = (
        _find_unpaired(purchases, payers)
        for purchases in (reinvested.alone, reinvested.with_income)
    )
    return UnstatedIncomes([_income(one) for one in with_income], alone)


def _find_unpaired(
    purchases: Iterable[Transaction], payers: list[Transaction]
) -> list[Transaction]:
    """Return the purchases without an income; what a purchase costs is taken from its payer."""
    unpaired = []
    for bought in purchases:
        if bought.kind != Kind.BUY or bought.amount >= 0:
            continue
        place = next((at for at, one in enumerate(payers) if _is_of(one, bought)), None)
        if place is None:
            unpaired.append(bought)
        else:
            left = payers[place].amount + bought.amount
            payers[place] = replace(payers[place], amount=left)
    return unpaired


def _income(bought: Transaction) -> Transaction:
    """Return the income that the line of a purchase states."""
    return replace(
        bought,
        kind=Kind.DIVIDEND,
        amount=-bought.amount,
        quantity=Decimal(0),
        price=None,
        fees=Decimal(0),
        reference=f"{bought.reference} income" if bought.reference else "",
    )


def _is_of(income: Transaction, bought: Transaction) -> bool:
    """Return whether a purchase reinvests a part of an income."""
    return (
        income.symbol in (bought.symbol, None)
        and abs(income.day - bought.day) <= _MAX_DAYS
        and -bought.amount <= income.amount + _MAX_ROUNDING
    )
