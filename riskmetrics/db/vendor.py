"""What is kept of a data vendor: the calls that its plan allows, shared by all processes, and when it answered to what."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from time import sleep
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db import tables
from riskmetrics.db.input_queries import any_of
from riskmetrics.errors import RateLimitError

_MINUTE = 60.0
_QUOTAS, _ANSWERS = tables.vendor_quotas, tables.vendor_answers


class VendorAnswer(NamedTuple):
    """When a vendor last answered a question, the first day of prices ever asked for, and why the answer brought nothing."""

    answered_at: datetime
    first_day: date | None = None
    problem: str | None = None


def wait_for_quota(engine: sa.Engine, vendor: str, per_minute: int, per_day: int | None) -> None:
    """Count one call, when it may be made; wait until then.

    In any 60 seconds there are at most ``per_minute`` calls of all processes together: half of them
    at once, the others evenly (generic cell rate algorithm, ITU-T I.371). A call is counted before
    it is made, whatever becomes of it.

    Raises
    ------
    RateLimitError
        If the day's calls are used up.
    """
    burst = max(per_minute // 2, 1)
    interval = _MINUTE / max(per_minute - burst, 1)
    burst_window = burst * interval
    while True:
        with engine.begin() as connection:
            now = datetime.now(UTC)
            if _try_count_call(
                connection,
                vendor,
                now,
                timedelta(seconds=interval),
                timedelta(seconds=burst_window),
                per_day,
            ):
                return
            day, calls, paced_until = connection.execute(
                sa.select(_QUOTAS.c.day, _QUOTAS.c.calls, _QUOTAS.c.paced_until).where(
                    _QUOTAS.c.vendor == vendor
                )
            ).one()
        if per_day is not None and day == now.date() and calls >= per_day:
            raise RateLimitError(
                f"the {per_day} calls to {vendor} that RISKMETRICS_FMP_CALLS_PER_DAY allows are"
                " used up: the rest is fetched tomorrow (UTC)"
            )
        sleep(max((paced_until - now).total_seconds() + interval - burst_window, 0.01))


def _try_count_call(
    connection: sa.Connection,
    vendor: str,
    now: datetime,
    interval: timedelta,
    burst_window: timedelta,
    per_day: int | None,
) -> bool:
    """Count a call at ``now`` unless it would come too early or be one too many."""
    new = insert(_QUOTAS).values(vendor=vendor, day=now.date(), calls=1, paced_until=now + interval)
    same_day = _QUOTAS.c.day == new.excluded.day
    paced_until = sa.func.greatest(_QUOTAS.c.paced_until, now) + interval
    statement = new.on_conflict_do_update(
        index_elements=["vendor"],
        set_={
            "day": new.excluded.day,
            "calls": sa.case((same_day, _QUOTAS.c.calls + 1), else_=1),
            "paced_until": paced_until,
        },
        where=sa.and_(
            sa.or_(
                sa.not_(same_day), sa.literal(per_day is None), _QUOTAS.c.calls < (per_day or 0)
            ),
            paced_until <= now + burst_window,
        ),
    ).returning(_QUOTAS.c.calls)
    return connection.execute(statement).first() is not None


def read_remaining_calls(connection: sa.Connection, vendor: str, per_day: int | None) -> int | None:
    """How many calls the day has left; None: as many as the vendor allows."""
    if per_day is None:
        return None
    today = sa.and_(_QUOTAS.c.vendor == vendor, _QUOTAS.c.day == datetime.now(UTC).date())
    return max(per_day - (connection.scalar(sa.select(_QUOTAS.c.calls).where(today)) or 0), 0)


def read_last_problem(connection: sa.Connection, vendor: str) -> tuple[str, str, datetime] | None:
    """Return what the vendor last answered with nothing, and why and when; None: all that was asked brought something."""
    failed = sa.select(_ANSWERS.c.subject, _ANSWERS.c.problem, _ANSWERS.c.answered_at).where(
        _ANSWERS.c.vendor == vendor, _ANSWERS.c.problem.is_not(None)
    )
    row = connection.execute(failed.order_by(_ANSWERS.c.answered_at.desc()).limit(1)).first()
    return None if row is None else (row.subject, row.problem, row.answered_at)


def read_answers(
    connection: sa.Connection, vendor: str, kind: str, subjects: Iterable[str]
) -> dict[str, VendorAnswer]:
    """When the vendor last answered what was asked of each of ``subjects``; without those never asked."""
    columns = _ANSWERS.c.subject, _ANSWERS.c.answered_at, _ANSWERS.c.first_day, _ANSWERS.c.problem
    conditions = (
        _ANSWERS.c.vendor == vendor,
        _ANSWERS.c.kind == kind,
        _ANSWERS.c.subject == any_of(subjects),
    )
    return {
        subject: VendorAnswer(*values)
        for subject, *values in connection.execute(sa.select(*columns).where(*conditions))
    }


def record_answer(
    connection: sa.Connection,
    vendor: str,
    kind: str,
    subject: str,
    *,
    first_day: date | None = None,
    problem: str | None = None,
) -> None:
    """Note that the vendor has just answered."""
    new = insert(_ANSWERS).values(
        vendor=vendor,
        kind=kind,
        subject=subject,
        answered_at=datetime.now(UTC),
        first_day=first_day,
        problem=problem,
    )
    earliest = sa.func.least(
        _ANSWERS.c.first_day, new.excluded.first_day
    )  # of two, one NULL: the other
    updated = {
        "answered_at": new.excluded.answered_at,
        "first_day": earliest,
        "problem": new.excluded.problem,
    }
    connection.execute(
        new.on_conflict_do_update(index_elements=["vendor", "kind", "subject"], set_=updated)
    )
