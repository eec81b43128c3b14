"""Days on which rows of prices that are about to be stored change a return, and no close."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import outdated_results, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.used_closes import UsedCloses
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results import price_history


def find_changed_returns(
    connection: sa.Connection, rows: pd.DataFrame, used: UsedCloses | None
) -> dict[str, list[date]]:
    """Return the days of changed returns by symbol, of symbols that results depend on.

    Parameters
    ----------
    rows : DataFrame
        symbol, date (datetime.date), close and adj_close, to replace the stored rows of their days.
    used : UsedCloses or None
        Closes that results depend on, of `read_used_closes`.
    """
    chosen = rows[rows["symbol"].isin(used.held)] if used is not None else rows[:0]
    if chosen.empty:
        return {}
    table = tables.market_data_cache
    # a return that begins before the rows or ends after them changes, too
    first = trading_calendar.previous_session(min(chosen["date"]), MAX_STALE_SESSIONS)
    last = trading_calendar.next_session(max(chosen["date"]), MAX_STALE_SESSIONS)
    names = ["symbol", "date", "close", "adj_close"]
    stored = fetch_frame(
        connection,
        sa.select(*(table.c[name] for name in names)).where(
            table.c.symbol == any_of(chosen["symbol"].unique()), table.c.date.between(first, last)
        ),
    )
    stored = stored.assign(date=stored["date"].dt.date.astype(object))
    both = stored.merge(chosen[names], on=["symbol", "date"], how="left", suffixes=("", "_new"))
    is_changed = both["adj_close_new"].notna() & (both["adj_close_new"] != both["adj_close"])
    found = {}
    for symbol, before in both[both["symbol"].isin(both["symbol"][is_changed])].groupby("symbol"):
        after = before.assign(
            **{name: before[f"{name}_new"].fillna(before[name]) for name in ("close", "adj_close")}
        )
        if days := price_history.find_changed_returns(before[names], after[names]):
            found[str(symbol)] = days
    return found


def record_changed_returns(
    connection: sa.Connection, changed: dict[str, list[date]], used: UsedCloses | None
) -> list[str]:
    """Mark results as outdated that depend on `find_changed_returns`; name the days by symbol."""
    return [
        text
        for symbol, days in changed.items()
        for text in outdated_results.record_changed_returns(connection, symbol, days, used)
    ]
