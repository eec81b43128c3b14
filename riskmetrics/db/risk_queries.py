"""Read stored tail risk, drawdowns, stress losses and option exposures as frames."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio, net_lots
from riskmetrics.db.sql_expressions import SIGNED_QUANTITY

_portfolios = tables.portfolios
_HIDDEN_COLUMNS = (
    "portfolio_id",
    "position_id",
    "day",
    "linearized",
    "dagster_run_id",
    "code_version",
)


def read_tail_risk(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return value at risk and expected shortfall of a day.

    Ordered by portfolio, horizon, level and method.
    """
    table = tables.portfolio_tail_risk
    return _read_rows(
        connection, table, day, portfolio, table.c.horizon_days, table.c.level, table.c.method
    )


def read_var_backtests(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return backtests of historical value at risk over the trailing year, by portfolio, level."""
    table = tables.portfolio_var_backtests
    return _read_rows(connection, table, day, portfolio, table.c.level)


def read_drawdowns(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return drawdowns over the trailing year, by portfolio."""
    return _read_rows(connection, tables.portfolio_drawdowns, day, portfolio)


def read_risk_contributions(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return risk contributions over the trailing year, largest first within each portfolio."""
    table = tables.portfolio_risk_contributions
    return _read_rows(
        connection, table, day, portfolio, table.c.component.desc().nulls_last(), table.c.symbol
    )


def read_stress_results(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return stress losses of a day, largest first within each portfolio."""
    table = tables.portfolio_stress
    return _read_rows(
        connection, table, day, portfolio, table.c.loss.desc().nulls_last(), table.c.scenario
    )


def read_option_exposures(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return contract terms, values and sensitivities of options on a day, with lots netted.

    Ordered by portfolio, underlying and expiration.
    """
    table, position = tables.position_option_exposures, tables.positions
    own_columns = [column for column in table.c if column.name not in _HIDDEN_COLUMNS]
    names = "symbol", "position_type", "quantity", "strike_price", "expiration_date"
    terms = [SIGNED_QUANTITY if name == "quantity" else position.c[name] for name in names]
    statement = (
        sa.select(_portfolios.c.name.label("portfolio"), *terms, *own_columns)
        .select_from(table)
        .join(position, position.c.id == table.c.position_id)
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .where(table.c.day == day)
        .order_by(
            _portfolios.c.name,
            table.c.underlying_symbol,
            position.c.expiration_date,
            position.c.strike_price,
            position.c.id,
        )
    )
    return net_lots(
        fetch_frame(connection, filter_by_portfolio(statement, portfolio)), ("quantity", "exposure")
    )


def _read_rows(
    connection: sa.Connection,
    table: sa.Table,
    day: date,
    portfolio: str | None,
    *order: "sa.ColumnElement[object]",
) -> pd.DataFrame:
    columns = [column for column in table.c if column.name not in _HIDDEN_COLUMNS]
    statement = (
        sa.select(_portfolios.c.name.label("portfolio"), *columns)
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .where(table.c.day == day)
        .order_by(_portfolios.c.name, *order)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))
