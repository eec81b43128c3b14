"""What several assets start from, read the same way by each."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import read
from riskmetrics.results import betas, valuation


def symbol_betas(connection: sa.Connection, lots: pd.DataFrame, days: Sequence[date], market: str) -> betas.SymbolBetas:
    """Estimate the market beta of every listed symbol that is open on one of ``days``."""
    lot, _ = valuation.open_positions(lots, days)
    held = lots.iloc[lot]
    symbols = {*held.loc[valuation.is_listed(held), "symbol"], market}
    closes = read.adjusted_closes(connection, symbols, trading_calendar.window(days, betas.WINDOW))
    return betas.estimate(closes, days, market)


def valued(connection: sa.Connection, days: Sequence[date]) -> tuple[valuation.Valuation, pd.DataFrame]:
    """Value every portfolio on ``days``; returns the lots too."""
    portfolios, lots, anchors = read.portfolios(connection), read.lots(connection), read.cash_anchors(connection)
    symbols = lots.loc[valuation.is_listed(lots), "symbol"]
    closes = read.closes(connection, symbols, valuation.sessions_needed(days, lots, anchors))
    return valuation.value(days, portfolios, lots, anchors, closes), lots
