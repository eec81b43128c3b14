"""Prices of lots: closes of listed holdings, stated prices of others."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.price_quality import bad_ticks
from riskmetrics.panels import forward_fill, pad_history
from riskmetrics.results.lot_frames import (
    date_array,
    is_listed,
    is_option,
    underlying,
)
from riskmetrics.transactions.model import CONTRACT_SIZE


class SplitSuspicion(NamedTuple):
    """Flags of lots affected by a suspected split of their symbol, each of shape (L, D)."""

    on_day: BoolArray
    """Whether the P&L of the day is unknown, because it includes a suspected move or its
    reversal."""
    since_entry: BoolArray
    """Whether the lot was held over an unresolved suspected split up to the day."""


def split_suspicion(
    lots: pd.DataFrame, suspects: pd.DataFrame | None, sessions: Sequence[date]
) -> SplitSuspicion:
    """Return which lots are affected by a suspected split in the close, on which sessions.

    Parameters
    ----------
    lots : DataFrame
        Lots as read by `db.input_queries.read_lots`. A lot bought on the session of the move or
        later, or sold before it, is not affected; one bought on the session of a bad tick was held
        at its close. A split of an underlying also affects its options.
    suspects : DataFrame, optional
        Rows of `panels.suspected_splits`. None: nothing is suspected.
    sessions : sequence of date
        Each session considers the moves up to it; whether a move reverts is known a session
        later.
    """
    stamps = np.array(sessions, dtype="datetime64[D]")
    on_day, since_entry = (np.zeros((len(lots), len(sessions)), dtype=bool) for _ in range(2))
    if suspects is None or suspects["in_close"].isna().all():
        return SplitSuspicion(on_day, since_entry)
    entry, exit_ = date_array(lots, "entry_date"), date_array(lots, "exit_date")
    symbols = underlying(lots).to_numpy(object)
    for suspect in suspects[suspects["in_close"].notna()].to_dict("records"):
        rows = np.flatnonzero(symbols == suspect["symbol"])
        move = np.datetime64(suspect["date"], "D")
        is_held_over = (entry[rows] < move) & ~(exit_[rows] < move)
        is_day = stamps == move
        on_day[rows[is_held_over]] |= is_day
        if suspect["close_reverts"]:
            reverted_on = np.datetime64(trading_calendar.next_session(suspect["date"].date()), "D")
            is_held_back = (entry[rows] < reverted_on) & ~(exit_[rows] < reverted_on)
            on_day[rows[is_held_back]] |= stamps == reverted_on
            since_entry[rows[is_held_over]] |= is_day
        else:
            since_entry[rows[is_held_over]] |= stamps >= move
    return SplitSuspicion(on_day, since_entry)


def price_lots(
    lots: pd.DataFrame, closes: pd.DataFrame, sessions: Sequence[date]
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return prices of lots on sessions, whether they are stale, and whether lots have a source.

    Each (L, D). Prices are per share, NaN where there is no close on the session or the
    MAX_STALE_SESSIONS before it, or no stated price. A stale price is a close of an earlier
    session. See `Valuation.has_price_source`.
    """
    filled, stale = forward_fill(closes, sessions)
    listed = is_listed(lots)[:, None]
    column = closes.columns.get_indexer(pd.Index(underlying(lots)))
    close_prices = _with_missing_column(filled, np.nan).T[column]
    stated = _stated_prices(lots)[:, None]
    has_price_source = np.isfinite(
        np.where(listed | is_option(lots)[:, None], close_prices, stated)
    )
    return (
        np.where(listed, close_prices, stated),
        _with_missing_column(stale, False).T[column].astype(bool) & listed,
        has_price_source,
    )


def last_known_prices(
    lots: pd.DataFrame,
    closes: pd.DataFrame,
    earlier_closes: "pd.Series[float]",
    sessions: DateArray,
) -> FloatArray:
    """Return the last known price of each lot at each session, (L, D), regardless of its age.

    The last close, else the stated price, else the entry price; NaN without any. ``closes`` are of
    consecutive sessions, ``earlier_closes`` the last close of each symbol before them.
    """
    before = earlier_closes.reindex(closes.columns).to_numpy(float)
    filled = (
        closes.ffill().fillna(pd.Series(before, closes.columns)).reindex(pd.DatetimeIndex(sessions))
    )
    size = lots["quantity"].abs() * np.where(is_option(lots), CONTRACT_SIZE, 1)
    stated = (
        lots["last_price"]
        .fillna(lots["market_value"].abs() / size.where(size > 0))
        .fillna(lots["entry_price"])
    )
    close_prices = _with_missing_column(filled, np.nan).T[_close_columns(lots, closes)]
    return np.where(np.isnan(close_prices), stated.to_numpy(float)[:, None], close_prices)


def has_unconfirmed_price(
    lots: pd.DataFrame, closes: pd.DataFrame, sessions: Sequence[date]
) -> BoolArray:
    """Return whether each lot's close is unconfirmed on each session, (L, D).

    True if the close of the session or of the one before is suspect or bad as known on it.
    """
    checked_sessions = pd.to_datetime(trading_calendar.sessions_with_lookback(sessions, 2))
    ticks = bad_ticks(pad_history(closes.reindex(checked_sessions), len(sessions) + 2).to_numpy())
    is_unconfirmed = pd.DataFrame(ticks.suspect[2:] | ticks.bad[1:-1])
    return _with_missing_column(is_unconfirmed, False).T[_close_columns(lots, closes)].astype(bool)


def prices_on(lots: pd.DataFrame, closes: pd.DataFrame, days: DateArray) -> FloatArray:
    """Return the price of each lot on its own day, (L,), or at the session before; NaN for NaT."""
    found = np.full(len(lots), np.nan)
    has_day = ~np.isnat(days)
    points, point = np.unique(days[has_day], return_inverse=True)
    filled, _ = forward_fill(
        closes, [trading_calendar.previous_or_same_session(day) for day in points.tolist()]
    )
    closing = _with_missing_column(filled, np.nan)[point, _close_columns(lots, closes)[has_day]]
    found[has_day] = np.where(is_listed(lots)[has_day], closing, _stated_prices(lots)[has_day])
    return found


def _close_columns(lots: pd.DataFrame, closes: pd.DataFrame) -> IntArray:
    """Return the column of each lot's closes; -1 for an option or a private holding."""
    return np.where(is_listed(lots), closes.columns.get_indexer(pd.Index(lots["symbol"])), -1)


def _with_missing_column(
    values: pd.DataFrame, missing_value: object
) -> "np.ndarray[tuple[int, int], Any]":
    """Append a column of missing values, which index -1 selects."""
    return np.column_stack([values.to_numpy(), np.full(len(values), missing_value)])


def counts_when_closed(lots: pd.DataFrame) -> BoolArray:
    """Return whether a lot has no price from its known entry to its exit, (L,).

    Such is an option or a private holding without a stated price.
    """
    is_dated = ~lots["entry_date_assumed"].to_numpy(bool)
    found: BoolArray = ~is_listed(lots) & np.isnan(_stated_prices(lots)) & is_dated
    return found


def _stated_prices(lots: pd.DataFrame) -> FloatArray:
    """Return the stated price per unit, (L,).

    It is the last price, or else a private holding's market value over its quantity.
    """
    private = (lots["investment_class"] == "PRIVATE") & (lots["quantity"] != 0)
    implied_price = lots["market_value"].abs() / lots["quantity"].abs().where(private)
    return lots["last_price"].fillna(implied_price).to_numpy(float)
