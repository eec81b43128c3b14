"""Find which closes the stored results depend on."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.catalog.track_records import TRACKED_FORECASTS
from riskmetrics.db import tables
from riskmetrics.db.sql_expressions import UNDERLYING_SYMBOL
from riskmetrics.db.stored_settings import read_market_index, read_rate_index
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results.tail_risk_results import TAIL_RISK_WINDOW

LOOKBACK_SESSIONS = TAIL_RISK_WINDOW + 1 + MAX_STALE_SESSIONS
"""Sessions before a result whose closes it can depend on, replayed windows apart.

Cumulative profits, which go back to the entry of a lot, are apart, too.
"""

OUTCOME_SESSIONS = max(tracked.horizon for tracked in TRACKED_FORECASTS)
"""Sessions after a holding's last day whose closes score the forecasts of that day."""

_SNAPSHOTS = tables.portfolio_snapshots.c


class UsedCloses(NamedTuple):
    """Symbols and days of the closes that stored results can depend on."""

    held: dict[str, tuple[date, date]]
    """First result that depends on a symbol, and the last day whose close any depends on."""
    replayed: Sequence[tuple[date, date]]
    """First and last days of closes that replayed windows use."""

    def first_sessions(
        self, symbols: "pd.Series[str]", days: "pd.Series[Any]"
    ) -> "pd.Series[pd.Timestamp]":
        """Return the first day whose results each close changes; NaT if it changes none."""
        held = {name: self.held[name] for name in symbols.unique() if name in self.held}
        spans = {name: (first_close(since), since, until) for name, (since, until) in held.items()}
        start, since, until = (
            pd.to_datetime(symbols.map({name: span[place] for name, span in spans.items()}))
            for place in range(3)
        )
        stamps = pd.to_datetime(days)
        is_used = stamps >= start
        for first, last in self.replayed:
            is_used |= stamps.between(pd.Timestamp(first), pd.Timestamp(last))
        changed = stamps.where(stamps >= since, since)
        return changed.where(is_used & (stamps <= until))

    def uses_closes_before(self, symbol: str, day: date) -> bool:
        """Return whether a result depends on a close of a held symbol from before a day."""
        starts = [first_close(self.held[symbol][0]), *(first for first, _ in self.replayed)]
        return min(starts) < day


def first_close(session: date) -> date:
    """Return the first day whose close the results of a session depend on, as LOOKBACK_SESSIONS."""
    return trading_calendar.previous_session(session, LOOKBACK_SESSIONS)


def read_used_closes(connection: sa.Connection) -> UsedCloses | None:
    """Return which closes results depend on; None without results."""
    first, last = connection.execute(
        sa.select(sa.func.min(_SNAPSHOTS.snapshot_date), sa.func.max(_SNAPSHOTS.snapshot_date))
    ).one()
    if first is None:
        return None
    start = trading_calendar.FIRST_SESSION
    indices = (read_market_index(connection), read_rate_index(connection))
    held = _read_held(connection, last)
    held |= dict.fromkeys([*indices, *_read_factor_funds(connection)], (first, last))
    scenario = tables.stress_scenarios.c
    windows = connection.execute(
        sa.select(scenario.first_day, scenario.last_day).where(scenario.first_day.is_not(None))
    )
    replayed = [
        (trading_calendar.previous_session(max(one, start), MAX_STALE_SESSIONS), end)
        for one, end in windows
    ]
    return UsedCloses(held, replayed)


def _read_held(connection: sa.Connection, last_result: date) -> dict[str, tuple[date, date]]:
    """Return the first result that depends on each symbol, and the last day whose close any does.

    Symbols that no portfolio held on a day with results, or after its statement of equity, are
    missing: cash is rolled from that day on. After a symbol was held, its closes only score earlier
    forecasts. Removed lots count: their results remain.
    """
    snapshots, lots, portfolios = (
        table.c for table in (tables.portfolio_snapshots, tables.positions, tables.portfolios)
    )
    spans = sa.select(
        snapshots.portfolio_id,
        sa.func.min(_SNAPSHOTS.snapshot_date).label("first"),
        sa.func.max(_SNAPSHOTS.snapshot_date).label("last"),
    )
    spans_table = spans.group_by(snapshots.portfolio_id).subquery()
    first, last = spans_table.c.first, spans_table.c.last
    ended = sa.func.least(lots.exit_date, lots.expiration_date + 1)
    query = (
        sa.select(
            UNDERLYING_SYMBOL,
            sa.func.min(sa.func.greatest(lots.entry_date, first)),
            sa.func.max(sa.func.least(lots.exit_date, lots.expiration_date, last)),
        )
        .select_from(tables.positions)
        .join(spans_table, spans_table.c.portfolio_id == lots.portfolio_id)
        .join(tables.portfolios, portfolios.id == lots.portfolio_id)
        .where(
            UNDERLYING_SYMBOL.is_not(None),
            lots.entry_date <= last,
            sa.or_(ended.is_(None), ended >= first, ended > portfolios.equity_as_of),
        )
        .group_by(UNDERLYING_SYMBOL)
    )
    held = {}
    for symbol, since, until in connection.execute(query):
        scored = trading_calendar.next_session(until, OUTCOME_SESSIONS) if since <= until else until
        held[symbol] = since, min(scored, last_result)
    return held


def _read_factor_funds(connection: sa.Connection) -> list[str]:
    """Return the funds whose spreads over the market are factors of the latest results."""
    table = tables.portfolio_factor_exposures.c
    latest = sa.select(sa.func.max(table.day)).scalar_subquery()
    query = sa.select(table.definition).where(table.day == latest).distinct()
    return [text.partition(" - ")[0] for text in connection.scalars(query) if " - " in text]
