"""Return, drawdown and worst session that portfolios realized, from their daily returns."""

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.catalog.realized import MIN_REALIZED_SHARE
from riskmetrics.metrics.drawdown import drawdown
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.text import agree_with_number


def min_realized_returns(n_sessions: int) -> int:
    """Return how many of ``n_sessions`` need a daily return for a realized history.

    Examples
    --------
    >>> min_realized_returns(252), min_realized_returns(21)
    (126, 11)
    """
    return math.ceil(n_sessions * MIN_REALIZED_SHARE)


def realized_rows(daily_returns: pd.DataFrame, sessions: Sequence[date]) -> pd.DataFrame:
    """Return a row per portfolio: what it realized over ``sessions``.

    Parameters
    ----------
    daily_returns : DataFrame
        portfolio_id, portfolio (name), day and daily_return (fractions) as stored, on some of
        ``sessions``.
    sessions : sequence of date
        The sessions of the window, preceded by the one before it.

    Returns
    -------
    DataFrame
        portfolio, annual_return, current_drawdown, max_drawdown, max_drawdown_peak,
        max_drawdown_trough, worst_return, worst_session, observations and undefined_reason. As in
        `metrics.drawdown`, a missing return counts as 0 and is not an observation.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    >>> stored = pd.DataFrame(
    ...     {"portfolio_id": 1, "portfolio": "A", "day": days[1:], "daily_return": [0.1, -0.2]}
    ... )
    >>> found = realized_rows(stored, [day.date() for day in days]).iloc[0]
    >>> float(found["max_drawdown"].round(3)), str(found["worst_session"].date())
    (0.2, '2024-01-04')
    """
    index = pd.DatetimeIndex(pd.to_datetime(list(sessions)))
    keys = ["portfolio", "portfolio_id"]
    frame = daily_returns.pivot(index="day", columns=keys, values="daily_return")
    returns = frame.reindex(index[1:]).to_numpy(float)
    least = min_realized_returns(len(returns))
    found = drawdown(returns, min_obs=least)
    is_enough = found.n_obs >= least
    growth = np.cumprod(np.where(np.isfinite(returns), np.maximum(1.0 + returns, 0.0), 1.0), axis=0)
    years = np.maximum(found.n_obs, 1) / SESSIONS_PER_YEAR
    worst = np.where(np.isfinite(returns), returns, np.inf).argmin(axis=0)
    days = index.to_numpy()
    unknown = np.datetime64("NaT")
    peak, trough = found.max_drawdown_peak, found.max_drawdown_trough
    return pd.DataFrame(
        {
            "portfolio": frame.columns.get_level_values("portfolio"),
            "annual_return": np.where(is_enough, growth[-1] ** (1.0 / years) - 1.0, np.nan),
            "current_drawdown": found.current_drawdown,
            "max_drawdown": found.max_drawdown,
            "max_drawdown_peak": np.where(peak >= 0, days[peak], unknown),
            "max_drawdown_trough": np.where(trough >= 0, days[trough], unknown),
            "worst_return": np.where(is_enough, returns[worst, np.arange(len(worst))], np.nan),
            "worst_session": np.where(is_enough, days[1:][worst], unknown),
            "observations": found.n_obs,
            "undefined_reason": [
                None
                if count >= least
                else agree_with_number(
                    f"{count} of {len(returns)} sessions have a stored daily return; {least} are"
                    " needed"
                )
                for count in found.n_obs
            ],
        }
    )
