"""The realized history of portfolios, as commands and the report show it."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.catalog.realized import REALIZED_SESSIONS
from riskmetrics.db import history_queries
from riskmetrics.results.realized_history import realized_rows


def read_realized(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return what portfolios realized over the sessions to a day; see `realized_rows`.

    The rows are those of a portfolio, or of all that are not deleted, by name.
    """
    sessions = trading_calendar.sessions_with_lookback([day], REALIZED_SESSIONS)
    stored = history_queries.read_daily_returns(connection, sessions[1], day, portfolio)
    return realized_rows(stored, sessions)
