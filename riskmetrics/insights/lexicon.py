"""Prose taken apart: sentences of placeholders, aliases, names of facts, claims, and words that claim nothing; all else is a fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from riskmetrics.insights.kinds import NAMES, SINCE

PLACEHOLDER = re.compile(r"\{\{\s*([a-z0-9_]+?)(\.size)?\s*\}\}")

_ATOMS = re.compile(
    r"\{\{\s*(?P<fact>[a-z0-9_]+?)(?P<size>\.size)?\s*\}\}"
    r"|(?P<alias>\b(?:POS|SEC|SCN)_\d\d\b)(?:['’]s)?"
    r"|(?P<day>\b\d{4}-\d\d-\d\d\b)"
    r"|(?P<word>[A-Za-z]+(?:-[A-Za-z]+)*(?:['’]s)?|\d+%?)"
    r"|(?P<mark>[.,;:()])"
    r"|(?P<space>[ \n]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_LONGEST = max(len(name.split()) for name in NAMES)
"""Words of the longest phrase."""

_ENDS_SEGMENT = {"and", "or", "but", "while", "whereas", ";"}


class Claim(NamedTuple):
    """What a word asserts of figures."""

    what: Literal["compare", "move", "first", "measure", "sign", "side", "since", "past", "plan", "heading"]
    sense: str
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Token:
    """A piece of a sentence that matters to what it says."""

    text: str
    at: int
    """Which word of the sentence it is."""
    segment: int = 0
    clause: int = 0
    fact: str | None = None
    """Id in a placeholder."""
    size: bool = False
    after: str = ""
    """The word or mark before it; before a name, that before its article."""
    alias: str | None = None
    day: str | None = None
    names: frozenset[str] | None = None
    """Kinds that a name stands for; empty: a topic, of which there is no figure."""
    claim: Claim | None = None
    copula: bool = False


@dataclass(frozen=True)
class Sentence:
    """One sentence, and what in it is not language here."""

    text: str
    tokens: tuple[Token, ...]
    faults: tuple[str, ...]
    advice: bool
    """It tells the reader to look at something."""
    plain: frozenset[str]
    """Its words that claim nothing."""
    whole: bool
    """It may stand as it is."""

    @cached_property
    def figures(self) -> tuple[Token, ...]:
        """Its placeholders."""
        return tuple(token for token in self.tokens if token.fact)

    @cached_property
    def aliases(self) -> tuple[Token, ...]:
        """Its aliases."""
        return tuple(token for token in self.tokens if token.alias)

    @cached_property
    def names(self) -> tuple[Token, ...]:
        """Its names of facts and topics."""
        return tuple(token for token in self.tokens if token.names is not None)

    @cached_property
    def claims(self) -> tuple[Token, ...]:
        """Its claims."""
        return tuple(token for token in self.tokens if token.claim)

    @cached_property
    def days(self) -> tuple[Token, ...]:
        """The days that it names."""
        return tuple(token for token in self.tokens if token.day)

    @cached_property
    def states(self) -> bool:
        """Whether it says that something is something."""
        return any(token.copula for token in self.tokens)


class Words(NamedTuple):
    """Phrases for one use, and the kinds of facts that they may be said of; without kinds of any."""

    phrases: list[str]
    kinds: list[str]


class _Meaning(NamedTuple):
    names: frozenset[str] | None = None
    claim: Claim | None = None
    copula: bool = False


@cache
def lexicon() -> dict[str, Any]:
    """Return the file of words."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "lexicon.yaml").read_text())
    return found


def vocabulary() -> dict[str, list[Words]]:
    """Return every word and phrase that prose may use beside the names of facts, by what it is for."""
    given = lexicon()
    found = given | given["claims"] | {"since": [SINCE]}
    return {use: list(_words(found[part])) for part, use in given["uses"].items()}


def _words(part: Any) -> Iterator[Words]:
    rows = list(part.values()) if isinstance(part, dict) else part
    if isinstance(part, dict) and "kinds" in part:
        yield Words([phrase for name, phrases in part.items() if name != "kinds" for phrase in phrases], part["kinds"])
    elif all(isinstance(row, str) for row in rows):
        yield Words(rows, [])
    else:
        for row in rows:
            yield from _words(row)


@cache
def _phrases() -> Mapping[str, _Meaning]:
    given = lexicon()
    found = {word: _Meaning() for row in given["neutral"] for word in row} | {word: _Meaning() for word in given["advice"]}
    found |= {word: _Meaning(copula=True) for word in given["copulas"]}
    found |= {word: _Meaning(names=frozenset()) for row in given["topics"] for word in row}
    found |= {name: _Meaning(names=kinds) for name, kinds in NAMES.items()}
    for phrase, claim in _claims(given["claims"]):
        before = found.get(phrase, _Meaning())
        found[phrase] = _Meaning(before.names or None, claim, before.copula)
    return found


def _claims(given: Mapping[str, Any]) -> Iterator[tuple[str, Claim]]:
    for what in ("compare", "move", "side"):
        yield from ((phrase, Claim(what, sense)) for sense, phrases in given[what].items() for phrase in phrases)
    yield from ((phrase, Claim("plan", "")) for phrase in given["plan"])
    yield from ((phrase, Claim("heading", "")) for phrase in given["heading"])
    kinded: tuple[Literal["first", "measure", "past"], ...] = ("first", "measure", "past")
    for what in kinded:
        yield from ((phrase, Claim(what, phrase, frozenset(row["kinds"]))) for row in given[what] for phrase in row["words"])
    for row in given["sign"]:
        yield from ((phrase, Claim("sign", sense, frozenset(row["kinds"]))) for sense in ("up", "down") for phrase in row[sense])
    yield SINCE, Claim("since", "")


@cache
def _by_first_word() -> Mapping[str, Sequence[tuple[tuple[str, ...], _Meaning]]]:
    """Phrases by the word that they begin with, the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], _Meaning]]] = {}
    for phrase, meaning in _phrases().items():
        words = tuple(phrase.split())
        found.setdefault(words[0], []).append((words, meaning))
    return {word: sorted(phrases, key=lambda of: -len(of[0])) for word, phrases in found.items()}


@lru_cache(maxsize=8192)
def read(text: str) -> tuple[Sentence, ...]:
    """Take a text apart into sentences; those of fixed rules come again and again."""
    sentences, atoms = [], []
    for atom in _ATOMS.finditer(text):
        atoms.append(atom)
        if atom["mark"] == ".":
            sentences.append(_sentence(atoms))
            atoms = []
    if any(not atom["space"] for atom in atoms):
        sentences.append(_sentence(atoms))
    return tuple(sentences)


def _sentence(atoms: Sequence["re.Match[str]"]) -> Sentence:
    text = "".join(atom[0] for atom in atoms).strip()
    if text in lexicon()["whole"]:
        return Sentence(text, (), (), advice=False, plain=frozenset(), whole=True)
    faults = [f"{atom[0]!r} is no word" for atom in atoms if atom["other"]]
    faults += [f"{atom[0]} must stand free" for before, atom in pairwise(atoms) if _touch(before, atom)]
    tokens, seen, advice, plain = [], [atom for atom in atoms if not atom["space"] and not atom["other"]], False, set()
    segment = clause = at = 0
    while at < len(seen):
        atom, words, meaning = seen[at], 1, None
        if atom["word"]:
            words, meaning = _longest(seen, at)
            if meaning is None:
                faults.append(f"{atom[0]!r} is not in the vocabulary")
            phrase = " ".join(of[0].lower() for of in seen[at : at + words])
            advice |= at == 0 and phrase in lexicon()["advice"]
            if meaning == _Meaning():
                plain.add(phrase)
        if words == 1 and _misplaced(seen, at):
            faults.append(f"{atom[0]!r} may not stand there")
        if atom[0].lower() in _ENDS_SEGMENT and words == 1:
            segment, clause = segment + 1, clause + 1
        elif atom["mark"]:
            clause += 1
        else:
            tokens.append(_token(seen, at, words, meaning, segment, clause))
        at += words
    return Sentence(text, tuple(token for token in tokens if _matters(token)), tuple(faults), advice, frozenset(plain), whole=False)


def _misplaced(seen: Sequence["re.Match[str]"], at: int) -> bool:
    """Whether a small word says more where it stands: what is to be, a cause, a share of something, a negative figure in brackets."""
    before, after = (seen[of] if 0 <= of < len(seen) else None for of in (at - 1, at + 1))
    copulas, word = lexicon()["copulas"], seen[at][0].lower()
    if word in copulas:
        return at == 0
    beside = [of[0].lower() for of in (before, after) if of]
    return (
        (word == "to" and not {*beside}.isdisjoint(copulas))
        or (word == "by" and not (after and after["fact"]))
        or (word == "of" and bool(before and before["fact"]) and not (after and after["alias"]))
        or (word == "(" and beside[0] in copulas)
    )


def _token(seen: Sequence["re.Match[str]"], at: int, words: int, meaning: _Meaning | None, segment: int, clause: int) -> Token:
    atom, (names, claim, copula) = seen[at], meaning or _Meaning()
    text = " ".join(of[0].lower() for of in seen[at : at + words])
    article = not atom["fact"] and at > 0 and seen[at - 1][0].lower() in ("a", "an", "the")
    after = seen[at - 1 - article][0].lower() if at > article else ""
    token = Token(text, at, segment, clause, after=after, names=names, claim=claim, copula=copula)
    if atom["fact"]:
        return replace(token, fact=atom["fact"], size=bool(atom["size"]))
    return replace(token, alias=atom["alias"], day=atom["day"])


def _matters(token: Token) -> bool:
    return bool(token.fact or token.alias or token.day or token.claim or token.copula) or token.names is not None


def _touch(before: "re.Match[str]", atom: "re.Match[str]") -> bool:
    """Whether a figure would be read together with what stands next to it: 0.{{beta}}, {{a}}{{b}}, -{{beta}}, {{beta}}x."""
    marks = atom["mark"] is not None, before["mark"] is not None and before[0] == "("
    return bool(before["fact"] and not atom["space"] and not marks[0]) or bool(atom["fact"] and not before["space"] and not marks[1])


def _longest(seen: Sequence["re.Match[str]"], at: int) -> tuple[int, _Meaning | None]:
    """Return how many words the longest phrase has that begins here, and what it means; a genitive is its word."""
    words = [atom[0].lower().replace("’", "'") if atom["word"] else "" for atom in seen[at : at + _LONGEST]]
    for phrase, meaning in _by_first_word().get(words[0], ()):
        if tuple(words[: len(phrase)]) == phrase:
            return len(phrase), meaning
    base = re.sub(r"['’]s$", "", words[0])
    return 1, _phrases().get(base) if base != words[0] else None
