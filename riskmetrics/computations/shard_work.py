"""Compute and write assets, of the whole book or of one shard, in this or in another process."""

import pickle
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.computations.result_asset import EXTENSIONS, ResultAsset
from riskmetrics.computations.result_assets import installed_assets
from riskmetrics.computations.summaries import Summary, summarize
from riskmetrics.db.engine import open_engine
from riskmetrics.db.result_writes import WHOLE_BOOK, Computed, Part, write_computed
from riskmetrics.db.write import Provenance, lock_asset
from riskmetrics.errors import ConfigurationError, root_cause
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.shared_series import SharedSeries
from riskmetrics.inputs.snapshot import ExportedSnapshot, Snapshot, join_snapshot, require_exported


class ShardTask(NamedTuple):
    """All that another process needs to compute and write a shard: small, and without secrets."""

    exported: ExportedSnapshot
    part: Part
    assets: tuple[str, ...]
    sessions: tuple[date, ...]
    provenance: Provenance
    version: str
    """Version of this package."""
    folder: str | None = None
    """Private directory of the run, if its workers are processes of the same machine."""


Outcomes = Mapping[str, Summary | Exception]
"""What was stored by asset, or why nothing was."""

_shared_series: dict[tuple[str, str], SharedSeries] = {}
"""What the shards of a snapshot have in common, by run and snapshot; one is kept."""


def compute_assets(
    snapshot: Snapshot, assets: Collection[ResultAsset], sessions: Sequence[date]
) -> dict[str, Computed | Exception]:
    """Compute assets from one snapshot; an asset that fails has its exception."""
    computed: dict[str, Computed | Exception] = {}
    inputs = RunInputs(snapshot, sessions)
    for asset in assets:
        try:
            with snapshot.connection.begin_nested():  # a failed statement fails one asset
                computed[asset.name] = asset.compute_rows(inputs)
        except Exception as error:  # noqa: BLE001  # raised where the asset's turn is
            if snapshot.connection.invalidated:  # the server is gone, for all that is left
                return dict.fromkeys((each.name for each in assets), error) | computed
            computed[asset.name] = error
    return computed


def store_asset(
    engine: sa.Engine,
    asset: ResultAsset,
    computed: Computed,
    sessions: Sequence[date],
    provenance: Provenance,
    part: Part = WHOLE_BOOK,
) -> Summary:
    """Write the rows of an asset, of the book or a part, in one transaction; summarize them.

    The run holds the locks of all assets while shards are written. A shard that is computed twice,
    because its worker was reported as lost, is written once after the other.
    """
    with engine.begin() as connection:
        lock_asset(connection, asset.name, "" if part.shard is None else str(part.shard))
        written = write_computed(connection, computed, sessions, provenance, part)
    return summarize(*written[0], asset.headline, sessions)


def run_shard(
    engine: sa.Engine, assets: Mapping[str, ResultAsset], task: ShardTask
) -> dict[str, Summary | Exception]:
    """Compute and write the assets of a task; what follows from a failed one is left out.

    The snapshot is closed before anything is written. After the run has ended, nothing is: a worker
    that outlives it, such as one of Dask, would overwrite results of the next run.
    """
    chosen = [assets[name] for name in task.assets]
    # a figure of another package may change what it is given
    has_extension = any(asset.group == EXTENSIONS for asset in chosen)
    shared = SharedSeries() if has_extension else _series_of(task)
    with join_snapshot(engine, task.exported, task.part.shard, shared) as snapshot:
        computed = compute_assets(snapshot, chosen, task.sessions)
    outcomes: dict[str, Summary | Exception] = {}
    stopped: set[str] = set()
    for asset in chosen:
        found = computed.pop(asset.name)
        if stopped.intersection(asset.upstream):
            stopped.add(asset.name)
            continue
        try:
            if isinstance(found, Exception):
                raise found
            require_exported(engine, task.exported)
            outcomes[asset.name] = store_asset(
                engine, asset, found, task.sessions, task.provenance, task.part
            )
        except Exception as error:  # noqa: BLE001  # raised where the asset's turn is
            stopped.add(asset.name)
            outcomes[asset.name] = error
    return outcomes


def run_shard_in_worker(task: ShardTask) -> dict[str, Summary | Exception]:
    """Compute and write the assets of a task, by the settings of this machine.

    Raises
    ------
    ConfigurationError
        If this machine has another version of riskmetrics, or an extension is missing.
    """
    if task.version != version("riskmetrics"):
        raise ConfigurationError(
            f"a worker has riskmetrics {version('riskmetrics')}, and the run {task.version}:"
            " install the version of the run on all workers"
        )
    assets = installed_assets()
    if missing := set(task.assets) - set(assets):
        raise ConfigurationError(
            f"a worker does not have the figure {', '.join(sorted(missing))}: install the package"
            " that defines it, with its entry point riskmetrics.metrics, on all workers"
        )
    outcomes = run_shard(_open_worker_engine(), assets, task)
    return {
        name: _make_portable(found) if isinstance(found, Exception) else found
        for name, found in outcomes.items()
    }


def forget_shared_series() -> None:
    """Free what the shards of a run had in common."""
    _shared_series.clear()


def _series_of(task: ShardTask) -> SharedSeries:
    key = task.provenance.dagster_run_id, task.exported.id
    if key not in _shared_series:
        _shared_series.clear()
        files = None if task.folder is None else Path(task.folder) / task.exported.id
        _shared_series[key] = SharedSeries(files)
    return _shared_series[key]


@cache
def _open_worker_engine() -> sa.Engine:
    return open_engine(settings.load())


def _make_portable(error: Exception) -> Exception:
    """Return the cause of an exception, or its text if it cannot be sent to the run."""
    cause = root_cause(error)
    try:
        copied = pickle.loads(pickle.dumps(cause))  # noqa: S301  # made a moment ago
    except Exception:  # noqa: BLE001  # of whatever class the exception is
        copied = None
    return copied if isinstance(copied, Exception) else RuntimeError(f"{cause!r}")
