"""Find which closes the stored results depend on."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.sql_expressions import UNDERLYING_SYMBOL
from riskmetrics.db.stored_settings import read_market_index, read_rate_index
from riskmetrics.metrics._typing import BoolArray
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results.tail_risk_results import TAIL_RISK_WINDOW

LOOKBACK_SESSIONS = TAIL_RISK_WINDOW + 1 + MAX_STALE_SESSIONS
"""Sessions before a result whose closes it can depend on, replayed windows apart."""

_day = tables.portfolio_snapshots.c.snapshot_date


class UsedCloses(NamedTuple):
    """Symbols and days of the closes that stored results can depend on."""

    last: date
    """Last session with results."""
    held_from: dict[str, date]
    """First day on which results depend on a symbol."""
    spans: Sequence[tuple[date, date]]
    """First and last days of closes in use: the lookback of results, and replayed windows."""

    def contain(self, symbols: "pd.Series[str]", days: "pd.Series[Any]") -> BoolArray:
        """Return a mask of the closes, by symbol and day, that results can depend on."""
        stamps = pd.to_datetime(days).to_numpy("datetime64[D]")
        is_recent = np.zeros(len(stamps), dtype=bool)
        for first, last in self.spans:
            is_recent |= (stamps >= np.datetime64(first)) & (stamps <= np.datetime64(last))
        is_used: BoolArray = is_recent & symbols.isin([*self.held_from]).to_numpy(bool)
        return is_used

    def first_sessions(
        self, symbols: "pd.Series[str]", days: "pd.Series[Any]"
    ) -> "pd.Series[pd.Timestamp]":
        """Return the first day whose results each close changes."""
        held = pd.to_datetime(symbols.map(self.held_from))
        return pd.to_datetime(days).where(lambda day: day >= held, held)


def read_used_closes(connection: sa.Connection) -> UsedCloses | None:
    """Return which closes results depend on; None without results."""
    first, last = connection.execute(sa.select(sa.func.min(_day), sa.func.max(_day))).one()
    if first is None:
        return None
    start = trading_calendar.FIRST_SESSION
    lookback = trading_calendar.previous_session(first, LOOKBACK_SESSIONS)
    indices = (read_market_index(connection), read_rate_index(connection))
    held_from = _read_first_held(connection)
    held_from |= dict.fromkeys([*indices, *_read_factor_funds(connection)], start)
    scenario = tables.stress_scenarios.c
    windows = connection.execute(
        sa.select(scenario.first_day, scenario.last_day).where(scenario.first_day.is_not(None))
    )
    replayed = [
        (trading_calendar.previous_session(max(one, start), MAX_STALE_SESSIONS), end)
        for one, end in windows
    ]
    return UsedCloses(last, held_from, [(lookback, last), *replayed])


def _read_first_held(connection: sa.Connection) -> dict[str, date]:
    """Return the first day on which a portfolio with results held each symbol.

    Symbols that only portfolios without results held since are missing. Removed lots count: their
    results remain.
    """
    snapshots, lots = tables.portfolio_snapshots.c, tables.positions.c
    spans = sa.select(
        snapshots.portfolio_id, sa.func.min(_day).label("first"), sa.func.max(_day).label("last")
    )
    spans_table = spans.group_by(snapshots.portfolio_id).subquery()
    first_held = sa.func.min(sa.func.greatest(lots.entry_date, spans_table.c.first))
    query = (
        sa.select(UNDERLYING_SYMBOL, first_held)
        .select_from(tables.positions)
        .join(spans_table, spans_table.c.portfolio_id == lots.portfolio_id)
        .where(UNDERLYING_SYMBOL.is_not(None), lots.entry_date <= spans_table.c.last)
        .group_by(UNDERLYING_SYMBOL)
    )
    return dict(connection.execute(query).all())


def _read_factor_funds(connection: sa.Connection) -> list[str]:
    """Return the funds whose spreads over the market are factors of the latest results."""
    table = tables.portfolio_factor_exposures.c
    latest = sa.select(sa.func.max(table.day)).scalar_subquery()
    query = sa.select(table.definition).where(table.day == latest).distinct()
    return [text.partition(" - ")[0] for text in connection.scalars(query) if " - " in text]
