"""Read stored results of a range of sessions as frames, for charts over time."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog.track_records import ForecastKind, compared_method
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio
from riskmetrics.db.sql_expressions import select_of_portfolios
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.transactions.model import EXTERNAL_KINDS

_PORTFOLIOS = tables.portfolios
_SNAPSHOT_COLUMNS = (
    *("total_value", "daily_pnl", "daily_return", "cumulative_pnl"),
    *("realized_volatility_21d", "effective_num_positions"),
)


def read_history(
    connection: sa.Connection, first: date, last: date, portfolio: str | None
) -> pd.DataFrame:
    """Return snapshots with the regression on the market index, by portfolio and day."""
    snapshots = tables.portfolio_snapshots
    fits = tables.STATISTIC_TABLES["portfolio_market_regressions"]
    day = snapshots.c.snapshot_date
    statement = (
        select_of_portfolios(
            snapshots,
            day.label("day"),
            *(sa.cast(snapshots.c[name], sa.Double).label(name) for name in _SNAPSHOT_COLUMNS),
            fits.c.beta,
            fits.c.std_error,
        )
        .outerjoin(
            fits, sa.and_(fits.c.portfolio_id == snapshots.c.portfolio_id, fits.c.day == day)
        )
        .where(day.between(first, last))
        .order_by(_PORTFOLIOS.c.name, day)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def read_daily_returns(
    connection: sa.Connection, first: date, last: date, portfolio: str | None
) -> pd.DataFrame:
    """Return portfolio, portfolio_id, day and daily_return, which is NaN where it is undefined."""
    snapshots = tables.portfolio_snapshots
    day = snapshots.c.snapshot_date
    statement = (
        select_of_portfolios(
            snapshots,
            snapshots.c.portfolio_id,
            day.label("day"),
            sa.cast(snapshots.c.daily_return, sa.Double).label("daily_return"),
        )
        .where(day.between(first, last))
        .order_by(_PORTFOLIOS.c.name, day)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def read_forecast_history(
    connection: sa.Connection, first: date, last: date, portfolio: str | None
) -> pd.DataFrame:
    """Return volatility forecasts of portfolios with what was realized, by portfolio and day.

    `realized` is missing if the 21 sessions were not completed by ``last``.
    """
    forecasts, outcomes = tables.volatility_forecasts, tables.forecast_outcomes
    is_completed = sa.and_(
        outcomes.c.subject == forecasts.c.subject,
        outcomes.c.made_on == forecasts.c.day,
        outcomes.c.completed_on <= last,
        outcomes.c.kind == ForecastKind.VOLATILITY.value,
        outcomes.c.method == compared_method(ForecastKind.VOLATILITY, FORECAST_HORIZON),
        outcomes.c.horizon == FORECAST_HORIZON,
    )
    names = ("day", "volatility_forecast", "low", "high", "in_sample")
    statement = (
        select_of_portfolios(
            forecasts,
            *(forecasts.c[name] for name in names),
            outcomes.c.outcome.label("realized"),
        )
        .outerjoin(outcomes, is_completed)
        .where(forecasts.c.day.between(first, last))
        .order_by(_PORTFOLIOS.c.name, forecasts.c.day)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def read_sector_history(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None
) -> pd.DataFrame:
    """Return net, benchmark and active sector weights on ``days``, by portfolio, day and sector."""
    table = tables.portfolio_sector_weights
    names = ("day", "sector", "net_weight", "benchmark_weight", "active_weight")
    statement = (
        select_of_portfolios(table, *(table.c[name] for name in names))
        .where(table.c.day.in_(days))
        .order_by(_PORTFOLIOS.c.name, table.c.day, table.c.sector)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def read_trades(
    connection: sa.Connection, first: date, last: date, portfolio: str | None
) -> pd.DataFrame:
    """Return the openings and closings of lots after ``first``: portfolio, day, symbol, action."""
    position = tables.positions
    parts = [
        _select_trades(action, when, sa.and_(when > first, when <= last, *conditions))
        for action, when, conditions in (
            ("opened", position.c.entry_date, (~position.c.entry_date_assumed,)),
            ("closed", position.c.exit_date, ()),
        )
    ]
    trades = sa.union_all(*(filter_by_portfolio(part, portfolio) for part in parts)).subquery()
    order = (trades.c[name] for name in ("portfolio", "day", "symbol", "action"))
    return fetch_frame(connection, sa.select(trades).order_by(*order))


def read_cash_flows(
    connection: sa.Connection, first: date, last: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the sums of deposits and withdrawals after ``first``, by portfolio, day and kind.

    Columns portfolio, day, kind and amount, which is negative for a withdrawal. Only portfolios
    that are kept by transactions have some.
    """
    flow = tables.transactions
    amount = sa.cast(sa.func.sum(flow.c.amount), sa.Double).label("amount")
    key = (_PORTFOLIOS.c.name, flow.c.day, flow.c.kind)
    statement = (
        select_of_portfolios(flow, flow.c.day, flow.c.kind, amount)
        .where(flow.c.kind.in_(EXTERNAL_KINDS), flow.c.day > first, flow.c.day <= last)
        .group_by(*key)
        .order_by(*key)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def _select_trades(
    action: str, when: "sa.ColumnElement[Any]", condition: "sa.ColumnElement[bool]"
) -> "sa.Select[Any]":
    position = tables.positions
    return (
        select_of_portfolios(
            position,
            when.label("day"),
            position.c.symbol,
            sa.literal(action, sa.Text).label("action"),
        )
        .distinct()
        .where(position.c.deleted_at.is_(None), condition)
    )
