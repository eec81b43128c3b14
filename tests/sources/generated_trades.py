"""Generated lists of transactions, which a reader of holdings or prices must refuse."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.sources.generated_instruments import STOCKS
from tests.sources.generated_notation import Cell, Day, Notation, Number, choose_notation
from tests.sources.generated_truth import (
    GeneratedFile,
    Sheet,
    Trade,
    Truth,
    pick_headers,
    round_decimal,
)
from tests.sources.generated_words import LANGUAGES

_NET_WORDS = ("net", "líquido", "tota")
"""Parts of headers of amounts that are net of fees."""


@dataclass
class _Trades:
    """A list of transactions while it is built."""

    rng: Random
    notation: Notation
    has_signed_quantities: bool
    headers: dict[str, str]
    is_net: bool
    """Whether amounts are net of fees."""
    has_signed_amounts: bool
    foreign: set[str] = field(default_factory=set)
    """Symbols that are traded in another currency."""
    held: dict[str, Decimal] = field(default_factory=dict)
    rows: list[dict[str, Cell]] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)

    def add(self, day: date, kind: str, symbol: str, quantity: Decimal, price: Decimal) -> None:
        """Append a transaction; ``quantity`` is negative for a sale."""
        rng, language = self.rng, self.notation.language
        words = {"buy": language.buy, "sell": language.sell, "dividend": language.dividend}
        written = quantity if self.has_signed_quantities else abs(quantity)
        fee = Decimal("1.00") if "fee" in self.headers else Decimal(0)
        net = round_decimal(-quantity * price, 2) - fee
        amount = net if self.is_net else net + fee
        is_usd = symbol not in self.foreign
        cells: dict[str, Cell] = {
            "trade_date": Day(day),
            "action": rng.choice(words[kind]),
            "symbol": symbol,
            "quantity": Number(written),
            "price": Number(price, is_usd),
            "amount": Number(amount if self.has_signed_amounts else abs(amount), is_usd),
            "fee": Number(fee, is_usd),
            "currency": "USD" if is_usd else "EUR",
            "description": STOCKS[symbol],
            "order": f"A{rng.randrange(10**7):07}",
        }
        if kind == "dividend":
            paid = net = round_decimal(self.held[symbol] * Decimal("0.35"), 2)
            cells |= {"quantity": "", "price": "", "fee": "", "amount": Number(paid, is_usd)}
        else:
            self.held[symbol] = self.held.get(symbol, Decimal(0)) + quantity
        has_amount = "amount" in self.headers or "price" in self.headers
        if is_usd:
            cash = float(net) if has_amount else None
            self.trades.append(Trade(day, symbol, float(quantity), cash))
        self.rows.append({role: cell for role, cell in cells.items() if role in self.headers})


def transactions_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a list of buys, sells and dividends."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    optional = {"price": 0.85, "amount": 0.7, "fee": 0.5, "currency": 0.4, "description": 0.4}
    roles = [
        *("trade_date", "action", "symbol", "quantity"),
        *(role for role, p in {**optional, "order": 0.2}.items() if rng.random() < p),
    ]
    if not is_plain:
        rng.shuffle(roles)
    headers = pick_headers(rng, language, roles, is_plain=is_plain)
    states_net = any(word in headers.get("amount", "").lower() for word in _NET_WORDS)
    is_net = states_net or "price" not in headers or rng.random() < 0.5
    trades = _Trades(rng, notation, rng.random() < 0.5, headers, is_net, rng.random() < 0.7)
    if "currency" in roles and not is_plain and rng.random() < 0.25:
        trades.foreign.add(rng.choice(list(STOCKS)[:4]))
    day = date(2023, 1, 3) + timedelta(days=rng.randrange(200))
    for symbol in [*trades.foreign, *rng.sample(list(STOCKS)[4:], rng.randrange(1, 4))]:
        price = round_decimal(Decimal(rng.randrange(2_000, 40_000)) / 100, 2)
        trades.add(day, "buy", symbol, Decimal(rng.randrange(20, 90)), price)
        for _ in range(rng.randrange(3)):
            day += timedelta(days=rng.randrange(1, 60))
            kind = rng.choice(["buy", "sell", *(["dividend"] if "amount" in roles else [])])
            sign = {"buy": 1, "sell": -1, "dividend": 0}[kind]
            trades.add(day, kind, symbol, Decimal(sign * rng.randrange(1, 10)), price)
    truth = Truth("transactions", trades=trades.trades)
    truth.unsupported = dict.fromkeys(trades.foreign, "currency EUR")
    truth.positions = {
        ("", symbol): float(held)
        for symbol, held in trades.held.items()
        if symbol not in trades.foreign
    }
    suffix = "xlsx" if notation.delimiter == "xlsx" else "csv"
    return GeneratedFile(
        f"transactions.{suffix}",
        Sheet(headers, trades.rows).write(notation),
        truth,
        (*notation.traits, "signed" if trades.has_signed_quantities else "unsigned"),
        headers,
        is_plain,
    )
