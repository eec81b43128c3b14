"""Changes of symbols in the transactions of portfolios."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.transactions.model import Kind

_TABLE = tables.transactions
_LAYOUT = "symbols rename"
"""Layout of the changes that no file states, so that no file has to have them."""


def record_symbol_changes(connection: sa.Connection, rename: Callable[[str], str]) -> int:
    """Add a change of symbol after the last transaction of each symbol that ``rename`` changes.

    Files keep the old symbol of earlier transactions, so the lots that a later import builds from
    them need the change. Returns the number of changes.
    """
    last_days: dict[tuple[object, str], date] = {}
    for column in (_TABLE.c.symbol, _TABLE.c.new_symbol):
        query = (
            sa.select(_TABLE.c.portfolio_id, column, sa.func.max(_TABLE.c.day))
            .where(column.is_not(None))
            .group_by(_TABLE.c.portfolio_id, column)
        )
        for portfolio_id, symbol, day in connection.execute(query):
            key = portfolio_id, symbol
            last_days[key] = max(day, last_days.get(key, day))
    rows = [
        _change_row(portfolio_id, symbol, new, day + timedelta(days=1))
        for (portfolio_id, symbol), day in last_days.items()
        if (new := rename(symbol)) != symbol
    ]
    if rows:
        connection.execute(sa.insert(_TABLE), rows)
    return len(rows)


def postpone_symbol_changes(connection: sa.Connection, portfolio_id: str) -> None:
    """Move changes by `symbols rename` behind later transactions with the old symbol.

    A renaming is recorded after the last transaction that is stored, but a file may name the
    security by its old symbol for longer. The order of the changes stays, and one that a file
    states keeps its day.
    """
    own = _TABLE.c.portfolio_id == portfolio_id
    query = sa.select(_TABLE.c.id, _TABLE.c.day, _TABLE.c.symbol, _TABLE.c.new_symbol)
    changes = connection.execute(
        query.where(own, _TABLE.c.layout == _LAYOUT).order_by(_TABLE.c.day, _TABLE.c.reference)
    ).all()
    last_days = dict(
        connection.execute(
            sa.select(_TABLE.c.symbol, sa.func.max(_TABLE.c.day))
            .where(own, _TABLE.c.layout != _LAYOUT, _TABLE.c.symbol.is_not(None))
            .group_by(_TABLE.c.symbol)
        ).all()
    )
    one_day, renamed_on = timedelta(days=1), dict[str, date]()
    for change in changes:
        day = max(change.day, renamed_on.get(change.symbol, date.min) + one_day)
        if change.symbol in last_days:
            day = max(day, last_days[change.symbol] + one_day)
        renamed_on[change.new_symbol] = day
        if day != change.day:
            connection.execute(sa.update(_TABLE).where(_TABLE.c.id == change.id).values(day=day))


def _change_row(portfolio_id: object, symbol: str, new: str, day: date) -> dict[str, object]:
    digest = hashlib.sha256(f"{_LAYOUT}|{symbol}|{new}|{day}".encode()).hexdigest()
    return {
        "portfolio_id": portfolio_id,
        "reference": digest,
        "has_id": True,
        "kind": Kind.SYMBOL_CHANGE.value,
        "day": day,
        "ordinal": 0,
        "symbol": symbol,
        "quantity": 0,
        "amount": 0,
        "fees": 0,
        "new_symbol": new,
        "layout": _LAYOUT,
        "source": "riskmetrics symbols rename",
        "source_digest": digest,
    }


def rename_flows(connection: sa.Connection, flows: pd.DataFrame) -> pd.DataFrame:
    """Give cash flows the latest symbol of their security.

    ``flows`` has the columns portfolio_id, day and symbol. The lots have the latest symbol too, and
    a dividend counts once only if both are the same.
    """
    query = (
        sa.select(_TABLE.c.portfolio_id, _TABLE.c.day, _TABLE.c.symbol, _TABLE.c.new_symbol)
        .where(_TABLE.c.kind == Kind.SYMBOL_CHANGE.value)
        .order_by(_TABLE.c.day, _TABLE.c.ordinal, _TABLE.c.reference)
    )
    changes: defaultdict[str, list[tuple[date, str, str]]] = defaultdict(list)
    for portfolio_id, day, old, new in connection.execute(query):
        changes[str(portfolio_id)].append((day, old, new))
    symbols = flows["symbol"].copy()
    own = flows[symbols.notna() & flows["portfolio_id"].astype(str).isin(list(changes))]
    days = pd.to_datetime(own["day"]).dt.date
    for place, portfolio_id, day, symbol in zip(
        own.index, own["portfolio_id"], days, own["symbol"], strict=True
    ):
        symbols.loc[place] = _latest_symbol(symbol, day, changes[str(portfolio_id)])
    return flows.assign(symbol=symbols)


def _latest_symbol(symbol: str, day: date, changes: Iterable[tuple[date, str, str]]) -> str:
    """Return what a symbol of a day is called after all changes, in the order of time."""
    for change_day, old, new in changes:
        if day <= change_day and symbol == old:
            symbol = new
    return symbol
