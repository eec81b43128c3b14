"""Use of the columns of a price file that state splits, dividends and adjustment factors.

Stored closes are adjusted for splits, adjusted closes for dividends too. Whether closes of a file
are raw is read from their moves on the days of the splits, not from the name of a vendor.
"""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics._typing import DateArray, FloatArray, IntArray
from riskmetrics.metrics.price_adjustment import (
    dividend_factors,
    has_raw_closes,
    later_split_factors,
)
from riskmetrics.sources import cells
from riskmetrics.sources.row_validation import RowValidator, join_names

_RATIO = re.compile(r"(\d+(?:\.\d+)?) ?(?:[:/]|-? ?for ?-?) ?(\d+(?:\.\d+)?)", re.IGNORECASE)


class PriceArrays(NamedTuple):
    """Prices in dollars and volume in shares, NaN where missing; all of shape (N,)."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adj_close: FloatArray
    volume: FloatArray

    def divide(self, factors: FloatArray, volume_factors: FloatArray) -> "PriceArrays":
        """Return prices divided by factors, except adj_close, and volume multiplied by its own."""
        opens, highs, lows, closes = (
            values / factors for values in (self.open, self.high, self.low, self.close)
        )
        volume = self.volume * volume_factors
        return PriceArrays(opens, highs, lows, closes, self.adj_close, volume)


def adjust_prices(
    validator: RowValidator, symbols: "pd.Series[str]", days: DateArray, prices: PriceArrays
) -> PriceArrays:
    """Return prices adjusted for splits, with adj_close from dividends where the file has none.

    Parameters
    ----------
    validator : RowValidator
        The table, of which split, dividend, price_factor and volume_factor are read; rows that
        cannot be adjusted are rejected.
    symbols, days : (N,) arrays
        Symbol and day of each row.
    prices : PriceArrays
        Prices as in the file.
    """
    columns = validator.table.columns
    if "price_factor" in columns:
        prices = _divide_by_factors(validator, prices)
    if not {"split", "dividend"} & columns.keys():
        return prices
    splits, dividends = _split_ratios(validator), validator.numbers("dividend")
    validator.reject(
        (dividends < 0) | np.isinf(dividends), "dividend {dividend} is not an amount per share"
    )
    rows = _rows_by_symbol(validator, symbols, days)
    factors = _split_factors(validator, symbols, days, prices, splits, rows)
    prices = prices.divide(factors, factors)
    adjusted = _adjusted_by_dividends(validator, symbols, prices, dividends / factors, rows)
    return prices._replace(adj_close=adjusted)


def _divide_by_factors(validator: RowValidator, prices: PriceArrays) -> PriceArrays:
    """Return prices and volume adjusted by the cumulative factors of CRSP."""
    factors = validator.numbers("price_factor")
    is_factor = (factors > 0) & np.isfinite(factors)
    validator.reject(~is_factor, "adjustment factor '{price_factor}' is not a positive number")
    factors = np.where(is_factor, factors, 1.0)
    volume_factors = factors
    if "volume_factor" in validator.table.columns:
        stated = validator.numbers("volume_factor")
        volume_factors = np.where((stated > 0) & np.isfinite(stated), stated, np.nan)
    return prices.divide(factors, volume_factors)


def _split_ratios(validator: RowValidator) -> FloatArray:
    """Return the split ratio of each row, 1 where there is none; reject other text."""
    if "split" not in validator.table.columns:
        return np.ones(validator.table.n_rows)
    text = cells.trim_text(validator.table.columns["split"])
    pairs = cells.map_unique(text, _parse_ratio, "float64")
    values, invalid = cells.parse_numbers(validator.table.columns["split"], validator.decimal)
    ratios = np.where(np.isnan(pairs), values, pairs)
    validator.reject(invalid & np.isnan(pairs), "split '{split}' is not a ratio, such as 3 or 3:1")
    validator.reject((ratios < 0) | np.isinf(ratios), "split {split} is not a positive ratio")
    return np.where(np.isnan(ratios) | (ratios <= 0), 1.0, ratios)


def _parse_ratio(text: str) -> float:
    found = _RATIO.fullmatch(text)
    return float(found[1]) / float(found[2]) if found and float(found[2]) else float("nan")


def _rows_by_symbol(
    validator: RowValidator, symbols: "pd.Series[str]", days: DateArray
) -> list[IntArray]:
    """Return the valid rows of each symbol, ordered by day."""
    valid: IntArray = np.flatnonzero(validator.valid_rows)
    codes = pd.factorize(symbols)[0][valid]
    order = np.lexsort((days[valid], codes))
    borders = np.flatnonzero(np.diff(codes[order])) + 1
    return np.split(valid[order], borders) if len(valid) else []


def _split_factors(
    validator: RowValidator,
    symbols: "pd.Series[str]",
    days: DateArray,
    prices: PriceArrays,
    splits: FloatArray,
    rows: list[IntArray],
) -> FloatArray:
    """Return the factor by which each row is divided: the later splits, if its closes are raw."""
    factors, undecided = np.ones(len(splits)), np.zeros(len(splits), dtype=bool)
    divided = []
    for own in rows:
        if (splits[own][1:] == 1).all():  # a split on the first day has no price before it
            continue
        adjusted = prices.adj_close[own]
        is_raw = has_raw_closes(
            prices.close[own], splits[own], None if np.isnan(adjusted).any() else adjusted
        )
        undecided[own] = is_raw is None
        if is_raw:
            factors[own] = later_split_factors(splits[own])
            split_rows = own[1:][splits[own][1:] != 1]
            divided += [f"{symbols[row]} {splits[row]:g}:1 on {days[row]}" for row in split_rows]
    validator.reject(
        undecided,
        "closes of {symbol} are neither raw nor adjusted for the splits of the file. Import its"
        " history without the column of splits",
    )
    if divided:
        validator.notes.append(
            f"closes before a split are divided by it: {join_names(pd.Series(divided))}"
        )
    return factors


def _adjusted_by_dividends(
    validator: RowValidator,
    symbols: "pd.Series[str]",
    prices: PriceArrays,
    dividends: FloatArray,
    rows: list[IntArray],
) -> FloatArray:
    """Return adj_close, calculated from dividends for symbols that have them and no adj_close."""
    adjusted = prices.adj_close.copy()
    too_large, calculated = np.zeros(len(adjusted), dtype=bool), []
    for own in rows:
        paid = np.nan_to_num(dividends[own])
        if not np.isnan(adjusted[own]).all() or not paid[1:].any():
            continue
        exceeds = paid[1:] >= prices.close[own][:-1]
        if exceeds.any():
            too_large[own] = True
            continue
        adjusted[own] = prices.close[own] * dividend_factors(prices.close[own], paid)
        calculated.append(symbols[own[0]])
    validator.reject(
        too_large, "a dividend of {symbol} in the file is not below the close of the day before it"
    )
    if calculated:
        validator.notes.append(
            f"adj_close is calculated from dividends for {join_names(pd.Series(calculated))}"
        )
    return adjusted
