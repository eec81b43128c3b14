"""Assets of the statistics of pro-forma returns, as their records in the catalog define them."""

from functools import partial

from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.computations.result_asset import DELTA_NOTE, Edge, ResultAsset
from riskmetrics.db import tables
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.results.statistic_rows import statistic_rows


def compute_statistic(statistic: Statistic, inputs: RunInputs) -> Computed:
    """Compute a statistic of every portfolio on every session of the run."""
    rows = statistic_rows(
        statistic,
        inputs.option_adjusted_valuation,
        inputs.clean_returns(statistic.sessions),
        inputs.snapshot.market_index,
    )
    return Computed([TableRows(tables.STATISTIC_TABLES[statistic.table], rows)])


def _build_asset(statistic: Statistic) -> ResultAsset:
    content = statistic.content[:1].upper() + statistic.content[1:]
    return ResultAsset(
        statistic.table,
        "portfolios",
        f"{content}, of every portfolio. {DELTA_NOTE}",
        {"portfolio_values": Edge.SHARES, "har_coefficients": Edge.READS},
        (tables.STATISTIC_TABLES[statistic.table],),
        partial(compute_statistic, statistic),
        statistic.figures[0].column,
    )


STATISTIC_ASSETS = tuple(map(_build_asset, all_statistics()))
