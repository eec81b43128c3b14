"""Parse a question: figures with their qualifiers and subjects, refusals, and unread words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

from riskmetrics.insights.asked.answers import AskedFigure
from riskmetrics.insights.question_dates import find_times
from riskmetrics.insights.question_figures import FIGURES
from riskmetrics.insights.question_subjects import MARK, Subject
from riskmetrics.insights.question_vocabulary import correct_typing
from riskmetrics.insights.question_words import EACH, FILLERS, QUALIFIERS, REFUSALS, Refusal

_SEPARATOR: Final = re.compile(r"[;?!]|\.(?!\w)|,(?!\d)|\b(?:and|plus|but)\b|&")

_LEVEL: Final = (
    r"(?:(?:at|with|on) )?(?:the |a )?(9\d(?:[.,]\d+)?) ?(?:%|percent|pct|per ?cent)?"
    r"(?: ?(?:confidence|level|percentile))*"
)
_CONFIDENCE_KEYS: Final = frozenset({"var", "shortfall", "exceptions"})

_MARKET_MOVE: Final = (
    r"(?:what (?:happens?|would happen) )?(?:if |when )?(?:the )?(?:stock )?"
    r"(?:market|index|s ?& ?p(?: 500)?) (?:was |is |were |went |goes )?"
    r"(?P<down>falls?|drops?|loses?|lost|tanks?|crashes|down|declines?|fell)?"
    r"(?P<up>rises?|gains?|up|rose|rallies)?(?: by)? (?P<size>\d+(?:\.\d+)?) ?(?:%|percent)"
)

_FIGURES_BY_KEY: Final[Mapping[str, AskedFigure]] = {each.key: each for each in FIGURES}


class Ask(NamedTuple):
    """A figure that a question asks for; None: only a subject is named."""

    figure: AskedFigure | None
    qualifiers: frozenset[str] = frozenset()
    subjects: tuple[Subject, ...] = ()
    market_move: float | None = None


class Parsed(NamedTuple):
    """What a question asks for, and what of it is not understood."""

    asks: tuple[Ask, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unread: tuple[str, ...] = ()
    day: date | None = None
    """A session that it names."""


@dataclass(frozen=True)
class _Token:
    kind: str
    value: object
    start: int
    clause: int = 0


class _Text:
    """A question in lower case, whose parts are taken once."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self.tokens: list[_Token] = []

    def take(self, pattern: str, kind: str, value: object) -> "re.Match[str] | None":
        """Take all parts that match, as tokens; return the last one."""
        last = None
        while found := re.search(pattern, self.rest):
            if not found[0]:
                break
            last = found
            self.add(kind, value, *found.span())
        return last

    def add(self, kind: str, value: object, start: int, end: int) -> None:
        self.tokens.append(_Token(kind, value, start))
        self.rest = self.rest[:start] + "\0" * (end - start) + self.rest[end:]


def parse_question(
    text: str, subjects: Sequence[Subject] = (), session: date | None = None
) -> Parsed:
    """Return what a question asks for.

    Parameters
    ----------
    text : str
        The question, with the i-th of ``subjects`` replaced by its mark.
    session : date, optional
        The session whose facts answer.

    Examples
    --------
    >>> (ask,) = parse_question("What is the 99% VaR?").asks
    >>> ask.figure.key, sorted(ask.qualifiers)
    ('var', ['99%'])
    """
    found = _Text(correct_typing(text))
    refusals = [each for each in REFUSALS if found.take(each.words, "refusal", each)]
    if move := found.take(_MARKET_MOVE, "figure", _FIGURES_BY_KEY["scenario"]):
        size = float(move["size"]) / 100
        found.tokens.append(_Token("move", size if move["up"] else -size, move.start()))
    found.take(EACH, "qualifier", "each")
    for figure in FIGURES:
        found.take(rf"(?<![\w-])(?:{figure.words})(?![\w-])", "figure", figure)
    keys = {each.value.key for each in found.tokens if isinstance(each.value, AskedFigure)}
    day = _take_qualifiers(found, keys, session)
    for at, subject in enumerate(subjects):
        found.take(re.escape(chr(MARK + at)), "subject", subject)
    ends = [each.start() for each in _SEPARATOR.finditer(found.rest)]
    tokens = [replace(each, clause=sum(end < each.start for end in ends)) for each in found.tokens]
    unread = list(_unread(found.rest, ends))
    asks = tuple(_asks(tokens, {clause for clause, _ in unread}, bool(refusals)))
    return Parsed(asks, tuple(refusals), tuple(word for _, word in unread), day)


def _take_qualifiers(found: _Text, keys: set[str], session: date | None) -> date | None:
    """Take levels, times and other qualifiers; return the day that is named."""
    day = None
    for each in find_times(found.rest, session):
        found.add("qualifier", each.qualifier, each.start, each.end)
        day = each.day or day
    if keys & _CONFIDENCE_KEYS:
        while level := re.search(rf"(?<![\w.]){_LEVEL}(?![\w.])", found.rest):
            shown = level[1].replace(",", ".").removesuffix(".0")
            found.add("qualifier", f"{shown}%", *level.span())
    for qualifier, words in QUALIFIERS:
        found.take(rf"(?<![\w-])(?:{words})", "qualifier", qualifier)
    return day


def _unread(rest: str, ends: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield clause and word of what is no known word."""
    for word in re.finditer(r"\$?[^\W_][\w'’]*(?:[.,-]\w+)*%?", rest):
        parts = re.split(r"[-'’]", word[0].strip("$"))
        if not all(part in FILLERS or part in ("", "s") for part in parts):
            yield sum(end < word.start() for end in ends), word[0]


def _asks(tokens: Sequence[_Token], unread: set[int], is_refused: bool) -> Iterator[Ask]:
    """Yield what each clause asks for; one without a figure belongs to the next that has one."""
    clauses = sorted({each.clause for each in tokens if each.kind == "figure"})
    if not clauses:
        ask = None if is_refused or unread else _without_figure(tokens)
        if ask is not None:
            yield ask
        return
    last_figure = max(each.start for each in tokens if each.kind == "figure")
    trailing = [
        each for each in tokens if each.kind != "figure" and each.start > last_figure
        and each.value not in ("record", "error", "fit", "change", "max")
    ]  # fmt: skip
    refused = {each.clause for each in tokens if each.kind == "refusal"}
    for clause in clauses:
        own = [
            each for each in tokens
            if clause == min((at for at in clauses if at >= each.clause), default=clauses[-1])
        ]  # fmt: skip
        figures = _meant([each.value for each in own if each.kind == "figure"])
        if clause in unread | refused:
            continue
        more = [] if clause == clauses[-1] else trailing
        for figure in figures:
            yield _ask(figure, [*own, *more])


def _meant(figures: Sequence[object]) -> list[AskedFigure]:
    """Return the figures that are meant: those of weak words only if there is no other."""
    named = (each for each in figures if isinstance(each, AskedFigure))
    found = list({each.key: each for each in named}.values())
    absorbed = {key for each in found for key in each.absorbs}
    strong = [each for each in found if not each.is_weak and each.key not in absorbed]
    return strong or sorted(found, key=FIGURES.index)[:1]


def _ask(figure: AskedFigure | None, tokens: Sequence[_Token]) -> Ask:
    qualifiers = {str(each.value) for each in tokens if each.kind == "qualifier"}
    if "moved" in qualifiers:
        qualifiers = qualifiers - {"moved"} | {"change"}
    if "1d-past" in qualifiers:  # of a result, the window; of a level, what it is compared with
        is_level = figure is not None and "change" in figure.answers
        qualifiers = qualifiers - {"1d-past"} | {"change" if is_level else "1d"}
    if figure is not None and figure.key == "result" and qualifiers & {"market", "of-market"}:
        figure = _FIGURES_BY_KEY["active"]
    if figure is not None and figure.key == "volatility" and "future" in qualifiers:
        qualifiers = qualifiers - {"future", "change"} | {"forecast"}
    if "forecast" in qualifiers and (figure is None or figure.is_ahead) and "21d" in qualifiers:
        qualifiers -= {"21d"} if "change" not in qualifiers else set()
    subjects = tuple(each.value for each in tokens if isinstance(each.value, Subject))
    moves = [each.value for each in tokens if isinstance(each.value, float)]
    kinds = {each.kind for each in subjects} | ({"scenario"} if moves else set())
    return Ask(figure, frozenset(qualifiers | kinds), subjects, moves[0] if moves else None)


def _without_figure(tokens: Sequence[_Token]) -> Ask | None:
    """Return what a question without the name of a figure asks for."""
    qualifiers = {str(each.value) for each in tokens if each.kind == "qualifier"}
    kinds = {each.value.kind for each in tokens if isinstance(each.value, Subject)}
    times = {each for each in qualifiers if re.fullmatch(r"\d+d|mtd|ytd|entry|day|period", each)}
    key = ""
    if kinds:
        by_kind = {"sector": "sectors", "factor": "factors", "scenario": "scenario"}
        key = next((by_kind[kind] for kind in sorted(kinds) if kind in by_kind), "")
        if not key and (times or qualifiers & {"moved", "change", "why"}):
            key = "result"
            tokens = [each for each in tokens if each.value != "moved"]
        return _ask(_FIGURES_BY_KEY.get(key), tokens)
    if "forecast" in qualifiers:
        key = "volatility"
    elif qualifiers & {"fit", "error"}:
        key = "beta"
    elif "change" in qualifiers:
        key = "changes"
    elif "moved" in qualifiers or (times and qualifiers <= times | {"why", "record", "money"}):
        key = "result"
        tokens = [each for each in tokens if each.value not in ("moved", "record")]
    return _ask(_FIGURES_BY_KEY[key], tokens) if key else None
