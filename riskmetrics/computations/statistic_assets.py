"""Assets of the statistics of pro-forma returns, as their records in the catalog define them."""

from functools import partial

import pandas as pd

from riskmetrics.catalog import Statistic, all_statistics
from riskmetrics.computations.result_asset import DELTA_EDGES, DELTA_NOTE, ResultAsset
from riskmetrics.db import tables
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.results.statistic_rows import statistic_rows


def compute_statistic(statistic: Statistic, inputs: RunInputs) -> tuple[pd.DataFrame]:
    """Compute a statistic of every portfolio on every session of the run."""
    rows = statistic_rows(
        statistic,
        inputs.option_adjusted_valuation,
        inputs.clean_returns(statistic.sessions),
        inputs.snapshot.market_index,
    )
    return (rows,)


def _build_asset(statistic: Statistic) -> ResultAsset:
    content = statistic.content[:1].upper() + statistic.content[1:]
    return ResultAsset(
        statistic.table,
        f"{content}, of every portfolio. {DELTA_NOTE}",
        DELTA_EDGES,
        (tables.STATISTIC_TABLES[statistic.table],),
        partial(compute_statistic, statistic),
        statistic.figures[0].column,
    )


STATISTIC_ASSETS = tuple(map(_build_asset, all_statistics()))
