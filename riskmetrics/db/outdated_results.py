"""Record which stored results rest on inputs that changed after they were computed.

One row of `database_settings` holds the ranges of sessions whose results are to be recomputed.
"""

import math
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.staged_rows import match_condition, stage_rows
from riskmetrics.db.used_closes import UsedCloses, read_used_closes
from riskmetrics.db.write import lock_asset
from riskmetrics.text import join_names

RECENT_SESSIONS = 5
"""Last sessions with results that the nightly run computes again if they are outdated."""

_NAME = "outdated_results"
_SEPARATOR = "/"
_MAX_NAMES = 3
"""Number of changed closes that a warning names."""

_SETTINGS = tables.database_settings
_SNAPSHOTS = tables.portfolio_snapshots.c


class OutdatedResults(NamedTuple):
    """Range of the sessions whose results are to be recomputed; some within it may be current."""

    first: date
    last: date
    is_recent: bool
    """Whether all are among the last RECENT_SESSIONS with results."""

    def __str__(self) -> str:
        """Return the remedy."""
        if self.is_recent:
            return "riskmetrics catch-up"
        return f"riskmetrics reprocess --all --from {self.first} --to {self.last}"


def find_changed_closes(
    connection: sa.Connection, rows: pd.DataFrame, used: UsedCloses | None
) -> pd.DataFrame:
    """Compare closes that are about to be stored with the stored ones that results depend on.

    The rows are compared in the database, so that no stored close is read that is the same.

    Parameters
    ----------
    rows : DataFrame
        symbol, date and close.
    used : UsedCloses or None
        Closes that results depend on, of `read_used_closes`.

    Returns
    -------
    DataFrame
        symbol, date, stored (NaN if there is none), close, and first: the first session whose
        results the close changes; by first, date and symbol.
    """
    chosen = rows[["symbol", "date", "close"]]
    if used is not None:
        chosen = chosen[used.first_sessions(chosen["symbol"], chosen["date"]).notna()]
    if used is None or chosen.empty:
        return pd.DataFrame(columns=["symbol", "date", "stored", "close", "first"])
    table = tables.market_data_cache
    incoming = stage_rows(connection, table, chosen)
    same = match_condition(table, incoming, chosen, ("symbol", "date"))
    query = (
        sa.select(
            incoming.c.symbol, incoming.c.date, table.c.close.label("stored"), incoming.c.close
        )
        .select_from(incoming.outerjoin(table, same))
        .where(table.c.close.is_distinct_from(incoming.c.close))
    )
    changed = fetch_frame(connection, query)
    changed = changed.assign(first=used.first_sessions(changed["symbol"], changed["date"]))
    ordered: pd.DataFrame = changed.sort_values(["first", "date", "symbol"], ignore_index=True)
    return ordered


def record_changed_closes(
    connection: sa.Connection, changed: pd.DataFrame, recomputed: date | None = None
) -> list[str]:
    """Mark the results from the first changed close on as outdated; name the closes, if any.

    Closes that are added to sessions from ``recomputed`` on, which are about to be computed again,
    are not named. ``changed`` are rows of `find_changed_closes`, in their order.
    """
    if changed.empty:
        return []
    mark_outdated(connection, changed["first"].iloc[0].date())
    is_late = changed["stored"].isna()
    is_named = changed["first"] < pd.Timestamp(recomputed or pd.Timestamp.max)
    parts = [
        f"{len(rows):,} {what.format(plural='' if len(rows) == 1 else 's')}: {_name_closes(rows)}"
        for what, rows in (
            ("stored close{plural} changed", changed[~is_late]),
            ("close{plural} added to computed sessions", changed[is_late & is_named]),
        )
        if len(rows)
    ]
    return ["; ".join(parts)] if parts else []


def _name_closes(changed: pd.DataFrame) -> str:
    """Return symbol, day, and stored and new close of the first rows, and the number of others."""
    shown = changed.head(_MAX_NAMES).astype({"stored": float, "close": float})
    texts = [
        f"{row['symbol']} {row['date']:%Y-%m-%d}"
        + ("" if math.isnan(row["stored"]) else f" {row['stored']:,.2f} →")
        + f" {row['close']:,.2f}"
        for row in shown.to_dict("records")
    ]
    n_others = len(changed) - len(shown)
    return ", ".join(texts) + (f" and {n_others:,} more" if n_others else "")


def record_missing_closes(
    connection: sa.Connection, symbol: str, days: Collection[date], used: UsedCloses | None
) -> list[str]:
    """Mark results as outdated because closes of days are removed; say so, if it is so."""
    changed = _find_first_sessions(used, symbol, days)
    if not changed:
        return []
    mark_outdated(connection, min(changed))
    return [f"{len(changed):,} stored close{'' if len(changed) == 1 else 's'} of {symbol} removed"]


def record_changed_returns(
    connection: sa.Connection, symbol: str, days: Collection[date], used: UsedCloses | None
) -> list[str]:
    """Mark results as outdated because returns of days changed; say so, if it is so."""
    changed = _find_first_sessions(used, symbol, days)
    if not changed or mark_outdated(connection, min(changed)) is None:
        return []
    return [
        f"adj_close of {symbol} has another return on {join_names(sorted(days), _MAX_NAMES)}, as by"
        " a dividend announced late"
    ]


def record_closes_since(
    connection: sa.Connection, symbols: Collection[str], moment: datetime, known: UsedCloses | None
) -> list[str]:
    """Mark results that were stored while closes were, and that `known` does not have.

    Parameters
    ----------
    connection : Connection
    symbols : collection of str
        Symbols whose closes were stored.
    moment : datetime
        Closes that were stored from then on are looked at.
    known : UsedCloses or None
        Closes that results depended on at that moment: they were compared as they were stored.

    Returns
    -------
    list of str
        A warning, or none.
    """
    used = read_used_closes(connection)
    if used is None or used == known:
        return []
    table = tables.market_data_cache.c
    query = sa.select(table.symbol, table.date).where(
        table.symbol == any_of(sorted(symbols)), table.updated_at >= moment
    )
    rows = fetch_frame(connection, query)
    first = used.first_sessions(rows["symbol"], rows["date"])
    if known is not None:
        before = known.first_sessions(rows["symbol"], rows["date"])
        first = first.where(before.isna() | (first < before))
    first = first.dropna()
    if first.empty or mark_outdated(connection, first.min().date()) is None:
        return []
    return ["results were stored while their closes changed"]


def _find_first_sessions(
    used: UsedCloses | None, symbol: str, days: Collection[date]
) -> list[date]:
    """Return the first session whose results each close of a symbol changes, if it changes any."""
    if used is None:
        return []
    closes = pd.DataFrame({"symbol": symbol, "date": pd.to_datetime(sorted(days))})
    changed = used.first_sessions(closes["symbol"], closes["date"]).dropna()
    return [session.date() for session in changed]


def record_decided_move(
    connection: sa.Connection, symbol: str, day: date, *, has_split: bool
) -> OutdatedResults | None:
    """Mark the results that a decision about a move changes as outdated; return all that are.

    None if it changes no result. A split rescales all earlier closes; a real move counts from its
    session on.
    """
    used = read_used_closes(connection)
    if used is not None and has_split and symbol in used.held:
        is_used = used.uses_closes_before(symbol, day)
        return mark_outdated(connection, used.held[symbol][0]) if is_used else None
    changed = _find_first_sessions(used, symbol, [day])
    return mark_outdated(connection, changed[0]) if changed else None


def record_renamed_symbol(connection: sa.Connection, symbol: str) -> OutdatedResults | None:
    """Mark the results that depend on a symbol, by its new name, as outdated; return all that are.

    They are stored under its old name, and closes of the new one may replace the old ones.
    """
    used = read_used_closes(connection)
    if used is None or symbol not in used.held:
        return None
    return mark_outdated(connection, used.held[symbol][0])


def record_changed_holdings(
    connection: sa.Connection, portfolio_id: object, first: date
) -> OutdatedResults | None:
    """Mark the results that changed holdings of a portfolio outdate; return all that are.

    Parameters
    ----------
    connection : Connection
    portfolio_id : UUID or str
    first : date
        First day on which the holdings are not those that the results were computed from.

    Returns
    -------
    OutdatedResults or None
        None if the portfolio has no results from that day on.
    """
    query = sa.select(sa.func.min(_SNAPSHOTS.snapshot_date)).where(
        _SNAPSHOTS.portfolio_id == portfolio_id, _SNAPSHOTS.snapshot_date >= first
    )
    computed = connection.scalar(query)
    return None if computed is None else mark_outdated(connection, computed)


def describe_outdated(outdated: OutdatedResults) -> str:
    """Return a sentence with the sessions of outdated results, and the remedy."""
    how = (
        f"the next nightly run, or {outdated}, recomputes them"
        if outdated.is_recent
        else f"recompute them with {outdated}"
    )
    return f"Results from {outdated.first} on are outdated: {how}"


def mark_outdated(connection: sa.Connection, first: date) -> OutdatedResults | None:
    """Record that the results from a session on are outdated; return all that are.

    None if there are no results from that session on.
    """
    lock_asset(connection, _NAME)
    found = connection.execute(
        sa.select(
            sa.func.min(_SNAPSHOTS.snapshot_date), sa.func.max(_SNAPSHOTS.snapshot_date)
        ).where(_SNAPSHOTS.snapshot_date >= first)
    ).one()
    if found[0] is None:
        return None
    _write(connection, {*_read(connection), *trading_calendar.sessions_between(*found)})
    return read_outdated(connection)


class Mark(NamedTuple):
    """What is recorded, and when it was."""

    value: str
    set_at: datetime


def read_mark(connection: sa.Connection) -> Mark | None:
    """Return what is recorded, for `mark_recomputed` when the results are stored."""
    query = sa.select(_SETTINGS.c.value, _SETTINGS.c.updated_at).where(_SETTINGS.c.name == _NAME)
    found = connection.execute(query).one_or_none()
    return None if found is None else Mark(*found)


def mark_recomputed(connection: sa.Connection, sessions: Iterable[date], mark: Mark | None) -> None:
    """Record that all results of sessions are computed again.

    ``mark`` is that of `read_mark` before the closes were read. One that was set since then stays:
    the results may rest on closes from before it.
    """
    if mark is None:
        return
    lock_asset(connection, _NAME)
    if read_mark(connection) == mark:
        _write(connection, _read(connection) - set(sessions))


def read_outdated(
    connection: sa.Connection, recomputed: Collection[date] = ()
) -> OutdatedResults | None:
    """Return the range of outdated results that are stored, or None.

    Results of ``recomputed`` are about to be stored.
    """
    days, latest = _read_stored_days(connection)
    days -= set(recomputed)
    if not days:
        return None
    is_recent = min(days) >= _first_recent(max(latest, *recomputed) if recomputed else latest)
    return OutdatedResults(min(days), max(days), is_recent)


def read_recent_outdated(connection: sa.Connection) -> list[date]:
    """Return the outdated ones of the last sessions with results, ascending."""
    days, latest = _read_stored_days(connection)
    return sorted(day for day in days if day >= _first_recent(latest))


def _first_recent(latest: date) -> date:
    return trading_calendar.previous_session(latest, RECENT_SESSIONS - 1)


def _read_stored_days(connection: sa.Connection) -> tuple[set[date], date]:
    """Return the outdated sessions with stored results, and the latest session with any."""
    query = sa.select(_SNAPSHOTS.snapshot_date).distinct()
    if not (outdated := _read(connection)) or not (stored := set(connection.scalars(query))):
        return set(), date.min
    return outdated & stored, max(stored)


def _read(connection: sa.Connection) -> set[date]:
    text = connection.scalar(sa.select(_SETTINGS.c.value).where(_SETTINGS.c.name == _NAME))
    return {
        day
        for span in (text or "").split()
        for day in trading_calendar.sessions_between(
            *map(date.fromisoformat, span.split(_SEPARATOR))
        )
    }


def _write(connection: sa.Connection, days: Collection[date]) -> None:
    connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.name == _NAME))
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and spans[-1][1] == trading_calendar.previous_session(day):
            spans[-1][1] = day
        else:
            spans.append([day, day])
    if spans:
        value = " ".join(_SEPARATOR.join(map(date.isoformat, span)) for span in spans)
        connection.execute(sa.insert(_SETTINGS).values(name=_NAME, value=value))
