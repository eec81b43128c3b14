"""Parse a question: figures with their qualifiers and subjects, refusals, and unread words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

from riskmetrics.insights.question_asks import (
    CONFIDENCE_KEYS,
    FIGURES_BY_KEY,
    Ask,
    Clause,
    Token,
    find_asks,
)
from riskmetrics.insights.question_dates import find_times
from riskmetrics.insights.question_figures import FIGURES
from riskmetrics.insights.question_subjects import MARK, Subject
from riskmetrics.insights.question_vocabulary import correct_typing
from riskmetrics.insights.question_words import (
    CUMULATIVE,
    DESCRIBED,
    EACH,
    FILLERS,
    QUALIFIERS,
    REFUSALS,
    Refusal,
)

_SEPARATOR: Final = re.compile(
    r"[;?!/]|\.(?!\w)|,(?!\d)|\b(?:and|plus|but|as well as|along with|together with)\b|&"
)

_LEVEL: Final = (
    r"(?:(?:at|with|on) )?(?:the |a )?(9\d(?:[.,]\d+)?) ?(?:%|percent|pct|per ?cent)?"
    r"(?: ?(?:confidence|level|percentile))*"
)

_MARKET: Final = r"(?:the )?(?:stock )?(?:market|index|s ?& ?p(?: 500)?)"
_MARKET_MOVE: Final = (
    r"(?:what (?:happens?|would happen) )?"
    rf"(?:if {_MARKET} (?:was |is |were |went |goes |would |had )?"
    rf"|when {_MARKET} (?:is |goes )?(?!lost|fell|rose|was))"
    r"(?:(?P<down>falls?|drops?|loses?|lost|tanks?|crashes|down|declines?|fell)"
    r"|(?P<up>rises?|gains?|up|rose|rallies))(?: by)? (?P<size>\d+(?:\.\d+)?) ?(?:%|percent)"
)


class Parsed(NamedTuple):
    """What a question asks for, and what of it is not understood."""

    asks: tuple[Ask, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unread: tuple[str, ...] = ()
    day: date | None = None
    """A session that it names."""


class _Text:
    """A question in lower case, whose parts are taken once."""

    def __init__(self, text: str) -> None:
        self.original = self.rest = text
        self.tokens: list[Token] = []

    def take(self, pattern: str, kind: str, value: object) -> "re.Match[str] | None":
        """Take all parts that match, as tokens; return the last one."""
        last = None
        while found := re.search(pattern, self.rest):
            if not found[0]:
                break
            last = found
            self.add(kind, value, *found.span())
        return last

    def add(self, kind: str, value: object, start: int, end: int) -> None:
        self.tokens.append(Token(kind, value, start))
        self.rest = self.rest[:start] + "\0" * (end - start) + self.rest[end:]


def parse_question(
    text: str, subjects: Sequence[Subject] = (), session: date | None = None
) -> Parsed:
    """Return what a question asks for.

    Parameters
    ----------
    text : str
        The question, with the i-th of ``subjects`` replaced by its mark.
    session : date, optional
        The session whose facts answer.

    Examples
    --------
    >>> (ask,) = parse_question("What is the 99% VaR?").asks
    >>> ask.figure.key, sorted(ask.qualifiers)
    ('var', ['99%'])
    """
    found = _Text(correct_typing(text))
    refusals = [each for each in REFUSALS if found.take(each.words, "refusal", each)]
    if move := found.take(_MARKET_MOVE, "figure", FIGURES_BY_KEY["scenario"]):
        size = float(move["size"]) / 100
        found.tokens.append(Token("move", size if move["up"] else -size, move.start()))
    found.take(EACH, "qualifier", "each")
    found.take(CUMULATIVE, "qualifier", "cumulative")
    keys = _take_figures(found, is_weak=False)
    found.take(DESCRIBED, "qualifier", "each")
    keys |= _take_figures(found, is_weak=True)
    day = _take_qualifiers(found, keys, session)
    if move:  # the result that is asked for is that of the scenario
        result = FIGURES_BY_KEY["result"]
        found.tokens = [each for each in found.tokens if each.value not in ("if", result)]
    for at, subject in enumerate(subjects):
        found.take(re.escape(chr(MARK + at)), "subject", subject)
    unread = list(_unread(found.rest))
    asks = tuple(find_asks(list(_clauses(found, {start for start, _ in unread}))))
    return Parsed(asks, tuple(refusals), tuple(word for _, word in unread), day)


def _take_figures(found: _Text, *, is_weak: bool) -> set[str]:
    """Take the names of figures; return the keys of those that are named."""
    keys = set()
    for figure in FIGURES:
        words = rf"(?<![\w-])(?:{figure.words})(?![\w-])"
        if figure.is_weak == is_weak and found.take(words, "figure", figure):
            keys.add(figure.key)
    return keys


def _take_qualifiers(found: _Text, keys: set[str], session: date | None) -> date | None:
    """Take levels, times and other qualifiers; return the day that is named."""
    day = None
    for each in find_times(found.rest, session):
        found.add("qualifier", each.qualifier, each.start, each.end)
        day = each.day or day
    if keys & CONFIDENCE_KEYS:
        while level := re.search(rf"(?<![\w.]){_LEVEL}(?![\w.])", found.rest):
            shown = level[1].replace(",", ".").removesuffix(".0")
            found.add("qualifier", f"{shown}%", *level.span())
    for qualifier, words in QUALIFIERS:
        found.take(rf"(?<![\w-])(?:{words})", "qualifier", qualifier)
    return day


def _unread(rest: str) -> Iterator[tuple[int, str]]:
    """Yield start and word of what is no known word."""
    for word in re.finditer(r"\$?[^\W_][\w'’]*(?:[.,-]\w+)*%?", rest):
        parts = re.split(r"[-'’]", word[0].strip("$"))
        if not all(part in FILLERS or part in ("", "s") for part in parts):
            yield word.start(), word[0]


def _clauses(found: _Text, unread: set[int]) -> Iterator[Clause]:
    """Yield the parts of a question between separators, with what is found in them."""
    separators = [each.span() for each in _SEPARATOR.finditer(found.rest)]
    bounds = [(0, 0), *separators, (len(found.rest), len(found.rest))]
    for at, ((_, first), (last, _)) in enumerate(pairwise(bounds)):
        tokens = tuple(
            replace(each, clause=at) for each in found.tokens if first <= each.start <= last
        )
        is_unread = any(first <= start < last for start in unread)
        yield Clause(found.original[first:last], tokens, is_unread)
