"""Event storage of Dagster in SQLite: open files, batches in one transaction, and fewer syncs.

It stores the same rows in the same files as Dagster's own storage, so that processes with either
storage can share a home, at the same time and one after the other.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import uuid4

import dagster as dg
import sqlalchemy as sa

from riskmetrics import dagster_private_storage as private
from riskmetrics.dagster_event_text import EventTexts

MAX_OPEN_RUN_FILES = 8
"""Files of runs kept open; a query over all runs reads the file of each run."""

_inherited: list[sa.Engine] = []
"""Engines of the parent of a forked process: SQLite allows neither using nor closing them."""

_PARTITION_MARK = f"partition{uuid4().hex}"
"""Stands for the partition in the text of an event that is stored once per partition."""

_SYNCHRONIZED = "PRAGMA synchronous = FULL"
"""Commits are on the disk when they return, with all earlier ones of the file."""
_UNSYNCHRONIZED = "PRAGMA synchronous = NORMAL"
"""Commits survive the end of the process at once, and of the machine after the next one that is
synchronized."""


class _OpenFile(NamedTuple):
    """Engine of a database file, and what identifies the file and the process that opened it."""

    engine: sa.Engine
    file_id: tuple[int, int] | None
    process_id: int


class BatchingEventLogStorage(private.SqliteEventLogStorage):
    """Event storage of Dagster in SQLite files, one per run and an index.

    Dagster's own class opens a file for each event and look-up, and stores each event of a batch in
    transactions of its own. This class keeps the index and some files of runs open, and stores a
    batch in one transaction per file. The transaction of the run's file is committed first. Each
    file has the whole batch or nothing of it, and the index no event that a run's file does not.

    Events that the index has no copy of, such as the start and the outputs of a step, reach the
    disk with the next one that it has: a power failure can take those after the last result.

    Parameters
    ----------
    base_dir : str
        Directory of the files, ``history/runs`` in Dagster's home.
    inst_data : ConfigurableClassData, optional
        Configuration from which Dagster creates the storage in another process.
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._lock = threading.RLock()
        self._open_files: dict[str, _OpenFile] = {}  # the most recently used last
        self._connections: dict[str, sa.Connection] = {}  # in use by the thread with the lock
        self._existing: set[str] = set()  # tables and columns; they are added, never removed
        self._planned: tuple[Any, private.DefaultPartitionsSubset] | None = None  # the last one
        self._texts = EventTexts()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:
        """Return a storage of this class; Dagster's method returns one of its own class."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event."""
        self._store_events_of_run([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events, those of a run in one transaction per file."""
        for _, group in groupby(events, key=lambda event: event.run_id):
            self._store_events_of_run(list(group))

    def _store_events_of_run(self, events: Sequence[dg.EventLogEntry]) -> None:
        rows = [self._event_to_row(event) for event in events]
        indexed = [
            (event, row) for event, row in zip(events, rows, strict=True) if _is_indexed(event)
        ]
        run_id = events[0].run_id
        if indexed:
            # The index is the outer one: it is committed last. Its lock is taken at the first
            # insert.
            with self.index_connection() as index, self.run_connection(run_id) as run:
                run.execute(private.SqlEventLogStorageTable.insert(), rows)
                self._index_events(index, *zip(*indexed, strict=True))
        else:
            with self.run_connection(run_id) as run:
                run.exec_driver_sql(_UNSYNCHRONIZED)
                run.execute(private.SqlEventLogStorageTable.insert(), rows)
        with suppress(OSError):
            # Dagster's UI reads new events when this file changes; writing changes only its log.
            os.utime(self.path_for_shard(run_id))

    def _event_to_row(self, event: dg.EventLogEntry) -> dict[str, Any]:
        """Return the row of an event, as Dagster does; a planned one names sessions by their keys.

        Dagster stores the definition of all partitions with each planned event, closed days
        included, and reads nothing but the keys from it.
        """
        dagster_event = event.dagster_event
        if dagster_event is None or not dagster_event.is_step_materialization:
            return super()._event_to_row(self._with_partition_keys(event))
        made = dagster_event.step_materialization_data.materialization
        timestamp: Any = self._event_insert_timestamp(event)  # type: ignore[no-untyped-call]
        return {
            "run_id": event.run_id,
            "event": self._texts.serialize(event),
            "dagster_event_type": dagster_event.event_type_value,
            "timestamp": timestamp,
            "step_key": dagster_event.step_key,
            "asset_key": made.asset_key.to_string(),
            "partition": made.partition or None,
        }

    def _with_partition_keys(self, event: dg.EventLogEntry) -> dg.EventLogEntry:
        """Return an event whose planned partitions, if it has any, are given by their keys."""
        dagster_event = event.dagster_event
        planned: Any = dagster_event.event_specific_data if dagster_event else None
        subset = getattr(planned, "partitions_subset", None)
        if dagster_event is None or subset is None:
            return event
        by_key = self._list_keys(subset)
        if isinstance(planned, private.AssetCheckEvaluationPlanned):
            planned = private.replace(planned, partitions_subset=by_key)
        else:
            planned = planned._replace(partitions_subset=by_key)
        return event._replace(dagster_event=dagster_event._replace(event_specific_data=planned))

    def _list_keys(self, subset: Any) -> private.DefaultPartitionsSubset:
        """Return a subset by its keys; all planned events of a run have the same one."""
        planned = self._planned
        if planned is None or planned[0] is not subset:
            planned = subset, private.DefaultPartitionsSubset(set(subset.get_partition_keys()))
            self._planned = planned
        return planned[1]

    def _index_events(
        self,
        index: sa.Connection,
        events: Sequence[dg.EventLogEntry],
        rows: Sequence[dict[str, Any]],
    ) -> None:
        """Insert events into the index, and update what it has of their assets and checks."""
        table = private.SqlEventLogStorageTable
        insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
        event_ids = index.scalars(insert, list(rows)).all()
        asset_events = []
        for event, event_id in zip(events, event_ids, strict=True):
            kind = event.get_dagster_event().event_type
            if kind in private.ASSET_EVENTS:
                asset_events.append((event, event_id))
            elif kind in private.ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, event_id)
        if not asset_events:
            return
        self._store_asset_event_tags(index, *zip(*asset_events, strict=True))
        for event, event_id in _last_by_asset_and_type(asset_events):
            self._store_asset_event(index, event, event_id)

    def _store_asset_check_evaluation_planned(
        self, event: dg.EventLogEntry, event_id: int | None
    ) -> None:
        """Insert a row per partition, whose event names that partition only.

        Dagster's method serializes the event of all partitions again for each.
        """
        dagster_event = event.get_dagster_event()
        planned = dagster_event.asset_check_planned_data
        if not planned.partitions_subset:
            super()._store_asset_check_evaluation_planned(event, event_id)
            return
        marked = private.replace(
            planned, partitions_subset=private.DefaultPartitionsSubset({_PARTITION_MARK})
        )
        marked_event = dagster_event._replace(event_specific_data=marked)
        stored = super()._event_to_row(event._replace(dagster_event=marked_event))
        text = stored["event"]
        row = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": private.AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event_timestamp": stored["timestamp"],
            "evaluation_event_storage_id": event_id,
        }
        partitions = sorted(self._list_keys(planned.partitions_subset).subset)
        with self.index_connection() as index:
            index.execute(
                private.AssetCheckExecutionsTable.insert(),
                [
                    row
                    | {
                        "partition": partition,
                        "evaluation_event": text.replace(_PARTITION_MARK, partition),
                    }
                    for partition in partitions
                ],
            )

    def has_table(self, table_name: str) -> bool:
        """Return whether the index has a table."""
        if table_name not in self._existing and super().has_table(table_name):
            self._existing.add(table_name)
        return table_name in self._existing

    def _has_asset_key_col_on_connection(self, conn: sa.Connection, column_name: str) -> bool:
        name = f"{private.AssetKeyTable.name}.{column_name}"
        if name not in self._existing and super()._has_asset_key_col_on_connection(
            conn, column_name
        ):
            self._existing.add(name)
        return name in self._existing

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction, the open one if this thread has one to the file."""
        with self._lock:
            if shard in self._connections:
                yield self._connections[shard]
                return
            try:
                with self._open_file(shard).begin() as connection:
                    connection.exec_driver_sql(_SYNCHRONIZED)
                    self._connections[shard] = connection
                    try:
                        yield connection
                    finally:
                        del self._connections[shard]
            except sa.exc.DBAPIError:
                self._close_file(shard)
                raise

    def _open_file(self, shard: str) -> sa.Engine:
        """Return the engine of a file; open it if it is not open, or if it has been replaced."""
        file_id = _file_id(self.path_for_shard(shard))
        opened = self._open_files.get(shard)
        if file_id is None or (opened and opened[1:] != (file_id, os.getpid())):
            self._close_file(shard)
            self._initialized_dbs.discard(shard)
        opened = self._open_files.pop(shard, None) or self._create_engine(shard)
        self._open_files[shard] = opened
        runs = [name for name in self._open_files if name != private.INDEX_SHARD_NAME]
        for oldest in runs[:-MAX_OPEN_RUN_FILES]:
            self._close_file(oldest)
        return opened.engine

    def _create_engine(self, shard: str) -> _OpenFile:
        url = self.conn_string_for_shard(shard)
        arguments = {"timeout": private.SQLITE_BUSY_TIMEOUT_SECONDS}
        if shard not in self._initialized_dbs:
            # opens several connections at once
            creator = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)
            if _file_id(self.path_for_shard(shard)) is None:
                sa.event.listen(creator, "connect", _log_changes)
            self._initdb(creator)
            self._initialized_dbs.add(shard)
        file_id = _file_id(self.path_for_shard(shard))
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, connect_args=arguments)
        return _OpenFile(engine, file_id, os.getpid())

    def _close_file(self, shard: str) -> None:
        opened = self._open_files.pop(shard, None)
        if opened is None:
            return
        if opened.process_id == os.getpid():
            opened.engine.dispose()
        else:
            _inherited.append(opened.engine)

    def dispose(self) -> None:
        """Close all files; a later call opens them again."""
        super().dispose()
        with self._lock:
            for shard in list(self._open_files):
                self._close_file(shard)


def _log_changes(connection: sqlite3.Connection, _: object) -> None:
    """Let a new file have its log from the start: a table then takes no sync of its own.

    Dagster starts the log after it has created the tables.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(_UNSYNCHRONIZED)


def _is_indexed(event: dg.EventLogEntry) -> bool:
    """Return whether the index has a copy of an event: it is of an asset, a check or a status."""
    return event.is_dagster_event and (
        (kind := event.get_dagster_event().event_type) in private.ASSET_EVENTS
        or kind in private.ASSET_CHECK_EVENTS
        or kind in private.EVENT_TYPE_TO_PIPELINE_RUN_STATUS
    )


def _last_by_asset_and_type(
    events: Sequence[tuple[dg.EventLogEntry, int]],
) -> list[tuple[dg.EventLogEntry, int]]:
    """Return the last event of each asset and type, in the order of the events.

    An event overwrites all columns of the asset's row that an earlier one of the type wrote.
    """
    last: dict[tuple[dg.AssetKey | None, dg.DagsterEventType], tuple[dg.EventLogEntry, int]] = {}
    for event, event_id in events:
        dagster_event = event.get_dagster_event()
        key = (dagster_event.asset_key, dagster_event.event_type)
        last.pop(key, None)
        last[key] = (event, event_id)
    return list(last.values())


def _file_id(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
