"""Read stored volatilities of portfolios and positions, with their forecasts.

undefined_reason of a row refers to its expected volatility; reasons of other NULLs are in
`result_queries.read_undefined_metrics`.
"""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.position_queries import HOLDING_COLUMNS, read_positions
from riskmetrics.db.result_queries import filter_by_portfolio, select_undefined_reason
from riskmetrics.db.sql_expressions import IS_LISTED, UNDERLYING_SYMBOL, select_of_portfolios

_PORTFOLIOS, _FORECASTS = tables.portfolios, tables.volatility_forecasts


def read_portfolio_volatility(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return portfolio volatilities of a day with band and caveats of the forecast, by name."""
    table = tables.portfolio_snapshots
    subject = sa.cast(table.c.portfolio_id, sa.String)
    statement = (
        select_of_portfolios(
            table,
            *(table.c[f"realized_volatility_{window}"] for window in ("21d", "63d")),
            table.c.expected_volatility_21d,
            _FORECASTS.c.low,
            _FORECASTS.c.high,
            table.c.volatility_trend,
            _FORECASTS.c.rise_probability,
            table.c.volatility_percentile,
            _FORECASTS.c.observations,
            _FORECASTS.c.thin_coverage_sessions,
            *_caveat_columns(),
            select_undefined_reason(
                "portfolio_snapshots.expected_volatility_21d", table.c.portfolio_id, day
            ),
        )
        .outerjoin(
            _FORECASTS,
            sa.and_(_FORECASTS.c.subject == subject, _FORECASTS.c.day == table.c.snapshot_date),
        )
        .where(table.c.snapshot_date == day)
    )
    return fetch_frame(
        connection, filter_by_portfolio(statement, portfolio).order_by(_PORTFOLIOS.c.name)
    )


def read_position_volatility(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return position volatilities of a day with band and caveats of the forecast, lots netted.

    Ordered by portfolio and symbol. An option has the caveats of its underlying, and no band.
    """
    table = tables.position_volatility
    has_forecast = sa.or_(IS_LISTED, table.c.expected_vol_21d.is_not(None))
    columns = (
        *HOLDING_COLUMNS,
        *(table.c[f"realized_vol_{window}"] for window in ("21d", "63d")),
        *(table.c[f"vol_{lag}"] for lag in ("daily", "weekly", "monthly")),
        table.c.expected_vol_21d,
        *(sa.case((IS_LISTED, _FORECASTS.c[name])).label(name) for name in ("low", "high")),
        table.c.vol_trend,
        table.c.vol_trend_strength,
        _FORECASTS.c.rise_probability,
        table.c.vol_percentile,
        table.c.model_r_squared,
        table.c.observations,
        *_caveat_columns(),
        select_undefined_reason("position_volatility.expected_vol_21d", table.c.position_id, day),
    )
    forecast = sa.and_(
        _FORECASTS.c.subject == UNDERLYING_SYMBOL, _FORECASTS.c.day == day, has_forecast
    )
    joined = [(_FORECASTS, forecast)]
    return read_positions(connection, table, day, portfolio, columns, joined=joined)


def _caveat_columns() -> tuple["sa.ColumnElement[object]", ...]:
    """Return the columns of a forecast's caveats, proxy, model version and alternatives."""
    flags = ("in_sample", "clipped", "short_history", "daily_lag_imputed")
    others = ("root_variance_forecast", "trailing_21d", "ewma_94", "ewma_97")
    return tuple(_FORECASTS.c[name] for name in (*flags, "proxy", "coefficients_version", *others))
