"""Names that Dagster does not export: a new version of Dagster has to be checked here only.

Those of its event storage are in `dagster_private_storage`.
"""

import dagster as dg
from dagster._core.definitions.metadata import RawMetadataValue
from dagster._core.execution.context.metadata_logging import OutputMetadataAccumulator
from dagster._core.instance.ref import InstanceRef
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    REPOSITORY_LABEL_TAG,
)
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "PARTITION_NAME_TAG",
    "REPOSITORY_LABEL_TAG",
    "AssetCheckExecutionRecordStatus",
    "InstanceRef",
    "InstigatorStatus",
    "InstigatorType",
    "NoOpComputeLogManager",
    "RawMetadataValue",
    "SerializableErrorInfo",
    "clear_asset_metadata",
    "make_new_run_id",
]


def clear_asset_metadata(context: dg.AssetExecutionContext) -> None:
    """Forget the metadata of the assets that a step has materialized.

    Dagster copies the metadata of all assets and sessions of a step whenever some are added.
    """
    step_context = context.op_execution_context.get_step_execution_context()
    step_context._metadata_accumulator = OutputMetadataAccumulator.empty()
