"""Rows of generated tables of holdings: shares, options and what is not supported."""

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random

from tests.sources.generated_notation import Cell, Day, Number
from tests.sources.generated_table import HoldingsTable
from tests.sources.generated_truth import round_decimal

STOCKS = {
    "AAPL": "Apple Inc",
    "MSFT": "Microsoft Corp",
    "KO": "Coca-Cola Co",
    "V": "Visa Inc",
    "JNJ": "Johnson & Johnson",
    "XOM": "Exxon Mobil Corp",
    "T": "AT&T Inc",
    "PG": "Procter & Gamble Co",
    "NVDA": "NVIDIA Corp",
    "HD": "Home Depot Inc",
    "MA": "Mastercard Inc",
    "CAT": "Caterpillar Inc",
}
ISINS = {
    "AAPL": "US0378331005",
    "MSFT": "US5949181045",
    "KO": "US1912161007",
    "V": "US92826C8394",
    "JNJ": "US4781601046",
    "XOM": "US30231G1022",
}
"""International Securities Identification Numbers by symbol."""
FUNDS = {"VTI": "Vanguard Total Stock Market", "SPY": "SPDR S&P 500", "BND": "Vanguard Total Bond"}
CLASS_SHARES = {"BRK-B": ["BRK.B", "BRK/B", "BRK-B", "BRK B"], "BF-B": ["BF.B", "BF-B"]}
"""Spellings of class shares by symbol."""
EXCHANGES = {"KO": "NYSE", "V": "NYSE", "JNJ": "NYSE", "AAPL": "NASDAQ", "MSFT": "NASDAQ"}
BONDS = ["912797LX3", "91282CJL6", "037833AK6"]
FOREIGN_STOCKS = {"AIR": "EUR", "SAP": "EUR", "SHOP": "CAD", "RY": "CAD", "NESN": "CHF"}
FOREIGN_LISTINGS = {"VOD.L": "GBP", "RR.L": "GBP", "SAP.DE": "EUR", "AIR.PA": "EUR", "RY.TO": "CAD"}
CRYPTO = ["BTC", "ETH"]
FUTURES = {"/ESH5": "form", "/CLM4": "form", "ES": "class", "GC": "class"}
"""Symbols of futures, and what tells that they are futures."""


def _price(rng: Random) -> Decimal:
    return round_decimal(Decimal(rng.randrange(1_000, 90_000)) / 100, 2)


def _quantity(rng: Random) -> Decimal:
    """Return a quantity of shares: mostly whole, sometimes above a thousand or a fraction.

    No fraction has three decimals: in a comma-separated file with decimal commas they could not be
    told from thousands.
    """
    kind = rng.random()
    if kind < 0.6:
        return Decimal(rng.randrange(1, 400))
    if kind < 0.8:
        return Decimal(rng.randrange(1_000, 9_000))
    places = rng.choice([2, 4])
    return round_decimal(Decimal(rng.randrange(1_000, 9_000_000)).scaleb(-places), places)


def add_stock(table: HoldingsTable, symbol: str, name: str, asset_class: str = "stock") -> None:
    """Append a supported share, in one of the spellings of its symbol."""
    rng, written = table.rng, symbol
    if symbol in CLASS_SHARES:
        written = rng.choice(CLASS_SHARES[symbol])
    elif not table.is_plain and rng.random() < 0.06:
        exchange = EXCHANGES.get(symbol)
        spellings = [f"{name} ({symbol})", f"{symbol} US", f"{symbol}.US"]
        written = rng.choice([f"{exchange}:{symbol}", *spellings] if exchange else spellings)
        table.traits.append("decorated symbol")
    quantity = _quantity(rng)
    if not table.is_plain and rng.random() < 0.08:
        quantity = -quantity
        table.traits.append("short position")
    entry = table.add(written, name, quantity, _price(rng), asset_class)
    _record(table, symbol, written, quantity, entry)
    if table.has("entry_date") and rng.random() < 0.3:
        more = Decimal(rng.randrange(1, 50)).copy_sign(quantity)
        table.add(written, name, more, _price(rng), asset_class)
        of_currency = table.truth.positions or table.truth.optional
        of_currency[table.account, symbol] += float(more)
        table.truth.entry_prices.pop((table.account, symbol), None)
        table.traits.append("several lots")


def add_by_isin(table: HoldingsTable, symbol: str) -> None:
    """Append a share that only its ISIN names: it is mapped to its symbol, or rejected."""
    quantity = _quantity(table.rng)
    table.add(ISINS[symbol], STOCKS[symbol], quantity, _price(table.rng), "stock")
    table.truth.optional[table.account, symbol] = float(quantity)
    table.truth.unsupported[ISINS[symbol]] = "ISIN"


def _record(
    table: HoldingsTable, symbol: str, written: str, quantity: Decimal, entry: Decimal
) -> None:
    """Add a position to what a reader must find."""
    key = (table.account, symbol)
    is_usd = table.money_currency == "USD"
    (table.truth.positions if is_usd else table.truth.optional)[key] = float(quantity)
    table.truth.written[key] = written
    if table.has("entry_price") or table.has("cost_basis"):
        table.truth.entry_prices[key] = float(entry) if is_usd else math.nan


def _add_option(table: HoldingsTable) -> None:
    """Append an option in one of the spellings of brokers."""
    rng = table.rng
    root, right = rng.choice(["AAPL", "MSFT", "KO"]), rng.choice("CP")
    day, strike = rng.choice([date(2026, 1, 16), date(2027, 3, 19)]), rng.randrange(50, 300, 5)
    symbol = f"{root}{day:%y%m%d}{right}{strike * 1000:08}"
    word = "Call" if right == "C" else "Put"
    written = rng.choice(
        [
            symbol,
            f"{root:6}{day:%y%m%d}{right}{strike * 1000:08}",
            f"-{root}{day:%y%m%d}{right}{strike}",
            f"{root} {day:%m/%d/%Y} {strike}.00 {right}",
            f"{root} {day:%b %d '%y} ${strike} {word}",
            f"{root} {day.month}/{day.day}/{day.year} {word} ${strike}.00",
        ]
    )
    terms: dict[str, Cell] = {
        "right": word, "strike": Number(Decimal(strike)), "expiration": Day(day)
    }  # fmt: skip
    if table.has("right"):
        written = root
        table.traits.append("option in columns")
    quantity = Decimal(rng.choice([1, 2, 5, 10, -1, -3]))
    price = round_decimal(Decimal(rng.randrange(50, 3_000)) / 100, 2)
    entry = table.add(
        written, f"{root} {word}", quantity, price, "option", size=Decimal(100), option=terms
    )
    _record(table, symbol, written, quantity, entry)
    table.traits.append("option")


def _add_bond(table: HoldingsTable) -> None:
    written = table.rng.choice(BONDS)
    price = round_decimal(Decimal(table.rng.randrange(9_000, 10_500)) / 100, 2)
    table.add(written, "US Treasury 4.5% 2027", Decimal(5_000), price, "bond", size=Decimal("0.01"))
    table.truth.unsupported[written] = "bond"
    table.values.pop()


def _add_future(table: HoldingsTable) -> None:
    known = [symbol for symbol, sign in FUTURES.items() if sign == "form" or table.tells_class()]
    written = table.rng.choice(known)
    table.add(written, "E-mini", Decimal(table.rng.randrange(1, 4)), _price(table.rng), "future")
    table.truth.unsupported[written] = "future"
    table.values.pop()


def _add_crypto(table: HoldingsTable) -> None:
    written = table.rng.choice(CRYPTO)
    if not table.tells_class() or table.rng.random() < 0.3:
        written += table.rng.choice(["-USD", "/USD"])
    table.add(written, "Bitcoin", Decimal("0.5"), Decimal("61250.40"), "crypto")
    table.truth.unsupported[written] = "crypto"
    table.values.pop()


def _add_fx(table: HoldingsTable) -> None:
    table.add("EUR.USD", "Euro", Decimal(2_500), Decimal("1.08"), "fx")
    table.truth.unsupported["EUR.USD"] = "foreign exchange"
    table.values.pop()


def _add_foreign(table: HoldingsTable) -> None:
    """Append a share in another currency, told by a column or by the suffix of its listing."""
    if table.has("currency") and table.rng.random() < 0.7:
        written = table.rng.choice(list(FOREIGN_STOCKS))
        currency = FOREIGN_STOCKS[written]
    else:
        written = table.rng.choice(list(FOREIGN_LISTINGS))
        currency = FOREIGN_LISTINGS[written]
    quantity = Decimal(table.rng.randrange(5, 300))
    table.add(written, "Foreign Co", quantity, _price(table.rng), "stock", currency=currency)
    if table.has("currency"):
        table.truth.unsupported[written] = f"currency {currency}"
    else:
        table.truth.optional[(table.account, written)] = float(quantity)
        table.truth.unsupported[written] = "listing outside of the United States"


def _add_closed(table: HoldingsTable) -> None:
    """Append a position that was sold and is listed with quantity 0."""
    table.add("WMT", "Walmart Inc", Decimal(0), _price(table.rng), "stock")
    table.truth.unsupported["WMT"] = "quantity 0"


def add_cash(table: HoldingsTable) -> None:
    """Append a line of cash in USD, with its amount in the value column or else the quantity."""
    rng, language = table.rng, table.language
    label = language.cash[0] if table.is_plain else rng.choice(language.cash)
    amount = round_decimal(Decimal(rng.randrange(1_000, 5_000_000)) / 100, 2)
    role = "market_value" if table.has("market_value") else "quantity"
    cells: dict[str, Cell] = {
        "symbol": label,
        "currency": "USD",
        role: Number(amount, role != "quantity"),
    }
    if table.has("account"):
        cells["account"] = table.account
    table.rows.append({name: cell for name, cell in cells.items() if name in table.headers})
    if table.money_currency == "USD":
        table.truth.cash[table.account] = float(amount)
    table.truth.cash_labels.add(label)
    table.traits.append("cash line")


SPECIAL_ROWS: dict[str, tuple[float, Callable[[HoldingsTable], None]]] = {
    "option": (0.12, _add_option),
    "bond": (0.08, _add_bond),
    "future": (0.08, _add_future),
    "crypto": (0.08, _add_crypto),
    "fx": (0.04, _add_fx),
    "foreign": (0.15, _add_foreign),
    "closed": (0.08, _add_closed),
}
"""Probability and function of rows that need more than a symbol and a quantity."""
