"""Days that a statement states in a sentence, such as ``Positions as of 12/06/2024``."""

import re
from datetime import date
from functools import cache
from typing import NamedTuple

from riskmetrics.sources.vocabulary import fold_text, load_vocabulary

_MONTHS = {
    start: month
    for month, starts in enumerate(
        (
            ("jan", "gen", "ene"),
            ("feb", "fev"),
            ("mar", "mrt", "maa"),
            ("apr", "avr", "abr"),
            ("may", "mai", "mag", "mei"),
            ("jun", "juin", "giu"),
            ("jul", "juil", "lug"),
            ("aug", "aou", "ago"),
            ("sep", "set"),
            ("oct", "okt", "out", "ott"),
            ("nov",),
            ("dec", "dez", "dic"),
        ),
        1,
    )
    for start in starts
}
"""Starts of the names of months in seven languages, without accents."""
_ISO = r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
_NUMERIC = r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})"
_MONTH_FIRST = r"([a-z]{3,9})\.?[ -](\d{1,2}),?[ -](\d{4})"
_DAY_FIRST = r"(\d{1,2})\.?[ -](?:de |di )?([a-z]{3,9})\.?,?[ -](?:de |di )?(\d{4})"
_ANY_DATE = "|".join(
    re.sub(r"\((?!\?)", "(?:", part) for part in (_ISO, _NUMERIC, _MONTH_FIRST, _DAY_FIRST)
)
_TIME = r"(?:\d{1,2}:\d\d(?::\d\d)? ?(?:[ap]\.?m\.?)?(?: [a-z]{2,3})?,? )?"
_US_TIME = re.compile(r"\b[ap]\.?m\b|\b[ecmp][sd]?t\b")
_WEEKDAY = r"(?:[a-z]{2,9}, )?"


class StatedDay(NamedTuple):
    """Day that a text states."""

    text: str
    """The date as written."""
    day: date | None
    """None if the text is not a date, or can be two."""
    is_ambiguous: bool = False
    """Whether month and day can be exchanged."""


@cache
def _sentence_pattern() -> "re.Pattern[str]":
    words = sorted(map(re.escape, load_vocabulary().days), key=len, reverse=True)
    alternatives = "|".join(words)
    return re.compile(
        rf"(?:^|.*[^\w])(?:{alternatives})[: ]+{_TIME}{_WEEKDAY}(?P<day>{_ANY_DATE})\b"
    )


def find_stated_day(text: str, order: str | None = None) -> StatedDay | None:
    """Return the day that a sentence states; None if there is none.

    Parameters
    ----------
    text : str
        Sentence in one of the languages of the vocabulary.
    order : str, optional
        ``mdy`` or ``dmy``, used if the date is ambiguous. Default: ``mdy`` if the sentence has a
        time of day in American notation.

    Examples
    --------
    >>> find_stated_day("Positions as of 04:10 PM ET, 12/06/2024").day
    datetime.date(2024, 12, 6)
    >>> find_stated_day("Stand: 06.12.2024").day
    datetime.date(2024, 12, 6)
    >>> find_stated_day("As of 12/06/2024").is_ambiguous
    True
    """
    folded = fold_text(text)
    found = _sentence_pattern().match(folded)
    if found is None:
        return None
    return parse_stated_day(found["day"], order or ("mdy" if _US_TIME.search(folded) else None))


def parse_stated_day(text: str, order: str | None = None) -> StatedDay:
    """Parse a date in any common notation; a date with dots has the day first.

    Examples
    --------
    >>> [parse_stated_day(text).day.isoformat() for text in ("Dec-06-2024", "6. Dezember 2024")]
    ['2024-12-06', '2024-12-06']
    """
    folded = fold_text(text)
    if found := re.fullmatch(_ISO, folded):
        return StatedDay(text, _date(found[1], found[2], found[3]))
    if found := re.fullmatch(_MONTH_FIRST, folded):
        return StatedDay(text, _date(found[3], _month(found[1]), found[2]))
    if found := re.fullmatch(_DAY_FIRST, folded):
        return StatedDay(text, _date(found[3], _month(found[2]), found[1]))
    if found := re.fullmatch(_NUMERIC, folded):
        return _parse_numeric(text, found, order)
    return StatedDay(text, None)


def _parse_numeric(text: str, found: "re.Match[str]", order: str | None) -> StatedDay:
    """Parse a date whose month is a number at the first or the second place."""
    first, mark, second, year = found.groups()
    full_year = year if len(year) > 2 else f"20{year}"
    month_first, day_first = (
        _date(full_year, *parts) for parts in ((first, second), (second, first))
    )
    if mark == "." and order is None:
        order = "dmy"
    if order is None and month_first and day_first and month_first != day_first:
        return StatedDay(text, None, is_ambiguous=True)
    chosen = day_first if order == "dmy" else month_first
    return StatedDay(text, chosen or (month_first if order == "dmy" else day_first))


def _month(name: str) -> int:
    """Return the number of a month by the start of its name; 0 if it is none."""
    return _MONTHS.get(name[:4]) or _MONTHS.get(name[:3], 0)


def _date(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
