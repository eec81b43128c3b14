"""Stored betas fitted again by another library."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics.second_opinion import statsmodels_ols
from riskmetrics.results.betas import WINDOW

_COMPARED = ("beta", "alpha", "r_squared", "std_error", "p_value")


def largest_disagreement(rows: pd.DataFrame, closes: pd.DataFrame) -> float:
    """Return the largest difference between stored statistics and a refit, relative where a figure is above 1.

    Parameters
    ----------
    rows : DataFrame
        Stored betas: symbol, market_index, calc_date and the statistics.
    closes : DataFrame
        Adjusted closes that reach WINDOW sessions before the first day.
    """
    returns = panels.simple_returns(closes)
    worst = 0.0
    for row in rows.itertuples():
        window = returns[returns.index <= row.calc_date].iloc[-WINDOW:]
        fit = statsmodels_ols(window[row.symbol].to_numpy(), window[row.market_index].to_numpy())
        for name in _COMPARED:
            expected, found = getattr(fit, name), getattr(row, name)
            apart = abs(found - expected) / max(1.0, abs(expected))
            worst = max(worst, apart if np.isfinite(apart) else np.inf)
        if row.observations != fit.n_obs:
            worst = np.inf
    return worst
