"""Pipeline from facts to rows of `ai_insights`: write, verify, repair once, render.

Without a writer, or if it fails, the rules write.
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
from riskmetrics.insights import render, rules, verify
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft_schemas import Draft, Usage, Writer
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import label_for, source_columns
from riskmetrics.insights.templates import Anonymization, Template, build_prompt, canonical_json

FALLBACK_LIFETIME = timedelta(days=1)
"""Lifetime of a fallback by the rules; after it, the model may be called again."""

_ZERO_USAGE = Usage(0, 0, Decimal(0))

Key = tuple[str, str]
"""cache_key and provider, which identify an insight."""


@dataclass(frozen=True)
class Request:
    """A request for an insight."""

    template: Template
    sheet: Sheet
    """Fact sheet limited to the template's providers."""
    question: str | None = None

    @property
    def insight_type(self) -> str:
        """Type of the requested insight."""
        return self.template.insight_type


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
class _GeneratedDraft:
    draft: Draft
    outcome: str
    """verified, repaired or fallback."""
    provider: str
    model: str
    usage: Usage
    reason: str | None = None
    """Why the rules replaced the model."""


def writable_requests(
    sheets: Sequence[Sheet], templates: Sequence[Template], question: str | None = None
) -> Iterator[Request]:
    """Yield requests for all sheets and templates whose required facts exist.

    hedge_quality requires short positions.
    """
    for sheet in sheets:
        available_providers = {fact.fact_type.provider for fact in sheet.facts.values()}
        for template in templates:
            shorts = sheet.facts.get("num_short_positions")
            is_applicable = template.insight_type != "hedge_quality" or (
                shorts is not None and shorts.value != 0
            )
            if is_applicable and available_providers.issuperset(template.required_providers):
                yield Request(
                    template,
                    sheet.select_facts(template.insight_type, template.providers),
                    question,
                )


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
        "anonymization": run_context.anonymization if provider != rules.PROVIDER else "",
        "question": request.question,
        "versions": [verify.verifier_version(), render.VERSION],
    }
    return sha256(canonical_json(parts).encode()).hexdigest()


def request_key(request: Request, run_context: GenerationContext) -> Key:
    """Return the key of the insight if its writer succeeds."""
    if run_context.writer is None:
        return (
            cache_key(request, run_context, rules.PROVIDER, rules.rules_version()),
            rules.PROVIDER,
        )
    model = request.template.model_preference or run_context.model
    return (
        cache_key(request, run_context, run_context.writer.provider, model),
        run_context.writer.provider,
    )


def without_model_text(
    requests: Sequence[Request], run_context: GenerationContext, stored_keys: Collection[Key]
) -> list[Request]:
    """Return the requests without a stored model text for the same facts.

    The rules do not replace the text of a model.
    """
    keyed = (
        (request, request.template.model_preference or run_context.model) for request in requests
    )
    return [
        request
        for request, model in keyed
        if (cache_key(request, run_context, PROVIDER, model), PROVIDER) not in stored_keys
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
    text = render.render(generated.draft, sheet, _limitations(request, generated.provider))
    return {
        "portfolio_id": sheet.portfolio_id,
        "day": sheet.day,
        "insight_type": request.insight_type,
        "severity": sheet.severity.level if sheet.severity else "info",
        **text._asdict(),
        "context_data": stored_context(sheet, generated.draft),
        "data_quality": _data_quality(request, run_context, generated),
        "focus_area": (
            sheet.severity.focus.replace("_", " ")
            if sheet.severity and sheet.severity.focus
            else None
        ),
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


def stored_context(sheet: Sheet, draft: Draft) -> dict[str, Any]:
    """Return the facts and the draft of a text, sufficient to verify it again."""
    facts = [fact.record for fact in sheet.facts.values()]
    return {
        "portfolio": sheet.portfolio,
        "facts": facts,
        "aliases": sheet.aliases,
        "missing": sheet.missing,
        "draft": draft.model_dump(),
    }


def _generate(request: Request, run_context: GenerationContext) -> _GeneratedDraft | None:
    usage, reason = _ZERO_USAGE, None
    if run_context.writer is not None:
        found: _GeneratedDraft | tuple[Usage, str]
        try:
            found = _generate_with_writer(request, run_context, run_context.writer)
        except RiskmetricsError as error:
            found = _ZERO_USAGE, str(error)
        except Exception as error:  # noqa: BLE001  # a writer must not fail the risk run
            # the type only, as the message may contain secrets; the call may have been charged
            found = Usage(0, 0, None), f"the writer failed: {type(error).__name__}"
        if isinstance(found, _GeneratedDraft):
            return found
        usage, reason = found
    draft = rules.write_draft(request.insight_type, request.sheet)
    if not (draft.summary and draft.findings):
        return None
    if wrong := verify.find_violations(draft, request.sheet):
        raise RiskmetricsError(f"the rules wrote an invalid draft: {wrong[0]}")
    return _GeneratedDraft(
        draft,
        "fallback" if reason else "verified",
        rules.PROVIDER,
        rules.rules_version(),
        usage,
        reason,
    )


def _generate_with_writer(
    request: Request, run_context: GenerationContext, writer: Writer
) -> _GeneratedDraft | tuple[Usage, str]:
    """Return the verified draft of the writer after at most one repair, or usage and reason."""
    model = request.template.model_preference or run_context.model
    model_prompt = build_prompt(
        request.template, request.sheet, model, run_context.anonymization, request.question
    )
    answer = writer.write(model_prompt)
    usage = answer.usage
    for outcome in ("verified", "repaired"):
        if answer.draft is None:
            return usage, answer.problem or "the model returned no draft"
        wrong = verify.find_violations(answer.draft, request.sheet)
        if not wrong:
            return _GeneratedDraft(answer.draft, outcome, writer.provider, answer.model, usage)
        if outcome == "verified":
            answer = writer.repair(model_prompt, answer.draft, wrong)
            usage += answer.usage
    return usage, f"the draft was rejected twice; last reason: {wrong[0]}"


def _limitations(request: Request, provider: str) -> str:
    """Return the limitations: author, in-sample forecasts, caveats and undefined facts."""
    sheet = request.sheet
    sentences = [rules.RULES_NOTICE] if provider == rules.PROVIDER else []
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
    request: Request, run_context: GenerationContext, generated: _GeneratedDraft
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
        "verifier": verify.verifier_version(),
        "renderer": render.VERSION,
        "thresholds": request.sheet.severity.version if request.sheet.severity else None,
        "facts_digest": request.sheet.digest,
        "providers": providers,
        "coverage": coverage,
        "undefined": len(request.sheet.missing),
        "code_version": run_context.code_version,
        "fallback_reason": generated.reason,
    }
    return dict(found)
