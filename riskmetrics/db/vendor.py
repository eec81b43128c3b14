"""Limit the calls to a data vendor across all processes, and record its latest responses."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from time import sleep
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from riskmetrics.db import tables
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.errors import RateLimitError

_MINUTE = 60.0
_QUOTAS, _RESPONSES = tables.vendor_quotas, tables.vendor_responses


class VendorAnswer(NamedTuple):
    """Time of a vendor's latest response, first requested day of prices, and problem if any."""

    received_at: datetime
    first_day: date | None = None
    problem: str | None = None


class _Limits(NamedTuple):
    """Limits of the calls to a vendor."""

    interval: timedelta
    """Time between two calls at the rate per minute."""
    burst_window: timedelta
    """Time by which calls may be ahead of that rate."""
    per_day: int | None
    per_hour: int | None


def wait_for_quota(
    engine: sa.Engine,
    vendor: str,
    per_minute: int,
    per_day: int | None,
    per_hour: int | None = None,
) -> None:
    """Wait until a call is allowed, and count it.

    All processes together make at most ``per_minute`` calls in any 60 seconds: half of them in a
    burst, the others evenly spaced (generic cell rate algorithm, ITU-T I.371). A call is counted
    before it is made, even if it fails.

    Raises
    ------
    RateLimitError
        If the calls of the UTC day or hour are used up: waiting would take too long.
    """
    burst = max(per_minute // 2, 1)
    interval = _MINUTE / max(per_minute - burst, 1)
    limits = _Limits(
        timedelta(seconds=interval), timedelta(seconds=burst * interval), per_day, per_hour
    )
    while True:
        with engine.begin() as connection:
            now = datetime.now(UTC)
            if _try_count_call(connection, vendor, now, limits):
                return
            used = connection.execute(sa.select(_QUOTAS).where(_QUOTAS.c.vendor == vendor)).one()
        if per_day is not None and used.day == now.date() and used.calls >= per_day:
            raise RateLimitError(
                f"{vendor} call limit reached ({per_day} calls per day). Retry after 00:00 UTC or"
                f" raise RISKMETRICS_{vendor.upper()}_CALLS_PER_DAY"
            )
        if per_hour is not None and used.hour == _hour(now) and used.hour_calls >= per_hour:
            raise RateLimitError(
                f"{vendor} call limit reached ({per_hour} calls per hour). What arrived is stored;"
                f" run again after {_hour(now) + timedelta(hours=1):%H:%M} UTC for the rest, or"
                f" raise RISKMETRICS_{vendor.upper()}_CALLS_PER_HOUR"
            )
        wait = (used.paced_until - now - limits.burst_window + limits.interval).total_seconds()
        sleep(max(wait, 0.01))


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _try_count_call(connection: sa.Connection, vendor: str, now: datetime, limits: _Limits) -> bool:
    """Count a call at ``now`` unless it would be too early or exceed a limit."""
    new = insert(_QUOTAS).values(
        vendor=vendor,
        day=now.date(),
        calls=1,
        hour=_hour(now),
        hour_calls=1,
        paced_until=now + limits.interval,
    )
    same_day = _QUOTAS.c.day == new.excluded.day
    same_hour = sa.func.coalesce(_QUOTAS.c.hour == new.excluded.hour, sa.false())
    paced_until = sa.func.greatest(_QUOTAS.c.paced_until, now) + limits.interval
    statement = new.on_conflict_do_update(
        index_elements=["vendor"],
        set_={
            "day": new.excluded.day,
            "calls": sa.case((same_day, _QUOTAS.c.calls + 1), else_=1),
            "hour": new.excluded.hour,
            "hour_calls": sa.case((same_hour, _QUOTAS.c.hour_calls + 1), else_=1),
            "paced_until": paced_until,
        },
        where=sa.and_(
            _is_below(same_day, _QUOTAS.c.calls, limits.per_day),
            _is_below(same_hour, _QUOTAS.c.hour_calls, limits.per_hour),
            paced_until <= now + limits.burst_window,
        ),
    ).returning(_QUOTAS.c.calls)
    return connection.execute(statement).first() is not None


def _is_below(
    is_same_period: sa.ColumnElement[bool], calls: sa.Column[int], limit: int | None
) -> sa.ColumnElement[bool]:
    """Return whether a call in a period is within its limit; true without one."""
    return sa.true() if limit is None else sa.or_(sa.not_(is_same_period), calls < limit)


def read_remaining_calls(connection: sa.Connection, vendor: str, per_day: int | None) -> int | None:
    """Return the number of calls left on the current UTC day; None without a daily limit."""
    if per_day is None:
        return None
    today = sa.and_(_QUOTAS.c.vendor == vendor, _QUOTAS.c.day == datetime.now(UTC).date())
    return max(per_day - (connection.scalar(sa.select(_QUOTAS.c.calls).where(today)) or 0), 0)


def read_last_problem(connection: sa.Connection, vendor: str) -> tuple[str, str, datetime] | None:
    """Return subject, problem and time of the latest response without data, or None."""
    failed = sa.select(_RESPONSES.c.subject, _RESPONSES.c.problem, _RESPONSES.c.received_at).where(
        _RESPONSES.c.vendor == vendor, _RESPONSES.c.problem.is_not(None)
    )
    row = connection.execute(failed.order_by(_RESPONSES.c.received_at.desc()).limit(1)).first()
    return None if row is None else (row.subject, row.problem, row.received_at)


def read_answers(
    connection: sa.Connection, vendor: str, kind: str, subjects: Iterable[str]
) -> dict[str, VendorAnswer]:
    """Return the vendor's latest responses of a kind by subject; only requested subjects."""
    columns = (
        _RESPONSES.c.subject,
        _RESPONSES.c.received_at,
        _RESPONSES.c.first_day,
        _RESPONSES.c.problem,
    )
    conditions = (
        _RESPONSES.c.vendor == vendor,
        _RESPONSES.c.kind == kind,
        _RESPONSES.c.subject == any_of(subjects),
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
    """Record a response of the vendor, received now."""
    new = insert(_RESPONSES).values(
        vendor=vendor,
        kind=kind,
        subject=subject,
        received_at=datetime.now(UTC),
        first_day=first_day,
        problem=problem,
    )
    # LEAST ignores NULL
    earliest = sa.func.least(_RESPONSES.c.first_day, new.excluded.first_day)
    updated = {
        "received_at": new.excluded.received_at,
        "first_day": earliest,
        "problem": new.excluded.problem,
    }
    connection.execute(
        new.on_conflict_do_update(index_elements=["vendor", "kind", "subject"], set_=updated)
    )
