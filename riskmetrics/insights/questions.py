"""Questions that fixed rules answer, without a language model: the claims of some topics.

A question is recognized by its words; the first entry that matches decides. Nothing is answered
beside the claims: an unknown question is refused with the list of the known ones.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from riskmetrics.insights.claims import Claim, Topic
from riskmetrics.insights.plan import MAX_RECOMMENDATIONS, MAX_STEPS, MissingFact, Plan, Step, prune

_MAX_STATEMENTS = 2 * MAX_STEPS
"""Most claims of an answer: two paragraphs."""


class CommonQuestion(NamedTuple):
    """A question that claims answer."""

    example: str
    """The question as it is offered to users."""
    words: str
    """Regular expression that a question of this kind matches, case aside."""
    topics: tuple[Topic, ...]
    """Topics of the claims in the order in which they are told; empty: all."""
    tells: Callable[[Claim], bool] = lambda _: True
    """Whether a claim of these topics belongs to the answer."""
    nothing: MissingFact = "undefined_figures"
    """What the answer states if no claim belongs to it."""


def _is_new(claim: Claim) -> bool:
    return claim.is_new


def _is_alarm(claim: Claim) -> bool:
    return claim.instance.level != "info" or claim.form.role == "advice"


def _names(*words: str) -> Callable[[Claim], bool]:
    """Return whether one of the words is in the id of a claim's form."""
    return lambda claim: any(word in claim.form.id for word in words)


def _avoids(*words: str) -> Callable[[Claim], bool]:
    """Return whether none of the words is in the id of a claim's form."""
    return lambda claim: not any(word in claim.form.id for word in words)


COMMON_QUESTIONS = (
    CommonQuestion(
        "How sure is the beta?",
        r"\bbetas?\b|market (exposure|sensitiv)",
        ("factors",),
        _avoids("rate"),
    ),
    CommonQuestion(
        "How sensitive is it to interest rates?",
        r"interest|\brates?\b|\bbonds?\b",
        ("factors",),
        _names("rate"),
    ),
    CommonQuestion(
        "Has the value at risk been right?",
        r"value at risk|\bva?r\b|shortfall|exception|backtest",
        ("tail",),
    ),
    CommonQuestion(
        "How far is it below its peak?",
        r"drawdown|\bpeak|underwater|recover",
        ("stress",),
        _names("drawdown", "deepest"),
    ),
    CommonQuestion(
        "Which limits are exceeded?",
        r"limit|threshold|alarm|alert|warning|breach",
        (),
        _is_alarm,
        "no_limit",
    ),
    CommonQuestion(
        "How fast could it be sold?",
        r"liquid|how (fast|long|quickly).*(sell|sold)|\bsold\b",
        ("liquidity",),
    ),
    CommonQuestion(
        "Which factors is it tilted to?",
        r"factor|\btilt|\bstyle|momentum",
        ("factors",),
        _names("factor", "risk_"),
    ),
    CommonQuestion(
        "How correlated are the holdings?",
        r"correlat|move (alike|together)",
        ("concentration",),
        _names("correlation", "diversified", "holdings_move", "pair"),
    ),
    CommonQuestion(
        "What is the worst case?",
        r"worst|stress|scenario|crash|(can|could|might|would).* (lose|loss|cost)",
        ("stress", "tail"),
        _avoids("drawdown", "deepest"),
    ),
    CommonQuestion(
        "How far is it from the index?",
        r"tracking error|active|information ratio|(far|beat|behind|against|versus|vs).* index",
        ("active", "factors"),
        _names("active", "tracking"),
    ),
    CommonQuestion(
        "How does it differ from the benchmark by sector?",
        r"sector|industr|benchmark|overweight|underweight",
        ("sectors",),
    ),
    CommonQuestion(
        "What changed?",
        r"\bchange|\bnew\b|happen|differ|since (yesterday|last)|\bmoved?\b",
        (),
        _is_new,
        "no_change",
    ),
    CommonQuestion(
        "How well is it hedged?", r"hedg|\bshorts?\b|net exposure|gross|leverage", ("hedge",)
    ),
    CommonQuestion(
        "How volatile is it?",
        r"volatil|calm|swing|fluctuat|forecast",
        ("volatility", "concentration"),
    ),
    CommonQuestion(
        "How concentrated is it?",
        r"concentrat|diversif|largest|biggest|single|position|holding",
        ("concentration", "sectors"),
    ),
    CommonQuestion(
        "Which data are missing?",
        r"missing|\bdata\b|coverage|caveat|undefined|trust",
        ("data",),
        nothing="no_gap",
    ),
    CommonQuestion(
        "What should I look at?",
        r"look at|watch|attention|worr|review|concern|summar|important",
        (),
        _is_alarm,
        "no_limit",
    ),
    CommonQuestion(
        "What drives the risk?", r"\brisk", ("concentration", "volatility", "factors", "tail")
    ),
    CommonQuestion(
        "Why did it lose or gain?",
        r"result|p&l|profit|gain|los[et]|loss|return|perform|today|contribut|drives?\b",
        ("result",),
        _avoids("limit"),
    ),
)
"""Known questions, the more specific ones first."""


def find_question(text: str) -> CommonQuestion | None:
    """Return the kind of a user's question, or None if no rule answers it.

    Examples
    --------
    >>> find_question("What drives the risk?").topics[0]
    'concentration'
    >>> find_question("Who is the CEO of AAPL?") is None
    True
    """
    return next(
        (each for each in COMMON_QUESTIONS if re.search(each.words, text, re.IGNORECASE)), None
    )


def answer_by_rules(text: str, claims: Mapping[str, Claim]) -> Plan:
    """Return the plan that answers a question; without claims, one that says what is missing.

    Parameters
    ----------
    claims : mapping
        Claims of all topics by id, the most salient first.
    """
    question = find_question(text)
    if question is None:
        return Plan(headline="", paragraphs=[], missing=["no_rule"])
    chosen = [
        claim
        for claim in claims.values()
        if (not question.topics or claim.form.topic in question.topics) and question.tells(claim)
    ]
    by_topic = sorted(chosen, key=lambda claim: _rank(claim, question.topics))
    plan = Plan(
        headline=next(_ids(by_topic, "headline"), ""),
        paragraphs=_paragraphs(list(_ids(by_topic, "statement"))),
        recommendations=list(_ids(by_topic, "advice"))[:MAX_RECOMMENDATIONS],
        missing=[] if any(_ids(by_topic, "statement")) else [question.nothing],
    )
    return prune(plan, claims)


def _rank(claim: Claim, topics: Sequence[str]) -> tuple[int, float]:
    """Order by topic, then by salience without regard to novelty: a question asks for levels."""
    topic = topics.index(claim.form.topic) if topics else 0
    return topic, -claim.instance.salience


def _ids(claims: Sequence[Claim], role: str) -> Iterator[str]:
    return (claim.id for claim in claims if claim.form.role == role)


def _paragraphs(statements: Sequence[str]) -> list[list[Step]]:
    steps = [Step(claim=each) for each in statements[:_MAX_STATEMENTS]]
    return [steps[first : first + MAX_STEPS] for first in range(0, len(steps), MAX_STEPS)]
