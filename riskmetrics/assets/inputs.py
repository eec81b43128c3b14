"""What several assets start from, read the same way by each."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import panels, trading_calendar
from riskmetrics.db import read
from riskmetrics.results import betas, valuation


def open_symbols(lots: pd.DataFrame, days: Sequence[date]) -> set[str]:
    """Listed symbols of which a lot is open on one of ``days``."""
    lot, _ = valuation.open_positions(lots, days)
    held = lots.iloc[lot]
    return set(held.loc[valuation.is_listed(held), "symbol"])


def returns(connection: sa.Connection, symbols: set[str], days: Sequence[date], window: int) -> panels.Returns:
    """Believed returns of ``symbols`` over the windows of ``window`` sessions that end on ``days``."""
    return panels.believed_returns(read.adjusted_closes(connection, symbols, trading_calendar.window(days, window + 1)))


def market_betas(connection: sa.Connection, lots: pd.DataFrame, days: Sequence[date], market: str) -> betas.SymbolBetas:
    """Estimate the market beta of every listed symbol open on one of ``days``, on each of which the market must have a close."""
    closes = read.adjusted_closes(connection, {*open_symbols(lots, days), market}, trading_calendar.window(days, betas.WINDOW + 1))
    panels.require(closes, days, market)
    return betas.estimate(panels.believed_returns(closes), market)


def valued(connection: sa.Connection, days: Sequence[date]) -> tuple[valuation.Valuation, pd.DataFrame]:
    """Value every portfolio on ``days``; returns the lots too."""
    portfolios, lots, anchors = read.portfolios(connection), read.lots(connection), read.cash_anchors(connection)
    symbols = lots.loc[valuation.is_listed(lots), "symbol"]
    closes = read.closes(connection, symbols, valuation.sessions_needed(days, lots, anchors))
    return valuation.value(days, portfolios, lots, anchors, closes), lots
