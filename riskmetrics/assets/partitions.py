"""A partition is an exchange session; the sessions of a run are checked here and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

import dagster as dg

from riskmetrics import settings, trading_calendar
from riskmetrics.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)
from riskmetrics.db.first_session import find_first_session
from riskmetrics.errors import InvalidSessionError


class _SessionPartitions(dg.DailyPartitionsDefinition):
    """Exchange sessions as daily partitions.

    Dagster looks through all holidays for each list of keys, and again for each weekend in it. It
    asks for a run's keys again with the metadata of every session and asset, and spells the
    holidays out for each hash: hundreds of times in a run.
    """

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        untyped: Any = super()
        return int(untyped.__hash__())

    def has_partition_key(self, partition_key: str) -> bool:
        """Return whether a session can be run, also in the hours before its key is listed."""
        latest = trading_calendar.last_completed_session().isoformat()
        return partition_key == latest or super().has_partition_key(partition_key)

    def get_partition_keys(
        self,
        current_time: datetime | None = None,  # noqa: ARG002  # the keys are always those of now
        dynamic_partitions_store: Any = None,  # noqa: ARG002
    ) -> Sequence[str]:
        """Return the keys up to the session that is completed now, whatever time Dagster states."""
        latest = trading_calendar.last_completed_session()
        sessions = trading_calendar.sessions_between(self.start.date(), latest)
        return [session.isoformat() for session in sessions]

    def get_partition_keys_in_range(
        self, partition_key_range: dg.PartitionKeyRange
    ) -> Sequence[str]:
        return _partition_keys_in_range(partition_key_range)

    def has_any_partitions_in_window(self, time_window: dg.TimeWindow) -> bool:
        """Return whether a session begins in a time window."""
        return _has_session(time_window)


def _first_listed_session() -> date:
    """Return the first session of the settings, else of the prices, else of the calendar."""
    configured, earliest = settings.load(), trading_calendar.FIRST_RESULT_SESSION
    return max(configured.first_session or find_first_session(configured) or earliest, earliest)


_first_listed = _first_listed_session()
session_partitions = _SessionPartitions(
    start_date=_first_listed.isoformat(),
    # UTC+3 without daylight saving time: its day ends at 21:00 UTC, which is at the close in winter
    # and an hour after it in summer. Dagster lists a key when its day has ended, so that no session
    # is listed before it has closed; `end_offset` would list the coming session on closed days.
    timezone="Etc/GMT-3",
    exclusions=["0 0 * * 0,6", *trading_calendar.closed_weekdays(_first_listed)],
)


@lru_cache(maxsize=8)
def _partition_keys_in_range(partition_key_range: dg.PartitionKeyRange) -> Sequence[str]:
    return super(_SessionPartitions, session_partitions).get_partition_keys_in_range(
        partition_key_range
    )


@lru_cache(maxsize=1024)
def _has_session(time_window: dg.TimeWindow) -> bool:
    return super(_SessionPartitions, session_partitions).has_any_partitions_in_window(time_window)


def run_sessions(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """Return the sessions that a run is for, in order.

    Reads the raw tags, because Dagster accepts a closed day, and turns a reversed or closed range
    into other sessions.

    Raises
    ------
    InvalidSessionError
        If the run names no partition, an endpoint is not an exchange session that has ended, or the
        range is reversed.
    """
    first, last = partition_range(context.run.tags)
    if first is None or last is None:
        # Dagster itself fails such a run, at the first asset that depends on a partitioned one,
        # with half of the session written
        raise InvalidSessionError(
            "the run names no session: tag it dagster/partition: 2022-12-28; `riskmetrics run`"
            " without --date takes the latest"
        )
    return trading_calendar.validate_range(date.fromisoformat(first), date.fromisoformat(last))


def sessions_or_latest(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
) -> list[date]:
    """Return the sessions that a run is for; the latest that has ended, if it is for none."""
    return (
        run_sessions(context)
        if None not in partition_range(context.run.tags)
        else [trading_calendar.last_completed_session()]
    )


def partition_range(tags: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the first and last partition key of a run's tags."""
    single = tags.get(PARTITION_NAME_TAG)
    return (
        tags.get(ASSET_PARTITION_RANGE_START_TAG) or single,
        tags.get(ASSET_PARTITION_RANGE_END_TAG) or single,
    )
