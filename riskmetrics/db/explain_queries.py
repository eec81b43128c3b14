"""Read the stored rows of one portfolio and day that `riskmetrics explain` recalculates."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from riskmetrics.db import result_tables, tables
from riskmetrics.db.sql_expressions import UNDERLYING_SYMBOL


def read_rows(
    connection: sa.Connection, table: sa.Table, day: date, portfolio: str, symbol: str | None
) -> list[dict[str, Any]]:
    """Return the rows of a result table for a portfolio and its holdings on a day.

    Parameters
    ----------
    table : Table
        A table of `result_tables.list_result_tables`.
    day : date
    portfolio : str
        Id of the portfolio.
    symbol : str, optional
        Only rows of this symbol and of options on it. Without it, forecasts and their scores are
        those of the portfolio itself.

    Returns
    -------
    list of dict
        Values as returned by the driver; rows of positions also have their symbol.
    """
    position = tables.positions
    statement = sa.select(table).where(result_tables.day_column(table) == day)
    if "position_id" in table.c:
        statement = statement.add_columns(position.c.symbol).join(
            position, position.c.id == table.c.position_id
        )
        statement = statement.where(position.c.portfolio_id == portfolio)
        if symbol is not None:
            statement = statement.where(
                sa.or_(position.c.symbol == symbol, sa.literal(symbol) == UNDERLYING_SYMBOL)
            )
        statement = statement.order_by(position.c.symbol, position.c.id)
    elif "subject" in table.c:
        statement = statement.where(table.c.subject == (portfolio if symbol is None else symbol))
    elif "portfolio_id" in table.c:
        statement = statement.where(table.c.portfolio_id == portfolio)
        if symbol is not None:
            statement = statement.where(table.c.symbol == symbol)
        statement = statement.order_by(*table.primary_key)
    else:
        underlyings = sa.select(UNDERLYING_SYMBOL).where(position.c.portfolio_id == portfolio)
        statement = statement.where(
            table.c.symbol == symbol if symbol is not None else table.c.symbol.in_(underlyings)
        ).order_by(table.c.symbol)
    return [dict(row) for row in connection.execute(statement).mappings()]


def read_undefined_reason(
    connection: sa.Connection, metric: str, subject: object, day: date
) -> str | None:
    """Return the stored reason why a value of a founding table is NULL, or None."""
    table = tables.undefined_metrics
    conditions = table.c.metric == metric, table.c.subject == subject, table.c.day == day
    return connection.scalar(sa.select(table.c.reason).where(*conditions))
