"""Check of trade prices and stated splits against stored closes."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from riskmetrics.symbols import parse_option
from riskmetrics.transactions.amounts import PRICE_LIMIT
from riskmetrics.transactions.lots import DatedLot, StatedSplit

MIN_SPLIT_FACTOR = 1.4
"""Smallest factor between a price and the close of its day that a split explains, as 3:2 does."""
SPLIT_TOLERANCE = 0.15
"""Relative distance of the factor from the ratio: the price is of another moment of the day."""
MIN_TRADE_VALUE = 25.0
"""Smallest value of a trade that is checked, USD: fees distort the price of a smaller one."""
_RATIOS = (1.5, *range(2, 51))


class TradePrice(NamedTuple):
    """Price of the entry or exit of a lot, adjusted for stated splits."""

    symbol: str
    day: date
    price: float


def find_large_prices(lots: Iterable[DatedLot]) -> set[str]:
    """Return the symbols of lots whose prices, adjusted for later splits, no column holds."""
    return {
        lot.symbol
        for lot in lots
        if any(
            price is not None and abs(price) >= PRICE_LIMIT
            for price in (lot.entry_price, lot.exit_price)
        )
    }


def list_trade_prices(lots: Iterable[DatedLot]) -> list[TradePrice]:
    """Return the prices of the trades of shares that are large enough to be checked."""
    found = []
    for lot in lots:
        if parse_option(lot.symbol):
            continue
        for day, price in ((lot.entry_date, lot.entry_price), (lot.exit_date, lot.exit_price)):
            if day and price and abs(lot.quantity * price) >= MIN_TRADE_VALUE:
                found.append(TradePrice(lot.symbol, day, float(price)))
    return found


def missing_split(trade: TradePrice, close: float) -> str | None:
    """Return the ratio of the split that is missing in a trade price, such as 4:1; None if it fits.

    Examples
    --------
    >>> missing_split(TradePrice("NVDA", date(2024, 5, 1), 830.0), 83.0)
    '10:1'
    >>> missing_split(TradePrice("NVDA", date(2024, 5, 1), 84.0), 83.0)
    """
    factor = trade.price / close
    larger = max(factor, 1 / factor)
    if larger < MIN_SPLIT_FACTOR:
        return None
    ratio = min(_RATIOS, key=lambda one: abs(larger / one - 1))
    if abs(larger / ratio - 1) > SPLIT_TOLERANCE:
        return None
    text = "3:2" if ratio == _RATIOS[0] else f"{ratio}:1"
    return text if factor > 1 else ":".join(reversed(text.split(":")))


def find_move(split: StatedSplit, closes: Sequence[tuple[date, float]]) -> date | None:
    """Return the day on which closes make the move of a split, which adjusted ones do not.

    Parameters
    ----------
    split : StatedSplit
        One nearer to 1 than MIN_SPLIT_FACTOR makes no move that can be recognized.
    closes : sequence of (date, float)
        Closes of the symbol around the split, by day.

    Examples
    --------
    >>> split = StatedSplit("NVDA", date(2024, 6, 10), Fraction(10))
    >>> find_move(split, [(date(2024, 6, 7), 1208.88), (date(2024, 6, 10), 121.79)])
    datetime.date(2024, 6, 10)
    """
    if max(split.ratio, 1 / split.ratio) < MIN_SPLIT_FACTOR:
        return None
    moves = ((day, before / close) for (_, before), (day, close) in pairwise(closes) if close > 0)
    return next((day for day, move in moves if _is_near(move, split.ratio)), None)


def find_contradicting_split(
    trade: TradePrice, close: float, splits: Iterable[StatedSplit]
) -> StatedSplit | None:
    """Return the stated split without which a trade price agrees with the close of its day."""
    later = (one for one in splits if one.symbol == trade.symbol and one.day >= trade.day)
    return next((one for one in later if _is_near(close / trade.price, one.ratio)), None)


def _is_near(factor: float, ratio: Fraction) -> bool:
    return abs(factor / float(ratio) - 1) <= SPLIT_TOLERANCE
