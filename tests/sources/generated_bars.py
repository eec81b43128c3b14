"""Generated files of prices: long, wide, one symbol per file, and the layouts of vendors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from tests.sources.generated_notation import (
    Cell,
    Day,
    Notation,
    Number,
    Row,
    choose_notation,
    write_rows,
)
from tests.sources.generated_truth import (
    Bar,
    GeneratedFile,
    Sheet,
    Truth,
    pick_headers,
    round_decimal,
)
from tests.sources.generated_words import LANGUAGES

_HOLIDAYS = {
    *(date(2023, 1, 2), date(2023, 1, 16), date(2023, 2, 20), date(2023, 4, 7), date(2023, 5, 29)),
    *(date(2023, 6, 19), date(2023, 7, 4), date(2023, 9, 4), date(2023, 11, 23)),
    *(date(2023, 12, 25), date(2024, 1, 1), date(2024, 1, 15), date(2024, 2, 19)),
    *(date(2024, 3, 29), date(2024, 5, 27), date(2024, 6, 19), date(2024, 7, 4)),
    *(date(2024, 9, 2), date(2024, 11, 28), date(2024, 12, 25)),
}
"""Holidays of the New York Stock Exchange, from its published calendars."""
SYMBOLS = ["AAPL", "MSFT", "KO", "GE", "CAT", "DE", "PFE", "LOW", "UPS", "NEE"]
LISTING_CURRENCIES = {"AZN.L": "GBX", "SAP.DE": "EUR", "RY.TO": "CAD"}
"""Currencies of listings outside of the United States."""
NEW_YORK, SINGAPORE, TOKYO = map(ZoneInfo, ("America/New_York", "Asia/Singapore", "Asia/Tokyo"))


def sessions(rng: Random, count: int) -> list[date]:
    """Return consecutive sessions of 2023 and 2024."""
    days = (date(2023, 1, 3) + timedelta(days=n) for n in range(725))
    open_days = [day for day in days if day.weekday() < 5 and day not in _HOLIDAYS]
    start = rng.randrange(len(open_days) - count)
    return open_days[start : start + count]


@dataclass(frozen=True)
class Quote:
    """Prices of a symbol on a day as written."""

    symbol: str
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    adj_close: Decimal
    volume: int


def _quotes(rng: Random, symbol: str, days: list[date]) -> list[Quote]:
    price = Decimal(rng.randrange(2_000, 60_000))
    quotes = []
    for day in days:
        price = max(price + rng.randrange(-150, 151), Decimal(500))
        close = price / 100
        adjusted = round_decimal(close * Decimal("0.98"), 2)
        quotes.append(
            Quote(
                symbol,
                day,
                round_decimal(close - Decimal("0.20"), 2),
                round_decimal(close + Decimal("0.75"), 2),
                round_decimal(close - Decimal("0.85"), 2),
                round_decimal(close, 2),
                adjusted,
                rng.randrange(10_000, 9_000_000),
            )
        )
    return quotes


def _with_three_decimals(quote: Quote) -> Quote:
    """Return a quote whose prices with a decimal comma look like thousands."""
    roles = ("open", "high", "low", "close", "adj_close")
    more = Decimal("0.005")
    return replace(quote, **{role: getattr(quote, role) + more for role in roles})


def _stamp(day: date, style: str) -> str:
    """Return a time stamp of a session in New York."""
    close = datetime.combine(day, time(16), NEW_YORK)
    midnight = datetime.combine(day, time(0), NEW_YORK)
    return {
        "New York close": f"{close:%Y-%m-%d %H:%M:%S}{close:%z}"[:-2] + ":00",
        "Singapore close": close.astimezone(SINGAPORE).isoformat(sep=" "),
        "Tokyo close": close.astimezone(TOKYO).isoformat(),
        "UTC close": f"{close.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "UTC midnight": f"{day} 00:00:00+00:00",
        "no zone": f"{day} 00:00:00",
        "epoch ms": str(int(midnight.timestamp() * 1_000)),
        "epoch s": str(int(midnight.timestamp() + 9.5 * 3_600)),
        "epoch ns": str(int(midnight.timestamp()) * 10**9),
    }[style]


_STAMPS = [
    *("New York close", "Singapore close", "Tokyo close", "UTC close", "UTC midnight"),
    *("no zone", "epoch ms", "epoch s", "epoch ns"),
]


@dataclass
class _Prices:
    """A file of prices while it is built."""

    rng: Random
    notation: Notation
    is_plain: bool
    truth: Truth
    traits: list[str]
    stamp: str | None

    def date_cell(self, day: date) -> Cell:
        """Return the cell of a date or time stamp."""
        return _stamp(day, self.stamp) if self.stamp else Day(day)

    def volume_cell(self, volume: int, *, has_suffix: bool) -> Cell:
        """Return the cell of a volume, with a suffix for thousands or millions if asked for."""
        if not has_suffix:
            return Number(Decimal(volume))
        if volume >= 1_000_000:
            return Number(Decimal(volume).scaleb(-6), unit="M")
        return Number(Decimal(volume).scaleb(-3), unit="K")

    def record(self, quote: Quote, *, has_adjusted: bool, has_volume: bool) -> None:
        """Add a quote to what a reader must find."""
        self.truth.bars[(quote.symbol, quote.day)] = Bar(
            float(quote.close),
            float(quote.adj_close) if has_adjusted else None,
            quote.volume if has_volume else None,
        )


def _tabulate(prices: _Prices, quotes: list[Quote], *, has_symbol: bool) -> Sheet:
    """Return a table with a row per quote."""
    rng, currency = prices.rng, "USD"
    if not prices.is_plain and rng.random() < 0.06:
        quotes = [_with_three_decimals(quote) for quote in quotes]
        prices.traits.append("three decimals")
    roles = _choose_roles(prices, has_symbol=has_symbol)
    if "currency" in roles:
        currency = rng.choice(["USD", "EUR", "GBX", "GBp"])
        prices.traits.append(f"currency {currency}")
    if currency != "USD":
        prices.truth.unsupported = {quote.symbol: f"currency {currency}" for quote in quotes}
    has_suffix = "volume" in roles and not prices.is_plain and rng.random() < 0.15
    if has_suffix:
        prices.traits.append("volume with suffix")
        quotes = [replace(quote, volume=quote.volume // 10_000 * 10_000) for quote in quotes]
    rows = []
    for quote in quotes:
        cells = _quote_cells(prices, quote, currency, has_suffix=has_suffix)
        rows.append({role: cells[role] for role in roles})
        if currency == "USD" and not ("currency" in roles and quote.symbol in LISTING_CURRENCIES):
            prices.record(quote, has_adjusted="adj_close" in roles, has_volume="volume" in roles)
    if not prices.is_plain and currency == "USD":
        _add_faulty_rows(prices, quotes, rows)
    if not prices.is_plain and rng.random() < 0.4:
        rows.reverse()
    language = prices.notation.language
    return Sheet(pick_headers(rng, language, roles, is_plain=prices.is_plain), rows)


def _choose_roles(prices: _Prices, *, has_symbol: bool) -> list[str]:
    """Choose columns of a table of prices, in any order."""
    rng = prices.rng
    optional = {"open": 0.5, "high": 0.5, "low": 0.5, "adj_close": 0.35, "volume": 0.5}
    if not prices.is_plain:
        optional |= {"currency": 0.15 if has_symbol else 0.0, "change": 0.3}
    roles = ["symbol"] if has_symbol else []
    roles += ["date", "close", *(role for role, p in optional.items() if rng.random() < p)]
    if not prices.is_plain and rng.random() < 0.6:
        rng.shuffle(roles)
    return roles


def _quote_cells(
    prices: _Prices, quote: Quote, currency: str, *, has_suffix: bool
) -> dict[str, Cell]:
    """Return the cells of a quote by column."""
    is_usd = currency == "USD" and quote.symbol not in LISTING_CURRENCIES
    return {
        "symbol": quote.symbol,
        "date": prices.date_cell(quote.day),
        **{
            role: Number(getattr(quote, role), is_usd)
            for role in ("open", "high", "low", "close", "adj_close")
        },
        "volume": prices.volume_cell(quote.volume, has_suffix=has_suffix),
        "currency": LISTING_CURRENCIES.get(quote.symbol, currency),
        "change": Number(Decimal("0.25"), unit="%"),
    }


def _add_faulty_rows(prices: _Prices, quotes: list[Quote], rows: list[dict[str, Cell]]) -> None:
    """Add rows without numbers, of a Saturday, and of a dividend, none of which is a bar."""
    rng, last = prices.rng, quotes[-1].day
    saturday = last + timedelta(days=5 - last.weekday())
    if rng.random() < 0.06:
        rows.append({**rows[-1], "date": prices.date_cell(saturday)})
        prices.traits.append("row of a Saturday")
    if rng.random() < 0.06:
        blank = rng.choice(["null", "", "NaN", "-"])
        empty: dict[str, Cell] = {
            role: cell if role in {"symbol", "currency"} else blank
            for role, cell in rows[-1].items()
        }
        rows.append({**empty, "date": prices.date_cell(saturday + timedelta(days=3))})
        prices.traits.append("row without numbers")
    if rng.random() < 0.05:
        role = rng.choice([role for role in rows[-1] if role not in {"symbol", "date"}])
        dividend: dict[str, Cell] = {
            name: cell for name, cell in rows[-1].items() if name in {"symbol", "date"}
        }
        rows.append({**dividend, role: "0.25 Dividend"})
        prices.traits.append("row of a dividend")


def _long(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one row per symbol and day."""
    rng = prices.rng
    symbols = rng.sample(SYMBOLS, rng.randrange(1, 4))
    if not prices.is_plain and rng.random() < 0.1:
        symbols.append(rng.choice(list(LISTING_CURRENCIES)))
        prices.truth.foreign_listings.add(symbols[-1])
        prices.traits.append("foreign listing")
    days = sessions(rng, rng.randrange(2, 15))
    quotes = [quote for symbol in symbols for quote in _quotes(rng, symbol, days)]
    sheet = _tabulate(prices, quotes, has_symbol=True)
    return "prices", sheet.write(prices.notation), sheet.headers


def _single(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one symbol, named by the file only."""
    symbol = prices.rng.choice(SYMBOLS)
    days = sessions(prices.rng, prices.rng.randrange(2, 15))
    sheet = _tabulate(prices, _quotes(prices.rng, symbol, days), has_symbol=False)
    return symbol, sheet.write(prices.notation), sheet.headers


def _wide(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one row per day and one column of closes per symbol."""
    rng = prices.rng
    days, symbols = sessions(rng, rng.randrange(2, 15)), rng.sample(SYMBOLS, rng.randrange(2, 6))
    by_symbol = [_quotes(rng, symbol, days) for symbol in symbols]
    header = pick_headers(rng, prices.notation.language, ["date"], is_plain=prices.is_plain)
    rows: list[Row] = [[header["date"], *symbols]]
    for quotes in zip(*by_symbol, strict=True):
        rows.append([prices.date_cell(quotes[0].day), *(Number(q.close) for q in quotes)])
        for quote in quotes:
            prices.record(quote, has_adjusted=False, has_volume=False)
    return "closes", write_rows(rows, prices.notation), header


def _yfinance(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write yfinance's header of three lines."""
    rng = prices.rng
    symbols = rng.sample(SYMBOLS, rng.randrange(1, 3))
    days = sessions(rng, rng.randrange(2, 10))
    fields = ["Adj Close", "Close", "High", "Low", "Open", "Volume"]
    lines = [
        ",".join(["Price", *(name for name in fields for _ in symbols)]),
        ",".join(["Ticker", *symbols * len(fields)]),
        "Date" + "," * len(fields) * len(symbols),
    ]
    by_symbol = [_quotes(rng, symbol, days) for symbol in symbols]
    stamp = rng.choice(["", " 00:00:00+00:00"])
    for quotes in zip(*by_symbol, strict=True):
        columns = ["adj_close", "close", "high", "low", "open", "volume"]
        cells = [str(getattr(quote, name)) for name in columns for quote in quotes]
        lines.append(",".join([f"{quotes[0].day}{stamp}", *cells]))
        for quote in quotes:
            prices.record(quote, has_adjusted=True, has_volume=True)
    return "yfinance", ("\n".join(lines) + "\n").encode(), {}


def _stooq(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write the bulk layout of Stooq."""
    rng = prices.rng
    symbol, days = rng.choice(SYMBOLS), sessions(rng, rng.randrange(2, 10))
    lines = ["<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"]
    for q in _quotes(rng, symbol, days):
        day = f"{q.day:%Y%m%d}"
        lines.append(f"{symbol}.US,D,{day},000000,{q.open},{q.high},{q.low},{q.close},{q.volume},0")
        prices.record(q, has_adjusted=False, has_volume=True)
    return "stooq", ("\n".join(lines) + "\n").encode(), {}


def _raw_with_split(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write Tiingo's raw close with a split: closes before it must be divided by its factor."""
    rng = prices.rng
    symbol, days, factor = rng.choice(SYMBOLS), sessions(rng, 8), rng.choice([2, 3, 4, 10])
    split = rng.randrange(1, len(days))
    lines = ["symbol,date,close,high,low,open,volume,adjClose,divCash,splitFactor"]
    for place, q in enumerate(_quotes(rng, symbol, days)):
        times = factor if place < split else 1
        raw = [name * times for name in (q.close, q.high, q.low, q.open)]
        written = ",".join(map(str, raw))
        lines.append(
            f"{symbol},{q.day},{written},{q.volume},{q.adj_close},0.0,"
            f"{float(factor) if place == split else 1.0}"
        )
        prices.record(q, has_adjusted=True, has_volume=False)
    prices.traits.append("split")
    return "tiingo", ("\n".join(lines) + "\n").encode(), {}


def _alpha_vantage(prices: _Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write Alpha Vantage's raw closes of a symbol that only the name of the file tells."""
    rng = prices.rng
    symbol, days, factor = rng.choice(SYMBOLS), sessions(rng, 8), rng.choice([2, 3, 20])
    split = rng.randrange(1, len(days))
    lines = []
    for place, q in enumerate(_quotes(rng, symbol, days)):
        times = factor if place < split else 1
        raw = ",".join(str(price * times) for price in (q.open, q.high, q.low, q.close))
        coefficient = f"{float(factor) if place == split else 1.0}"
        lines.append(f"{q.day},{raw},{q.adj_close},{q.volume},0.0000,{coefficient}")
        prices.record(q, has_adjusted=True, has_volume=False)
    header = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
    prices.traits.append("split")
    return symbol, "\n".join([header, *reversed(lines), ""]).encode(), {}


_LAYOUTS: dict[str, tuple[int, Callable[[_Prices], tuple[str, bytes, dict[str, str]]]]] = {
    "long": (50, _long),
    "single": (15, _single),
    "wide": (15, _wide),
    "yfinance": (7, _yfinance),
    "stooq": (5, _stooq),
    "raw with split": (8, _raw_with_split),
    "alpha vantage": (5, _alpha_vantage),
}
"""Weight and function of each layout."""


def prices_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of prices."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    weights = [weight for weight, _ in _LAYOUTS.values()]
    layout = "long" if is_plain else rng.choices(list(_LAYOUTS), weights)[0]
    stamp = rng.choice(_STAMPS) if not is_plain and rng.random() < 0.15 else None
    traits = [f"layout {layout}"]
    prices = _Prices(rng, notation, is_plain, Truth("prices"), traits, stamp)
    name, content, headers = _LAYOUTS[layout][1](prices)
    if layout in {"long", "single", "wide"}:
        traits += [*notation.traits, *([f"stamp {stamp}"] if stamp else [])]
    suffix = "xlsx" if content.startswith(b"PK") else "csv"
    return GeneratedFile(
        f"{name}.{suffix}", content, prices.truth, tuple(traits), headers, is_plain
    )
