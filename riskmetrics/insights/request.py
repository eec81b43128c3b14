"""Requests for insights: which notes a session's fact sheets have something to state for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from riskmetrics.insights.claims import Claim, claims_of
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.plan import (
    LEADING_TYPE,
    Plan,
    is_unscheduled_list,
    one_per_figure,
    plan_by_rules,
    repeats,
)
from riskmetrics.insights.question_fact_types import QUESTIONS
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.templates import Template

_INDEPENDENT_TYPES = (LEADING_TYPE, "custom")
"""Types that may tell every claim."""


@dataclass
class Request:
    """A request for an insight."""

    template: Template
    sheet: Sheet
    """Fact sheet limited to the template's providers."""
    question: str | None = None
    stated: frozenset[str] = frozenset()
    """Ids of claims and facts that the session's leading note tells."""
    portfolios: tuple[str, ...] = ()
    """Of a question: name of the portfolio, then those of all others, which it may contain."""
    today: date | None = None
    """Of a question: session from which its days are counted; default: that of the sheet."""
    silent: tuple[str, ...] = ()
    """Of the leading note: types that have nothing to tell, whose earlier notes are outdated."""

    @property
    def insight_type(self) -> str:
        """Type of the requested insight."""
        return self.template.insight_type

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims that the insight may tell, the most salient first; those that answer lead."""
        found = self._salient_claims
        chosen = () if self.question is None or self.plan is None else self.plan.statements()
        return {claim_id: found[claim_id] for claim_id in (*chosen, *found)}

    @cached_property
    def _salient_claims(self) -> dict[str, Claim]:
        """Claims, the most salient first; headlines with their proof.

        Of those that state one thing, such as the alerts that stand, a note is offered one, and of
        the alerts that stand none on a day that does not state them.
        """
        found = {
            claim_id: claim
            for claim_id, claim in claims_of(self.sheet, insight_type=self.insight_type).items()
            if not self._is_stated(claim)
        }
        if self.question is None:
            kept = {
                claim.id
                for claim in one_per_figure(found.values())
                if not is_unscheduled_list(claim)
            }
            found = {claim_id: claim for claim_id, claim in found.items() if claim_id in kept}
        return {claim_id: claim for claim_id, claim in found.items() if claim.is_proved(found)}

    def _is_stated(self, claim: Claim) -> bool:
        """Return whether the leading note tells a claim, its figures, or what a headline states."""
        is_repeated = claim.form.role == "statement" and repeats(claim, self.stated)
        return not self.stated.isdisjoint((claim.id, *claim.proofs)) or is_repeated

    @cached_property
    def plan(self) -> Plan | None:
        """Plan of the rules; None if there is nothing to tell."""
        if self.question is not None:
            # late: its words are read and compiled, and notes of a run answer no question
            from riskmetrics.insights.questions.answering import answer_by_rules

            return answer_by_rules(
                self.question,
                self._salient_claims,
                self.sheet.aliases,
                self.portfolios,
                self.sheet.day,
                self.today,
            )
        return plan_by_rules(self.claims, self.insight_type)

    @cached_property
    def news(self) -> tuple[Claim, ...]:
        """Claims that the rules state and that are new: what stood before is no news."""
        stated = self.plan.statements() if self.plan is not None else ()
        claims = (self.claims[each] for each in stated)
        return tuple(each for each in claims if each.is_new and not each.instance.is_known)

    @cached_property
    def alarm(self) -> Claim | None:
        """The most severe news; of the leading note also the most severe alert in force."""
        is_leading = self.insight_type == LEADING_TYPE and self.question is None
        in_force = claims_of(self.sheet, insight_type=self.insight_type) if is_leading else {}
        return most_severe((*self.news, *in_force.values()))

    @property
    def severity(self) -> str:
        """Level of the alarm; normal without one."""
        return self.alarm.instance.level if self.alarm else "normal"


def most_severe(claims: Iterable[Claim]) -> Claim | None:
    """Return the claim of the highest level, the first of several; None without an alarm."""
    alarms = [claim for claim in claims if claim.instance.level != "info"]
    return max(alarms, key=lambda each: LEVELS.index(each.instance.level), default=None)


def writable_requests(
    sheets: Sequence[Sheet],
    templates: Sequence[Template],
    question: str | None = None,
    portfolios: tuple[str, ...] = (),
    today: date | None = None,
) -> Iterator[Request]:
    """Yield requests for the sheets and templates that have something to tell.

    The daily summary leads: another type is requested only if claims of it are left. hedge_quality
    requires short positions.
    """
    lead = next((each for each in templates if each.insight_type == LEADING_TYPE), None)
    asked = () if question is None else (QUESTIONS,)
    for sheet in sheets:
        available = {fact.fact_type.provider for fact in sheet.facts.values()}
        notes = sheet.for_notes  # the next session remembers it, so that it is evaluated once
        leading = lead and Request(lead, notes.select_facts(lead.providers), question)
        stated = _stated_by(leading) if leading else frozenset()
        found = [
            leading
            if leading and template is lead and question is None
            else Request(
                template,
                (sheet if asked else notes).select_facts((*template.providers, *asked)),
                question,
                frozenset() if template.insight_type in _INDEPENDENT_TYPES else stated,
                portfolios,
                today,
            )
            for template in templates
            if available.issuperset(template.required_providers)
            and _is_applicable(template.insight_type, sheet)
        ]
        found = [request for request in found if request.plan is not None]
        silent = {each.insight_type for each in templates if each.insight_type != "custom"}
        silent -= {request.insight_type for request in found}
        for request in found:
            if request.insight_type == LEADING_TYPE:
                request.silent = tuple(sorted(silent))
            yield request


def _is_applicable(insight_type: str, sheet: Sheet) -> bool:
    """Return whether a type is about something that the portfolio has."""
    shorts = sheet.facts.get("num_short_positions")
    return insight_type != "hedge_quality" or (shorts is not None and shorts.value != 0)


def _stated_by(leading: Request) -> frozenset[str]:
    """Return the ids of claims and facts that the plan of the rules tells."""
    plan = leading.plan
    if plan is None:
        return frozenset()
    stated = plan.statements()
    return frozenset(
        (*stated, *(fact for each in stated for fact in leading.claims[each].shown_ids))
    )
