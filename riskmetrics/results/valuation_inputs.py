"""Market data of a valuation: closes and distributions, and the sessions they are needed on."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results.income import Distributions
from riskmetrics.results.ledger import unpriced_trade_days


def required_sessions(
    sessions: Sequence[date], lots: pd.DataFrame, anchors: "pd.Series[Any]"
) -> list[date]:
    """Return the sessions whose closes `valuation.value_portfolios` needs.

    They are around the sessions, the cash anchors, and trades without a price.
    """
    points = {
        trading_calendar.previous_or_same_session(point)
        for point in (*anchors, *unpriced_trade_days(lots))
    }
    around = (
        trading_calendar.sessions_with_lookback([point], MAX_STALE_SESSIONS) for point in points
    )
    return sorted(
        {*recent_sessions(sessions), *(session for window in around for session in window)}
    )


def recent_sessions(sessions: Sequence[date]) -> list[date]:
    """Return sessions whose closes may be used on ``sessions`` or the one before the first."""
    return trading_calendar.sessions_with_lookback(sessions, MAX_STALE_SESSIONS + 1)


class MarketData(NamedTuple):
    """Prices and distributions of all listed holdings and of underlyings."""

    closes: pd.DataFrame
    """Sessions x symbols, at least `required_sessions`."""
    earlier_closes: "pd.Series[float]"
    """Last close of each symbol before the `recent_sessions`; absent if there is none."""
    distributions: Distributions
    suspects: pd.DataFrame | None = None
    """Suspected splits of the whole history, as from `panels.suspected_splits`; None: none."""

    def recent_closes(self, sessions: Sequence[date]) -> pd.DataFrame:
        """Return the closes of the `recent_sessions`."""
        return self.closes.reindex(pd.to_datetime(recent_sessions(sessions)))
