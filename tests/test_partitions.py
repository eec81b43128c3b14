"""Dagster partitions against the calendar, compared with years published by the exchange."""

from datetime import date

import dagster as dg
import pytest

from riskmetrics import trading_calendar
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.errors import InvalidSessionError

pytestmark = pytest.mark.integration


def _range(first: str, last: str) -> list[str]:
    return list(session_partitions.get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


def test_the_partitions_are_the_sessions_of_the_calendar() -> None:
    keys = session_partitions.get_partition_keys()
    assert keys[-1] >= trading_calendar.last_completed_session().isoformat()
    days = trading_calendar.sessions_between(
        trading_calendar.FIRST_RESULT_SESSION, date.fromisoformat(keys[-1])
    )
    assert keys == [day.isoformat() for day in days]


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
