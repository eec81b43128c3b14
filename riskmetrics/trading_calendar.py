"""Sessions of the New York Stock Exchange (XNYS).

The only module that knows when the market is open. A window of n returns is n sessions, never n
calendar days. The calendar starts at a fixed session, because the default of exchange_calendars (20
years before today) would move partitions with the date.
"""

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from riskmetrics.errors import InvalidSessionError

if TYPE_CHECKING:
    import pandas as pd

FIRST_SESSION = date(1990, 1, 2)
"""First session of the calendar, and the entry date of a holding without one."""

FIRST_RESULT_SESSION = date(1991, 1, 2)
"""First session with results; the year before it is the history that they need."""


CLOSED_DAYS_FILE = Path(__file__).with_name("xnys.txt")
"""Closed weekdays and early closes of a version of exchange_calendars, which takes 0.2 seconds.

Written by ``python -m tests.write_closed_days``. With another version, or after its last year, they
are computed.
"""

_CLOSE = "16:00"
"""Close of a session in New York, unless it is an early one."""


class _Schedule(NamedTuple):
    """Sessions, ascending and without a time zone, and the time at which each closes."""

    sessions: "pd.DatetimeIndex"
    closes: "pd.Series[pd.Timestamp]"


def _last_year() -> int:
    """Return the year that the calendar ends with, which moves while a process runs."""
    return date.today().year + 1


@cache
def _schedule(last_year: int) -> _Schedule:
    last = date(last_year, 12, 31)
    return read_schedule(last) or compute_schedule(last)


def read_schedule(last: date) -> _Schedule | None:
    """Return the sessions up to a day by the file, None if it is of another version or too short.

    Examples
    --------
    >>> read_schedule(date(2150, 12, 31)) is None
    True
    """
    from importlib.metadata import version

    import numpy as np
    import pandas as pd

    header, *lines = CLOSED_DAYS_FILE.read_text().splitlines()
    if header != f"exchange_calendars {version('exchange_calendars')}" or last.year > int(
        lines[-1][:4]
    ):
        return None
    exceptions = [f"{line[:4]}-{day}" for line in lines for day in line[5:].split()]
    closed = [day for day in exceptions if "T" not in day]
    end = last + timedelta(days=1)
    days = np.arange(FIRST_SESSION.isoformat(), end.isoformat(), dtype="M8[D]")
    sessions = pd.DatetimeIndex(days[np.is_busday(days, holidays=closed)].astype("M8[ns]"))
    closes = pd.Series(sessions + pd.Timedelta(f"{_CLOSE}:00"), sessions)
    early = pd.DatetimeIndex([day for day in exceptions if "T" in day and day[:10] <= str(last)])
    closes[early.normalize()] = early
    return _Schedule(sessions, closes.dt.tz_localize("America/New_York").dt.tz_convert("UTC"))


def compute_schedule(last: date) -> _Schedule:
    """Return the sessions up to a day by exchange_calendars.

    Examples
    --------
    >>> compute_schedule(date(1990, 1, 31)).sessions[-1].date()
    datetime.date(1990, 1, 31)
    """
    import exchange_calendars

    with warnings.catch_warnings():
        # exchange_calendars 4.13 takes .values of timestamps, which pandas 3.1 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar(
            "XNYS", start=FIRST_SESSION.isoformat(), end=last.isoformat()
        )
        return _Schedule(calendar.sessions, calendar.closes)


def sessions_index() -> "pd.DatetimeIndex":
    """Return all sessions of the calendar, past and scheduled, as a timezone-naive index.

    Examples
    --------
    >>> [str(session.date()) for session in sessions_index()[:2]]
    ['1990-01-02', '1990-01-03']
    """
    return _schedule(_last_year()).sessions


def _session_dates() -> list[date]:
    """Return `sessions_index` as dates: a search in a list takes a fraction of one in an index."""
    return _session_dates_through(_last_year())


@cache
def _session_dates_through(last_year: int) -> list[date]:
    return list(_schedule(last_year).sessions.date)


def is_session(day: date) -> bool:
    """Return whether the exchange opens on ``day``.

    Examples
    --------
    Christmas of 2022 was a Sunday, and observed on Monday:

    >>> is_session(date(2022, 12, 26)), is_session(date(2022, 12, 27))
    (False, True)
    """
    sessions = _session_dates()
    place = bisect_left(sessions, day)
    return place < len(sessions) and sessions[place] == day


def calendar_end() -> date:
    """Return the last session of the calendar.

    Examples
    --------
    >>> calendar_end().year - date.today().year
    1
    """
    return _session_dates()[-1]


def closed_weekdays(first: date = FIRST_SESSION) -> list[datetime]:
    """Return the weekdays from ``first`` on which the exchange is closed, as midnights.

    Examples
    --------
    The first is Washington's birthday of 1990:

    >>> closed_weekdays()[0]
    datetime.datetime(1990, 2, 19, 0, 0)
    """
    import pandas as pd

    weekdays = pd.bdate_range(first, calendar_end())
    return [day.to_pydatetime() for day in weekdays.difference(sessions_index())]


def last_completed_session(now: datetime | None = None) -> date:
    """Return the latest session that has closed at ``now`` (timezone-aware; default: present).

    Examples
    --------
    A minute before and a minute after the close:

    >>> last_completed_session(datetime(2022, 12, 28, 20, 59, tzinfo=UTC))
    datetime.date(2022, 12, 27)
    >>> last_completed_session(datetime(2022, 12, 28, 21, 1, tzinfo=UTC))
    datetime.date(2022, 12, 28)
    """
    import pandas as pd

    closes = _schedule(_last_year()).closes
    last: date = closes.index[
        int(closes.searchsorted(pd.Timestamp(now or datetime.now(UTC)), side="right")) - 1
    ].date()
    return last


def current_session(now: datetime | None = None) -> date:
    """Return the session of today in New York, or the last one before it.

    Examples
    --------
    On a Friday evening, and on the Saturday after it:

    >>> current_session(datetime(2022, 12, 24, 2, 0, tzinfo=UTC))
    datetime.date(2022, 12, 23)
    >>> current_session(datetime(2022, 12, 24, 15, 0, tzinfo=UTC))
    datetime.date(2022, 12, 23)
    """
    from zoneinfo import ZoneInfo

    today = (now or datetime.now(UTC)).astimezone(ZoneInfo("America/New_York")).date()
    return previous_or_same_session(today)


def session_close(day: date) -> datetime:
    """Return the time at which the session of ``day`` closes.

    Examples
    --------
    16:00 New York, and 13:00 on the day after Thanksgiving:

    >>> session_close(date(2022, 11, 23)).isoformat(), session_close(date(2022, 11, 25)).isoformat()
    ('2022-11-23T21:00:00+00:00', '2022-11-25T18:00:00+00:00')
    """
    import pandas as pd

    closes: datetime = _schedule(_last_year()).closes[pd.Timestamp(day)].to_pydatetime()
    return closes


def sessions_between(first: date, last: date) -> list[date]:
    """Return the sessions from ``first`` to ``last``, both included; empty if there are none.

    Examples
    --------
    >>> [day.day for day in sessions_between(date(2022, 12, 23), date(2022, 12, 28))]
    [23, 27, 28]
    """
    sessions = _session_dates()
    return sessions[bisect_left(sessions, first) : bisect_right(sessions, last)]


def previous_session(day: date, count: int = 1) -> date:
    """Return the session ``count`` sessions before ``day``, at the earliest the first one.

    Examples
    --------
    >>> previous_session(date(2022, 12, 27)), previous_session(date(2022, 12, 27), 2)
    (datetime.date(2022, 12, 23), datetime.date(2022, 12, 22))
    """
    sessions = _session_dates()
    return sessions[max(bisect_left(sessions, day) - count, 0)]


def next_session(day: date, count: int = 1) -> date:
    """Return the ``count``-th session after ``day``.

    Examples
    --------
    >>> next_session(date(2022, 12, 23)), next_session(date(2022, 12, 23), 2)
    (datetime.date(2022, 12, 27), datetime.date(2022, 12, 28))
    """
    sessions = _session_dates()
    return sessions[bisect_right(sessions, day) + count - 1]


def previous_or_same_session(day: date) -> date:
    """Return ``day`` if it is a session, else the one before it (at the earliest the first one).

    Examples
    --------
    >>> previous_or_same_session(date(2022, 12, 26)), previous_or_same_session(date(2022, 12, 27))
    (datetime.date(2022, 12, 23), datetime.date(2022, 12, 27))
    """
    sessions = _session_dates()
    return sessions[max(bisect_right(sessions, day) - 1, 0)]


def sessions_with_lookback(days: Sequence[date], lookback: int) -> list[date]:
    """Return the sessions from ``lookback`` before the first of ``days`` to the last of them.

    Examples
    --------
    >>> [day.day for day in sessions_with_lookback([date(2022, 12, 27), date(2022, 12, 28)], 2)]
    [22, 23, 27, 28]
    """
    return sessions_between(previous_session(days[0], lookback), days[-1])


def require_completed_sessions(days: Iterable[date], now: datetime | None = None) -> None:
    """Raise InvalidSessionError unless every day is a completed session.

    Examples
    --------
    >>> require_completed_sessions([date(2022, 12, 26)])
    Traceback (most recent call last):
        ...
    riskmetrics.errors.InvalidSessionError: 2022-12-26 (Monday) is not a session: ...
    """
    last_completed = last_completed_session(now)
    for day in days:
        if not FIRST_SESSION <= day <= calendar_end():
            raise InvalidSessionError(
                f"{day} is outside the calendar ({FIRST_SESSION} to {calendar_end()}); the latest"
                f" completed session is {last_completed}"
            )
        if not is_session(day):
            raise InvalidSessionError(
                f"{day} ({day:%A}) is not a session: the exchange is closed; the previous session"
                f" is {previous_or_same_session(day)}"
            )
        if day > last_completed:
            raise InvalidSessionError(
                f"the session {day} has not closed yet; the latest completed session is"
                f" {last_completed}"
            )


def validate_range(first: date, last: date, now: datetime | None = None) -> list[date]:
    """Return the sessions from ``first`` to ``last``, which must be completed sessions.

    Raises InvalidSessionError if an endpoint is not a completed session, the range is reversed, or
    it starts before FIRST_RESULT_SESSION.

    Examples
    --------
    >>> [day.day for day in validate_range(date(2022, 12, 23), date(2022, 12, 27))]
    [23, 27]
    """
    require_completed_sessions([first, last], now)
    if first > last:
        raise InvalidSessionError(f"the range is reversed: {first} comes after {last}")
    if first < FIRST_RESULT_SESSION:
        raise InvalidSessionError(
            f"results begin with {FIRST_RESULT_SESSION}: {first} has too little history before it"
        )
    return sessions_between(first, last)


def clip_to_sessions(first: date, last: date, now: datetime | None = None) -> list[date]:
    """Return the completed sessions from ``first`` to ``last``, which need not be sessions.

    Raises InvalidSessionError if the range is reversed or contains no completed session.

    Examples
    --------
    >>> [day.day for day in clip_to_sessions(date(2022, 12, 24), date(2022, 12, 28))]
    [27, 28]
    """
    if first > last:
        raise InvalidSessionError(f"the range is reversed: {first} comes after {last}")
    sessions = sessions_between(
        max(first, FIRST_RESULT_SESSION), min(last, last_completed_session(now))
    )
    if not sessions:
        raise InvalidSessionError(
            f"no completed session between {first} and {last}: the exchange was closed, or the"
            " dates are in the future"
        )
    return sessions
