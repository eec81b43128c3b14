"""The vocabulary of questions: which words mean which figure, qualifier, time or refusal."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from riskmetrics.insights.questions.phrases import Phrase, Token
from riskmetrics.insights.questions.question_figures import figures, load_data


class Meaning(NamedTuple):
    """A phrase and what it means."""

    kind: str
    """refusal, figure, qualifier, or the name of a time."""
    value: str
    phrase: Phrase


class Match(NamedTuple):
    """A part of a question, by the places of its tokens."""

    kind: str
    value: str
    start: int
    end: int


def load_words() -> dict[str, Any]:
    """Return the contents of `vocabulary.yaml`."""
    return load_data("vocabulary.yaml")


@cache
def word_list(name: str) -> frozenset[str]:
    """Return a list of words of the vocabulary, such as the fillers."""
    return frozenset(load_words()[name].split())


def read_phrases(text: str) -> list[Phrase]:
    """Return the phrases that commas separate."""
    return [Phrase(each, load_words()["groups"]) for each in text.split(",")]


@cache
def meanings() -> tuple[Meaning, ...]:
    """Return all meanings in the order in which equally long ones are preferred."""
    words = load_words()
    texts = (
        *(("refusal", key, text) for key, text in words["refusals"].items()),
        *(("figure", each.key, each.words) for each in figures().values() if each.words),
        *(("qualifier", key, text) for key, text in words["qualifiers"].items()),
        *((key, key, text) for key, text in words["times"].items()),
    )
    return tuple(
        Meaning(kind, key, phrase) for kind, key, text in texts for phrase in read_phrases(text)
    )


@lru_cache(maxsize=2048)
def _beginning_with(word: str) -> tuple[tuple[int, Meaning], ...]:
    """Return the meanings whose phrases may begin with a word, with their places."""
    return tuple(each for each in enumerate(meanings()) if each[1].phrase.can_begin(word))


def find_meanings(tokens: Sequence[Token], without: Iterable[str] = ()) -> list[Match]:
    """Return the meanings in a question: the longest ones first, each token used once.

    Parameters
    ----------
    without : iterable of str
        Kinds that are not looked for.
    """
    found = [
        (start - end, place, start, Match(each.kind, each.value, start, end))
        for start, token in enumerate(tokens)
        for place, each in _beginning_with(token.word)
        if each.kind not in without
        if (end := each.phrase.find(tokens, start)) is not None and end > start
    ]
    taken: set[int] = set()
    chosen = []
    for *_, match in sorted(found):
        places = range(match.start, match.end)
        if taken.isdisjoint(places):
            taken.update(places)
            chosen.append(match)
    return sorted(chosen, key=lambda each: each.start)


@cache
def _spellings() -> tuple[tuple[Phrase, str], ...]:
    words: Mapping[str, str] = load_words()["spellings"]
    return tuple((phrase, word) for text, word in words.items() for phrase in read_phrases(text))


def normalize_spelling(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield tokens with one spelling of words that have several, such as P&L and P/L."""
    at = 0
    while at < len(tokens):
        ends = ((phrase.find(tokens, at), word) for phrase, word in _spellings())
        end, words = next(((end, word) for end, word in ends if end), (at + 1, tokens[at].word))
        text = " ".join(each.text for each in tokens[at:end])
        for word in words.split():
            yield Token(text, word, tokens[at].start, tokens[end - 1].end)
        at = end


@cache
def known_words() -> frozenset[str]:
    """Return the words of questions: alone, they name no position and no portfolio."""
    return frozenset().union(
        word_list("fillers"), word_list("inflected"), *(each.phrase.words for each in meanings())
    )


@cache
def _known_patterns() -> "frozenset[re.Pattern[str]]":
    return frozenset(each for meaning in meanings() for each in meaning.phrase.patterns)


@lru_cache(maxsize=2048)
def is_known(word: str) -> bool:
    """Return whether a word in lower case is one of questions."""
    return word in known_words() or any(each.match(word) for each in _known_patterns())
