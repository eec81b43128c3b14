"""Account for the cost of model calls: reserve before a call, settle after it, sum for caps.

The caps are shared by all processes.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import tables

_SPEND = tables.ai_spend
_LOCK = 5_213_707_331
_COUNTED_COST = sa.func.coalesce(_SPEND.c.cost, _SPEND.c.reserved)


class SpendTotals(NamedTuple):
    """USD spent or reserved for the prompt in the run, for the run, and on the day."""

    insight: Decimal
    run: Decimal
    day: Decimal


def lock_spend(connection: sa.Connection) -> None:
    """Lock the table of spending until the end of this transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def read_spend_totals(
    connection: sa.Connection, day: date, run_id: str, prompt_hash: str
) -> SpendTotals:
    """Return the amounts spent or reserved that are visible to this transaction."""
    in_run = _SPEND.c.run_id == run_id
    sums = (
        sa.func.coalesce(sa.func.sum(_COUNTED_COST).filter(condition), 0)
        for condition in (
            sa.and_(in_run, _SPEND.c.prompt_hash == prompt_hash),
            in_run,
            _SPEND.c.day == day,
        )
    )
    return SpendTotals._make(
        connection.execute(sa.select(*sums).where(sa.or_(in_run, _SPEND.c.day == day))).one()
    )


def reserve_spend(
    connection: sa.Connection,
    day: date,
    run_id: str,
    prompt_hash: str,
    model: str,
    reserved: Decimal,
) -> UUID:
    """Reserve an amount in USD; return the id of the row to settle."""
    new = (
        sa.insert(_SPEND)
        .values(day=day, run_id=run_id, prompt_hash=prompt_hash, model=model, reserved=reserved)
        .returning(_SPEND.c.id)
    )
    spend_id: UUID = connection.execute(new).scalar_one()
    return spend_id


def settle_spend(
    connection: sa.Connection,
    spend_id: UUID,
    cost: Decimal | None,
    input_tokens: int,
    output_tokens: int,
) -> None:
    """Record the cost of a reserved call; with an unknown cost, the reserved amount counts.

    A settled row does not change: settling it again, as a second collector of a batch may do, has
    no effect.
    """
    values = {
        "cost": cost,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "settled_at": sa.func.now(),
    }
    connection.execute(
        sa.update(_SPEND)
        .where(_SPEND.c.id == spend_id, _SPEND.c.settled_at.is_(None))
        .values(values)
    )


def read_spend_today(connection: sa.Connection) -> Decimal:
    """Return the amount spent or reserved on the current UTC day, USD."""
    return read_spend_totals(connection, datetime.now(UTC).date(), "", "").day


def read_spend_by_day(connection: sa.Connection, days: int) -> list[sa.RowMapping]:
    """Return spending on the latest ``days`` with spending, newest first.

    Columns day, calls, input_tokens, output_tokens, paid_usd and reserved_usd.
    """
    columns = (
        _SPEND.c.day,
        sa.func.count().label("calls"),
        sa.func.coalesce(sa.func.sum(_SPEND.c.input_tokens), 0).label("input_tokens"),
        sa.func.coalesce(sa.func.sum(_SPEND.c.output_tokens), 0).label("output_tokens"),
        sa.func.coalesce(sa.func.sum(_SPEND.c.cost), 0).label("paid_usd"),
        sa.func.coalesce(sa.func.sum(_SPEND.c.reserved).filter(_SPEND.c.cost.is_(None)), 0).label(
            "reserved_usd"
        ),
    )
    return list(
        connection.execute(
            sa.select(*columns).group_by(_SPEND.c.day).order_by(_SPEND.c.day.desc()).limit(days)
        ).mappings()
    )
