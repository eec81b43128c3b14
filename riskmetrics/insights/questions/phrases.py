"""Tokens of a question, and phrases of the vocabulary that match them.

A phrase is a row of words, and may contain:

- `a|b`: one of several words; `a?`: a word that may be absent; `NAME`: a group of words
- `volatil*`: any word that begins so; `##`: two digits, `#*`: a number
- `..`: up to four other words; `...`: the rest of the clause; `....`: the rest of the question
- `^`: the beginning of the question, or its end at the end of the phrase
- `(a|b)`: the next word is one of these; `!a|b`: it is none of these
- `(..a|b)`: one of these follows later in the clause
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from functools import cached_property
from typing import Final, NamedTuple

_TOKENS: Final = re.compile(
    r"""
    \d{4}-\d{1,2}-\d{1,2} | \d{1,2}/\d{1,2}/\d{4}                  # days
    | (?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:\d{4})?     # German days
    | \d+(?:[.,]\d+)* | [^\W\d]+(?:['’][^\W\d]+)* | [^\w\s]
    """,
    re.VERBOSE,
)
_MAX_GAP: Final = 4
"""Words that `..` stands for at most."""

CLAUSE_ENDS: Final = frozenset(",.;?!")
_NEXT_CLAUSE: Final = frozenset({"what", "how", "is", "the", "my"})
"""Words after `and` that begin another clause."""


class Token(NamedTuple):
    """A word, number or sign of a question."""

    text: str
    """As it is written."""
    word: str
    """In lower case, without a typing error and a genitive's ending."""
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Whether it is a word or a number."""
        return self.word[:1].isalnum()


def split_tokens(text: str) -> list[Token]:
    """Return the tokens of a question; hyphens and periods within words separate them.

    Examples
    --------
    >>> [each.word for each in split_tokens("Today's 10-day VaR at 97.5%?")]
    ['today', '10', 'day', 'var', 'at', '97.5', '%', '?']
    """
    tokens = []
    for found in _TOKENS.finditer(text):
        word = found[0].lower().replace("’", "'").removesuffix("'s")
        is_inner = word == "." and text[found.end() : found.end() + 1].isalnum()
        if word != "-" and not is_inner:
            tokens.append(Token(found[0], word, *found.span()))
    return tokens


class Element(NamedTuple):
    """A place of a phrase."""

    kind: str
    """Empty for a word, else the sign of the place, such as `..` or `(`."""
    words: frozenset[str] = frozenset()
    pattern: "re.Pattern[str] | None" = None
    is_optional: bool = False

    def has(self, word: str) -> bool:
        """Return whether a word stands in the place."""
        return word in self.words or (self.pattern is not None and bool(self.pattern.match(word)))


class Phrase:
    """A row of words that has a meaning."""

    def __init__(self, text: str, groups: Mapping[str, str]) -> None:
        """Read the notation of a phrase.

        Raises
        ------
        ValueError
            If it names a group that does not exist, or has no word.
        """
        self.text = text
        self.elements = [_read_element(each, groups) for each in text.split()]
        if not any(each.kind == "" and not each.is_optional for each in self.elements):
            raise ValueError(f"the phrase {text!r} has no word that must be there")

    @cached_property
    def words(self) -> frozenset[str]:
        """Words that it may contain."""
        return frozenset().union(*(each.words for each in self.elements))

    @cached_property
    def patterns(self) -> "list[re.Pattern[str]]":
        """Patterns of words that it may contain."""
        return [each.pattern for each in self.elements if each.pattern is not None]

    def find(self, tokens: Sequence[Token], start: int) -> int | None:
        """Return where the longest match that begins at a token ends; None without a match."""
        return max(_ends(self.elements, tokens, start), default=None)

    def can_begin(self, word: str) -> bool:
        """Return whether a match may begin with a word."""
        for each in self.elements:
            if each.kind in ("^", "!"):
                continue
            if each.kind or each.has(word):
                return True
            if not each.is_optional:
                return False
        return False


def _read_element(text: str, groups: Mapping[str, str]) -> Element:
    if text in ("..", "...", "....", "^"):
        return Element(text)
    kind = next((each for each in ("(..", "(", "!") if text.startswith(each)), "")
    kind = kind if len(text) > 1 else ""
    is_optional = len(text) > 1 and text.endswith("?")
    choices = text.removeprefix(kind).removesuffix(")" if "(" in kind else "?").split("|")
    if unknown := [each for each in choices if each.isupper() and each not in groups]:
        raise ValueError(f"unknown group {unknown[0]} in {text!r}")
    words = [word for each in choices for word in groups.get(each, each).split()]
    plain = frozenset(each for each in words if "*" not in each and "#" not in each)
    globs = "|".join(translate(each.replace("#", "[0-9]")) for each in words if each not in plain)
    return Element(kind, plain, re.compile(globs) if globs else None, is_optional)


def _ends(elements: Sequence[Element], tokens: Sequence[Token], at: int) -> Iterator[int]:
    """Yield where the matches of the places of a phrase from a token on end."""
    if not elements:
        yield at
        return
    each, rest = elements[0], elements[1:]
    word = tokens[at].word if at < len(tokens) else ""
    if each.is_optional:
        yield from _ends(rest, tokens, at)
    if each.kind == "":
        if word and each.has(word):
            yield from _ends(rest, tokens, at + 1)
    elif each.kind == "..":
        for end in range(at, min(at + _MAX_GAP, len(tokens)) + 1):
            yield from _ends(rest, tokens, end)
            if end < len(tokens) and not tokens[end].is_word:
                return
    elif each.kind in ("...", "...."):
        yield clause_end(tokens, at) if each.kind == "..." else len(tokens)
    elif _holds(each, tokens, at):
        yield from _ends(rest, tokens, at)


def _holds(each: Element, tokens: Sequence[Token], at: int) -> bool:
    """Return whether a condition without a word of its own holds before a token."""
    if each.kind == "^":
        return at == 0 or not any(token.is_word for token in tokens[at:])
    if each.kind in ("!", "("):
        is_next = at < len(tokens) and each.has(tokens[at].word)
        return is_next == (each.kind == "(")
    return any(each.has(token.word) for token in tokens[at : clause_end(tokens, at)])


def clause_end(tokens: Sequence[Token], at: int) -> int:
    """Return where the clause that contains a token ends."""
    for end in range(at, len(tokens)):
        following = tokens[end + 1].word if end + 1 < len(tokens) else ""
        if tokens[end].word in CLAUSE_ENDS:
            return end
        if tokens[end].word == "and" and following in _NEXT_CLAUSE and end > at:
            return end
    return len(tokens)
