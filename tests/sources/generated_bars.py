"""Generated files of prices: long, wide, one symbol per file, and the layouts of vendors."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from tests.sources.generated_notation import Cell, Number, Row, choose_notation, write_rows
from tests.sources.generated_quotes import (
    LISTING_CURRENCIES,
    STAMPS,
    SYMBOLS,
    Prices,
    Quote,
    make_quotes,
    sessions,
    with_three_decimals,
)
from tests.sources.generated_truth import GeneratedFile, Sheet, Truth, pick_headers
from tests.sources.generated_vendor_files import alpha_vantage, raw_with_split, stooq, yfinance
from tests.sources.generated_words import LANGUAGES


def _tabulate(prices: Prices, quotes: list[Quote], *, has_symbol: bool) -> Sheet:
    """Return a table with a row per quote."""
    rng, currency = prices.rng, "USD"
    if not prices.is_plain and rng.random() < 0.06:
        quotes = [with_three_decimals(quote) for quote in quotes]
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
    headers = pick_headers(rng, prices.notation.language, roles, is_plain=prices.is_plain)
    if not prices.is_plain and "currency" not in roles and rng.random() < 0.04:
        _use_euros(prices, headers)
    return _surround(prices, headers, rows)


def _use_euros(prices: Prices, headers: dict[str, str]) -> None:
    """Let the headers tell that all prices are in euros."""
    suffix = prices.rng.choice([" (EUR)", " in EUR", " €"])
    for role in {"open", "high", "low", "close", "adj_close"} & headers.keys():
        headers[role] = headers[role].strip() + suffix
    prices.notation = replace(prices.notation, money="{}")
    symbols = {symbol for symbol, _ in prices.truth.bars}
    prices.truth.bars.clear()
    prices.truth.foreign_listings.clear()
    prices.truth.unsupported = dict.fromkeys(symbols, "header in EUR")
    prices.traits.append("euros in headers")


def _surround(prices: Prices, headers: dict[str, str], rows: list[dict[str, Cell]]) -> Sheet:
    """Return a table with a title above it and a remark below it, or none."""
    rng, language = prices.rng, prices.notation.language
    above, below = list[Row](), list[Row]()
    if not prices.is_plain and rng.random() < 0.06:
        above = [[rng.choice(language.titles)], *([[]] if rng.random() < 0.5 else [])]
        prices.traits.append("title line")
    if not prices.is_plain and rng.random() < 0.05:
        below = [[rng.choice(language.footers)]]
        prices.traits.append("footer")
    return Sheet(headers, rows, above, below)


def _choose_roles(prices: Prices, *, has_symbol: bool) -> list[str]:
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
    prices: Prices, quote: Quote, currency: str, *, has_suffix: bool
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


def _add_faulty_rows(prices: Prices, quotes: list[Quote], rows: list[dict[str, Cell]]) -> None:
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


def _long(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one row per symbol and day."""
    rng = prices.rng
    symbols = rng.sample(SYMBOLS, rng.randrange(1, 4))
    if not prices.is_plain and rng.random() < 0.1:
        symbols.append(rng.choice(list(LISTING_CURRENCIES)))
        prices.truth.foreign_listings.add(symbols[-1])
        prices.traits.append("foreign listing")
    days = sessions(rng, rng.randrange(2, 15))
    quotes = [quote for symbol in symbols for quote in make_quotes(rng, symbol, days)]
    sheet = _tabulate(prices, quotes, has_symbol=True)
    return "prices", sheet.write(prices.notation), sheet.headers


def _single(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one symbol, named by the file only."""
    symbol = prices.rng.choice(SYMBOLS)
    days = sessions(prices.rng, prices.rng.randrange(2, 15))
    sheet = _tabulate(prices, make_quotes(prices.rng, symbol, days), has_symbol=False)
    return symbol, sheet.write(prices.notation), sheet.headers


def _wide(prices: Prices) -> tuple[str, bytes, dict[str, str]]:
    """Write one row per day and one column of closes per symbol."""
    rng = prices.rng
    days, symbols = sessions(rng, rng.randrange(2, 15)), rng.sample(SYMBOLS, rng.randrange(2, 6))
    by_symbol = [make_quotes(rng, symbol, days) for symbol in symbols]
    header = pick_headers(rng, prices.notation.language, ["date"], is_plain=prices.is_plain)
    rows: list[Row] = [[header["date"], *symbols]]
    for quotes in zip(*by_symbol, strict=True):
        rows.append([prices.date_cell(quotes[0].day), *(Number(q.close) for q in quotes)])
        for quote in quotes:
            prices.record(quote, has_adjusted=False, has_volume=False)
    return "closes", write_rows(rows, prices.notation), header


_LAYOUTS: dict[str, tuple[int, Callable[[Prices], tuple[str, bytes, dict[str, str]]]]] = {
    "long": (50, _long),
    "single": (15, _single),
    "wide": (15, _wide),
    "yfinance": (7, yfinance),
    "stooq": (5, stooq),
    "raw with split": (8, raw_with_split),
    "alpha vantage": (5, alpha_vantage),
}
"""Weight and function of each layout."""


def prices_file(rng: Random, *, is_plain: bool) -> GeneratedFile:
    """Generate a file of prices."""
    language = LANGUAGES["en" if is_plain else rng.choice(list(LANGUAGES))]
    notation = choose_notation(rng, language, is_plain=is_plain)
    weights = [weight for weight, _ in _LAYOUTS.values()]
    layout = "long" if is_plain else rng.choices(list(_LAYOUTS), weights)[0]
    stamp = rng.choice(STAMPS) if not is_plain and rng.random() < 0.15 else None
    traits = [f"layout {layout}"]
    prices = Prices(rng, notation, is_plain, Truth("prices"), traits, stamp)
    name, content, headers = _LAYOUTS[layout][1](prices)
    if layout in {"long", "single", "wide"}:
        traits += [*notation.traits, *([f"stamp {stamp}"] if stamp else [])]
    suffix = "xlsx" if content.startswith(b"PK") else "csv"
    return GeneratedFile(
        f"{name}.{suffix}", content, prices.truth, tuple(traits), headers, is_plain
    )
