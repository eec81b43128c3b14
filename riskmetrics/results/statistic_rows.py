"""Rows of the statistics of pro-forma returns, as their records in the catalog define them."""

import pkgutil

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.catalog import Statistic, Unit
from riskmetrics.metrics._typing import DateArray, IntArray
from riskmetrics.results.pro_forma import insufficient_observations, pro_forma_blocks
from riskmetrics.results.undefined_reasons import Reason
from riskmetrics.results.valuation import Valuation


def statistic_rows(
    statistic: Statistic, valuation: Valuation, returns: panels.Returns, market_index: str
) -> pd.DataFrame:
    """Return a row of a statistic's table per portfolio and session.

    Parameters
    ----------
    statistic : Statistic
    valuation : Valuation
        Valuation on D sessions.
    returns : Returns
        Returns of the ``statistic.sessions`` sessions that end on each of them.
    market_index : str
        Symbol of the market index, one of the columns of ``returns``.
    """
    compute = pkgutil.resolve_name(statistic.function)
    market = returns.column(market_index) if statistic.uses_market else None
    parts, sessions_by_day = [], []
    for block in pro_forma_blocks(valuation, returns, statistic.sessions):
        sessions_by_day += [window.sessions for window in block.windows]
        if market is None:
            figures = compute(block.series, min_obs=statistic.min_obs)._asdict()
            parts.append({name: block.by_day(values) for name, values in figures.items()})
            continue
        for window in block.windows:
            index = market[window.day : window.day + statistic.sessions]
            figures = compute(window.series, index, min_obs=statistic.min_obs)._asdict()
            parts.append({name: values[:, np.newaxis] for name, values in figures.items()})
    found = {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}
    n_obs = found["n_obs"]
    found["observations"] = n_obs
    columns = {
        figure.column: _sessions_of(found[figure.column], np.stack(sessions_by_day))
        if figure.unit is Unit.DATE
        else found[figure.column]
        for figure in statistic.figures
    }
    first = found[statistic.figures[0].column]
    last_reason = (
        f"the returns of {market_index} are constant"
        if statistic.uses_market
        else f"{statistic.figures[0].label.lower()}: not defined by the returns of the"
        f" {statistic.sessions} sessions"
    )
    reasons = valuation.risk_reasons(
        first,
        insufficient_observations(
            n_obs,
            statistic.sessions,
            statistic.min_obs,
            market_index if statistic.uses_market else "",
        ),
        Reason(last_reason, np.isnan(first)),
    )
    return valuation.to_frame(columns, "day").assign(undefined_reason=reasons)


def _sessions_of(close: IntArray, sessions: DateArray) -> DateArray:
    """Return the session of each close (P, D) of the windows (D, W + 1); NaT for -1."""
    day = np.arange(len(sessions))
    return np.where(close >= 0, sessions[day, close], np.datetime64("NaT"))
