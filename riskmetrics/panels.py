"""Labelled frames, sessions x symbols, and the way to plain arrays and back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import MissingPricesError
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.price_quality import Ticks, bad_ticks, split_suspects
from riskmetrics.metrics.volatility import range_proxy

MAX_STALE_SESSIONS = 5
"""Sessions that a close may stand in for a missing one; an older one leaves the holding unpriced."""


class Bars(NamedTuple):
    """Daily prices of symbols, each sessions x symbols; the highs and lows are on the scale of the close."""

    close: pd.DataFrame
    adj_close: pd.DataFrame
    high: pd.DataFrame
    low: pd.DataFrame


def pivot_to_panel(
    rows: pd.DataFrame, sessions: Sequence[date], symbols: Sequence[str], value_column: str
) -> pd.DataFrame:
    """Arrange long rows (symbol, date, value) as sessions x symbols; what is not there is NaN, and never filled.

    Rows of other days or symbols are left out; each symbol has one row a day at most. Values keep
    their unit, as float64.
    """
    index, columns = (
        pd.DatetimeIndex(pd.to_datetime(list(sessions))),
        pd.Index(list(symbols), dtype="str"),
    )
    row, column = (
        index.get_indexer(pd.DatetimeIndex(rows["date"])),
        columns.get_indexer(pd.Index(rows["symbol"])),
    )
    in_panel = (row >= 0) & (column >= 0)
    values = np.full((len(index), len(columns)), np.nan)
    values[row[in_panel], column[in_panel]] = rows[value_column].to_numpy(float)[in_panel]
    return pd.DataFrame(values, index=index, columns=columns)


def simple_returns(closes: pd.DataFrame) -> pd.DataFrame:
    """P_t / P_(t-1) - 1 between neighbouring sessions; NaN where either close is missing.

    One row fewer than ``closes``.
    """
    prices = closes.to_numpy()
    return pd.DataFrame(
        prices[1:] / prices[:-1] - 1.0, index=closes.index[1:], columns=closes.columns
    )


class Returns(NamedTuple):
    """Simple returns, sessions x symbols, without bad ticks and suspected splits.

    A move not yet confirmed stays out of windows that end with it.
    """

    frame: pd.DataFrame
    unconfirmed: BoolArray
    """Of the frame's shape."""

    def values(self) -> FloatArray:
        """The returns as an array, (T, N)."""
        return self.frame.to_numpy()

    def last(self, rows: int) -> "Returns":
        """The last rows alone."""
        return Returns(self.frame.iloc[-rows:], self.unconfirmed[-rows:])

    def column(self, symbol: str) -> FloatArray:
        """One symbol's returns as a regressor, (T,): its unconfirmed moves are left out for good."""
        column = self.frame.columns.get_loc(symbol)
        return np.where(self.unconfirmed[:, column], np.nan, self.values()[:, column])

    def windows(self, length: int) -> Iterator[FloatArray]:
        """Every window of rows, (length, S), as its returns were believed on its last session."""
        for last in range(length - 1, len(self.frame)):
            known = self.values()[last - length + 1 : last + 1].copy()
            known[-1, self.unconfirmed[last]] = np.nan
            yield known


def suspected_splits(bars: Bars) -> pd.DataFrame:
    """List the moves that look like a split which the prices are not adjusted for.

    Parameters
    ----------
    bars : Bars
        Sessions x symbols, without a session left out between the first and the last.

    Returns
    -------
    DataFrame
        symbol, date, in_close and in_adj_close (old price over new as judged on the day itself;
        NaN: that close is not suspected), close_reverts and adj_close_reverts (whether the next
        session shows that it was a bad tick). See `metrics.price_quality.split_suspects`.
    """
    found = split_suspects(*(prices.to_numpy() for prices in bars))
    row, column = np.nonzero(~np.isnan(found.in_close) | ~np.isnan(found.in_adj_close))
    names = ("in_close", "in_adj_close", "close_reverts", "adj_close_reverts")
    keys = {"symbol": bars.close.columns[column], "date": bars.close.index[row]}
    return pd.DataFrame(keys | {name: getattr(found, name)[row, column] for name in names})


def split_suspect_mask(suspects: pd.DataFrame | None, prices: pd.DataFrame) -> BoolArray:
    """Return where the adjusted close of a session is suspected on that session, in a frame's shape.

    ``suspects`` are rows of `suspected_splits`; None: nothing is suspected.
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
    """Simple returns without bad ticks and without suspected splits.

    Parameters
    ----------
    closes : DataFrame
        Adjusted closes, sessions x symbols.
    suspects : DataFrame, optional
        Rows of `suspected_splits`. None: nothing is suspected.

    Notes
    -----
    There are two rows fewer than in ``closes``: the first return is only there to judge the second
    price by. A return is NaN where a close is missing or bad (`price_quality.bad_ticks`), and on
    the session of a suspected split: in every window, that of a later day included.
    """
    return _mask_suspect_returns(closes, bad_ticks(closes.to_numpy()), suspects)


def clean_bars(
    adj_close: pd.DataFrame,
    high: pd.DataFrame,
    low: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> tuple[Returns, pd.DataFrame]:
    """Return `clean_returns`, and on their rows the range proxies (`volatility.range_proxy`).

    A range is NaN on a session whose move is not believed.
    """
    ticks = bad_ticks(adj_close.to_numpy())
    is_suspect = ticks.suspect | split_suspect_mask(suspects, adj_close)
    ranges = np.where(is_suspect, np.nan, range_proxy(high.to_numpy(), low.to_numpy()))
    by_session = pd.DataFrame(ranges, index=high.index, columns=high.columns)
    return _mask_suspect_returns(adj_close, ticks, suspects), by_session.iloc[2:]


def _mask_suspect_returns(
    closes: pd.DataFrame, ticks: Ticks, suspects: pd.DataFrame | None
) -> Returns:
    returns = simple_returns(closes.mask(ticks.bad))
    returns = returns.mask(split_suspect_mask(suspects, returns))
    return Returns(returns.iloc[1:], ticks.unconfirmed[2:])


def pad_history(closes: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Put empty rows before ``closes`` until there are ``rows``: the calendar begins later than the windows of the first sessions."""
    before = pd.bdate_range(end=closes.index[0], periods=max(rows - len(closes), 0) + 1)[:-1]
    return closes.reindex(before.append(pd.DatetimeIndex(closes.index))) if len(before) else closes


def forward_fill(closes: pd.DataFrame, days: Sequence[date]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the latest close at or before each day, up to MAX_STALE_SESSIONS sessions old, and whether it is an older one.

    ``closes`` must hold each of ``days`` (else KeyError) and the sessions before it that are to be
    looked at.
    """
    index = pd.DatetimeIndex(pd.to_datetime(list(days)))
    rows = closes.index.get_indexer(index)
    if (rows < 0).any():
        raise KeyError(f"no row for {', '.join(str(day.date()) for day in index[rows < 0])}")
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
    """Raise MissingPricesError that lists the days on which ``symbol`` has no close."""
    absent = closes[symbol].reindex(pd.to_datetime(list(days))).isna()
    if absent.any():
        raise MissingPricesError(symbol, [day.date() for day in absent.index[absent]])


def undefined_rows(
    rows: pd.DataFrame,
    table: str,
    reasons: Mapping[str, pd.Series],
    *,
    subject: str,
    day: str,
    n_obs: Mapping[str, FloatArray | IntArray] | None = None,
) -> pd.DataFrame:
    """Return a row for `undefined_metrics` for each value of ``rows`` that is missing.

    Parameters
    ----------
    rows : DataFrame
        Result rows with portfolio_id, the subject's and the day's columns.
    table : str
        Where they will be stored; a metric is called table.column.
    subject, day : str
        Columns of ``rows`` that say what a value is about, and of which day.
    reasons : mapping of column to Series of str
        Why the column is missing, by the index of ``rows``; read only where it is.
    n_obs : mapping of column to (rows,) array, optional
        What the reasons of a column count; of others it is ``observations`` if the rows have them.

    Returns
    -------
    DataFrame
        portfolio_id, subject, day, metric, reason, n_obs (missing where nothing is counted); in the
        order of ``reasons``.
    """
    missing = {column: np.flatnonzero(rows[column].isna()) for column in reasons}
    found = rows.iloc[np.concatenate(list(missing.values()))]
    why = [reasons[column].loc[rows.index[at]].to_numpy(object) for column, at in missing.items()]
    row_counts = (
        rows["observations"].to_numpy(float)
        if "observations" in rows
        else np.full(len(rows), np.nan)
    )
    counts = [(n_obs or {}).get(column, row_counts)[at] for column, at in missing.items()]
    return pd.DataFrame(
        {
            "portfolio_id": found["portfolio_id"].to_numpy(),
            "subject": found[subject].to_numpy(),
            "day": found[day].to_numpy(),
            "metric": np.repeat(
                [f"{table}.{column}" for column in missing], [len(at) for at in missing.values()]
            ),
            "reason": pd.array(np.concatenate(why), dtype="str"),
            "n_obs": pd.array(np.concatenate(counts), dtype="Int64"),
        }
    )
