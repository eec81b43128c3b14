"""Insights by a paid model: cached, single or batched, with the rules as a fallback."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from threading import BoundedSemaphore
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import batch_store as stored_batches
from riskmetrics.db import insight_cache, insight_store
from riskmetrics.insights import fact_reading, message_batches, pipeline
from riskmetrics.insights.claims import Claim
from riskmetrics.insights.claude import Claude, prompt_digest
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft_schemas import Answer, Prompt
from riskmetrics.insights.message_batches import MIN_BATCH_SIZE, BatchPrompt, BatchWriter
from riskmetrics.insights.model_replies import ZERO_USAGE
from riskmetrics.insights.pipeline import GenerationContext
from riskmetrics.insights.prompts import build_prompt, claims_json, visible_names
from riskmetrics.insights.request import Request, writable_requests
from riskmetrics.insights.templates import Template, TemplateRenderError

_FIRST_CLAIMS = 12
"""Claims that are sent with a question, besides those that the rules answer with; the others can be
looked up by topic.
"""

MAX_CONCURRENT_CALLS = 4
"""Concurrent calls of a process; each holds a transaction that locks its insight."""

_IN_BATCH_REASON = "waiting for a batch of the language model, which takes up to a day"
_CALL_SLOTS = BoundedSemaphore(MAX_CONCURRENT_CALLS)


@dataclass
class _UnavailableWriter:
    """A writer without drafts, with a reason."""

    reason: str
    provider: str = PROVIDER

    def write(self, prompt: Prompt) -> Answer:
        return Answer(None, self.reason, ZERO_USAGE, prompt.model)


@dataclass
class _QuestionWriter:
    """A writer that answers a question: it gets some claims and can look up others."""

    claude: Claude
    first_claims: str
    claims_by_topic: Mapping[str, str]
    provider: str = PROVIDER

    def write(self, prompt: Prompt) -> Answer:
        return self.claude.ask(prompt, self.first_claims, self.claims_by_topic)


def write_insights(
    claude: Claude, requests: Sequence[Request], run_context: GenerationContext
) -> Counter[str]:
    """Write insights with the model and store each at once; from 20, send a batch instead.

    While a batch is pending, the insights of the rules are stored.

    Parameters
    ----------
    requests : sequence of Request
        Insights that are not stored. Those pending in a batch are not requested again.

    Returns
    -------
    Counter
        Numbers of insights 'written', 'from_cache' of another run, 'unwritten' for lack of facts,
        and 'in_batch'.
    """
    run_context, engine = replace(run_context, writer=claude), claude.budget.engine
    prompts = [_prompt_or_none(request, run_context) for request in requests]
    with engine.connect() as connection:
        under_way = stored_batches.pending_prompts(
            connection, [prompt_digest(each) for each in prompts if each]
        )
    remaining = [
        at
        for at, each in enumerate(prompts)
        if each is None or prompt_digest(each) not in under_way
    ]
    reason = _IN_BATCH_REASON
    if len(remaining) >= MIN_BATCH_SIZE:
        reason = (
            message_batches.send_batch(
                claude,
                [_batch_prompt(requests[at], each) for at in remaining if (each := prompts[at])],
            )
            or _IN_BATCH_REASON
        )
        remaining = []
    in_batch = [request for at, request in enumerate(requests) if at not in remaining]
    stand_in = replace(run_context, writer=_UnavailableWriter(reason))
    with engine.begin() as connection:
        insight_store.store_insights(
            connection, list(pipeline.insight_rows(in_batch, stand_in, ()))
        )
    with ThreadPoolExecutor(MAX_CONCURRENT_CALLS) as pool:
        done = Counter(
            pool.map(lambda at: write_insight(engine, requests[at], run_context), remaining)
        )
    return done + Counter(in_batch=len(in_batch))


def write_insight(engine: sa.Engine, request: Request, run_context: GenerationContext) -> str:
    """Write an insight, or copy the cached one of another run; holds a lock meanwhile.

    Returns
    -------
    str
        'written', 'from_cache', or 'unwritten' for lack of facts.
    """
    if isinstance(run_context.writer, Claude) and request.question is not None:
        run_context = replace(
            run_context, writer=_question_writer(run_context.writer, request, run_context)
        )
    key = pipeline.request_key(request, run_context)
    with _CALL_SLOTS, engine.begin() as connection:
        insight_cache.lock_insight(connection, *key)
        source = insight_cache.find_cached_insight(connection, *key)
        if source is not None:
            insight_cache.store_cached_copy(connection, source, run_context.run_id)
            return "from_cache"
        rows = list(pipeline.insight_rows([request], run_context, ()))
        insight_store.store_insights(connection, rows)
    return "written" if rows else "unwritten"


def store_batch_answers(
    claude: Claude, run_context: GenerationContext, insight_types: Collection[str]
) -> int:
    """Store insights of ended batches for the current facts; return the closed batches.

    Parameters
    ----------
    insight_types : collection of str
        Types that runs write, on which the claims of each depend.
    """

    def store(writer: BatchWriter, batch_requests: Sequence[stored_batches.BatchRequest]) -> None:
        sent_hashes = {
            (str(each.portfolio_id), each.day, each.insight_type): each.prompt_hash
            for each in batch_requests
        }
        types = {*insight_types, *(each.insight_type for each in batch_requests)}
        batch_context, days = (
            replace(run_context, writer=writer),
            sorted({each.day for each in batch_requests}),
        )
        with claude.budget.engine.connect() as connection:
            stored_keys = insight_store.read_cache_keys(connection, days)
            templates = [
                Template.from_row(row)
                for row in insight_store.read_active_templates(connection)
                if row["insight_type"] in types
            ]
            sheets = [
                sheet for day in days for sheet in fact_reading.read_sheets(connection, [day])
            ]
        for request in writable_requests(sheets, templates):
            sent = sent_hashes.get(
                (request.sheet.portfolio_id, request.sheet.day, request.insight_type)
            )
            if sent and pipeline.request_key(request, batch_context) not in stored_keys:
                own_writer = replace(writer, sent_hash=sent)
                own_context = replace(batch_context, writer=own_writer)
                write_insight(claude.budget.engine, request, own_context)

    return message_batches.collect_ended_batches(claude, store)


def _prompt_or_none(request: Request, run_context: GenerationContext) -> Prompt | None:
    """Return the prompt; None if the template cannot be rendered, which its insight reports."""
    with suppress(TemplateRenderError):
        model = request.template.model_preference or run_context.model
        return build_prompt(request, model, run_context.anonymization)
    return None


def _batch_prompt(request: Request, model_prompt: Prompt) -> BatchPrompt:
    return BatchPrompt(
        model_prompt, UUID(request.sheet.portfolio_id), request.sheet.day, request.insight_type
    )


def _question_writer(
    claude: Claude, request: Request, run_context: GenerationContext
) -> _QuestionWriter:
    """Return a writer that is sent the first claims and can look up those of a topic."""
    names = visible_names(request.sheet.aliases, run_context.anonymization)
    answering = len(request.plan.statements()) if request.plan else 0
    salient = dict(islice(request.claims.items(), answering + _FIRST_CLAIMS))
    by_topic: dict[str, dict[str, Claim]] = defaultdict(dict)
    for claim in request.claims.values():
        by_topic[claim.form.topic][claim.id] = claim
    return _QuestionWriter(
        claude,
        claims_json(salient, request.claims, names),
        {
            topic: claims_json(chosen, request.claims, names)
            for topic, chosen in sorted(by_topic.items())
        },
    )
