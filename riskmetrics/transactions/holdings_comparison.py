"""Comparison of the holdings that transactions leave with those of a statement."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

_TOLERANCE = Decimal("0.001")
"""Shares: brokers round fractions of shares to three decimals or more."""


class HoldingDifference(NamedTuple):
    """A symbol whose quantity in a statement is not the one that the transactions leave."""

    symbol: str
    by_transactions: Decimal
    """Shares or contracts, negative if short; 0 if not held."""
    stated: Decimal


def compare_holdings(
    by_transactions: Mapping[str, Decimal], stated: Mapping[str, Decimal]
) -> list[HoldingDifference]:
    """Return the symbols whose quantities differ by more than a thousandth of a share.

    Examples
    --------
    >>> compare_holdings({"KO": Decimal(4)}, {"KO": Decimal(4), "PG": Decimal(1)})
    [HoldingDifference(symbol='PG', by_transactions=Decimal('0'), stated=Decimal('1'))]
    """
    zero = Decimal(0)
    pairs = (
        HoldingDifference(symbol, by_transactions.get(symbol, zero), stated.get(symbol, zero))
        for symbol in sorted({*by_transactions, *stated})
    )
    return [one for one in pairs if abs(one.by_transactions - one.stated) > _TOLERANCE]
