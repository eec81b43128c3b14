"""Stored results on what portfolios may lose, as frames for people and the report; next to `result_queries`."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.input_queries import SIGNED_QUANTITY
from riskmetrics.db.result_queries import filter_by_portfolio, net_lots

_portfolios = tables.portfolios
_HIDDEN_COLUMNS = (
    "portfolio_id",
    "position_id",
    "day",
    "linearised",
    "dagster_run_id",
    "code_version",
)


def read_tail_risk(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Value at risk and expected shortfall of a day, by portfolio, horizon, level and method."""
    table = tables.portfolio_tail_risk
    return _read_rows(
        connection, table, day, portfolio, table.c.horizon_days, table.c.level, table.c.method
    )


def read_var_backtests(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """How the historical value at risk held over the year to a day, by portfolio and level."""
    table = tables.portfolio_var_backtests
    return _read_rows(connection, table, day, portfolio, table.c.level)


def read_drawdowns(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Falls from a high over the year to a day, by portfolio."""
    return _read_rows(connection, tables.portfolio_drawdowns, day, portfolio)


def read_risk_contributions(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Parts of the volatility over the year to a day, the largest of each portfolio first."""
    table = tables.portfolio_risk_contributions
    return _read_rows(
        connection, table, day, portfolio, table.c.component.desc().nulls_last(), table.c.symbol
    )


def read_stress_results(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Losses in each scenario on a day, the largest of each portfolio first."""
    table = tables.portfolio_stress
    return _read_rows(
        connection, table, day, portfolio, table.c.loss.desc().nulls_last(), table.c.scenario
    )


def read_option_exposures(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return options of a day with their terms, values and sensitivities, lots netted.

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
