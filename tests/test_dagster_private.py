"""The names that Dagster does not export still exist and still do what we use them for."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from riskmetrics import dagster_private as private


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


def test_metadata_of_materialized_assets_can_be_forgotten_and_stay_stored() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("first"), dg.AssetSpec("second")])
    def both(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        for name in ("first", "second"):
            context.add_asset_metadata({"number": 1}, asset_key=name)
            yield dg.MaterializeResult(asset_key=name)
            private.clear_asset_metadata(context)
            step = context.op_execution_context.get_step_execution_context()
            assert not step.get_asset_metadata(dg.AssetKey(name))

    stored = dg.materialize([both]).asset_materializations_for_node("both")
    assert [each.metadata["number"].value for each in stored] == [1, 1]


def test_each_name_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in private.__all__ if name not in text] == []
