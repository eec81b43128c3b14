"""Drawdowns of portfolios over a year: rows of `portfolio_drawdowns`."""

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics._typing import DateArray, IntArray
from riskmetrics.metrics.drawdown import Drawdown, drawdown
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.valuation import Valuation


def drawdown_rows(valuation: Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return a row of `portfolio_drawdowns` per portfolio and session.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    returns : Returns
        Returns of the YEAR_WINDOW sessions that end on each of them.
    """
    drawdowns_by_day, sessions_by_day = [], []
    for window in pro_forma_windows(valuation, returns, YEAR_WINDOW):
        drawdowns_by_day.append(drawdown(window.series, min_obs=MIN_YEAR_OBS))
        sessions_by_day.append(window.sessions)
    drawdowns = Drawdown._make(
        np.stack(figures, axis=1) for figures in zip(*drawdowns_by_day, strict=True)
    )
    sessions = np.stack(sessions_by_day)
    has_drawdown = drawdowns.max_drawdown > 0
    peak, trough = (
        np.where(has_drawdown, close, -1)
        for close in (drawdowns.max_drawdown_peak, drawdowns.max_drawdown_trough)
    )
    columns = {
        "current_drawdown": drawdowns.current_drawdown,
        "current_drawdown_peak": _sessions_of(drawdowns.current_drawdown_peak, sessions),
        "max_drawdown": drawdowns.max_drawdown,
        "max_drawdown_peak": _sessions_of(peak, sessions),
        "max_drawdown_trough": _sessions_of(trough, sessions),
        "observations": drawdowns.n_obs,
    }
    reasons = valuation.undefined_reasons(
        drawdowns.current_drawdown,
        *valuation.common_reasons,
        insufficient_observations(drawdowns.n_obs, YEAR_WINDOW, MIN_YEAR_OBS),
    )
    return valuation.to_frame(columns, "day").assign(undefined_reason=reasons)


def _sessions_of(close: IntArray, sessions: DateArray) -> DateArray:
    """Return the session of each close (P, D) of the windows (D, W + 1); NaT for -1."""
    day = np.arange(len(sessions))
    return np.where(close >= 0, sessions[day, close], np.datetime64("NaT"))
