"""Held symbols without a close on the last session: late, or no longer traded."""

from collections.abc import Collection
from datetime import date

import pandas as pd

from riskmetrics import trading_calendar
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
