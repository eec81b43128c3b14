"""Find suspected splits and splices of imports in the stored price history.

Candidates of splits are found in all prices by their size, and evaluated by `panels`.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.input_queries import read_price_panels
from riskmetrics.db.price_arrays import PriceArrays
from riskmetrics.db.price_decisions import read_accepted_moves
from riskmetrics.db.sql_expressions import CLOSE_ONLY_SUFFIX, any_of
from riskmetrics.db.stored_prices import read_close_history
from riskmetrics.metrics.price_quality import MAX_PRICES_BEFORE
from riskmetrics.panels import Bars, suspected_splits
from riskmetrics.results.price_moves import find_large_moves

_MIN_MOVE_RATIO = 1.7
"""Minimum ratio of two closes of a suspected split; 2:1 on a day with a 15% move is 1.74."""

_MIN_CLOSE_FALL_RATIO = 1.15
"""Minimum ratio by which the close falls relative to the adjusted close in a suspected split."""

MAX_SPLICES = 63
"""Maximum number of imports of a symbol per year at which splices are reported."""


def find_suspected_splits(
    connection: sa.Connection, symbols: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return every suspected split without a user's decision, by symbol and date.

    Parameters
    ----------
    symbols : iterable of str, optional
        Default: all symbols with prices.

    Returns
    -------
    DataFrame
        Columns of `panels.suspected_splits`. Recorded splits do not appear because prices are
        rescaled when they are read; moves that a user accepted are left out.
    """
    return evaluate_moves(connection, read_close_history(connection, symbols))


def evaluate_moves(connection: sa.Connection, closes: PriceArrays) -> pd.DataFrame:
    """Return the suspected splits in a result of `read_close_history`."""
    moves = _find_large_moves(closes)
    pairs = zip(moves["first"].dt.date, moves["date"].dt.date, strict=True)
    sessions = _sessions_around(pairs)
    if not sessions:
        return suspected_splits(_empty_bars())
    bars = read_price_panels(connection, Bars._fields, moves["symbol"].unique(), sessions)
    found = suspected_splits(Bars(**bars))
    # Keep the requested moves only: at other sessions of the panel, neighbors may be missing.
    found = found.merge(moves[["symbol", "date"]].astype(found.dtypes[["symbol", "date"]]))
    accepted = read_accepted_moves(connection)
    keys = pd.MultiIndex.from_frame(found[["symbol", "date"]])
    is_accepted = keys.isin(list(zip(accepted["symbol"], accepted["date"], strict=True)))
    return found[~is_accepted].sort_values(["symbol", "date"], ignore_index=True)


def find_undecided_moves(
    connection: sa.Connection, symbols: Iterable[str], sessions: Sequence[date]
) -> pd.DataFrame:
    """Return large moves without a user's decision that no split is suspected to explain.

    Returns
    -------
    DataFrame
        Columns of `price_moves.find_large_moves`.
    """
    requested = sorted(set(symbols))
    bars = Bars(**read_price_panels(connection, Bars._fields, requested, sessions))
    settled = pd.concat(
        [find_suspected_splits(connection, requested), read_accepted_moves(connection)]
    )
    return find_large_moves(bars, settled)


def find_import_splices(
    connection: sa.Connection, symbols: Iterable[str], sessions: Sequence[date]
) -> pd.DataFrame:
    """Return where unadjusted closes of one import continue those of another import.

    Returns
    -------
    DataFrame
        symbol and date of the first row of each later import among ``sessions``. Symbols with more
        than MAX_SPLICES, such as those imported every night, are left out.
    """
    table = tables.market_data_cache
    requested, span = sorted(set(symbols)), (min(sessions), max(sessions))
    # comparing the rows of all symbols with each other takes a second, and most have none of these
    unadjusted = table.alias("unadjusted")
    with_unadjusted = (
        sa.select(unadjusted.c.symbol)
        .where(unadjusted.c.symbol == any_of(requested), unadjusted.c.date.between(*span))
        .where(unadjusted.c.data_source.endswith(CLOSE_ONLY_SUFFIX))
    )
    history = sa.select(
        table.c.symbol,
        table.c.date,
        table.c.data_source,
        table.c.updated_at,
        *(
            sa.func.lag(table.c[name])
            .over(partition_by=table.c.symbol, order_by=table.c.date)
            .label(f"{name}_before")
            for name in ("data_source", "updated_at")
        ),
    ).where(table.c.symbol.in_(with_unadjusted), table.c.date.between(*span))
    rows = history.subquery("rows")
    is_splice = sa.and_(
        rows.c.data_source.endswith(CLOSE_ONLY_SUFFIX),
        rows.c.data_source_before.is_not(None),
        sa.or_(
            rows.c.data_source != rows.c.data_source_before,
            rows.c.updated_at != rows.c.updated_at_before,
        ),
    )
    per_symbol = sa.func.count().over(partition_by=rows.c.symbol)
    splices = (
        sa.select(rows.c.symbol, rows.c.date, per_symbol.label("n")).where(is_splice).subquery()
    )
    found = sa.select(splices.c.symbol, splices.c.date).where(splices.c.n <= MAX_SPLICES)
    return fetch_frame(connection, found.order_by(splices.c.symbol, splices.c.date))


def _find_large_moves(prices: PriceArrays) -> pd.DataFrame:
    """Return symbol and date of every possible split, and the first date needed to evaluate it.

    The first date is MAX_PRICES_BEFORE rows before the move, regardless of missing sessions.
    """
    values = prices.values
    before = {name: prices.previous(name) for name in values}
    share, share_before = (
        each["adj_close"] / np.where(each["close"] == 0.0, np.nan, each["close"])
        for each in (values, before)
    )
    is_large = share > share_before * _MIN_CLOSE_FALL_RATIO
    for name, price in values.items():
        is_large |= price > before[name] * _MIN_MOVE_RATIO
        is_large |= price * _MIN_MOVE_RATIO < before[name]
    moves = np.flatnonzero(is_large)
    first = np.maximum(moves - MAX_PRICES_BEFORE, prices.first_of_symbol()[moves])
    found = prices.select(moves).to_frame()
    return found.assign(first=prices.day[first].astype("datetime64[s]"))


def _sessions_around(moves: Iterable[tuple[date, date]]) -> list[date]:
    """Return the sessions that are needed to evaluate moves, in order.

    Parameters
    ----------
    moves : iterable of (date, date)
        First date needed to evaluate a move, and date of the move. One session before the first
        date and one after the move are added, to recognize bad ticks.
    """
    last = trading_calendar.calendar_end()
    found: set[date] = set()
    for first, day in set(moves):
        if not trading_calendar.is_session(day):
            continue
        following = trading_calendar.sessions_between(day, min(last, day + pd.Timedelta(days=14)))[
            :2
        ]
        found.update(
            trading_calendar.sessions_between(trading_calendar.previous_session(first), day),
            following,
        )
    return sorted(found)


def _empty_bars() -> Bars:
    empty = pd.DataFrame(index=pd.DatetimeIndex([]), columns=pd.Index([], dtype="str"), dtype=float)
    return Bars(empty, empty, empty, empty)
