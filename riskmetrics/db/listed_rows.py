"""Read the stored rows of a result table on a session, as its listing in the catalog states."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import Listing, figures_of, listing_of
from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.position_queries import read_positions
from riskmetrics.db.result_queries import filter_by_portfolio, select_undefined_reason
from riskmetrics.db.sql_expressions import (
    IS_LISTED,
    PORTFOLIO_NAME,
    SIGNED_QUANTITY,
    select_of_portfolios,
)
from riskmetrics.db.tables.schema import provenance_columns

_IDENTITY = {"portfolio_id", "day", *(column.name for column in provenance_columns())}


def read_rows(
    table_name: str, connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the listed columns of a result table on a day, with the portfolio's name first.

    The rows are those of a portfolio, or of all that are not deleted, by name and the order of the
    listing. Rows of positions are by instrument, as in `position_queries.net_lots`.
    """
    listing, table = listing_of(table_name), tables.metadata.tables[table_name]
    if "position_id" in table.c:
        return read_positions(
            connection,
            table,
            day,
            portfolio,
            (PORTFOLIO_NAME, *_position_columns(listing, table, day)),
            joined=_joined_tables(listing, day),
            order=[_order_column(name, table, tables.positions) for name in listing.order],
            additive=listing.additive,
        )
    names = listing.columns or [column.name for column in table.c if column.name not in _IDENTITY]
    statement = (
        select_of_portfolios(table, *(table.c[name] for name in names))
        .where(result_tables.day_column(table) == day)
        .order_by(tables.portfolios.c.name, *(_order_column(name, table) for name in listing.order))
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


read_coverage = partial(read_rows, "portfolio_coverage")
read_sector_weights = partial(read_rows, "portfolio_sector_weights")
read_market_betas = partial(read_rows, "position_market_betas")


def _position_columns(
    listing: Listing, table: sa.Table, day: date
) -> "Iterator[sa.ColumnElement[Any]]":
    """Yield the listed columns of a table of positions, and of what is joined to it."""
    position = tables.positions
    for name in listing.columns:
        label, _, figure = name.partition("=")
        if figure:
            joined, _, column = figure.partition(".")
            yield tables.metadata.tables[joined].c[column].label(label)
        elif name == "quantity":
            yield SIGNED_QUANTITY
        elif name in table.c:
            yield table.c[name]
        elif name == "undefined_reason":
            first = next(one for one in figures_of(table.name) if one.column in listing.columns)
            yield select_undefined_reason(first.name, table.c.position_id, day)
        else:
            yield position.c[name]


def _joined_tables(listing: Listing, day: date) -> "list[tuple[sa.Table, sa.ColumnElement[bool]]]":
    """Return the tables of symbols whose rows of a listed position's symbol are joined."""
    found = []
    for name in sorted({figure.partition(".")[0] for figure in listing.joined_figures.values()}):
        table = tables.metadata.tables[name]
        is_row = sa.and_(table.c.symbol == tables.positions.c.symbol, table.c.day == day, IS_LISTED)
        found.append((table, is_row))
    return found


def _order_column(name: str, *sources: sa.Table) -> "sa.ColumnElement[Any]":
    """Return the order by a column of the first table that has it; '-': largest first."""
    plain = name.removeprefix("-")
    column = next(table.c[plain] for table in sources if plain in table.c)
    return column if plain == name else column.desc().nulls_last()
