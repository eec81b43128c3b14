"""Names that Dagster does not export: a new version of Dagster has to be checked here only.

Those of its event storage are in `dagster_private_storage`.
"""

from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.metadata import RawMetadataValue
from dagster._core.execution.context.metadata_logging import (
    AssetMetadataHandle,
    OutputMetadataAccumulator,
)
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
    "make_new_run_id",
    "set_asset_metadata",
]


def set_asset_metadata(
    context: dg.AssetExecutionContext,
    asset: str,
    by_partition: Mapping[str, Mapping[str, RawMetadataValue]],
) -> None:
    """Set the metadata of an asset that a step is about to materialize, by partition key.

    Metadata of what the step materialized before are forgotten: they are stored. Dagster's
    `add_asset_metadata` copies those of all assets and sessions of a step for each session.
    """
    step_context = context.op_execution_context.get_step_execution_context()
    step_context._metadata_accumulator = OutputMetadataAccumulator(
        per_output_metadata={
            AssetMetadataHandle(asset_key=dg.AssetKey(asset), partition_key=partition): metadata
            for partition, metadata in by_partition.items()
        }
    )
