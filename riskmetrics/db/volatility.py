"""Stored volatility of portfolios and positions, its forecasts and what became of them; beside `stored`.

A row says why its expected volatility is NULL; why another figure is, `stored.undefined` tells.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch
from riskmetrics.db.read import LISTED, UNDERLYING
from riskmetrics.db.stored import HOLDING, net_lots, of_portfolio, why_undefined

_portfolios, _forecasts = tables.portfolios, tables.volatility_forecasts


def of_portfolios(connection: sa.Connection, day: date, portfolio: str | None = None) -> pd.DataFrame:
    """Volatility of each portfolio's own returns on a day, with the band and the remarks of its forecast, by name."""
    table = tables.portfolio_snapshots
    subject = sa.cast(table.c.portfolio_id, sa.String)
    statement = (
        sa.select(
            _portfolios.c.name.label("portfolio"),
            table.c.realized_volatility_21d,
            table.c.realized_volatility_63d,
            table.c.expected_volatility_21d,
            _forecasts.c.low,
            _forecasts.c.high,
            table.c.volatility_trend,
            _forecasts.c.rise_probability,
            table.c.volatility_percentile,
            _forecasts.c.observations,
            _forecasts.c.thin_sessions,
            *_remarks(),
            why_undefined("portfolio_snapshots.expected_volatility_21d", table.c.portfolio_id, day),
        )
        .select_from(table)
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .outerjoin(_forecasts, sa.and_(_forecasts.c.subject == subject, _forecasts.c.day == table.c.snapshot_date))
        .where(table.c.snapshot_date == day)
    )
    return fetch(connection, of_portfolio(statement, portfolio).order_by(_portfolios.c.name))


def of_positions(connection: sa.Connection, day: date, portfolio: str | None = None) -> pd.DataFrame:
    """Return volatility of a day's positions, with band and remarks of the forecast, lots netted.

    Ordered by portfolio and symbol. An option has the remarks of its underlying's, and no band.
    """
    table, position = tables.position_volatility, tables.positions
    forecast = sa.and_(_forecasts.c.subject == UNDERLYING, _forecasts.c.day == table.c.calculation_date)
    explains = sa.or_(LISTED, table.c.expected_vol_21d.is_not(None))
    statement = (
        sa.select(
            *HOLDING,
            table.c.realized_vol_21d,
            table.c.realized_vol_63d,
            table.c.vol_daily,
            table.c.vol_weekly,
            table.c.vol_monthly,
            table.c.expected_vol_21d,
            *(sa.case((LISTED, _forecasts.c[name])).label(name) for name in ("low", "high")),
            table.c.vol_trend,
            table.c.vol_trend_strength,
            _forecasts.c.rise_probability,
            table.c.vol_percentile,
            table.c.model_r_squared,
            table.c.observations,
            *_remarks(),
            why_undefined("position_volatility.expected_vol_21d", table.c.position_id, day),
        )
        .select_from(table)
        .join(position, position.c.id == table.c.position_id)
        .join(_portfolios, _portfolios.c.id == position.c.portfolio_id)
        .outerjoin(_forecasts, sa.and_(forecast, explains))
        .where(table.c.calculation_date == day)
    )
    order = _portfolios.c.name, position.c.symbol, position.c.id
    return net_lots(fetch(connection, of_portfolio(statement, portfolio).order_by(*order)))


def forecasts(connection: sa.Connection, days: Sequence[date]) -> pd.DataFrame:
    """Volatility forecasts made on ``days``, of every symbol and of every portfolio that is not deleted."""
    return fetch(connection, _live(_forecasts).where(_forecasts.c.day.in_(days)))


def forecast_scores(connection: sa.Connection, last: date | None = None) -> pd.DataFrame:
    """Every forecast that was complete by ``last`` beside what happened; the subject of a portfolio's is its name."""
    table = tables.har_forecast_scores
    subject = sa.func.coalesce(_portfolios.c.name, table.c.subject).label("subject")
    statement = _live(table).with_only_columns(*(column for column in table.c if column.name != "subject"), subject)
    return fetch(connection, statement if last is None else statement.where(table.c.completed_on <= last))


def _remarks() -> tuple["sa.ColumnElement[object]", ...]:
    """What to know of a forecast: also whether the month stood in for a day without a return, and what it was made from."""
    return tuple(_forecasts.c[name] for name in ("in_sample", "clipped", "short_history", "day_replaced", "proxy", "coefficients"))


def _live(table: sa.Table) -> "sa.Select[Any]":
    """Rows of symbols, and of portfolios that are not deleted."""
    return sa.select(table).outerjoin(_portfolios, _portfolios.c.id == table.c.portfolio_id).where(_portfolios.c.deleted_at.is_(None))
