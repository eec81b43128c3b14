"""Record which stored results rest on closes that changed after they were computed.

One row of `database_settings` holds the first and the last session of the results to recompute.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.write import lock_asset
from riskmetrics.text import join_names

_NAME = "outdated_results"
_SEPARATOR = "/"
_MAX_NAMES = 3
"""Number of changed closes that a warning names."""

_ROUNDING = 0.6e-4
"""Largest difference of a close from the stored one, which has four decimals, by rounding, USD."""

_settings = tables.database_settings
_day = tables.portfolio_snapshots.c.snapshot_date


class OutdatedResults(NamedTuple):
    """Sessions whose results are to be recomputed."""

    first: date
    last: date

    def __str__(self) -> str:
        """Return the remedy."""
        return f"riskmetrics reprocess --all --from {self.first} --to {self.last}"


def find_changed_closes(connection: sa.Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Compare closes that are about to be stored with those of sessions up to the last result.

    Parameters
    ----------
    rows : DataFrame
        symbol, date and close.

    Returns
    -------
    DataFrame
        symbol, date, stored and close of each stored close that differs, by date and symbol.
    """
    columns = ["symbol", "date", "stored", "close"]
    last = connection.scalar(sa.select(sa.func.max(_day)))
    days = pd.to_datetime(rows["date"])
    if last is None or not (is_computed := days <= pd.Timestamp(last)).any():
        return pd.DataFrame(columns=columns)
    incoming = rows.loc[is_computed, ["symbol", "close"]].assign(date=days[is_computed])
    table = tables.market_data_cache
    query = sa.select(table.c.symbol, table.c.date, table.c.close.label("stored")).where(
        table.c.symbol == any_of(incoming["symbol"].unique()),
        table.c.date.between(incoming["date"].min().date(), last),
    )
    stored = fetch_frame(connection, query)
    merged = incoming.merge(stored.astype({"date": incoming["date"].dtype}), on=["symbol", "date"])
    difference = merged["close"].astype(float) - merged["stored"].astype(float)
    changed = merged[difference.abs() > _ROUNDING].sort_values(["date", "symbol"])
    listed: pd.DataFrame = changed[columns].reset_index(drop=True)
    return listed


def record_changed_closes(connection: sa.Connection, changed: pd.DataFrame) -> list[str]:
    """Mark the results from the first changed close on as outdated; return a warning, or none.

    ``changed`` are rows of `find_changed_closes`, in their order.
    """
    if changed.empty:
        return []
    outdated = mark_outdated(connection, changed["date"].iloc[0].date())
    named = [
        f"{row['symbol']} {row['date']:%Y-%m-%d} {row['stored']:,.2f} -> {row['close']:,.2f}"
        for row in changed.astype({"stored": float, "close": float}).to_dict("records")
    ]
    plural = "" if len(changed) == 1 else "s"
    text = f"{len(changed):,} stored close{plural} changed: {join_names(named, _MAX_NAMES)}"
    if outdated is None:
        return [text]
    return [
        f"{text}. Results from {outdated.first} on are outdated: recompute them with {outdated}"
    ]


def mark_outdated(connection: sa.Connection, first: date) -> OutdatedResults | None:
    """Record that the results from a session on are outdated; return all that are."""
    lock_asset(connection, _NAME)
    found = connection.execute(
        sa.select(sa.func.min(_day), sa.func.max(_day)).where(_day >= first)
    ).one()
    if found[0] is None:
        return read_outdated(connection)
    stored = _read(connection)
    spans = [OutdatedResults(*found), *([stored] if stored else [])]
    _write(
        connection,
        OutdatedResults(min(one.first for one in spans), max(one.last for one in spans)),
    )
    return read_outdated(connection)


class Mark(NamedTuple):
    """What is recorded, and when it was."""

    value: str
    set_at: datetime


def read_mark(connection: sa.Connection) -> Mark | None:
    """Return what is recorded, for `mark_recomputed` when the results are stored."""
    query = sa.select(_settings.c.value, _settings.c.updated_at).where(_settings.c.name == _NAME)
    found = connection.execute(query).one_or_none()
    return None if found is None else Mark(*found)


def mark_recomputed(connection: sa.Connection, sessions: Iterable[date], mark: Mark | None) -> None:
    """Record that all results of sessions are computed again: they leave either end of the range.

    ``mark`` is that of `read_mark` before the closes were read. One that was set since then stays:
    the results may rest on closes from before it.
    """
    if mark is None:
        return
    lock_asset(connection, _NAME)
    stored = _read(connection)
    if stored is None or read_mark(connection) != mark:
        return
    computed = set(sessions)
    left = [day for day in trading_calendar.sessions_between(*stored) if day not in computed]
    _write(connection, OutdatedResults(left[0], left[-1]) if left else None)


def read_outdated(connection: sa.Connection) -> OutdatedResults | None:
    """Return the sessions with outdated results that are still stored, or None."""
    if (stored := _read(connection)) is None:
        return None
    query = sa.select(sa.func.min(_day), sa.func.max(_day)).where(_day.between(*stored))
    first, last = connection.execute(query).one()
    return None if first is None else OutdatedResults(first, last)


def _read(connection: sa.Connection) -> OutdatedResults | None:
    text = connection.scalar(sa.select(_settings.c.value).where(_settings.c.name == _NAME))
    return OutdatedResults(*map(date.fromisoformat, text.split(_SEPARATOR))) if text else None


def _write(connection: sa.Connection, span: OutdatedResults | None) -> None:
    connection.execute(sa.delete(_settings).where(_settings.c.name == _NAME))
    if span:
        value = _SEPARATOR.join(day.isoformat() for day in span)
        connection.execute(sa.insert(_settings).values(name=_NAME, value=value))
