"""Alignment of past months with the next month by the dates of known events.

Positions are numbers of sessions, as in the exchange's calendar.
"""

import numpy as np

from riskmetrics.metrics._typing import IntArray
from riskmetrics.metrics.forecast_features import SEASON_LAGS
from riskmetrics.metrics.volatility import MONTH

MAX_EVENTS = len(SEASON_LAGS)
"""Past events that a season is measured on."""

MAX_EVENT_LAG = SEASON_LAGS[-1] + MONTH
"""Most sessions from such an event to the next one: a year, as far back as features look."""

_NEVER = 1 << 62
"""Position of an event that is neither known nor expected."""


def event_month_ages(days: IntArray, events: IntArray, known: IntArray) -> IntArray:
    """Return how long ago the months ended that lie around past events as the next month does.

    Parameters
    ----------
    days : (D,) array
        Position of each day.
    events : (E,) array
        Positions of the events of a series: the first session that can react to them.
    known : (E,) array
        First position at whose close the date of each event was known. Every event is known once it
        has happened.

    Returns
    -------
    (D, 4) array
        Ages in sessions, the latest month first; -1 where there is none. The next event after a day
        is the first that is known on it, or, if none is, expected 252 sessions after an event of
        the past year. If it is k sessions after the day, a month ended 21 - k sessions after each
        of the past events. Months count if they ended by the day and began in the past year.

    Notes
    -----
    A value depends on past events, and on events that were known on its day.

    Examples
    --------
    Reports every 63 sessions, and the next one 10 sessions after day 300:

    >>> reports = 310 - 63 * np.arange(5)
    >>> event_month_ages(np.array([300]), reports, np.full(5, 300))
    array([[ 42, 105, 168, 231]])

    It is known a day later, but was expected at the same position:

    >>> event_month_ages(np.array([300]), reports, np.full(5, 301))
    array([[ 42, 105, 168, 231]])
    """
    order = np.lexsort((known, events))  # of two dates of one session, the one known first
    positions, first = np.unique(events[order], return_index=True)
    day, known = days[:, np.newaxis], known[order][first]
    is_past = positions <= day
    a_year_later = positions + MAX_EVENT_LAG
    expected = np.where(is_past & (a_year_later > day), a_year_later, _NEVER)
    following = np.where(~is_past & (known <= day), positions, _NEVER)
    stated, by_year = (
        one.min(axis=1, keepdims=True, initial=_NEVER) for one in (following, expected)
    )
    next_event = np.where(stated < _NEVER, stated, by_year)
    lags = np.where(is_past, next_event - positions, _NEVER)
    lags = np.sort(np.where((lags >= MONTH) & (lags <= MAX_EVENT_LAG), lags, _NEVER), axis=1)
    ages = np.full((len(days), MAX_EVENTS), -1, dtype=np.int64)
    latest = lags[:, :MAX_EVENTS]
    ages[:, : latest.shape[1]] = np.where(latest < _NEVER, latest - MONTH, -1)
    return ages
