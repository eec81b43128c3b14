"""Frames of one portfolio that its charts are drawn from."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics.charts.pro_forma_data import BookInputs, ProForma
from riskmetrics.db import history_queries, listed_rows, result_queries
from riskmetrics.present import formatting

MAX_SECTOR_DAYS = 26
"""Sessions of which sector weights are drawn: a year has one every other week."""


@dataclass(frozen=True)
class PortfolioData:
    """Stored results of one portfolio up to a session, and series of its holdings on it."""

    name: str
    currency: str
    day: date
    n_sessions: int
    """Sessions that charts over time show."""
    history: pd.DataFrame
    """Rows of `history_queries.read_history`."""
    forecasts: pd.DataFrame
    """Rows of `history_queries.read_forecast_history`."""
    sectors: pd.DataFrame
    """Rows of `history_queries.read_sector_history`."""
    trades: pd.DataFrame
    """Rows of `history_queries.read_trades`, and deposits and withdrawals with their amounts."""
    contributions: pd.DataFrame
    """Rows of `portfolio_risk_contributions` on the session."""
    stress: pd.DataFrame
    """Rows of `portfolio_stress` on the session."""
    correlations: pd.DataFrame
    """Rows of `portfolio_correlations` on the session."""
    factors: pd.DataFrame
    """Rows of `portfolio_factor_exposures` on the session."""
    positions: pd.DataFrame
    """Rows of `position_values`, with sector."""
    pro_forma: ProForma | None
    market_index: str


def read_chart_data(
    connection: sa.Connection,
    first: date,
    day: date,
    inputs: BookInputs,
    currencies: dict[str, str],
    n_sessions: int,
) -> dict[str, PortfolioData]:
    """Return the data of the portfolios in ``currencies`` by name, from ``first`` to ``day``."""
    only = next(iter(currencies)) if len(currencies) == 1 else None
    stored = result_queries.read_sessions(connection)
    sessions = [session for session in stored if first <= session <= day]
    step = -(-len(sessions) // MAX_SECTOR_DAYS) or 1
    frames = {
        "history": history_queries.read_history(connection, first, day, only),
        "forecasts": history_queries.read_forecast_history(connection, first, day, only),
        "sectors": history_queries.read_sector_history(connection, sessions[::-step], only),
        "trades": _read_trades(connection, first, day, only),
        "contributions": listed_rows.read_rows(
            "portfolio_risk_contributions", connection, day, only
        ),
        "stress": listed_rows.read_rows("portfolio_stress", connection, day, only),
        "correlations": listed_rows.read_rows("portfolio_correlations", connection, day, only),
        "factors": listed_rows.read_rows("portfolio_factor_exposures", connection, day, only),
        "positions": inputs.positions,
    }
    rows = {key: frame.groupby("portfolio").indices for key, frame in frames.items()}
    nothing = np.array([], dtype=np.intp)
    return {
        name: PortfolioData(
            name=name,
            currency=currency,
            day=day,
            n_sessions=n_sessions,
            pro_forma=inputs.series.get(name),
            market_index=inputs.market_index,
            **{
                key: frame.iloc[rows[key].get(name, nothing)].reset_index(drop=True)
                for key, frame in frames.items()
            },
        )
        for name, currency in currencies.items()
    }


def _read_trades(
    connection: sa.Connection, first: date, day: date, portfolio: str | None
) -> pd.DataFrame:
    """Return trades, deposits and withdrawals after ``first``: portfolio, day, symbol, action.

    The amount of a deposit or a withdrawal is in the place of a symbol. They precede the trades, of
    which a chart names only the first of a day.
    """
    trades = history_queries.read_trades(connection, first, day, portfolio)
    flows = history_queries.read_cash_flows(connection, first, day, portfolio)
    amounts = flows["amount"].abs().map(formatting.amount)
    texts = flows.assign(action=flows["kind"], symbol=amounts)[list(trades.columns)]
    return pd.concat([texts, trades], ignore_index=True) if len(texts) else trades
