"""Lots and cash that follow from transactions.

Quantities and prices are exact fractions until they are rounded to the columns that store them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from riskmetrics.transactions.model import (
    EXTERNAL_KINDS,
    PRICE_UNIT,
    QUANTITY_UNIT,
    Kind,
    Transaction,
    processing_key,
)

MAX_SPLIT_TERM = 100
"""Largest number in a split ratio that is inferred from added shares, such as 1-for-100."""
_SPLIT_TOLERANCE = Fraction(1, 10**6)
"""Relative difference between an inferred ratio and the shares, which brokers round."""


class DatedLot(NamedTuple):
    """A lot with its entry and exit, adjusted for later splits."""

    symbol: str
    quantity: Decimal
    """Shares or contracts, negative if short."""
    entry_date: date
    entry_price: Decimal | None
    """Cost per share with fees. None: transferred in, the price is the close of the day."""
    exit_date: date | None
    """First day on which the lot is no longer held. None: open."""
    exit_price: Decimal | None
    """Proceeds per share after fees. None: open, or transferred out at the close of the day."""


class RejectedTransaction(NamedTuple):
    """A transaction that cannot be applied to the holdings before it."""

    transaction: Transaction
    reason: str


class StatedSplit(NamedTuple):
    """A split that changed the lots of a symbol, under its latest symbol."""

    symbol: str
    day: date
    ratio: Fraction
    """New shares per old share."""


class LotHistory(NamedTuple):
    """Lots of a portfolio, open and closed, and the transactions that could not be applied."""

    lots: list[DatedLot]
    rejected: list[RejectedTransaction]
    splits: list[StatedSplit]


def build_lots(transactions: Iterable[Transaction]) -> LotHistory:
    """Apply transactions in the order of time, and return the lots that they leave.

    Sales take the lots of their stated entry day, else first-in first-out. Purchases cover short
    lots, those of a stated entry day first, before they open long ones. A split multiplies the
    quantities and divides the prices of all earlier lots, closed ones too, because stored prices
    are adjusted for splits; a change of symbol renames them.

    Examples
    --------
    >>> bought = Transaction(
    ...     Kind.BUY, date(2024, 1, 2), Decimal(-1001), "KO", Decimal(10), fees=Decimal(1)
    ... )
    >>> sold = Transaction(Kind.SELL, date(2024, 3, 1), Decimal(480), "KO", Decimal(4))
    >>> for lot in build_lots([bought, sold]).lots:
    ...     print(lot.quantity.normalize(), lot.entry_price, lot.exit_date, lot.exit_price)
    4 100.1000 2024-03-01 120.0000
    6 100.1000 None None
    """
    book = _LotBook()
    for transaction in sorted(transactions, key=processing_key):
        if reason := book.apply(transaction):
            book.rejected.append(RejectedTransaction(transaction, reason))
    lots = sorted(
        (_round_lot(part) for parts in book.parts.values() for part in parts),
        key=lambda lot: (lot.symbol, lot.entry_date, lot.exit_date or date.max, lot.quantity),
    )
    return LotHistory([lot for lot in lots if lot.quantity], book.rejected, book.splits)


def cash_balances(transactions: Iterable[Transaction]) -> list[tuple[date, Decimal]]:
    """Return the cash after each day with transactions, by day.

    Examples
    --------
    >>> deposit = Transaction(Kind.DEPOSIT, date(2024, 1, 2), Decimal(500))
    >>> fee = Transaction(Kind.FEE, date(2024, 1, 5), Decimal(-2))
    >>> [(day.day, int(balance)) for day, balance in cash_balances([fee, deposit])]
    [(2, 500), (5, 498)]
    """
    balance, balances = Decimal(0), []
    ordered = sorted(transactions, key=lambda one: one.day)
    for day, of_day in groupby(ordered, key=lambda one: one.day):
        balance += sum((one.amount for one in of_day), Decimal(0))
        balances.append((day, balance))
    return balances


def is_cash_known(transactions: Iterable[Transaction]) -> bool:
    """Return whether deposits or withdrawals are among the transactions, so that cash is known."""
    return any(one.kind in EXTERNAL_KINDS for one in transactions)


def open_quantities(lots: Iterable[DatedLot], day: date) -> dict[str, Decimal]:
    """Return the net quantity by symbol at the close of a day, without symbols that net to 0."""
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for lot in lots:
        if lot.entry_date <= day and (lot.exit_date is None or lot.exit_date > day):
            held[lot.symbol] += lot.quantity
    return {symbol: quantity for symbol, quantity in sorted(held.items()) if quantity}


@dataclass
class _Part:
    """A lot, or the part of one that is closed by one transaction."""

    symbol: str
    quantity: Fraction
    """Negative if short."""
    entry_date: date
    entry_price: Fraction | None
    exit_date: date | None = None
    exit_price: Fraction | None = None

    def take(self, size: Fraction) -> "_Part":
        """Remove units from the lot, and return them as a lot of the same entry."""
        sign = 1 if self.quantity > 0 else -1
        self.quantity -= sign * size
        return replace(self, quantity=sign * size)


@dataclass
class _LotBook:
    """Lots by symbol after the transactions applied so far."""

    parts: defaultdict[str, list[_Part]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[RejectedTransaction] = field(default_factory=list)
    splits: list[StatedSplit] = field(default_factory=list)

    def apply(self, transaction: Transaction) -> str | None:
        """Apply a transaction; return the reason if it is impossible, and change nothing then."""
        symbol, size = transaction.symbol, Fraction(transaction.quantity)
        if symbol is None:
            return None
        match transaction.kind:
            case Kind.BUY:
                self._buy(transaction)
            case Kind.SELL_SHORT:
                self._open(transaction, -1, size)
            case Kind.TRANSFER_IN:
                self._open(transaction, 1, size)
            case Kind.SELL | Kind.TRANSFER_OUT | Kind.EXERCISE:
                return self._close_checked(transaction, 1)
            case Kind.BUY_TO_COVER | Kind.ASSIGNMENT:
                return self._close_checked(transaction, -1)
            case Kind.EXPIRATION:
                return self._close_checked(transaction, -1 if self._held_size(symbol, -1) else 1)
            case Kind.SPLIT:
                return self._split(transaction)
            case Kind.SYMBOL_CHANGE:
                self._rename(transaction)
        return None

    def _buy(self, transaction: Transaction) -> None:
        """Cover short lots, those of the stated day first, and open a long one with the rest."""
        size = Fraction(transaction.quantity)
        for covering in (transaction, replace(transaction, lot_day=None)):
            covered = min(size, self._held_size(str(transaction.symbol), -1, covering.lot_day))
            self._close(covering, -1, covered)
            size -= covered
        self._open(transaction, 1, size)

    def _open_parts(self, symbol: str, sign: int) -> Iterator[_Part]:
        """Yield the open lots of one side, the oldest first."""
        return (
            part
            for part in self.parts[symbol]
            if part.exit_date is None and part.quantity * sign > 0
        )

    def _held_size(self, symbol: str, sign: int, entry_date: date | None = None) -> Fraction:
        """Return the size of the open long (1) or short (-1) lots, of one entry day if given."""
        return sum(
            (
                abs(part.quantity)
                for part in self._open_parts(symbol, sign)
                if entry_date in (None, part.entry_date)
            ),
            Fraction(0),
        )

    def _open(self, transaction: Transaction, sign: int, size: Fraction) -> None:
        if size:
            price = None if transaction.kind == Kind.TRANSFER_IN else _net_price(transaction)
            symbol = str(transaction.symbol)
            self.parts[symbol].append(_Part(symbol, sign * size, transaction.day, price))

    def _close_checked(self, transaction: Transaction, sign: int) -> str | None:
        """Close lots of one side; return the reason if they are not enough."""
        symbol, size = str(transaction.symbol), Fraction(transaction.quantity)
        held = self._held_size(symbol, sign, transaction.lot_day)
        # brokers round quantities, so a sale of everything may differ in the last decimals
        if size > held + Fraction(QUANTITY_UNIT) / 2:
            stated = f"{transaction.quantity.normalize():f} {symbol}"
            lots = f" in lots of {transaction.lot_day}" if transaction.lot_day else ""
            side = "short" if sign < 0 else "held"
            return (
                f"{transaction.kind.value.replace('_', ' ')} of {stated},"
                f" but {_round(held, QUANTITY_UNIT).normalize():f} are {side}{lots} on"
                f" {transaction.day}: import the earlier transactions, or state what was held"
                " before as a transfer in"
            )
        self._close(transaction, sign, min(size, held))
        return None

    def _close(self, transaction: Transaction, sign: int, size: Fraction) -> None:
        """Close ``size`` units of one side at the price of the transaction."""
        symbol = str(transaction.symbol)
        price = None if transaction.kind == Kind.TRANSFER_OUT else _net_price(transaction)
        for part in list(self._open_parts(symbol, sign)):
            if size and transaction.lot_day in (None, part.entry_date):
                closed = part.take(min(size, abs(part.quantity)))
                size -= abs(closed.quantity)
                closed.exit_date, closed.exit_price = transaction.day, price
                self.parts[symbol].append(closed)
        self.parts[symbol] = [part for part in self.parts[symbol] if part.quantity]

    def _split(self, transaction: Transaction) -> str | None:
        symbol, added = str(transaction.symbol), transaction.added_shares
        ratio = self._infer_ratio(symbol, Fraction(added)) if added else transaction.ratio
        shares = f"{added.normalize():f}" if added else ""
        if ratio is None:
            return (
                f"split of {symbol}: {shares} added shares do not determine the ratio,"
                " because the holding is unknown or fractions were paid in cash. State the ratio"
                " alone, such as 4:1"
            )
        if transaction.ratio not in (None, ratio):
            return (
                f"split of {symbol}: the ratio {transaction.ratio} is not that of"
                f" {shares} added shares, {ratio}. State the ratio alone, new shares per old share,"
                " such as 4:1"
            )
        if self.parts[symbol]:
            self.splits.append(StatedSplit(symbol, transaction.day, ratio))
        for part in self.parts[symbol]:
            part.quantity *= ratio
            part.entry_price = part.entry_price and part.entry_price / ratio
            part.exit_price = part.exit_price and part.exit_price / ratio
        return None

    def _infer_ratio(self, symbol: str, added: Fraction) -> Fraction | None:
        """Return the ratio that added shares mean for the holding, if it is a simple one."""
        held = self._held_size(symbol, 1) - self._held_size(symbol, -1)
        if not held:
            return None
        exact = (held + added) / held
        simple = exact.limit_denominator(MAX_SPLIT_TERM)
        is_simple = 0 < simple.numerator <= MAX_SPLIT_TERM
        return simple if is_simple and abs(simple / exact - 1) < _SPLIT_TOLERANCE else None

    def _rename(self, transaction: Transaction) -> None:
        old, new = str(transaction.symbol), str(transaction.new_symbol)
        self.splits = [
            one._replace(symbol=new) if one.symbol == old else one for one in self.splits
        ]
        for part in self.parts.pop(old, []):
            part.symbol = new
            self.parts[new].append(part)
        self.parts[new].sort(key=lambda part: part.entry_date)


def _net_price(transaction: Transaction) -> Fraction:
    """Return the price per share with fees; negative if they exceed the proceeds of a sale."""
    pays = transaction.kind in (Kind.BUY, Kind.BUY_TO_COVER, Kind.ASSIGNMENT)
    return Fraction(-transaction.amount if pays else transaction.amount) / transaction.units


def _round_lot(part: _Part) -> DatedLot:
    return DatedLot(
        part.symbol,
        _round(part.quantity, QUANTITY_UNIT),
        part.entry_date,
        None if part.entry_price is None else _round(part.entry_price, PRICE_UNIT),
        part.exit_date,
        None if part.exit_price is None else _round(part.exit_price, PRICE_UNIT),
    )


def _round(value: Fraction, unit: Decimal) -> Decimal:
    """Round to a multiple of a unit, halves to even."""
    return (round(value / Fraction(unit)) * unit).quantize(unit)
