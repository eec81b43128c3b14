"""Pipeline from facts to rows of `ai_insights`: claims, plan, prune, realize.

Without a writer, or if it fails, the rules plan.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from riskmetrics.errors import RiskmetricsError
from riskmetrics.insights import realize
from riskmetrics.insights.alert_texts import attention_texts
from riskmetrics.insights.claims import catalog_digest
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft_schemas import Usage, Writer
from riskmetrics.insights.fact_types import label_for, source_columns
from riskmetrics.insights.plan import LEADING_TYPE, Plan, prune
from riskmetrics.insights.prompts import build_prompt
from riskmetrics.insights.request import Request, most_severe
from riskmetrics.insights.severity import thresholds_version
from riskmetrics.insights.templates import Anonymization, canonical_json

RULES_PROVIDER, RULES_VERSION = "rules", "rules-v9"
"""Provider and model of the plans of the rules."""

RULES_NOTICE = "Planned by fixed rules, not by a language model."

FALLBACK_LIFETIME = timedelta(days=1)
"""Lifetime of a fallback by the rules; after it, the model may be called again."""

_ZERO_USAGE = Usage(0, 0, Decimal(0))

Key = tuple[str, str]
"""cache_key and provider, which identify an insight."""


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
        "stated": sorted(request.stated),
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
    if request.question is not None:  # an answer is as severe as what it states
        alarm = most_severe(request.claims[each] for each in generated.plan.statements())
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
    """Return the facts, the plan and the text of its claims, sufficient to verify them again.

    Of the leading note also what needs attention, whatever it states.
    """
    sheet = request.sheet
    names, seed = realize.display_names(sheet), realize.note_seed(sheet)
    stated = filter(None, (plan.headline, *plan.statements(), *plan.recommendations))
    is_leading = request.insight_type == LEADING_TYPE and request.question is None
    attention = {"attention": attention_texts(sheet, request.news)} if is_leading else {}
    return attention | {
        "portfolio": sheet.portfolio,
        "facts": [fact.record for fact in sheet.facts.values()],
        "aliases": sheet.aliases,
        "missing": sheet.missing,
        "limits": sheet.limits,
        "plan": plan.model_dump(),
        "claims": {
            each: realize.realize_claim(request.claims[each], names, seed) for each in stated
        },
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
