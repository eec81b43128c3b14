"""Pipeline from facts to rows of `ai_insights`: claims, plan, prune, realize.

Without a writer, or if it fails, the rules plan.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from riskmetrics.errors import RiskmetricsError
from riskmetrics.insights import realize
from riskmetrics.insights.claims import Claim, catalog_digest, claims_of
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft_schemas import Usage, Writer
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import label_for, source_columns
from riskmetrics.insights.plan import LEADING_TYPE, Plan, plan_by_rules, prune, repeats
from riskmetrics.insights.prompts import build_prompt
from riskmetrics.insights.questions import answer_by_rules
from riskmetrics.insights.severity import LEVELS, thresholds_version
from riskmetrics.insights.templates import Anonymization, Template, canonical_json

RULES_PROVIDER, RULES_VERSION = "rules", "rules-v4"
"""Provider and model of the plans of the rules."""

RULES_NOTICE = "Planned by fixed rules, not by a language model."

FALLBACK_LIFETIME = timedelta(days=1)
"""Lifetime of a fallback by the rules; after it, the model may be called again."""

_ZERO_USAGE = Usage(0, 0, Decimal(0))

_INDEPENDENT_TYPES = (LEADING_TYPE, "custom")
"""Types that may tell every claim."""

Key = tuple[str, str]
"""cache_key and provider, which identify an insight."""


@dataclass(frozen=True)
class Request:
    """A request for an insight."""

    template: Template
    sheet: Sheet
    """Fact sheet limited to the template's providers."""
    question: str | None = None
    told: frozenset[str] = frozenset()
    """Ids of claims and facts that the session's leading note tells."""
    portfolios: tuple[str, ...] = ()
    """Of a question: name of the portfolio, then those of all others, which it may contain."""
    silent: tuple[str, ...] = ()
    """Of the leading note: types that have nothing to tell, whose earlier notes are outdated."""

    @property
    def insight_type(self) -> str:
        """Type of the requested insight."""
        return self.template.insight_type

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims that the insight may tell, the most salient first."""
        return {
            claim_id: claim
            for claim_id, claim in claims_of(self.sheet, insight_type=self.insight_type).items()
            if not self._is_told(claim)
        }

    def _is_told(self, claim: Claim) -> bool:
        """Return whether the leading note tells a claim, its figures, or what a headline states."""
        of_headline = claim.form.states + claim.id.removeprefix(claim.form.id)
        is_repeated = claim.form.role == "statement" and repeats(claim, self.told)
        return claim.id in self.told or of_headline in self.told or is_repeated

    @cached_property
    def plan(self) -> Plan | None:
        """Plan of the rules; None if there is nothing to tell."""
        if self.question is not None:
            return answer_by_rules(self.question, self.claims, self.sheet.aliases, self.portfolios)
        return plan_by_rules(self.claims, self.insight_type)

    @cached_property
    def alarm(self) -> Claim | None:
        """The most severe claim, the most salient of several."""
        return _most_severe(self.claims.values())

    @property
    def severity(self) -> str:
        """Level of the alarm; normal without one."""
        return self.alarm.instance.level if self.alarm else "normal"


def _most_severe(claims: Iterable[Claim]) -> Claim | None:
    alarms = [claim for claim in claims if claim.instance.level != "info"]
    return max(alarms, key=lambda each: LEVELS.index(each.instance.level), default=None)


@dataclass(frozen=True)
class GenerationContext:
    """Settings shared by all insights of a run."""

    writer: Writer | None = None
    """None if the rules write."""
    model: str = ""
    """Model of the writer; a template may override it."""
    anonymization: Anonymization = "aliases"
    run_id: str | None = None
    code_version: str = ""


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    outcome: str
    """planned, pruned or fallback."""
    provider: str
    model: str
    usage: Usage
    reason: str | None = None
    """Why the rules replaced the model."""


def writable_requests(
    sheets: Sequence[Sheet],
    templates: Sequence[Template],
    question: str | None = None,
    portfolios: tuple[str, ...] = (),
) -> Iterator[Request]:
    """Yield requests for the sheets and templates that have something to tell.

    The daily summary leads: another type is requested only if claims of it are left. hedge_quality
    requires short positions.
    """
    lead = next((each for each in templates if each.insight_type == LEADING_TYPE), None)
    for sheet in sheets:
        available = {fact.fact_type.provider for fact in sheet.facts.values()}
        told: frozenset[str] = frozenset()
        if lead is not None:
            told = _told_by(Request(lead, sheet.select_facts(lead.providers), question))
        found = [
            Request(
                template,
                sheet.select_facts(template.providers),
                question,
                frozenset() if template.insight_type in _INDEPENDENT_TYPES else told,
                portfolios,
            )
            for template in templates
            if available.issuperset(template.required_providers)
            and _is_applicable(template.insight_type, sheet)
        ]
        found = [request for request in found if request.plan is not None]
        silent = {each.insight_type for each in templates if each.insight_type != "custom"}
        silent -= {request.insight_type for request in found}
        for request in found:
            is_leading = request.insight_type == LEADING_TYPE
            yield replace(request, silent=tuple(sorted(silent))) if is_leading else request


def _is_applicable(insight_type: str, sheet: Sheet) -> bool:
    """Return whether a type is about something that the portfolio has."""
    shorts = sheet.facts.get("num_short_positions")
    return insight_type != "hedge_quality" or (shorts is not None and shorts.value != 0)


def _told_by(leading: Request) -> frozenset[str]:
    """Return the ids of claims and facts that the plan of the rules tells."""
    plan = leading.plan
    if plan is None:
        return frozenset()
    told = plan.statements()
    return frozenset((*told, *(fact for each in told for fact in leading.claims[each].shown)))


def cache_key(request: Request, run_context: GenerationContext, provider: str, model: str) -> str:
    """Return the SHA-256 hex digest of everything that a text depends on."""
    sheet = request.sheet
    parts = {
        "type": request.insight_type,
        "portfolio": sheet.portfolio,
        "day": sheet.day.isoformat(),
        "facts": sheet.digest,
        "template": request.template.digest,
        "provider": provider,
        "model": model,
        "anonymization": run_context.anonymization if provider != RULES_PROVIDER else "",
        "question": request.question,
        "told": sorted(request.told),
        "versions": [catalog_digest(), thresholds_version(), realize.VERSION],
    }
    return sha256(canonical_json(parts).encode()).hexdigest()


def request_key(request: Request, run_context: GenerationContext) -> Key:
    """Return the key of the insight if its writer succeeds."""
    if run_context.writer is None:
        return _rules_key(request, run_context)
    return _model_key(request, run_context, run_context.writer.provider)


def answer_keys(request: Request, run_context: GenerationContext, *, by_model: bool) -> list[Key]:
    """Return the keys that the insight can have, the preferred one first."""
    by_rules = _rules_key(request, run_context)
    return [_model_key(request, run_context, PROVIDER), by_rules] if by_model else [by_rules]


def _rules_key(request: Request, run_context: GenerationContext) -> Key:
    return cache_key(request, run_context, RULES_PROVIDER, RULES_VERSION), RULES_PROVIDER


def _model_key(request: Request, run_context: GenerationContext, provider: str) -> Key:
    model = request.template.model_preference or run_context.model
    return cache_key(request, run_context, provider, model), provider


def without_model_text(
    requests: Sequence[Request], run_context: GenerationContext, stored_keys: Collection[Key]
) -> list[Request]:
    """Return the requests without a stored model text for the same facts.

    The rules do not replace the text of a model.
    """
    return [
        request
        for request in requests
        if _model_key(request, run_context, PROVIDER) not in stored_keys
    ]


def insight_rows(
    requests: Sequence[Request], run_context: GenerationContext, stored_keys: Collection[Key]
) -> Iterator[dict[str, Any]]:
    """Yield a row of `ai_insights` for every request that is not stored and has enough facts."""
    for request in requests:
        if (
            request_key(request, run_context) not in stored_keys
            and (found := insight_row(request, run_context)) is not None
        ):
            yield found


def insight_row(request: Request, run_context: GenerationContext) -> dict[str, Any] | None:
    """Return the row of one insight by the writer, or by the rules as a fallback.

    A failure of the writer is recorded in data_quality. None if the rules lack facts.
    """
    started = time.perf_counter()
    generated = _generate(request, run_context)
    if generated is None:
        return None
    sheet, fallback = request.sheet, generated.outcome == "fallback"
    key_context = (
        run_context if not fallback else GenerationContext(code_version=run_context.code_version)
    )
    model = (
        generated.model
        if fallback or run_context.writer is None
        else (request.template.model_preference or run_context.model)
    )
    alarm = request.alarm
    if request.question is not None:  # an answer is as severe as what it tells
        alarm = _most_severe(request.claims[each] for each in generated.plan.statements())
    limitations = _limitations(request, generated.provider)
    text = realize.realize_note(generated.plan, request.claims, sheet, limitations)
    return {
        "portfolio_id": sheet.portfolio_id,
        "day": sheet.day,
        "insight_type": request.insight_type,
        "severity": alarm.instance.level if alarm else "normal",
        **text._asdict(),
        "context_data": stored_context(request, generated.plan),
        "data_quality": _data_quality(request, run_context, generated),
        "focus_area": alarm.form.id.replace("_", " ") if alarm else None,
        "user_question": request.question,
        "model_used": generated.model[:50],
        "provider": generated.provider,
        "prompt_version": request.template.version,
        "cost_usd": generated.usage.cost,
        "generation_time_ms": round((time.perf_counter() - started) * 1000, 2),
        "token_count_input": generated.usage.input_tokens,
        "token_count_output": generated.usage.output_tokens,
        "tool_calls_count": generated.usage.tool_calls,
        "cache_key": cache_key(request, key_context, generated.provider, model),
        "expires_at": datetime.now(UTC) + FALLBACK_LIFETIME if fallback else None,
        "run_id": run_context.run_id,
    }


def stored_context(request: Request, plan: Plan) -> dict[str, Any]:
    """Return the facts, the plan and the text of its claims, sufficient to verify them again."""
    sheet = request.sheet
    names, seed = realize.display_names(sheet), realize.note_seed(sheet)
    told = filter(None, (plan.headline, *plan.statements(), *plan.recommendations))
    return {
        "portfolio": sheet.portfolio,
        "facts": [fact.record for fact in sheet.facts.values()],
        "aliases": sheet.aliases,
        "missing": sheet.missing,
        "limits": sheet.limits,
        "plan": plan.model_dump(),
        "claims": {each: realize.realize_claim(request.claims[each], names, seed) for each in told},
        "catalog": catalog_digest(),
    }


def _generate(request: Request, run_context: GenerationContext) -> _Planned | None:
    if request.plan is None:
        return None
    usage, reason = _ZERO_USAGE, None
    if run_context.writer is not None:
        found: _Planned | tuple[Usage, str]
        try:
            found = _generate_with_writer(request, run_context, run_context.writer)
        except RiskmetricsError as error:
            found = _ZERO_USAGE, str(error)
        except Exception as error:  # noqa: BLE001  # a writer must not fail the risk run
            # the type only, as the message may contain secrets; the call may have been charged
            found = Usage(0, 0, None), f"the writer failed: {type(error).__name__}"
        if isinstance(found, _Planned):
            return found
        usage, reason = found
    return _Planned(
        request.plan,
        "fallback" if reason else "planned",
        RULES_PROVIDER,
        RULES_VERSION,
        usage,
        reason,
    )


def _generate_with_writer(
    request: Request, run_context: GenerationContext, writer: Writer
) -> _Planned | tuple[Usage, str]:
    """Return the writer's plan without what is wrong with it, or usage and reason."""
    model = request.template.model_preference or run_context.model
    answer = writer.write(build_prompt(request, model, run_context.anonymization))
    if answer.plan is None:
        return answer.usage, answer.problem or "the model returned no plan"
    plan = answer.plan if request.question else answer.plan.model_copy(update={"missing": []})
    plan = prune(plan, request.claims)
    if not (plan.statements() or plan.missing):
        return answer.usage, "the plan contains no claim of the portfolio"
    outcome = "planned" if plan == answer.plan else "pruned"
    return _Planned(plan, outcome, writer.provider, answer.model, answer.usage)


def _limitations(request: Request, provider: str) -> str:
    """Return the limitations: author, in-sample forecasts, caveats and undefined facts."""
    sheet = request.sheet
    sentences = [RULES_NOTICE] if provider == RULES_PROVIDER else []
    if any(fact.quality == "in sample" for fact in sheet.facts.values()):
        sentences.append(
            "The volatility forecast is in-sample: the model was fitted on data after this day."
        )
    sentences += [f"{text[0].upper()}{text[1:]}." for text in sheet.caveats]
    needed = source_columns(request.template.required_providers)
    sentences += [
        f"The {label_for(metric)} is undefined: {reason}."
        for metric, reason in sheet.missing.items()
        if metric in needed
    ]
    return " ".join(sentences)


def _data_quality(
    request: Request, run_context: GenerationContext, generated: _Planned
) -> dict[str, Any]:
    """Return the data_quality column: facts by provider, coverage, versions and outcome."""
    facts = request.sheet.facts.values()
    counts = Counter(fact.fact_type.provider for fact in facts)
    providers = {
        name: {"facts": counts[name], "needed": name in request.template.required_providers}
        for name in request.template.providers
    }
    coverage = {
        fact.fact_type.name: fact.value
        for fact in facts
        if fact.fact_type.name in ("price_coverage", "beta_coverage")
    }
    found: Mapping[str, Any] = {
        "outcome": generated.outcome,
        "catalog": catalog_digest(),
        "realizer": realize.VERSION,
        "thresholds": thresholds_version(),
        "facts_digest": request.sheet.digest,
        "providers": providers,
        "coverage": coverage,
        "undefined": len(request.sheet.missing),
        "silent": list(request.silent),
        "code_version": run_context.code_version,
        "fallback_reason": generated.reason,
    }
    return dict(found)
