"""Check of stored betas against a reference regression by statsmodels."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics.reference_ols import statsmodels_ols
from riskmetrics.results.betas import BETA_WINDOW

_COMPARED_STATISTICS = ("beta", "alpha", "r_squared", "std_error", "p_value")


def max_abs_difference(
    rows: pd.DataFrame, closes: pd.DataFrame, suspects: pd.DataFrame | None = None
) -> float:
    """Return the largest difference between stored statistics and a refit.

    Parameters
    ----------
    rows : DataFrame
        Stored betas: symbol, market_index, calc_date and the statistics.
    closes : DataFrame
        Adjusted closes from BETA_WINDOW + 1 sessions before the first day on.
    suspects : DataFrame, optional
        Suspected splits, as from `panels.suspected_splits`.

    Returns
    -------
    float
        Relative to the refit where its absolute value is above 1. 0 without rows; infinite if one
        side is undefined, or the numbers of returns differ.
    """
    max_difference = 0.0
    for row in rows.itertuples():
        window_closes = closes[closes.index <= row.calc_date].iloc[-(BETA_WINDOW + 2) :]
        returns = panels.clean_returns(window_closes, suspects)
        (window,) = returns.windows(BETA_WINDOW)
        symbol_returns = window[:, returns.frame.columns.get_indexer(pd.Index([row.symbol]))[0]]
        fit = statsmodels_ols(symbol_returns, returns.column(str(row.market_index)))
        for name in _COMPARED_STATISTICS:
            expected, found = getattr(fit, name), getattr(row, name)
            difference = abs(found - expected) / max(1.0, abs(expected))
            max_difference = max(max_difference, difference if np.isfinite(difference) else np.inf)
        if row.observations != fit.n_obs:
            max_difference = np.inf
    return max_difference
