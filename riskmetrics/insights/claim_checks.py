"""Checks of the claims in a sentence: comparisons, changes, signs, sides, ranks and periods."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from riskmetrics.insights.fact_types import CHANGE_UNITS
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.lexicon import Token
from riskmetrics.insights.sentence_facts import SentenceFacts, base_id, direction
from riskmetrics.insights.severity import is_at_or_beyond

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


class ClaimChecks(SentenceFacts):
    """One check per type of claim; each yields the violations of a token."""

    def _check_compare(self, token: Token) -> Iterator[str]:
        before, after = self._neighbors(token)
        before = before or [
            other
            for other in reversed(self.sentence.tokens)
            if other.segment == token.segment - 1 and (other.fact_id or other.label_types)
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
        if any(self._resolve_fact(other) is not left for other in before) or any(
            other.label_types and self._resolve_fact(other) is not right
            for other in after
            if other.preceding != "with"
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
        names = [other for other in before if other.label_types]
        verbs = [
            other.position
            for other in self.sentence.tokens
            if other.is_copula and names and names[0].position < other.position < token.position
        ]
        verb = (
            verbs
            or token.text in ("exceeds", "exceed", "equals")
            or (token.claim and token.claim.claim_type == "move")
        )
        return bool(names and verb) and all(other.preceding in _PREPOSITIONS for other in names)

    def _check_move(self, token: Token) -> Iterator[str]:
        before, _ = self._neighbors(token)
        if self._is_aside(before, token):
            yield f"{token.text!r} has no figure as its subject"
        fact = self._resolve_fact(before[0]) if before else None
        base = base_id(fact) if fact else ""
        change = self.sheet.facts.get(f"{base}_change")
        if change is None or base not in CHANGE_UNITS:
            yield f"{token.text!r} needs a fact with a change"
            return
        stray = [
            other
            for other in self.placeholders
            if other.segment == token.segment and not _is_move_figure(other, base, change)
        ]
        if stray:
            yield f"state a change as 'by {{{{{change.id}.size}}}}' or 'to {{{{{base}}}}}'"
        if direction(change) != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} is wrong: {change.id} is {change.formatted}"
        self.signed_facts.add(change.id)

    def _check_sign(self, token: Token) -> Iterator[str]:
        fact_types = token.claim.fact_types if token.claim else frozenset()
        before, after = self._neighbors(token)
        candidates = (
            self._resolve_fact(other, fact_types)
            for other in [*([token] if token.label_types else []), *after, *before]
        )
        fact = next(
            (
                candidate
                for candidate in candidates
                if candidate and candidate.fact_type.name in fact_types
            ),
            None,
        )
        if fact is None or fact.entity != self._claim_entity(token):
            yield f"{token.text!r} needs a figure with that sign"
            return
        if direction(fact) != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} is wrong: {fact.id} is {fact.formatted}"
        self.signed_facts.add(fact.id)

    def _check_side(self, token: Token) -> Iterator[str]:
        alias = self._claim_entity(token)
        fact = self.sheet.by_type.get(("side", alias))
        self.side_aliases |= {alias}
        if fact is None or fact.value != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} needs a position of that side"

    def _check_first(self, token: Token) -> Iterator[str]:
        before, after = self._neighbors(token)
        fact = next(
            (
                self._resolve_fact(other)
                for other in (*after, *before)
                if other.label_types is not None
            ),
            None,
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
        fact = next((self._resolve_fact(other) for other in (*before, *after)), None)
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
            self.sheet.facts[str(other.fact_id)].fact_type.name for other in self.placeholders
        }.union(*(other.label_types or () for other in self.sentence.labels))
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


def _has_one_meaning(sense: str, left: Fact, right: Fact) -> bool:
    """Return whether a comparison of two facts is unambiguous.

    "Above a threshold" means a breach. If smaller is worse, only "within" and "at or beyond" are
    allowed; they compare a figure with its threshold and nothing else.
    """
    limits = [fact for fact in (left, right) if fact.fact_type.provider == "severity"]
    if sense in ("within", "beyond"):
        return limits == [right]
    return sense == "=" or not any(float(limit.value) < 0 for limit in limits)


def _is_move_figure(token: Token, base: str, change: Fact) -> bool:
    """Return whether a figure next to a move is the change or the new value."""
    return (token.fact_id == change.id and token.preceding in ("by", ",", ":", "(")) or (
        token.fact_id == base and token.preceding not in ("by", "from")
    )
