"""Store the transactions of files: each once, however many files state it."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.transactions import VALUES, from_row
from riskmetrics.errors import UsageError
from riskmetrics.transactions.matching import (
    MatchedTransaction,
    StoredTransaction,
    match_by_content,
)
from riskmetrics.transactions.model import QUANTITY_UNIT, Transaction

_AMOUNT_UNIT, _TRADE_PRICE_UNIT = Decimal("1e-4"), Decimal("1e-8")
_TABLE = tables.transactions


class TransactionFile(NamedTuple):
    """A file that states transactions."""

    layout: str
    source: str
    digest: str
    """SHA-256 of the file, hexadecimal."""
    is_separate: bool = False
    """Whether its transactions are others than equal ones of another layout."""


@dataclass(frozen=True)
class TransactionChanges:
    """Numbers of stored transactions that an import changed, and those that are not in its file."""

    added: int
    corrected: int
    unchanged: int
    absent: list[Transaction]
    """Stored transactions of the same layout and period that are not in the file."""
    outside: list[Transaction]
    """Stored transactions of the same layout before or after the period of the file."""
    matched: list[Transaction]
    """Transactions of the file that one of another layout states, or under another reference."""


def round_to_columns(transaction: Transaction) -> Transaction:
    """Return a transaction with its numbers rounded as their columns store them."""

    def round_value(value: Decimal | None, unit: Decimal) -> Decimal | None:
        return None if value is None else value.quantize(unit)

    return replace(
        transaction,
        quantity=transaction.quantity.quantize(QUANTITY_UNIT),
        added_shares=round_value(transaction.added_shares, QUANTITY_UNIT),
        price=round_value(transaction.price, _TRADE_PRICE_UNIT),
        amount=transaction.amount.quantize(_AMOUNT_UNIT),
        fees=transaction.fees.quantize(_AMOUNT_UNIT),
    )


def store_transactions(
    connection: sa.Connection,
    portfolio_id: str,
    transactions: Sequence[Transaction],
    file: TransactionFile,
) -> TransactionChanges:
    """Insert new transactions and update stored ones whose content differs.

    A stored transaction is found by its reference, else by its content, if the references of the
    two files are not comparable (`matching.match_by_content`). The id of a broker then replaces a
    fingerprint. Of several places in the day the largest is kept: the file with more of the day
    knows more of its order. So what is stored does not depend on the order of imports.

    Raises
    ------
    UsageError
        If a separate file has transactions that one of the same layout states.
    """
    rows = _read_stored(connection, portfolio_id)
    stated = _separate([round_to_columns(one) for one in transactions], rows, file)
    if file.is_separate:
        rows = [one for one in rows if one.layout == file.layout]
    pairs = {pair.stated.reference: pair for pair in _match(stated, rows, file.layout)}
    if file.is_separate:
        _require_separable(pairs.values(), file)
    added = [one for one in stated if one.reference not in pairs]
    if added:
        values = [_to_row(one) | _origin(file) | {"portfolio_id": portfolio_id} for one in added]
        connection.execute(sa.insert(_TABLE), values)
    updates = [(pair, _restate(pair)) for pair in pairs.values()]
    present = {one.reference for one in added} | {update.reference for _, update in updates}
    n_corrected = sum(_content(update) != _content(pair.stored) for pair, update in updates)
    _update(connection, portfolio_id, updates, file)
    absent, outside = _find_absent(connection, portfolio_id, stated, present, file.layout)
    n_unchanged = len(stated) - len(added) - n_corrected
    layouts = {one.transaction.reference: one.layout for one in rows}
    matched = [
        one.stated
        for one in pairs.values()
        if one.has_two_references or layouts[one.stored.reference] != file.layout
    ]
    return TransactionChanges(len(added), n_corrected, n_unchanged, absent, outside, matched)


def _origin(file: TransactionFile) -> dict[str, object]:
    return {"layout": file.layout, "source": file.source, "source_digest": file.digest}


def _separate(
    stated: list[Transaction], stored: Sequence[StoredTransaction], file: TransactionFile
) -> list[Transaction]:
    """Give the fingerprints of a separate file its layout: equal content is another transaction.

    So it is for those that an earlier import of the file has stored as separate ones.
    """
    known = {one.transaction.reference for one in stored}
    separated = []
    for one in stated:
        digest = hashlib.sha256(f"{file.layout}|{one.reference}".encode()).hexdigest()
        own = replace(one, reference=digest[: len(one.reference)])
        is_own = not one.has_broker_id and (file.is_separate or own.reference in known)
        separated.append(own if is_own else one)
    return separated


def _require_separable(pairs: Collection[MatchedTransaction], file: TransactionFile) -> None:
    """Raise UsageError if stored transactions of the same layout equal those of a separate file.

    Those of an earlier import of the separate file have the same references.
    """
    n_equal = sum(pair.has_two_references for pair in pairs)
    if n_equal:
        raise UsageError(
            f"{file.source} has transactions equal to stored ones of the same layout,"
            f" {file.layout}: {n_equal:,}. --keep-both tells brokers apart by their layouts. Import"
            " the file of another broker into a portfolio of its own, or omit --keep-both if it is"
            " the same broker"
        )


def _update(
    connection: sa.Connection,
    portfolio_id: str,
    updates: Iterable[tuple[MatchedTransaction, Transaction]],
    file: TransactionFile,
) -> None:
    """Update stored transactions; the file becomes their origin if it states more than a place."""
    rows: dict[bool, list[dict[str, object]]] = {False: [], True: []}
    for pair, update in updates:
        if update == pair.stored and update.has_broker_id == pair.stored.has_broker_id:
            continue
        is_restated = _content(update) != _content(pair.stored)
        is_restated |= update.reference != pair.stored.reference
        origin = _origin(file) if is_restated else {}
        rows[is_restated].append(_to_row(update) | origin | {"found": pair.stored.reference})
    for values in filter(None, rows.values()):
        assigned: dict[str, sa.ColumnElement[object]] = {
            name: sa.bindparam(name) for name in values[0] if name != "found"
        }
        statement = (
            sa.update(_TABLE)
            .where(
                _TABLE.c.portfolio_id == portfolio_id, _TABLE.c.reference == sa.bindparam("found")
            )
            .values(assigned | {"updated_at": sa.func.now()})
        )
        connection.execute(statement, values)


def _read_stored(connection: sa.Connection, portfolio_id: str) -> list[StoredTransaction]:
    query = sa.select(_TABLE).where(_TABLE.c.portfolio_id == portfolio_id)
    return [
        StoredTransaction(from_row(row), row["layout"])
        for row in connection.execute(query).mappings()
    ]


def _match(
    stated: Sequence[Transaction], stored: Sequence[StoredTransaction], layout: str
) -> list[MatchedTransaction]:
    """Pair transactions of a file with stored ones, by reference, else by content."""
    by_reference = {one.transaction.reference: one for one in stored}
    pairs = [
        MatchedTransaction(by_reference[one.reference].transaction, one)
        for one in stated
        if one.reference in by_reference
    ]
    known = {pair.stated.reference for pair in pairs}
    return pairs + match_by_content(
        (one for one in stated if one.reference not in known),
        (one for one in stored if one.transaction.reference not in known),
        layout,
    )


def _restate(pair: MatchedTransaction) -> Transaction:
    """Return what is stored of a transaction after a file has stated it."""
    stored, stated = pair
    place = max(stored.ordinal, stated.ordinal) if stored.day == stated.day else stated.ordinal
    if pair.has_two_references and (stored.has_broker_id or not stated.has_broker_id):
        return replace(stored, ordinal=place)
    if _content(stored) == _content(stated) and not pair.has_two_references:
        return replace(stored, ordinal=place, has_broker_id=stated.has_broker_id)
    return replace(stated, ordinal=place)


def _content(transaction: Transaction) -> Transaction:
    """Return a transaction without its place in the file and its reference."""
    return replace(transaction, ordinal=0, line=None, reference="")


def _to_row(transaction: Transaction) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(transaction, name) for name in VALUES}
    return row | {
        "kind": transaction.kind.value,
        "ratio": None if transaction.ratio is None else str(transaction.ratio),
        "reference": transaction.reference,
        "has_id": transaction.has_broker_id,
        "line": transaction.line,
    }


def _find_absent(
    connection: sa.Connection,
    portfolio_id: str,
    transactions: Sequence[Transaction],
    present: Collection[str],
    layout: str,
) -> tuple[list[Transaction], list[Transaction]]:
    """Return stored transactions of a layout that are not in a file, in its period and outside.

    ``present`` are the stored references of the transactions of the file.
    """
    if not transactions:
        return [], []
    first, last = (end(one.day for one in transactions) for end in (min, max))
    query = sa.select(_TABLE).where(
        _TABLE.c.portfolio_id == portfolio_id,
        _TABLE.c.layout == layout,
        _TABLE.c.reference != sa.all_(sa.cast(sorted(present), _TEXTS)),
    )
    rows = connection.execute(query.order_by(_TABLE.c.day, _TABLE.c.ordinal)).mappings()
    stored = [from_row(row) for row in rows]
    absent = [one for one in stored if first <= one.day <= last]
    return absent, [one for one in stored if not first <= one.day <= last]


_TEXTS = sa.ARRAY(sa.Text)


def delete_transactions(
    connection: sa.Connection, portfolio_id: str, references: Collection[str]
) -> None:
    """Delete transactions that a file corrects by no longer stating them."""
    connection.execute(
        sa.delete(_TABLE).where(
            _TABLE.c.portfolio_id == portfolio_id, _TABLE.c.reference == any_of(references)
        )
    )
