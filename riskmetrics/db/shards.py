"""Shards: parts of a book that are computed and written one by one, or by several processes.

A shard is a range of symbols or of portfolio ids. Ranges cover everything that is stored, so that
rows of a symbol that is no longer held belong to exactly one shard too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.row_counts import count_rows
from riskmetrics.db.sql_expressions import IS_LISTED, LIVE_LOTS, UNDERLYING_SYMBOL

MIN_LOTS_TO_DIVIDE = 5_000
"""Lots from which on a book is divided among workers; a smaller one takes about a second."""


class Unit(Enum):
    """What an asset's work is divided by."""

    SYMBOLS = "symbols"
    """Its rows are of symbols, or of positions by their symbol."""
    PORTFOLIOS = "portfolios"
    """Its rows are of portfolios."""


@dataclass(frozen=True)
class Shard:
    """A half-open range of symbols or of portfolio ids."""

    unit: Unit
    lower: str | None = None
    """First symbol or portfolio id; None: from the first one on, with what has none."""
    upper: str | None = None
    """First one that is not included; None: up to the last one."""

    def __str__(self) -> str:
        """Return the range as text."""
        return f"{self.unit.value} from {self.lower or 'the first'} to before {self.upper or 'end'}"

    @property
    def is_of_portfolios(self) -> bool:
        """Return whether the shard is a range of portfolios."""
        return self.unit is Unit.PORTFOLIOS

    @property
    def has_subjects_without_portfolio(self) -> bool:
        """Return whether rows of symbols in a table of both kinds belong to the shard."""
        return self.unit is Unit.SYMBOLS or self.lower is None

    def contains(self, key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a symbol or a portfolio id is in the range."""
        if self.is_of_portfolios:
            lower, upper = (sa.cast(end, sa.Uuid) for end in (self.lower, self.upper))
        else:
            key = key.collate("C")  # the order of code points, as in Python
            lower, upper = (sa.cast(end, sa.Text) for end in (self.lower, self.upper))
        conditions = [] if self.upper is None else [key < upper]
        if self.lower is not None:
            return sa.and_(key >= lower, *conditions)
        return sa.or_(key.is_(None), *conditions) if conditions else sa.true()

    @property
    def has_position(self) -> sa.ColumnElement[bool]:
        """Return the condition that a row of `positions` is in the shard."""
        position = tables.positions
        return self.contains(
            position.c.portfolio_id if self.is_of_portfolios else UNDERLYING_SYMBOL
        )


class HistorySpan(NamedTuple):
    """Days of the holdings that distributions are read for; None without such a day."""

    first: date | None
    last: date | None


def has_position(shard: Shard | None) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `positions` is in a shard; None: the whole book."""
    return sa.true() if shard is None else shard.has_position


def has_portfolio(shard: Shard | None) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `portfolios` is in a shard of portfolios.

    A shard of symbols, or None, has all portfolios.
    """
    if shard is None or not shard.is_of_portfolios:
        return sa.true()
    return shard.contains(tables.portfolios.c.id)


def count_shards(n_lots: int, max_lots: int, n_workers: int) -> int:
    """Return the number of shards of a book, a multiple of the number of workers.

    Examples
    --------
    >>> count_shards(63, 100_000, 4), count_shards(250_000, 100_000, 1)
    (1, 3)
    >>> count_shards(10_000, 100_000, 4), count_shards(450_000, 100_000, 4)
    (4, 8)
    """
    if n_lots <= min(max_lots, MIN_LOTS_TO_DIVIDE):
        return 1
    return ceil(n_lots / max_lots / n_workers) * n_workers


def count_lots(connection: sa.Connection) -> int:
    """Return the number of open and closed lots that are not deleted."""
    return count_rows(connection, LIVE_LOTS)


def divide(connection: sa.Connection, unit: Unit, n_shards: int) -> list[Shard]:
    """Divide the book into at most ``n_shards`` ranges with about the same number of lots."""
    key: sa.ColumnElement[Any]
    if unit is Unit.PORTFOLIOS:
        key = sa.cast(tables.positions.c.portfolio_id, sa.Text)
    else:
        key = UNDERLYING_SYMBOL
    subject = key.collate("C").label("subject")
    statement = (
        sa.select(subject, sa.func.count().label("n_lots"))
        .select_from(LIVE_LOTS)
        .where(key.is_not(None))
        .group_by(subject)
        .order_by(subject)
    )
    counts = [(row.subject, row.n_lots) for row in connection.execute(statement)]
    bounds = [None, *_bounds(counts, n_shards), None]
    return [Shard(unit, lower, upper) for lower, upper in pairwise(bounds)]


def _bounds(counts: Sequence[tuple[str, int]], n_shards: int) -> list[str]:
    """Return the first subjects of all ranges but the first, from sorted subjects with sizes.

    Examples
    --------
    >>> _bounds([("A", 5), ("B", 1), ("C", 4), ("D", 2)], 2)
    ['C']
    >>> _bounds([("A", 9), ("B", 1)], 5)
    ['B']
    """
    total, bounds = sum(size for _, size in counts), list[str]()
    n_before, n_full = 0, 0
    for subject, size in counts:
        if n_before * n_shards // total > n_full:
            bounds.append(subject)
            n_full = n_before * n_shards // total
        n_before += size
    return bounds


def read_history_span(connection: sa.Connection, anchors: Sequence[date]) -> HistorySpan:
    """Return the first day of a lot or of a cash anchor, and the last cash anchor."""
    first_entry = connection.scalar(
        sa.select(sa.func.min(tables.positions.c.entry_date))
        .select_from(LIVE_LOTS)
        .where(~tables.positions.c.entry_date_assumed)
    )
    days = [*anchors, *([first_entry] if first_entry else [])]
    return HistorySpan(min(days, default=None), max(anchors, default=None))


def read_listed_symbols(connection: sa.Connection) -> set[str]:
    """Return the symbols of all lots that have closes of their own."""
    statement = sa.select(tables.positions.c.symbol).select_from(LIVE_LOTS)
    return set(connection.scalars(statement.where(IS_LISTED).distinct()))
