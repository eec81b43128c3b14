"""Days and windows that a question names."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from riskmetrics import trading_calendar

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SESSIONS: Final = {"s": 1, "d": 1, "w": 5, "m": 21, "q": 63, "y": 252}
"""First letter of a unit of time to its sessions."""

_NUMBERS: Final = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("", "twelve"),
)
_PAST: Final = frozenset({"past", "last", "previous", "trailing"})
_NEXT: Final = frozenset({"next", "coming"})
_EXPECTING: Final = frozenset({"will", "expect", "expects", "expected", "going", "gonna"})
"""Words of a question whose days are ahead."""

_YEAR_SESSIONS: Final = frozenset({250, 251, 252, 253, 365})
"""Numbers of days that mean a year."""

_MAX_AGO: Final = 99
"""Units of time before the session, at most."""

_LEAP_YEARS: Final = 9
"""Years that contain a 29th of February at any time, with the turn of a century."""


class Calendar(NamedTuple):
    """The sessions by which the times of a question are read."""

    session: date | None = None
    """Session of the facts."""
    today: date | None = None
    """Session from which a day such as yesterday is counted."""
    is_ahead: bool = False
    """Whether the days of the question are ahead."""


def is_about_future(words: Sequence[str]) -> bool:
    """Return whether the days of a question are ahead."""
    return not _EXPECTING.isdisjoint(words)


def read_time(kind: str, words: Sequence[str], calendar: Calendar) -> tuple[list[str], date | None]:
    """Return the qualifiers that the words of a time mean, and the day that it names.

    Examples
    --------
    >>> read_time("window", ["over", "ten", "days"], Calendar())
    (['10d'], None)
    >>> read_time("date", ["on", "2022-12-20"], Calendar(date(2022, 12, 28)))
    (['day'], datetime.date(2022, 12, 20))
    """
    session = calendar.session
    if kind in ("date", "weekday", "other_day"):
        return _read_day(kind, words, calendar)
    if kind == "compared":
        unit = words[-2] if words[-1] == "ago" else words[-1]
        return [f"{_SESSIONS[unit[0]]}d", "since" if words[0] == "since" else "change"], None
    if kind == "calendar":
        return [_read_calendar(words, session)], None
    return list(_read_window(words)), None


def _read_ago(words: Sequence[str], session: date | None) -> date | None:
    """Return the session so long before another one, or the last one before such a day."""
    if session is None:
        return None
    if words[-1] == "yesterday":
        return trading_calendar.previous_session(session, 2 if "before" in words else 1)
    number = next(filter(None, map(_read_number, words)), 0)
    unit = words[-2]
    if words[-1] != "ago" or not number or number > _MAX_AGO:
        return None
    if unit.startswith("session"):
        return trading_calendar.previous_session(session, number)
    months = number * {"m": 1, "y": 12}.get(unit[0], 0)
    found = session - timedelta(number * (7 if unit[0] == "w" else 1))
    if months:
        year, month = divmod(session.year * 12 + session.month - 1 - months, 12)
        days = (_valid_day(year, month + 1, number) for number in range(session.day, 0, -1))
        found = next(each for each in days if each is not None)
    return trading_calendar.previous_or_same_session(found)


def _read_day(kind: str, words: Sequence[str], calendar: Calendar) -> tuple[list[str], date | None]:
    if kind != "other_day" and (calendar.is_ahead or words[0] in ("by", "until")):
        return ["future"], None
    find = {"weekday": _last_weekday, "other_day": _read_ago}.get(kind, _find_day)
    found = find(words, calendar.today)
    if found is None or words[0] in ("since", "from"):
        return ["period" if kind == "date" else "day"], None
    return (["1d"], found) if found == calendar.session else (["day"], found)


def _last_weekday(words: Sequence[str], session: date | None) -> date | None:
    """Return the latest day of a name that is not after the session; the last one is before it."""
    if session is None:
        return None
    days = (session.weekday() - _WEEKDAYS.index(words[-1][:3])) % 7
    return session - timedelta(days or 7 * ("last" in words))


def _find_day(words: Sequence[str], session: date | None) -> date | None:
    """Return the day of a date; without a year, the latest that is not after the session."""
    numbers = [int(each) for each in words if each.isdigit()]
    month = next((_MONTHS.index(each[:3]) + 1 for each in words if each[:3] in _MONTHS), 0)
    if not month:
        parts = words[-1].replace("/", ".").replace("-", ".").rstrip(".").split(".")
        if len(parts) not in (2, 3) or not all(each.isdigit() for each in parts):
            return None
        numbers = [int(each) for each in parts]
        if "-" in words[-1]:
            return _valid_day(*numbers)
        day, month = numbers[:2] if "." in words[-1] else numbers[1::-1]
        numbers = [day, *numbers[2:]]
    if len(numbers) > 1:
        return _valid_day(numbers[1], month, numbers[0])
    if session is None:
        return None
    years = range(session.year, session.year - _LEAP_YEARS, -1)
    days = (_valid_day(year, month, numbers[0]) for year in years)
    return next((each for each in days if each is not None and each <= session), None)


def _valid_day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _read_calendar(words: Sequence[str], session: date | None) -> str:
    """Return the qualifier of a month, a year or another period of the calendar."""
    if words[0] == "last":
        return words[1] if words[1] in ("week", "month") else "period"
    month = next((_MONTHS.index(each[:3]) + 1 for each in words if each[:3] in _MONTHS), None)
    year = next((int(each) for each in words if each.isdigit() and len(each) == 4), None)
    if words[0] not in ("in", "during", "for", "of", "since"):
        return "period"
    if month is None:
        return "ytd" if session is not None and year == session.year else "period"
    if words[0] == "since" and {"start", "beginning"}.isdisjoint(words):
        return "period"
    is_now = session is not None and (session.month, year or session.year) == (month, session.year)
    return "mtd" if is_now else "month"


def _read_window(words: Sequence[str]) -> Iterator[str]:
    """Yield the qualifiers of a number of sessions, past or coming."""
    unit, counts = words[-1], list(filter(None, map(_read_number, words[:-1])))
    is_odd = any(each[0].isdigit() and not each.strip("0").isdigit() for each in words[:-1])
    if is_odd or (not counts and _SESSIONS[unit[0]] == 1):  # 1.5 years, or the past days: how many?
        yield "period"
        return
    number = counts[0] if counts else 1
    if "twenty" in words:
        number = 21 if "one" in words else 20
    sessions = number * _SESSIONS[unit[0]]
    is_year = sessions in _YEAR_SESSIONS or (number, unit[0]) in ((12, "m"), (52, "w"))
    yield "252d" if is_year else "daily" if sessions == 1 else f"{sessions}d"
    if not _PAST.isdisjoint(words):
        yield "past"
    if unit.endswith("ly"):
        yield "periodic"
    if not _NEXT.isdisjoint(words):
        yield "future"


def _read_number(word: str) -> int:
    """Return the number that a word is; 0 if it is none."""
    if word.isdigit():
        return int(word)
    return _NUMBERS.index(word) if word in _NUMBERS else int(word in ("a", "an", "single"))


def find_number(words: Sequence[str]) -> int:
    """Return the first number of some words; 0 if there is none.

    Examples
    --------
    >>> find_number(["top", "five", "positions"]), find_number(["all", "positions"])
    (5, 0)
    """
    return next(filter(None, map(_read_number, words)), 0)
