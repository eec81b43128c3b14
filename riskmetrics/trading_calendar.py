"""Exchange sessions of the New York Stock Exchange (XNYS): the only place that knows when the market is open.

A window of n returns is n sessions, never n calendar days; everything that asks "which sessions?"
asks here. The calendar starts at a fixed session, because exchange_calendars' own default (20 years
before today) would let partitions move with the date.
"""

import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

from riskmetrics.errors import InvalidSession

if TYPE_CHECKING:
    import exchange_calendars
    import pandas as pd

FIRST_SESSION = date(1990, 1, 2)
"""First session of the calendar in use: the entry date of a holding whose own is unknown."""

FIRST_RESULT = date(1991, 1, 2)
"""First session that results are computed for: the year before it is the history that they look back on."""


@cache
def _calendar() -> "exchange_calendars.ExchangeCalendar":
    import exchange_calendars  # imports pandas: not at the import of this module

    with warnings.catch_warnings():  # exchange_calendars 4.13 takes .values of timestamps, which pandas 3.1 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION.isoformat(), end=f"{date.today().year + 1}-12-31")


def sessions_index() -> "pd.DatetimeIndex":
    """All sessions of the calendar, past and scheduled, as a timezone-naive index."""
    sessions: pd.DatetimeIndex = _calendar().sessions
    return sessions


def is_session(day: date) -> bool:
    """Whether the exchange opens on ``day``."""
    return FIRST_SESSION <= day <= last_known() and bool(_calendar().is_session(day.isoformat()))


def last_known() -> date:
    """The last day that the calendar covers."""
    last: date = _calendar().last_session.date()
    return last


def closed_weekdays() -> list[datetime]:
    """Weekdays on which the exchange does not open, as midnights."""
    import pandas as pd

    weekdays = pd.bdate_range(FIRST_SESSION, last_known())
    return [day.to_pydatetime() for day in weekdays.difference(sessions_index())]


def last_ended(now: datetime | None = None) -> date:
    """The latest session whose close has passed at ``now`` (aware; default: the present)."""
    import pandas as pd

    closes = _calendar().closes
    last: date = closes.index[int(closes.searchsorted(pd.Timestamp(now or datetime.now(UTC)), side="right")) - 1].date()
    return last


def closed_at(day: date) -> datetime:
    """When the session of ``day`` closes."""
    closes: datetime = _calendar().closes[_stamp(day)].to_pydatetime()
    return closes


def between(first: date, last: date) -> list[date]:
    """Sessions from ``first`` to ``last``, both included; empty if there are none."""
    index = sessions_index()
    return [day.date() for day in index[index.slice_indexer(first.isoformat(), last.isoformat())]]


def previous(day: date, count: int = 1) -> date:
    """The session ``count`` sessions before ``day`` (before the first: the first)."""
    index = sessions_index()
    return index[max(int(index.searchsorted(_stamp(day))) - count, 0)].date()


def next_session(day: date) -> date:
    """Return the session after ``day``."""
    index = sessions_index()
    return index[int(index.searchsorted(_stamp(day), side="right"))].date()


def at_or_before(day: date) -> date:
    """``day`` if it is a session, else the session before it (before the first: the first)."""
    index = sessions_index()
    return index[max(int(index.searchsorted(_stamp(day), side="right")) - 1, 0)].date()


def window(days: Sequence[date], lookback: int) -> list[date]:
    """Sessions from ``lookback`` before the first of ``days`` to the last of them."""
    return between(previous(days[0], lookback), days[-1])


def require_ended(days: Iterable[date], now: datetime | None = None) -> None:
    """Raise InvalidSession unless every day is an exchange session that has ended."""
    ended = last_ended(now)
    for day in days:
        if not FIRST_SESSION <= day <= last_known():
            raise InvalidSession(f"{day} is outside the calendar ({FIRST_SESSION} to {last_known()})")
        if not is_session(day):
            raise InvalidSession(
                f"{day} ({day:%A}) is not a session: the exchange is closed; the last one before it is {at_or_before(day)}"
            )
        if day > ended:
            raise InvalidSession(f"the session {day} has not closed yet; the latest that has is {ended}")


def checked_range(first: date, last: date, now: datetime | None = None) -> list[date]:
    """Return the sessions from ``first`` to ``last``, or raise InvalidSession if they are not a range of ended sessions."""
    require_ended([first, last], now)
    if first > last:
        raise InvalidSession(f"the range is reversed: {first} comes after {last}")
    if first < FIRST_RESULT:
        raise InvalidSession(f"results begin with {FIRST_RESULT}: {first} has too little history before it")
    return between(first, last)


def rounded_range(first: date, last: date, now: datetime | None = None) -> list[date]:
    """Return the ended sessions from ``first`` to ``last``, neither of which must be one; InvalidSession if there are none."""
    if first > last:
        raise InvalidSession(f"the range is reversed: {first} comes after {last}")
    inside = between(max(first, FIRST_RESULT), min(last, last_ended(now)))
    if not inside:
        raise InvalidSession(f"no session between {first} and {last} has ended: the exchange was closed, or it is yet to come")
    return inside


def _stamp(day: date) -> "pd.Timestamp":
    import pandas as pd

    return pd.Timestamp(day)
