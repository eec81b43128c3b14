"""Read stored prices as one array per symbol and column, by COPY in binary format.

A panel of 5,000 symbols and 504 sessions has 2.5 million prices. As rows of text they take the
server longer to write, and the client ten times as long to read, than as 5,000 rows of arrays.
"""

import io
import struct
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics.db.copy import copy_out_binary
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray

_EPOCH = date(2000, 1, 1)
"""Day 0 of days in arrays."""

_HEADER = struct.Struct("!11sii")
"""Signature, flags and length of the header's extension (0), of COPY in binary format."""

_ARRAY_HEADER_BYTES = 20
"""Dimensions, flags, element type, length and lower bound of an array, four bytes each."""

_DAY = np.dtype([("bytes", ">i4"), ("value", ">i4")])
_PRICE = np.dtype([("bytes", ">i4"), ("value", ">f8")])


class PriceArrays(NamedTuple):
    """Prices (P), grouped by symbol."""

    symbols: list[str]
    """Symbols with prices, in no order."""
    symbol: IntArray
    """Position of the symbol of each price in ``symbols``, (P,)."""
    day: DateArray
    """Day of each price, (P,), datetime64[D]."""
    values: dict[str, FloatArray]
    """Prices by column, (P,) each; NaN where none is stored."""

    def select(self, chosen: "BoolArray | IntArray") -> "PriceArrays":
        """Return some of the prices."""
        values = {name: value[chosen] for name, value in self.values.items()}
        return PriceArrays(self.symbols, self.symbol[chosen], self.day[chosen], values)

    def by_day(self) -> "PriceArrays":
        """Return the prices of each symbol in the order of days."""
        is_later = np.diff(self.day).astype(np.int64) > 0
        if (is_later | (np.diff(self.symbol) != 0)).all():  # as they are usually stored
            return self
        return self.select(np.lexsort((self.day, self.symbol)))

    def first_of_symbol(self) -> IntArray:
        """Return the position of the first price of each price's symbol, (P,), if `by_day`."""
        starts = self._starts()
        lengths = np.diff([*starts, len(self.symbol)])
        return np.repeat(starts, lengths)

    def previous(self, name: str) -> FloatArray:
        """Return the price before each one, (P,), if `by_day`; NaN for the first of a symbol."""
        before = np.empty(len(self.symbol))
        before[1:] = self.values[name][:-1]
        before[self._starts()] = np.nan
        return before

    def _starts(self) -> IntArray:
        return np.flatnonzero(np.diff(self.symbol, prepend=-1))

    def to_frame(self) -> pd.DataFrame:
        """Return a row per price: symbol, date and the columns."""
        names = pd.Series(self.symbols, dtype="str").iloc[self.symbol].reset_index(drop=True)
        return pd.DataFrame(
            {"symbol": names, "date": self.day.astype("datetime64[s]")} | self.values
        )

    def pivot(self, sessions: Sequence[date], symbols: Sequence[str], name: str) -> pd.DataFrame:
        """Arrange a column as sessions x symbols; NaN where there is no price."""
        index = pd.DatetimeIndex(pd.to_datetime(list(sessions)))
        columns = pd.Index(list(symbols), dtype="str")
        panel = np.full((len(index), len(columns)), np.nan)
        if len(self.day) and panel.size:
            days = index.to_numpy().astype("datetime64[D]").astype(np.int64)
            row_of_day = np.full(days.max() - days.min() + 1, -1)
            row_of_day[days - days.min()] = np.arange(len(days))
            offset = self.day.astype(np.int64) - days.min()
            is_inside = (offset >= 0) & (offset < len(row_of_day))
            row = np.where(is_inside, row_of_day[np.where(is_inside, offset, 0)], -1)
            column = columns.get_indexer(pd.Index(self.symbols, dtype="str"))[self.symbol]
            in_panel = (row >= 0) & (column >= 0)
            panel[row[in_panel], column[in_panel]] = self.values[name][in_panel]
        return pd.DataFrame(panel, index=index, columns=columns)


def read_price_arrays(
    connection: sa.Connection,
    prices: sa.FromClause,
    names: Sequence[str],
    condition: sa.ColumnElement[bool],
) -> PriceArrays:
    """Return columns of stored or adjusted prices that meet a condition."""
    days = sa.func.array_agg(prices.c.date - sa.literal(_EPOCH, sa.Date))
    missing = sa.literal(float("nan"), sa.Double)
    columns = (
        sa.func.array_agg(sa.func.coalesce(sa.cast(prices.c[name], sa.Double), missing))
        for name in names
    )
    statement = sa.select(prices.c.symbol, days, *columns).where(condition)
    binary = io.BytesIO()
    copy_out_binary(connection, statement.group_by(prices.c.symbol), binary)
    return _parse(binary.getbuffer(), names)


def _parse(binary: memoryview, names: Sequence[str]) -> PriceArrays:
    """Read rows of a symbol, an array of days, and an array for each of ``names``."""
    symbols: list[str] = []
    arrays: list[list[np.ndarray[Any, Any]]] = [[] for _ in ("day", *names)]
    position = _HEADER.size
    while struct.unpack_from("!h", binary, position)[0] > 0:  # number of fields; -1 at the end
        (length,) = struct.unpack_from("!i", binary, position + 2)
        position += 6
        symbols.append(bytes(binary[position : position + length]).decode())
        position += length
        for array, element in zip(arrays, (_DAY, *(_PRICE for _ in names)), strict=True):
            (length,) = struct.unpack_from("!i", binary, position)
            start = position + 4 + _ARRAY_HEADER_BYTES
            count = (length - _ARRAY_HEADER_BYTES) // element.itemsize
            array.append(np.frombuffer(binary, element, count, start)["value"])
            position += 4 + length
    counts = [len(days) for days in arrays[0]]
    day, *values = (
        np.concatenate(array).astype(array[0].dtype.newbyteorder("=")) if array else np.empty(0)
        for array in arrays
    )
    return PriceArrays(
        symbols,
        np.repeat(np.arange(len(symbols)), counts),
        np.datetime64(_EPOCH, "D") + day.astype("timedelta64[D]"),
        dict(zip(names, values, strict=True)),
    )
