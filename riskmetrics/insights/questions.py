"""Questions that fixed rules answer, without a language model: the claims of some forms.

A question is recognized by its words, in any case and with small typing errors; the names of
portfolios are not words of it. Several figures may be asked at once. A position or sector that is
named is what the answer is about. Nothing is answered besides the claims: what they do not contain
is named as missing, and an unknown question is refused with the list of the known ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.common_questions import COMMON_QUESTIONS, CommonQuestion
from riskmetrics.insights.plan import (
    MAX_RECOMMENDATIONS,
    MAX_STEPS,
    Plan,
    Step,
    prune,
)
from riskmetrics.insights.question_subjects import NOT_HELD, QUESTION_WORDS, find_subjects

_MAX_STATEMENTS = 2 * MAX_STEPS
"""Most claims of an answer: two paragraphs."""

_MAX_OF_FIGURE = 4
"""Most claims about each figure that is asked for."""

_ANSWER_HEADLINE = "headline_answer"


_VOCABULARY: Final = (
    *("volatility", "volatile", "concentrated", "concentration", "diversified", "drawdown"),
    *("liquidity", "liquid", "benchmark", "correlation", "correlated", "leverage", "leveraged"),
    *("portfolio", "sector", "factors", "scenario", "shortfall", "momentum", "hedged", "forecast"),
    *("tracking", "interest", "changed", "limits", "exceeded", "positions", "holdings", "return"),
    *("performance", "overweight", "underweight", "shorts", "market", "exposure", "missing"),
    *("largest", "biggest", "worst", "today", "yesterday", "value", "risky", "losses", "winner"),
    *("loser", "sensitive", "winners", "losers", "detractor", "contributor", "stress", "alerts"),
)
"""Words whose typing errors are corrected."""

_MIN_CORRECTED, _CLOSENESS = 5, 0.8
"""Letters of a word that is corrected, and its likeness to a known one."""


def normalize(text: str) -> str:
    """Return a question with typing errors in known words corrected.

    Examples
    --------
    >>> normalize("how volatle is it")
    'how volatile is it'
    >>> normalize("Whats the drawdwon?")
    'Whats the drawdown?'
    """

    def correct(found: "re.Match[str]") -> str:
        word = found[0].lower()
        if len(word) < _MIN_CORRECTED or word in _VOCABULARY:
            return found[0]
        return next(iter(get_close_matches(word, _VOCABULARY, 1, _CLOSENESS)), found[0])

    return re.sub(r"[A-Za-z]+", correct, text)


def find_questions(text: str) -> list[CommonQuestion]:
    """Return the kinds of a user's question: several only if all are figures.

    Examples
    --------
    >>> [each.example for each in find_questions("What are beta and VaR?")]
    ['How large is the value at risk?', 'How sure is the beta?']
    """
    plain, corrected = text, normalize(text)
    found = [
        each
        for each in COMMON_QUESTIONS
        if any(re.search(each.words, words, re.IGNORECASE) for words in (plain, corrected))
    ]
    figures = [each for each in found if each.is_figure]
    if found and found[0].is_figure:
        return _without_repetition(figures)
    return found[:1]


def _without_repetition(figures: Sequence[CommonQuestion]) -> list[CommonQuestion]:
    """Return the figures whose forms no earlier one has, at most three."""
    kept: list[CommonQuestion] = []
    for each in figures:
        if not any(set(each.forms) & set(other.forms) for other in kept):
            kept.append(each)
    return kept[:3]


def find_question(text: str) -> CommonQuestion | None:
    """Return the first kind of a user's question, or None if no rule answers it.

    Examples
    --------
    >>> find_question("What drives the risk?").topics[0]
    'concentration'
    >>> find_question("Who is the CEO of AAPL?") is None
    True
    """
    return next(iter(find_questions(text)), None)


def answer_by_rules(
    text: str,
    claims: Mapping[str, Claim],
    aliases: Mapping[str, Mapping[str, str]] | None = None,
    portfolios: Sequence[str] = (),
) -> Plan:
    """Return the plan that answers a question; without claims, one that says what is missing.

    Parameters
    ----------
    claims : mapping
        Claims of all topics by id, the most salient first.
    aliases : mapping, optional
        Alias to symbol, name or sector, which a question may name.
    portfolios : sequence of str, optional
        Names of the portfolio and of all others.
    """
    words, other = without_portfolios(text, portfolios)
    if other:
        return Plan(headline="", paragraphs=[], missing=["other_portfolios"])
    subjects, rest = find_subjects(words, aliases or {})
    found = find_questions(rest)
    if subjects == NOT_HELD:
        is_refusal = bool(found) and not found[0].example
        missing = found[0].nothing if is_refusal else "other_instruments"
        return Plan(headline="", paragraphs=[], missing=[missing])
    if not found and not subjects:
        return Plan(headline="", paragraphs=[], missing=["no_rule"])
    if subjects and not (found and not found[0].example):
        found = [_about(subjects)]
    chosen = [claim for question in found for claim in _select(question, claims)]
    statements = list(_ids(chosen, "statement"))
    plan = Plan(
        headline="",
        paragraphs=_paragraphs(statements),
        recommendations=list(_ids(chosen, "advice"))[:MAX_RECOMMENDATIONS],
        missing=[] if statements else [found[0].nothing],
    )
    kept = prune(plan, claims)
    stated = kept.statements()
    return kept.model_copy(update={"headline": _headline(stated, claims)}) if stated else kept


def without_portfolios(text: str, portfolios: Sequence[str]) -> tuple[str, bool]:
    """Return a question without the portfolio's name, and whether it names another portfolio.

    Parameters
    ----------
    portfolios : sequence of str
        Name of the portfolio, then those of all others. Another one is recognized by its exact
        spelling only, since it may be a common word.
    """
    if not portfolios:
        return text, False
    own, *others = portfolios
    rest = re.sub(rf"(?i:{_named(own)})('s)?(?!\w)", "it", text)
    return rest, any(re.search(rf"{_named(other)}(?!\w)", rest) for other in others)


def _named(portfolio: str) -> str:
    """Return a regular expression of a name; a word of questions counts after `of` or so only."""
    before = (
        r"(?<=\bof )|(?<=\bin )|(?<=\bthan )" if portfolio.lower() in QUESTION_WORDS else r"(?<!\w)"
    )
    return rf"(?:{before}){re.escape(portfolio)}"


def _about(subjects: frozenset[str]) -> CommonQuestion:
    """Return the question about positions or sectors that are named."""

    def is_about(claim: Claim) -> bool:
        slots = (slot.value for slot in claim.slots.values() if slot.kind == "name")
        return bool(subjects & {claim.instance.subject, *slots})

    return CommonQuestion("It", "", tells=is_about)


def _select(question: CommonQuestion, claims: Mapping[str, Claim]) -> list[Claim]:
    """Return the claims that answer a question, in the order in which they are stated."""
    found = [
        (_rank(question, claim), claim)
        for claim in claims.values()
        if (not question.topics or claim.form.topic in question.topics) and question.tells(claim)
    ]
    if question.forms:
        found = [each for each in found if each[0][0] < len(question.forms)]
    ordered = [claim for _, claim in sorted(found, key=lambda each: each[0])]
    if not question.is_figure:
        return ordered
    statements = [claim for claim in ordered if claim.form.role == "statement"]
    return statements[:_MAX_OF_FIGURE]


def _rank(question: CommonQuestion, claim: Claim) -> tuple[int, float]:
    """Order by form or topic, then by salience without regard to novelty: levels are asked for."""
    place = 0
    if question.forms:
        matches = (fnmatchcase(claim.form.id, pattern) for pattern in question.forms)
        place = next((at for at, is_match in enumerate(matches) if is_match), len(question.forms))
    elif question.topics:
        place = question.topics.index(claim.form.topic)
    return place, -claim.instance.salience


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
    steps = [Step(claim=each) for each in statements[:_MAX_STATEMENTS]]
    return [steps[first : first + MAX_STEPS] for first in range(0, len(steps), MAX_STEPS)]
