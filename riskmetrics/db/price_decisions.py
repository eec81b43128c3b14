"""Store users' decisions about suspected splits, and apply them to stored prices.

Every query of prices starts from `adjusted_prices`. Decisions never change the stored prices.
"""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.row_counts import count_rows, has_rows
from riskmetrics.db.sql_expressions import values_table

ACCEPT, SPLIT = "accept", "split"
"""Kinds of decisions: the move is real, or it is a split."""

MAX_SPLIT_SHARES = 100_000
"""Maximum number of shares on either side of a split ratio, larger than in any real split."""

_FIRST_DAY = date(1, 1, 1)


class SplitRatio(NamedTuple):
    """Split ratio: number of new shares for a number of old shares."""

    new_shares: int
    old_shares: int

    def __str__(self) -> str:
        """Return the ratio in the usual notation, such as 4:1."""
        return f"{self.new_shares}:{self.old_shares}"

    @property
    def factor(self) -> float:
        """New shares per old share; also the ratio of the old price to the new price."""
        return self.new_shares / self.old_shares

    def matches_move(self, price_before: float, price: float) -> bool:
        """Return whether the log price ratio is closer to this split than to no move."""
        if not (price_before > 0 and price > 0):
            return False
        move = math.log(price_before / price)
        return abs(move - math.log(self.factor)) < abs(move)


class Decision(NamedTuple):
    """A user's decision about a price move."""

    ratio: SplitRatio | None
    """Ratio of the split; None if the move is real."""

    def __str__(self) -> str:
        """Return the decision in words."""
        return "a real move" if self.ratio is None else f"a {self.ratio} split"


class Move(NamedTuple):
    """Stored prices of a session and the previous ones, USD per share; NaN if unknown."""

    close: float
    adj_close: float
    previous_day: date | None
    close_before: float
    adj_close_before: float


class _Segment(NamedTuple):
    """Days of a symbol on which prices are divided by the same ratios."""

    symbol: str
    first: date
    end: date
    close_new: int
    close_old: int
    adj_new: float
    adj_old: float


def record_decision(
    connection: sa.Connection, symbol: str, day: date, ratio: SplitRatio | None, code_version: str
) -> None:
    """Store a decision about the move on ``day``: a split by ``ratio``, or a real move (None)."""
    shares = {} if ratio is None else ratio._asdict()
    kind = ACCEPT if ratio is None else SPLIT
    keys = {"symbol": symbol, "date": day, "kind": kind, "code_version": code_version}
    connection.execute(sa.insert(tables.price_decisions).values(**keys, **shares))


def remove_decision(connection: sa.Connection, symbol: str, day: date) -> bool:
    """Remove a decision; return whether it existed."""
    table = tables.price_decisions
    statement = sa.delete(table).where(table.c.symbol == symbol, table.c.date == day)
    return bool(connection.execute(statement).rowcount)


def read_decision(connection: sa.Connection, symbol: str, day: date) -> Decision | None:
    """Return the decision about the move of a symbol on a day, or None."""
    table = tables.price_decisions
    statement = sa.select(table).where(table.c.symbol == symbol, table.c.date == day)
    row = connection.execute(statement).first()
    if row is None:
        return None
    return Decision(SplitRatio(row.new_shares, row.old_shares) if row.kind == SPLIT else None)


def has_prices(connection: sa.Connection, symbol: str) -> bool:
    """Return whether any price of a symbol is stored."""
    prices = tables.market_data_cache
    return has_rows(connection, prices, prices.c.symbol == symbol)


def count_earlier_lots(connection: sa.Connection, symbol: str, day: date) -> int:
    """Return the number of lots of a symbol entered before a day, without deleted lots."""
    table = tables.positions
    is_of_symbol = table.c.symbol == symbol
    return count_rows(
        connection, table, is_of_symbol, table.c.entry_date < day, table.c.deleted_at.is_(None)
    )


def read_accepted_moves(connection: sa.Connection) -> pd.DataFrame:
    """Return symbol and date of the moves that users accepted as real."""
    table = tables.price_decisions
    statement = sa.select(table.c.symbol, table.c.date).where(table.c.kind == ACCEPT)
    return fetch_frame(connection, statement.order_by(table.c.symbol, table.c.date))


def read_decisions(connection: sa.Connection) -> pd.DataFrame:
    """Return every decision by symbol and date, and whether stored prices still have its move.

    Returns
    -------
    DataFrame
        Columns of `price_decisions`, and close_moves and adj_close_moves: whether the stored price
        still falls by the ratio of the split, so that earlier prices are rescaled. After an import
        of corrected prices both are False, and the decision has no effect.
    """
    table = tables.price_decisions
    statement = sa.select(table).order_by(table.c.symbol, table.c.date)
    found = fetch_frame(connection, statement)
    moves: dict[str, list[bool]] = {"close": [], "adj_close": []}
    for row in found.to_dict("records"):
        move = read_stored_move(connection, row["symbol"], row["date"].date())
        is_split = row["kind"] == SPLIT
        ratio = SplitRatio(row["new_shares"], row["old_shares"]) if is_split else None
        prices = {
            "close": (move.close_before, move.close),
            "adj_close": (move.adj_close_before, move.adj_close),
        }
        for name, (before, price) in prices.items():
            moves[name].append(ratio is not None and ratio.matches_move(before, price))
    return found.assign(close_moves=moves["close"], adj_close_moves=moves["adj_close"])


def read_stored_move(connection: sa.Connection, symbol: str, day: date) -> Move:
    """Return the stored prices of a symbol on a day and before it, without rescaling."""
    table = tables.market_data_cache
    statement = (
        sa.select(table.c.date, table.c.close, table.c.adj_close)
        .where(table.c.symbol == symbol, table.c.date <= day)
        .order_by(table.c.date.desc())
        .limit(2)
    )
    rows = list(connection.execute(statement).mappings())
    current = rows.pop(0) if rows and rows[0]["date"] == day else None
    previous = rows[0] if rows else None
    prices = [
        math.nan if row is None or row[name] is None else float(row[name])
        for row in (current, previous)
        for name in ("close", "adj_close")
    ]
    close, adj_close, close_before, adj_close_before = prices
    previous_day = None if previous is None else previous["date"]
    return Move(close, adj_close, previous_day, close_before, adj_close_before)


def adjusted_prices(connection: sa.Connection) -> sa.FromClause:
    """Return stored prices, rescaled before splits that users recorded.

    Open, high, low and close are multiplied by old over new shares and volume by the inverse if the
    stored close has the move of the split; adj_close if it has the move itself. The columns are
    those of `market_data_cache`, which is returned unchanged if no decision has an effect.
    """
    table = tables.market_data_cache
    segments = list(_split_segments(read_decisions(connection)))
    if not segments:
        return table
    kinds = (sa.String, sa.Date, sa.Date, sa.Numeric, sa.Numeric, sa.Double, sa.Double)
    splits = values_table("splits", dict(zip(_Segment._fields, kinds, strict=True)), segments)
    is_before = sa.and_(
        splits.c.symbol == table.c.symbol,
        table.c.date >= sa.cast(splits.c.first, sa.Date),
        table.c.date < sa.cast(splits.c.end, sa.Date),
    )
    new, old = (
        sa.func.coalesce(sa.cast(column, sa.Numeric), 1)
        for column in (splits.c.close_new, splits.c.close_old)
    )
    adj_new, adj_old = (
        sa.func.coalesce(sa.cast(column, sa.Double), 1)
        for column in (splits.c.adj_new, splits.c.adj_old)
    )
    rescaled: dict[str, sa.ColumnElement[Any]] = {
        name: sa.cast(table.c[name] * old / new, sa.Numeric)
        for name in ("open", "high", "low", "close")
    }
    rescaled["adj_close"] = sa.cast(table.c.adj_close * adj_old / adj_new, sa.Double)
    shares = sa.func.round(table.c.volume * new / old)
    rescaled["volume"] = sa.cast(shares, sa.BigInteger)
    selected = [rescaled.get(column.name, column).label(column.name) for column in table.c]
    return sa.select(*selected).select_from(table.outerjoin(splits, is_before)).subquery("prices")


def _split_segments(recorded: pd.DataFrame) -> Iterator[_Segment]:
    """Yield the segments between the splits of each symbol, with the product of later splits."""
    splits = recorded[recorded["close_moves"] | recorded["adj_close_moves"]]
    for symbol, rows in splits.groupby("symbol"):
        days = [day.date() for day in rows["date"]]
        for position, (first, end) in enumerate(zip([_FIRST_DAY, *days], days, strict=False)):
            later = rows.iloc[position:]
            shares = [
                math.prod(map(int, later[later[moves]][name]))
                for moves in ("close_moves", "adj_close_moves")
                for name in ("new_shares", "old_shares")
            ]
            yield _Segment(str(symbol), first, end, *shares)
