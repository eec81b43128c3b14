"""Dagster's partitions against the calendar, whose years are compared with what the exchange published."""

from datetime import date

import dagster as dg

from riskmetrics import trading_calendar
from riskmetrics.assets.partitions import sessions


def _range(first: str, last: str) -> list[str]:
    return list(sessions.get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


def test_the_partitions_are_the_sessions_of_the_calendar() -> None:
    keys = sessions.get_partition_keys()
    assert keys[-1] >= trading_calendar.last_ended().isoformat()
    days = trading_calendar.between(trading_calendar.FIRST_RESULT, date.fromisoformat(keys[-1]))
    assert keys == [day.isoformat() for day in days]


def test_the_keys_of_a_range_are_the_sessions_in_it_whatever_was_asked_before() -> None:
    assert _range("2001-09-07", "2001-09-18") == ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18"]
    assert _range("2022-12-23", "2022-12-28") == ["2022-12-23", "2022-12-27", "2022-12-28"]
    assert _range("2022-12-23", "2022-12-23") == ["2022-12-23"]
    assert _range("2001-09-07", "2001-09-18") == ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18"]
