"""Insights by a model that costs: repeated where they are stored, asked for singly or many together, the rules standing in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import batches as stored_batches
from riskmetrics.db import insight_cache
from riskmetrics.db import insights as stored
from riskmetrics.insights import batches, facts, pipeline
from riskmetrics.insights.batches import WORTH_A_BATCH, Collected, Wanted
from riskmetrics.insights.claude import NOTHING, Claude, subject
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft import Answer, Draft, Prompt
from riskmetrics.insights.pipeline import Request, Terms
from riskmetrics.insights.templates import BadTemplate, Template, prompt, sheet_json

AT_ONCE = 4
"""Calls under way in a process, each with a transaction that keeps others from asking the same."""

_ON_ITS_WAY = "a language model is asked for it in a batch, which takes up to a day"
_TURNS = BoundedSemaphore(AT_ONCE)


@dataclass
class _StandIn:
    """A writer that has nothing, and says why."""

    why: str
    provider: str = PROVIDER

    def write(self, prompt: Prompt) -> Answer:
        return Answer(None, self.why, NOTHING, prompt.model)

    def repair(self, prompt: Prompt, draft: Draft, complaints: Sequence[str]) -> Answer:  # noqa: ARG002  # there is no draft
        return self.write(prompt)


@dataclass
class _Asked:
    """A writer that is asked a question: it has the facts that the template needs, and looks up others itself."""

    claude: Claude
    first: str
    look_up: Mapping[str, str]
    provider: str = PROVIDER

    def write(self, prompt: Prompt) -> Answer:
        return self.claude.ask(prompt, self.first, self.look_up)

    def repair(self, prompt: Prompt, draft: Draft, complaints: Sequence[str]) -> Answer:
        return self.claude.repair(prompt, draft, complaints)


def write(claude: Claude, wanted: Sequence[Request], terms: Terms) -> Counter[str]:
    """Have insights written by the model, and stored one by one as they come; from 20 on in a batch, with rules standing meanwhile.

    Parameters
    ----------
    wanted : sequence of Request
        Those that are not stored. What is under way in a batch is not asked for again.

    Returns
    -------
    Counter
        How many were 'written', 'repeated' from another run, left 'unwritten' as there is nothing to say, or are 'waiting' for a batch.
    """
    terms, engine = replace(terms, writer=claude), claude.budget.engine
    prompts = [_prompt(request, terms) for request in wanted]
    with engine.connect() as connection:
        under_way = stored_batches.under_way(connection, [subject(each) for each in prompts if each])
    left = [at for at, each in enumerate(prompts) if each is None or subject(each) not in under_way]
    reason = _ON_ITS_WAY
    if len(left) >= WORTH_A_BATCH:
        reason = batches.send(claude, [_wanted(wanted[at], each) for at in left if (each := prompts[at])]) or _ON_ITS_WAY
        left = []
    waiting = [request for at, request in enumerate(wanted) if at not in left]
    stand_in = replace(terms, writer=_StandIn(reason))
    with engine.begin() as connection:
        stored.store(connection, list(pipeline.rows(waiting, stand_in, ())))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = Counter(pool.map(lambda at: write_one(engine, wanted[at], terms), left))
    return done + Counter(waiting=len(waiting))


def write_one(engine: sa.Engine, request: Request, terms: Terms) -> str:
    """Write an insight, or repeat the one that another run has written for the same facts; whoever wants the same meanwhile waits.

    Returns
    -------
    str
        'written', 'repeated', or 'unwritten' as there is nothing to say.
    """
    if isinstance(terms.writer, Claude) and request.question is not None:
        terms = replace(terms, writer=_asked(terms.writer, request, terms))
    key = pipeline.key(request, terms)
    with _TURNS, engine.begin() as connection:
        insight_cache.lock(connection, *key)
        source = insight_cache.unexpired(connection, *key)
        if source is not None:
            insight_cache.repeat(connection, source, terms.run_id)
            return "repeated"
        rows = list(pipeline.rows([request], terms, ()))
        stored.store(connection, rows)
    return "written" if rows else "unwritten"


def collect(claude: Claude, terms: Terms) -> int:
    """Store the insights of batches that have ended, for the facts as they are now; returns how many batches were closed."""

    def store(collected: Collected, asked: Sequence[stored_batches.Request]) -> None:
        expected = {(str(each.portfolio_id), each.day, each.insight_type) for each in asked}
        answered, days = replace(terms, writer=collected), sorted({each.day for each in asked})
        with claude.budget.engine.connect() as connection:
            known = stored.known(connection, days)
            templates = [Template.of(row) for row in stored.active_templates(connection)]
            sheets = [sheet for day in days for sheet in facts.sheets(connection, [day])]
        for request in pipeline.requests(sheets, templates):
            wanted = (request.sheet.portfolio_id, request.sheet.day, request.insight_type) in expected
            if wanted and pipeline.key(request, answered) not in known:
                write_one(claude.budget.engine, request, answered)

    return batches.collect(claude, store)


def _prompt(request: Request, terms: Terms) -> Prompt | None:
    """What would be sent; None: the template cannot be rendered, which its insight will say."""
    with suppress(BadTemplate):
        return prompt(request.template, request.sheet, request.template.model_preference or terms.model, terms.disclose, request.question)
    return None


def _wanted(request: Request, asked: Prompt) -> Wanted:
    return Wanted(asked, UUID(request.sheet.portfolio_id), request.sheet.day, request.insight_type)


def _asked(claude: Claude, request: Request, terms: Terms) -> _Asked:
    """Divide the facts: those that the template needs are sent, the others may be looked up."""
    template = request.template
    by_provider = {name: _part(request, {name}, terms) for name in template.optional}
    return _Asked(claude, _part(request, {*template.required, "severity"}, terms), by_provider)


def _part(request: Request, providers: set[str], terms: Terms) -> str:
    kept = {fact.id: fact for fact in request.sheet.facts.values() if fact.kind.provider in providers}
    return sheet_json(replace(request.sheet, facts=kept), terms.disclose)
