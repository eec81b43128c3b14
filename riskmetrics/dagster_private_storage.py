"""Names that Dagster does not export, of its event storage: loading them loads Alembic."""

from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationPlanned,
)
from dagster._core.definitions.partitions.subset import DefaultPartitionsSubset
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster_shared.record import replace

__all__ = [
    "ASSET_CHECK_EVENTS",
    "ASSET_EVENTS",
    "EVENT_STORAGE_METHODS",
    "EVENT_TYPE_TO_PIPELINE_RUN_STATUS",
    "INDEX_SHARD_NAME",
    "SQLITE_BUSY_TIMEOUT_SECONDS",
    "AssetCheckEvaluationPlanned",
    "AssetCheckExecutionRecordStatus",
    "AssetCheckExecutionsTable",
    "AssetKeyTable",
    "DefaultPartitionsSubset",
    "SqlEventLogStorageTable",
    "SqliteEventLogStorage",
    "replace",
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
