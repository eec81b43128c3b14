"""SQL expressions that several queries share: signed quantities, underlyings, listed positions."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from riskmetrics.db import tables

PORTFOLIO_NAME = tables.portfolios.c.name.label("portfolio")

LIVE_LOTS = tables.positions.join(
    tables.portfolios,
    sa.and_(
        tables.portfolios.c.id == tables.positions.c.portfolio_id,
        tables.portfolios.c.deleted_at.is_(None),
        tables.positions.c.deleted_at.is_(None),
    ),
)
"""Positions that are not deleted, joined to portfolios that are not deleted."""

SHORT_TYPES = ("SHORT", "SC", "SP")
"""Position types with negative quantity: stock short, short call, short put."""

SIGNED_QUANTITY = sa.case(
    (tables.positions.c.position_type.in_(SHORT_TYPES), -sa.func.abs(tables.positions.c.quantity)),
    else_=tables.positions.c.quantity,
).label("quantity")
"""Quantity of a lot, negative if it is short, regardless of the stored sign."""

_IS_OPTION = tables.positions.c.position_type.not_in(["LONG", "SHORT"])

IS_LISTED = sa.and_(
    ~_IS_OPTION, sa.func.coalesce(tables.positions.c.investment_class, "PUBLIC") != "PRIVATE"
)
"""Condition that a position is neither an option nor a private holding."""

UNDERLYING_SYMBOL = sa.case(
    (IS_LISTED, tables.positions.c.symbol),
    (_IS_OPTION, sa.func.coalesce(tables.positions.c.underlying_symbol, tables.positions.c.symbol)),
)
"""Symbol of the price that a position depends on (`results.lots.underlying`); NULL if private."""

CLOSE_ONLY_SUFFIX = ": close only"
"""Suffix of the data_source of prices without adjusted closes, where adj_close is the close."""


def is_open(
    first: "date | sa.ColumnElement[Any]", last: "date | sa.ColumnElement[Any] | None" = None
) -> sa.ColumnElement[bool]:
    """Return whether a lot is held at the close of a day from ``first`` to ``last``, its default.

    A lot is no longer held on its exit date.
    """
    position = tables.positions
    return sa.and_(
        position.c.entry_date <= (first if last is None else last),
        sa.or_(position.c.exit_date.is_(None), position.c.exit_date > first),
    )


def is_live_portfolio(name: str) -> sa.ColumnElement[bool]:
    """Return whether a portfolio has a name and is not deleted."""
    portfolio = tables.portfolios
    return sa.and_(portfolio.c.name == name, portfolio.c.deleted_at.is_(None))


def select_of_portfolios(table: sa.FromClause, *columns: Any) -> "sa.Select[Any]":
    """Select the portfolio's name, as `portfolio`, and columns of a table with portfolio_id."""
    is_same = tables.portfolios.c.id == table.c.portfolio_id
    return sa.select(PORTFOLIO_NAME, *columns).select_from(table).join(tables.portfolios, is_same)


def any_of(
    values: Iterable[object], kind: "type[sa.types.TypeEngine[Any]]" = sa.Text
) -> sa.ColumnElement[Any]:
    """Return the expression that a column equals if it is one of ``values``.

    An array is one parameter; IN would exceed the limit of 65,535 parameters.
    """
    return sa.any_(sa.cast(list(values), sa.ARRAY(kind)))


def symbol_rows(symbols: Iterable[str]) -> sa.Subquery:
    """Return a table of symbols, one per row, in its column `symbol`."""
    requested = sa.func.unnest(sa.cast(sorted(set(symbols)), sa.ARRAY(sa.Text)))
    return sa.select(requested.label("symbol")).subquery("requested")


def equal_columns(one: sa.FromClause, other: sa.FromClause, *names: str) -> sa.ColumnElement[bool]:
    """Return the condition that the rows of two tables have the same values in some columns."""
    return sa.and_(*(one.c[name] == other.c[name] for name in names))


def values_table(
    name: str,
    columns: "Mapping[str, type[sa.types.TypeEngine[Any]]]",
    rows: Iterable[tuple[Any, ...]],
) -> sa.Values:
    """Return a table of constant rows, by the types of its columns."""
    typed = (sa.column(column, kind) for column, kind in columns.items())
    return sa.values(*typed, name=name).data(list(rows))


def is_by_transactions(portfolio_id: object) -> sa.ColumnElement[bool]:
    """Return whether the lots of a portfolio, an id or a column, follow from its transactions."""
    return sa.exists().where(tables.transactions.c.portfolio_id == portfolio_id)


def is_expired(as_of: date) -> sa.ColumnElement[bool]:
    """Return whether an option expired before a day, and was not closed before the day after."""
    position = tables.positions
    day_after = position.c.expiration_date + 1
    return sa.and_(
        _IS_OPTION,
        position.c.expiration_date < as_of,
        sa.func.coalesce(position.c.exit_date > day_after, sa.true()),
    )


def intrinsic_value(prices: sa.FromClause) -> sa.ColumnElement[Any]:
    """Return the intrinsic value of an option, money per share; NULL without a close.

    The close is the last one of the underlying at or before expiration.
    """
    position = tables.positions
    close = (
        sa.select(prices.c.close)
        .where(prices.c.symbol == UNDERLYING_SYMBOL, prices.c.date <= position.c.expiration_date)
        .order_by(prices.c.date.desc())
        .limit(1)
        .scalar_subquery()
    )
    payoff = sa.case(
        (position.c.position_type.in_(["LC", "SC"]), close - position.c.strike_price),
        else_=position.c.strike_price - close,
    )
    return sa.case((payoff <= 0, sa.literal(0, position.c.strike_price.type)), (payoff > 0, payoff))
