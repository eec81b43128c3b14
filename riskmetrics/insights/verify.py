"""Verifier of drafts: every figure has its name, every comparison and direction is true.

A statement that cannot be verified is rejected, even if it is true.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Fact, Sheet
from riskmetrics.insights.fact_types import CHANGE_UNITS, SIGNED_UNITS
from riskmetrics.insights.lexicon import PLACEHOLDER, Sentence, Token, load_lexicon, parse_sentences
from riskmetrics.insights.severity import is_at_or_beyond

VERSION = "4"
"""Part of the cache key; increment it with any change of what passes."""

MAX_CHARS = {"title": 160, "summary": 1200, "analysis": 4000, "limitations": 1200, "finding": 500}
"""Maximum characters per part, before figures are inserted."""

MAX_ITEMS = {"findings": 8, "recommendations": 5}

_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: bool(a == b),
    "within": lambda a, b: not is_at_or_beyond(a, b),
    "beyond": is_at_or_beyond,
}

_PREPOSITIONS = {"with", "against", "beside", "to", "at", "by", "on", "in"}
"""Words after which a name is not the subject of the sentence."""


def verifier_version() -> str:
    """Return the combined version of the verifier and the lexicon."""
    return f"{VERSION}.{load_lexicon()['version']}"


def find_violations(draft: Draft, sheet: Sheet) -> list[str]:
    """Return the violations of a draft; empty if it may be shown."""
    found = list(_form_violations(draft))
    texts = {name: getattr(draft, name) for name in ("title", "summary", "analysis", "limitations")}
    for name, text in texts.items():
        found += [
            f"{name}: {complaint}"
            for complaint in text_violations(text, sheet, is_title=name == "title")
        ]
    for name in MAX_ITEMS:
        for number, finding in enumerate(getattr(draft, name), start=1):
            found += [
                f"{name} {number}: {complaint}"
                for complaint in _finding_violations(
                    finding, sheet, is_advice=name == "recommendations"
                )
            ]
    return found


def _form_violations(draft: Draft) -> Iterator[str]:
    for name in ("title", "summary", "analysis", "limitations"):
        text = getattr(draft, name)
        if len(text) > MAX_CHARS[name]:
            yield f"{name}: {len(text)} characters exceed the limit of {MAX_CHARS[name]}"
        if not text.strip() and name in ("title", "summary"):
            yield f"{name}: must not be empty"
    for name, max_items in MAX_ITEMS.items():
        items = getattr(draft, name)
        if len(items) > max_items:
            yield f"{name}: {len(items)} items exceed the limit of {max_items}"
        yield from (
            f"{name} {n}: must have 1 to {MAX_CHARS['finding']} characters"
            for n, of in enumerate(items, 1)
            if not 0 < len(of.text) <= MAX_CHARS["finding"]
        )
    if not draft.findings:
        yield "findings: at least one is required"
    if not PLACEHOLDER.search(draft.summary):
        yield "summary: must state a figure"


def text_violations(text: str, sheet: Sheet, *, is_title: bool = False) -> list[str]:
    """Return the violations of a text, each with its sentence."""
    return [
        fault
        for sentence in parse_sentences(text)
        for fault in SentenceCheck(sentence, sheet, is_title).violations
    ]


def _finding_violations(finding: Finding, sheet: Sheet, *, is_advice: bool) -> Iterator[str]:
    """Yield violations of a finding: its text, and evidence that differs from its statements.

    Advice may also cite the threshold of a fact it names.
    """
    checks = [
        SentenceCheck(sentence, sheet, is_title=False) for sentence in parse_sentences(finding.text)
    ]
    for check in checks:
        yield from check.violations
    if not finding.facts:
        yield "cites no fact"
    known, figures = (
        {fact for fact in finding.facts if fact in sheet.facts},
        {found[1] for found in PLACEHOLDER.finditer(finding.text)},
    )
    yield from (f"unknown fact {fact}" for fact in finding.facts if fact not in known)
    yield from (f"states {fact} without citing it" for fact in sorted(figures - known))
    stated: set[str] = set().union(*(reading.stated_facts for reading in checks))
    families = {sheet.facts[fact].fact_type.family for fact in stated} if is_advice else set()
    thresholds = {
        fact
        for fact in known
        if sheet.facts[fact].fact_type.provider == "severity"
        and sheet.facts[fact].fact_type.family in families
    }
    yield from (f"cites {fact} without stating it" for fact in sorted(known - stated - thresholds))


class SentenceCheck:
    """Verification of one sentence against the facts."""

    def __init__(self, sentence: Sentence, sheet: Sheet, is_title: bool) -> None:
        self.sentence, self.sheet, self.title = sentence, sheet, is_title
        self.placeholders, self.aliases = sentence.placeholders, sentence.aliases
        self.bindings: dict[int, Fact] = {}
        """Position of a name to the fact it refers to."""
        self.signed_facts: set[str] = set()
        """Ids of signed facts whose direction a word states."""
        self.side_aliases: set[str | None] = set()
        """Aliases of positions whose side is stated."""
        self.violations = (
            []
            if sentence.is_allowlisted and not is_title
            else [f"{fault} (in {sentence.text!r})" for fault in self._find_violations()]
        )
        """Violations, each with the sentence."""

    @property
    def stated_facts(self) -> set[str]:
        """Ids of the facts that the sentence states, compares with or, in advice, names."""
        named = [self._resolve_fact(token) for token in self.sentence.labels]
        sides = [self.sheet.by_type.get(("side", thing)) for thing in self.side_aliases]
        placeholder_facts = {
            str(token.fact_id) for token in self.placeholders if token.fact_id in self.sheet.facts
        }
        return (
            placeholder_facts
            | self.signed_facts
            | {fact.id for fact in (*named, *sides, *self.bindings.values()) if fact}
        )

    def _find_violations(self) -> Iterator[str]:
        yield from self.sentence.violations
        yield from self._check_entities()
        if unknown := [
            token.fact_id for token in self.placeholders if token.fact_id not in self.sheet.facts
        ]:
            yield f"unknown fact {', '.join(map(str, unknown))}"
            return
        for token in self.placeholders:
            yield from self._bind_placeholder(token, self.sheet.facts[str(token.fact_id)])
        for token in self.sentence.claims:
            if token.claim:
                yield from getattr(self, f"_check_{token.claim.claim_type}")(token)
        yield from self._check_unsigned()
        yield from self._check_states_fact()
        yield from self._check_unstated()
        yield from self._check_equated()
        yield from self._check_shared_verbs()

    def _check_entities(self) -> Iterator[str]:
        yield from (
            f"unknown alias {token.alias}"
            for token in self.aliases
            if token.alias not in self.sheet.aliases
        )
        if len({str(token.alias)[:3] for token in self.aliases}) > 1:
            yield "mixes two kinds of aliases"
        for token in self.sentence.days:
            if token.day != self.sheet.day.isoformat() or token.preceding not in (
                "",
                "on",
                "of",
                "(",
                ":",
                ",",
            ):
                yield f"{token.text} is not the session, or the date is misplaced"

    def _bind_placeholder(self, token: Token, fact: Fact) -> Iterator[str]:
        """Bind a figure to its name, and yield violations of name and entity."""
        name = self._nearest(token, self.sentence.labels)
        kind = fact.fact_type.name
        if name is None or not (
            kind in (name.label_types or ())
            or (self._has_move(token) and kind.removesuffix("_change") in (name.label_types or ()))
        ):
            yield (
                f"{{{{{fact.id}}}}} is not next to one of its names:"
                f" {', '.join(fact.fact_type.labels)}"
            )
            return
        if _base_id(self.bindings.setdefault(name.position, fact)) != _base_id(fact):
            yield f"{name.text!r} has two figures"
        if fact.entity:
            thing = self._nearest(token, self.aliases)
            if thing is None or thing.alias != fact.entity:
                yield f"{{{{{fact.id}}}}} is about {fact.entity}, which is not named next to it"
        elif self.aliases and not kind.endswith("_threshold"):
            yield (
                f"{{{{{fact.id}}}}} is about the portfolio, but the sentence names"
                f" {self.aliases[0].alias}"
            )

    def _nearest(self, token: Token, among: Sequence[Token]) -> Token | None:
        """Return the token that a figure belongs to.

        Order: before or after it in its clause, then in its segment, then anywhere before it.
        """
        for place in ("clause", "segment"):
            same = [
                of
                for of in among
                if getattr(of, place) == getattr(token, place) and of is not token
            ]
            if same:
                before = [of for of in same if of.position < token.position]
                return before[-1] if before else same[0]
        before = [of for of in among if of.position < token.position]
        return before[-1] if before else None

    def _has_move(self, token: Token) -> bool:
        return any(
            of.claim and of.claim.claim_type == "move" and of.segment == token.segment
            for of in self.sentence.claims
        )

    def _resolve_fact(self, token: Token, fact_types: frozenset[str] | None = None) -> Fact | None:
        """Return the fact of a placeholder or a name; None if a name is ambiguous."""
        if token.fact_id:
            return self.sheet.facts[token.fact_id]
        if token.position in self.bindings:
            return self.bindings[token.position]
        things = {of.alias for of in self.aliases}
        if len(things) > 1:
            return None
        entity = next(iter(things), None)
        found = [
            self.sheet.by_type.get((kind, entity))
            for kind in (token.label_types or frozenset())
            & (fact_types or token.label_types or frozenset())
        ]
        fact = found[0] if len(found) == 1 else None
        if fact:
            self.bindings[token.position] = fact
        return fact

    def _neighbors(self, token: Token) -> tuple[list[Token], list[Token]]:
        """Return figures and names in a claim's segment: before it (nearest first) and after it."""
        own = [
            of
            for of in self.sentence.tokens
            if of.segment == token.segment
            and (of.fact_id or of.label_types is not None)
            and of is not token
        ]
        return [of for of in reversed(own) if of.position < token.position], [
            of for of in own if of.position > token.position
        ]

    def _check_compare(self, token: Token) -> Iterator[str]:
        before, after = self._neighbors(token)
        before = before or [
            of
            for of in reversed(self.sentence.tokens)
            if of.segment == token.segment - 1 and (of.fact_id or of.label_types)
        ]
        if not before or not after:
            yield f"{token.text!r} is not between two figures"
            return
        left, right = self._resolve_fact(before[0]), self._resolve_fact(after[0])
        if (
            left is None
            or right is None
            or left is right
            or left.fact_type.family != right.fact_type.family
            or left.fact_type.unit == "text"
        ):
            yield f"{token.text!r} is not between two figures that can be compared"
            return
        if any(self._resolve_fact(of) is not left for of in before) or any(
            of.label_types and self._resolve_fact(of) is not right
            for of in after
            if of.preceding != "with"
        ):
            yield f"{token.text!r} has more than two figures around it"
        if self._is_aside(before, token):
            yield f"{token.text!r} has no figure as its subject"
        sense, equal = token.claim.sense if token.claim else "", left.formatted == right.formatted
        if not _has_one_meaning(sense, left, right):
            yield f"{token.text!r} cannot compare {left.id} with {right.id}"
            return
        holds = equal if sense == "=" else _COMPARATORS[sense](left.value, right.value)
        if not holds or (equal and sense in ("<", ">", "within")):
            yield f"{left.id} is not {token.text} {right.id}"

    def _is_aside(self, before: Sequence[Token], token: Token) -> bool:
        """Return whether none of the names before a verb is its subject."""
        names = [of for of in before if of.label_types]
        verbs = [
            of.position
            for of in self.sentence.tokens
            if of.is_copula and names and names[0].position < of.position < token.position
        ]
        verb = (
            verbs
            or token.text in ("exceeds", "exceed", "equals")
            or (token.claim and token.claim.claim_type == "move")
        )
        return bool(names and verb) and all(of.preceding in _PREPOSITIONS for of in names)

    def _claim_entity(self, token: Token) -> str | None:
        """Return the alias that a claim is about, or '' if there are several.

        Aliases of its segment precede those of the sentence. None is the portfolio.
        """
        own = {of.alias for of in self.aliases if of.segment == token.segment} or {
            of.alias for of in self.aliases
        }
        return next(iter(own), None) if len(own) < 2 else ""

    def _check_move(self, token: Token) -> Iterator[str]:
        before, _ = self._neighbors(token)
        if self._is_aside(before, token):
            yield f"{token.text!r} has no figure as its subject"
        fact = self._resolve_fact(before[0]) if before else None
        base = _base_id(fact) if fact else ""
        change = self.sheet.facts.get(f"{base}_change")
        if change is None or base not in CHANGE_UNITS:
            yield f"{token.text!r} needs a fact with a change"
            return
        stray = [
            of
            for of in self.placeholders
            if of.segment == token.segment and not _is_move_figure(of, base, change)
        ]
        if stray:
            yield f"state a change as 'by {{{{{change.id}.size}}}}' or 'to {{{{{base}}}}}'"
        if _direction(change) != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} is wrong: {change.id} is {change.formatted}"
        self.signed_facts.add(change.id)

    def _check_sign(self, token: Token) -> Iterator[str]:
        fact_types = token.claim.fact_types if token.claim else frozenset()
        before, after = self._neighbors(token)
        candidates = (
            self._resolve_fact(of, fact_types)
            for of in [*([token] if token.label_types else []), *after, *before]
        )
        fact = next((of for of in candidates if of and of.fact_type.name in fact_types), None)
        if fact is None or fact.entity != self._claim_entity(token):
            yield f"{token.text!r} needs a figure with that sign"
            return
        if _direction(fact) != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} is wrong: {fact.id} is {fact.formatted}"
        self.signed_facts.add(fact.id)

    def _check_side(self, token: Token) -> Iterator[str]:
        thing = self._claim_entity(token)
        fact = self.sheet.by_type.get(("side", thing))
        self.side_aliases |= {thing}
        if fact is None or fact.value != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} needs a position of that side"

    def _check_first(self, token: Token) -> Iterator[str]:
        before, after = self._neighbors(token)
        fact = next(
            (self._resolve_fact(of) for of in (*after, *before) if of.label_types is not None), None
        )
        has_type = (
            fact is not None
            and token.claim is not None
            and fact.fact_type.name in token.claim.fact_types
        )
        if (
            fact is None
            or not has_type
            or fact.rank != 1
            or fact.entity != self._claim_entity(token)
        ):
            yield f"{token.text!r} needs a fact with rank 1"

    def _check_measure(self, token: Token) -> Iterator[str]:
        before, after = self._neighbors(token)
        fact = next((self._resolve_fact(of) for of in (*before, *after)), None)
        moved = token.text == "in the session" and (
            self._has_move(token) or (fact is not None and fact.fact_type.provider == "changes")
        )
        if not moved and (
            fact is None or token.claim is None or fact.fact_type.name not in token.claim.fact_types
        ):
            yield f"{token.text!r} does not apply to this figure"

    def _check_past(self, token: Token) -> Iterator[str]:
        past_types = token.claim.fact_types if token.claim else frozenset()
        mentioned_types = {
            self.sheet.facts[str(of.fact_id)].fact_type.name for of in self.placeholders
        }.union(*(of.label_types or () for of in self.sentence.labels))
        present = {kind for kind in mentioned_types - past_types if not kind.endswith("_change")}
        if present and (not self.sentence.days or "result" in present):
            yield f"{token.text!r} needs a completed period or the date of the session"

    def _check_plan(self, token: Token) -> Iterator[str]:
        if (
            not self.sentence.is_advice
            or " whether " not in self.sentence.text.lower().partition(token.text)[0]
        ):
            yield f"{token.text!r} is allowed only in advice, after 'whether'"

    def _check_heading(self, token: Token) -> Iterator[str]:
        if self.sentence.is_advice or not self.title:
            yield f"{token.text!r} is allowed only in titles"

    def _check_since(self, token: Token) -> Iterator[str]:
        if not self._has_move(token):
            yield f"{token.text!r} needs a change"

    def _check_unsigned(self) -> Iterator[str]:
        for token in self.placeholders:
            fact = self.sheet.facts[str(token.fact_id)]
            signed = fact.fact_type.unit in SIGNED_UNITS
            preceding_tokens = [
                of
                for of in self.sentence.tokens
                if of.position < token.position
                and (of.label_types is not None or of.claim)
                and not _is_modifier(of)
            ]
            has_direction_word = bool(
                preceding_tokens
                and preceding_tokens[-1].claim
                and preceding_tokens[-1].claim.claim_type in ("move", "sign")
            )
            if token.is_unsigned and not (
                signed and has_direction_word and fact.id in self.signed_facts
            ):
                yield f"{{{{{fact.id}.size}}}} needs a word for its direction"
            governed = token.preceding == "by" or any(
                of.text.split()[-1] == token.preceding for of in self.sentence.claims
            )
            if not token.is_unsigned and signed and governed and fact.id in self.signed_facts:
                yield f"after {token.preceding!r} write {{{{{fact.id}.size}}}}"
            if token.preceding == "by" and not (
                fact.fact_type.provider == "changes" and fact.id in self.signed_facts
            ):
                yield "'by' needs the figure of a change"

    def _check_states_fact(self) -> Iterator[str]:
        """Yield a violation if the sentence states no fact, or if advice or a title names none."""
        sentence = self.sentence
        if not sentence.is_advice and not self._is_heading:
            if not self.bindings and not self.side_aliases:
                yield "states no fact"
        elif not any(token.position or self._is_heading for token in sentence.tokens) and not any(
            "portfolio" in word for word in sentence.plain_words
        ):
            yield "names no fact, alias or topic"
        elif (
            self._is_heading
            and not self.placeholders
            and (more := sentence.plain_words.difference(load_lexicon()["titles"]))
        ):
            yield (
                "a title without a figure may only list names joined by 'and' and 'of'; remove"
                f" {', '.join(map(repr, sorted(more)))}"
            )

    @property
    def _is_heading(self) -> bool:
        """Whether the sentence is a title without a statement."""
        return self.title and not self.sentence.has_copula

    def _check_unstated(self) -> Iterator[str]:
        """Yield violations for names and aliases without a figure."""
        if self.sentence.is_advice and self.sentence.has_copula:
            yield "advice must not make a statement"
        if self.sentence.is_advice:
            return
        names = (
            token
            for token in self.sentence.labels
            if not self._is_heading or (token.label_types and self.placeholders)
        )
        loose = [token.text for token in names if token.position not in self.bindings]
        loose += [
            token.alias
            for token in self.aliases
            if token.alias and token.alias not in self.stated_entities
        ]
        if loose:
            yield f"{', '.join(map(repr, loose))} has no figure"

    @property
    def stated_entities(self) -> set[str | None]:
        """Aliases with a figure in the sentence."""
        return {fact.entity for fact in self.bindings.values()} | self.side_aliases

    def _check_equated(self) -> Iterator[str]:
        """Yield a violation if 'is' joins two figures of a segment without a comparison."""
        for one, other in pairwise(self.placeholders):
            between = [
                token
                for token in self.sentence.tokens
                if one.position < token.position < other.position
            ]
            compared = any(token.claim and token.claim.claim_type == "compare" for token in between)
            if (
                one.segment == other.segment
                and any(token.is_copula for token in between)
                and not compared
            ):
                yield "two figures are equated"

    def _check_shared_verbs(self) -> Iterator[str]:
        """Yield violations for segments that share a verb, as in 'the beta and the HHI rose'.

        The claim would apply to both, but only one is checked.
        """
        segments_with_verb = {
            token.segment
            for token in self.sentence.tokens
            if token.is_copula or (token.claim and not _is_modifier(token))
        }
        segments_without_verb = {
            token.segment
            for token in self.sentence.tokens
            if token.fact_id or token.alias or token.label_types is not None
        } - segments_with_verb
        for token in self.sentence.claims:
            if token.claim and not _is_modifier(token):
                both = token.claim.claim_type in ("compare", "move")
                yield from (
                    f"{token.text!r} applies to more than one subject"
                    for of in segments_without_verb
                    if both or of < token.segment
                )


def _is_modifier(token: Token) -> bool:
    """Return whether a claim only adds a time or a measure to another claim."""
    return bool(
        token.claim and token.claim.claim_type in ("since", "measure", "past", "plan", "heading")
    )


def _has_one_meaning(sense: str, left: Fact, right: Fact) -> bool:
    """Return whether a comparison of two facts is unambiguous.

    "Above a threshold" means a breach. If smaller is worse, only "within" and "at or beyond" are
    allowed; they compare a figure with its threshold and nothing else.
    """
    limits = [fact for fact in (left, right) if fact.fact_type.provider == "severity"]
    if sense in ("within", "beyond"):
        return limits == [right]
    return sense == "=" or not any(float(limit.value) < 0 for limit in limits)


def _base_id(fact: Fact) -> str:
    """Return the id of a fact; for a change, the id of its base fact."""
    return fact.id.removesuffix("_change")


def _is_move_figure(token: Token, base: str, change: Fact) -> bool:
    """Return whether a figure next to a move is the change or the new value."""
    return (token.fact_id == change.id and token.preceding in ("by", ",", ":", "(")) or (
        token.fact_id == base and token.preceding not in ("by", "from")
    )


def _direction(fact: Fact) -> str:
    """Return the direction of a figure as shown: up, down or none."""
    shown = any(digit in fact.formatted for digit in "123456789")
    return (
        "none" if not shown or isinstance(fact.value, str) else "up" if fact.value > 0 else "down"
    )
