"""Store transactions of portfolios, and the lots that follow from them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import holdings, portfolios, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.price_decisions import adjusted_prices
from riskmetrics.db.row_counts import has_rows
from riskmetrics.db.shards import Shard, has_portfolio
from riskmetrics.db.sql_expressions import any_of, is_live_portfolio, values_table
from riskmetrics.db.transaction_renames import rename_flows
from riskmetrics.errors import UsageError
from riskmetrics.symbols import parse_option
from riskmetrics.transactions.lots import DatedLot
from riskmetrics.transactions.model import PRICE_UNIT, Kind, Transaction

_TABLE = tables.transactions
VALUES = (
    *("kind", "day", "ordinal", "symbol", "quantity", "price", "amount", "fees", "ratio"),
    *("added_shares", "new_symbol", "lot_day"),
)
"""Columns of a transaction itself."""

SPLIT_DAYS = timedelta(days=5)
"""Distance of the closes around a split from the day on which a broker books it."""


def find_or_create_portfolio(connection: sa.Connection, name: str) -> str:
    """Return the id of a portfolio that is, or can be, kept by transactions.

    Raises
    ------
    UsageError
        If the portfolio has lots of statements, or several portfolios have the name.
    """
    holdings.lock(connection)
    portfolio_id = portfolios.find_or_create_portfolio(connection, name)["id"]
    if not holdings.is_kept_by_transactions(connection, portfolio_id) and _has_lots(
        connection, portfolio_id
    ):
        raise UsageError(
            f"the holdings of {name} come from statements, and transactions would count them twice:"
            " use another name, or remove it with `riskmetrics portfolio remove`"
        )
    return str(portfolio_id)


def find_portfolio(connection: sa.Connection, name: str) -> str | None:
    """Return the id of the portfolio of a name if it is kept by transactions, else None."""
    portfolio = tables.portfolios
    query = (
        sa.select(portfolio.c.id)
        .where(is_live_portfolio(name))
        .where(sa.exists().where(_TABLE.c.portfolio_id == portfolio.c.id))
    )
    found = connection.scalar(query)
    return None if found is None else str(found)


def _has_lots(connection: sa.Connection, portfolio_id: object) -> bool:
    lots = tables.positions
    is_of_portfolio = lots.c.portfolio_id == portfolio_id
    return has_rows(connection, lots, is_of_portfolio, lots.c.deleted_at.is_(None))


def read_transactions(connection: sa.Connection, portfolio_id: object) -> list[Transaction]:
    """Return the transactions of a portfolio in the order of time."""
    query = (
        sa.select(_TABLE)
        .where(_TABLE.c.portfolio_id == portfolio_id)
        .order_by(_TABLE.c.day, _TABLE.c.ordinal, _TABLE.c.reference)
    )
    return [from_row(row) for row in connection.execute(query).mappings()]


def from_row(row: sa.RowMapping) -> Transaction:
    """Return the transaction of a stored row."""
    values = {name: row[name] for name in VALUES}
    values["kind"] = Kind(row["kind"])
    values["ratio"] = Fraction(row["ratio"]) if row["ratio"] else None
    # an unknown kind counts as an id: it is compared by reference only, as it was before
    is_id = row["has_id"] is not False
    return Transaction(**values, reference=row["reference"], has_broker_id=is_id, line=row["line"])


class LotChanges(NamedTuple):
    """Number of lots that an import of transactions changed."""

    added: int
    removed: int
    changed: int
    """Lots whose exit changed, such as those that were sold."""


def replace_lots(
    connection: sa.Connection, portfolio_id: str, lots: Iterable[DatedLot], last_day: date
) -> LotChanges:
    """Set the lots of a portfolio to those that its transactions leave.

    A stored lot of the same quantity and entry keeps its row. A lot that is no longer among them is
    marked as deleted: its past results remain. A transferred lot gets the close of its session, or
    of the session before, if it is stored.
    """
    lots = list(lots)
    closes = _read_transfer_closes(connection, lots)
    new = [_lot_row(lot, closes) for lot in lots]
    table = tables.positions
    query = sa.select(table).where(
        table.c.portfolio_id == portfolio_id, table.c.deleted_at.is_(None)
    )
    stored = [dict(row) for row in connection.execute(query.order_by(table.c.id)).mappings()]
    stored, new, _ = holdings.pair_rows(stored, new, (*_ENTRY_COLUMNS, *_EXIT_COLUMNS))
    stored, new, pairs = holdings.pair_rows(stored, new, _ENTRY_COLUMNS)
    for old, row in pairs:
        exits = {name: row[name] for name in _EXIT_COLUMNS}
        connection.execute(sa.update(table).where(table.c.id == old["id"]).values(exits | _TOUCHED))
    if stored:
        is_removed = table.c.id == any_of((old["id"] for old in stored), sa.Uuid)
        removed = sa.update(table).where(is_removed)
        connection.execute(removed.values({"deleted_at": sa.func.now()} | _TOUCHED))
    if new:
        rows = [row | {"portfolio_id": portfolio_id} for row in new]
        connection.execute(sa.insert(table), rows)
    # the cash follows from the transactions, whatever a statement without holdings stated before
    holdings.record_statement(connection, portfolio_id, last_day, None, keeps_equity=False)
    return LotChanges(len(new), len(stored), len(pairs))


_ENTRY_COLUMNS = (
    *("symbol", "position_type", "quantity", "entry_price", "entry_date", "underlying_symbol"),
    *("strike_price", "expiration_date", "investment_class"),
)
_EXIT_COLUMNS = ("exit_price", "exit_date")
_TOUCHED = {"updated_at": sa.func.now()}


def _lot_row(lot: DatedLot, closes: Mapping[tuple[str, date], Decimal]) -> dict[str, Any]:
    """Return a row of `positions`; a transfer is at the close of its day, if it is known."""
    option = parse_option(lot.symbol)
    side = "S" if lot.quantity < 0 else "L"
    exit_price = lot.exit_price
    if exit_price is None and lot.exit_date is not None:
        exit_price = closes.get((lot.symbol, lot.exit_date))
    return {
        "symbol": lot.symbol,
        "position_type": side + option.right if option else {"S": "SHORT", "L": "LONG"}[side],
        "quantity": lot.quantity,
        "entry_price": (
            closes.get((lot.symbol, lot.entry_date)) if lot.entry_price is None else lot.entry_price
        ),
        "entry_date": lot.entry_date,
        "exit_price": exit_price,
        "exit_date": lot.exit_date,
        "underlying_symbol": option.underlying if option else None,
        "strike_price": option.strike.quantize(PRICE_UNIT) if option else None,
        "expiration_date": option.expiration if option else None,
        "investment_class": "OPTIONS" if option else "PUBLIC",
    }


def _read_transfer_closes(
    connection: sa.Connection, lots: Iterable[DatedLot]
) -> dict[tuple[str, date], Decimal]:
    """Return the closes of the days on which lots were transferred, by symbol and day."""
    transfers: defaultdict[date, set[str]] = defaultdict(set)
    for lot in lots:
        if lot.entry_price is None:
            transfers[lot.entry_date].add(lot.symbol)
        if lot.exit_date is not None and lot.exit_price is None:
            transfers[lot.exit_date].add(lot.symbol)
    return {
        (symbol, day): close
        for day, symbols in transfers.items()
        for symbol, close in holdings.read_session_closes(connection, symbols, day).items()
    }


class PriceRange(NamedTuple):
    """Stored prices of a session; the close alone if low and high are not stored."""

    low: float
    high: float
    close: float


def read_price_ranges(
    connection: sa.Connection, trades: Iterable[tuple[str, date]]
) -> dict[tuple[str, date], PriceRange]:
    """Return the stored prices of symbols on their sessions, by symbol and session."""
    trades = set(trades)
    if not trades:
        return {}
    table = adjusted_prices(connection)
    low, high = (sa.func.coalesce(table.c[name], table.c.close) for name in ("low", "high"))
    query = sa.select(table.c.symbol, table.c.date, low, high, table.c.close).where(
        table.c.symbol == any_of({symbol for symbol, _ in trades}),
        table.c.date == any_of((day for _, day in trades), sa.Date),
    )
    return {
        (symbol, day): PriceRange(*map(float, prices))
        for symbol, day, *prices in connection.execute(query)
        if (symbol, day) in trades
    }


def read_closes_around(
    connection: sa.Connection, splits: Iterable[tuple[str, date]]
) -> dict[tuple[str, date], list[tuple[date, float]]]:
    """Return the closes of symbols within SPLIT_DAYS of the stated day of a split, by both."""
    stated = sorted(set(splits))
    if not stated:
        return {}
    table = adjusted_prices(connection)
    split = values_table("split", {"symbol": sa.String, "day": sa.Date}, stated)
    is_near = sa.and_(
        table.c.symbol == split.c.symbol,
        table.c.date.between(split.c.day - SPLIT_DAYS, split.c.day + SPLIT_DAYS),
    )
    query = (
        sa.select(split.c.symbol, split.c.day, table.c.date, table.c.close)
        .select_from(split.join(table, is_near))
        .order_by(table.c.date)
    )
    found: dict[tuple[str, date], list[tuple[date, float]]] = {key: [] for key in stated}
    for symbol, day, one, close in connection.execute(query):
        found[symbol, day].append((one, float(close)))
    return found


def read_cash_flows(connection: sa.Connection, shard: Shard | None = None) -> pd.DataFrame:
    """Return sums of the cash flows of the portfolios that are kept by transactions.

    Of a shard, or of the whole book.

    Columns portfolio_id, day, kind, symbol (None: several or none) and amount in USD, by portfolio
    and day. The symbol, the latest one of its security, is kept for dividends only.
    """
    portfolio = tables.portfolios
    symbol = sa.case((_TABLE.c.kind == Kind.DIVIDEND.value, _TABLE.c.symbol)).label("symbol")
    kind = _TABLE.c.kind
    query = (
        sa.select(
            _TABLE.c.portfolio_id,
            _TABLE.c.day,
            kind,
            symbol,
            sa.func.sum(_TABLE.c.amount).label("amount"),
        )
        .join(portfolio, portfolio.c.id == _TABLE.c.portfolio_id)
        .where(portfolio.c.deleted_at.is_(None), has_portfolio(shard))
        .group_by(_TABLE.c.portfolio_id, _TABLE.c.day, kind, symbol)
        .order_by(_TABLE.c.portfolio_id, _TABLE.c.day, kind, symbol)
    )
    return rename_flows(connection, fetch_frame(connection, query))
