"""Read stored results of positions as frames with lots netted, by portfolio and symbol."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio
from riskmetrics.db.sql_expressions import PORTFOLIO_NAME, SIGNED_QUANTITY

_PORTFOLIOS, _POSITIONS = tables.portfolios, tables.positions
_INSTRUMENT_COLUMNS = ("symbol", "position_type", "strike_price", "expiration_date")
HOLDING_COLUMNS = (
    PORTFOLIO_NAME,
    *(_POSITIONS.c[name] for name in _INSTRUMENT_COLUMNS),
    SIGNED_QUANTITY,
)
"""Columns that identify portfolio, instrument and quantity of a row."""


def read_positions(
    connection: sa.Connection,
    table: sa.Table,
    day: date,
    portfolio: str | None,
    columns: "Sequence[sa.ColumnElement[Any]]",
    *,
    joined: "Sequence[tuple[sa.Table, sa.ColumnElement[bool]]]" = (),
    order: "Sequence[sa.ColumnElement[Any]]" = (_POSITIONS.c.symbol,),
    additive: Sequence[str] = ("quantity",),
) -> pd.DataFrame:
    """Return columns of a result table of positions on a day, with lots netted.

    Parameters
    ----------
    columns : sequence of columns
        Columns of positions and portfolios, of ``table``, and of ``joined``.
    joined : sequence of tuples
        Tables, each with the condition by which its rows, if any, are joined.
    order : sequence of columns
        Order within a portfolio.
    additive : sequence of str
        Columns to sum over lots, as in `net_lots`.
    """
    statement = (
        sa.select(*columns)
        .select_from(table)
        .join(_POSITIONS, _POSITIONS.c.id == table.c.position_id)
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == _POSITIONS.c.portfolio_id)
        .where(result_tables.day_column(table) == day)
        .order_by(_PORTFOLIOS.c.name, *order, _POSITIONS.c.id)
    )
    for table_of_symbols, is_row in joined:
        statement = statement.outerjoin(table_of_symbols, is_row)
    return net_lots(fetch_frame(connection, filter_by_portfolio(statement, portfolio)), additive)


def net_lots(rows: pd.DataFrame, additive: Sequence[str] = ("quantity",)) -> pd.DataFrame:
    """Net the lots of an instrument that differ only in additive columns.

    Parameters
    ----------
    rows : DataFrame
        One row per lot, with `HOLDING_COLUMNS` among its columns.
    additive : sequence of str
        Columns to sum; missing values are skipped, and the sum is missing if all are missing.

    Returns
    -------
    DataFrame
        Columns of ``rows``, and `lots`, the number of lots, after quantity. Lots with different
        values, such as options with stated prices of their own, are not netted.
    """
    names = [name for name in rows.columns if name not in additive]
    if rows.empty:
        netted = rows.assign(lots=pd.Series(dtype="int64"))
    else:
        groups = rows.groupby(names, dropna=False, sort=False)
        netted = groups[list(additive)].sum(min_count=1).assign(lots=groups.size()).reset_index()
    columns = list(rows.columns)
    columns.insert(columns.index("quantity") + 1, "lots")
    return netted[columns]
