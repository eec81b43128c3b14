"""Names that Dagster does not export: a new version of Dagster has to be checked here only.

Those of its event storage are in `dagster_private_storage`.
"""

from dagster._core.definitions.metadata import RawMetadataValue
from dagster._core.instance.ref import InstanceRef
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType
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
    "InstanceRef",
    "InstigatorStatus",
    "InstigatorType",
    "NoOpComputeLogManager",
    "RawMetadataValue",
    "SerializableErrorInfo",
    "make_new_run_id",
]
