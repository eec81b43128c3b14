"""Many prompts at once, at half the price: sent together, answered within a day, and paid for once whatever dies in between.

A batch is stored before it is sent, each request under an id of ours. Where the process dies, or the connection, before the vendor's id is
stored too, the vendor's list tells whether it arrived.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import anthropic
import sqlalchemy as sa

from riskmetrics.db import batches, spending
from riskmetrics.db.batches import Batch, Request
from riskmetrics.insights.budget import Refused
from riskmetrics.insights.claude import (
    FAULTS,
    NOTHING,
    Claude,
    Reply,
    call_before,
    counted,
    estimate,
    failed,
    opening,
    read,
    request,
    subject,
)
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft import Answer, Draft, Prompt

WORTH_A_BATCH = 20
"""Insights in a run from which on they are sent together."""

_ARRIVES_WITHIN = timedelta(minutes=10)
"""After which a batch that the vendor does not list was never sent."""

_KEPT = timedelta(days=29)
"""For which the vendor keeps answers."""

_SKEW = timedelta(hours=1)
"""By which the vendor's clock may be behind."""


class Wanted(NamedTuple):
    """A prompt, and what its answer is for."""

    prompt: Prompt
    portfolio_id: UUID
    day: date
    insight_type: str


Store = Callable[["Collected", Sequence[Request]], None]
"""Writes the insights that were asked for with what was answered; done twice, it changes nothing more."""


@dataclass
class Collected:
    """A writer with the answers of a batch; a repair is asked for singly."""

    answers: Mapping[str, Reply]
    claude: Claude
    provider: str = PROVIDER

    def write(self, prompt: Prompt) -> Answer:
        """Return what was answered to the same prompt."""
        reply = self.answers.get(subject(prompt), Reply(None, "the facts have changed since they were sent in a batch", NOTHING))
        return read(prompt, reply, reply.usage)

    def repair(self, prompt: Prompt, draft: Draft, complaints: Sequence[str]) -> Answer:
        """Ask for it now: another day is not worth the half price."""
        return self.claude.repair(prompt, draft, complaints)


def send(claude: Claude, wanted: Sequence[Wanted]) -> str | None:
    """Send prompts together, as far as the budget allows, but for those whose answers are waited for.

    Returns
    -------
    str or None
        Why nothing was sent, or not all; None: all is on its way.
    """
    batch, refusal = uuid4(), None
    asked: dict[Request, Prompt] = {}
    with claude.budget.engine.begin() as connection:
        batches.lock(connection)
        waiting = batches.under_way(connection, [subject(each.prompt) for each in wanted])
        for number, each in enumerate(each for each in wanted if subject(each.prompt) not in waiting):
            price = estimate(each.prompt, batch=True)
            allowed = claude.budget.reserve(subject(each.prompt), each.prompt.model, price.most if price else None)
            if isinstance(allowed, Refused):
                refusal = allowed.reason
            else:
                asked[Request(f"{batch.hex}-{number}", subject(each.prompt), allowed.row, *each[1:])] = each.prompt
        if asked:
            batches.add(connection, batch, claude.budget.run_id, list(asked))
    return (_send(claude, batch, asked) if asked else None) or refusal


def _send(claude: Claude, batch: UUID, asked: Mapping[Request, Prompt]) -> str | None:
    bodies = [{"custom_id": each.custom_id, "params": request(prompt, opening(prompt))} for each, prompt in asked.items()]
    once = claude.client.with_options(max_retries=0)  # a repeated call could make a second batch
    try:
        created = call_before(
            claude.ends(),
            lambda: once.messages.batches.create(requests=bodies),  # type: ignore[arg-type]
        )
        vendor_id = created.id
        if not isinstance(vendor_id, str):
            return failed(ValueError()).problem
    except FAULTS as error:
        problem, refused = failed(error), isinstance(error, anthropic.APIStatusError) and error.status_code < 500
        if refused or (problem.usage == NOTHING and not isinstance(error, anthropic.APIStatusError)):
            with claude.budget.engine.begin() as connection:
                _give_up(connection, batch)
        return problem.problem
    with claude.budget.engine.begin() as connection:
        batches.name(connection, batch, vendor_id)
    return None


def ended(claude: Claude) -> list[Batch]:
    """The batches whose answers may be fetched: those that have ended, and those of which nobody knows whether they arrived."""
    with claude.budget.engine.connect() as connection:
        open_batches = batches.waited_for(connection)
    return [each for each in open_batches if each.vendor_id is None or _age(each) > _KEPT or _has_ended(claude, each.vendor_id)]


def collect(claude: Claude, store: Store) -> int:
    """Fetch the answers of batches that have ended, and hand them on; returns how many batches were closed.

    What is handed on is stored before its batch is closed, and what it cost is counted once: a process that dies in between leaves
    the batch to the next one. While one collects, another passes it by.
    """
    closed = 0
    for batch in ended(claude):
        with claude.budget.engine.begin() as connection:
            if batches.take(connection, batch.id):
                closed += _collect(claude, connection, batch, store)
    return closed


def _collect(claude: Claude, connection: sa.Connection, batch: Batch, store: Store) -> bool:
    if _age(batch) > _KEPT:
        return _give_up(connection, batch.id)
    try:
        vendor_id = batch.vendor_id or _found(claude, connection, batch)
        if vendor_id is None:
            return _age(batch) > _ARRIVES_WITHIN and _give_up(connection, batch.id)
        batches.name(connection, batch.id, vendor_id)
        replies = dict(_replies(claude, vendor_id)) if _has_ended(claude, vendor_id) else None
    except FAULTS:
        return False  # the next poll asks again
    if replies is None:
        return False
    asked = batches.requests(connection, batch.id)
    answers = {each.subject: replies.get(each.custom_id, Reply(None, "the batch ended without an answer", NOTHING)) for each in asked}
    store(Collected(answers, claude), asked)
    for each in asked:
        usage = answers[each.subject].usage
        spending.settle(connection, each.spend_id, usage.cost, usage.input_tokens, usage.output_tokens)
    batches.close(connection, batch.id)
    return True


def _give_up(connection: sa.Connection, batch: UUID) -> bool:
    """Close a batch that never arrived, or whose answers are gone."""
    for each in batches.requests(connection, batch):
        spending.settle(connection, each.spend_id, NOTHING.cost, 0, 0)
    batches.close(connection, batch)
    return True


def _age(batch: Batch) -> timedelta:
    return datetime.now(UTC) - batch.created_at


def _has_ended(claude: Claude, vendor_id: str) -> bool:
    """Whether the vendor says so; a fault says nothing."""
    try:
        found = call_before(claude.ends(), lambda: claude.client.messages.batches.retrieve(vendor_id))
        return found.processing_status == "ended"
    except FAULTS:
        return False


def _found(claude: Claude, connection: sa.Connection, batch: Batch) -> str | None:
    """The vendor's id of a batch that was sent and not named: the one whose answers have its ids.

    Raises
    ------
    ValueError
        If a batch that nobody knows is still being worked on: it may be this one.
    """
    listed = call_before(claude.ends(), lambda: claude.client.messages.batches.list(limit=100).data)
    recent = [each for each in listed if each.created_at > batch.created_at - _SKEW]
    known = batches.known(connection, [each.id for each in recent])
    strangers = [each for each in recent if each.id not in known]
    for stranger in strangers:
        if stranger.processing_status != "ended":
            raise ValueError("a batch that is being worked on may be the one that is looked for")
        if any(custom_id.startswith(batch.id.hex) for custom_id, _ in _replies(claude, stranger.id)):
            return stranger.id
    return None


def _replies(claude: Claude, vendor_id: str) -> Iterator[tuple[str, Reply]]:
    """Each answer by its id; what is errored, canceled or expired costs nothing."""
    results = claude.client.messages.batches.results
    for line in call_before(claude.ends(), lambda: list(results(vendor_id))):
        if line.result.type == "succeeded":
            message = line.result.message
            yield line.custom_id, counted(message, str(message.model), batch=True)
        else:
            yield line.custom_id, Reply(None, f"the batch ended without an answer ({line.result.type})", NOTHING)
