"""How far portfolios are, and were, below their high of a year: rows of `portfolio_drawdowns`."""

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics.drawdown import Drawdown, drawdown
from riskmetrics.results.as_of import MIN_YEAR, YEAR, too_few, windows
from riskmetrics.results.valuation import Valuation


def rows(valuation: Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return a row per portfolio and day.

    Parameters
    ----------
    valuation : Valuation
        Of D days.
    returns : Returns
        Of the YEAR sessions that end on each of them.
    """
    days = [drawdown(series, min_obs=MIN_YEAR) for _, series, _, _ in windows(valuation, returns, YEAR)]
    found = Drawdown._make(np.stack(of, axis=1).astype(float) for of in zip(*days, strict=True))
    fell = found.largest > 0
    columns = {
        "current": found.current,
        "current_peak": found.current_peak,
        "largest": found.largest,
        "largest_peak": np.where(fell, found.largest_peak, -1),
        "largest_trough": np.where(fell, found.largest_trough, -1),
        "observations": found.n_obs,
    }
    frame = valuation.rows(columns, "day").astype({"observations": "int64"})
    closes = pd.DatetimeIndex(pd.to_datetime(trading_calendar.window(valuation.days, YEAR)))
    first = closes.get_indexer(pd.DatetimeIndex(frame["day"])) - YEAR
    for name in ("current_peak", "largest_peak", "largest_trough"):
        close = frame[name].to_numpy(np.int64)
        frame[name] = closes[first + np.maximum(close, 0)].where(close >= 0)
    why = valuation.reasons(found.current, *valuation.gates, too_few(found.n_obs, YEAR, MIN_YEAR))
    return frame.assign(undefined_reason=why)
