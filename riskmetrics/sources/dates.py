"""Dates as programs and people write them; pure text, one cell at a time.

A time stamp with a zone belongs to the New York session in which it lies. A date that can mean two
days is settled by the other dates of its column, or by an order that the user specifies.
"""

import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

DATE_ORDERS = ("mdy", "dmy", "ymd")
"""Orders of month, day and year in a date of numbers; "ymd" is for years of two digits."""

FIRST_DAY = date(1900, 1, 1)
"""First plausible day of a transaction; an earlier one is a typing error, such as the year 202."""

_NEW_YORK = ZoneInfo("America/New_York")
_OPEN, _CLOSE = time(9, 30), time(16)

_MONTHS = {
    name: number
    for number, names in enumerate(
        tomllib.loads(Path(__file__).with_name("months.toml").read_text(encoding="utf-8"))[
            "months"
        ],
        start=1,
    )
    for name in names.split()
}
"""Months in seven languages."""

_TIME = (
    r"(?:(?:[T ]|, ?)(?P<hour>\d{1,2}):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[AP])\.?M\.?)?"
    r" ?\(?(?:(?:UTC|GMT)(?=[+-]))?(?P<zone>Z|UTC|GMT|E[SD]?T|[+-]\d\d(?::?\d\d)?)?\)?"
    r"(?: \([^\W\d][^()]*\))?)?"
)
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,? )?"
_MONTH = r"(?P<name>[^\W\d_]{3,10})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.|º)?"
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
    rf"|(?P<month_digits>\d\d)(?P<day_digits>\d\d)){_TIME}",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    rf"{_WEEKDAY}(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<two>\d{{1,2}})(?P=mark)(?P<three>\d{{4}}|\d\d)"
    rf"{_TIME}",
    re.IGNORECASE,
)
_NAMED = tuple(
    re.compile(pattern + _TIME, re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}{_DAY}[-/ ]?(?:de )?{_MONTH}(?:[-/ ]| de |, ?)?(?P<year>\d{{4}}|\d\d)",
        rf"{_WEEKDAY}{_MONTH}[-/ ]{_DAY}(?:[-/ ]|, ?)(?P<year>\d{{4}}|\d\d)",
        rf"(?P<year>\d{{4}})[-/ ]{_MONTH}[-/ ]{_DAY}",
    )
)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_SERIAL_DAY_ZERO = date(1899, 12, 30)
_SERIAL_RANGE = (32_874, 73_050)
"""Excel serial numbers of 1990-01-01 and 2099-12-31."""
_EPOCH = re.compile(r"(\d{9,19})(?:\.0*)?")
_EPOCH_UNITS = (1, 10**3, 10**6, 10**9)
_EPOCH_RANGE = (631_152_000, 4_102_444_800)
"""Seconds from 1970 to 1990-01-01 and to 2100-01-01."""
_FIRST_YEAR_OF_1900S = 70
"""Years of two digits from here on are in the 20th century."""


def parse_date(text: str, order: str | None = None) -> date | None:
    """Parse a trimmed date, with or without a time; None if it is not a date, or ambiguous.

    Parameters
    ----------
    text : str
        ISO (2024-12-06, 20241206), numbers (12/06/2024, 6.12.24), a month's name (6-Dec-2024), an
        Excel serial number, or seconds to nanoseconds since 1970.
    order : str, optional
        Order of the numbers, one of `DATE_ORDERS`; None: numbers that can mean two days are not
        parsed.

    Notes
    -----
    A time without a zone is ignored. Midnight in its own zone or in UTC labels a day. Any other
    time with a zone has the New York date of its instant. Midnight in a zone where New York trades
    on the day before is ambiguous.

    Examples
    --------
    The close of 2 December, as written in Singapore, and a date with the month first:

    >>> parse_date("2024-12-03 05:00:00+08:00"), parse_date("12/06/2024", "mdy")
    (datetime.date(2024, 12, 2), datetime.date(2024, 12, 6))
    >>> [parse_date(text) for text in ("02-Dec-2024", "45628", "1733155200", "12/06/2024")]
    [datetime.date(2024, 12, 2), datetime.date(2024, 12, 2), datetime.date(2024, 12, 2), None]
    """
    try:
        if found := _YEAR_FIRST.fullmatch(text):
            month, number = (found[name] or found[f"{name}_digits"] for name in ("month", "day"))
            return _session_day(date(int(found["year"]), int(month), int(number)), found)
        if found := _NUMERIC.fullmatch(text):
            day_or_none = _numeric_day(found, order)
            return day_or_none and _session_day(day_or_none, found)
        for pattern in _NAMED:
            if (found := pattern.fullmatch(text)) and found["name"].casefold() in _MONTHS:
                month = _MONTHS[found["name"].casefold()]
                return _session_day(
                    date(_full_year(found["year"]), month, int(found["day"])), found
                )
    except ValueError:
        return None  # such as February 30
    return _counted_day(text)


def has_time(text: str) -> bool:
    """Return whether a trimmed date has a time of day other than midnight, which labels a day.

    Examples
    --------
    >>> [has_time(text) for text in ("2024-12-02 09:30", "45628.4", "2024-12-02", "12/02/24 00:00")]
    [True, True, False, False]
    """
    if serial := _SERIAL.fullmatch(text):
        return float(text) != int(serial[1])
    found = next(
        filter(None, (one.fullmatch(text) for one in (_YEAR_FIRST, _NUMERIC, *_NAMED))), None
    )
    if found is None:
        return _EPOCH.fullmatch(text) is not None
    hour = int(found["hour"] or 0) % (12 if (found["half"] or "").upper() == "A" else 24)
    return any((hour, int(found["minute"] or 0), int(found["second"] or 0)))


def infer_order(texts: Iterable[str]) -> str | None:
    """Infer the order of the numbers in dates from all dates of a column; None if unknown.

    A number above 12 is not a month. Dots without such a number mean day first, as no country
    writes months first with dots. Where years have two digits and can be at either end, the end
    with fewer distinct numbers is the year.

    Examples
    --------
    >>> infer_order(["12/06/2024", "12/13/2024"]), infer_order(["12/06/2024"])
    ('mdy', None)
    """
    dates = [found for text in texts if (found := _NUMERIC.fullmatch(text))]
    if not dates:
        return None
    one, two, three = ([int(found[name]) for found in dates] for name in ("one", "two", "three"))
    is_month_first, is_day_first = max(one) <= 12, max(two) <= 12
    if is_month_first != is_day_first and is_month_first:
        return "mdy"
    if not is_day_first:
        return None
    order = "dmy" if not is_month_first or all(found["mark"] == "." for found in dates) else None
    if any(len(found["three"]) > 2 for found in dates):
        return order
    if order is None or max(one) > 31 or max(three) > 31:
        return "ymd" if max(one) > 31 else order
    years = len(set(three)) - len(set(one))
    return None if years == 0 else "dmy" if years < 0 else "ymd"


def possible_days(text: str) -> list[date]:
    """Return the days that a date of numbers can mean, in the order of `DATE_ORDERS`.

    Examples
    --------
    >>> [str(day) for day in possible_days("12/02/2024")]
    ['2024-12-02', '2024-02-12']
    """
    days = (parse_date(text, order) for order in DATE_ORDERS)
    return list(dict.fromkeys(day for day in days if day))


def _numeric_day(found: re.Match[str], order: str | None) -> date | None:
    """Return the day of a date of numbers; None without an order, unless both orders agree."""
    one, two, three = found["one"], found["two"], found["three"]
    if order == "ymd":
        if len(three) > 2:
            return None
        return date(_full_year(one.zfill(2)), int(two), int(three))
    if order is None:
        if len(three) == 2:
            days = possible_days("/".join((one, two, three)))
            return days[0] if len(days) == 1 else None
        if one != two:
            return None
    month, day = (two, one) if order == "dmy" else (one, two)
    return date(_full_year(three), int(month), int(day))


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:
        return year
    return year + (1900 if year >= _FIRST_YEAR_OF_1900S else 2000)


def _session_day(day: date, found: re.Match[str]) -> date | None:
    """Return the New York day of a parsed date and its time; the day itself without a zone."""
    if found["hour"] is None:
        return day
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"].upper() == "P" else 0)
    moment = datetime.combine(day, time()) + timedelta(
        hours=hour, minutes=int(found["minute"]), seconds=int(found["second"] or 0)
    )
    zone = found["zone"]
    if zone is None or zone.upper().startswith("E"):
        return day
    offset = timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        offset = -offset if zone[0] == "-" else offset
    return _instant_day((moment - offset).replace(tzinfo=UTC), offset)


def _instant_day(instant: datetime, offset: timedelta) -> date | None:
    """Return the session day of an instant that is written with an offset from UTC."""
    new_york, written = instant.astimezone(_NEW_YORK), instant + offset
    if offset == new_york.utcoffset():
        return written.date()
    label = next((label for label in (written, instant) if label.time() == time()), None)
    if label is None or label.date() == new_york.date():
        return new_york.date()
    return None if _OPEN <= new_york.time() <= _CLOSE else label.date()


def _counted_day(text: str) -> date | None:
    """Return the day of an Excel serial number, or of a time in units since 1970."""
    if serial := _SERIAL.fullmatch(text):
        days = int(serial[1])
        low, high = _SERIAL_RANGE
        return _SERIAL_DAY_ZERO + timedelta(days=days) if low <= days <= high else None
    if epoch := _EPOCH.fullmatch(text):
        count = int(epoch[1])
        for unit in _EPOCH_UNITS:
            if _EPOCH_RANGE[0] <= count // unit < _EPOCH_RANGE[1]:
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=count // unit)
                return _instant_day(moment, timedelta())
    return None
