"""What the clauses of a question ask for: figures, each with the qualifiers that it states."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from riskmetrics.insights.asked.answers import RISK, TAIL, AskedFigure
from riskmetrics.insights.question_figures import FIGURES
from riskmetrics.insights.question_subjects import Subject

FIGURES_BY_KEY: Final[Mapping[str, AskedFigure]] = {each.key: each for each in FIGURES}
CONFIDENCE_KEYS: Final = frozenset({"var", "shortfall", "exceptions", "loss_beyond"})
"""Figures that have a confidence level."""

_VAGUE_KEYS: Final = frozenset({"result", "risk", "value", "concentration"})
"""Figures whose names qualify those of others, such as the risk of a loss."""

_INTERROGATIVE: Final = (
    r"\W*(?:what|how|which|who|why|where|when|is|are|was|were|am|did|does|do|has|have|will|can)\b"
)
_LEVEL: Final = r"[\d.]+%"
_WINDOW: Final = r"\d+d|mtd|ytd|entry|day|period|week|month|daily"
_ONLY_LAST: Final = frozenset({"record", "error", "fit", "change", "max", "worst"})
"""Qualifiers at the end of a question that belong to its last figure only."""


class Ask(NamedTuple):
    """A figure that a question asks for; None: only a subject is named."""

    figure: AskedFigure | None
    qualifiers: frozenset[str] = frozenset()
    subjects: tuple[Subject, ...] = ()
    market_move: float | None = None

    def windows(self) -> frozenset[str]:
        """Return the windows that it names: today is one of a figure that is of a window."""
        is_flow = self.figure is not None and self.figure.is_flow
        found = {each for each in self.qualifiers if re.fullmatch(_WINDOW, each)}
        return frozenset(found if is_flow else found - {"1d"})


@dataclass(frozen=True)
class Token:
    """A part of a question that is understood."""

    kind: str
    """figure, qualifier, subject, move or refusal."""
    value: object
    start: int
    clause: int = 0


class Clause(NamedTuple):
    """A part of a question between separators."""

    text: str
    tokens: tuple[Token, ...]
    is_unread: bool
    """Whether it has a word that is not known."""

    def figures(self) -> list[AskedFigure]:
        """Return the figures that it names, without those that say nothing more."""
        named = (each.value for each in self.tokens if isinstance(each.value, AskedFigure))
        found = list({each.key: each for each in named}.values())
        absorbed = {key for each in found for key in each.absorbs}
        own = [each for each in found if each.key not in absorbed]
        return [each for each in own if not each.is_weak] or own[:1]

    def is_refused(self) -> bool:
        """Return whether it asks for what is never answered, or is not understood."""
        return self.is_unread or any(each.kind == "refusal" for each in self.tokens)

    def is_question(self) -> bool:
        """Return whether it is a question of its own."""
        return bool(self.tokens) and bool(re.match(_INTERROGATIVE, self.text))

    def has(self, words: str) -> bool:
        """Return whether one of some words stands in it."""
        return bool(re.search(rf"\b(?:{words})\b", self.text))

    def details(self) -> tuple[Token, ...]:
        """Return what it says besides figures."""
        return tuple(each for each in self.tokens if each.kind not in ("figure", "refusal"))


def find_asks(clauses: Sequence[Clause]) -> Iterator[Ask]:
    """Yield what clauses ask for.

    A clause without a figure belongs to the next that has one, else to the last one, unless it is a
    question of its own. What stands after the last figure belongs to those before it, too, if they
    are named and nothing more.
    """
    named = [at for at, clause in enumerate(clauses) if clause.figures()]
    if not named:
        tokens = [each for clause in clauses for each in clause.tokens]
        if tokens and not any(clause.is_refused() for clause in clauses):
            yield from _without_figure(tokens)
        return
    details = {at: list(clauses[at].details()) for at in named}
    separate: dict[int, Iterator[Ask]] = {}
    for at, clause in enumerate(clauses):
        if at in details or clause.is_refused() or not clause.details():
            continue
        following = next((each for each in named if each > at), None)
        if following is None and (clause.is_question() or clause.has("its|their")):
            separate[at] = _follow_up(clause, clauses[named[-1]])
        elif following is None:
            details[named[-1]].extend(clause.details())
        elif clause.is_question() and clauses[following].is_question():
            separate[at] = _without_figure(clause.details())
        else:
            details[following].extend(clause.details())
    for at in range(len(clauses)):
        yield from _named_asks(clauses, details, at) if at in details else separate.get(at, ())


def _named_asks(
    clauses: Sequence[Clause], details: Mapping[int, Sequence[Token]], at: int
) -> Iterator[Ask]:
    """Yield what a clause with figures asks for, given the details that belong to each."""
    last = max(details)
    is_shared = last == min(details) or not clauses[last].is_question()
    meant = _inherited(clauses, at)
    is_bare = at != last and is_shared and not details[at] and not meant
    if clauses[at].is_refused() or (is_bare and clauses[last].is_refused()):
        return
    more = [each for each in details[last] if each.value not in _ONLY_LAST] if is_bare else []
    yield from _clause_asks(clauses[at].figures(), [*meant, *details[at], *more], is_shared=is_bare)


def _inherited(clauses: Sequence[Clause], at: int) -> list[Token]:
    """Return what a pronoun stands for: the subjects, or the part, of the clause before."""
    if not at or any(each.kind == "subject" for each in clauses[at].tokens):
        return []
    clause, before = clauses[at], clauses[at - 1]
    is_it = clause.has("it") and not before.has("it")  # else it is the portfolio
    if not (is_it or clause.has("its|their|they|them")):
        return []
    subjects = [each for each in before.tokens if each.kind == "subject"]
    is_part = any(each.is_part for each in before.figures())
    return subjects or [Token("qualifier", "each", 0, at)] * is_part


def _follow_up(clause: Clause, before: Clause) -> Iterator[Ask]:
    """Yield what a question without a figure asks for: of the figures before, or what changed."""
    changes = any(each.value in ("change", "moved", "why") for each in clause.details())
    if changes and not clause.has("its?|they|that|this"):
        yield from _without_figure(clause.details())
    elif not before.is_refused():
        subjects = [each for each in before.tokens if each.kind == "subject"]
        yield from _clause_asks(before.figures(), [*subjects, *clause.details()])


def _clause_asks(
    figures: Sequence[AskedFigure], tokens: Sequence[Token], *, is_shared: bool = False
) -> Iterator[Ask]:
    """Yield the figures of a clause, once for each level and window of a list."""
    if len(figures) > 1:  # the figure of a part, or of another figure
        asked = min(figures, key=lambda each: (each.is_part, each.key in _VAGUE_KEYS))
        is_of_part = any(each.is_part for each in figures)
        yield Ask(asked, frozenset({"each" if is_of_part else "combined"}))
        return
    for figure in figures:
        own = [
            each for each in tokens
            if not (is_shared and figure.key not in CONFIDENCE_KEYS and _is_level(each))
        ]  # fmt: skip
        yield from _distinct(_ask(figure, each) for each in _listed(own))


def _distinct(asks: Iterator[Ask]) -> Iterator[Ask]:
    """Yield each of some asks once."""
    found: list[Ask] = []
    for each in asks:
        if each not in found:
            found.append(each)
            yield each


def _is_level(token: Token) -> bool:
    return token.kind == "qualifier" and bool(re.fullmatch(_LEVEL, str(token.value)))


def _is_window(token: Token) -> bool:
    is_past = token.value in ("1d", "past")
    return token.kind == "qualifier" and (is_past or bool(re.fullmatch(_WINDOW, str(token.value))))


def _listed(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the tokens with one level each, and with the windows of one clause each."""
    levels = [each for each in tokens if _is_level(each)]
    windows = [each for each in tokens if _is_window(each)]
    others = [each for each in tokens if each not in levels and each not in windows]
    for clause in sorted({each.clause for each in (*windows, *levels)}) or [0]:
        of_clause = [each for each in windows if each.clause == clause] or windows
        own_levels = [each for each in levels if each.clause == clause] or levels
        for level in [[each] for each in own_levels] or [[]]:
            yield [*others, *of_clause, *level]


def _ask(figure: AskedFigure | None, tokens: Sequence[Token]) -> Ask:
    """Return a figure with the qualifiers as it means them."""
    qualifiers = {str(each.value) for each in tokens if each.kind == "qualifier"}
    subjects = tuple(each.value for each in tokens if isinstance(each.value, Subject))
    moves = [each.value for each in tokens if isinstance(each.value, float)]
    kinds = {each.kind for each in subjects} | ({"scenario"} if moves else set())
    if figure is not None:
        figure = _meant(figure, qualifiers)
        qualifiers = _of_figure(figure, _in_time(figure, qualifiers))
    return Ask(figure, frozenset(qualifiers | kinds), subjects, moves[0] if moves else None)


def _meant(figure: AskedFigure, qualifiers: set[str]) -> AskedFigure:
    """Return the figure that is meant with some qualifiers."""
    if figure.key == "result" and qualifiers & {"market", "of-market"}:
        return FIGURES_BY_KEY["active"]
    if figure.key == "var" and {"record", "1d"} <= qualifiers:
        return FIGURES_BY_KEY["exceptions"]
    return figure


def _in_time(figure: AskedFigure, qualifiers: set[str]) -> set[str]:
    """Return qualifiers with what times mean for a figure: its window, or a change."""
    found = set(qualifiers)
    has_window = any(re.fullmatch(_WINDOW, each) for each in found)
    if "now" in found:
        found = found - {"now"} if has_window else found - {"now"} | {"1d"}
    if "cumulative" in found:
        found = found - {"cumulative"} if has_window or "1d" in found else found | {"entry"}
        found.discard("cumulative")
    if "moved" in found:
        found = found - {"moved"} | {"change"}
    if "1d-past" in found:  # of a result, the window; of a level, what it is compared with
        found = found - {"1d-past"} | ({"change"} if "change" in figure.answers else {"1d"})
    if "daily" in found and (figure.is_flow or "change" in found) and len(
        Ask(figure, frozenset(found)).windows()) == 1:  # fmt: skip
        found = found - {"daily"} | {"1d"}
    if figure.group != RISK:  # a volatility is annualized
        found -= {"periodic"}
    return found if figure.group == TAIL else found - {"past"}


def _of_figure(figure: AskedFigure, qualifiers: set[str]) -> set[str]:
    """Return qualifiers with what comparisons and forecasts mean for a figure."""
    found = set(qualifiers)
    if "compare" in found:
        is_compared = "market" in found and "market" not in figure.default
        found -= {"compare"} if "change" in found or is_compared else set()
    if "judged" in found and (figure.group == TAIL or "forecast" in found):
        found = found - {"judged"} | {"record"}
    if "worst" in found and figure.key in ("drawdown", "max_drawdown"):
        found = found - {"worst"} | {"max"}
    if figure.key == "volatility":
        if "future" in found:
            is_rise = "change" in found
            found = found - {"future", "change"} | {"forecast"} | ({"rise"} if is_rise else set())
        if "historical" in found and not found & {"forecast", "change"}:
            found = found - {"historical"} | (set() if "63d" in found else {"21d"})
    if "forecast" in found and figure.is_ahead and "change" not in found:
        found -= {"21d"}
    return found


def _without_figure(tokens: Sequence[Token]) -> Iterator[Ask]:
    """Yield what a question without the name of a figure asks for, if anything."""
    qualifiers = {str(each.value) for each in tokens if each.kind == "qualifier"}
    kinds = {each.value.kind for each in tokens if isinstance(each.value, Subject)}
    times = {
        each for each in qualifiers
        if re.fullmatch(_WINDOW, each) or each in ("past", "periodic", "now", "cumulative")
    }  # fmt: skip
    key = ""
    if kinds:
        by_kind = {"sector": "sectors", "factor": "factors", "scenario": "scenario"}
        key = next((by_kind[kind] for kind in sorted(kinds) if kind in by_kind), "")
        if not key and (times or qualifiers & {"moved", "change", "why"}):
            key = "result"
            tokens = [each for each in tokens if each.value != "moved"]
        yield _ask(FIGURES_BY_KEY.get(key), tokens)
        return
    if "forecast" in qualifiers:
        key = "volatility"
    elif qualifiers & {"fit", "error"}:
        key = "beta"
    elif "change" in qualifiers:
        key = "changes"
    elif "moved" in qualifiers or (times and qualifiers <= times | {"why", "record", "money"}):
        key = "result"
        tokens = [each for each in tokens if each.value not in ("moved", "record")]
    if key:
        yield from _distinct(_ask(FIGURES_BY_KEY[key], each) for each in _listed(tokens))
