"""Quotes of generated files of prices, on sessions of the New York Stock Exchange."""

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
)
from tests.sources.generated_truth import (
    Bar,
    Truth,
    round_decimal,
)

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


def make_quotes(rng: Random, symbol: str, days: list[date]) -> list[Quote]:
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


def with_three_decimals(quote: Quote) -> Quote:
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


STAMPS = [
    *("New York close", "Singapore close", "Tokyo close", "UTC close", "UTC midnight"),
    *("no zone", "epoch ms", "epoch s", "epoch ns"),
]


@dataclass
class Prices:
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
