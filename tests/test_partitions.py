"""Dagster's partitions against sessions that the exchange published."""

import dagster as dg
import pytest

from riskmetrics.assets.partitions import sessions


def _range(first: str, last: str) -> list[str]:
    return list(sessions.get_partition_keys_in_range(dg.PartitionKeyRange(first, last)))


@pytest.mark.parametrize(("year", "count"), [(1996, 254), (2001, 248), (2012, 250), (2020, 253), (2022, 251), (2024, 252)])
def test_a_year_has_a_partition_for_each_of_its_sessions(year: int, count: int) -> None:
    assert sum(key.startswith(f"{year}-") for key in sessions.get_partition_keys()) == count


def test_the_keys_of_a_range_are_the_sessions_in_it_whatever_was_asked_before() -> None:
    assert _range("2001-09-07", "2001-09-18") == ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18"]
    assert _range("2022-12-23", "2022-12-28") == ["2022-12-23", "2022-12-27", "2022-12-28"]
    assert _range("2022-12-23", "2022-12-23") == ["2022-12-23"]
    assert _range("2001-09-07", "2001-09-18") == ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-18"]
