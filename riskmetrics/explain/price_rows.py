"""Prices that explanations read; a symbol's prices are read once."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries
from riskmetrics.db.price_decisions import adjusted_prices

_BARS = ("adj_close", "high", "low", "open", "close", "volume")


class PriceRows:
    """Prices of symbols, read on first use.

    Parameters
    ----------
    connection : Connection
        Read only.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._closes: dict[tuple[str, date], pd.Series[float]] = {}
        self._adjusted_closes: dict[tuple[str, date], pd.Series[float]] = {}
        self._bars: dict[tuple[str, date, int], dict[str, pd.DataFrame]] = {}

    @cached_property
    def _prices(self) -> sa.FromClause:
        return adjusted_prices(self._connection)

    def closes(self, symbol: str, sessions: Sequence[date]) -> "pd.Series[float]":
        """Return the known closes of a symbol on sessions, which are identified by the last one."""
        key = symbol, sessions[-1]
        if key not in self._closes:
            read = input_queries.read_closes(self._connection, [symbol], sessions, self._prices)
            self._closes[key] = read[symbol].dropna()
        return self._closes[key]

    def adjusted_closes(self, symbols: Sequence[str], day: date, lookback: int) -> pd.DataFrame:
        """Return adjusted closes of the sessions from ``lookback`` before a day to the day.

        A symbol is read again only for earlier sessions.
        """
        sessions = trading_calendar.sessions_with_lookback([day], lookback)
        known = self._adjusted_closes
        missing = [name for name in symbols if len(known.get((name, day), ())) < len(sessions)]
        if missing:
            read = input_queries.read_adjusted_closes(
                self._connection, missing, sessions, self._prices
            )
            known.update({(name, day): read[name] for name in missing})
        return pd.DataFrame({name: known[name, day].iloc[-len(sessions) :] for name in symbols})

    def bars(self, symbol: str, day: date, lookback: int) -> dict[str, pd.DataFrame]:
        """Return prices and volumes of a symbol, from ``lookback`` sessions before a day."""
        key = symbol, day, lookback
        if key not in self._bars:
            sessions = trading_calendar.sessions_with_lookback([day], lookback)
            self._bars[key] = input_queries.read_price_panels(
                self._connection, _BARS, [symbol], sessions, self._prices
            )
        return self._bars[key]
