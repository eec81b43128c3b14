"""Batches of prompts: what was sent, what its answers are for, and which are waited for."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import tables

_BATCHES, _REQUESTS = tables.ai_batches, tables.ai_batch_requests
_LOCK = 5_213_707_332


class BatchRequest(NamedTuple):
    """A prompt in a batch, and what its answer is for."""

    custom_id: str
    subject: str
    spend_id: UUID
    portfolio_id: UUID
    day: date
    insight_type: str


class Batch(NamedTuple):
    """A batch whose answers are waited for; without a vendor's id it may never have arrived."""

    id: UUID
    vendor_id: str | None
    run_id: str
    created_at: datetime


def lock_batches(connection: sa.Connection) -> None:
    """Wait until nobody else puts a batch together; the lock ends with this transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def add_batch(
    connection: sa.Connection, batch: UUID, run_id: str, requests: Sequence[BatchRequest]
) -> None:
    """Keep a batch before it is sent."""
    connection.execute(sa.insert(_BATCHES).values(id=batch, run_id=run_id))
    connection.execute(
        sa.insert(_REQUESTS), [{"batch_id": batch, **request._asdict()} for request in requests]
    )


def set_vendor_id(connection: sa.Connection, batch: UUID, vendor_id: str) -> None:
    """Keep what the vendor calls a batch."""
    connection.execute(
        sa.update(_BATCHES).where(_BATCHES.c.id == batch).values(vendor_id=vendor_id)
    )


def close_batch(connection: sa.Connection, batch: UUID) -> None:
    """Wait for a batch no longer."""
    connection.execute(
        sa.update(_BATCHES).where(_BATCHES.c.id == batch).values(closed_at=sa.func.now())
    )


def read_open_batches(connection: sa.Connection) -> list[Batch]:
    """The batches that are not closed, the oldest first."""
    columns = (_BATCHES.c[name] for name in Batch._fields)
    found = connection.execute(
        sa.select(*columns).where(_BATCHES.c.closed_at.is_(None)).order_by(_BATCHES.c.created_at)
    )
    return [Batch(*row) for row in found]


def claim_batch(connection: sa.Connection, batch: UUID) -> bool:
    """Keep others from collecting a batch until the transaction ends; False: somebody does, or has."""
    free = sa.select(_BATCHES.c.id).where(_BATCHES.c.id == batch, _BATCHES.c.closed_at.is_(None))
    return connection.scalar(free.with_for_update(skip_locked=True)) is not None


def read_requests(connection: sa.Connection, batch: UUID) -> list[BatchRequest]:
    """What is asked in a batch."""
    columns = (_REQUESTS.c[name] for name in BatchRequest._fields)
    return [
        BatchRequest(*row)
        for row in connection.execute(sa.select(*columns).where(_REQUESTS.c.batch_id == batch))
    ]


def pending_subjects(connection: sa.Connection, subjects: Collection[str]) -> set[str]:
    """Those of ``subjects`` whose answers are waited for."""
    open_requests = (
        sa.select(_REQUESTS.c.subject).join(_BATCHES).where(_BATCHES.c.closed_at.is_(None))
    )
    return set(connection.scalars(open_requests.where(_REQUESTS.c.subject.in_(subjects))))


def known_vendor_ids(connection: sa.Connection, vendor_ids: Collection[str]) -> set[str]:
    """Those of the vendor's ids that belong to a stored batch."""
    return set(
        connection.scalars(
            sa.select(_BATCHES.c.vendor_id).where(_BATCHES.c.vendor_id.in_(vendor_ids))
        )
    )
