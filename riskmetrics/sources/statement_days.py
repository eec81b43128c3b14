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
_WEEKDAY = rf"(?:[^\W\d_]{{2,10}}\.?, |(?:{'|'.join(load_vocabulary().weekdays)})\.? )?"
_TITLE_DAY = re.compile(rf"(?:(?P<title>.*)(?:\(| [-\u2013|] ))?{_WEEKDAY}(?P<day>{_ANY_DATE})\)?")
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
_AS_OF = ("as of", "as at")
"""Words after which a day is that of the positions, whatever is before them."""


class StatedDay(NamedTuple):
    """Day that a text states."""

    text: str
    """The date as written."""
    day: date | None
    """None if the text is not a date, or can be two."""
    is_ambiguous: bool = False
    """Whether month and day can be exchanged."""
    rank: int = 3
    """Rank among the days of a file: 3 if it is stated as that of the positions, 2 without a word
    or behind Date, 1 behind a title, at the end of a period or as that of the prices, 0 if the
    file may only have been written on it."""


@cache
def _sentence_pattern(*, is_as_of: bool) -> "re.Pattern[str]":
    """Return the pattern of a word before a day; of as of and as at alone, which precede others."""
    words = (word for word in load_vocabulary().days if not is_as_of or word.endswith(_AS_OF))
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
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
    >>> find_stated_day("Holdings 12/13/2024", is_title=True).day
    datetime.date(2024, 12, 13)
    >>> find_stated_day("Account opened on 2015-01-02") is None
    True
    """
    lowered = " ".join(text.casefold().split())
    if found := _sentence_pattern(is_as_of=True).match(lowered):
        return _parse_sentence(found, order)
    if period := _PERIOD.match(lowered):
        order = infer_order(period.group("first", "day")) or order
        title = lowered[: period.start("first")]
        is_stated = is_title and _names_period(title)
        return parse_stated_day(period["day"], order)._replace(rank=1) if is_stated else None
    alone = _TITLE_DAY.fullmatch(lowered) if is_title else None
    if alone and not alone["title"]:
        return parse_stated_day(alone["day"], order)._replace(rank=2)
    if alone and _names_positions(alone["title"]):
        return parse_stated_day(alone["day"], order)._replace(rank=1)
    titled = re.fullmatch(rf"(?P<title>[^\W\d_]+(?: [^\W\d_]+)?) (?P<day>{_ANY_DATE})", lowered)
    if is_title and titled and _is_of_positions(titled["title"]):
        return parse_stated_day(titled["day"], order)._replace(rank=1)
    found = _sentence_pattern(is_as_of=False).match(lowered)
    is_other = found is None or _names_other_day(lowered[: found.start("word")], found["word"])
    return None if found is None or is_other else _parse_sentence(found, order)


def _parse_sentence(found: "re.Match[str]", order: str | None) -> StatedDay:
    """Return the day behind a word."""
    vocabulary, word = load_vocabulary(), found["word"]
    if order is None and word not in vocabulary.english_days:
        order = "dmy"
    day = parse_stated_day(
        found["day"], order or ("mdy" if _US_TIME.search(found.string) else None)
    )
    if _names_prices(found.string[: found.start("word")].rpartition("(")[2]):
        return day._replace(rank=1)
    if word not in vocabulary.created:
        return day
    is_date_alone = found.start("word") == 0 and word in vocabulary.dates
    return day._replace(rank=2 if is_date_alone else 0)


def _names_prices(before: str) -> bool:
    """Return whether the text before a day is of prices or rates, and of no positions.

    Examples
    --------
    >>> texts = ("prices", "exchange rates", "positions and prices", "market value")
    >>> [_names_prices(text) for text in texts]
    [True, True, False, False]
    """
    vocabulary, words = load_vocabulary(), {*bare_words(before).split()}
    return bool(words & vocabulary.quoted) and words.isdisjoint(vocabulary.statements)


def _names_other_day(before: str, word: str) -> bool:
    """Return whether the text before a word and a day tells that the day is another one.

    Examples
    --------
    >>> _names_other_day("account opened", "on"), _names_other_day("start of day positions", "on")
    (True, False)
    >>> _names_other_day("depuis création", "au"), _names_other_day("ouverture", "au")
    (False, True)
    """
    vocabulary = load_vocabulary()
    words = bare_words(before).split()
    if word in vocabulary.created or word in vocabulary.english_days:
        n_before = _MAX_WORDS_BEFORE - len(word.split())
        return not vocabulary.other_days.isdisjoint([*words[-n_before:], *word.split()])
    is_start = not vocabulary.since.isdisjoint(words[:-1])  # since the opening, and up to the day
    return not is_start and not vocabulary.other_days.isdisjoint(words[-1:])


def _names_positions(title: str) -> bool:
    """Return whether a title has a word of positions or statements, and none of another day.

    Examples
    --------
    >>> titles = ("Portfolio holdings", "Fund launched", "Previous statement period")
    >>> [_names_positions(title) for title in titles]
    [True, False, False]
    """
    vocabulary, words = load_vocabulary(), bare_words(title).split()
    is_other = not vocabulary.other_days.isdisjoint(words)
    return not is_other and not vocabulary.statements.isdisjoint(words)


def _is_of_positions(title: str) -> bool:
    """Return whether all words of a title are of positions, such as Portfolio holdings."""
    return load_vocabulary().statements.issuperset(bare_words(title).split())


def _names_period(title: str) -> bool:
    """Return whether a title is the word for a period, or one of positions and of no return.

    Examples
    --------
    >>> [_names_period(title) for title in ("Period", "Portfolio", "Portfolio return", "Tax year")]
    [True, True, False, False]
    """
    vocabulary, words = load_vocabulary(), bare_words(title)
    is_return = not vocabulary.unrelated.isdisjoint(words.split())
    return words in vocabulary.periods or (not is_return and _names_positions(title))


def parse_stated_day(text: str, order: str | None = None) -> StatedDay:
    """Parse a date in any notation of `dates.parse_date`; a date with dots has the day first.

    Examples
    --------
    >>> [parse_stated_day(text).day.isoformat() for text in ("Dec-06-2024", "6. Dezember 2024")]
    ['2024-12-06', '2024-12-06']
    """
    day = parse_date(text, infer_order([text]) or order)
    return StatedDay(text, day, is_ambiguous=day is None and len(possible_days(text)) > 1)
