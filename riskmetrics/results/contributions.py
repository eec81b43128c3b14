"""What each holding adds to the volatility of its portfolio: rows of `portfolio_risk_contributions`."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics.contributions import risk_contributions
from riskmetrics.results.as_of import MIN_YEAR, YEAR, too_few, windows
from riskmetrics.results.valuation import Valuation


def rows(valuation: Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return a row per portfolio, listed symbol that it holds, and day.

    Parameters
    ----------
    valuation : Valuation
        Of D days.
    returns : Returns
        Of the YEAR sessions that end on each of them.
    """
    column, owner = valuation.columns(returns.frame.columns), valuation.portfolio
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = valuation.values / valuation.weight_base[owner]
    component, marginal, n_obs = (np.full(weight.shape, np.nan) for _ in range(3))
    volatility, n_days = (np.full(valuation.net.shape, np.nan) for _ in range(2))
    for at, series, coverage, known in windows(valuation, returns, YEAR):
        found = risk_contributions(series, coverage, known, weight[:, at], column=column, portfolio=owner, min_obs=MIN_YEAR)
        component[:, at], marginal[:, at], n_obs[:, at], volatility[:, at] = found
        n_days[:, at] = np.isfinite(series).sum(axis=0)
    listed = valuation.instruments["listed"].to_numpy(bool)
    instrument, day = np.nonzero(valuation.held & listed[:, None] & valuation.valued[owner])
    portfolio = owner[instrument]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = component[instrument, day] / volatility[portfolio, day]
    few = too_few(n_days, YEAR, MIN_YEAR)
    conditions = np.isnan(weight[instrument, day]), n_days[portfolio, day] < MIN_YEAR, n_obs[instrument, day] == 0
    texts = (
        "the symbol has no price to weigh it by",
        [few.text.format(of) for of in n_days[portfolio, day]],
        "the symbol has no return on a session that counts",
    )
    why = pd.Series(np.select(conditions, texts, "the portfolio's value did not move in the window"), dtype="str")
    return pd.DataFrame(
        {
            "portfolio_id": valuation.portfolios["portfolio_id"].to_numpy()[portfolio],
            "symbol": valuation.instruments["symbol"].to_numpy()[instrument],
            "day": pd.to_datetime(valuation.days).to_numpy()[day],
            "weight": weight[instrument, day],
            "component": component[instrument, day],
            "marginal": marginal[instrument, day],
            "share": share,
            "observations": n_obs[instrument, day].astype(np.int64),
            "undefined_reason": why.where(np.isnan(share)),
        }
    )
