"""Held symbols without a close on the last session: late, or no longer traded."""

from collections.abc import Collection
from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, outdated_results, result_queries, stored_prices
from riskmetrics.ingest.prices import spans
from riskmetrics.panels import MAX_STALE_SESSIONS


def find_ended_histories(
    coverage: pd.DataFrame,
    symbols: Collection[str],
    market: str,
) -> dict[str, date]:
    """Return the last price day of each symbol whose prices end before those of the market.

    Parameters
    ----------
    coverage : DataFrame
        Result of `stored_prices.read_price_coverage` for the prices up to one day.
    symbols : collection of str
        Symbols held on that day.
    market : str
        Symbol of the market index.
    """
    last = {symbol: span[1] for symbol, span in spans(coverage).items()}
    if market not in last:
        return {}
    late = trading_calendar.previous_session(last[market], MAX_STALE_SESSIONS)
    return {name: last[name] for name in sorted(symbols) if name in last and last[name] < late}


def find_carried_closes(
    coverage: pd.DataFrame, symbols: Collection[str], market: str
) -> dict[str, date]:
    """Return the last price day of each symbol whose last close stands for one of the market.

    It is before the last close of the market, and not so old that the history has ended.
    Parameters are those of `find_ended_histories`.
    """
    last = {symbol: span[1] for symbol, span in spans(coverage).items()}
    if market not in last:
        return {}
    ended = find_ended_histories(coverage, symbols, market)
    return {
        name: last[name]
        for name in sorted(symbols)
        if name in last and last[name] < last[market] and name not in ended
    }


def find_sessions_to_recompute(connection: sa.Connection, market: str) -> list[date]:
    """Return recent sessions whose results are outdated, or use closes of a session before.

    A late close of the latest ones is likely published by now.
    """
    latest = result_queries.read_latest_day(connection)
    if latest is None:
        return []
    held = input_queries.read_held_symbols(connection, latest)
    coverage = stored_prices.read_price_coverage(connection, {*held, market}, last_day=latest)
    carried = find_carried_closes(coverage, held, market)
    late = [
        day
        for last in carried.values()
        for day in trading_calendar.sessions_between(trading_calendar.next_session(last), latest)
    ]
    return sorted({*late, *outdated_results.read_recent_outdated(connection)})
