"""Transactions that several files state: the same one under different references."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from riskmetrics.transactions.model import Transaction


class StoredTransaction(NamedTuple):
    """A stored transaction, and the layout of the file that stated it."""

    transaction: Transaction
    layout: str


class MatchedTransaction(NamedTuple):
    """A transaction of a file, and the stored one that it is."""

    stored: Transaction
    stated: Transaction

    @property
    def has_two_references(self) -> bool:
        """Return whether two files state it under different references."""
        return self.stored.reference != self.stated.reference


def match_by_content(
    stated: Iterable[Transaction], stored: Iterable[StoredTransaction], layout: str
) -> list[MatchedTransaction]:
    """Pair transactions of equal content whose references are not comparable.

    References are comparable if both are ids of the same layout: two of them are two transactions.
    A fingerprint, or the id of another layout, says nothing of the other reference. So equal
    transactions count as often as the file with most of them has them.

    Parameters
    ----------
    stated, stored : iterables
        Transactions of a file with the layout ``layout``, and stored ones, without those that have
        the same reference.

    Examples
    --------
    >>> from datetime import date
    >>> from dataclasses import replace
    >>> from decimal import Decimal
    >>> from riskmetrics.transactions.model import Kind
    >>> one = Transaction(Kind.FEE, date(2024, 1, 2), Decimal(-5), reference="a",
    ...     has_broker_id=True)
    >>> other = replace(one, reference="b", has_broker_id=False)
    >>> [pair.stored.reference for pair in match_by_content([other, other],
    ...     [StoredTransaction(one, "broker")], "broker")]
    ['a']
    >>> match_by_content([replace(one, reference="c")], [StoredTransaction(one, "x")], "x")
    []
    """
    free: defaultdict[object, list[StoredTransaction]] = defaultdict(list)
    # fingerprints first, so that ids of a file replace them before they meet other layouts' ids
    for one in sorted(
        stored, key=lambda one: (one.transaction.has_broker_id, one.transaction.reference)
    ):
        free[_content_key(one.transaction)].append(one)
    pairs = []
    for transaction in stated:
        candidates = free[_content_key(transaction)]
        found = next(
            (
                one
                for one in candidates
                if not (
                    transaction.has_broker_id
                    and one.transaction.has_broker_id
                    and one.layout == layout
                )
            ),
            None,
        )
        if found is not None:
            candidates.remove(found)
            pairs.append(MatchedTransaction(found.transaction, transaction))
    return pairs


def _content_key(transaction: Transaction) -> object:
    """Return what all files state of a transaction; one may leave out its price and fees."""
    return (
        transaction.kind,
        transaction.day,
        transaction.symbol,
        transaction.quantity,
        transaction.amount,
        transaction.ratio,
        transaction.added_shares,
        transaction.new_symbol,
    )
