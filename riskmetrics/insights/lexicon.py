"""Parser of insight prose: sentences of placeholders, aliases, names, claims and neutral words.

Any other word or character is a violation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from riskmetrics.insights.fact_types import SINCE_PREVIOUS_SESSION, TYPES_BY_LABEL

PLACEHOLDER = re.compile(r"\{\{\s*([a-z0-9_]+?)(\.size)?\s*\}\}")

_ATOM_PATTERN = re.compile(
    r"\{\{\s*(?P<fact>[a-z0-9_]+?)(?P<size>\.size)?\s*\}\}"
    r"|(?P<alias>\b(?:POS|SEC|SCN|FAC)_\d\d\b)(?:['’]s)?"
    r"|(?P<day>\b\d{4}-\d\d-\d\d\b)"
    r"|(?P<word>[A-Za-z]+(?:-[A-Za-z]+)*(?:['’]s)?|\d+%?)"
    r"|(?P<mark>[.,;:()])"
    r"|(?P<space>[ \n]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_MAX_PHRASE_WORDS = max(len(name.split()) for name in TYPES_BY_LABEL)
"""Words of the longest phrase."""

_SEGMENT_SEPARATORS = {"and", "or", "but", "while", "whereas", ";"}


class Claim(NamedTuple):
    """What a phrase asserts about figures."""

    claim_type: Literal[
        "compare", "move", "first", "measure", "sign", "side", "since", "past", "plan", "heading"
    ]
    sense: str
    fact_types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Token:
    """A meaningful part of a sentence."""

    text: str
    position: int
    """Index of its first word in the sentence."""
    segment: int = 0
    clause: int = 0
    fact_id: str | None = None
    """Fact id of a placeholder."""
    is_unsigned: bool = False
    preceding: str = ""
    """The word or mark before it; an article is skipped."""
    alias: str | None = None
    day: str | None = None
    label_types: frozenset[str] | None = None
    """Fact types of a name; empty for a topic, which has no figure."""
    claim: Claim | None = None
    is_copula: bool = False


@dataclass(frozen=True)
class Sentence:
    """A parsed sentence with its violations of the grammar."""

    text: str
    tokens: tuple[Token, ...]
    violations: tuple[str, ...]
    is_advice: bool
    """Whether it is a recommendation to look at something."""
    plain_words: frozenset[str]
    """Its neutral words."""
    is_allowlisted: bool
    """Whether the whole sentence is allowed as it is."""

    @cached_property
    def placeholders(self) -> tuple[Token, ...]:
        """Tokens of placeholders."""
        return tuple(token for token in self.tokens if token.fact_id)

    @cached_property
    def aliases(self) -> tuple[Token, ...]:
        """Tokens of aliases."""
        return tuple(token for token in self.tokens if token.alias)

    @cached_property
    def labels(self) -> tuple[Token, ...]:
        """Tokens of names of facts and topics."""
        return tuple(token for token in self.tokens if token.label_types is not None)

    @cached_property
    def claims(self) -> tuple[Token, ...]:
        """Tokens of claims."""
        return tuple(token for token in self.tokens if token.claim)

    @cached_property
    def days(self) -> tuple[Token, ...]:
        """Tokens of dates."""
        return tuple(token for token in self.tokens if token.day)

    @cached_property
    def has_copula(self) -> bool:
        """Whether it contains a copula, such as 'is'."""
        return any(token.is_copula for token in self.tokens)


class WordGroup(NamedTuple):
    """Phrases for one use, and the fact types they apply to (empty: all)."""

    phrases: list[str]
    fact_types: list[str]


class _Meaning(NamedTuple):
    label_types: frozenset[str] | None = None
    claim: Claim | None = None
    is_copula: bool = False


@cache
def load_lexicon() -> dict[str, Any]:
    """Return the contents of `lexicon.yaml`."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "lexicon.yaml").read_text())
    return found


def vocabulary() -> dict[str, list[WordGroup]]:
    """Return all words and phrases allowed in prose, other than names of facts, by use."""
    entries = load_lexicon()
    found = entries | entries["claims"] | {"since": [SINCE_PREVIOUS_SESSION]}
    return {use: list(_word_groups(found[part])) for part, use in entries["uses"].items()}


def _word_groups(part: Any) -> Iterator[WordGroup]:
    rows = list(part.values()) if isinstance(part, dict) else part
    if isinstance(part, dict) and "fact_types" in part:
        yield WordGroup(
            [
                phrase
                for name, phrases in part.items()
                if name != "fact_types"
                for phrase in phrases
            ],
            part["fact_types"],
        )
    elif all(isinstance(row, str) for row in rows):
        yield WordGroup(rows, [])
    else:
        for row in rows:
            yield from _word_groups(row)


@cache
def _meanings_by_phrase() -> Mapping[str, _Meaning]:
    entries = load_lexicon()
    found = {word: _Meaning() for row in entries["neutral"] for word in row} | {
        word: _Meaning() for word in entries["advice"]
    }
    found |= {word: _Meaning(is_copula=True) for word in entries["copulas"]}
    found |= {word: _Meaning(label_types=frozenset()) for row in entries["topics"] for word in row}
    found |= {name: _Meaning(label_types=kinds) for name, kinds in TYPES_BY_LABEL.items()}
    for phrase, claim in _claims_by_phrase(entries["claims"]):
        before = found.get(phrase, _Meaning())
        found[phrase] = _Meaning(before.label_types or None, claim, before.is_copula)
    return found


def _claims_by_phrase(entries: Mapping[str, Any]) -> Iterator[tuple[str, Claim]]:
    for what in ("compare", "move", "side"):
        yield from (
            (phrase, Claim(what, sense))
            for sense, phrases in entries[what].items()
            for phrase in phrases
        )
    yield from ((phrase, Claim("plan", "")) for phrase in entries["plan"])
    yield from ((phrase, Claim("heading", "")) for phrase in entries["heading"])
    kinded: tuple[Literal["first", "measure", "past"], ...] = ("first", "measure", "past")
    for what in kinded:
        yield from (
            (phrase, Claim(what, phrase, frozenset(row["fact_types"])))
            for row in entries[what]
            for phrase in row["words"]
        )
    for row in entries["sign"]:
        yield from (
            (phrase, Claim("sign", sense, frozenset(row["fact_types"])))
            for sense in ("up", "down")
            for phrase in row[sense]
        )
    yield SINCE_PREVIOUS_SESSION, Claim("since", "")


@cache
def _by_first_word() -> Mapping[str, Sequence[tuple[tuple[str, ...], _Meaning]]]:
    """Return phrases by their first word, longest first."""
    found: dict[str, list[tuple[tuple[str, ...], _Meaning]]] = {}
    for phrase, meaning in _meanings_by_phrase().items():
        words = tuple(phrase.split())
        found.setdefault(words[0], []).append((words, meaning))
    return {
        word: sorted(phrases, key=lambda phrase: -len(phrase[0])) for word, phrases in found.items()
    }


@lru_cache(maxsize=8192)
def parse_sentences(text: str) -> tuple[Sentence, ...]:
    """Parse a text into sentences; cached, because the rules repeat their sentences."""
    sentences, atoms = [], []
    for atom in _ATOM_PATTERN.finditer(text):
        atoms.append(atom)
        if atom["mark"] == ".":
            sentences.append(_parse_sentence(atoms))
            atoms = []
    if any(not atom["space"] for atom in atoms):
        sentences.append(_parse_sentence(atoms))
    return tuple(sentences)


def _parse_sentence(atoms: Sequence["re.Match[str]"]) -> Sentence:
    text = "".join(atom[0] for atom in atoms).strip()
    if text in load_lexicon()["whole"]:
        return Sentence(text, (), (), is_advice=False, plain_words=frozenset(), is_allowlisted=True)
    violations = [f"{atom[0]!r} is not a word" for atom in atoms if atom["other"]]
    violations += [
        f"{atom[0]} must be separated by spaces"
        for before, atom in pairwise(atoms)
        if _is_adjoining(before, atom)
    ]
    tokens, visible_atoms, is_advice, plain_words = (
        [],
        [atom for atom in atoms if not atom["space"] and not atom["other"]],
        False,
        set(),
    )
    segment = clause = position = 0
    while position < len(visible_atoms):
        atom, n_words, meaning = visible_atoms[position], 1, None
        if atom["word"]:
            n_words, meaning = _longest_phrase(visible_atoms, position)
            if meaning is None:
                violations.append(f"{atom[0]!r} is not in the vocabulary")
            phrase = " ".join(
                each[0].lower() for each in visible_atoms[position : position + n_words]
            )
            is_advice |= position == 0 and phrase in load_lexicon()["advice"]
            if meaning == _Meaning():
                plain_words.add(phrase)
        if n_words == 1 and _is_misplaced(visible_atoms, position):
            violations.append(f"{atom[0]!r} is not allowed at this place")
        if atom[0].lower() in _SEGMENT_SEPARATORS and n_words == 1:
            segment, clause = segment + 1, clause + 1
        elif atom["mark"]:
            clause += 1
        else:
            tokens.append(_make_token(visible_atoms, position, n_words, meaning, segment, clause))
        position += n_words
    return Sentence(
        text,
        tuple(token for token in tokens if _is_relevant(token)),
        tuple(violations),
        is_advice,
        frozenset(plain_words),
        is_allowlisted=False,
    )


def _is_misplaced(visible_atoms: Sequence["re.Match[str]"], position: int) -> bool:
    """Return whether a word would imply more at its place.

    Examples: an intention (is to), a cause (by), a share (of), a negative figure in parentheses.
    """
    before, after = (
        visible_atoms[index] if 0 <= index < len(visible_atoms) else None
        for index in (position - 1, position + 1)
    )
    copulas, word = load_lexicon()["copulas"], visible_atoms[position][0].lower()
    if word in copulas:
        return position == 0
    neighbors = [neighbor[0].lower() for neighbor in (before, after) if neighbor]
    return (
        (word == "to" and not {*neighbors}.isdisjoint(copulas))
        or (word == "by" and not (after and after["fact"]))
        or (word == "of" and bool(before and before["fact"]) and not (after and after["alias"]))
        or (word == "(" and neighbors[0] in copulas)
    )


def _make_token(
    visible_atoms: Sequence["re.Match[str]"],
    position: int,
    n_words: int,
    meaning: _Meaning | None,
    segment: int,
    clause: int,
) -> Token:
    atom, (label_types, claim, is_copula) = visible_atoms[position], meaning or _Meaning()
    text = " ".join(each[0].lower() for each in visible_atoms[position : position + n_words])
    article = (
        not atom["fact"]
        and position > 0
        and visible_atoms[position - 1][0].lower() in ("a", "an", "the")
    )
    preceding = visible_atoms[position - 1 - article][0].lower() if position > article else ""
    token = Token(
        text,
        position,
        segment,
        clause,
        preceding=preceding,
        label_types=label_types,
        claim=claim,
        is_copula=is_copula,
    )
    if atom["fact"]:
        return replace(token, fact_id=atom["fact"], is_unsigned=bool(atom["size"]))
    return replace(token, alias=atom["alias"], day=atom["day"])


def _is_relevant(token: Token) -> bool:
    return (
        bool(token.fact_id or token.alias or token.day or token.claim or token.is_copula)
        or token.label_types is not None
    )


def _is_adjoining(before: "re.Match[str]", atom: "re.Match[str]") -> bool:
    """Return whether a figure touches its neighbor: 0.{{beta}}, {{a}}{{b}}, {{beta}}x."""
    marks = atom["mark"] is not None, before["mark"] is not None and before[0] == "("
    return bool(before["fact"] and not atom["space"] and not marks[0]) or bool(
        atom["fact"] and not before["space"] and not marks[1]
    )


def _longest_phrase(
    visible_atoms: Sequence["re.Match[str]"], position: int
) -> tuple[int, _Meaning | None]:
    """Return the number of words and the meaning of the longest phrase that starts here.

    A genitive has the meaning of its base word.
    """
    words = [
        atom[0].lower().replace("’", "'") if atom["word"] else ""
        for atom in visible_atoms[position : position + _MAX_PHRASE_WORDS]
    ]
    for phrase, meaning in _by_first_word().get(words[0], ()):
        if tuple(words[: len(phrase)]) == phrase:
            return len(phrase), meaning
    base = re.sub(r"['’]s$", "", words[0])
    return 1, _meanings_by_phrase().get(base) if base != words[0] else None
