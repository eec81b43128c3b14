"""Typing errors in the words of questions, and the questions that are most like another one."""

from collections import Counter
from difflib import SequenceMatcher
from functools import cache

from riskmetrics.insights.questions.phrases import Token, split_tokens
from riskmetrics.insights.questions.question_figures import offered_questions
from riskmetrics.insights.questions.question_words import (
    is_known,
    known_words,
    normalize_spelling,
    word_list,
)

_MIN_CORRECTED, _LONG = 5, 9
"""Letters of a word that is corrected, and of one that may have a wrong letter."""


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of a question, without typing errors in known words.

    Examples
    --------
    >>> [each.word for each in read_tokens("Whats the drawdwon?")]
    ['what', 'the', 'drawdown', '?']
    """
    tokens = [each._replace(word=correct_typing(each.word)) for each in split_tokens(text)]
    return list(normalize_spelling(tokens))


def correct_typing(word: str) -> str:
    """Return the known word that a word in lower case is meant to be, or the word itself."""
    if len(word) < _MIN_CORRECTED or is_known(word) or not word.isalpha():
        return word
    return next((each for each in _corrections() if _is_mistyped(word, each)), word)


@cache
def _corrections() -> tuple[str, ...]:
    return tuple(sorted(word for word in known_words() if len(word) >= _MIN_CORRECTED))


def _is_mistyped(word: str, known: str) -> bool:
    """Return whether a word is a known one with a single slip between its first and last letter.

    A slip is a letter that is omitted, doubled, exchanged with the next or, in a long word, wrong.
    Other words alike, such as futures or marginal, are words of their own.
    """
    if word[0] != known[0] or word[-1] != known[-1] or abs(len(word) - len(known)) > 1:
        return False
    pairs = zip(word, known, strict=False)
    at = next((i for i, (one, other) in enumerate(pairs) if one != other), len(known) - 1)
    if len(word) < len(known):
        return word[at:] == known[at + 1 :]
    if len(word) > len(known):
        return word[at] == word[at - 1] and word[at + 1 :] == known[at:]
    is_exchanged = word[at : at + 2] == known[at : at + 2][::-1]
    rest = at + 2 if is_exchanged else at + 1
    return (is_exchanged or len(word) >= _LONG) and word[rest:] == known[rest:]


def rank_questions(text: str) -> list[str]:
    """Return the questions that are offered, those most like another one first.

    A word that both have weighs less the more questions have it; spelling breaks ties. A question
    without such a word is not like it.

    Examples
    --------
    >>> rank_questions("Is the drawdown scary?")[0]
    'How long was the longest drawdown?'
    """
    offered = [each for examples in offered_questions().values() for each in examples]
    frequency = Counter(word for each in offered for word in _stems(each))
    words = _stems(text)

    def likeness(question: str) -> tuple[float, float]:
        common = sum(1 / frequency[word] for word in words & _stems(question))
        return common, SequenceMatcher(None, text.lower(), question.lower()).ratio()

    like = [each for each in offered if words & _stems(each)]
    return sorted(like, key=likeness, reverse=True)


def _stems(text: str) -> set[str]:
    """Return the words of weight of a question, without a plural's ending."""
    words = {each.word for each in split_tokens(text) if each.text.isalpha()}
    return {word.removesuffix("s") for word in words - word_list("fillers")}
