"""Questions that fixed rules answer, without a language model: the claims of some forms.

A question is parsed into figures with their level, horizon, period, comparison and subjects. It is
answered for exactly these, or the answer says which part is missing and offers the nearest
question that the facts answer. A question with words that are not known is not answered.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from itertools import chain, zip_longest
from typing import Final, NamedTuple

from riskmetrics.insights.asked.answers import TAIL, Answer, AskedFigure
from riskmetrics.insights.claims import Claim
from riskmetrics.insights.plan import (
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    MissingFact,
    Plan,
    Step,
    prune,
    repeats,
)
from riskmetrics.insights.question_asks import Ask
from riskmetrics.insights.question_figures import FIGURES
from riskmetrics.insights.question_parsing import Parsed, parse_question
from riskmetrics.insights.question_subjects import mark_subjects
from riskmetrics.insights.question_vocabulary import is_known
from riskmetrics.insights.question_words import CURRENCIES

_MAX_STATEMENTS = 2 * MAX_STEPS
"""Most claims of an answer: two paragraphs."""

_MAX_NEAREST, _MAX_UNREAD = 2, 4
"""Questions that are offered, and words that are named."""

_ANSWER_HEADLINE = "headline_answer"

_ABOUT: Final = AskedFigure(
    "about", "", "", {"position": Answer("", ("*",), most=6), "": Answer("", ())},
    frozenset({"percent", "max", "1d", "count"}),
)  # fmt: skip
"""What a question asks for that names a position and no figure."""

_UNSUPPORTED: Final[tuple[tuple[str, MissingFact], ...]] = (
    (r"of-market", "other_instruments"),
    (r"position|sector|each", "position_figure"),
    (r"USD|EUR|GBP|CHF", "other_currency"),
    (r"factor", "other_factor"),
    (r"scenario|if", "scenario"),
    (r"[\d.]+%", "confidence_level"),
    (r"day", "other_sessions"),
    (r"past|mtd|ytd|entry|period|week|month", "period"),
    (r"\d+d", "period"),
    (r"market|compare", "comparison"),
    (r"record|error|fit", "track_record"),
    (r"future|forecast", "future_figures"),
    (r"change|1d-past", "earlier_values"),
    (r"why", "causes"),
    (r".*", "variant"),
)
"""Qualifier to what is missing if a figure has no answer with it."""


_PAST: Final = frozenset({"change", "past", "mtd", "ytd", "entry", "period", "week", "month"})
"""Qualifiers with which a number of sessions is no horizon."""


_LIKE_WINDOWS: Final = {"week": "5d", "month": "21d"}
"""Calendar period to the window whose question is offered instead."""


class _Chosen(NamedTuple):
    """Claims that answer a part of a question, and what is missing."""

    claims: tuple[Claim, ...] = ()
    missing: tuple[MissingFact, ...] = ()
    nearest: tuple[str, ...] = ()
    figure: str = ""
    """Key of the figure."""
    wanted: frozenset[str] = frozenset()
    """Qualifiers of its answer."""
    is_shortened: bool = False
    """Whether more claims answer than are chosen."""


def answer_by_rules(
    text: str,
    claims: Mapping[str, Claim],
    aliases: Mapping[str, Mapping[str, str]] | None = None,
    portfolios: Sequence[str] = (),
    session: date | None = None,
) -> Plan:
    """Return the plan that answers a question; without claims, one that says what is missing.

    Parameters
    ----------
    claims : mapping
        Claims of all topics by id, the most salient first.
    aliases : mapping, optional
        Alias to symbol, name, sector, factor or scenario, which a question may name.
    portfolios : sequence of str, optional
        Names of the portfolio and of all others.
    session : date, optional
        Session of the claims.
    """
    words, other = without_portfolios(text, portfolios)
    if other:
        return Plan(headline="", paragraphs=[], missing=["other_portfolios"])
    parsed = parse_question(*mark_subjects(words, aliases or {}), session)
    parts = list(_parts(parsed, claims, aliases or {}))
    chosen = [claim for part in parts for claim in part.claims]
    statements = _without_repeated(_shared_out(parts), parts, claims)
    nearest = [each for part in parts for each in part.nearest]
    plan = Plan(
        headline="",
        paragraphs=_paragraphs(statements),
        recommendations=list(_ids(chosen, "advice"))[:MAX_RECOMMENDATIONS],
        missing=[each for part in parts for each in part.missing]
        or ([] if chosen else ["no_rule"]),
        nearest=list(dict.fromkeys(nearest))[:_MAX_NEAREST],
        unread=list(parsed.unread[:_MAX_UNREAD]),
    )
    kept = prune(plan, claims)
    stated = kept.statements()
    if not stated:
        return kept
    update: dict[str, object] = {"headline": _headline(stated, claims)}
    if unstated := [part for part in parts if _is_cut(part, stated, claims)]:
        more = [
            each for part in unstated for each in _examples(part.figure, claims, part.wanted)[:1]
        ]
        update["missing"] = [*kept.missing, "shortened"]
        update["nearest"] = list(dict.fromkeys([*kept.nearest, *more]))
    return kept.model_copy(update=update)


def asked_day(text: str, session: date) -> date | None:
    """Return the session that a question names, unless it is that of the facts.

    Examples
    --------
    >>> asked_day("What was the beta on December 20?", date(2022, 12, 28))
    datetime.date(2022, 12, 20)
    """
    named = parse_question(text, session=session).day
    return None if named == session else named


def without_portfolios(text: str, portfolios: Sequence[str]) -> tuple[str, bool]:
    """Return a question without the portfolio's name, and whether it names another portfolio.

    Parameters
    ----------
    portfolios : sequence of str
        Name of the portfolio, then those of all others. Another one of a single word is recognized
        by its exact spelling only, since it may be a common word.
    """
    if not portfolios:
        return text, False
    own, *others = portfolios
    rest = re.sub(rf"(?i:{_named(own)})(['’]s)?(?!\w)", "it", text)
    return rest, any(re.search(rf"{_flags(other)}{_named(other)}(?!\w))", rest) for other in others)


def _flags(portfolio: str) -> str:
    return "(?i:" if " " in portfolio or "-" in portfolio else "(?:"


def _named(portfolio: str) -> str:
    """Return a regular expression of a name; a word of questions counts after `of` or so only."""
    before = r"(?<!\w)"
    if is_known(portfolio.lower()):
        before = r"(?<=\bof )|(?<=\bin )|(?<=\bthan )|(?<=\bwith )"
    return rf"(?:{before}){re.escape(portfolio)}"


def _parts(
    parsed: Parsed, claims: Mapping[str, Claim], aliases: Mapping[str, Mapping[str, str]]
) -> Iterator[_Chosen]:
    """Yield the answer to each part of a question."""
    for ask in parsed.asks:
        yield _choose(ask, claims, aliases)
    for refusal in parsed.refusals:
        yield _Chosen((), (refusal.code,), _examples(refusal.nearest, claims))
    if parsed.unread:
        yield _Chosen((), ("no_rule",))


def _shared_out(parts: Sequence[_Chosen]) -> list[str]:
    """Return the claims of an answer by part: of many, the first ones of each part."""
    by_part = [list(_ids(part.claims, "statement")) for part in parts]
    by_rank = dict.fromkeys(each for rank in zip_longest(*by_part) for each in rank if each)
    kept = set(list(by_rank)[:_MAX_STATEMENTS])
    return [each for each in dict.fromkeys(chain.from_iterable(by_part)) if each in kept]


def _without_repeated(
    statements: Sequence[str], parts: Sequence[_Chosen], claims: Mapping[str, Claim]
) -> list[str]:
    """Return claims without those whose figures the first claim of another part states, too."""

    def is_repeated(claim: Claim) -> bool:
        others = [part.claims[0] for part in parts if part.claims and claim not in part.claims]
        shown = set(claim.shown)
        return bool(shown) and any(shown < set(other.shown) for other in others)

    return [each for each in statements if not is_repeated(claims[each])]


def _is_cut(part: _Chosen, stated: Sequence[str], claims: Mapping[str, Claim]) -> bool:
    """Return whether a part has more claims than are stated, or not its first one."""
    shown = {fact for each in stated for fact in claims[each].shown}
    ids = list(_ids(part.claims, "statement"))
    is_first_stated = not ids or ids[0] in stated or shown.issuperset(claims[ids[0]].shown)
    return part.is_shortened or not is_first_stated


def _choose(
    ask: Ask, claims: Mapping[str, Claim], aliases: Mapping[str, Mapping[str, str]]
) -> _Chosen:
    """Return the claims that answer a figure with exactly the qualifiers of the question."""
    figure = ask.figure or _ABOUT
    unheld = [each for each in ask.subjects if not each.alias]
    if unheld:
        code: MissingFact = "other_factor" if unheld[0].kind == "factor" else "other_instruments"
        return _Chosen((), (code,))
    wanted = _in_own_currency(ask.qualifiers, claims) - _taken_as_read(ask, figure)
    answer = figure.answers.get(_key(wanted))
    if "why" in wanted and (answer is None or not _select(answer, ask, claims)):
        effect = figure.answers.get(_key(wanted - {"why"}))
        if effect is not None:
            found = _select(effect, ask, claims)
            return _Chosen(tuple(found), ("causes",)) if found else _Chosen((), (effect.nothing,))
    if answer is None:
        return _without_answer(figure, ask, wanted, claims)
    found = _select(answer, ask, claims)
    if found:
        is_long = _is_long(answer, ask, claims)
        return _Chosen(tuple(found), (), (), figure.key, wanted, is_long)
    nothing = answer.nothing
    if nothing == "no_limits_set" and any(alias.startswith("LIM") for alias in aliases):
        nothing = "undefined_figures"
    nearest = "alerts" if nothing == "no_limits_set" else figure.key if wanted else ""
    return _Chosen((), (nothing,), _examples(nearest, claims))


def _without_answer(
    figure: AskedFigure, ask: Ask, wanted: frozenset[str], claims: Mapping[str, Claim]
) -> _Chosen:
    """Return what is missing of a figure with some qualifiers, and what comes nearest."""
    missing = _unsupported(figure, wanted, ask.qualifiers)
    if figure.key == "result" and missing == "period" and "position" in wanted:
        parts = (_examples(each, claims, wanted)[:1] for each in ("losers", "winners"))
        return _Chosen((), (missing,), tuple(chain.from_iterable(parts)))
    if figure.is_counted and missing == "period":
        return _Chosen(tuple(_select(figure.answers[""], ask, claims)), (missing,))
    return _Chosen((), (missing,), _examples(figure.key, claims, wanted))


def _taken_as_read(ask: Ask, figure: AskedFigure) -> frozenset[str]:
    """Return the qualifiers that say what the answer is anyway: not one of two windows."""
    windows, found = ask.windows(), figure.default
    if len(windows) > 1:
        found -= windows
    if {"future", "change"} <= ask.qualifiers:
        found -= {"future"}
    return found


def _is_long(answer: Answer, ask: Ask, claims: Mapping[str, Claim]) -> bool:
    """Return whether more claims answer than an answer can state, of one that states all."""
    if answer.most < _MAX_STATEMENTS:
        return False
    found = _select(answer._replace(most=len(claims)), ask, claims)
    return sum(each.form.role == "statement" for each in found) > _MAX_STATEMENTS


def _in_own_currency(qualifiers: frozenset[str], claims: Mapping[str, Claim]) -> frozenset[str]:
    """Return qualifiers with "money" in place of the currency of the portfolio."""
    named = qualifiers & CURRENCIES
    own = {
        slot.currency
        for claim in claims.values()
        for slot in claim.slots.values()
        if slot.kind == "money"
    }
    return qualifiers - named | {"money"} if named and named <= own else qualifiers


def _key(qualifiers: frozenset[str]) -> str:
    return " ".join(sorted(qualifiers))


def _unsupported(figure: AskedFigure, wanted: frozenset[str], named: frozenset[str]) -> MissingFact:
    """Return what is missing: that of the first qualifier without which there is an answer."""
    is_forecast = any("forecast" in each.split() for each in figure.answers)
    if "future" in wanted or ("forecast" in wanted and not is_forecast):
        return figure.answers["future"].nothing if "future" in figure.answers else "future_figures"
    fewer = [each for each in wanted if _key(wanted - {each}) in figure.answers] or list(wanted)
    found = (
        code for pattern, code in _UNSUPPORTED if any(re.fullmatch(pattern, each) for each in fewer)
    )
    code: MissingFact = next(found)
    is_ahead = figure.is_ahead and not named & _PAST
    is_ahead = is_ahead and (figure.group == TAIL or "forecast" in wanted)
    return "horizon" if code == "period" and is_ahead else code


def _examples(
    key: str, claims: Mapping[str, Claim], wanted: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return questions about a figure that the claims answer, those with like qualifiers first."""
    figure = next((each for each in FIGURES if each.key == key), None)
    if figure is None:
        return ()
    windows = {_LIKE_WINDOWS[each] for each in wanted & _LIKE_WINDOWS.keys()}
    offered = [
        (-len((wanted | windows) & frozenset(qualifiers.split())), answer.example)
        for qualifiers, answer in figure.answers.items()
        if answer.example and _select(answer, Ask(figure), claims)
    ]
    offered.sort(key=lambda each: each[0])
    if any(windows & frozenset(each.split()) for each in figure.answers):
        offered = [each for each in offered if each[0] < 0]
    return tuple(example for _, example in offered)[:_MAX_NEAREST]


def _select(answer: Answer, ask: Ask, claims: Mapping[str, Claim]) -> list[Claim]:
    """Return the claims of an answer about what the question names, in their order."""
    aliases = {each.alias for each in ask.subjects}
    found = [
        (place, answer.place(claim), claim.id)
        for claim in claims.values()
        if (place := _place(answer, claim)) is not None
        and answer.tells(claim)
        and claim.form.role != "headline"
        and (not aliases or _is_about(claim, aliases))
        and (ask.market_move is None or _moves(claim, ask.market_move))
    ]
    ordered = [claims[claim_id] for _, _, claim_id in sorted(found)]
    statements: list[Claim] = []
    for claim in ordered:
        stated = {fact for each in statements for fact in each.shown}
        if claim.form.role == "statement" and not repeats(claim, stated):
            statements.append(claim)
    advice = [claim for claim in ordered if claim.form.role == "advice"]
    return [*statements[: answer.most], *advice]


def _place(answer: Answer, claim: Claim) -> int | None:
    """Return the place of a claim's form in an answer; None if it does not belong to it."""
    matches = (fnmatchcase(claim.form.id, pattern) for pattern in answer.forms)
    return next((at for at, is_match in enumerate(matches) if is_match), None)


def _is_about(claim: Claim, aliases: set[str]) -> bool:
    names = (slot.value for slot in claim.slots.values() if slot.kind in ("name", "label"))
    return bool(aliases & {claim.instance.subject, *names})


def _moves(claim: Claim, move: float) -> bool:
    """Return whether a claim is about a move of the market."""
    slot = claim.slots.get("move")
    return slot is not None and abs(float(str(slot.value)) - move) < 1e-9


def _headline(statements: Sequence[str], claims: Mapping[str, Claim]) -> str:
    """Return the headline that one of the statements proves, else the general one."""
    stated = set(statements)
    of_stated = (
        claim.id
        for claim in claims.values()
        if claim.form.role == "headline"
        and claim.form.states + claim.id.removeprefix(claim.form.id) in stated
    )
    return next(of_stated, _ANSWER_HEADLINE if _ANSWER_HEADLINE in claims else "")


def _ids(claims: Sequence[Claim], role: str) -> Iterator[str]:
    return (claim.id for claim in claims if claim.form.role == role)


def _paragraphs(statements: Sequence[str]) -> list[list[Step]]:
    steps = [Step(claim=each) for each in statements]
    return [steps[first : first + MAX_STEPS] for first in range(0, len(steps), MAX_STEPS)]
