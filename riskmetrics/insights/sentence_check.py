"""Verification of one sentence against the facts."""

from collections.abc import Iterator
from itertools import pairwise

from riskmetrics.insights.claim_checks import ClaimChecks
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import SIGNED_UNITS
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.lexicon import Sentence, Token, load_lexicon
from riskmetrics.insights.sentence_facts import base_id


class SentenceCheck(ClaimChecks):
    """Verification of one sentence: its words, figures, claims and completeness."""

    def __init__(self, sentence: Sentence, sheet: Sheet, is_title: bool) -> None:
        super().__init__(sentence, sheet, is_title)
        self.violations = (
            []
            if sentence.is_allowlisted and not is_title
            else [f"{fault} (in {sentence.text!r})" for fault in self._find_violations()]
        )
        """Violations, each with the sentence."""

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
        if base_id(self.bindings.setdefault(name.position, fact)) != base_id(fact):
            yield f"{name.text!r} has two figures"
        if fact.entity:
            alias_token = self._nearest(token, self.aliases)
            if alias_token is None or alias_token.alias != fact.entity:
                yield f"{{{{{fact.id}}}}} is about {fact.entity}, which is not named next to it"
        elif self.aliases and not kind.endswith("_threshold"):
            yield (
                f"{{{{{fact.id}}}}} is about the portfolio, but the sentence names"
                f" {self.aliases[0].alias}"
            )

    def _check_unsigned(self) -> Iterator[str]:
        for token in self.placeholders:
            fact = self.sheet.facts[str(token.fact_id)]
            signed = fact.fact_type.unit in SIGNED_UNITS
            preceding_tokens = [
                other
                for other in self.sentence.tokens
                if other.position < token.position
                and (other.label_types is not None or other.claim)
                and not _is_modifier(other)
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
                other.text.split()[-1] == token.preceding for other in self.sentence.claims
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
                    for segment in segments_without_verb
                    if both or segment < token.segment
                )


def _is_modifier(token: Token) -> bool:
    """Return whether a claim only adds a time or a measure to another claim."""
    return bool(
        token.claim and token.claim.claim_type in ("since", "measure", "past", "plan", "heading")
    )
