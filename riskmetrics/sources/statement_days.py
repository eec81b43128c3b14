"""Days that a statement states in a sentence, such as ``Positions as of 12/06/2024``."""

import re
from datetime import date
from functools import cache
from typing import NamedTuple

from riskmetrics.sources.dates import infer_order, parse_date, possible_days
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

_ANY_DATE = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    r"|[^\W\d_]{3,10}\.?[ -]\d{1,2},?[ -]\d{4}"
    r"|\d{1,2}\.?[ -](?:de |di )?[^\W\d_]{3,10}\.?,?[ -](?:de |di )?\d{4}"
)
"""Pattern of a date in lower case."""
_TITLE_DAY = re.compile(rf"(?:(?P<title>.*)(?:\(| [-\u2013|] ))?(?P<day>{_ANY_DATE})\)?")
"""Pattern of a title that is a day, or ends with one in brackets or behind a dash."""
_PERIOD = re.compile(
    rf".*\b(?P<first>{_ANY_DATE}) ?(?:-|\u2013|to|through|until|bis|au|al|a|até|tot|t/m) ?"
    rf"(?P<day>{_ANY_DATE})"
)
"""Pattern of a period, whose last day is that of the positions."""
_TIME = r"(?:\d{1,2}:\d\d(?::\d\d)? ?(?:[ap]\.?m\.?)?(?: [a-z]{2,3})?,? )?"
_US_TIME = re.compile(r"\b[ap]\.?m\b|\b[ecmp][sd]?t\b")
_MAX_WORDS_BEFORE = 4
"""Words in front of a day that say of what it is the day."""
_WEEKDAY = r"(?:[a-z]{2,9}, )?"


class StatedDay(NamedTuple):
    """Day that a text states."""

    text: str
    """The date as written."""
    day: date | None
    """None if the text is not a date, or can be two."""
    is_ambiguous: bool = False
    """Whether month and day can be exchanged."""
    rank: int = 2
    """Rank among the days of a file: 1 for the end of a period, 0 if it may only be the day on
    which the file was written."""


@cache
def _sentence_pattern() -> "re.Pattern[str]":
    words = sorted(map(re.escape, load_vocabulary().days), key=len, reverse=True)
    alternatives = "|".join(words)
    return re.compile(
        rf"(?:^|.*[^\w])(?P<word>{alternatives})[: ]+{_TIME}{_WEEKDAY}(?P<day>{_ANY_DATE})\b"
    )


def find_stated_day(
    text: str, order: str | None = None, *, is_title: bool = False
) -> StatedDay | None:
    """Return the day that a sentence states; None if there is none.

    Parameters
    ----------
    text : str
        Sentence in one of the languages of the vocabulary.
    order : str, optional
        ``mdy`` or ``dmy``, used if the date is ambiguous. Default: ``dmy`` after a word in another
        language than English, else ``mdy`` if the sentence has a time in American notation.
    is_title : bool
        Whether the text is above the table, where a date alone, in brackets or at the end of a
        period is the day.

    Examples
    --------
    >>> find_stated_day("Positions as of 04:10 PM ET, 12/06/2024").day
    datetime.date(2024, 12, 6)
    >>> find_stated_day("Stand: 06.12.2024").day
    datetime.date(2024, 12, 6)
    >>> find_stated_day("As of 12/06/2024").is_ambiguous
    True
    >>> find_stated_day("12/13/2024", is_title=True).day
    datetime.date(2024, 12, 13)
    >>> find_stated_day("Account opened on 2015-01-02") is None
    True
    """
    lowered = " ".join(text.casefold().split())
    if is_title and (period := _PERIOD.match(lowered)):
        order = infer_order(period.group("first", "day")) or order
        return parse_stated_day(period["day"], order)._replace(rank=1)
    alone = _TITLE_DAY.fullmatch(lowered) if is_title else None
    if alone and not _names_other_day(alone["title"] or ""):
        return parse_stated_day(alone["day"], order)
    found = _sentence_pattern().match(lowered)
    if found is None:
        return None
    vocabulary = load_vocabulary()
    if _names_other_day(lowered[: found.start("day")]):
        return None
    if order is None and found["word"] not in vocabulary.english_days:
        order = "dmy"
    day = parse_stated_day(found["day"], order or ("mdy" if _US_TIME.search(lowered) else None))
    return day._replace(rank=0) if found["word"] in vocabulary.created else day


def _names_other_day(text: str) -> bool:
    """Return whether the last words of a text are those before another day, such as of a birth."""
    words = bare_words(text).split()[-_MAX_WORDS_BEFORE:]
    return not load_vocabulary().other_days.isdisjoint(words)


def parse_stated_day(text: str, order: str | None = None) -> StatedDay:
    """Parse a date in any notation of `dates.parse_date`; a date with dots has the day first.

    Examples
    --------
    >>> [parse_stated_day(text).day.isoformat() for text in ("Dec-06-2024", "6. Dezember 2024")]
    ['2024-12-06', '2024-12-06']
    """
    day = parse_date(text, infer_order([text]) or order)
    return StatedDay(text, day, is_ambiguous=day is None and len(possible_days(text)) > 1)
