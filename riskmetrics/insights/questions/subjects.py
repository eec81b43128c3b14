"""Positions, sectors, factors and scenarios that a question names."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from riskmetrics.insights.questions.phrases import Phrase, Token
from riskmetrics.insights.questions.question_words import (
    is_known,
    load_words,
    read_phrases,
    word_list,
)
from riskmetrics.insights.questions.spelling import read_tokens

_KINDS: Final = {"POS": "position", "SEC": "sector", "FAC": "factor", "SCN": "scenario"}
_MIN_NAME: Final = 4
"""Letters of a company's name that is recognized."""


class Subject(NamedTuple):
    """What a question names."""

    alias: str
    """Empty if it is not among the facts."""
    kind: str
    """position, sector, factor or scenario."""


class Named(NamedTuple):
    """A subject and the places of its tokens."""

    subject: Subject
    start: int
    end: int


def find_subjects(
    text: str, tokens: Sequence[Token], aliases: Mapping[str, Mapping[str, str]]
) -> list[Named]:
    """Return the subjects that a question names.

    A subject without an alias is an instrument, sector or factor that the facts do not contain.

    Examples
    --------
    >>> held = {"POS_01": {"symbol": "AMD", "name": "Advanced Micro Devices"}}
    >>> text = "Is amd larger than TSLA?"
    >>> [each.subject.alias for each in find_subjects(text, read_tokens(text), held)]
    ['POS_01', '']
    """
    found: list[Named] = []
    for start, end, subject in _iterate_names(text, tokens, aliases):
        if all(end <= each.start or start >= each.end for each in found):
            found.append(Named(subject, start, end))
    return sorted(found, key=lambda each: each.start)


def _iterate_names(
    text: str, tokens: Sequence[Token], aliases: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[int, int, Subject]]:
    """Yield all names in a question with their tokens, those that the facts contain first."""
    shared = _shared_names(aliases)
    for alias, entity in aliases.items():
        subject = Subject(alias, _KINDS.get(alias[:3], ""))
        phrases = _phrases_by_name("sectors").get(entity.get("sector", ""), ())
        phrases = _phrases_by_name("scenarios").get(entity.get("scenario", ""), phrases)
        yield from ((*span, subject) for span in _find_phrases(phrases, tokens))
        for name, is_exact in _names(entity):
            if name.lower() in shared:
                continue
            yield from ((*span, subject) for span in _find_name(name, tokens, is_exact=is_exact))
    for alias, entity in aliases.items():  # after longer names that begin with the symbol
        symbol = entity.get("symbol", "")
        if symbol.lower() in shared and "of" not in entity:
            spans = _find_name(symbol, tokens, is_exact=True)
            yield from ((*span, Subject(alias, _KINDS["POS"])) for span in spans)
    if aliases:
        for at in range(len(tokens)):
            if _is_symbol(text, tokens, at):
                yield at, at + 1, Subject("", "position")
        for phrases in _phrases_by_name("sectors").values():
            yield from ((*span, Subject("", "sector")) for span in _find_phrases(phrases, tokens))
        factors = read_phrases(load_words()["factors"])
        yield from ((*span, Subject("", "factor")) for span in _find_phrases(factors, tokens))


def _shared_names(aliases: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the names, in lower case, that mean several subjects, such as two share classes.

    A symbol that is one of them means its own position in its own spelling.
    """
    names = Counter(
        each for entity in aliases.values() for each in {name.lower() for name, _ in _names(entity)}
    )
    return {name for name, count in names.items() if count > 1}


@cache
def _phrases_by_name(kind: str) -> Mapping[str, Sequence[Phrase]]:
    return {name: read_phrases(text) for name, text in load_words()[kind].items()}


def _find_phrases(phrases: Sequence[Phrase], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    for at in range(len(tokens)):
        ends = [end for each in phrases if (end := each.find(tokens, at)) is not None]
        if ends:
            yield at, max(ends)


def _find_name(name: str, tokens: Sequence[Token], *, is_exact: bool) -> Iterator[tuple[int, int]]:
    """Yield where a name stands: in its own spelling only, or in any."""

    def spell(each: Token) -> str:
        own = _without_genitive(each)
        return own if is_exact else own.lower()

    requested = [spell(each) for each in read_tokens(name)]
    for at in range(len(tokens) - len(requested) + 1):
        if requested and [spell(each) for each in tokens[at : at + len(requested)]] == requested:
            yield at, at + len(requested)


def _without_genitive(token: Token) -> str:
    return token.text.replace("’", "'").removesuffix("'s")


def _names(entity: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Yield the names of a subject, and whether only its exact spelling means it."""
    factor = entity.get("factor", "")
    if is_known(factor):  # a word of other questions, such as value
        yield from ((f"{factor} {each}", False) for each in word_list("factor_words"))
        yield from ((f"{each} to {factor}", False) for each in word_list("factor_words"))
    elif factor:
        yield factor, False
    if "scenario" in entity and not is_known(entity["scenario"].lower()):
        yield entity["scenario"], False
    symbol = entity.get("symbol", "")
    if symbol and "of" not in entity:
        yield symbol, len(symbol) <= 2 or is_known(symbol.lower())
        yield from ((each, False) for each in _company_names(entity.get("name", "")))


def _company_names(name: str) -> Iterator[str]:
    """Yield the names that mean a company: all its words, without its legal form, and the first.

    Other beginnings of a name may be those of another fund.
    """
    words = [each.strip(",.") for each in name.split()]
    if len(words) > 1:
        yield name
    while len(words) > 1:
        yield " ".join(words)
        if words[-1].lower() not in word_list("legal_forms"):
            break
        words.pop()
    for company in words[:1]:
        is_common = company.lower() in word_list("common_names") or is_known(company.lower())
        if len(company) >= _MIN_NAME and not is_common:
            yield company


def _is_symbol(text: str, tokens: Sequence[Token], at: int) -> bool:
    """Return whether a word is written as a symbol: in capitals, or after a dollar sign."""
    each = tokens[at]
    symbol = _without_genitive(each)
    if not (symbol.isascii() and symbol.isalpha()) or each.word in word_list("no_symbols"):
        return False
    if at and tokens[at - 1].text == "$" and tokens[at - 1].end == each.start:
        return not is_known(each.word)
    is_part = bool({"&", "-"} & {text[each.start - 1 : each.start], text[each.end : each.end + 1]})
    is_capital = symbol.isupper() and 2 <= len(symbol) <= 5 and not text.isupper()
    return is_capital and not is_part and not is_known(each.word)


def without_portfolios(text: str, portfolios: Sequence[str]) -> tuple[str, bool]:
    """Return a question without the portfolio's name, and whether it names another portfolio.

    Parameters
    ----------
    portfolios : sequence of str
        Name of the portfolio, then those of all others. Another one of a single word is recognized
        by its exact spelling only, since it may be a common word; one that is a word of questions,
        after a word such as "of" only.
    """
    rest, is_other = text, False
    for at, name in enumerate(portfolios):
        before = r"(?<=\bof )|(?<=\bin )|(?<=\bthan )|(?<=\bwith )"
        before = before if is_known(name.lower()) else r"(?<!\w)"
        is_exact = at > 0 and " " not in name and "-" not in name
        pattern = re.compile(
            rf"(?:{before}){re.escape(name)}(?:['’]s)?(?!\w)", 0 if is_exact else re.IGNORECASE
        )
        if at:
            is_other = is_other or bool(pattern.search(rest))
        else:
            rest = pattern.sub("it", rest)
    return rest, is_other
