"""Call quotas of a vendor, shared in the database, and its recorded responses."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables, vendor
from riskmetrics.errors import RateLimitError

QUOTAS = tables.vendor_quotas


class Clock(datetime):
    """A clock that advances only by sleeping."""

    moment = datetime(2024, 12, 6, 23, 59, 0, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        """Return the current time of the clock."""
        return cls.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """Replace the clock of the quota by one that advances only by sleeping."""
    Clock.moment = datetime(2024, 12, 6, 23, 59, 0, tzinfo=UTC)

    def wait(seconds: float) -> None:
        Clock.moment += timedelta(seconds=seconds)

    monkeypatch.setattr(vendor, "datetime", Clock)
    monkeypatch.setattr(vendor, "sleep", wait)
    return Clock


def times(clock: type[Clock], engine: sa.Engine, calls: int, per_minute: int) -> list[datetime]:
    """Return the times of ``calls`` calls by a caller that never waits by itself."""
    made = []
    for _ in range(calls):
        vendor.wait_for_quota(engine, "FMP", per_minute, None)
        made.append(clock.moment)
    return made


@pytest.mark.parametrize("per_minute", [1, 2, 10, 61])
def test_no_minute_has_more_calls_than_allowed_and_none_is_wasted(clock, engine, per_minute):
    """By counting the calls in every window of 60 seconds, and the total time."""
    made = times(clock, engine, 4 * per_minute, per_minute)
    for begin in made:
        inside = [moment for moment in made if begin <= moment < begin + timedelta(seconds=60)]
        assert len(inside) <= per_minute
    assert made[-1] - made[0] <= timedelta(seconds=60 * 8)


def test_half_of_the_minutes_calls_are_made_at_once(clock, engine):
    made = times(clock, engine, 20, 20)
    assert made[9] == made[0]
    assert made[19] - made[0] == timedelta(seconds=60)  # those six seconds apart


def test_a_pace_outlives_midnight_and_the_days_count_does_not(clock, engine):
    times(clock, engine, 30, 20)
    with engine.connect() as connection:
        day, calls = connection.execute(sa.select(QUOTAS.c.day, QUOTAS.c.calls)).one()
    assert day == date(2024, 12, 7)
    assert 0 < calls < 30
    assert clock.moment == datetime(2024, 12, 7, 0, 1, tzinfo=UTC)


def test_the_calls_of_a_day_are_refused_when_used_up_and_there_again_tomorrow(clock, engine):
    left = []
    for _ in range(3):
        with engine.connect() as connection:
            left.append(vendor.read_remaining_calls(connection, "FMP", 3))
        vendor.wait_for_quota(engine, "FMP", 600, 3)
    for _ in range(2):
        with pytest.raises(RateLimitError, match=r"FMP call limit reached \(3 calls per day\)"):
            vendor.wait_for_quota(engine, "FMP", 600, 3)
    with engine.connect() as connection:
        assert [
            *left,
            vendor.read_remaining_calls(connection, "FMP", 3),
            vendor.read_remaining_calls(connection, "FMP", None),
        ] == [3, 2, 1, 0, None]
        assert connection.scalar(sa.select(QUOTAS.c.calls)) == 3
    vendor.wait_for_quota(engine, "OTHER", 600, 3)
    clock.moment += timedelta(minutes=1)
    vendor.wait_for_quota(engine, "FMP", 600, 3)


def test_the_calls_of_an_hour_are_refused_when_used_up_and_there_again_in_the_next(clock, engine):
    """With a limit of three: three calls in the last minute of an hour, and three in the next."""
    clock.moment = datetime(2024, 12, 6, 14, 59, 0, tzinfo=UTC)
    for _ in range(2):
        for _ in range(3):
            vendor.wait_for_quota(engine, "Tiingo", 600, None, 3)
        with pytest.raises(RateLimitError, match="3 calls per hour") as refused:
            vendor.wait_for_quota(engine, "Tiingo", 600, None, 3)
        assert f"run again after {clock.moment.hour + 1}:00 UTC" in str(refused.value)
        assert "RISKMETRICS_TIINGO_CALLS_PER_HOUR" in str(refused.value)
        clock.moment = datetime(2024, 12, 6, 15, 0, 0, tzinfo=UTC)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(QUOTAS.c.calls)) == 6
    vendor.wait_for_quota(engine, "Tiingo", 600, None)  # without the limit


def test_processes_that_ask_at_the_same_time_share_the_calls(engine):
    refused = []

    def ask(_: int) -> None:
        try:
            vendor.wait_for_quota(engine, "FMP", 100_000, 25)
        except RateLimitError:
            refused.append(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(40)))
    assert len(refused) == 15
    with engine.connect() as connection:
        assert connection.scalar(sa.select(QUOTAS.c.calls)) == 25


def test_the_real_clock_waits_for_the_pace(engine):
    began = time.monotonic()
    for _ in range(4):
        vendor.wait_for_quota(engine, "FMP", 240, None)  # 120 at once
    assert time.monotonic() - began < 30
    with engine.begin() as connection:
        connection.execute(
            sa.update(QUOTAS).values(paced_until=datetime.now(UTC) + timedelta(seconds=60))
        )
    began = time.monotonic()
    vendor.wait_for_quota(engine, "FMP", 240, None)
    assert 0.3 < time.monotonic() - began < 30  # the pace is a minute ahead


def test_an_answer_is_kept_with_the_first_day_ever_asked_for(connection: sa.Connection):
    note: Callable[..., None] = vendor.record_answer
    note(connection, "FMP", "prices", "A", first_day=date(2020, 1, 2))
    note(connection, "FMP", "prices", "A", first_day=date(2024, 1, 2))
    note(connection, "FMP", "prices", "B", problem="unknown")
    note(connection, "FMP", "profile", "A")
    found = vendor.read_answers(connection, "FMP", "prices", ["A", "B", "C"])
    assert {subject: answer[1:] for subject, answer in found.items()} == {
        "A": (date(2020, 1, 2), None),
        "B": (None, "unknown"),
    }
    assert all(
        datetime.now(UTC) - answer.received_at < timedelta(minutes=1) for answer in found.values()
    )
    note(connection, "FMP", "prices", "B", first_day=date(2021, 1, 4))
    assert vendor.read_answers(connection, "FMP", "prices", ["B"])["B"][1:] == (
        date(2021, 1, 4),
        None,
    )
