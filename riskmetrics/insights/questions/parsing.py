"""Parse a question: figures with their qualifiers and subjects, refusals, and unread words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from riskmetrics.insights.questions.clauses import Ask, Clause, Part, find_asks
from riskmetrics.insights.questions.phrases import CLAUSE_ENDS, Phrase, Token
from riskmetrics.insights.questions.question_figures import figures
from riskmetrics.insights.questions.question_words import (
    Match,
    find_meanings,
    load_words,
    read_phrases,
    word_list,
)
from riskmetrics.insights.questions.spelling import read_tokens
from riskmetrics.insights.questions.subjects import find_subjects
from riskmetrics.insights.questions.time_expressions import (
    Calendar,
    find_number,
    is_about_future,
    read_time,
)

_NO_ALIASES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({})


class Question(NamedTuple):
    """What a question asks for, and which of its words are not understood."""

    asks: tuple[Ask, ...] = ()
    refusals: tuple[str, ...] = ()
    """Keys of refusals of the vocabulary."""
    unread: tuple[str, ...] = ()
    """Words that are not known."""
    day: date | None = None
    """A session that it names."""


def parse_question(
    text: str,
    aliases: Mapping[str, Mapping[str, str]] = _NO_ALIASES,
    session: date | None = None,
    today: date | None = None,
) -> Question:
    """Return what a question asks for.

    Parameters
    ----------
    aliases : mapping, optional
        Alias to symbol, name, sector, factor or scenario, which the question may name.
    session : date, optional
        The session whose facts answer.
    today : date, optional
        The session from which a day such as yesterday is counted; default: that of the facts.

    Examples
    --------
    >>> (ask,) = parse_question("What is the 99% VaR?").asks
    >>> ask.figure.key, sorted(ask.qualifiers)
    ('var', ['99%'])
    """
    tokens = read_tokens(text)
    named = find_subjects(text, tokens, aliases)
    for each in named:
        hidden = [token._replace(word="") for token in tokens[each.start : each.end]]
        tokens[each.start : each.end] = hidden
    matches = _find_meanings(tokens)
    taken = {at for each in matches for at in range(each.start, each.end)}
    parts = [(each.start, Part("subject", each.subject)) for each in named]
    parts = [each for each in parts if each[0] not in taken]
    days: list[date] = []
    is_ahead = is_about_future([each.word for each in tokens])
    calendar = Calendar(session, today or session, is_ahead)
    for match in matches:
        words = [each.word for each in tokens[match.start : match.end]]
        found, day = _read_match(match, words, calendar)
        parts += [(match.start, each) for each in found]
        days += [day] if day else []
    ends, separating = _find_separators(tokens, taken)
    unread = [
        at
        for at, token in enumerate(tokens)
        if at not in taken | separating and token.is_word
        and token.word not in word_list("fillers")
    ]  # fmt: skip
    clauses = list(_clauses(tokens, _without_implied(parts), ends, unread))
    return Question(
        tuple(find_asks(clauses)),
        tuple(dict.fromkeys(each.value for each in matches if each.kind == "refusal")),
        tuple(dict.fromkeys(_chunk(text, tokens[at]) for at in unread)),
        _only_day(days, matches),
    )


def _only_day(days: Sequence[date], matches: Sequence[Match]) -> date | None:
    """Return the day that a question names; None if it names two, of which today may be one."""
    has_today = any(each.kind == "qualifier" and each.value in ("1d", "now") for each in matches)
    return days[0] if len({*days}) == 1 and not has_today else None


def _find_meanings(tokens: Sequence[Token]) -> list[Match]:
    """Return the meanings in a question; a number is a level of figures that have one."""
    found = find_meanings(tokens)
    named = [figures()[each.value] for each in found if each.kind == "figure"]
    has_level = any("confidence" in each.traits for each in named)
    return found if has_level else find_meanings(tokens, without=("level",))


def _read_match(
    match: Match, words: Sequence[str], calendar: Calendar
) -> tuple[list[Part], date | None]:
    """Return what the words of a match say, figures, qualifiers, a number, and the day named."""
    if match.kind == "figure":
        most = find_number(words) if match.value == "holdings" else 0
        return [Part("figure", figures()[match.value]), *[Part("most", most)] * bool(most)], None
    if match.kind in ("qualifier", "refusal"):
        return [Part(match.kind, each) for each in match.value.split()], None
    if match.kind not in ("level", "move", "size"):
        qualifiers, day = read_time(match.kind, words, calendar)
        return [Part("qualifier", each) for each in qualifiers], day
    number = float(next(each for each in words if each[0].isdigit()).replace(",", "."))
    if match.kind == "level":
        return [Part("qualifier", f"{number:g}%")], None
    if match.kind == "size":
        return [Part("size", number / 100)], None
    is_rise = not set(load_words()["groups"]["RISE"].split()).isdisjoint(words)
    move = Part("move", number / 100 if is_rise else -number / 100)
    return [Part("figure", figures()["scenario"]), move], None


def _without_implied(parts: Sequence[tuple[int, Part]]) -> list[tuple[int, Part]]:
    """Return parts in their order, without the result of a scenario that is asked for anyway."""
    ordered = sorted(parts, key=lambda each: each[0])
    values, rates = [part.value for _, part in parts], figures()["rates"]
    is_if = rates in values and ("if" in values or "when" in values)
    if not is_if and not any(part.kind == "move" for _, part in parts):
        return ordered
    implied = ("if", figures()["result"], *["when"] * is_if)
    return [each for each in ordered if each[1].value not in implied]


@cache
def _separators() -> tuple[Phrase, ...]:
    return tuple(read_phrases(load_words()["separators"]))


def _find_separators(tokens: Sequence[Token], taken: set[int]) -> tuple[list[int], set[int]]:
    """Return where clauses end, and the places of the words that separate them."""
    ends: list[int] = []
    places: set[int] = set()
    for at, token in enumerate(tokens):
        if at in taken or at in places:
            continue
        is_sign = token.word in CLAUSE_ENDS or token.word in ("/", "&")
        end = at + 1 if is_sign else max(
            (each.find(tokens, at) or 0 for each in _separators()), default=0
        )  # fmt: skip
        if end:
            ends.append(at)
            places.update(range(at, end))
    return ends, places


def _clauses(
    tokens: Sequence[Token],
    parts: Sequence[tuple[int, Part]],
    ends: Sequence[int],
    unread: Sequence[int],
) -> Iterator[Clause]:
    """Yield the parts of a question between separators, with what is found in them."""
    bounds = [-1, *ends, len(tokens)]
    spans = [(before, end) for before, end in pairwise(bounds) if end > before + 1]
    for at, (before, end) in enumerate(spans):
        yield Clause(
            tuple(each.word for each in tokens[before + 1 : end]),
            tuple(part._replace(clause=at) for start, part in parts if before < start < end),
            any(before < each < end for each in unread),
        )


def _chunk(text: str, token: Token) -> str:
    """Return a token as it is written, with what stands next to it without a space."""
    before = text[: token.start].rsplit(" ", maxsplit=1)[-1] if token.start else ""
    after = text[token.end :].split(" ", maxsplit=1)[0]
    return (before + text[token.start : token.end] + after).strip(".,;:?!'\"()").lower()


def find_named_session(text: str, session: date) -> date | None:
    """Return the session that a question names, unless it is that of the facts.

    Examples
    --------
    >>> find_named_session("What was the beta on December 20?", date(2022, 12, 28))
    datetime.date(2022, 12, 20)
    """
    named = parse_question(text, session=session).day
    return None if named == session else named
