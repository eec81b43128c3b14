"""Store batches of prompts: the requests of each batch, and which batches are still open."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import tables

_BATCHES, _REQUESTS = tables.ai_batches, tables.ai_batch_requests
_LOCK = 5_213_707_332


class BatchRequest(NamedTuple):
    """A prompt in a batch, with the portfolio, day and insight type of its answer."""

    custom_id: str
    prompt_hash: str
    spend_id: UUID
    portfolio_id: UUID
    day: date
    insight_type: str


class Batch(NamedTuple):
    """An open batch; without a vendor's id it may not have reached the vendor."""

    id: UUID
    vendor_id: str | None
    run_id: str
    created_at: datetime


def lock_batches(connection: sa.Connection) -> None:
    """Lock the creation of batches until the end of this transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def add_batch(
    connection: sa.Connection, batch: UUID, run_id: str, requests: Sequence[BatchRequest]
) -> None:
    """Store a batch and its requests, before it is sent."""
    connection.execute(sa.insert(_BATCHES).values(id=batch, run_id=run_id))
    connection.execute(
        sa.insert(_REQUESTS), [{"batch_id": batch, **request._asdict()} for request in requests]
    )


def set_vendor_id(connection: sa.Connection, batch: UUID, vendor_id: str) -> None:
    """Store the vendor's id of a batch."""
    connection.execute(
        sa.update(_BATCHES).where(_BATCHES.c.id == batch).values(vendor_id=vendor_id)
    )


def close_batch(connection: sa.Connection, batch: UUID) -> None:
    """Mark a batch as closed: its answers are no longer awaited."""
    connection.execute(
        sa.update(_BATCHES).where(_BATCHES.c.id == batch).values(closed_at=sa.func.now())
    )


def read_open_batches(connection: sa.Connection) -> list[Batch]:
    """Return the batches that are not closed, oldest first."""
    columns = (_BATCHES.c[name] for name in Batch._fields)
    found = connection.execute(
        sa.select(*columns).where(_BATCHES.c.closed_at.is_(None)).order_by(_BATCHES.c.created_at)
    )
    return [Batch(*row) for row in found]


def claim_batch(connection: sa.Connection, batch: UUID) -> bool:
    """Lock an open batch until the transaction ends; False if another process has locked it.

    Also False if the batch is closed.
    """
    free = sa.select(_BATCHES.c.id).where(_BATCHES.c.id == batch, _BATCHES.c.closed_at.is_(None))
    return connection.scalar(free.with_for_update(skip_locked=True)) is not None


def read_requests(connection: sa.Connection, batch: UUID) -> list[BatchRequest]:
    """Return the requests of a batch."""
    columns = (_REQUESTS.c[name] for name in BatchRequest._fields)
    return [
        BatchRequest(*row)
        for row in connection.execute(sa.select(*columns).where(_REQUESTS.c.batch_id == batch))
    ]


def pending_prompts(connection: sa.Connection, prompt_hashes: Collection[str]) -> set[str]:
    """Return those of ``prompt_hashes`` that have a request in an open batch."""
    open_requests = (
        sa.select(_REQUESTS.c.prompt_hash).join(_BATCHES).where(_BATCHES.c.closed_at.is_(None))
    )
    return set(connection.scalars(open_requests.where(_REQUESTS.c.prompt_hash.in_(prompt_hashes))))


def filter_vendor_ids(connection: sa.Connection, vendor_ids: Collection[str]) -> set[str]:
    """Return those of the vendor's ids that belong to a stored batch."""
    return set(
        connection.scalars(
            sa.select(_BATCHES.c.vendor_id).where(_BATCHES.c.vendor_id.in_(vendor_ids))
        )
    )
