"""Generated files of holdings, weights and values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.sources.generated_notation import (
    Cell,
    Day,
    Notation,
    Number,
    Row,
    choose_notation,
    format_day,
)
from tests.sources.generated_truth import (
    GeneratedFile,
    Sheet,
    Truth,
    pick_headers,
    round_decimal,
)
from tests.sources.generated_words import LANGUAGES, Language

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


@dataclass
class _Table:
    """A table of holdings while it is built."""

    rng: Random
    notation: Notation
    headers: dict[str, str]
    truth: Truth
    is_plain: bool
    account: str = ""
    rows: list[dict[str, Cell]] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    values: list[Decimal] = field(default_factory=list)

    @property
    def language(self) -> Language:
        return self.notation.language

    def has(self, *roles: str) -> bool:
        """Return whether the table has all of these columns."""
        return all(role in self.headers for role in roles)

    def asset_class(self, name: str) -> str:
        """Return a name of an asset class."""
        words = self.language.classes[name]
        return words[0] if self.is_plain else self.rng.choice(words)

    def add(
        self,
        written: str,
        name: str,
        quantity: Decimal,
        price: Decimal,
        asset_class: str,
        *,
        currency: str = "USD",
        size: Decimal = Decimal(1),
    ) -> Decimal:
        """Append a row and return its entry price."""
        is_usd = currency == "USD"
        entry = round_decimal(price * Decimal(self.rng.randrange(60, 140)) / 100, 2)
        value = round_decimal(quantity * price * size, 2)
        cells: dict[str, Cell] = {
            "symbol": written,
            "description": name,
            "quantity": Number(quantity),
            "last_price": Number(price, is_usd),
            "market_value": Number(value, is_usd),
            "entry_price": Number(entry, is_usd),
            "cost_basis": Number(round_decimal(abs(quantity) * entry * size, 2), is_usd),
            "currency": currency,
            "class": self.asset_class(asset_class),
            "account": self.account,
            "entry_date": Day(date(2022, 1, 3) + timedelta(days=self.rng.randrange(700))),
            "noise": Number(round_decimal(Decimal(self.rng.randrange(-900, 900)) / 100, 2)),
        }
        self.rows.append({role: cell for role, cell in cells.items() if role in self.headers})
        if is_usd:
            self.values.append(value)
        return entry


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


def _add_stock(table: _Table, symbol: str, name: str, asset_class: str = "stock") -> None:
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


def _record(table: _Table, symbol: str, written: str, quantity: Decimal, entry: Decimal) -> None:
    """Add a position to what a reader must find."""
    key = (table.account, symbol)
    table.truth.positions[key] = float(quantity)
    table.truth.written[key] = written
    if table.has("entry_price") or table.has("cost_basis"):
        table.truth.entry_prices[key] = float(entry)


def _add_option(table: _Table) -> None:
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
    quantity = Decimal(rng.choice([1, 2, 5, 10, -1, -3]))
    price = round_decimal(Decimal(rng.randrange(50, 3_000)) / 100, 2)
    entry = table.add(written, f"{root} {word}", quantity, price, "option", size=Decimal(100))
    _record(table, symbol, written, quantity, entry)
    table.traits.append("option")


def _add_bond(table: _Table) -> None:
    written = table.rng.choice(BONDS)
    price = round_decimal(Decimal(table.rng.randrange(9_000, 10_500)) / 100, 2)
    table.add(written, "US Treasury 4.5% 2027", Decimal(5_000), price, "bond", size=Decimal("0.01"))
    table.truth.unsupported[written] = "bond"
    table.values.pop()


def _add_future(table: _Table) -> None:
    known = [symbol for symbol, sign in FUTURES.items() if sign == "form" or table.has("class")]
    written = table.rng.choice(known)
    table.add(written, "E-mini", Decimal(table.rng.randrange(1, 4)), _price(table.rng), "future")
    table.truth.unsupported[written] = "future"
    table.values.pop()


def _add_crypto(table: _Table) -> None:
    written = table.rng.choice(CRYPTO)
    if not table.has("class") or table.rng.random() < 0.3:
        written += table.rng.choice(["-USD", "/USD"])
    table.add(written, "Bitcoin", Decimal("0.5"), Decimal("61250.40"), "crypto")
    table.truth.unsupported[written] = "crypto"
    table.values.pop()


def _add_fx(table: _Table) -> None:
    table.add("EUR.USD", "Euro", Decimal(2_500), Decimal("1.08"), "fx")
    table.truth.unsupported["EUR.USD"] = "foreign exchange"
    table.values.pop()


def _add_foreign(table: _Table) -> None:
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


def _add_closed(table: _Table) -> None:
    """Append a position that was sold and is listed with quantity 0."""
    table.add("WMT", "Walmart Inc", Decimal(0), _price(table.rng), "stock")
    table.truth.unsupported["WMT"] = "quantity 0"


def _add_cash(table: _Table) -> None:
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
    table.truth.cash[table.account] = float(amount)
    table.truth.cash_labels.add(label)
    table.traits.append("cash line")


_SPECIAL_ROWS: dict[str, tuple[float, Callable[[_Table], None]]] = {
    "option": (0.12, _add_option),
    "bond": (0.08, _add_bond),
    "future": (0.08, _add_future),
    "crypto": (0.08, _add_crypto),
    "fx": (0.04, _add_fx),
    "foreign": (0.15, _add_foreign),
    "closed": (0.08, _add_closed),
}
"""Probability and function of rows that need more than a symbol and a quantity."""


def _choose_roles(rng: Random, language: Language, *, is_plain: bool) -> list[str]:
    """Choose columns of a table of holdings, in any order."""
    optional = {
        "description": 0.5,
        "entry_price": 0.35,
        "cost_basis": 0.3,
        "last_price": 0.5,
        "market_value": 0.55,
        "currency": 0.35,
        "class": 0.35,
        "entry_date": 0.12,
        "noise": 0.2,
    }
    roles = ["symbol", "quantity", *(role for role, p in optional.items() if rng.random() < p)]
    if rng.random() < 0.12:
        roles.append("account")
    if not is_plain:
        rng.shuffle(roles)
    return roles


def holdings_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of holdings."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = _choose_roles(rng, language, is_plain=is_plain)
    headers = pick_headers(rng, language, roles, is_plain=is_plain)
    table = _Table(rng, notation, headers, Truth("holdings"), is_plain)
    accounts = ["Growth", "Retirement"] if "account" in roles else [""]
    for account in accounts:
        table.account = account
        _add_rows(table)
    if "market_value" in roles and not set(table.truth.unsupported) - {"WMT"}:
        table.truth.value = float(sum(table.values))
    return _finish(table, "holdings")


def _add_rows(table: _Table) -> None:
    rng = table.rng
    symbols = rng.sample(list(STOCKS), rng.randrange(1, 6))
    for symbol in symbols:
        _add_stock(table, symbol, STOCKS[symbol])
    if rng.random() < 0.3:
        symbol = rng.choice(list(FUNDS))
        _add_stock(table, symbol, FUNDS[symbol], "etf")
    if rng.random() < 0.1:
        _add_stock(table, rng.choice(list(CLASS_SHARES)), "Class B")
    if not table.is_plain:
        for name, (probability, add) in _SPECIAL_ROWS.items():
            if rng.random() < probability:
                add(table)
                table.traits.append(f"row {name}")
    rng.shuffle(table.rows)
    if rng.random() < 0.3:
        _add_cash(table)


def _finish(table: _Table, kind: str) -> GeneratedFile:
    """Add the lines around a table and write the file."""
    rng, notation, language = table.rng, table.notation, table.language
    above, below = list[Row](), list[Row]()
    if not table.is_plain:
        if rng.random() < 0.25:
            above.append([rng.choice(language.titles)])
            table.traits.append("title line")
        if rng.random() < 0.2:
            (above if rng.random() < 0.7 else below).append([_state_day(table)])
        if above and rng.random() < 0.5:
            above.append([])
        _add_total(table)
        if below or rng.random() < 0.15:
            below = [[], *below]
        if rng.random() < 0.15:
            below.append([rng.choice(language.footers)])
            table.traits.append("footer")
    blank = "" if table.is_plain else rng.choice(["", "", "", "--", "n/a"])
    content = Sheet(table.headers, table.rows, above, below).write(notation, blank=blank)
    suffix = "xlsx" if notation.delimiter == "xlsx" else "csv"
    return GeneratedFile(
        f"{kind}.{suffix}",
        content,
        table.truth,
        tuple(dict.fromkeys([*notation.traits, *table.traits])),
        table.headers,
        table.is_plain,
    )


def _state_day(table: _Table) -> str:
    """Return a sentence that states the day of the holdings."""
    rng, language = table.rng, table.language
    day = date(2024, 1, 2) + timedelta(days=rng.randrange(300))
    name = rng.choice(["iso", "mdy", "long"]) if language.code == "en" else table.notation.dates
    table.truth.day = day
    table.traits.append(f"day stated as {name}")
    return rng.choice(language.days).format(format_day(day, name, language.months))


def _add_total(table: _Table) -> None:
    """Append a total, with its word in the first column or in that of the symbol."""
    rng = table.rng
    if rng.random() >= 0.25:
        return
    row: dict[str, Cell] = {rng.choice([next(iter(table.headers)), "symbol"]): ""}
    row = dict.fromkeys(row, rng.choice(table.language.totals))
    role = next((role for role in ("market_value", "weight") if table.has(role)), "quantity")
    if role not in row:
        amounts = [cell for cell in (line.get(role) for line in table.rows) if cell]
        numbers = [cell for cell in amounts if isinstance(cell, Number)]
        unit = numbers[0].unit if numbers else ""
        row[role] = Number(sum((n.value for n in numbers), Decimal(0)), unit=unit)
    table.rows.append(row)
    table.traits.append("total line")


def weights_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of weights that sum to one, with or without cash."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = ["symbol", "weight", *(["description"] if rng.random() < 0.5 else [])]
    if not is_plain:
        rng.shuffle(roles)
    table = _Table(
        rng, notation, pick_headers(rng, language, roles, is_plain=is_plain),
        Truth("weights"), is_plain,
    )  # fmt: skip
    symbols = rng.sample(list(STOCKS), rng.randrange(2, 7))
    cuts = sorted(rng.sample(range(1, 1000), len(symbols) - 1))
    tenths = [end - start for start, end in zip([0, *cuts], [*cuts, 1000], strict=True)]
    style = rng.choice(["percent sign", "percent", "fraction"])
    has_cash = rng.random() < 0.3
    for place, (symbol, share) in enumerate(zip(symbols, tenths, strict=True)):
        amount = Decimal(share) / (1000 if style == "fraction" else 10)
        number = Number(amount, unit="%" if style == "percent sign" else "")
        is_cash = has_cash and place == len(symbols) - 1
        label = rng.choice(language.cash) if is_cash else symbol
        table.rows.append({"symbol": label, "weight": number, "description": ""})
        if not is_cash:
            table.truth.positions[("", symbol)] = share / 1000
    table.traits.append(f"weights as {style}")
    return _finish(table, "weights")


def values_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of market values without quantities."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    roles = ["symbol", "market_value", *(["description"] if rng.random() < 0.5 else [])]
    table = _Table(
        rng, notation, pick_headers(rng, language, roles, is_plain=is_plain),
        Truth("values"), is_plain,
    )  # fmt: skip
    for symbol in rng.sample(list(STOCKS), rng.randrange(2, 6)):
        value = round_decimal(Decimal(rng.randrange(10_000, 9_000_000)) / 100, 2)
        table.rows.append(
            {"symbol": symbol, "market_value": Number(value, True), "description": STOCKS[symbol]}
        )
        table.truth.positions[("", symbol)] = float(value)
    if rng.random() < 0.3:
        _add_cash(table)
    return _finish(table, "values")
