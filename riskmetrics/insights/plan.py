"""Plans: which claims a note tells, in which order, and how they are connected.

A plan contains ids of claims and connectives of a closed set. Whoever made it, `prune` drops what
is wrong with it: unknown ids, duplicates, figures stated before, connectives that do not hold, and
a headline that no sentence proves. What is left is true, so that a plan is never repaired or paid
for twice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.severity import LEVELS

Connective = Literal["", "and", "but", "while", "mainly because"]

LEADING_TYPE = "daily_summary"
"""Type of the note that leads; the others tell what is left."""

RULE_ANSWERS = {
    "no_rule": "No fixed rule answers this question, and no language model did.",
    "shortened": "Not all that answers the question is stated; ask for one subject at a time.",
    "no_limit": "No limit is reached by a figure that is defined.",
    "no_such_alert": "No alert is in force on the figure that is asked about.",
    "no_new_alert": "No alert is new in the session.",
    "no_ended_alert": "No alert ended in the session.",
    "no_new_breach": "No limit is newly exceeded in the session.",
    "options": "Questions about options are not answered: see riskmetrics show options.",
    "no_change": "Nothing that is worth a sentence changed in the session.",
    "no_gap": "No missing price and no undefined risk figure is reported.",
    "no_limits_set": "No limit was checked in this session: the command limits set adds one, which"
    " the next run checks.",
    "no_such_limit": "No limit on that figure was checked in this session: the command limits set"
    " adds one, which the next run checks.",
    "definitions": "Terms are defined in the glossary of the documentation, not in stored facts.",
}
"""What only the rules state if no claim answers a question, as sentences."""

MISSING_FACTS = {
    "undefined_figures": "a defined figure that answers the question",
    "future_returns": "future returns",
    "causes": "news or other causes outside the stored prices",
    "fundamentals": "earnings, valuations or other fundamentals",
    "other_instruments": "instruments that are not held",
    "other_portfolios": "other portfolios",
    "other_sessions": "any session but the one that is asked about",
    "intraday": "prices within a session",
    "liquidity": "volumes and liquidity",
    "costs": "fees, taxes and costs of trading",
    "intentions": "goals, or reasons of trades",
    "advice": "whether to buy, sell or hold",
    "confidence_level": "the figure at that confidence level",
    "horizon": "the figure for that number of sessions ahead",
    "period": "the figure over that period",
    "comparison": "that comparison",
    "earlier_values": "earlier values of the figure",
    "track_record": "a track record of the figure",
    "future_figures": "a forecast of the figure",
    "position_figure": "the figure of a single position or sector",
    "loss_probability": "the probability of a loss of that size",
    "scenario": "that scenario",
    "other_factor": "that factor",
    "currencies": "exposures to currencies",
    "other_currency": "amounts in that currency",
    "variant": "that variant of the figure",
    "unit": "the figure in that unit",
    "other": "what was asked",
}
"""What an answer may state as missing, in words that follow "The stored facts do not contain"."""

MissingFact = Literal[
    "undefined_figures",
    "future_returns",
    "causes",
    "fundamentals",
    "other_instruments",
    "other_portfolios",
    "other_sessions",
    "intraday",
    "liquidity",
    "costs",
    "intentions",
    "advice",
    "confidence_level",
    "horizon",
    "period",
    "comparison",
    "earlier_values",
    "track_record",
    "future_figures",
    "position_figure",
    "loss_probability",
    "scenario",
    "other_factor",
    "currencies",
    "other_currency",
    "variant",
    "unit",
    "other",
    "shortened",
    "no_rule",
    "no_limit",
    "no_limits_set",
    "no_such_limit",
    "no_such_alert",
    "no_new_alert",
    "no_ended_alert",
    "no_new_breach",
    "options",
    "no_change",
    "no_gap",
    "definitions",
]
"""A key of MISSING_FACTS or RULE_ANSWERS."""

MAX_PARAGRAPHS, MAX_STEPS = 5, 6
"""Paragraphs of a note, and claims in each."""

MAX_FINDINGS, MAX_RECOMMENDATIONS = 14, 3
"""Claims in the list below the prose, more than can be alarms at once, and recommendations."""

CHANGES_PLACE, STANDING_PLACE = 8, 9
"""Places of what happened to alerts, which no other event displaces, and of those that stand."""

_MAX_LEVELS = 2
"""Claims about levels, besides those of standing limits, that the leading note tells."""

_MAX_ADVICE = 1
"""Recommendations of the rules: the most salient one that is new."""

_QUIET, _MAX_QUIET = ("headline_quiet", "headline_flat_"), 5
"""Beginnings of headlines of a quiet day, and the most claims of its note, alerts first."""

_ALERT_FORMS = ("limit_", "var_too_low")
"""Beginnings of the ids of forms of new alerts, and the form of a failing test."""

TRADE_FORMS = frozenset({"opened", "closed", "resized", "limit_by_trade", "limit_by_opening"})
"""Forms of trades."""

MIN_SALIENCE = 0.5
"""Salience below which the rules do not tell a claim."""


class Step(BaseModel):
    """A claim, and how it is connected to the one before."""

    model_config = ConfigDict(extra="forbid")

    claim: str
    connective: Connective = ""


class Plan(BaseModel):
    """The claims of a note."""

    model_config = ConfigDict(extra="forbid")

    headline: str
    """Id of a claim whose form is a headline; empty if no statement proves one."""
    paragraphs: list[list[Step]]
    findings: list[str] = []
    """Ids of claims stated as a list, with their evidence."""
    recommendations: list[str] = []
    """Ids of claims whose form is advice."""
    missing: list[MissingFact] = []
    """What a question asks for and no claim tells; with no claim at all, there is no headline."""

    nearest: list[str] = []
    """Questions like the one that is not answered, which the facts answer."""
    unread: list[str] = []
    """Words of the question that the rules do not know."""

    def statements(self) -> tuple[str, ...]:
        """Return the ids of the claims in its paragraphs and findings."""
        return (*(step.claim for steps in self.paragraphs for step in steps), *self.findings)


def holds(connective: str, first: Claim, second: Claim) -> bool:
    """Return whether a connective is true between two claims.

    "but" needs opposite signs, "while" and "and" different subjects or forms, and "mainly because"
    contributions that add up to at least half of what the first claim states.
    """
    one, other = first.instance, second.instance
    if connective == "mainly because":
        return other.supports == first.form.id
    if connective in ("but", "while"):
        return one.sign * other.sign == -1
    if connective == "and":
        return one.sign * other.sign != -1 and first.form.topic == second.form.topic
    return connective == ""


def prune(plan: Plan, claims: Mapping[str, Claim]) -> Plan:
    """Return a plan without unknown ids, duplicates, repeated figures and false connectives.

    A headline that is none, or that no kept sentence proves, is replaced by the most salient one
    that is proved, or by "" if none is.
    """
    stated: set[str] = set()

    def keep(claim_id: str, role: str) -> bool:
        claim = claims.get(claim_id)
        if claim is None or claim.form.role != role or claim_id in stated:
            return False
        if role == "statement" and repeats(claim, stated):
            return False
        stated.update((claim_id, *claim.shown_ids) if role == "statement" else (claim_id,))
        return True

    paragraphs = []
    for steps in plan.paragraphs[:MAX_PARAGRAPHS]:
        kept: list[Step] = []
        for step in steps[:MAX_STEPS]:
            if keep(step.claim, "statement"):
                is_connected = bool(kept) and not kept[-1].connective
                is_connected = is_connected and holds(
                    step.connective, claims[kept[-1].claim], claims[step.claim]
                )
                kept.append(step if is_connected else Step(claim=step.claim))
        if kept:
            paragraphs.append(kept)
    findings = [each for each in plan.findings if keep(each, "statement")][:MAX_FINDINGS]
    advice = [each for each in plan.recommendations if keep(each, "advice")]
    missing = list(dict.fromkeys(plan.missing))
    if missing and not paragraphs and not findings:
        return Plan(
            headline="", paragraphs=[], missing=missing, nearest=plan.nearest, unread=plan.unread
        )
    kept_plan = Plan(
        headline="",
        paragraphs=paragraphs,
        findings=findings,
        recommendations=advice[:MAX_RECOMMENDATIONS],
        missing=missing,
        nearest=plan.nearest,
        unread=plan.unread,
    )
    headline = _proved_headline(plan.headline, claims, kept_plan.statements())
    return kept_plan.model_copy(update={"headline": headline})


def repeats(claim: Claim, stated: Collection[str]) -> bool:
    """Return whether a figure of a claim was stated before."""
    return any(fact in stated for fact in claim.shown_ids)


def _proved_headline(chosen: str, claims: Mapping[str, Claim], stated: Collection[str]) -> str:
    """Return the chosen headline, or the most salient one, that a stated claim proves, or ""."""
    proved = [
        each.id
        for each in claims.values()
        if each.form.role == "headline" and each.is_proved(stated)
    ]
    return chosen if chosen in proved else next(iter(proved), "")


def _choose_statements(
    claims: Iterable[Claim], lead: Claim | None, *, is_damped: bool
) -> list[Claim]:
    """Return the statements to tell, each figure once: the lead, then the most salient first.

    ``is_damped`` leaves out what was true the session before, unless it matters much; else a level
    is stated whether it is new or not.
    """

    def weight(claim: Claim) -> float:
        return claim.salience if is_damped else claim.instance.salience

    chosen = [lead] if lead else []
    stated: set[str] = {lead.id, *lead.equivalent_figures} if lead else set()
    for claim in sorted(one_per_figure(claims), key=lambda each: (-weight(each), each.id)):
        is_statement = claim.form.role == "statement"
        if claim is lead:
            continue
        if (
            is_statement
            and weight(claim) >= MIN_SALIENCE
            and stated.isdisjoint(claim.equivalent_figures)
        ):
            chosen.append(claim)
            stated.update(claim.equivalent_figures)
    return chosen


def one_per_figure(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Yield the claims, of those that state one thing the most salient, be it new or not."""
    by_figure: dict[str, Claim] = {}
    for claim in claims:
        figure = claim.form.figure or claim.id
        best = by_figure.setdefault(figure, claim)
        if claim.instance.salience > best.instance.salience:
            by_figure[figure] = claim
    yield from by_figure.values()


def is_unscheduled_list(claim: Claim) -> bool:
    """Return whether a claim lists the alerts that stand on a day that does not state them."""
    return claim.form.place == STANDING_PLACE and claim.instance.salience < MIN_SALIENCE


def is_about_alert(claim: Claim) -> bool:
    """Return whether a claim is about an alert level, a limit of a user, or a failing test."""
    is_listed = claim.form.place in (CHANGES_PLACE, STANDING_PLACE)
    return is_listed or claim.form.topic == "limits" or claim.form.id.startswith(_ALERT_FORMS)


def _connect(claims: Sequence[Claim], lead: Claim | None) -> list[Step]:
    """Return the steps of a paragraph: the lead, then by place.

    A result is first, even if the lead is a part of it. If a trade leads, trades follow it.
    """
    first = lead if lead and lead.form.topic != "result" else None
    is_trade = lead is not None and lead.form.id in TRADE_FORMS

    def place(claim: Claim) -> float:
        is_early = is_trade and claim.form.id in TRADE_FORMS
        return 0.5 + 0.1 * (claim is not lead) if is_early else claim.form.place

    ordered = sorted(claims, key=lambda claim: (claim is not first, place(claim)))
    steps = [Step(claim=ordered[0].id)]
    for first, second in pairwise(ordered):
        connective = "" if steps[-1].connective else _choose_connective(first, second)
        steps.append(Step(claim=second.id, connective=connective))
    return steps


def _choose_connective(first: Claim, second: Claim) -> Connective:
    """Return the connective of a claim after the result of the session."""
    if first.form.place == 0 and first.form.topic == second.form.topic == "result":
        if holds("mainly because", first, second):
            return "mainly because"
        if second.form.place in (3, 4) and holds("but", first, second):
            return "but"
    return ""


def _is_optional(claim: Claim) -> bool:
    """Return whether a quiet day may leave a claim out: it is no alert, and names none."""
    return claim.instance.level == "info" and claim.form.place != STANDING_PLACE


def _by_level(claim: Claim) -> tuple[int, int, float]:
    """Return the order of findings: a failing test first, then by level."""
    return min(claim.form.place, 1), -LEVELS.index(claim.instance.level), -claim.salience


def plan_by_rules(claims: Mapping[str, Claim], insight_type: str) -> Plan | None:
    """Return the plan of the rules: by salience, each figure once, events before levels.

    Parameters
    ----------
    claims : mapping
        Claims that may be stated by id, the most salient first.

    Returns
    -------
    Plan or None
        None if there is nothing to tell; a type that does not lead needs a claim that is new.
    """
    of_type = {
        claim_id: claim
        for claim_id, claim in claims.items()
        if insight_type in claim.form.insight_types
    }
    is_leading = insight_type == LEADING_TYPE
    headlines = [each for each in of_type.values() if each.form.role == "headline"]
    proofs = headlines[0].proofs if headlines else ()
    lead = next((claim for claim in of_type.values() if claim.id in proofs), None)
    statements = _choose_statements(of_type.values(), lead, is_damped=is_leading)
    has_news = any(claim.is_new for claim in statements) or insight_type == "custom"
    if not (headlines and statements and (is_leading or has_news)):
        return None
    if is_leading and headlines[0].id.startswith(_QUIET):
        statements = sorted(statements, key=_is_optional)
        statements = statements[:_MAX_QUIET]
    alarms = [claim for claim in statements if claim.instance.level != "info"]
    events = [
        claim
        for claim in statements
        if claim is lead or (claim.form.topic == "result" and claim.form.place < STANDING_PLACE)
    ]
    events.sort(key=lambda claim: claim is not lead and claim.form.place != CHANGES_PLACE)
    standing = [claim for claim in statements if claim.form.place == STANDING_PLACE]
    alarms = [claim for claim in alarms if claim not in (*events, *standing)]
    levels = [claim for claim in statements if claim not in (*alarms, *events, *standing)]
    parts = (events[:MAX_STEPS], levels[: _MAX_LEVELS if is_leading else MAX_STEPS] + standing)
    plan = Plan(
        headline=headlines[0].id,
        paragraphs=[_connect(part, lead) for part in parts if part],
        findings=[claim.id for claim in sorted(alarms, key=_by_level)],
        recommendations=[
            each.id for each in of_type.values() if each.form.role == "advice" and each.is_new
        ][:_MAX_ADVICE],
    )
    return prune(plan, claims)
