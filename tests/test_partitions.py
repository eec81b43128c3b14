"""Dagster partitions against the calendar, compared with years published by the exchange."""

import pickle
import subprocess
import sys
from copy import copy
from datetime import date, datetime

import dagster as dg
import pytest
from dagster._core.definitions.partitions.snap import PartitionsSnap

from riskmetrics import trading_calendar
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.errors import InvalidSessionError

pytestmark = pytest.mark.integration


def _range(first: str, last: str) -> list[str]:
    return list(session_partitions.get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


def test_the_partitions_are_the_sessions_of_the_calendar() -> None:
    keys = session_partitions.get_partition_keys()
    assert keys[-1] == trading_calendar.last_completed_session().isoformat()
    days = trading_calendar.sessions_between(
        trading_calendar.FIRST_RESULT_SESSION, date.fromisoformat(keys[-1])
    )
    assert keys == [day.isoformat() for day in days]


def test_definitions_that_are_equal_have_the_same_hash_in_each_process() -> None:
    assert hash(session_partitions) == hash(session_partitions)
    listed = PartitionsSnap.from_def(session_partitions).get_partitions_definition()
    assert {session_partitions, listed, copy(session_partitions)} == {listed}
    other = type(session_partitions)(start_date="2020-01-02")
    assert {other, session_partitions} != {session_partitions}
    code = (  # the calendar of this process, also if a year has ended since it was read
        "import pickle, sys; from datetime import date; from riskmetrics import trading_calendar;"
        "schedule = trading_calendar.compute_schedule(date.fromisoformat(sys.argv[1]));"
        "trading_calendar._schedule = lambda _: schedule;"
        "from riskmetrics.assets.partitions import session_partitions;"
        "print(hash(session_partitions) == hash(pickle.load(sys.stdin.buffer)))"
    )
    sent = pickle.dumps(session_partitions)
    command = [sys.executable, "-c", code, str(trading_calendar.calendar_end())]
    process = subprocess.run(command, input=sent, stdout=-1, check=True)
    assert process.stdout == b"True\n"


@pytest.mark.parametrize(
    ("now", "last_key"),
    [
        ("2024-12-06T20:59:59Z", "2024-12-05"),  # a second before the close of a Friday in winter
        ("2024-12-06T21:00:00Z", "2024-12-06"),
        ("2024-12-07T12:00:00Z", "2024-12-06"),
        ("2024-12-08T22:00:00Z", "2024-12-06"),  # Sunday evening
        ("2024-12-09T20:59:59Z", "2024-12-06"),
        ("2024-07-03T20:59:59Z", "2024-07-02"),  # the session of July 3 closed at 17:00 UTC
        ("2024-07-03T21:00:00Z", "2024-07-03"),
        ("2024-07-04T21:00:00Z", "2024-07-03"),  # Independence Day
        ("2024-03-29T22:00:00Z", "2024-03-28"),  # Good Friday
    ],
)
def test_no_session_is_listed_before_its_close_nor_on_a_closed_day(now: str, last_key: str) -> None:
    """As the web server and the daemon see partitions, which know only their definition."""
    listed = PartitionsSnap.from_def(session_partitions).get_partitions_definition()
    assert not isinstance(listed, type(session_partitions))
    with dg.partition_loading_context(effective_dt=datetime.fromisoformat(now)):
        assert listed.get_last_partition_key() == last_key
        assert listed.has_partition_key(last_key)
        assert not listed.has_partition_key(
            trading_calendar.next_session(date.fromisoformat(last_key)).isoformat()
        )


def test_a_session_can_be_run_in_the_hour_before_its_key_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    latest = trading_calendar.last_completed_session()
    coming = trading_calendar.next_session(latest)
    monkeypatch.setattr(trading_calendar, "last_completed_session", lambda: coming)
    assert session_partitions.has_partition_key(coming.isoformat())
    assert _range(latest.isoformat(), coming.isoformat()) == [str(latest), str(coming)]
    assert session_partitions.get_partition_keys()[-2:] == [str(latest), str(coming)]


def test_the_keys_of_a_range_are_its_sessions_whatever_was_requested_before() -> None:
    assert _range("2001-09-07", "2001-09-18") == [
        "2001-09-07",
        "2001-09-10",
        "2001-09-17",
        "2001-09-18",
    ]
    assert _range("2022-12-23", "2022-12-28") == ["2022-12-23", "2022-12-27", "2022-12-28"]
    assert _range("2022-12-23", "2022-12-23") == ["2022-12-23"]
    assert _range("2001-09-07", "2001-09-18") == [
        "2001-09-07",
        "2001-09-10",
        "2001-09-17",
        "2001-09-18",
    ]


def _run_sessions(**tags: str) -> list[date]:
    """Return the sessions that an asset computes if a client starts a run with the tags."""
    found: list[date] = []

    @dg.asset
    def probe(context: dg.AssetExecutionContext) -> None:
        found.extend(run_sessions(context))

    dg.materialize([probe], tags={f"dagster/{name}": day for name, day in tags.items()})
    return found


def test_a_run_is_for_the_sessions_that_its_tags_name() -> None:
    assert _run_sessions(partition="2022-12-28") == [date(2022, 12, 28)]
    ends = {"asset_partition_range_start": "2022-12-23", "asset_partition_range_end": "2022-12-27"}
    assert _run_sessions(**ends) == [date(2022, 12, 23), date(2022, 12, 27)]


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2022-12-26", "2022-12-26", r"2022-12-26 \(Monday\) is not a session"),
        ("2022-12-23", "2022-12-25", r"2022-12-25 \(Sunday\) is not a session"),
        ("2022-12-28", "2022-12-23", "the range is reversed"),
        ("1990-12-31", "1991-01-02", "results begin with 1991-01-02"),
    ],
)
def test_a_run_for_days_that_are_no_range_of_sessions_is_refused(
    first: str,
    last: str,
    sentence: str,
) -> None:
    """Dagster itself accepts a closed day, and a reversed range as other sessions."""
    with pytest.raises(InvalidSessionError, match=sentence):
        _run_sessions(asset_partition_range_start=first, asset_partition_range_end=last)


def test_a_run_for_a_session_that_has_not_closed_or_for_none_is_refused() -> None:
    coming = trading_calendar.next_session(trading_calendar.last_completed_session())
    with pytest.raises(InvalidSessionError, match=f"the session {coming} has not closed yet"):
        _run_sessions(partition=coming.isoformat())
    with pytest.raises(InvalidSessionError, match="the run names no session"):
        _run_sessions()
