"""Questions that fixed rules answer, without a language model: the claims of some forms.

A question is answered for exactly the figures and qualifiers that it names, or the answer says
which part is missing and offers the nearest question that the facts answer. A question with words
that are not known is not answered.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import chain, islice, zip_longest
from math import log
from typing import Final, NamedTuple

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.plan import (
    LEADING_TYPE,
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    MissingFact,
    Plan,
    Step,
    plan_by_rules,
    prune,
)
from riskmetrics.insights.questions.clauses import NAMED_BY, Ask, is_level, is_window
from riskmetrics.insights.questions.parsing import Question, parse_question
from riskmetrics.insights.questions.question_figures import (
    TAIL,
    Answer,
    Figure,
    figures,
    join_qualifiers,
)
from riskmetrics.insights.questions.question_words import find_meanings, load_words
from riskmetrics.insights.questions.selection import (
    MAX_STATEMENTS,
    Facts,
    is_about,
    is_long,
    select_claims,
)
from riskmetrics.insights.questions.spelling import rank_questions, read_tokens
from riskmetrics.insights.questions.subjects import Subject, without_portfolios

_MAX_NEAREST, _MAX_LIKE, _MAX_UNREAD = 2, 3, 4
"""Questions that are offered, those instead of one that is not understood, and words named."""

_ANSWER_HEADLINE = "headline_answer"

_CURRENCIES: Final = frozenset({"USD", "EUR", "GBP", "CHF"})
"""Qualifiers that name a currency."""

_MISSING: Final[tuple[tuple[str, MissingFact], ...]] = (
    ("of-market", "other_instruments"),
    ("position sector each", "position_figure"),
    ("USD EUR GBP CHF", "other_currency"),
    ("factor", "other_factor"),
    ("scenario if", "scenario"),
    ("level", "confidence_level"),
    ("day", "other_sessions"),
    ("past mtd ytd entry period week month sessions", "period"),
    ("market compare above", "comparison"),
    ("record error fit", "track_record"),
    ("future forecast", "future_figures"),
    ("change 1d-past", "earlier_values"),
    ("why", "causes"),
)
"""Qualifiers to what is missing if a figure has no answer with them, the first ones first."""

_NO_FORECAST: Final = Answer(otherwise="future_figures")

_UNITS: Final = {
    "money": frozenset({"money", "items"}),
    "percent": frozenset({"percent", "points", "times", "items"}),
}
"""Unit that a question names to the kinds of slots that show it."""

_ALERTS: Final = ("limit_*", "limits_standing")
"""Forms of alert levels, which are stated if no limit is set."""

_PAST: Final = frozenset({"change", "past", "mtd", "ytd", "entry", "period", "week", "month"})
"""Qualifiers with which a number of sessions is no horizon."""

_LIKE_WINDOWS: Final = {"week": "5d", "month": "21d", "period": "252d"}
"""Calendar period to the window whose question is offered instead."""


class _Answered(NamedTuple):
    """Claims that answer a part of a question, and what is missing."""

    claims: tuple[Claim, ...] = ()
    missing: tuple[MissingFact, ...] = ()
    nearest: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Questions that tell more of it if its claims are too many."""
    is_shortened: bool = False
    """Whether more claims answer than are chosen."""


def answer_by_rules(
    text: str,
    claims: Mapping[str, Claim],
    aliases: Mapping[str, Mapping[str, str]] | None = None,
    portfolios: Sequence[str] = (),
    session: date | None = None,
    today: date | None = None,
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
    today : date, optional
        Session from which a day such as yesterday is counted; default: that of the claims.
    """
    words, is_other = without_portfolios(text, portfolios)
    if is_other:
        return Plan(headline="", paragraphs=[], missing=["other_portfolios"])
    question = parse_question(words, aliases or {}, session, today)
    facts = Facts(claims, aliases or {})
    parts = list(_answer_parts(question, facts))
    chosen = [claim for part in parts for claim in part.claims]
    statements = _without_repeated(_shared_out(parts), parts, claims)
    missing = [each for part in parts for each in part.missing]
    plan = Plan(
        headline="",
        paragraphs=_paragraphs(statements),
        recommendations=list(_ids(chosen, "advice"))[:MAX_RECOMMENDATIONS],
        missing=missing or ([] if chosen else ["no_rule"]),
        nearest=_drop_repeats(each for part in parts for each in part.nearest)[:_MAX_NEAREST],
        unread=list(question.unread[:_MAX_UNREAD]) if "no_rule" in missing else [],
    )
    kept = prune(plan, claims)
    stated = kept.statements()
    if not stated:
        is_read = "no_rule" not in kept.missing or kept.nearest
        return kept if is_read else kept.model_copy(update={"nearest": _like_offers(text, facts)})
    update: dict[str, object] = {"headline": _headline(stated, claims)}
    is_about_headline = [each.figure.key for each in question.asks] == ["headline"]
    if is_about_headline and (note := plan_by_rules(claims, LEADING_TYPE)):
        update = {"headline": note.headline}
    firsts = (part.claims[0] for part in parts if part.claims)
    leads = {_lead(claim) for claim in firsts if claim.id in stated}
    if unstated := [part for part in parts if _is_cut(part, stated, claims, leads)]:
        more = chain.from_iterable(part.more for part in unstated)
        update["missing"] = [*kept.missing, "shortened"]
        update["nearest"] = _drop_repeats([*kept.nearest, *more])
    return kept.model_copy(update=update)


def _answer_parts(question: Question, facts: Facts) -> Iterator[_Answered]:
    """Yield the answer to each part of a question."""
    for ask in question.asks:
        yield _answer(ask, facts)
    instead = load_words()["offered_instead"]
    for refusal in question.refusals:
        code: MissingFact = "causes" if refusal == "market_causes" else refusal  # type: ignore[assignment]
        yield _Answered((), (code,), _offers(instead.get(refusal, ""), facts))
    if question.unread and (question.asks or not question.refusals):
        yield _Answered((), ("no_rule",))


def _answer(ask: Ask, facts: Facts) -> _Answered:
    """Return the claims that answer a figure with exactly the qualifiers of the question."""
    figure, ask = ask.figure, _with_positions(ask, facts)
    unheld = [each for each in ask.subjects if not each.alias]
    if unheld:
        is_factor = unheld[0].kind == "factor"
        return _Answered((), ("other_factor" if is_factor else "other_instruments",))
    requested = _in_own_currency(ask.qualifiers, facts.claims) - _find_usual_qualifiers(ask)
    answer = figure.answers.get(join_qualifiers(requested))
    if "why" in requested and (answer is None or not select_claims(answer, ask, facts)):
        effect = figure.answers.get(join_qualifiers(requested - {"why"}))
        if effect is not None:
            found = select_claims(effect, ask, facts)
            return _Answered(tuple(found), ("causes",) if found else (effect.otherwise,))
    if answer is None:
        return _without_answer(ask, requested, facts)
    found = select_claims(answer, ask, facts)
    if any(each.form.role == "statement" for each in found):
        more = [each for each in _offers(figure.key, facts, requested) if each != answer.ask][:1]
        missing: tuple[MissingFact, ...] = () if _has_unit(found, ask) else ("unit",)
        if not all(any(is_about(claim, {each.alias}) for claim in found) for each in ask.subjects):
            missing += ("undefined_figures",)
        return _Answered(tuple(found), missing, (), tuple(more), is_long(answer, ask, facts))
    reason = answer.otherwise
    if reason == "no_limits_set" and any(alias.startswith("LIM") for alias in facts.aliases):
        reason = "no_such_limit" if ask.limited else "undefined_figures"
    if reason == "no_limits_set":
        alerts = Answer(forms=_ALERTS, most=MAX_STATEMENTS)
        reached = select_claims(alerts, Ask(figure), facts)
        return _Answered(tuple(reached), (reason,), _offers("alerts", facts))
    instead = load_words()["offered_instead"].get(figure.key, figure.key if requested else "")
    return _Answered((), (reason,), _offers(instead, facts))


def _with_positions(ask: Ask, facts: Facts) -> Ask:
    """Return what is asked for with the alias of a position that a figure names."""

    def find(subject: Subject) -> Subject:
        named = figures().get(subject.alias.removeprefix(NAMED_BY))
        if named is None or not subject.alias.startswith(NAMED_BY):
            return subject
        first = select_claims(named.answers[""], Ask(named), facts)[:1]
        slots = (slot for claim in first for slot in claim.slots.values() if slot.kind == "name")
        return next((subject._replace(alias=str(slot.value)) for slot in slots), subject)

    return ask._replace(subjects=tuple(map(find, ask.subjects)))


def _has_unit(found: Sequence[Claim], ask: Ask) -> bool:
    """Return whether the first claim states a figure in the unit that a question names, if any."""
    kinds = {slot.kind for slot in found[0].slots.values()}
    return all(kinds & shown for unit, shown in _UNITS.items() if unit in ask.qualifiers)


def _without_answer(ask: Ask, requested: frozenset[str], facts: Facts) -> _Answered:
    """Return what is missing of a figure with some qualifiers, and what comes nearest."""
    figure = ask.figure
    missing = _find_unsupported(figure, requested, ask.qualifiers)
    if figure.key == "result" and missing == "period" and "position" in requested:
        parts = (_offers(each, facts, requested)[:1] for each in ("losers", "winners"))
        return _Answered((), (missing,), tuple(chain.from_iterable(parts)))
    if "counted" in figure.traits and missing == "period":
        return _Answered(tuple(select_claims(figure.answers[""], ask, facts)), (missing,))
    return _Answered((), (missing,), _offers(figure.key, facts, requested))


def _find_usual_qualifiers(ask: Ask) -> frozenset[str]:
    """Return the qualifiers that say what the answer is anyway: not one of two windows."""
    windows, found = ask.windows(), ask.figure.usual
    if len(windows) > 1:
        found -= windows
    return found - {"future"} if {"future", "change"} <= ask.qualifiers else found


def _in_own_currency(qualifiers: frozenset[str], claims: Mapping[str, Claim]) -> frozenset[str]:
    """Return qualifiers with "money" in place of the currency of the portfolio."""
    named = qualifiers & _CURRENCIES
    slots = (slot for claim in claims.values() for slot in claim.slots.values())
    own = {slot.currency for slot in slots if slot.kind == "money"}
    return qualifiers - named | {"money"} if named and named <= own else qualifiers


def _find_unsupported(
    figure: Figure, requested: frozenset[str], named: frozenset[str]
) -> MissingFact:
    """Return what is missing: that of the first qualifier without which there is an answer."""
    is_forecast = any("forecast" in each.split() for each in figure.answers)
    if "future" in requested or ("forecast" in requested and not is_forecast):
        return figure.answers.get("future", _NO_FORECAST).otherwise
    fewer = {each for each in requested if join_qualifiers(requested - {each}) in figure.answers}
    kinds = {
        "level" if is_level(each)
        else "sessions" if is_window(each) and each[0].isdigit() else each
        for each in fewer or requested
    }  # fmt: skip
    codes = (code for words, code in _MISSING if not kinds.isdisjoint(words.split()))
    code: MissingFact = next(codes, "variant")
    is_ahead = "ahead" in figure.traits and not named & _PAST
    is_ahead = is_ahead and (figure.heading == TAIL or "forecast" in requested)
    return "horizon" if code == "period" and is_ahead else code


def _offers(key: str, facts: Facts, requested: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return questions about a figure that are answered, those with like qualifiers first."""
    figure = figures().get(key)
    if figure is None:
        return ()
    windows = frozenset(_like_windows(figure, requested))
    offered = [
        (-len((requested | windows) & frozenset(qualifiers.split())), answer.ask)
        for qualifiers, answer in figure.answers.items()
        if answer.ask and _is_answered(answer.ask, facts)
    ]
    offered.sort(key=lambda each: each[0])
    if any(windows & frozenset(each.split()) for each in figure.answers):
        offered = [each for each in offered if each[0] < 0]
    return tuple(question for _, question in offered)[:_MAX_NEAREST]


def _like_windows(figure: Figure, requested: frozenset[str]) -> Iterator[str]:
    """Yield the window of a figure's answers that is most like each one that is asked for."""
    own = [each for key in figure.answers for each in key.split() if each[:-1].isdigit()]
    for each in requested:
        days = _LIKE_WINDOWS.get(each, each)[:-1]
        if own and days.isdigit():
            yield min(own, key=lambda other: abs(log(int(other[:-1]) / int(days))))


def _like_offers(text: str, facts: Facts) -> list[str]:
    """Return the questions most like one that is not understood, of those that are answered.

    Those about a figure that it names come first; of one that is like none, some are offered.
    """
    named = [each.value for each in find_meanings(read_tokens(text)) if each.kind == "figure"]
    own = [each.ask for key in named for each in figures()[key].answers.values() if each.ask]
    like = rank_questions(text)
    of_own = [each for each in like if each in own]
    offers = _drop_repeats([*of_own, *own, *like, *load_words()["offered_to_any"]])
    return list(islice((each for each in offers if _is_answered(each, facts)), _MAX_LIKE))


_parse_offered = cache(parse_question)


def _is_answered(text: str, facts: Facts) -> bool:
    """Return whether the claims answer a question that is offered."""
    (ask,) = _parse_offered(text).asks
    answer = ask.figure.answers[join_qualifiers(ask.qualifiers - _find_usual_qualifiers(ask))]
    return any(each.form.role == "statement" for each in select_claims(answer, ask, facts))


def _shared_out(parts: Sequence[_Answered]) -> list[str]:
    """Return the claims of an answer by part: of many, the first ones of each part."""
    by_part = [list(_ids(part.claims, "statement")) for part in parts]
    ranked = _drop_repeats(each for rank in zip_longest(*by_part) for each in rank if each)
    kept = set(ranked[:MAX_STATEMENTS])
    return [each for each in _drop_repeats(chain.from_iterable(by_part)) if each in kept]


def _without_repeated(
    statements: Sequence[str], parts: Sequence[_Answered], claims: Mapping[str, Claim]
) -> list[str]:
    """Return claims without those whose figures the first claim of another part states, too.

    Of two first claims about the same figure, the later one is kept: it was asked for besides.
    """
    firsts = [(at, part.claims[0]) for at, part in enumerate(parts) if part.claims]

    def is_repeated(claim: Claim) -> bool:
        own = [at for at, part in enumerate(parts) if claim in part.claims]
        others = [(at, first) for at, first in firsts if at not in own]
        shown, is_first = set(claim.shown_ids), any(claim is first for _, first in firsts)
        return bool(shown) and any(
            shown < set(first.shown_ids)
            or (is_first and at > max(own) and _lead(claim) == _lead(first))
            for at, first in others
        )

    return [each for each in statements if not is_repeated(claims[each])]


def _lead(claim: Claim) -> tuple[str, ...]:
    """Return the first figure of a claim, if any."""
    return tuple(claim.shown_ids)[:1]


def _is_cut(
    part: _Answered,
    stated: Sequence[str],
    claims: Mapping[str, Claim],
    leads: Collection[tuple[str, ...]],
) -> bool:
    """Return whether a part has more claims than are stated, or not its first one.

    Parameters
    ----------
    leads : collection
        First figures of the first claims of parts that are stated.
    """
    shown = {fact for each in stated for fact in claims[each].shown_ids}
    first = next(_ids(part.claims, "statement"), None)
    is_first_stated = (
        first is None
        or first in stated
        or shown.issuperset(claims[first].shown_ids)
        or _lead(claims[first]) in leads
    )
    return part.is_shortened or not is_first_stated


def _headline(statements: Sequence[str], claims: Mapping[str, Claim]) -> str:
    """Return the headline that one of the statements proves, else the general one."""
    headlines = (claim for claim in claims.values() if claim.form.role == "headline")
    of_stated = (
        each.id for each in headlines
        if each.form.states + each.id.removeprefix(each.form.id) in statements
    )  # fmt: skip
    return next(of_stated, _ANSWER_HEADLINE if _ANSWER_HEADLINE in claims else "")


def _drop_repeats(values: "Iterator[str] | Sequence[str]") -> list[str]:
    return list(dict.fromkeys(values))


def _ids(claims: Sequence[Claim], role: str) -> Iterator[str]:
    return (claim.id for claim in claims if claim.form.role == role)


def _paragraphs(statements: Sequence[str]) -> list[list[Step]]:
    steps = [Step(claim=each) for each in statements]
    return [steps[first : first + MAX_STEPS] for first in range(0, len(steps), MAX_STEPS)]
