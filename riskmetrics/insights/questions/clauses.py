"""What the clauses of a question ask for: figures, each with the qualifiers that it states."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from riskmetrics.insights.questions.question_figures import RISK, TAIL, Figure, figures
from riskmetrics.insights.questions.question_words import word_list
from riskmetrics.insights.questions.subjects import Subject

_VAGUE_KEYS: Final = frozenset({"result", "risk", "value", "concentration"})
"""Figures whose names qualify those of others, such as the risk of a loss."""

_WINDOWS: Final = frozenset({"mtd", "ytd", "entry", "day", "period", "week", "month", "daily"})
"""Windows besides numbers of sessions such as 21d."""

NAMED_BY: Final = "="
"""Beginning of the alias of the position that a figure names, such as the largest one."""

_ONLY_LAST: Final = frozenset({"record", "error", "fit", "change", "max", "worst"})
"""Qualifiers at the end of a question that belong to its last figure only."""

_OF_RESULT: Final = frozenset({"why", "record", "money", "market", "compare", "unusual"})
"""Qualifiers that ask for the result of a time that is named."""

_IMPLIED: Final = {"each": "largest", "forecast": "volatility", "fit": "beta", "error": "beta",
    "change": "changes", "moved": "result"}  # fmt: skip
"""Qualifiers that imply a figure if none is named, the first ones first."""

_PLURAL: Final = frozenset({"its", "their", "they", "them"})
"""Pronouns that stand for something in the clause before."""


class Ask(NamedTuple):
    """A figure that a question asks for."""

    figure: Figure
    qualifiers: frozenset[str] = frozenset()
    subjects: tuple[Subject, ...] = ()
    market_move: float | None = None
    """Move of the market in the scenario that is meant."""
    weight_above: float | None = None
    """Weight of the positions that are asked about."""
    limited: str = ""
    """Limit that is asked about, or that would replace the alert that is."""

    def windows(self) -> frozenset[str]:
        """Return the windows that it names: today is one of a figure that is of a window."""
        found = frozenset(filter(is_window, self.qualifiers))
        return found if "flow" in self.figure.traits else found - {"1d"}


class Part(NamedTuple):
    """A part of a question that is understood."""

    kind: str
    """figure, qualifier, subject, move, size or refusal."""
    value: object
    clause: int = 0


class Clause(NamedTuple):
    """A part of a question between separators."""

    words: tuple[str, ...]
    parts: tuple[Part, ...]
    is_unread: bool
    """Whether it has a word that is not known."""

    def figures(self) -> list[Figure]:
        """Return the figures that it names, without those that say nothing more."""
        named = (each.value for each in self.parts if isinstance(each.value, Figure))
        found = list({each.key: each for each in named}.values())
        covered = {key for each in found for key in each.covers}
        own = [each for each in found if each.key not in covered]
        return [each for each in own if "weak" not in each.traits] or own[:1]

    def subjects(self) -> list[Part]:
        """Return the subjects that it names."""
        return [each for each in self.parts if each.kind == "subject"]

    def details(self) -> list[Part]:
        """Return what it says besides figures."""
        return [each for each in self.parts if each.kind not in ("figure", "refusal")]

    def is_refused(self) -> bool:
        """Return whether it asks for what is never answered, or is not understood."""
        return self.is_unread or any(each.kind == "refusal" for each in self.parts)

    def is_question(self) -> bool:
        """Return whether it is a question of its own."""
        first = next((each for each in self.words if each.isalpha()), "")
        return bool(self.parts) and first in word_list("interrogatives")

    def has(self, words: Collection[str]) -> bool:
        """Return whether one of some words stands in it."""
        return any(each in words for each in self.words)


def is_window(qualifier: object) -> bool:
    """Return whether a qualifier is a window, such as 21d or mtd."""
    text = str(qualifier)
    return text in _WINDOWS or (text.endswith("d") and text[:-1].isdigit())


def is_level(qualifier: object) -> bool:
    """Return whether a qualifier is a confidence level, such as 99%."""
    return str(qualifier).endswith("%")


def find_asks(clauses: Sequence[Clause]) -> Iterator[Ask]:
    """Yield what clauses ask for.

    A clause without a figure belongs to the next that has one, else to the last one, unless it is a
    question of its own. What stands after the last figure belongs to those before it, too, if they
    are named and nothing more.
    """
    named = [at for at, clause in enumerate(clauses) if clause.figures()]
    if not named:
        parts = [each for clause in clauses for each in clause.parts]
        if parts and not any(clause.is_refused() for clause in clauses):
            yield from _without_figure(parts)
        return
    details = {at: clauses[at].details() for at in named}
    separate: dict[int, Iterator[Ask]] = {}
    for at, clause in enumerate(clauses):
        if at in details or clause.is_refused() or not clause.details():
            continue
        following = next((each for each in named if each > at), None)
        is_own = clause.is_question() and not _is_date_only(clause)
        if following is None and (is_own or clause.has(("its", "their"))):
            separate[at] = _follow_up(clause, clauses[named[-1]])
        elif following is None:
            details[named[-1]].extend(clause.details())
        elif clause.is_question() and clauses[following].is_question():
            separate[at] = _without_figure(clause.details())
        else:
            details[following].extend(clause.details())
    for at in range(len(clauses)):
        yield from _named_asks(clauses, details, at) if at in details else separate.get(at, ())


def _is_date_only(clause: Clause) -> bool:
    """Return whether a clause only asks when something was."""
    return {each.value for each in clause.parts} == {"when"}


def _named_asks(
    clauses: Sequence[Clause], details: Mapping[int, Sequence[Part]], at: int
) -> Iterator[Ask]:
    """Yield what a clause with figures asks for, given the details that belong to each."""
    last = max(details)
    is_shared = last == min(details) or not clauses[last].is_question()
    inherited = _inherit_subjects(clauses, at)
    is_bare = at != last and is_shared and not details[at] and not inherited
    is_of_unread = at > 0 and clauses[at - 1].is_unread and clauses[at].has(_PLURAL)
    if is_of_unread or clauses[at].is_refused() or (is_bare and clauses[last].is_refused()):
        return
    more = [each for each in details[last] if each.value not in _ONLY_LAST] if is_bare else []
    more += _single_subjects(clauses[last].figures()) if is_bare else []
    parts = [*inherited, *details[at], *more]
    if not any(map(_has_window, parts)):
        parts += _windows_before(clauses, at)
    yield from _clause_asks(_with_limits(clauses, at, is_bare=is_bare), parts, is_shared=is_bare)


def _windows_before(clauses: Sequence[Clause], at: int) -> list[Part]:
    """Return the windows of the result before, which are those of another result after it."""
    before = [clause for clause in clauses[:at] if clause.figures()][-1:]
    both = [*clauses[at].figures(), *(each for clause in before for each in clause.figures())]
    is_flow = all("flow" in each.traits for each in both)
    return [part for clause in before for part in clause.parts if is_flow and _has_window(part)]


def _inherit_subjects(clauses: Sequence[Clause], at: int) -> list[Part]:
    """Return what a pronoun stands for: the subjects, or the part, of the clause before."""
    if not at or clauses[at].subjects():
        return []
    clause, before = clauses[at], clauses[at - 1]
    if before.has(_PLURAL) and not clause.is_question() and not clause.has(("the", "my", "our")):
        return _inherit_subjects(clauses, at - 1)  # its beta and volatility
    is_it = clause.has(("it",)) and not before.has(("it",))  # else it is the portfolio
    if not (is_it or clause.has(_PLURAL)):
        return []
    is_part = any("part" in each.traits for each in before.figures())
    return (
        before.subjects()
        or list(_single_subjects(before.figures()))
        or [Part("qualifier", "each", at)] * is_part
    )


def _single_subjects(named: Sequence[Figure]) -> Iterator[Part]:
    """Yield the positions that figures name, such as the largest one."""
    for each in named:
        if "single" in each.traits:
            yield Part("subject", Subject(f"{NAMED_BY}{each.key}", "position"))


def _follow_up(clause: Clause, before: Clause) -> Iterator[Ask]:
    """Yield what a question without a figure asks for: of the figures before, or what changed."""
    changes = any(each.value in ("change", "moved", "why") for each in clause.details())
    if changes and not clause.has(("it", "its", "they", "that", "this")):
        yield from _without_figure(clause.details())
    elif not before.is_refused():
        yield from _clause_asks(before.figures(), [*before.subjects(), *clause.details()])


def _clause_asks(
    named: Sequence[Figure], parts: Sequence[Part], *, is_shared: bool = False
) -> Iterator[Ask]:
    """Yield the figures of a clause, once for each level and window of a list."""
    if len(named) > 1:
        yield from _combine_figures(named, parts)
        return
    for figure in named:
        own = [
            each
            for each in parts
            if not (is_shared and "confidence" not in figure.traits and _has_level(each))
        ]
        yield from dict.fromkeys(_ask(figure, each) for each in _list_parts(own))


def _combine_figures(named: Sequence[Figure], parts: Sequence[Part]) -> Iterator[Ask]:
    """Yield the figure of a part, or of another figure; or the limit or alert of each figure."""
    limited = [each for each in named if each.limit]
    alerts = figures()["alerts"]
    if limited and len(limited) == len(named) - 1 and (alerts in named or _asks_limits(named)):
        parts = [*parts, Part("qualifier", "limited")]
        levels = alerts if alerts in named else figures()["limits"]
        for each in limited:
            yield _ask(levels, parts)._replace(limited=each.limit)
        return
    subjects = list(_single_subjects(named))
    if subjects and len(named) == 2 and not any(isinstance(each.value, Subject) for each in parts):
        others = [each for each in named if "single" not in each.traits]
        yield from _clause_asks(others, [*parts, *subjects])
        return
    in_order = [each for each in figures().values() if each in named]
    figure = min(in_order, key=lambda each: ("part" in each.traits, each.key in _VAGUE_KEYS))
    is_of_part = any("part" in each.traits for each in named)
    compared = {"compare"} if any(each.value == "compare" for each in parts) else set()
    yield Ask(figure, frozenset({"each" if is_of_part else "combined", *compared}))


def _asks_limits(named: Sequence[Figure]) -> bool:
    """Return whether figures are about limits."""
    return any(each.key in ("limits", "all_limits") for each in named)


def _with_limits(clauses: Sequence[Clause], at: int, *, is_bare: bool) -> list[Figure]:
    """Return the figures of a clause; with limits if the limits of others are its own, too.

    Limits may stand for those of the figures before, or after all figures that are meant.
    """
    own = clauses[at].figures()
    if len(own) == 1 and _asks_limits(own) and clauses[at].has(("its", "their")):
        before = (each for clause in clauses[:at] for each in clause.figures() if each.limit)
        return [*dict.fromkeys(before), *own]
    following = next(
        (each.figures() for each in clauses[at + 1 :] if _asks_limits(each.figures())), []
    )
    is_of_list = is_bare and len(following) > 1 and all(each.limit for each in own)
    return [*own, figures()["limits"]] if is_of_list else own


def _has_level(part: Part) -> bool:
    return part.kind == "qualifier" and is_level(part.value)


def _has_window(part: Part) -> bool:
    return part.kind == "qualifier" and (part.value == "past" or is_window(part.value))


def _list_parts(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield the parts with one level each, and with the windows of one clause each."""
    levels = [each for each in parts if _has_level(each)]
    windows = [each for each in parts if _has_window(each)]
    others = [each for each in parts if each not in levels and each not in windows]
    if len(levels) > 1:  # each is stated
        others = [each for each in others if each.value != "compare"]
    for clause in sorted({each.clause for each in (*windows, *levels)}) or [0]:
        of_clause = [each for each in windows if each.clause == clause] or windows
        own_levels = [each for each in levels if each.clause == clause] or levels
        for level in [[each] for each in own_levels] or [[]]:
            yield [*others, *of_clause, *level]


def _ask(figure: Figure, parts: Sequence[Part]) -> Ask:
    """Return a figure with the qualifiers as it means them."""
    qualifiers = {str(each.value) for each in parts if each.kind == "qualifier"}
    subjects = tuple(each.value for each in parts if isinstance(each.value, Subject))
    qualifiers -= {"each"} if subjects else set()  # a big position that is named
    qualifiers -= {"compare"} if len(subjects) > 1 else set()  # the figure of each is stated
    numbers = {each.kind: each.value for each in parts if isinstance(each.value, float)}
    if "bounded" in figure.traits and "count" not in qualifiers:
        qualifiers -= {"threshold"}
    elif "size" in numbers:
        qualifiers.add("above")
    figure = _resolve_figure(figure, qualifiers)
    qualifiers = _resolve_comparisons(figure, _resolve_times(figure, qualifiers))
    qualifiers |= {each.kind for each in subjects} | ({"scenario"} if "move" in numbers else set())
    return Ask(figure, frozenset(qualifiers), subjects, numbers.get("move"), numbers.get("size"))


def _resolve_figure(figure: Figure, qualifiers: set[str]) -> Figure:
    """Return the figure that some qualifiers make of one that is named."""
    if figure.key == "result" and qualifiers & {"market", "of-market"}:
        return figures()["active"]
    if "above" in qualifiers and (figure.limit == "single_name" or figure.key == "count"):
        qualifiers -= {"above", "count"}
        return figures()["positions_above"]
    if figure.key == "var" and "record" in qualifiers and qualifiers & {"1d", "252d"}:
        qualifiers -= {"forecast"}
        return figures()["exceptions"]
    if figure.key == "loss_beyond" and qualifiers & {"count", "252d", "past"}:
        return figures()["exceptions"]
    return figure


def _resolve_times(figure: Figure, qualifiers: set[str]) -> set[str]:
    """Return qualifiers with what times mean for a figure: its window, or a change."""
    found = set(qualifiers)
    has_window = any(map(is_window, found - {"1d"}))
    if "now" in found:
        found = found - {"now"} | (set() if has_window or "1d" in found else {"1d"})
    if "cumulative" in found:
        found = found - {"cumulative"} | (set() if has_window or "1d" in found else {"entry"})
    if "moved" in found:
        found = found - {"moved"} | {"change"}
    if "since" in found:  # of a result, the window; of a level, what it is compared with
        found = found - {"since"} | (set() if "flow" in figure.traits else {"change"})
    if "1d-past" in found:
        found = found - {"1d-past"} | ({"change"} if "change" in figure.answers else {"1d"})
    is_daily = "daily" in found and ("flow" in figure.traits or "change" in found)
    if is_daily and len(Ask(figure, frozenset(found)).windows()) == 1:
        found = found - {"daily"} | {"1d"}
    if figure.heading != RISK:  # a volatility is annualized
        found -= {"periodic"}
    return found if figure.heading == TAIL else found - {"past"}


def _resolve_comparisons(figure: Figure, qualifiers: set[str]) -> set[str]:
    """Return qualifiers with what comparisons and forecasts mean for a figure."""
    found = set(qualifiers)
    if "compare" in found:
        compared = found & {"market", "change", "ranked"} - (figure.usual - {"change"})
        found -= {"compare"} if compared else set()
    if "judged" in found and (figure.heading == TAIL or "forecast" in found):
        found = found - {"judged"} | {"record"}
    if "worst" in found and figure.key in ("drawdown", "max_drawdown"):
        found = found - {"worst"} | {"max"}
    if figure.key == "volatility":
        if "future" in found:
            is_rise = "change" in found
            found = found - {"future", "change"} | {"forecast"} | ({"rise"} if is_rise else set())
        if "historical" in found and not found & {"forecast", "change"}:
            found = found - {"historical"} | (set() if "63d" in found else {"21d"})
    if "forecast" in found and "ahead" in figure.traits and "change" not in found:
        found -= {"21d"}
    return found


def _without_figure(parts: Sequence[Part]) -> Iterator[Ask]:
    """Yield what a question without the name of a figure asks for, if anything."""
    qualifiers = {str(each.value) for each in parts if each.kind == "qualifier"}
    kinds = {each.value.kind for each in parts if isinstance(each.value, Subject)}
    times = {each for each in qualifiers if is_window(each)}
    times |= qualifiers & {"past", "periodic", "now", "cumulative"}
    key, is_moved = "", bool(qualifiers & {"moved", "change", "why"})
    if kinds:
        by_kind = {"sector": "sectors", "factor": "factors", "scenario": "scenario"}
        of_kind = next((by_kind[kind] for kind in sorted(kinds) if kind in by_kind), "")
        of_position = "positions" if qualifiers & {"each", "judged", "compare"} else "about"
        key = of_kind or ("result" if times or is_moved else of_position)
    elif any(each.kind == "size" for each in parts):
        key = "positions"
    else:
        key = next((figure for each, figure in _IMPLIED.items() if each in qualifiers), "")
        key = key or "result" * bool(times and qualifiers <= times | _OF_RESULT)
    if key == "result":
        parts = [each for each in parts if each.value not in ("moved", "record")]
    if key:
        yield from dict.fromkeys(_ask(figures()[key], each) for each in _list_parts(parts))
