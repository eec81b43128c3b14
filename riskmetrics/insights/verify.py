"""Whether a draft says what the facts say, and nothing else: every figure beside its name, every comparison and direction true.

A statement that cannot be followed is refused, true or not: the rules are made so that what passes is right.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from riskmetrics.insights.draft import Draft, Finding
from riskmetrics.insights.facts import Fact, Sheet
from riskmetrics.insights.kinds import CHANGED, SIGNED
from riskmetrics.insights.lexicon import PLACEHOLDER, Sentence, Token, lexicon, read
from riskmetrics.insights.severity import reaches

VERSION = "4"
"""Part of what an insight is known by: raise it with any change of what passes."""

LONGEST = {"title": 160, "summary": 1200, "analysis": 4000, "limitations": 1200, "finding": 500}
"""Characters, before the figures are put in."""

MOST = {"findings": 8, "recommendations": 5}

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: bool(a == b),
    "within": lambda a, b: not reaches(a, b),
    "beyond": reaches,
}

_ASIDE = {"with", "against", "beside", "to", "at", "by", "on", "in"}
"""Words after which a name is not what the sentence is about."""


def version() -> str:
    """Return the version of the rules and of the words together."""
    return f"{VERSION}.{lexicon()['version']}"


def complaints(draft: Draft, sheet: Sheet) -> list[str]:
    """Return what is wrong with a draft, a sentence each; empty: it may be shown."""
    found = list(_form(draft))
    texts = {name: getattr(draft, name) for name in ("title", "summary", "analysis", "limitations")}
    for name, text in texts.items():
        found += [f"{name}: {complaint}" for complaint in of_text(text, sheet, title=name == "title")]
    for name in MOST:
        for number, finding in enumerate(getattr(draft, name), start=1):
            found += [f"{name} {number}: {complaint}" for complaint in _of_finding(finding, sheet, advice=name == "recommendations")]
    return found


def _form(draft: Draft) -> Iterator[str]:
    for name in ("title", "summary", "analysis", "limitations"):
        text = getattr(draft, name)
        if len(text) > LONGEST[name]:
            yield f"{name}: {len(text)} characters, {LONGEST[name]} are the most"
        if not text.strip() and name in ("title", "summary"):
            yield f"{name}: it is empty"
    for name, most in MOST.items():
        given = getattr(draft, name)
        if len(given) > most:
            yield f"{name}: {len(given)}, {most} are the most"
        yield from (f"{name} {n}: it is empty or too long" for n, of in enumerate(given, 1) if not 0 < len(of.text) <= LONGEST["finding"])
    if not draft.findings:
        yield "findings: there is none"
    if not PLACEHOLDER.search(draft.summary):
        yield "summary: it states no figure"


def of_text(text: str, sheet: Sheet, *, title: bool = False) -> list[str]:
    """Return what is wrong with prose, each with the sentence that it is in."""
    return [fault for sentence in read(text) for fault in _Reading(sentence, sheet, title).faults]


def _of_finding(finding: Finding, sheet: Sheet, *, advice: bool) -> Iterator[str]:
    """Yield what is wrong with a text and its evidence, which is what it states; advice may rest on the threshold of that, too."""
    readings = [_Reading(sentence, sheet, title=False) for sentence in read(finding.text)]
    for reading in readings:
        yield from reading.faults
    if not finding.facts:
        yield "it cites no fact"
    known, figures = {fact for fact in finding.facts if fact in sheet.facts}, {found[1] for found in PLACEHOLDER.finditer(finding.text)}
    yield from (f"there is no fact {fact}" for fact in finding.facts if fact not in known)
    yield from (f"it states {fact} and does not cite it" for fact in sorted(figures - known))
    stated: set[str] = set().union(*(reading.stated for reading in readings))
    families = {sheet.facts[fact].kind.family for fact in stated} if advice else set()
    thresholds = {fact for fact in known if sheet.facts[fact].kind.provider == "severity" and sheet.facts[fact].kind.family in families}
    yield from (f"it cites {fact} and does not state it" for fact in sorted(known - stated - thresholds))


class _Reading:
    """One sentence held against the facts."""

    def __init__(self, sentence: Sentence, sheet: Sheet, title: bool) -> None:
        self.sentence, self.sheet, self.title = sentence, sheet, title
        self.figures, self.aliases = sentence.figures, sentence.aliases
        self.bound: dict[int, Fact] = {}
        """The fact that a name in the sentence stands for, by where the name stands."""
        self.asserted: set[str] = set()
        """Ids of signed facts whose sign a word tells."""
        self.sided: set[str | None] = set()
        """Aliases of positions whose side is said."""
        self.faults = [] if sentence.whole and not title else [f"{fault} (in {sentence.text!r})" for fault in self._faults()]
        """What is wrong."""

    @property
    def stated(self) -> set[str]:
        """Ids of the facts that it gives or was held against, and in advice of those that it names."""
        named = [self._meant(token) for token in self.sentence.names]
        sides = [self.sheet.by_kind.get(("side", thing)) for thing in self.sided]
        given = {str(token.fact) for token in self.figures if token.fact in self.sheet.facts}
        return given | self.asserted | {fact.id for fact in (*named, *sides, *self.bound.values()) if fact}

    def _faults(self) -> Iterator[str]:
        yield from self.sentence.faults
        yield from self._things()
        if unknown := [token.fact for token in self.figures if token.fact not in self.sheet.facts]:
            yield f"there is no fact {', '.join(map(str, unknown))}"
            return
        for token in self.figures:
            yield from self._bind(token, self.sheet.facts[str(token.fact)])
        for token in self.sentence.claims:
            if token.claim:
                yield from getattr(self, f"_{token.claim.what}")(token)
        yield from self._sizes()
        yield from self._silent()
        yield from self._unaccounted()
        yield from self._equated()
        yield from self._shared()

    def _things(self) -> Iterator[str]:
        yield from (f"there is no {token.alias}" for token in self.aliases if token.alias not in self.sheet.called)
        if len({str(token.alias)[:3] for token in self.aliases}) > 1:
            yield "it speaks of things of two kinds at once"
        for token in self.sentence.days:
            if token.day != self.sheet.day.isoformat() or token.after not in ("", "on", "of", "(", ":", ","):
                yield f"{token.text} is not the session, or what is said is not of it alone"

    def _bind(self, token: Token, fact: Fact) -> Iterator[str]:
        """Find the name that stands with a figure, and what the figure is of."""
        name = self._nearest(token, self.sentence.names)
        kind = fact.kind.name
        if name is None or not (kind in (name.names or ()) or (self._moves(token) and kind.removesuffix("_change") in (name.names or ()))):
            yield f"{{{{{fact.id}}}}} does not stand with one of its names: {', '.join(fact.kind.said_as)}"
            return
        if _base(self.bound.setdefault(name.at, fact)) != _base(fact):
            yield f"{name.text!r} stands with two figures"
        if fact.about:
            thing = self._nearest(token, self.aliases)
            if thing is None or thing.alias != fact.about:
                yield f"{{{{{fact.id}}}}} is of {fact.about}, and the sentence does not say so"
        elif self.aliases and not kind.endswith("_threshold"):
            yield f"{{{{{fact.id}}}}} is of the portfolio, and the sentence speaks of {self.aliases[0].alias}"

    def _nearest(self, token: Token, among: Sequence[Token]) -> Token | None:
        """Return what a figure belongs to: before it, else after it, in its clause; then in its segment; then before it."""
        for place in ("clause", "segment"):
            same = [of for of in among if getattr(of, place) == getattr(token, place) and of is not token]
            if same:
                before = [of for of in same if of.at < token.at]
                return before[-1] if before else same[0]
        before = [of for of in among if of.at < token.at]
        return before[-1] if before else None

    def _moves(self, token: Token) -> bool:
        return any(of.claim and of.claim.what == "move" and of.segment == token.segment for of in self.sentence.claims)

    def _meant(self, token: Token, kinds: frozenset[str] | None = None) -> Fact | None:
        """Return the fact that a figure or a name stands for: a name without a figure, if there is one fact that it can mean."""
        if token.fact:
            return self.sheet.facts[token.fact]
        if token.at in self.bound:
            return self.bound[token.at]
        things = {of.alias for of in self.aliases}
        if len(things) > 1:
            return None
        about = next(iter(things), None)
        found = [self.sheet.by_kind.get((kind, about)) for kind in (token.names or frozenset()) & (kinds or token.names or frozenset())]
        fact = found[0] if len(found) == 1 else None
        if fact:
            self.bound[token.at] = fact
        return fact

    def _references(self, token: Token) -> tuple[list[Token], list[Token]]:
        """Return the figures and names before a claim in its segment, the nearest first, and those after it."""
        own = [of for of in self.sentence.tokens if of.segment == token.segment and (of.fact or of.names is not None) and of is not token]
        return [of for of in reversed(own) if of.at < token.at], [of for of in own if of.at > token.at]

    def _compare(self, token: Token) -> Iterator[str]:
        before, after = self._references(token)
        before = before or [of for of in reversed(self.sentence.tokens) if of.segment == token.segment - 1 and (of.fact or of.names)]
        if not before or not after:
            yield f"{token.text!r} does not stand between two figures"
            return
        left, right = self._meant(before[0]), self._meant(after[0])
        if left is None or right is None or left is right or left.kind.family != right.kind.family or left.kind.unit == "text":
            yield f"{token.text!r} does not stand between two figures that can be compared"
            return
        if any(self._meant(of) is not left for of in before) or any(
            of.names and self._meant(of) is not right for of in after if of.after != "with"
        ):
            yield f"{token.text!r} stands among more than two figures"
        if self._aside(before, token):
            yield f"{token.text!r} is said of what stands aside"
        sense, equal = token.claim.sense if token.claim else "", left.shown_as == right.shown_as
        if not _fits_limit(sense, left, right):
            yield f"{token.text!r} is not how {left.id} is compared with {right.id}"
            return
        holds = equal if sense == "=" else _COMPARE[sense](left.value, right.value)
        if not holds or (equal and sense in ("<", ">", "within")):
            yield f"{left.id} is not {token.text} {right.id}"

    def _aside(self, before: Sequence[Token], token: Token) -> bool:
        """Whether a verb follows names of which none is its subject: 'the beta is, with the HHI of ..., above ...'."""
        names = [of for of in before if of.names]
        verbs = [of.at for of in self.sentence.tokens if of.copula and names and names[0].at < of.at < token.at]
        verb = verbs or token.text in ("exceeds", "exceed", "equals") or (token.claim and token.claim.what == "move")
        return bool(names and verb) and all(of.after in _ASIDE for of in names)

    def _owner(self, token: Token) -> str | None:
        """Alias of the one thing of which a claim is made: of its segment, else of the sentence; empty if there are several."""
        own = {of.alias for of in self.aliases if of.segment == token.segment} or {of.alias for of in self.aliases}
        return next(iter(own), None) if len(own) < 2 else ""

    def _move(self, token: Token) -> Iterator[str]:
        before, _ = self._references(token)
        if self._aside(before, token):
            yield f"{token.text!r} is said of what stands aside"
        meant = self._meant(before[0]) if before else None
        base = _base(meant) if meant else ""
        change = self.sheet.facts.get(f"{base}_change")
        if change is None or base not in CHANGED:
            yield f"{token.text!r} needs the fact of a change"
            return
        stray = [of for of in self.figures if of.segment == token.segment and not _fits(of, base, change)]
        if stray:
            yield f"of a move say by {{{{{change.id}.size}}}} or to {{{{{base}}}}}"
        if _direction(change) != (token.claim.sense if token.claim else ""):
            yield f"{base} is not {token.text}: {change.id} is {change.shown_as}"
        self.asserted.add(change.id)

    def _sign(self, token: Token) -> Iterator[str]:
        kinds = token.claim.kinds if token.claim else frozenset()
        before, after = self._references(token)
        meant = (self._meant(of, kinds) for of in [*([token] if token.names else []), *after, *before])
        fact = next((of for of in meant if of and of.kind.name in kinds), None)
        if fact is None or fact.about != self._owner(token):
            yield f"{token.text!r} needs a figure that tells it"
            return
        if _direction(fact) != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} is wrong: {fact.id} is {fact.shown_as}"
        self.asserted.add(fact.id)

    def _side(self, token: Token) -> Iterator[str]:
        thing = self._owner(token)
        fact = self.sheet.by_kind.get(("side", thing))
        self.sided |= {thing}
        if fact is None or fact.value != (token.claim.sense if token.claim else ""):
            yield f"{token.text!r} needs a position of that side"

    def _first(self, token: Token) -> Iterator[str]:
        before, after = self._references(token)
        fact = next((self._meant(of) for of in (*after, *before) if of.names is not None), None)
        of_kind = fact is not None and token.claim is not None and fact.kind.name in token.claim.kinds
        if fact is None or not of_kind or fact.rank != 1 or fact.about != self._owner(token):
            yield f"{token.text!r} is said of what is not known to be it"

    def _measure(self, token: Token) -> Iterator[str]:
        before, after = self._references(token)
        fact = next((self._meant(of) for of in (*before, *after)), None)
        moved = token.text == "in the session" and (self._moves(token) or (fact is not None and fact.kind.provider == "changes"))
        if not moved and (fact is None or token.claim is None or fact.kind.name not in token.claim.kinds):
            yield f"{token.text!r} is said of what is measured otherwise"

    def _past(self, token: Token) -> Iterator[str]:
        over = token.claim.kinds if token.claim else frozenset()
        said = {self.sheet.facts[str(of.fact)].kind.name for of in self.figures}.union(*(of.names or () for of in self.sentence.names))
        present = {kind for kind in said - over if not kind.endswith("_change")}
        if present and (not self.sentence.days or "result" in present):
            yield f"{token.text!r} is said of what is over, or with the day of the session"

    def _plan(self, token: Token) -> Iterator[str]:
        if not self.sentence.advice or " whether " not in self.sentence.text.lower().partition(token.text)[0]:
            yield f"{token.text!r} is asked about in advice, after 'whether', and never stated"

    def _heading(self, token: Token) -> Iterator[str]:
        if self.sentence.advice or not self.title:
            yield f"{token.text!r} is a word of titles"

    def _since(self, token: Token) -> Iterator[str]:
        if not self._moves(token):
            yield f"{token.text!r} needs a move"

    def _sizes(self) -> Iterator[str]:
        for token in self.figures:
            fact = self.sheet.facts[str(token.fact)]
            signed = fact.kind.unit in SIGNED
            said = [of for of in self.sentence.tokens if of.at < token.at and (of.names is not None or of.claim) and not _passing(of)]
            told = bool(said and said[-1].claim and said[-1].claim.what in ("move", "sign"))
            if token.size and not (signed and told and fact.id in self.asserted):
                yield f"{{{{{fact.id}.size}}}} needs a word that tells its direction"
            governed = token.after == "by" or any(of.text.split()[-1] == token.after for of in self.sentence.claims)
            if not token.size and signed and governed and fact.id in self.asserted:
                yield f"after {token.after!r} write {{{{{fact.id}.size}}}}"
            if token.after == "by" and not (fact.kind.provider == "changes" and fact.id in self.asserted):
                yield "'by' needs the figure of a move"

    def _silent(self) -> Iterator[str]:
        """A statement without a fact, advice and a title that name nothing, and a title that says something without a figure."""
        sentence = self.sentence
        if not sentence.advice and not self._heads:
            if not self.bound and not self.sided:
                yield "it states no fact"
        elif not any(token.at or self._heads for token in sentence.tokens) and not any("portfolio" in word for word in sentence.plain):
            yield "it names nothing"
        elif self._heads and not self.figures and (more := sentence.plain.difference(lexicon()["titles"])):
            yield f"a title without a figure names things, joined by 'and' and 'of': it has {', '.join(map(repr, sorted(more)))}"

    @property
    def _heads(self) -> bool:
        """Whether it is a title that is no statement."""
        return self.title and not self.sentence.states

    def _unaccounted(self) -> Iterator[str]:
        """Names and things of which a statement gives no figure: it might say anything of them."""
        if self.sentence.advice and self.sentence.states:
            yield "advice states nothing"
        if self.sentence.advice:
            return
        names = (token for token in self.sentence.names if not self._heads or (token.names and self.figures))
        loose = [token.text for token in names if token.at not in self.bound]
        loose += [token.alias for token in self.aliases if token.alias and token.alias not in self.told]
        if loose:
            yield f"{', '.join(map(repr, loose))} stands without its figure"

    @property
    def told(self) -> set[str | None]:
        """Aliases of which the sentence gives a figure."""
        return {fact.about for fact in self.bound.values()} | self.sided

    def _equated(self) -> Iterator[str]:
        """Two figures of a segment with 'is' between them say that one is the other."""
        for one, other in pairwise(self.figures):
            between = [token for token in self.sentence.tokens if one.at < token.at < other.at]
            compared = any(token.claim and token.claim.what == "compare" for token in between)
            if one.segment == other.segment and any(token.copula for token in between) and not compared:
                yield "two figures are said to be one"

    def _shared(self) -> Iterator[str]:
        """A part of the sentence without a verb shares that of another: 'the beta and the HHI rose' says so of both, and one is checked."""
        spoken = {token.segment for token in self.sentence.tokens if token.copula or (token.claim and not _passing(token))}
        silent = {token.segment for token in self.sentence.tokens if token.fact or token.alias or token.names is not None} - spoken
        for token in self.sentence.claims:
            if token.claim and not _passing(token):
                both = token.claim.what in ("compare", "move")
                yield from (f"{token.text!r} is said of more than is checked" for of in silent if both or of < token.segment)


def _passing(token: Token) -> bool:
    """Whether a claim only adds a time or a measure to another."""
    return bool(token.claim and token.claim.what in ("since", "measure", "past", "plan", "heading"))


def _fits_limit(sense: str, left: Fact, right: Fact) -> bool:
    """Return whether a comparison of two facts has one meaning for every reader.

    "Above a threshold" means a breach, except where smaller is worse: there, a figure is within
    its threshold, or at or beyond it. Both are said of nothing but a figure and its threshold.
    """
    limits = [fact for fact in (left, right) if fact.kind.provider == "severity"]
    if sense in ("within", "beyond"):
        return limits == [right]
    return sense == "=" or not any(float(limit.value) < 0 for limit in limits)


def _base(fact: Fact) -> str:
    """Id of a fact, or of what it is the change of."""
    return fact.id.removesuffix("_change")


def _fits(token: Token, base: str, change: Fact) -> bool:
    """Whether a figure beside a move is the change that it moved by, or what it moved to."""
    return (token.fact == change.id and token.after in ("by", ",", ":", "(")) or (token.fact == base and token.after not in ("by", "from"))


def _direction(fact: Fact) -> str:
    """Return where a signed figure points as it is shown: up, down or none."""
    shown = any(digit in fact.shown_as for digit in "123456789")
    return "none" if not shown or isinstance(fact.value, str) else "up" if fact.value > 0 else "down"
