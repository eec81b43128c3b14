"""The results of a run: each asset is computed and stored once, of the book or shard by shard.

A small book is one shard: all assets are computed from one snapshot, which is closed before the
first is written. The shards of a large book are read from the exported snapshot of the run, and
each is written when it is computed.
"""

from collections.abc import Collection, Sequence, Set
from contextlib import ExitStack
from datetime import date
from functools import partial
from importlib.metadata import version
from tempfile import TemporaryDirectory
from typing import Protocol

import sqlalchemy as sa

from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.computations.shard_work import (
    ShardTask,
    compute_assets,
    forget_shared_series,
    run_shard,
    store_asset,
)
from riskmetrics.computations.summaries import Summary, add_summaries
from riskmetrics.computations.workers import Workers, open_workers
from riskmetrics.db import tables
from riskmetrics.db.outdated_results import mark_recomputed, read_mark
from riskmetrics.db.result_writes import Computed, Part, find_new_tables
from riskmetrics.db.shards import MIN_LOTS_TO_DIVIDE, Shard, Unit, count_lots, count_shards, divide
from riskmetrics.db.write import Provenance, lock_asset
from riskmetrics.errors import root_cause
from riskmetrics.inputs.snapshot import ExportedSnapshot, Snapshot, open_snapshot
from riskmetrics.settings import Settings


class _Work(Protocol):
    def store(self, asset: ResultAsset, stopped: Set[str]) -> Summary: ...


class ResultRun:
    """The selected assets of a run, to be stored one after another.

    Parameters
    ----------
    engine : Engine
    configured : Settings
    assets : sequence of ResultAsset
        All assets of the run, in the order in which they are computed.
    selected : collection of str
        Names of the assets that are stored.
    sessions : sequence of date
    provenance : Provenance
    """

    def __init__(
        self,
        engine: sa.Engine,
        configured: Settings,
        assets: Sequence[ResultAsset],
        selected: Collection[str],
        sessions: Sequence[date],
        provenance: Provenance,
    ) -> None:
        self.engine, self.configured = engine, configured
        self.assets = {asset.name: asset for asset in assets}
        self.selected = [asset for asset in assets if asset.name in selected]
        self.sessions, self.provenance = tuple(sessions), provenance
        self._opened = ExitStack()
        self._works: dict[str, _Work | Exception] = {}
        self._left = set(self.assets)

    def __enter__(self) -> "ResultRun":
        """Prepare the workers; they are started if the book is large."""
        with self.engine.connect() as connection:  # before any snapshot: a later mark stays
            self._mark = read_mark(connection)
        # for what shards have in common, until the workers have ended
        self.folder: str | None = None
        if self.configured.workers > 1 and self.configured.dask_scheduler is None:
            self.folder = self._opened.enter_context(TemporaryDirectory(prefix="riskmetrics-run-"))
        run_in_process = partial(run_shard, self.engine, self.assets)
        self.workers: Workers = self._opened.enter_context(
            open_workers(self.configured, run_in_process)
        )
        self._opened.callback(forget_shared_series)
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers, and the snapshot of the run."""
        self._opened.close()

    def store(self, asset: ResultAsset, stopped: Set[str]) -> Summary:
        """Store an asset, in its turn.

        Parameters
        ----------
        asset : ResultAsset
            One of the selected ones.
        stopped : set of str
            Names of assets that are not to be computed, because something upstream has failed.

        Raises
        ------
        Exception
            That of the computation, if it failed.
        """
        if asset.name not in self._works:
            sharing = [each for each in self.selected if not self._reads_results(each)]
            group = sharing if asset in sharing else [asset]
            try:
                work: _Work | Exception = self._start(group)
            except Exception as error:  # noqa: BLE001  # of each asset: it is not tried again
                work = error
            self._works |= dict.fromkeys((each.name for each in group), work)
        found = self._works[asset.name]
        if isinstance(found, Exception):
            raise found
        summary = found.store(asset, stopped)
        self._left.discard(asset.name)
        if not self._left:  # all results are of the closes that the run started with
            with self.engine.begin() as connection:
                mark_recomputed(connection, self.sessions, self._mark)
        return summary

    def _reads_results(self, asset: ResultAsset) -> bool:
        """Return whether an asset reads results of the run, to be stored before it."""
        return any(
            edge is Edge.READS and upstream in self.assets
            for upstream, edge in asset.upstream.items()
        )

    def _start(self, group: Sequence[ResultAsset]) -> _Work:
        """Compute a group from one snapshot if the book is small, else divide it into shards."""
        opened = ExitStack()
        with opened:
            snapshot = opened.enter_context(open_snapshot(self.engine, self.configured))
            n_shards = self._count_shards(snapshot)
            if n_shards == 1:
                return _WholeBook(self, compute_assets(snapshot, group, self.sessions))
            work = _ShardedBook(self, group, snapshot, n_shards)
            kept = opened.pop_all()
        self._opened.push(kept)
        work.snapshot_open = kept
        return work

    def _count_shards(self, snapshot: Snapshot) -> int:
        max_lots = self.configured.shard_positions
        n_lots = count_lots(snapshot.connection)
        if n_lots <= min(max_lots, MIN_LOTS_TO_DIVIDE):
            return 1  # without starting workers
        return count_shards(n_lots, max_lots, self.workers.n_workers)


class _WholeBook:
    """A book that is one shard: it is computed, and written asset by asset."""

    def __init__(self, run: ResultRun, computed: dict[str, Computed | Exception]) -> None:
        self._run, self._computed = run, computed

    def store(self, asset: ResultAsset, stopped: Set[str]) -> Summary:  # noqa: ARG002
        """Write an asset."""
        found, run = self._computed.pop(asset.name), self._run
        if isinstance(found, Exception):
            raise found
        return store_asset(run.engine, asset, found, run.sessions, run.provenance)


class _ShardedBook:
    """A book whose shards are computed and written by workers, one unit after another.

    Its snapshot stays open, with the locks of the assets, until the last unit is stored.
    """

    snapshot_open: ExitStack

    def __init__(
        self, run: ResultRun, group: Sequence[ResultAsset], snapshot: Snapshot, n_shards: int
    ) -> None:
        self._run, self._group = run, group
        for name in sorted(asset.name for asset in group):  # a fixed order prevents deadlocks
            lock_asset(snapshot.connection, name)
        units = dict.fromkeys(asset.unit for asset in group)
        self._shards: dict[Unit, list[Shard]] = {
            unit: divide(snapshot.connection, unit, n_shards) for unit in units
        }
        self._new_tables = self._find_new_tables()
        self._exported: ExportedSnapshot = snapshot.export()
        self._found: dict[str, list[tuple[Shard | None, Summary | Exception]]] = {}

    def _find_new_tables(self) -> frozenset[str]:
        """Return the tables of positions and symbols without rows, now that nobody writes them."""
        written = {
            table: None
            for asset in self._group
            for table in asset.tables
            if asset.unit is Unit.SYMBOLS
        }
        if not written:
            return frozenset()
        # the snapshot may be older than the last row that was written before it got the locks
        with self._run.engine.begin() as connection:
            candidates = [*written, tables.undefined_metrics]
            return find_new_tables(connection, candidates, self._run.sessions)

    def store(self, asset: ResultAsset, stopped: Set[str]) -> Summary:
        """Return what is stored of an asset; its unit is computed if none of its assets is."""
        if asset.unit in self._shards:
            self._store_unit(asset.unit, stopped)
        parts = self._found.pop(asset.name)
        for shard, part in parts:
            if isinstance(part, Exception):
                if shard is not None:
                    _name_shard(root_cause(part), shard)
                raise part
        return add_summaries(part for _, part in parts if isinstance(part, Summary))

    def _store_unit(self, unit: Unit, stopped: Set[str]) -> None:
        names = [each.name for each in self._group if each.unit is unit]
        names = [name for name in names if name not in stopped]
        run = self._run
        shards = self._shards.pop(unit)
        tasks = [
            ShardTask(
                self._exported,
                Part(shard, self._new_tables),
                tuple(names),
                run.sessions,
                run.provenance,
                version("riskmetrics"),
                run.folder,
            )
            for shard in shards
        ]
        self._found |= {name: [] for name in names}
        try:
            outcomes = run.workers.run(tasks)
        except Exception as error:  # noqa: BLE001  # of each asset: raised where its turn is
            self._found |= {name: [(None, error)] for name in names}
        else:
            for shard, found in zip(shards, outcomes, strict=True):
                for name in found:  # what follows from a failed asset is left out
                    self._found[name].append((shard, found[name]))
        if not self._shards:
            self.snapshot_open.close()


def _name_shard(error: BaseException, shard: Shard) -> None:
    """Note the shard that an error was raised in, once: it can be that of several assets."""
    note = f"in the shard of {shard}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
