"""Message batches: prompts at half the price, answered within a day and paid for once.

A batch is stored before it is sent, each request with our own id. If the process or the connection
fails before the vendor's id is stored, the vendor's list of batches shows whether it arrived.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID, uuid4

import anthropic
import sqlalchemy as sa

from riskmetrics.db import batch_store, spending
from riskmetrics.db.batch_store import Batch, BatchRequest
from riskmetrics.insights.budget import BudgetRefusal
from riskmetrics.insights.claude import (
    Claude,
    call_with_deadline,
    estimate_price,
    opening_turns,
    prompt_digest,
    request_body,
)
from riskmetrics.insights.cost import PROVIDER
from riskmetrics.insights.draft_schemas import Answer, Prompt
from riskmetrics.insights.model_replies import (
    CALL_ERRORS,
    ZERO_USAGE,
    Reply,
    failure_reply,
    read_answer,
    reply_with_cost,
)

MIN_BATCH_SIZE = 20
"""Number of insights of a run from which they are sent as a batch."""

_ARRIVAL_TIMEOUT = timedelta(minutes=10)
"""Age from which a batch that the vendor does not list was never received."""

_RESULT_RETENTION = timedelta(days=29)
"""Time for which the vendor keeps results."""

_MAX_CLOCK_SKEW = timedelta(hours=1)
"""Tolerance for a vendor clock that runs behind."""

_PAGE_SIZE = 100
"""Batches that the vendor lists at once."""


class BatchPrompt(NamedTuple):
    """A prompt with the insight that it is for."""

    prompt: Prompt
    portfolio_id: UUID
    day: date
    insight_type: str


StoreAnswers = Callable[["BatchWriter", Sequence[BatchRequest]], None]
"""Stores the requested insights from the answers of a batch; idempotent."""


@dataclass
class BatchWriter:
    """A writer with the answers of a batch."""

    answers: Mapping[str, Reply]
    claude: Claude
    provider: str = PROVIDER
    sent_hash: str = ""
    """Digest of the prompt that was sent for the insight, whose answer was paid for."""

    def write(self, prompt: Prompt) -> Answer:
        """Return the batch's answer to the same prompt; another one is not used, but counted."""
        reply = self.answers.get(prompt_digest(prompt))
        if reply is None:
            unused = self.answers.get(self.sent_hash)
            usage = unused.usage if unused else ZERO_USAGE
            reply = Reply(None, "the facts or the template changed after the batch was sent", usage)
        return read_answer(prompt, reply, reply.usage)


def send_batch(claude: Claude, prompts: Sequence[BatchPrompt]) -> str | None:
    """Send prompts as a batch within the budget, except those that are pending.

    Returns
    -------
    str or None
        Why some or all prompts were not sent; None if all are pending.
    """
    batch, refusal = uuid4(), None
    sent_prompts: dict[BatchRequest, Prompt] = {}
    with claude.budget.engine.begin() as connection:
        batch_store.lock_batches(connection)
        pending = batch_store.pending_prompts(
            connection, [prompt_digest(each.prompt) for each in prompts]
        )
        for number, each in enumerate(
            each for each in prompts if prompt_digest(each.prompt) not in pending
        ):
            price = estimate_price(each.prompt, batch=True)
            reservation = claude.budget.reserve(
                prompt_digest(each.prompt), each.prompt.model, price.maximum if price else None
            )
            if isinstance(reservation, BudgetRefusal):
                refusal = reservation.reason
            else:
                sent_prompts[
                    BatchRequest(
                        f"{batch.hex}-{number}",
                        prompt_digest(each.prompt),
                        reservation.spend_id,
                        *each[1:],
                    )
                ] = each.prompt
        if sent_prompts:
            batch_store.add_batch(connection, batch, claude.budget.run_id, list(sent_prompts))
    return (_submit_batch(claude, batch, sent_prompts) if sent_prompts else None) or refusal


def _submit_batch(
    claude: Claude, batch: UUID, sent_prompts: Mapping[BatchRequest, Prompt]
) -> str | None:
    bodies = [
        {"custom_id": each.custom_id, "params": request_body(prompt, opening_turns(prompt))}
        for each, prompt in sent_prompts.items()
    ]
    # a retry could create a second batch
    client_without_retries = claude.client.with_options(max_retries=0)
    try:
        created = call_with_deadline(
            claude.deadline_for(),
            lambda: client_without_retries.messages.batches.create(requests=bodies),  # type: ignore[arg-type]
        )
        vendor_id = created.id
        if not isinstance(vendor_id, str):
            return failure_reply(ValueError()).problem
    except CALL_ERRORS as error:
        problem, refused = (
            failure_reply(error),
            isinstance(error, anthropic.APIStatusError) and error.status_code < 500,
        )
        if refused or (
            problem.usage == ZERO_USAGE and not isinstance(error, anthropic.APIStatusError)
        ):
            with claude.budget.engine.begin() as connection:
                _close_unanswered(connection, batch)
        return problem.problem
    with claude.budget.engine.begin() as connection:
        batch_store.set_vendor_id(connection, batch, vendor_id)
    return None


def find_ended_batches(claude: Claude) -> list[Batch]:
    """Return batches to collect: ended, past retention, or without a vendor id."""
    with claude.budget.engine.connect() as connection:
        open_batches = batch_store.read_open_batches(connection)
    return [
        each
        for each in open_batches
        if each.vendor_id is None
        or _age(each) > _RESULT_RETENTION
        or _has_ended(claude, each.vendor_id)
    ]


def collect_ended_batches(claude: Claude, store: StoreAnswers) -> int:
    """Fetch and store the answers of ended batches; return the number of closed batches.

    Answers are stored before the batch is closed, and their cost is counted once, so that another
    process can continue after a failure. A batch that another process collects is skipped.
    """
    closed = 0
    for batch in find_ended_batches(claude):
        with claude.budget.engine.begin() as connection:
            if batch_store.claim_batch(connection, batch.id):
                closed += _collect_batch(claude, connection, batch, store)
    return closed


def _collect_batch(
    claude: Claude, connection: sa.Connection, batch: Batch, store: StoreAnswers
) -> bool:
    if _age(batch) > _RESULT_RETENTION:
        return _close_unanswered(connection, batch.id)
    try:
        vendor_id = batch.vendor_id or _find_vendor_id(claude, connection, batch)
        if vendor_id is None:
            return _age(batch) > _ARRIVAL_TIMEOUT and _close_unanswered(connection, batch.id)
        batch_store.set_vendor_id(connection, batch.id, vendor_id)
        replies = dict(_replies(claude, vendor_id)) if _has_ended(claude, vendor_id) else None
    except CALL_ERRORS:
        return False  # retried by the next poll
    if replies is None:
        return False
    requests = batch_store.read_requests(connection, batch.id)
    answers = {
        each.prompt_hash: replies.get(
            each.custom_id, Reply(None, "the batch ended without an answer", ZERO_USAGE)
        )
        for each in requests
    }
    store(BatchWriter(answers, claude), requests)
    for each in requests:
        usage = answers[each.prompt_hash].usage
        spending.settle_spend(
            connection, each.spend_id, usage.cost, usage.input_tokens, usage.output_tokens
        )
    batch_store.close_batch(connection, batch.id)
    return True


def _close_unanswered(connection: sa.Connection, batch: UUID) -> bool:
    """Close a batch that was never received or whose results have expired."""
    for each in batch_store.read_requests(connection, batch):
        spending.settle_spend(connection, each.spend_id, ZERO_USAGE.cost, 0, 0)
    batch_store.close_batch(connection, batch)
    return True


def _age(batch: Batch) -> timedelta:
    return datetime.now(UTC) - batch.created_at


def _has_ended(claude: Claude, vendor_id: str) -> bool:
    """Return whether the vendor reports a batch as ended; False on errors."""
    try:
        found = call_with_deadline(
            claude.deadline_for(), lambda: claude.client.messages.batches.retrieve(vendor_id)
        )
        return found.processing_status == "ended"
    except CALL_ERRORS:
        return False


def _find_vendor_id(claude: Claude, connection: sa.Connection, batch: Batch) -> str | None:
    """Return the vendor's id of a batch, found by its size and the ids of its results, or None.

    Raises
    ------
    ValueError
        If an unknown batch is still in progress, which may be this one.
    """
    oldest = batch.created_at - _MAX_CLOCK_SKEW
    recent = call_with_deadline(
        claude.deadline_for(),
        # newest first; the iterator requests further pages
        lambda: list(
            takewhile(
                lambda each: each.created_at > oldest,
                claude.client.messages.batches.list(limit=_PAGE_SIZE),
            )
        ),
    )
    known_ids = batch_store.filter_vendor_ids(connection, [each.id for each in recent])
    size = len(batch_store.read_requests(connection, batch.id))
    strangers = [
        each
        for each in recent
        if each.id not in known_ids and sum(each.request_counts.model_dump().values()) == size
    ]
    for stranger in strangers:
        if stranger.processing_status != "ended":
            raise ValueError("an unknown batch in progress may be this one")
        if any(
            custom_id.startswith(batch.id.hex) for custom_id, _ in _replies(claude, stranger.id)
        ):
            return stranger.id
    return None


def _replies(claude: Claude, vendor_id: str) -> Iterator[tuple[str, Reply]]:
    """Yield each reply with its id; errored, canceled and expired requests cost nothing."""
    results = claude.client.messages.batches.results
    for line in call_with_deadline(claude.deadline_for(), lambda: list(results(vendor_id))):
        if line.result.type == "succeeded":
            message = line.result.message
            yield line.custom_id, reply_with_cost(message, str(message.model), batch=True)
        else:
            yield (
                line.custom_id,
                Reply(None, f"the batch ended without an answer ({line.result.type})", ZERO_USAGE),
            )
