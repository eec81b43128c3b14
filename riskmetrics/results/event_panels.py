"""Calendars of events as arrays of sessions and symbols."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import IntArray
from riskmetrics.metrics.event_calendar import MAX_EVENTS, event_month_ages


class EventAges(NamedTuple):
    """Ages of months around known events, of the symbols that have some."""

    ages: npt.NDArray[np.int16]
    """`event_calendar.event_month_ages` of E symbols on T sessions, (T, E, 4)."""
    columns: IntArray
    """Column of ``ages`` of each of N series, (N,); -1: the series has no event."""

    def select(self, rows: slice, series: slice | IntArray) -> "EventAges":
        """Return some sessions and series."""
        return EventAges(self.ages[rows], self.columns[series])

    def add_series(self) -> "EventAges":
        """Return the same with a last series without events."""
        return self._replace(columns=np.append(self.columns, -1))

    def expand(self) -> IntArray | None:
        """Return the ages of all series, (T, N, 4); None if none has an event."""
        with_events = self.columns >= 0
        if not with_events.any():
            return None
        shape = len(self.ages), len(self.columns), MAX_EVENTS
        found = np.full(shape, -1, dtype=np.int64)
        found[:, with_events] = self.ages[:, self.columns[with_events]]
        return found


def align_events(
    events: pd.DataFrame, sessions: pd.DatetimeIndex, symbols: "pd.Index[str]"
) -> EventAges:
    """Return the ages of months around events for every session and symbol.

    Parameters
    ----------
    events : DataFrame
        symbol, day and known_on of events, by symbol.
    sessions : DatetimeIndex, length T
        Sessions of the panel.
    symbols : Index, length N
        Symbols of the panel.

    Returns
    -------
    EventAges
        Of N series. A day that is no session counts as the next one.
    """
    own = events[events["symbol"].isin(symbols)]
    with_events = pd.Index(own["symbol"].unique(), dtype="str")
    ages = np.empty((len(sessions), len(with_events), MAX_EVENTS), dtype=np.int16)
    calendar = trading_calendar.sessions_index()
    days = np.asarray(calendar.searchsorted(sessions), dtype=np.int64)
    for column, (_, rows) in enumerate(own.groupby("symbol", sort=False)):
        at, known = (
            np.asarray(calendar.searchsorted(pd.to_datetime(rows[name])), dtype=np.int64)
            for name in ("day", "known_on")
        )
        ages[:, column] = event_month_ages(days, at, known)
    return EventAges(ages, with_events.get_indexer(symbols))
