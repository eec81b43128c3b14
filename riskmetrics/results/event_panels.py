"""Calendars of events as arrays of sessions and symbols."""

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics._typing import IntArray
from riskmetrics.metrics.event_calendar import MAX_EVENTS, event_month_ages


def align_events(
    events: pd.DataFrame, sessions: pd.DatetimeIndex, symbols: "pd.Index[str]"
) -> IntArray:
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
    (T, N, 4) array
        `event_calendar.event_month_ages` of each symbol; (T, N, 0) if none has an event. A day that
        is no session counts as the next one.
    """
    own = events[events["symbol"].isin(symbols)]
    n_months = 0 if own.empty else MAX_EVENTS
    ages = np.full((len(sessions), len(symbols), n_months), -1, dtype=np.int64)
    calendar = trading_calendar.sessions_index()
    days = np.asarray(calendar.searchsorted(sessions), dtype=np.int64)
    for symbol, rows in own.groupby("symbol"):
        at, known = (
            np.asarray(calendar.searchsorted(pd.to_datetime(rows[name])), dtype=np.int64)
            for name in ("day", "known_on")
        )
        ages[:, symbols.get_loc(symbol)] = event_month_ages(days, at, known)
    return ages
