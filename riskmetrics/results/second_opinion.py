"""Stored betas fitted again by another library."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics.second_opinion import statsmodels_ols
from riskmetrics.results.betas import WINDOW

_COMPARED = ("beta", "alpha", "r_squared", "std_error", "p_value")


def largest_disagreement(rows: pd.DataFrame, closes: pd.DataFrame, suspects: pd.DataFrame | None = None) -> float:
    """Return the largest difference between stored statistics and a refit, relative where a figure is above 1.

    Parameters
    ----------
    rows : DataFrame
        Stored betas: symbol, market_index, calc_date and the statistics.
    closes : DataFrame
        Adjusted closes that reach WINDOW + 1 sessions before the first day.
    suspects : DataFrame, optional
        Suspected splits, as `panels.suspected_splits` lists them.

    Returns
    -------
    float
        0 without rows; infinite where one side is undefined, or rests on another number of returns.
    """
    worst = 0.0
    for row in rows.itertuples():
        to_the_day = closes[closes.index <= row.calc_date].iloc[-(WINDOW + 2) :]
        believed = panels.believed_returns(to_the_day, suspects)
        (window,) = believed.windows(WINDOW)
        of_symbol = window[:, believed.frame.columns.get_indexer(pd.Index([row.symbol]))[0]]
        fit = statsmodels_ols(of_symbol, believed.of(str(row.market_index)))
        for name in _COMPARED:
            expected, found = getattr(fit, name), getattr(row, name)
            apart = abs(found - expected) / max(1.0, abs(expected))
            worst = max(worst, apart if np.isfinite(apart) else np.inf)
        if row.observations != fit.n_obs:
            worst = np.inf
    return worst
