"""All names that Dagster does not export: a new version of Dagster has to be checked here only."""

from dagster._core.definitions.metadata import RawMetadataValue
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.instance.ref import InstanceRef
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    REPOSITORY_LABEL_TAG,
)
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ASSET_CHECK_EVENTS",
    "ASSET_EVENTS",
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "EVENT_STORAGE_METHODS",
    "EVENT_TYPE_TO_PIPELINE_RUN_STATUS",
    "INDEX_SHARD_NAME",
    "PARTITION_NAME_TAG",
    "REPOSITORY_LABEL_TAG",
    "SQLITE_BUSY_TIMEOUT_SECONDS",
    "AssetCheckExecutionRecordStatus",
    "AssetCheckExecutionsTable",
    "AssetKeyTable",
    "InstanceRef",
    "InstigatorStatus",
    "InstigatorType",
    "NoOpComputeLogManager",
    "RawMetadataValue",
    "SerializableErrorInfo",
    "SqlEventLogStorageTable",
    "SqliteEventLogStorage",
    "make_new_run_id",
]

EVENT_STORAGE_METHODS = (
    "__init__",
    "_connect",
    "_event_insert_timestamp",
    "_event_to_row",
    "_get_asset_entry_values",
    "_has_asset_key_col_on_connection",
    "_initdb",
    "_store_asset_check_evaluation_planned",
    "_store_asset_event",
    "_store_asset_event_tags",
    "_store_runless_asset_check_evaluation",
    "_update_asset_check_evaluation",
    "conn_string_for_shard",
    "dispose",
    "from_config_value",
    "has_table",
    "index_connection",
    "path_for_shard",
    "run_connection",
    "store_asset_check_event",
    "store_event",
    "store_event_batch",
    "upgrade",
    "watch",
    "wipe",
)
"""Methods of `SqliteEventLogStorage` that our event storage overrides, calls or depends on.

A test has a checksum of the source of each: if it fails after an upgrade, compare the method that
it names with `riskmetrics.dagster_events`.
"""
