"""What lots are worth per unit: closes of what is listed, stated prices of the rest."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.metrics.price_quality import bad_ticks
from riskmetrics.panels import latest_known, lengthened
from riskmetrics.results.lots import CONTRACT_SIZE, days_of, is_listed, is_option, underlying


class SplitSuspicion(NamedTuple):
    """Where a suspected split of its symbol concerns a lot, each of shape (L, D)."""

    of_day: BoolArray
    """The profit of the day is unknown: it runs over a suspected move, or back from one that the
    session shows to have been a bad tick."""
    since_entry: BoolArray
    """The lot was held over a suspected split, up to the day, that nobody has decided about."""


def split_suspicion(lots: pd.DataFrame, suspects: pd.DataFrame | None, days: Sequence[date]) -> SplitSuspicion:
    """Return which lots a suspected split in the close concerns on which days.

    Parameters
    ----------
    lots : DataFrame
        As `db.read.lots` gives them. A lot bought on the session of the move, or later, is not
        concerned, nor is one that was sold before it; but one bought on the session of a bad tick
        was held at its close. A split of what an option is on changes the option too.
    suspects : DataFrame, optional
        Rows of `panels.suspected_splits`. None: nothing is suspected.
    days : sequence of date
        Sessions. On each the moves up to it count; whether one reverts is known a session later.
    """
    stamps = np.array(days, dtype="datetime64[D]")
    of_day, since_entry = (np.zeros((len(lots), len(days)), dtype=bool) for _ in range(2))
    if suspects is None or suspects["in_close"].isna().all():
        return SplitSuspicion(of_day, since_entry)
    entry, exit_ = days_of(lots, "entry_date"), days_of(lots, "exit_date")
    symbols = underlying(lots).to_numpy(object)
    for suspect in suspects[suspects["in_close"].notna()].to_dict("records"):
        rows = np.flatnonzero(symbols == suspect["symbol"])
        move = np.datetime64(suspect["date"], "D")
        is_held_over = (entry[rows] < move) & ~(exit_[rows] < move)
        is_day = stamps == move
        of_day[rows[is_held_over]] |= is_day
        if suspect["close_reverts"]:
            back = np.datetime64(trading_calendar.next_session(suspect["date"].date()), "D")
            is_held_back = (entry[rows] < back) & ~(exit_[rows] < back)
            of_day[rows[is_held_back]] |= stamps == back
            since_entry[rows[is_held_over]] |= is_day
        else:
            since_entry[rows[is_held_over]] |= stamps >= move
    return SplitSuspicion(of_day, since_entry)


def prices(lots: pd.DataFrame, closes: pd.DataFrame, sessions: Sequence[date]) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Price of each lot on each session, (L, D), whether it is a close of an earlier one, and `Valuation.sourced` of the lot.

    Prices are per share, NaN where there is no close of the session or the STALE_AFTER before it, or where none is stated.
    """
    known, stale = latest_known(closes, sessions)
    listed, column = is_listed(lots)[:, None], closes.columns.get_indexer(pd.Index(underlying(lots)))
    of_closes, stated = _with_none(known, np.nan).T[column], _stated_prices(lots)[:, None]
    sourced = np.isfinite(np.where(listed | is_option(lots)[:, None], of_closes, stated))
    return np.where(listed, of_closes, stated), _with_none(stale, False).T[column].astype(bool) & listed, sourced


def last_known(lots: pd.DataFrame, closes: pd.DataFrame, earlier: "pd.Series[float]", sessions: DateArray) -> FloatArray:
    """Last known price of each lot at each session, however old, (L, D).

    The last close, else what its owner stated that a unit is worth, else what it cost; NaN without any.
    ``closes`` are of consecutive sessions, ``earlier`` the last close of each symbol before them.
    """
    before = earlier.reindex(closes.columns).to_numpy(float)
    filled = closes.ffill().fillna(pd.Series(before, closes.columns)).reindex(pd.DatetimeIndex(sessions))
    size = lots["quantity"].abs() * np.where(is_option(lots), CONTRACT_SIZE, 1)
    stated = lots["last_price"].fillna(lots["market_value"].abs() / size.where(size > 0)).fillna(lots["entry_price"])
    of_closes = _with_none(filled, np.nan).T[_columns(lots, closes)]
    return np.where(np.isnan(of_closes), stated.to_numpy(float)[:, None], of_closes)


def doubted(lots: pd.DataFrame, closes: pd.DataFrame, days: Sequence[date]) -> BoolArray:
    """Whether the close of each lot on each day, or on the session before, is on the day not believed, (L, D)."""
    sessions = pd.to_datetime(trading_calendar.window(days, 2))
    ticks = bad_ticks(lengthened(closes.reindex(sessions), len(days) + 2).to_numpy())
    not_believed = pd.DataFrame(ticks.doubted[2:] | ticks.bad[1:-1])
    return _with_none(not_believed, False).T[_columns(lots, closes)].astype(bool)


def prices_on(lots: pd.DataFrame, closes: pd.DataFrame, days: DateArray) -> FloatArray:
    """Price of each lot on a day of its own, (L,), or at the session before it; NaN where the day is NaT."""
    found = np.full(len(lots), np.nan)
    dated = ~np.isnat(days)
    points, point = np.unique(days[dated], return_inverse=True)
    known, _ = latest_known(closes, [trading_calendar.at_or_before(day) for day in points.tolist()])
    closing = _with_none(known, np.nan)[point, _columns(lots, closes)[dated]]
    found[dated] = np.where(is_listed(lots)[dated], closing, _stated_prices(lots)[dated])
    return found


def _columns(lots: pd.DataFrame, closes: pd.DataFrame) -> IntArray:
    """Column of each lot's closes; -1 where there are none, as for an option or a private holding."""
    return np.where(is_listed(lots), closes.columns.get_indexer(pd.Index(lots["symbol"])), -1)


def _with_none(known: pd.DataFrame, none: object) -> "np.ndarray[tuple[int, int], Any]":
    """Values with one more column, which -1 picks."""
    return np.column_stack([known.to_numpy(), np.full(len(known), none)])


def _stated_prices(lots: pd.DataFrame) -> FloatArray:
    """What the owner said that a unit is worth, (L,): an option's last price; a private holding's, or its value by its quantity."""
    private = (lots["investment_class"] == "PRIVATE") & (lots["quantity"] != 0)
    of_value = lots["market_value"].abs() / lots["quantity"].abs().where(private)
    return lots["last_price"].fillna(of_value).to_numpy(float)
