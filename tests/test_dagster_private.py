"""The names that Dagster does not export still exist and still do what we use them for."""

import ast
import inspect
import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pytest

from riskmetrics import dagster_events
from riskmetrics import dagster_private as private
from riskmetrics import dagster_private_storage as storage_names

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARTITION_NAME_TAG", "dagster/partition"),
        ("ASSET_PARTITION_RANGE_START_TAG", "dagster/asset_partition_range_start"),
        ("ASSET_PARTITION_RANGE_END_TAG", "dagster/asset_partition_range_end"),
        ("REPOSITORY_LABEL_TAG", ".dagster/repository"),
    ],
)
def test_tags_are_those_that_runs_and_documents_of_users_have(name: str, value: str) -> None:
    assert getattr(private, name) == value


def test_a_new_run_id_is_a_uuid() -> None:
    assert uuid.UUID(private.make_new_run_id()) != uuid.UUID(private.make_new_run_id())


def test_an_instance_takes_overrides_of_its_file(tmp_path: Path) -> None:
    no_logs = private.NoOpComputeLogManager
    config = {"module": no_logs.__module__, "class": no_logs.__name__}
    reference = private.InstanceRef.from_dir(str(tmp_path), overrides={"compute_logs": config})
    with dg.DagsterInstance.from_ref(reference) as instance:
        assert isinstance(instance.compute_log_manager, no_logs)


def test_states_of_schedules_are_read_by_kind_and_status(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert instance.all_instigator_state(instigator_type=private.InstigatorType.SCHEDULE) == []
    assert {"RUNNING", "STOPPED"} <= set(private.InstigatorStatus.__members__)


def test_the_error_of_a_failed_step_has_a_message_a_class_and_a_cause() -> None:
    @dg.asset
    def failing() -> None:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise RuntimeError("the error") from error

    result = dg.materialize([failing], raise_on_error=False)
    (event,) = [event for event in result.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert isinstance(error, private.SerializableErrorInfo)
    assert error.cause is not None
    assert error.cause.cls_name == "RuntimeError"
    assert error.cause.cause is not None
    assert error.cause.cause.message.strip() == "ValueError: the cause"


def test_metadata_takes_the_values_that_its_type_names() -> None:
    value: private.RawMetadataValue = 1.5
    event = dg.AssetMaterialization("asset", metadata={"number": value})
    assert event.metadata["number"].value == value


def test_metadata_of_partitions_are_set_at_once_and_forgotten_when_they_are_stored() -> None:
    days = dg.StaticPartitionsDefinition(["monday", "tuesday"])

    @dg.multi_asset(
        specs=[dg.AssetSpec("first"), dg.AssetSpec("second")],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def both(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        step = context.op_execution_context.get_step_execution_context()
        for name in ("first", "second"):
            by_day = {day: {"text": f"{name}, {day}"} for day in context.partition_keys}
            private.set_asset_metadata(context, name, by_day)
            yield dg.MaterializeResult(asset_key=name)
        assert not step.get_asset_metadata(dg.AssetKey("first"), "monday")

    tags = {
        private.ASSET_PARTITION_RANGE_START_TAG: "monday",
        private.ASSET_PARTITION_RANGE_END_TAG: "tuesday",
    }
    stored = dg.materialize([both], tags=tags).asset_materializations_for_node("both")
    # Dagster keeps the partitions of a range in a set: their order is of no meaning.
    texts = sorted(str(each.metadata["text"].value) for each in stored)
    assert texts == ["first, monday", "first, tuesday", "second, monday", "second, tuesday"]


CHECKSUMS = {
    "__init__": "264c15ba",
    "_connect": "b8435f26",
    "_event_insert_timestamp": "02e6947e",
    "_event_to_row": "93d47fbe",
    "_get_asset_entry_values": "bb3b9df2",
    "_has_asset_key_col_on_connection": "981049df",
    "_initdb": "7a302d98",
    "_store_asset_check_evaluation_planned": "bbecef7a",
    "_store_asset_event": "fdb9340b",
    "_store_asset_event_tags": "85d6f17e",
    "_store_runless_asset_check_evaluation": "6f98e740",
    "_update_asset_check_evaluation": "961fd604",
    "conn_string_for_shard": "896bc510",
    "dispose": "df16dafb",
    "from_config_value": "28e08f09",
    "has_table": "577d801c",
    "index_connection": "8caf95eb",
    "path_for_shard": "0eaeb69b",
    "run_connection": "54e64bd6",
    "store_asset_check_event": "6d148295",
    "store_event": "f89aed40",
    "store_event_batch": "d7101895",
    "upgrade": "56bbafdf",
    "watch": "a223e2f9",
    "wipe": "de02c636",
}
"""First eight characters of the SHA-256 of the source of methods of Dagster's event storage."""


def test_methods_of_the_event_storage_are_those_that_ours_was_written_for() -> None:
    methods = {
        name: inspect.getsource(getattr(storage_names.SqliteEventLogStorage, name))
        for name in storage_names.EVENT_STORAGE_METHODS
    }
    changed = {
        name: source
        for name, source in methods.items()
        if sha256(source.encode()).hexdigest()[:8] != CHECKSUMS[name]
    }
    assert changed == {}, (
        "Dagster changed these methods: compare them with riskmetrics/dagster_events.py, then"
        " update CHECKSUMS"
    )


def test_each_method_that_the_event_storage_uses_is_listed() -> None:
    own = vars(dagster_events.BatchingEventLogStorage)
    tree = ast.parse(inspect.getsource(dagster_events))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(own)
    inherited = used & set(dir(storage_names.SqliteEventLogStorage))
    named = {name for name in inherited if not name.startswith(("__", "_abc_"))}
    assert named <= set(storage_names.EVENT_STORAGE_METHODS)


def test_the_event_storage_has_the_state_that_ours_resets(tmp_path: Path) -> None:
    storage = storage_names.SqliteEventLogStorage(str(tmp_path))
    with storage.run_connection("run"):
        pass
    assert "run" in storage._initialized_dbs
    storage.wipe()
    assert "run" not in storage._initialized_dbs
    attributes = vars(dagster_events.BatchingEventLogStorage(str(tmp_path)))
    assert set(attributes) - set(vars(storage)) == {
        "_lock",
        "_open_files",
        "_connections",
        "_existing",
        "_planned",
        "_texts",
    }


def test_kinds_of_indexed_events_do_not_overlap() -> None:
    asset_events, check_events = storage_names.ASSET_EVENTS, storage_names.ASSET_CHECK_EVENTS
    status_events = set(storage_names.EVENT_TYPE_TO_PIPELINE_RUN_STATUS)
    assert dg.DagsterEventType.ASSET_MATERIALIZATION in asset_events
    assert dg.DagsterEventType.ASSET_CHECK_EVALUATION in check_events
    assert dg.DagsterEventType.RUN_SUCCESS in status_events
    assert len(asset_events | check_events | status_events) == sum(
        map(len, (asset_events, check_events, status_events))
    )


def test_tables_of_events_and_assets_have_the_columns_that_are_read() -> None:
    assert {"id", "run_id", "partition"} <= set(storage_names.SqlEventLogStorageTable.c.keys())
    assert "asset_key" in storage_names.AssetKeyTable.c
    assert {"id", "create_timestamp"} == set(storage_names.AssetCheckExecutionsTable.c.keys()) - {
        "asset_key",
        "check_name",
        "partition",
        "run_id",
        "execution_status",
        "evaluation_event",
        "evaluation_event_timestamp",
        "evaluation_event_storage_id",
        "materialization_event_storage_id",
    }
    assert storage_names.AssetCheckExecutionRecordStatus.PLANNED.value == "PLANNED"
    assert storage_names.SQLITE_BUSY_TIMEOUT_SECONDS >= 30


def test_planned_partitions_are_replaced_by_their_keys() -> None:
    keys = storage_names.DefaultPartitionsSubset({"2022-12-28"})
    planned = storage_names.AssetCheckEvaluationPlanned(
        asset_key=dg.AssetKey("asset"), check_name="check"
    )
    changed = storage_names.replace(planned, partitions_subset=keys)
    read = dg.deserialize_value(dg.serialize_value(changed))
    assert read == changed
    assert set(read.partitions_subset.get_partition_keys()) == {"2022-12-28"}


def test_the_index_is_a_file_next_to_those_of_runs(tmp_path: Path) -> None:
    storage_names.SqliteEventLogStorage(str(tmp_path))
    assert (tmp_path / f"{storage_names.INDEX_SHARD_NAME}.db").exists()


def test_each_name_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in (*private.__all__, *storage_names.__all__) if name not in text] == []
