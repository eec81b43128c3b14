"""Panels: labeled frames of sessions x symbols, and their conversion to and from arrays."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import MissingPricesError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.price_quality import Ticks, bad_ticks, split_suspects
from riskmetrics.metrics.volatility import range_proxy

MAX_STALE_SESSIONS = 5
"""Maximum age, in sessions, of a close that replaces a missing one; without one a holding is
unpriced."""


class Bars(NamedTuple):
    """Daily prices, each sessions x symbols; highs and lows are on the scale of the close."""

    close: pd.DataFrame
    adj_close: pd.DataFrame
    high: pd.DataFrame
    low: pd.DataFrame


def simple_returns(closes: pd.DataFrame) -> pd.DataFrame:
    """Return P_t / P_(t-1) - 1 between consecutive sessions; NaN where either close is missing.

    The result has one row fewer than ``closes``.
    """
    prices = closes.to_numpy()
    return pd.DataFrame(
        prices[1:] / prices[:-1] - 1.0, index=closes.index[1:], columns=closes.columns
    )


class Returns(NamedTuple):
    """Simple returns, sessions x symbols, without bad ticks and suspected splits.

    A move that is not confirmed yet is left out of windows that end with it.
    """

    frame: pd.DataFrame
    unconfirmed: BoolArray
    """Whether a return is an unconfirmed move, of the frame's shape."""
    sessions: pd.DatetimeIndex
    """Sessions of the T + 1 closes between which the T returns are."""

    def values(self) -> FloatArray:
        """Return the returns as an array, (T, N)."""
        return self.frame.to_numpy()

    def last(self, rows: int) -> "Returns":
        """Return the last ``rows`` rows."""
        return Returns(
            self.frame.iloc[-rows:], self.unconfirmed[-rows:], self.sessions[-rows - 1 :]
        )

    def ends_with(self, other: "Returns") -> bool:
        """Return whether the last rows are those of ``other``."""
        own = self.last(len(other.frame))
        same: bool = own.frame.equals(other.frame)
        return same and np.array_equal(own.unconfirmed, other.unconfirmed)

    def column(self, symbol: str) -> FloatArray:
        """Return one symbol's returns as a regressor, (T,), without unconfirmed moves."""
        column = self.frame.columns.get_loc(symbol)
        return np.where(self.unconfirmed[:, column], np.nan, self.values()[:, column])

    def windows(self, length: int) -> Iterator[FloatArray]:
        """Yield every window of rows, (length, S), with returns as known on its last session."""
        values = np.ascontiguousarray(self.values())
        for last in range(length - 1, len(values)):
            known = values[last - length + 1 : last + 1]
            if self.unconfirmed[last].any():
                known = known.copy()
                known[-1, self.unconfirmed[last]] = np.nan
            yield known


def suspected_splits(bars: Bars) -> pd.DataFrame:
    """List moves that look like a split for which prices are not adjusted.

    Parameters
    ----------
    bars : Bars
        Sessions x symbols, with every session between the first and the last.

    Returns
    -------
    DataFrame
        symbol, date, in_close and in_adj_close (old price over new, judged on the day itself; NaN:
        that close is not suspected), close_reverts and adj_close_reverts (whether the next session
        shows that it was a bad tick). See `metrics.price_quality.split_suspects`.
    """
    found = split_suspects(*(prices.to_numpy() for prices in bars))
    row, column = np.nonzero(~np.isnan(found.in_close) | ~np.isnan(found.in_adj_close))
    names = ("in_close", "in_adj_close", "close_reverts", "adj_close_reverts")
    keys = {"symbol": bars.close.columns[column], "date": bars.close.index[row]}
    return pd.DataFrame(keys | {name: getattr(found, name)[row, column] for name in names})


def split_suspect_mask(suspects: pd.DataFrame | None, prices: pd.DataFrame) -> BoolArray:
    """Return where the adjusted close is suspected on its own session, in the shape of ``prices``.

    ``suspects`` are rows of `suspected_splits`. None: nothing is suspected.
    """
    cells = np.zeros(prices.shape, dtype=bool)
    if suspects is None:
        return cells
    suspects = suspects[suspects["in_adj_close"].notna()]
    row = pd.DatetimeIndex(prices.index).get_indexer(pd.DatetimeIndex(suspects["date"]))
    column = prices.columns.get_indexer(pd.Index(suspects["symbol"]))
    is_inside = (row >= 0) & (column >= 0)
    cells[row[is_inside], column[is_inside]] = True
    return cells


def clean_returns(closes: pd.DataFrame, suspects: pd.DataFrame | None = None) -> Returns:
    """Return simple returns without bad ticks and suspected splits.

    Parameters
    ----------
    closes : DataFrame
        Adjusted closes, sessions x symbols.
    suspects : DataFrame, optional
        Rows of `suspected_splits`. None: nothing is suspected.

    Notes
    -----
    There are two rows fewer than in ``closes``: the first return only serves to judge the second
    price. A return is NaN where a close is missing or bad (`price_quality.bad_ticks`), and on the
    session of a suspected split, in the windows of later days too.
    """
    return _mask_suspect_returns(closes, bad_ticks(closes.to_numpy()), suspects)


def clean_bars(
    adj_close: pd.DataFrame,
    high: pd.DataFrame,
    low: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> tuple[Returns, pd.DataFrame]:
    """Return `clean_returns`, and the range proxies (`volatility.range_proxy`) of the same rows.

    A range is NaN on a session whose move is suspect.
    """
    ticks = bad_ticks(adj_close.to_numpy())
    is_suspect = ticks.suspect | split_suspect_mask(suspects, adj_close)
    ranges = np.where(is_suspect, np.nan, range_proxy(high.to_numpy(), low.to_numpy()))
    by_session = pd.DataFrame(ranges, index=high.index, columns=high.columns)
    return _mask_suspect_returns(adj_close, ticks, suspects), by_session.iloc[2:]


def opens_over_closes(opens: pd.DataFrame, closes: pd.DataFrame) -> FloatArray:
    """Return opening prices over closes of the rows of `clean_bars`, (T, N); NaN where missing."""
    first, last = opens.to_numpy(float)[2:], closes.to_numpy(float)[2:]
    valid = (first > 0.0) & (last > 0.0)
    ratio: FloatArray = np.divide(first, last, out=np.full(first.shape, np.nan), where=valid)
    return ratio


def _mask_suspect_returns(
    closes: pd.DataFrame, ticks: Ticks, suspects: pd.DataFrame | None
) -> Returns:
    returns = simple_returns(closes.mask(ticks.bad))
    returns = returns.mask(split_suspect_mask(suspects, returns))
    return Returns(returns.iloc[1:], ticks.unconfirmed[2:], pd.DatetimeIndex(closes.index[1:]))


def pad_history(closes: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Prepend empty rows to ``closes`` until there are ``rows``.

    Needed for windows that begin before the calendar does.
    """
    before = pd.bdate_range(end=closes.index[0], periods=max(rows - len(closes), 0) + 1)[:-1]
    return closes.reindex(before.append(pd.DatetimeIndex(closes.index))) if len(before) else closes


def forward_fill(closes: pd.DataFrame, days: Sequence[date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the latest close at or before each day, and whether it is from an earlier session.

    A close is at most MAX_STALE_SESSIONS sessions old. ``closes`` must contain each of ``days`` and
    the sessions before it that may be used.

    Raises
    ------
    KeyError
        If one of ``days`` has no row.
    """
    index = pd.DatetimeIndex(pd.to_datetime(list(days)))
    rows = closes.index.get_indexer(index)
    if (rows < 0).any():
        raise KeyError(
            f"closes have no row for {', '.join(f'{day:%Y-%m-%d}' for day in index[rows < 0])}"
        )
    prices = closes.to_numpy()
    known = prices[rows].copy()
    for age in range(1, MAX_STALE_SESSIONS + 1):
        known = np.where(
            np.isnan(known) & (rows >= age)[:, None], prices[np.maximum(rows - age, 0)], known
        )
    is_stale = ~np.isnan(known) & np.isnan(prices[rows])
    return pd.DataFrame(known, index=index, columns=closes.columns), pd.DataFrame(
        is_stale, index=index, columns=closes.columns
    )


def require_closes(closes: pd.DataFrame, days: Sequence[date], symbol: str) -> None:
    """Raise MissingPricesError with the days on which ``symbol`` has no close, if there are any."""
    absent = closes[symbol].reindex(pd.to_datetime(list(days))).isna()
    if absent.any():
        raise MissingPricesError(symbol, [day.date() for day in absent.index[absent]])
