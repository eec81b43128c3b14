"""Record which stored results rest on closes or holdings that changed after they were computed.

One row of `database_settings` holds the first and the last session of the results to recompute.
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

_NAME = "outdated_results"
_SEPARATOR = "/"
_MAX_NAMES = 3
"""Number of changed closes that a warning names."""

_SETTINGS = tables.database_settings
_SNAPSHOTS = tables.portfolio_snapshots.c


class OutdatedResults(NamedTuple):
    """Sessions whose results are to be recomputed."""

    first: date
    last: date

    def __str__(self) -> str:
        """Return the remedy."""
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


def record_changed_closes(connection: sa.Connection, changed: pd.DataFrame) -> list[str]:
    """Mark the results from the first changed close on as outdated; return a warning, or none.

    ``changed`` are rows of `find_changed_closes`, in their order.
    """
    if changed.empty:
        return []
    outdated = mark_outdated(connection, changed["first"].iloc[0].date())
    is_late = changed["stored"].isna()
    parts = [
        f"{len(rows):,} {what.format(plural='' if len(rows) == 1 else 's')}: {_name_closes(rows)}"
        for what, rows in (
            ("stored close{plural} changed", changed[~is_late]),
            ("close{plural} added to computed sessions", changed[is_late]),
        )
        if len(rows)
    ]
    text = "; ".join(parts)
    return [text if outdated is None else f"{text}. {describe_outdated(outdated)}"]


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
    """Mark results as outdated because closes of days are removed; return a warning, or none."""
    changed = _find_first_sessions(used, symbol, days)
    if not changed:
        return []
    outdated = mark_outdated(connection, min(changed))
    text = f"{len(changed):,} stored close{'' if len(changed) == 1 else 's'} of {symbol} removed"
    return [text if outdated is None else f"{text}. {describe_outdated(outdated)}"]


def record_changed_returns(
    connection: sa.Connection, symbol: str, days: Collection[date], used: UsedCloses | None
) -> list[str]:
    """Mark results as outdated because returns of days changed; return a warning, or none."""
    changed = _find_first_sessions(used, symbol, days)
    outdated = mark_outdated(connection, min(changed)) if changed else None
    if outdated is None:
        return []
    return [
        f"adj_close of {symbol} has another return on {join_names(sorted(days), _MAX_NAMES)}, as by"
        f" a dividend announced late. {describe_outdated(outdated)}"
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
    outdated = mark_outdated(connection, first.min().date()) if len(first) else None
    if outdated is None:
        return []
    return [f"results were stored while their closes changed. {describe_outdated(outdated)}"]


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
    return f"Results from {outdated.first} on are outdated: recompute them with {outdated}"


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
    query = sa.select(_SETTINGS.c.value, _SETTINGS.c.updated_at).where(_SETTINGS.c.name == _NAME)
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
    query = sa.select(
        sa.func.min(_SNAPSHOTS.snapshot_date), sa.func.max(_SNAPSHOTS.snapshot_date)
    ).where(_SNAPSHOTS.snapshot_date.between(*stored))
    first, last = connection.execute(query).one()
    return None if first is None else OutdatedResults(first, last)


def _read(connection: sa.Connection) -> OutdatedResults | None:
    text = connection.scalar(sa.select(_SETTINGS.c.value).where(_SETTINGS.c.name == _NAME))
    return OutdatedResults(*map(date.fromisoformat, text.split(_SEPARATOR))) if text else None


def _write(connection: sa.Connection, span: OutdatedResults | None) -> None:
    connection.execute(sa.delete(_SETTINGS).where(_SETTINGS.c.name == _NAME))
    if span:
        value = _SEPARATOR.join(day.isoformat() for day in span)
        connection.execute(sa.insert(_SETTINGS).values(name=_NAME, value=value))
