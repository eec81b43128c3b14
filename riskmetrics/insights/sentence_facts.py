"""Resolution of the facts that the names and figures of a sentence refer to."""

from collections.abc import Sequence

from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.lexicon import Sentence, Token


class SentenceFacts:
    """The facts of one sentence: which figure, name and alias refers to which fact."""

    def __init__(self, sentence: Sentence, sheet: Sheet, is_title: bool) -> None:
        self.sentence, self.sheet, self.title = sentence, sheet, is_title
        self.placeholders, self.aliases = sentence.placeholders, sentence.aliases
        self.bindings: dict[int, Fact] = {}
        """Position of a name to the fact it refers to."""
        self.signed_facts: set[str] = set()
        """Ids of signed facts whose direction a word states."""
        self.side_aliases: set[str | None] = set()
        """Aliases of positions whose side is stated."""

    @property
    def stated_facts(self) -> set[str]:
        """Ids of the facts that the sentence states, compares with or, in advice, names."""
        named = [self._resolve_fact(token) for token in self.sentence.labels]
        sides = [self.sheet.by_type.get(("side", alias)) for alias in self.side_aliases]
        placeholder_facts = {
            str(token.fact_id) for token in self.placeholders if token.fact_id in self.sheet.facts
        }
        return (
            placeholder_facts
            | self.signed_facts
            | {fact.id for fact in (*named, *sides, *self.bindings.values()) if fact}
        )

    @property
    def stated_entities(self) -> set[str | None]:
        """Aliases with a figure in the sentence."""
        return {fact.entity for fact in self.bindings.values()} | self.side_aliases

    @property
    def _is_heading(self) -> bool:
        """Whether the sentence is a title without a statement."""
        return self.title and not self.sentence.has_copula

    def _nearest(self, token: Token, among: Sequence[Token]) -> Token | None:
        """Return the token that a figure belongs to.

        Order: before or after it in its clause, then in its segment, then anywhere before it.
        """
        for place in ("clause", "segment"):
            same = [
                other
                for other in among
                if getattr(other, place) == getattr(token, place) and other is not token
            ]
            if same:
                before = [other for other in same if other.position < token.position]
                return before[-1] if before else same[0]
        before = [other for other in among if other.position < token.position]
        return before[-1] if before else None

    def _has_move(self, token: Token) -> bool:
        return any(
            other.claim and other.claim.claim_type == "move" and other.segment == token.segment
            for other in self.sentence.claims
        )

    def _resolve_fact(self, token: Token, fact_types: frozenset[str] | None = None) -> Fact | None:
        """Return the fact of a placeholder or a name; None if a name is ambiguous."""
        if token.fact_id:
            return self.sheet.facts[token.fact_id]
        if token.position in self.bindings:
            return self.bindings[token.position]
        aliases = {other.alias for other in self.aliases}
        if len(aliases) > 1:
            return None
        entity = next(iter(aliases), None)
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
            other
            for other in self.sentence.tokens
            if other.segment == token.segment
            and (other.fact_id or other.label_types is not None)
            and other is not token
        ]
        return [other for other in reversed(own) if other.position < token.position], [
            other for other in own if other.position > token.position
        ]

    def _claim_entity(self, token: Token) -> str | None:
        """Return the alias that a claim is about, or '' if there are several.

        Aliases of its segment precede those of the sentence. None is the portfolio.
        """
        own = {other.alias for other in self.aliases if other.segment == token.segment} or {
            other.alias for other in self.aliases
        }
        return next(iter(own), None) if len(own) < 2 else ""


def base_id(fact: Fact) -> str:
    """Return the id of a fact; for a change, the id of its base fact."""
    return fact.id.removesuffix("_change")


def direction(fact: Fact) -> str:
    """Return the direction of a figure as shown: up, down or none."""
    shown = any(digit in fact.formatted for digit in "123456789")
    return (
        "none" if not shown or isinstance(fact.value, str) else "up" if fact.value > 0 else "down"
    )
