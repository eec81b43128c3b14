"""Days and windows that a question names."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_MONTH: Final = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _MONTHS)})\.?"
_DAY_FORMATS: Final = (
    r"(?P<year>\d{4})-(?P<number>\d{1,2})-(?P<day>\d{1,2})",
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? {_MONTH},?(?: (?P<year>\d{{4}}))?",
    rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
    r"(?P<number>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
    r"(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})?",
)
"""Days as questions write them; slashes are American, periods German."""

_EXPECTING: Final = r"\b(?:will|expect\w*|going to|gonna)\b"
"""Words of a question whose days are ahead."""

_OTHER_DAYS: Final = (
    r"(?:on |last |since )?(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?<!since )(?<!vs )(?<!vs\. )(?<!versus )(?<!from )(?<!than )(?<!to )(?<!with )yesterday"
    r"|the day before yesterday|\d+ (?:days?|weeks?|months?|years?) ago"
    r"|a (?:week|month|year) ago|the other day"
)
_CALENDAR: Final = (
    rf"(?:since|in|during|for|of|from) {_MONTH}(?: (?P<of_year>\d{{4}}))?"
    r"|(?:in|during|for|of) (?P<only>(?:19|20)\d\d)|(?:since )?(?:19|20)\d\d|q[1-4]"
    r"|(?<!the )(?<!over )last (?:week|month|quarter|year|decade|summer|winter)"
    r"|since (?:the )?(?:election|war|crash|covid)"
)

_CALENDAR_UNITS: Final = {"week": "week", "month": "month"}
"""Calendar units whose windows come near to one of the facts."""

_COMPARED: Final = (
    r"(?:vs\.?|versus|since|than|compared (?:to|with)|from)(?: the)? (?:last|previous)"
    r" (?P<size>week|month)"
)
_COMPARATIVE: Final = r"\b(?:was|were) .*\b(?:higher|lower|larger|smaller|greater|bigger) yesterday"
"""Words of a question that compares today with yesterday."""

_SIZES: Final = {"day": 1, "session": 1, "week": 5, "month": 21, "quarter": 63, "year": 252}
_NUMBERS: Final = {
    word: number
    for number, words in enumerate(
        ("", "a|an|one|single", "two", "three", "four", "five", "six", "seven", "eight", "nine",
            "ten")
    )
    for word in words.split("|")
    if word
} | {"twenty-one": 21, "twelve": 12, "twenty": 20}  # fmt: skip
_LEAP_YEARS: Final = 9
"""Years that contain a 29th of February at any time, with the turn of a century."""

_SPAN: Final = (
    r"(?:(?:vs\.?|versus|compared (?:to|with)|than|since) )?"
    r"(?P<lead>(?:over|in|during|for|within|of|from)?(?: the| a| an)? ?"
    r"(?:past|last|previous|trailing|next|coming) )?"
    rf"(?:(?P<count>\d+|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})[- ])?"
    r"(?P<unit>sessions?|days?|weeks?|months?|quarters?|years?|monthly|weekly|yearly|quarterly)"
    r"|(?P<number>\d+)[- ]?(?P<letter>d|w|m|y|days?|weeks?|months?|yrs?|years?|sessions?)"
)
_UNITS: Final = {"d": "day", "w": "week", "m": "month", "y": "year", "yr": "year"}


class Found(NamedTuple):
    """A qualifier about time in a question."""

    qualifier: str
    start: int
    end: int
    day: date | None = None


def find_times(text: str, session: date | None) -> list[Found]:
    """Return days, calendar periods and windows of a question in lower case.

    Examples
    --------
    >>> [each.qualifier for each in find_times("var over ten days", None)]
    ['10d']
    >>> [each.qualifier for each in find_times("beta on 2022-12-20", date(2022, 12, 28))]
    ['day']
    """
    finder = _Finder(text)
    return [*_find_days(finder, session), *_find_windows(finder, session)]


class _Finder:
    """Finds parts of a text, each once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.taken: list[tuple[int, int]] = []

    def find(self, pattern: str) -> "Iterator[re.Match[str]]":
        """Yield the parts that match and are not found yet."""
        for found in re.finditer(rf"(?<![\w.-])(?:{pattern})(?![\w-])", self.text):
            is_free = all(found.end() <= start or found.start() >= end for start, end in self.taken)
            if found[0].strip() and is_free:
                self.taken.append(found.span())
                yield found


def _find_days(finder: _Finder, session: date | None) -> Iterator[Found]:
    for pattern in _DAY_FORMATS:
        for found in finder.find(rf"(?P<since>since |from )?(?P<by>by |until )?(?:on )?{pattern}"):
            named = _day(found, session)
            if found["by"] or re.search(_EXPECTING, finder.text):
                yield Found("future", *found.span())
            elif found["since"] or named is None:
                yield Found("period", *found.span())
            else:
                yield Found("1d" if named == session else "day", *found.span(), named)


def _find_windows(finder: _Finder, session: date | None) -> Iterator[Found]:
    for found in finder.find(_COMPARED):
        yield Found(f"{_SIZES[found['size']]}d", *found.span())
        yield Found("change", found.start(), found.start())
    for found in finder.find(_OTHER_DAYS):
        is_compared = found[0] == "yesterday" and re.search(_COMPARATIVE, finder.text)
        yield Found("1d-past" if is_compared else "day", *found.span())
    for found in finder.find(_CALENDAR):
        is_this_year = session is not None and found["only"] == str(session.year)
        calendar = _CALENDAR_UNITS.get(found[0].removeprefix("last "), "period")
        if re.match(r"(?:in|during|for|of) [a-z]", found[0]) and not found["only"]:
            is_now = session is not None and _is_month_of(found, session)
            calendar = "mtd" if is_now else "month"
        yield Found("ytd" if is_this_year else calendar, *found.span())
    for found in finder.find(_SPAN):
        if sessions := _sessions(found):
            yield Found("daily" if sessions == 1 else f"{sessions}d", *found.span())
            if re.search(r"past|last|previous|trailing", found["lead"] or ""):
                yield Found("past", found.start(), found.start())
            if (found["unit"] or "").endswith("ly"):
                yield Found("periodic", found.start(), found.start())
            if "next" in found[0] or "coming" in found[0]:
                yield Found("future", found.start(), found.start())


def _is_month_of(found: "re.Match[str]", session: date) -> bool:
    """Return whether the month that a match names is that of the session."""
    is_same = found["month"][:3] == _MONTHS[session.month - 1][:3]
    return is_same and found["of_year"] in (None, str(session.year))


def _day(found: "re.Match[str]", session: date | None) -> date | None:
    """Return the day of a match; without a year, the latest that is not after the session."""
    parts = found.groupdict()
    number = parts.get("number")
    month = int(number) if number else 1 + [name[:3] for name in _MONTHS].index(found["month"][:3])
    if parts.get("year"):
        return _valid_day(int(parts["year"]), month, int(found["day"]))
    if session is None:
        return None
    years = range(session.year, session.year - _LEAP_YEARS, -1)
    days = (_valid_day(year, month, int(found["day"])) for year in years)
    return next((each for each in days if each is not None and each <= session), None)


def _valid_day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _sessions(found: "re.Match[str]") -> int:
    """Return the sessions of a window; 0 if the words name none."""
    named = found["unit"] or found["letter"]
    unit = named.removesuffix("ly").rstrip("s")
    unit = _UNITS.get(unit, unit)
    counted, has_lead = found["count"] or found["number"], bool(found["lead"])
    if unit not in _SIZES or not (counted or has_lead or named.endswith("ly")):
        return 0
    if unit in ("day", "session") and not counted:
        return 0
    number = int(counted) if counted and counted.isdigit() else _NUMBERS.get(counted or "one", 1)
    if unit == "month" and number == 12:
        return _SIZES["year"]
    return number * _SIZES[unit]
