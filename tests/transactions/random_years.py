"""Random years of transactions, and their lots by an algorithm of another kind."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from riskmetrics.transactions.model import Kind, Transaction

JANUARY = date(2024, 1, 2)


class YearWriter:
    """A year of random transactions that are possible: nothing is sold that is not held."""

    shares = ("LA", "LB", "LC", "LD", "LE", "LF")
    shorts = ("SA", "SB")
    options = ("LA250117C00060000", "LB250117P00050000")

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.held: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.year = [Transaction(Kind.DEPOSIT, JANUARY, Decimal(1_000_000))]
        self.n_trades = 0

    def amount(self, low: float, high: float) -> Decimal:
        """Return a random amount in cents."""
        return Decimal(str(round(self.random.uniform(low, high), 2)))

    def write(self, day: date) -> None:
        """Add one transaction, or none."""
        symbol = self.random.choice([*self.shares, *self.shorts, *self.options])
        kind = self.random.choices(
            ["trade", "dividend", "withdrawal", "fee", "split", "transfer"], [90, 3, 1, 1, 2, 3]
        )[0]
        if kind == "dividend":
            self.year.append(Transaction(Kind.DIVIDEND, day, self.amount(1, 500), symbol))
        elif kind in ("withdrawal", "fee"):
            self.year.append(Transaction(Kind(kind), day, -self.amount(1, 500)))
        elif kind == "trade":
            self.trade(day, symbol)
        elif symbol in self.shares:
            getattr(self, kind)(day, symbol)

    def split(self, day: date, symbol: str) -> None:
        """Add a split, unless something else happened to the symbol that day."""
        if not any(one.symbol == symbol and one.day == day for one in self.year):
            ratio = self.random.choice([Fraction(2), Fraction(3, 2), Fraction(1, 4)])
            self.year.append(Transaction(Kind.SPLIT, day, symbol=symbol, ratio=ratio))
            self.held[symbol] *= ratio

    def transfer(self, day: date, symbol: str) -> None:
        """Add a transfer of shares."""
        size = Decimal(self.random.randint(1, 40))
        is_in = size > self.held[symbol]
        kind = Kind.TRANSFER_IN if is_in else Kind.TRANSFER_OUT
        self.held[symbol] += Fraction(size if is_in else -size)
        self.year.append(Transaction(kind, day, symbol=symbol, quantity=size))

    def trade(self, day: date, symbol: str) -> None:
        """Add a trade, or the expiration of an option."""
        opens = not self.held[symbol] or self.random.random() < 0.55
        size = (
            Decimal(self.random.randint(1, 100)) if opens else _part(self.held[symbol], self.random)
        )
        if not size:
            return
        kinds = (Kind.BUY, Kind.SELL) if symbol not in self.shorts else _SHORT_KINDS
        kind = kinds[0] if opens else kinds[1]
        if symbol in self.options and not opens and self.random.random() < 0.3:
            kind = Kind.EXPIRATION
        sign = -1 if kind in (Kind.BUY, Kind.BUY_TO_COVER) else 1
        value = Decimal(0) if kind == Kind.EXPIRATION else sign * self.amount(100, 9_000)
        self.held[symbol] += Fraction(size if opens else -size)
        self.year.append(Transaction(kind, day, value, symbol, size))
        self.n_trades += 1


_SHORT_KINDS = (Kind.SELL_SHORT, Kind.BUY_TO_COVER)


def generate_year(seed: int) -> list[Transaction]:
    """Return a year with 500 trades, splits, dividends, options, transfers and cash."""
    writer = YearWriter(seed)
    while writer.n_trades < 500:
        writer.write(JANUARY + timedelta(days=writer.n_trades * 364 // 500))
    kinds = {one.kind for one in writer.year}
    assert {Kind.SPLIT, Kind.EXPIRATION, Kind.TRANSFER_IN, Kind.TRANSFER_OUT} <= kinds
    return [replace(one, ordinal=place) for place, one in enumerate(writer.year)]


def _part(held: Fraction, random: Random) -> Decimal:
    """Return a part of a holding with two decimals, or all of its whole hundredths."""
    hundredths = int(held * 100)
    return Decimal(random.choice([hundredths, random.randint(0, hundredths)])) / 100


def match_by_intervals(transactions: list[Transaction]) -> list[tuple[object, ...]]:
    """Return the lots by overlapping intervals, an algorithm that knows no lots.

    In shares of the year's end, purchases fill the line from 0 without gaps, and so do sales: what
    a sale closes is what its interval shares with the interval of a purchase.
    """
    opened, closed = _place_on_line(transactions)
    found = []
    for symbol, bought in opened.items():
        sign = -1 if symbol.startswith("S") else 1
        ends = list(closed[symbol])
        total = ends[-1][1] if ends else Fraction(0)
        ends.append((total, Fraction(10**15), None, None))
        for start, stop, day, price in bought:
            for first, last, exit_date, exit_price in ends:
                size = min(stop, last) - max(start, first)
                if size > 0:
                    found.append((symbol, sign * size, day, price, exit_date, exit_price))
    return found


def _place_on_line(transactions):
    """Return start, end, day and price of what opens and of what closes, by symbol."""
    opened, closed = defaultdict(list), defaultdict(list)
    for one in sorted(transactions, key=lambda one: (one.day, one.ordinal)):
        if one.quantity:
            is_opening = one.kind in (Kind.BUY, Kind.SELL_SHORT, Kind.TRANSFER_IN)
            line = (opened if is_opening else closed)[one.symbol]
            start = line[-1][1] if line else Fraction(0)
            size = Fraction(one.quantity)
            for split in transactions:
                if split.ratio and split.symbol == one.symbol and split.day > one.day:
                    size *= split.ratio
            contract = 100 if len(one.symbol) > 10 else 1
            is_transfer = one.kind in (Kind.TRANSFER_IN, Kind.TRANSFER_OUT)
            price = None if is_transfer else abs(Fraction(one.amount)) / size / contract
            line.append((start, start + size, one.day, price))
    return opened, closed
