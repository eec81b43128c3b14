"""Known words of questions, by which typing errors are corrected."""

import re
from difflib import get_close_matches
from functools import cache

from riskmetrics.insights.question_figures import FIGURES
from riskmetrics.insights.question_words import FILLERS, QUALIFIERS, REFUSALS, TYPED, WORDS

_MIN_CORRECTED, _CLOSENESS = 5, 0.84
"""Letters of a word that is corrected, and its likeness to a known one with its first letter."""


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
        alike = [each for each in _corrections() if each[0] == word[0]]
        return next(iter(get_close_matches(word, alike, 1, _CLOSENESS)), word)

    return re.sub(r"[a-z]+", correct, lower)
