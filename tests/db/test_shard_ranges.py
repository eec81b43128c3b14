"""Shards cover a book without gaps: each lot, and each stored row, belongs to exactly one."""

import random
from collections.abc import Sequence
from datetime import date

import pytest
import sqlalchemy as sa

from riskmetrics.db import input_queries, shards, tables
from riskmetrics.db.shards import MIN_LOTS_TO_DIVIDE, HistorySpan, Shard, Unit, count_shards

DAY = date(2022, 12, 28)
SYMBOLS = ["A", "AB", "B.A", "B-A", "Z", "^X", "a", "b", "É", "ü", "日経"]
"""Symbols whose order differs between collations."""


def hold(connection: sa.Connection, symbols: Sequence[str], **values: object) -> str:
    """Create a portfolio with a lot of each symbol; return its id."""
    portfolio = connection.scalar(
        sa.insert(tables.portfolios)
        .values(name="P", currency="USD")
        .returning(tables.portfolios.c.id)
    )
    lot = {"position_type": "LONG", "quantity": 1, "entry_date": date(2020, 1, 2)}
    for symbol in symbols:
        given = lot | {"portfolio_id": portfolio, "symbol": symbol} | values
        connection.execute(sa.insert(tables.positions).values(given))
    return str(portfolio)


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("n_shards", [1, 2, 3, 7, 100])
def test_each_lot_is_in_exactly_one_shard(
    connection: sa.Connection, unit: Unit, n_shards: int
) -> None:
    chance = random.Random(n_shards)
    for _ in range(8):
        hold(connection, chance.choices(SYMBOLS, k=chance.randrange(12)))
    hold(connection, ["HOUSE"], investment_class="PRIVATE")
    hold(connection, ["AAPL230616C130"], position_type="SC", underlying_symbol="b")
    whole = input_queries.read_lots(connection, DAY)
    divided = shards.divide(connection, unit, n_shards)
    parts = [input_queries.read_lots(connection, DAY, shard) for shard in divided]
    found = [lot for part in parts for lot in part["position_id"]]
    assert sorted(found) == sorted(whole["position_id"])
    assert 1 <= len(divided) <= n_shards
    assert all(len(part) for part in parts)
    if n_shards <= 3:
        assert len(divided) == n_shards
    assert (divided[0].lower, divided[-1].upper) == (None, None)
    for part in parts:  # in the order of the whole, so that sums have the same bits
        kept = whole["position_id"][whole["position_id"].isin(part["position_id"])]
        assert part["position_id"].tolist() == kept.tolist()


def test_a_book_without_lots_is_one_shard(connection: sa.Connection) -> None:
    for unit in Unit:
        assert shards.divide(connection, unit, 5) == [Shard(unit)]
    assert shards.count_lots(connection) == 0
    assert shards.read_history_span(connection, []) == HistorySpan(None, None)


def test_removed_lots_and_portfolios_do_not_count(connection: sa.Connection) -> None:
    hold(connection, ["A", "B"])
    hold(connection, ["C"], deleted_at="2022-12-01")
    gone = hold(connection, ["D"])
    portfolio = tables.portfolios
    connection.execute(
        sa.update(portfolio).where(portfolio.c.id == gone).values(deleted_at="2022-12-01")
    )
    assert shards.count_lots(connection) == 2
    assert shards.read_listed_symbols(connection) == {"A", "B"}


def test_distributions_are_read_from_the_first_known_day_on(connection: sa.Connection) -> None:
    anchors = [date(2021, 3, 1), date(2022, 3, 1)]
    assert shards.read_history_span(connection, anchors) == HistorySpan(*anchors)
    hold(connection, ["A"], entry_date=date(2019, 1, 2), entry_date_assumed=True)
    assert shards.read_history_span(connection, anchors) == HistorySpan(*anchors)
    hold(connection, ["A"], entry_date=date(2019, 6, 3))
    assert shards.read_history_span(connection, anchors) == (date(2019, 6, 3), anchors[1])


@pytest.mark.parametrize(
    ("n_lots", "max_lots", "n_workers", "expected"),
    [
        (0, 100_000, 8, 1),
        (MIN_LOTS_TO_DIVIDE, 100_000, 8, 1),
        (MIN_LOTS_TO_DIVIDE + 1, 100_000, 8, 8),
        (100_000, 100_000, 1, 1),
        (100_001, 100_000, 1, 2),
        (200_000, 100_000, 2, 2),
        (200_001, 100_000, 2, 4),
        (10, 10, 2, 1),
        (11, 10, 1, 2),
    ],
)
def test_a_book_is_divided_above_its_limits(
    n_lots: int, max_lots: int, n_workers: int, expected: int
) -> None:
    assert count_shards(n_lots, max_lots, n_workers) == expected
