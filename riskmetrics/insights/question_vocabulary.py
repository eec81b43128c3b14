"""Known words of questions, by which typing errors are corrected."""

import re
from collections import Counter
from difflib import SequenceMatcher
from functools import cache

from riskmetrics.insights.question_figures import FIGURES, OFFERED
from riskmetrics.insights.question_words import FILLERS, QUALIFIERS, REFUSALS, TYPED, WORDS

_MIN_CORRECTED, _LONG = 5, 9
"""Letters of a word that is corrected, and of one that may have a wrong letter."""


@cache
def known_words() -> frozenset[str]:
    """Return the words of questions: alone, they name no position and no portfolio."""
    patterns = (
        *(each.words for each in FIGURES),
        *(words for _, words in QUALIFIERS),
        *(each.words for each in REFUSALS),
    )
    plain = re.sub(r"\(\?[:=!<]+", "(", "|".join(patterns)).replace("s?", "")
    plain = re.sub(r"\\[a-zA-Z]", "\0", re.sub(r"\\[bW]", " ", plain))
    whole = re.findall(r"(?<![a-z\]).?*])[a-z]+(?![a-z(\[\0?])", plain)
    return FILLERS | WORDS["inflected"] | frozenset(whole)


def nearest_questions(text: str, count: int = 3) -> list[str]:
    """Return the questions that are offered which are most like another one.

    A word that both have weighs less the more questions have it; spelling breaks ties.

    Examples
    --------
    >>> nearest_questions("Is the drawdown scary?", 1)
    ['How long was the longest drawdown?']
    """
    offered = [each for examples in OFFERED.values() for each in examples]
    frequency = Counter(word for each in offered for word in _stems(each))
    words = _stems(text)

    def likeness(question: str) -> tuple[float, float]:
        common = sum(1 / frequency[word] for word in words & _stems(question))
        return common, SequenceMatcher(None, text.lower(), question.lower()).ratio()

    return sorted(offered, key=likeness, reverse=True)[:count]


def _stems(text: str) -> set[str]:
    """Return the words of weight of a question, without a plural's ending."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    return {word.removesuffix("s") for word in words - FILLERS}


@cache
def _corrections() -> tuple[str, ...]:
    return tuple(sorted(word for word in known_words() if len(word) >= _MIN_CORRECTED))


@cache
def _patterns() -> "tuple[re.Pattern[str], ...]":
    words = (
        *(each.words for each in FIGURES),
        *(each for _, each in QUALIFIERS),
        *(each.words for each in REFUSALS),
    )
    return tuple(re.compile(rf"(?:{each})(?!\w)") for each in words)


def is_known(word: str) -> bool:
    """Return whether a word in lower case is one of questions."""
    return word in known_words() or any(each.match(word) for each in _patterns())


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


def correct_typing(text: str) -> str:
    """Return a question in lower case, without contractions and typing errors in known words.

    Examples
    --------
    >>> correct_typing("Whats the drawdwon?")
    'what is the drawdown?'
    """
    lower = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    lower = lower.replace("’", "'")
    lower = re.sub(r"(?<![a-z])(c?var|es)(9\d)(?!\d)", r"\1 \2", lower)
    for short, long in TYPED:
        lower = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", long, lower)

    def correct(found: "re.Match[str]") -> str:
        word = found[0]
        if len(word) < _MIN_CORRECTED or is_known(word):
            return word
        return next((each for each in _corrections() if _is_mistyped(word, each)), word)

    return re.sub(r"[a-z]+", correct, lower)
