"""Incomes that a list of transactions leaves out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from riskmetrics.transactions.model import EXTERNAL_KINDS, Kind, Transaction

_MAX_DAYS = timedelta(days=7)
"""Time between a dividend and the purchase that it is reinvested in."""
_MIN_PAIRED_SHARE = Decimal("0.5")
"""Share of a dividend that its purchase costs at least; taxes may be withheld from it."""


def find_unstated_incomes(
    reinvested: Iterable[Transaction], stated: Iterable[Transaction]
) -> list[Transaction]:
    """Return the dividends that purchases reinvest without a line of their own.

    Brokers state a dividend and its purchase in two lines, and programs such as Quicken in one.
    Without the income, the purchase would be paid from the cash. A list without any dividend,
    deposit or withdrawal has none: its cash is in another file, or unknown.

    Parameters
    ----------
    reinvested : iterable of Transaction
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
    >>> [one.amount for one in find_unstated_incomes([bought], [deposit, bought])]
    [Decimal('30')]
    >>> find_unstated_incomes([bought], [paid, bought]), find_unstated_incomes([bought], [bought])
    ([], [])
    """
    stated = list(stated)
    if not any(one.kind in (*EXTERNAL_KINDS, Kind.DIVIDEND) for one in stated):
        return []
    dividends = [one for one in stated if one.kind == Kind.DIVIDEND and one.amount > 0]
    incomes = []
    for bought in reinvested:
        if bought.kind != Kind.BUY or bought.amount >= 0:
            continue
        paired = next((one for one in dividends if _is_of(one, bought)), None)
        if paired is not None:
            dividends.remove(paired)
            continue
        reference = f"{bought.reference} income" if bought.reference else ""
        incomes.append(
            replace(
                bought,
                kind=Kind.DIVIDEND,
                amount=-bought.amount,
                quantity=Decimal(0),
                price=None,
                fees=Decimal(0),
                reference=reference,
            )
        )
    return incomes


def _is_of(dividend: Transaction, bought: Transaction) -> bool:
    """Return whether a purchase reinvests a dividend."""
    cost = -bought.amount
    return (
        dividend.symbol in (bought.symbol, None)
        and abs(dividend.day - bought.day) <= _MAX_DAYS
        and dividend.amount * _MIN_PAIRED_SHARE <= cost <= dividend.amount + 1
    )
