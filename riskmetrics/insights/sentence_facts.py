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
        sides = [self.sheet.by_type.get(("side", thing)) for thing in self.side_aliases]
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

    def _claim_entity(self, token: Token) -> str | None:
        """Return the alias that a claim is about, or '' if there are several.

        Aliases of its segment precede those of the sentence. None is the portfolio.
        """
        own = {of.alias for of in self.aliases if of.segment == token.segment} or {
            of.alias for of in self.aliases
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
