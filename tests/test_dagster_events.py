"""The event storage stores the rows of Dagster's own, whatever ends or disturbs the process."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData

from riskmetrics import dagster_private as tags
from riskmetrics import dagster_private_storage as private
from riskmetrics.assets.partitions import session_partitions
from riskmetrics.dagster_events import MAX_OPEN_RUN_FILES, BatchingEventLogStorage
from tests.forked_commands import PATIENCE

pytestmark = pytest.mark.integration

Calls = list[list[dg.EventLogEntry]]
Rows = dict[str, list[tuple[object, ...]]]
RUN = "c0ffee00-0000-4000-8000-000000000000"
TIMES_OF_INSERT = {"create_timestamp", "migration_completed"}


@pytest.fixture
def folder(fast_folder: Path, tmp_path: Path) -> Path:
    return fast_folder / "events" / tmp_path.name


@pytest.fixture
def storage(folder: Path) -> Iterator[BatchingEventLogStorage]:
    storage = BatchingEventLogStorage(str(folder))
    yield storage
    storage.dispose()


def materialization(number: int, run_id: str = RUN) -> dg.EventLogEntry:
    """Return an event with a partition and a tag."""
    event = dg.AssetMaterialization(
        "asset", partition=f"p{number}", tags={"dagster/data_version": str(number)}
    )
    return dg.EventLogEntry(
        error_info=None,
        level="debug",
        user_message="",
        run_id=run_id,
        timestamp=1_700_000_000.0 + number,
        dagster_event=dg.DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            "job",
            event_specific_data=StepMaterializationData(event),
        ),
    )


def read_tables(file: Path) -> Rows:
    """Return all rows of a database file by table, without times of insertion.

    Planned checks are also without their ids: Dagster inserts those of a set of keys in any order.
    """
    rows: Rows = {}
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            left_out = TIMES_OF_INSERT | ({"id"} if table == "asset_check_executions" else set())
            kept = ", ".join(f'"{name}"' for name in columns if name not in left_out)
            query = f'SELECT {kept} FROM "{table}"'
            rows[table] = sorted(connection.execute(query).fetchall(), key=repr)
    return rows


def read_partitions(file: Path) -> list[str]:
    """Return the partitions of the events in a file, after a check of the file."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT partition FROM event_logs ORDER BY id"
        return [partition for (partition,) in connection.execute(query)]


# ------------------------------------------------------------------ the same rows


@dg.asset(
    partitions_def=dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11"),
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("passes", asset="partitioned")],
)
def partitioned(context: dg.AssetExecutionContext) -> Iterator[Any]:
    yield dg.MaterializeResult(metadata={"rows": 3}, data_version=dg.DataVersion("one"))
    yield dg.AssetCheckResult(passed=True, check_name="passes", metadata={"value": 1.5})
    context.log.warning("a message")


@dg.asset(deps=[partitioned])
def observed(context: dg.AssetExecutionContext) -> None:
    context.log_event(dg.AssetObservation("observed", tags={"seen": "yes"}))


@dg.asset_check(asset=observed)
def fails() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(deps=[observed])
def broken() -> None:
    raise ValueError("broken")


def record_calls(home: Path, monkeypatch: pytest.MonkeyPatch, batch_size: int) -> Calls:
    """Return the events of two runs of a range, in the groups in which Dagster stores them."""
    calls: Calls = []
    store = private.SqliteEventLogStorage.store_event

    def store_batch(
        self: private.SqliteEventLogStorage, events: Sequence[dg.EventLogEntry]
    ) -> None:
        calls.append(list(events))
        for event in events:
            store(self, event)

    job = dg.Definitions(
        [partitioned, observed, broken], asset_checks=[fails], jobs=[dg.define_asset_job("all")]
    ).resolve_job_def("all")
    with monkeypatch.context() as patch, dg.DagsterInstance.local_temp(str(home)) as instance:
        patch.setenv("DAGSTER_EVENT_BATCH_SIZE", str(batch_size))
        patch.setenv("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "true")
        patch.setattr(private.SqliteEventLogStorage, "store_event_batch", store_batch)
        patch.setattr(
            private.SqliteEventLogStorage,
            "store_event",
            lambda self, event: store_batch(self, [event]),
        )
        for last in ("2024-01-09", "2024-01-04"):
            range_tags = {
                tags.ASSET_PARTITION_RANGE_START_TAG: "2024-01-02",
                tags.ASSET_PARTITION_RANGE_END_TAG: last,
            }
            job.execute_in_process(instance=instance, tags=range_tags, raise_on_error=False)
    return calls


def by_keys(event: dg.EventLogEntry) -> dg.EventLogEntry:
    """Return an event with the keys of its planned partitions in place of Dagster's windows."""
    data = event.dagster_event.event_specific_data if event.dagster_event else None
    if getattr(data, "partitions_subset", None) is None:
        return event
    keys = private.DefaultPartitionsSubset(set(data.partitions_subset.get_partition_keys()))
    if isinstance(data, private.AssetCheckEvaluationPlanned):
        planned: Any = private.AssetCheckEvaluationPlanned(
            asset_key=data.asset_key, check_name=data.check_name, partitions_subset=keys
        )
    else:
        planned = AssetMaterializationPlannedData(data.asset_key, partitions_subset=keys)
    return event._replace(dagster_event=event.dagster_event._replace(event_specific_data=planned))


def name_own_partitions(index: Path) -> int:
    """Let the event of each planned check name the partition of its row only; return the rows."""
    with closing(sqlite3.connect(index)) as connection, connection:
        rows = connection.execute(
            "SELECT evaluation_event, partition, id FROM asset_check_executions"
            " WHERE execution_status = 'PLANNED' AND partition IS NOT NULL"
        ).fetchall()
        for text, partition, row in rows:
            event = dg.deserialize_value(text, dg.EventLogEntry)
            planned: Any = event.dagster_event.event_specific_data
            own = private.replace(
                planned, partitions_subset=private.DefaultPartitionsSubset({partition})
            )
            changed = event._replace(
                dagster_event=event.dagster_event._replace(event_specific_data=own)
            )
            connection.execute(
                "UPDATE asset_check_executions SET evaluation_event = ? WHERE id = ?",
                (dg.serialize_value(changed), row),
            )
    return len(rows)


@pytest.mark.parametrize("batch_size", [5, 1000])
def test_the_files_have_the_same_rows_as_those_of_dagster_but_planned_keys(
    folder: Path,
    storage: BatchingEventLogStorage,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int,
) -> None:
    home = folder / "home"
    home.mkdir()
    calls = record_calls(home, monkeypatch, batch_size)
    assert max(map(len, calls)) > 3
    types = [event.dagster_event_type for events in calls for event in events]
    assert set(types) > private.ASSET_CHECK_EVENTS
    original = private.SqliteEventLogStorage(str(folder / "original"))
    for events in calls:
        for event in events:
            original.store_event(by_keys(event))
        storage.store_event_batch(events)
    assert sum(by_keys(event) is not event for events in calls for event in events) == 10
    storage.dispose()
    original.dispose()
    assert name_own_partitions(folder / "original" / "index.db") > 8
    files = sorted(file.name for file in (folder / "original").glob("*.db"))
    assert len(files) == 3  # the index and two runs
    assert sorted(file.name for file in folder.glob("*.db")) == files
    for name in files:
        tables = read_tables(folder / name)
        assert tables == read_tables(folder / "original" / name)
        assert len(tables["event_logs"]) > 20
    index = read_tables(folder / "index.db")
    assert all(index[name] for name in ("asset_keys", "asset_event_tags"))
    assert len(index["asset_check_executions"]) > 8  # a row per partition of a planned check


def test_a_planned_event_names_its_sessions_and_not_the_closed_days(
    storage: BatchingEventLogStorage,
) -> None:
    subset = session_partitions.subset_with_partition_keys(["2022-12-27", "2022-12-28"])
    planned = AssetMaterializationPlannedData(
        dg.AssetKey("asset"), partitions_subset=subset.to_serializable_subset()
    )
    event = dg.DagsterEvent.build_asset_materialization_planned_event("job", "step", planned)
    entry = dg.EventLogEntry(None, "debug", "", RUN, 1_700_000_000.0, dagster_event=event)
    assert len(dg.serialize_value(entry)) > 10_000
    storage.store_event(entry)
    (stored,) = storage.get_logs_for_run(RUN)
    assert len(dg.serialize_value(stored)) < 2_000
    assert set(stored.dagster_event.partitions_subset.get_partition_keys()) == {
        "2022-12-27",
        "2022-12-28",
    }


def test_a_batch_of_several_runs_keeps_its_order(
    folder: Path, storage: BatchingEventLogStorage
) -> None:
    runs = [RUN, RUN[::-1], RUN, RUN]
    storage.store_event_batch([materialization(number, run) for number, run in enumerate(runs)])
    assert read_partitions(folder / "index.db") == ["p0", "p1", "p2", "p3"]
    assert read_partitions(folder / f"{RUN}.db") == ["p0", "p2", "p3"]


# ------------------------------------------------------------------ failures


def test_a_batch_that_fails_leaves_nothing(
    folder: Path, storage: BatchingEventLogStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.store_event(materialization(0))
    before = read_tables(folder / "index.db")
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_store_asset_event", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            storage.store_event_batch([materialization(1), materialization(2)])
    assert read_tables(folder / "index.db") == before
    assert read_partitions(folder / f"{RUN}.db") == ["p0"]
    storage.store_event_batch([materialization(1), materialization(2)])
    assert read_partitions(folder / f"{RUN}.db") == ["p0", "p1", "p2"]


_WRITER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from tests.test_dagster_events import RUN, materialization
from riskmetrics import dagster_private_storage as private
from riskmetrics.dagster_events import BatchingEventLogStorage
storage = BatchingEventLogStorage(sys.argv[2])
batch = [materialization(number) for number in range(100)]
"""


def start_writer(folder: Path, code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER + code, root, str(folder), *arguments],
        stdout=subprocess.PIPE,
    )


def end_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit code of a process, after its end."""
    process.communicate()
    return process.returncode


@pytest.mark.parametrize(
    ("commits", "in_run", "in_index"),
    [(0, 1, 1), (1, 2, 1), (2, 2, 2)],
    ids=["before both", "between", "after both"],
)
def test_a_process_killed_in_a_commit_leaves_whole_batches(
    folder: Path, commits: int, in_run: int, in_index: int
) -> None:
    code = """
import sqlalchemy as sa
storage.store_event_batch(batch)
commits = [int(sys.argv[3])]
def kill(connection):
    if not commits[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    commits[0] -= 1
for opened in storage._open_files.values():
    sa.event.listen(opened.engine, "commit", kill)
storage.store_event_batch(batch)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert end_of(start_writer(folder, code, str(commits))) == -signal.SIGKILL
    batch = [f"p{number}" for number in range(100)]
    assert read_partitions(folder / f"{RUN}.db") == in_run * batch
    assert read_partitions(folder / "index.db") == in_index * batch
    storage = BatchingEventLogStorage(str(folder))  # the next process continues
    storage.store_event(materialization(100))
    assert len(storage.get_logs_for_run(RUN)) == in_run * 100 + 1
    storage.dispose()


def test_a_process_killed_at_any_time_leaves_whole_batches(folder: Path) -> None:
    code = """
storage.store_event_batch(batch)
print("stored", flush=True)
while True:
    storage.store_event_batch(batch)
"""
    batch = [f"p{number}" for number in range(100)]
    n_batches = 0
    for delay in (0.05, 0.11, 0.17):
        writer = start_writer(folder, code)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"stored\n"
        time.sleep(delay)
        writer.kill()
        writer.communicate()
        assert writer.returncode == -signal.SIGKILL
        stored = read_partitions(folder / f"{RUN}.db")
        indexed = read_partitions(folder / "index.db")
        assert stored == len(stored) // 100 * batch
        assert indexed == len(indexed) // 100 * batch
        assert len(stored) > n_batches * 100
        n_batches = len(stored) // 100


@pytest.mark.parametrize(
    "end", ["", "raise ValueError", "raise KeyboardInterrupt", "sys.exit(3)", "storage.dispose()"]
)
def test_no_event_is_lost_however_a_process_ends(folder: Path, end: str) -> None:
    assert end_of(start_writer(folder, f"storage.store_event_batch(batch)\n{end}")) in {0, 1, 3, -2}
    assert len(read_partitions(folder / f"{RUN}.db")) == 100
    assert len(read_partitions(folder / "index.db")) == 100


def test_an_interrupt_between_the_events_of_a_batch_loses_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = dg.DagsterInstance.handle_new_event
    n_materialized = 0

    def interrupt_third(self: dg.DagsterInstance, event: dg.EventLogEntry, **options: Any) -> None:
        nonlocal n_materialized
        if event.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            n_materialized += 1
            if n_materialized == 3:
                os.kill(os.getpid(), signal.SIGINT)
        handle(self, event, **options)

    folder.mkdir(parents=True)
    config = {"base_dir": str(folder / "history" / "runs")}
    ours = {"module": BatchingEventLogStorage.__module__, "class": "BatchingEventLogStorage"}
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    monkeypatch.setattr(dg.DagsterInstance, "handle_new_event", interrupt_third)
    range_tags = {
        tags.ASSET_PARTITION_RANGE_START_TAG: "2024-01-02",
        tags.ASSET_PARTITION_RANGE_END_TAG: "2024-01-09",
    }
    with dg.DagsterInstance.local_temp(
        str(folder), overrides={"event_log_storage": {**ours, "config": config}}
    ) as instance:
        result = dg.materialize(
            [partitioned, observed], instance=instance, tags=range_tags, raise_on_error=False
        )
        assert not result.success
        logs = instance.all_logs(result.run_id)
    types = [event.dagster_event_type for event in logs]
    assert types.count(dg.DagsterEventType.ASSET_MATERIALIZATION) == 8
    assert dg.DagsterEventType.ASSET_OBSERVATION not in types


# ------------------------------------------------------------------ other processes


def test_processes_with_either_storage_write_at_the_same_time(folder: Path) -> None:
    code = """
run_id, name, n_batches = sys.argv[3], sys.argv[4], 10
storage = {"own": BatchingEventLogStorage, "original": private.SqliteEventLogStorage}[name](
    sys.argv[2]
)
for _ in range(n_batches):
    storage.store_event_batch([materialization(number, run_id) for number in range(20)])
    assert len(storage.get_logs_for_run(run_id)) >= 20
"""
    kinds = ["own", "own", "own", "original"]
    runs = [RUN, RUN, RUN[::-1], RUN[::-1]]  # each file has two writers, and the index four
    writers = [
        start_writer(folder, code, run_id, kind) for run_id, kind in zip(runs, kinds, strict=True)
    ]
    assert [end_of(writer) for writer in writers] == [0, 0, 0, 0]
    for run_id in {RUN, RUN[::-1]}:
        assert len(read_partitions(folder / f"{run_id}.db")) == 400
    indexed = read_partitions(folder / "index.db")
    assert len(indexed) == 800
    assert all(indexed.count(f"p{number}") == 40 for number in range(20))
    original = private.SqliteEventLogStorage(str(folder))
    (record,) = original.get_asset_records([dg.AssetKey("asset")])
    assert record.asset_entry.last_materialization is not None


@pytest.mark.parametrize("viewer", [private.SqliteEventLogStorage, BatchingEventLogStorage])
def test_a_viewer_sees_events_while_the_run_goes_on(
    folder: Path,
    storage: BatchingEventLogStorage,
    viewer: type[private.SqliteEventLogStorage],
) -> None:
    storage.store_event(materialization(0))
    seen: list[str | None] = []
    changed = threading.Event()

    def see(event: dg.EventLogEntry, _: str) -> None:
        seen.append(event.get_dagster_event().partition)
        changed.set()

    viewing = viewer(str(folder))
    viewing.watch(RUN, None, see)
    try:
        for number in (1, 2):
            changed.clear()
            storage.store_event(materialization(number))
            assert changed.wait(PATIENCE)
            while seen[-1] != f"p{number}":
                changed.clear()
                assert changed.wait(PATIENCE)
    finally:
        viewing.end_watch(RUN, see)
        viewing.dispose()
    assert seen == ["p0", "p1", "p2"]


def test_a_forked_child_does_not_use_connections_of_its_parent(
    folder: Path, storage: BatchingEventLogStorage
) -> None:
    storage.store_event(materialization(0))
    child = os.fork()
    if not child:
        storage.store_event(materialization(1))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    storage.store_event(materialization(2))
    assert read_partitions(folder / "index.db") == ["p0", "p1", "p2"]


# ------------------------------------------------------------------ synchronized commits


def step_start() -> dg.EventLogEntry:
    """Return an event that only the run's file has."""
    event = dg.DagsterEvent(dg.DagsterEventType.STEP_START.value, "job", step_key="step")
    return dg.EventLogEntry(None, "debug", "", RUN, 1_700_000_000.0, dagster_event=event)


def test_only_events_outside_the_index_wait_for_the_next_synchronized_commit(
    storage: BatchingEventLogStorage,
) -> None:
    storage.store_event(materialization(0))
    levels: list[tuple[str, int]] = []
    for shard, opened in storage._open_files.items():

        def note(connection: sa.Connection, shard: str = shard) -> None:
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            levels.append((shard, level))

        sa.event.listen(opened.engine, "commit", note)
    normal, full = 1, 2  # values that SQLite documents
    storage.store_event(step_start())
    assert (RUN, normal) in levels
    levels.clear()
    storage.store_event_batch([step_start(), materialization(1)])
    assert levels == [(RUN, full), ("index", full)]
    levels.clear()
    storage.store_event(step_start())
    storage.store_event(materialization(2))
    assert levels[-2:] == [(RUN, full), ("index", full)]


def test_the_tables_of_a_new_file_are_created_in_its_log(
    folder: Path, storage: BatchingEventLogStorage
) -> None:
    modes = []

    def note(*arguments: Any) -> None:
        connection, _, statement = arguments[:3]
        if "CREATE TABLE" in statement:
            modes.append(connection.connection.execute("PRAGMA journal_mode").fetchone())

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        storage.store_event(materialization(0))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert len(modes) > 3
    assert set(modes) == {("wal",)}
    assert read_partitions(folder / f"{RUN}.db") == ["p0"]


# ------------------------------------------------------------------ open files


def open_files(folder: Path) -> set[str]:
    links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return {link.name for link in links if link.parent == folder.resolve()}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_a_bounded_number_of_files_is_open_and_none_after_dispose(
    folder: Path, storage: BatchingEventLogStorage
) -> None:
    for number in range(MAX_OPEN_RUN_FILES + 3):
        storage.store_event(materialization(number, f"run-{number}"))
    databases = {name for name in open_files(folder) if name.endswith(".db")}
    assert len(databases) == MAX_OPEN_RUN_FILES + 1
    assert {"index.db", f"run-{MAX_OPEN_RUN_FILES + 2}.db"} < databases
    storage.dispose()
    assert open_files(folder) == set()
    assert [file for file in folder.iterdir() if file.suffix != ".db"] == []  # no log is left
    assert len(storage.get_logs_for_run("run-0")) == 1


def test_a_file_that_another_process_removes_is_created_again(
    folder: Path, storage: BatchingEventLogStorage
) -> None:
    storage.store_event(materialization(0))
    for file in folder.glob(f"{RUN}.db*"):
        file.unlink()
    storage.store_event(materialization(1))
    assert read_partitions(folder / f"{RUN}.db") == ["p1"]
    assert [event.get_dagster_event().partition for event in storage.get_logs_for_run(RUN)] == [
        "p1"
    ]
