"""Drawdowns of portfolios over a year: rows of `portfolio_drawdowns`."""

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics.drawdown import Drawdown, drawdown
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.valuation import Valuation


def compute_drawdowns(valuation: Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return a row of `portfolio_drawdowns` per portfolio and day.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D days.
    returns : Returns
        Returns of the YEAR_WINDOW sessions that end on each of them.
    """
    days = [
        drawdown(series, min_obs=MIN_YEAR_OBS)
        for _, series, _, _ in pro_forma_windows(valuation, returns, YEAR_WINDOW)
    ]
    found = Drawdown._make(
        np.stack(values, axis=1).astype(float) for values in zip(*days, strict=True)
    )
    has_drawdown = found.max_drawdown > 0
    columns = {
        "current_drawdown": found.current_drawdown,
        "current_drawdown_peak": found.current_drawdown_peak,
        "max_drawdown": found.max_drawdown,
        "max_drawdown_peak": np.where(has_drawdown, found.max_drawdown_peak, -1),
        "max_drawdown_trough": np.where(has_drawdown, found.max_drawdown_trough, -1),
        "observations": found.n_obs,
    }
    frame = valuation.to_frame(columns, "day").astype({"observations": "int64"})
    closes = pd.DatetimeIndex(
        pd.to_datetime(trading_calendar.sessions_with_lookback(valuation.days, YEAR_WINDOW))
    )
    first = closes.get_indexer(pd.DatetimeIndex(frame["day"])) - YEAR_WINDOW
    for name in ("current_drawdown_peak", "max_drawdown_peak", "max_drawdown_trough"):
        close = frame[name].to_numpy(np.int64)
        frame[name] = closes[first + np.maximum(close, 0)].where(close >= 0)
    why = valuation.undefined_reasons(
        found.current_drawdown,
        *valuation.common_reasons,
        insufficient_observations(found.n_obs, YEAR_WINDOW, MIN_YEAR_OBS),
    )
    return frame.assign(undefined_reason=why)
