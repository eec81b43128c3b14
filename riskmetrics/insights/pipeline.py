"""From facts to rows of `ai_insights`: cache key, a writer if there is one, the verifier, one repair, the renderer; else the rules."""

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
from riskmetrics.insights.draft import Draft, Usage, Writer
from riskmetrics.insights.facts import Sheet
from riskmetrics.insights.kinds import named, sources
from riskmetrics.insights.templates import Disclosure, Template, canonical, prompt

FALLBACK_EXPIRES = timedelta(days=1)
"""How long rules stand where a model was asked for in vain: after that it may be asked again."""

_NOTHING = Usage(0, 0, Decimal(0))

Key = tuple[str, str]
"""cache_key and provider: what identifies an insight that repeats no other."""


@dataclass(frozen=True)
class Request:
    """An insight that is wanted."""

    template: Template
    sheet: Sheet
    """With the facts of the template's providers."""
    question: str | None = None

    @property
    def insight_type(self) -> str:
        """What is wanted."""
        return self.template.insight_type


@dataclass(frozen=True)
class Terms:
    """What is the same for all insights of a run."""

    writer: Writer | None = None
    """None: the rules write."""
    model: str = ""
    """Of the writer; a template may prefer another."""
    disclose: Disclosure = "aliases"
    run_id: str | None = None
    code_version: str = ""


@dataclass(frozen=True)
class _Written:
    draft: Draft
    outcome: str
    """verified, repaired or fallback."""
    provider: str
    model: str
    usage: Usage
    reason: str | None = None
    """Why rules stand where a model was asked for."""


def requests(sheets: Sequence[Sheet], templates: Sequence[Template], question: str | None = None) -> Iterator[Request]:
    """Yield what can be written: of every sheet each type of which the needed facts are there; a hedge only where there is one."""
    for sheet in sheets:
        there = {fact.kind.provider for fact in sheet.facts.values()}
        for template in templates:
            shorts = sheet.facts.get("num_short_positions")
            hedged = template.insight_type != "hedge_quality" or (shorts is not None and shorts.value != 0)
            if hedged and there.issuperset(template.required):
                yield Request(template, sheet.of(template.insight_type, template.providers), question)


def cache_key(request: Request, terms: Terms, provider: str, model: str) -> str:
    """Return sha256 hex of all that a text depends on."""
    sheet = request.sheet
    of = {
        "type": request.insight_type,
        "portfolio": sheet.portfolio,
        "day": sheet.day.isoformat(),
        "facts": sheet.digest,
        "template": request.template.digest,
        "provider": provider,
        "model": model,
        "disclose": terms.disclose if provider != rules.PROVIDER else "",
        "question": request.question,
        "versions": [verify.version(), render.VERSION],
    }
    return sha256(canonical(of).encode()).hexdigest()


def key(request: Request, terms: Terms) -> Key:
    """Return what the insight will be known by if its writer answers."""
    if terms.writer is None:
        return cache_key(request, terms, rules.PROVIDER, rules.model()), rules.PROVIDER
    model = request.template.model_preference or terms.model
    return cache_key(request, terms, terms.writer.provider, model), terms.writer.provider


def unworded(wanted: Sequence[Request], terms: Terms, known: Collection[Key]) -> list[Request]:
    """Return the requests that no model has worded for the same facts: what a model has said is not followed by rules."""
    keyed = ((request, request.template.model_preference or terms.model) for request in wanted)
    return [request for request, model in keyed if (cache_key(request, terms, PROVIDER, model), PROVIDER) not in known]


def rows(wanted: Sequence[Request], terms: Terms, known: Collection[Key]) -> Iterator[dict[str, Any]]:
    """Yield a row of `ai_insights` for every request whose key is not among the known ones, and of which there is something to say."""
    for request in wanted:
        if key(request, terms) not in known and (found := row(request, terms)) is not None:
            yield found


def row(request: Request, terms: Terms) -> dict[str, Any] | None:
    """Write one insight, by the writer or by the rules that stand in for it; what goes wrong is in its data_quality.

    None: too many of its facts have no value for the rules to say anything.
    """
    started = time.perf_counter()
    written = _write(request, terms)
    if written is None:
        return None
    sheet, fallback = request.sheet, written.outcome == "fallback"
    asked = terms if not fallback else Terms(code_version=terms.code_version)
    model = written.model if fallback or terms.writer is None else (request.template.model_preference or terms.model)
    text = render.render(written.draft, sheet, _limits(request, written.provider))
    return {
        "portfolio_id": sheet.portfolio_id,
        "day": sheet.day,
        "insight_type": request.insight_type,
        "severity": sheet.severity.level if sheet.severity else "info",
        **text._asdict(),
        "context_data": context(sheet, written.draft),
        "data_quality": _quality(request, terms, written),
        "focus_area": sheet.severity.focus.replace("_", " ") if sheet.severity and sheet.severity.focus else None,
        "user_question": request.question,
        "model_used": written.model[:50],
        "provider": written.provider,
        "prompt_version": request.template.version,
        "cost_usd": written.usage.cost,
        "generation_time_ms": round((time.perf_counter() - started) * 1000, 2),
        "token_count_input": written.usage.input_tokens,
        "token_count_output": written.usage.output_tokens,
        "tool_calls_count": written.usage.tool_calls,
        "cache_key": cache_key(request, asked, written.provider, model),
        "expires_at": datetime.now(UTC) + FALLBACK_EXPIRES if fallback else None,
        "run_id": terms.run_id,
    }


def context(sheet: Sheet, draft: Draft) -> dict[str, Any]:
    """Return what a text was made of, enough to check it again."""
    facts = [fact.record for fact in sheet.facts.values()]
    return {"portfolio": sheet.portfolio, "facts": facts, "called": sheet.called, "missing": sheet.missing, "draft": draft.model_dump()}


def _write(request: Request, terms: Terms) -> _Written | None:
    usage, reason = _NOTHING, None
    if terms.writer is not None:
        found: _Written | tuple[Usage, str]
        try:
            found = _ask(request, terms, terms.writer)
        except RiskmetricsError as error:
            found = _NOTHING, str(error)
        except Exception as error:  # noqa: BLE001  # whatever a writer does, the risk run goes on; its text may hold secrets
            found = Usage(0, 0, None), f"the writer failed: {type(error).__name__}"  # perhaps after it was paid
        if isinstance(found, _Written):
            return found
        usage, reason = found
    draft = rules.write(request.insight_type, request.sheet)
    if not (draft.summary and draft.findings):
        return None
    if wrong := verify.complaints(draft, request.sheet):
        raise RiskmetricsError(f"the rules wrote what does not hold: {wrong[0]}")
    return _Written(draft, "fallback" if reason else "verified", rules.PROVIDER, rules.model(), usage, reason)


def _ask(request: Request, terms: Terms, writer: Writer) -> _Written | tuple[Usage, str]:
    """Let the writer answer, and once more if its draft does not hold; else what it cost, and why there is no draft."""
    model = request.template.model_preference or terms.model
    question = prompt(request.template, request.sheet, model, terms.disclose, request.question)
    answer = writer.write(question)
    usage = answer.usage
    for outcome in ("verified", "repaired"):
        if answer.draft is None:
            return usage, answer.problem or "the model gave no draft"
        wrong = verify.complaints(answer.draft, request.sheet)
        if not wrong:
            return _Written(answer.draft, outcome, writer.provider, answer.model, usage)
        if outcome == "verified":
            answer = writer.repair(question, answer.draft, wrong)
            usage += answer.usage
    return usage, f"the draft was refused twice, last for: {wrong[0]}"


def _limits(request: Request, provider: str) -> str:
    """Say who wrote it, what is in sample and what has no value of that which the insight is about."""
    sheet = request.sheet
    said = [rules.LIMITS] if provider == rules.PROVIDER else []
    if any(fact.quality == "in sample" for fact in sheet.facts.values()):
        said.append("The volatility model was fitted on data that reach past this day.")
    said += [f"{text[0].upper()}{text[1:]}." for text in sheet.caveats]
    needed = sources(request.template.required)
    said += [f"The {named(metric)} has no value: {reason}." for metric, reason in sheet.missing.items() if metric in needed]
    return " ".join(said)


def _quality(request: Request, terms: Terms, written: _Written) -> dict[str, Any]:
    """How complete the facts are, by provider, and what the verifier made of the draft."""
    facts = request.sheet.facts.values()
    counts = Counter(fact.kind.provider for fact in facts)
    providers = {name: {"facts": counts[name], "needed": name in request.template.required} for name in request.template.providers}
    coverage = {fact.kind.name: fact.value for fact in facts if fact.kind.name in ("price_coverage", "beta_coverage")}
    found: Mapping[str, Any] = {
        "outcome": written.outcome,
        "verifier": verify.version(),
        "renderer": render.VERSION,
        "thresholds": request.sheet.severity.version if request.sheet.severity else None,
        "facts_digest": request.sheet.digest,
        "providers": providers,
        "coverage": coverage,
        "undefined": len(request.sheet.missing),
        "code_version": terms.code_version,
        "fallback_reason": written.reason,
    }
    return dict(found)
