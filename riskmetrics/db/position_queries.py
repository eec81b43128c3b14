"""Read stored results of positions as frames with lots netted, by portfolio and symbol."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio, select_undefined_reason
from riskmetrics.db.sql_expressions import IS_LISTED, SIGNED_QUANTITY

_portfolios, _position = tables.portfolios, tables.positions
_INSTRUMENT_COLUMNS = ("symbol", "position_type", "strike_price", "expiration_date")
HOLDING_COLUMNS = (
    _portfolios.c.name.label("portfolio"),
    *(_position.c[name] for name in _INSTRUMENT_COLUMNS),
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
    joined: "tuple[sa.Table, sa.ColumnElement[bool]] | None" = None,
    order: "Sequence[sa.ColumnElement[Any]]" = (_position.c.symbol,),
    additive: Sequence[str] = ("quantity",),
) -> pd.DataFrame:
    """Return columns of a result table of positions on a day, with lots netted.

    Parameters
    ----------
    columns : sequence of columns
        Columns of positions and portfolios, of ``table``, and of ``joined``.
    joined : tuple, optional
        A table and the condition by which its rows, if any, are joined.
    order : sequence of columns
        Order within a portfolio.
    additive : sequence of str
        Columns to sum over lots, as in `net_lots`.
    """
    statement = (
        sa.select(*columns)
        .select_from(table)
        .join(_position, _position.c.id == table.c.position_id)
        .join(_portfolios, _portfolios.c.id == _position.c.portfolio_id)
        .where(result_tables.day_column(table) == day)
        .order_by(_portfolios.c.name, *order, _position.c.id)
    )
    if joined is not None:
        statement = statement.outerjoin(*joined)
    return net_lots(fetch_frame(connection, filter_by_portfolio(statement, portfolio)), additive)


def read_market_betas(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return market betas and adjusted betas of positions on a day."""
    table, adjusted = tables.position_market_betas, tables.symbol_adjusted_betas
    names = ("beta", "std_error", "alpha", "r_squared", "p_value", "observations", "market_index")
    columns = (
        _portfolios.c.name.label("portfolio"),
        _position.c.symbol,
        _position.c.position_type,
        SIGNED_QUANTITY,
        *(table.c[name] for name in names),
        *(adjusted.c[name].label(f"adjusted_{name}") for name in ("beta", "std_error")),
    )
    return read_positions(
        connection, table, day, portfolio, columns, joined=_of_symbol(adjusted, day)
    )


def read_position_rate_betas(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return one-factor and two-factor rate betas of positions on a day.

    undefined_reason is the reason if the one-factor beta is NULL.
    """
    table, two_factor = tables.position_interest_rate_betas, tables.symbol_two_factor_betas
    names = ("ir_beta", "std_error", "p_value", "r_squared", "alpha", "observations")
    columns = (
        *HOLDING_COLUMNS,
        *(table.c[name] for name in names),
        two_factor.c.rate_beta.label("two_factor_rate_beta"),
        two_factor.c.rate_std_error.label("two_factor_std_error"),
        table.c.rate_index,
        select_undefined_reason("position_interest_rate_betas.ir_beta", table.c.position_id, day),
    )
    return read_positions(
        connection, table, day, portfolio, columns, joined=_of_symbol(two_factor, day)
    )


def read_option_exposures(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return contract terms, values and sensitivities of options on a day.

    Ordered by portfolio, underlying and expiration.
    """
    table = tables.position_option_exposures
    hidden = {"position_id", "portfolio_id", "day", "linearized", "dagster_run_id", "code_version"}
    names = "symbol", "position_type", "quantity", "strike_price", "expiration_date"
    columns = (
        _portfolios.c.name.label("portfolio"),
        *(SIGNED_QUANTITY if name == "quantity" else _position.c[name] for name in names),
        *(column for column in table.c if column.name not in hidden),
    )
    order = table.c.underlying_symbol, _position.c.expiration_date, _position.c.strike_price
    return read_positions(
        connection, table, day, portfolio, columns, order=order, additive=("quantity", "exposure")
    )


def _of_symbol(table: sa.Table, day: date) -> "tuple[sa.Table, sa.ColumnElement[bool]]":
    """Return a table of symbols and the condition that joins a listed position's row."""
    return table, sa.and_(table.c.symbol == _position.c.symbol, table.c.day == day, IS_LISTED)


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
