"""The record of an asset of results: what it computes, which tables it writes, what it follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.db.shards import Unit
from riskmetrics.inputs.run_inputs import RunInputs


class Edge(Enum):
    """What an edge of the asset graph carries."""

    READS = "reads the stored rows of"
    """Changing the rows upstream and materializing the asset changes its results."""
    UPDATES = "adds columns to the rows of"
    """The rows must exist; their other columns are not read."""
    SHARES = "is computed from the same inputs of the run as"
    """No stored row is read: both start from one `RunInputs`, and agree with each other."""


EXTENSIONS = "extensions"
"""Group of the figures of other packages."""

DELTA_NOTE = "Options count by delta, which depends on har_coefficients."
"""Part of the description of assets that use har_coefficients for nothing else."""

DELTA_EDGES = {"portfolio_values": Edge.SHARES, "har_coefficients": Edge.READS}
"""Upstream of figures of pro-forma returns, in which options count by delta."""


@dataclass(frozen=True)
class ResultAsset:
    """An asset of results, without Dagster.

    If an asset upstream fails, or a blocking check of it, the asset is not computed, whatever the
    edge carries.
    """

    name: str
    description: str
    upstream: Mapping[str, Edge]
    """Names of assets, and what the edge from each carries."""
    tables: tuple[sa.Table, ...]
    """Tables that it writes, the one that describes it first."""
    compute: Callable[[RunInputs], Computed | tuple[pd.DataFrame, ...]]
    """Computes what is stored; or the rows of each of its tables, if it owns all of them."""
    headline: str
    """Column of the first rows that it computes whose median is shown for each session."""
    unit: Unit = Unit.PORTFOLIOS
    """What its work is divided by: a shard has rows of its own symbols or portfolios only."""
    group: str = "portfolios"

    def compute_rows(self, inputs: RunInputs) -> Computed:
        """Compute the rows of its tables on the sessions of a run."""
        found = self.compute(inputs)
        if isinstance(found, Computed):
            return found
        return Computed(
            [TableRows(table, rows) for table, rows in zip(self.tables, found, strict=True)]
        )
