"""Read stored results of portfolios as frames, for commands, the report and the checks.

The pipeline computes from inputs, never from stored results.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import select_of_portfolios
from riskmetrics.metrics.minimums import INSUFFICIENT_EQUITY, SHARE_TOLERANCE

_PORTFOLIOS = tables.portfolios
_LIVE = _PORTFOLIOS.c.deleted_at.is_(None)
_SNAPSHOTS = tables.portfolio_snapshots


def sample_market_betas(
    connection: sa.Connection, days: Sequence[date], count: int
) -> pd.DataFrame:
    """Return a random sample of the complete market betas of ``days``, selected by hashed ids.

    A beta is complete if none of its statistics is NULL.
    """
    table, position = tables.position_market_betas, tables.positions
    statistics = table.c.beta, table.c.alpha, table.c.r_squared, table.c.std_error, table.c.p_value
    parameters = table.c.market_index, table.c.calc_date
    statement = (
        sa.select(position.c.symbol, *parameters, *statistics, table.c.observations)
        .select_from(table)
        .join(position, position.c.id == table.c.position_id)
        .where(table.c.calc_date.in_(days), *(column.is_not(None) for column in statistics))
        .order_by(sa.func.md5(sa.cast(table.c.id, sa.Text)))
        .limit(count)
    )
    return fetch_frame(connection, statement)


def find_extreme_betas(
    connection: sa.Connection, days: Sequence[date], limit: float
) -> pd.DataFrame:
    """Return the betas of ``days`` with absolute value above ``limit``, largest first.

    Each symbol and day appears once: columns symbol, calc_date and beta.
    """
    table, position = tables.position_market_betas, tables.positions
    statement = (
        sa.select(position.c.symbol, table.c.calc_date, table.c.beta)
        .distinct()
        .join(position, position.c.id == table.c.position_id)
        .where(table.c.calc_date.in_(days), sa.func.abs(table.c.beta) > limit)
        .subquery()
    )
    return fetch_frame(
        connection,
        sa.select(statement).order_by(sa.func.abs(statement.c.beta).desc(), *statement.c),
    )


def count_betas(connection: sa.Connection, days: Sequence[date]) -> int:
    """Return the number of market betas of ``days`` that are not NULL."""
    table = tables.position_market_betas
    n_betas: int = connection.execute(
        sa.select(sa.func.count(table.c.beta)).where(table.c.calc_date.in_(days))
    ).scalar_one()
    return n_betas


def sum_sector_weights(connection: sa.Connection, days: Sequence[date]) -> pd.DataFrame:
    """Return the sum of the gross sector weights of each portfolio on each of ``days``."""
    table = tables.portfolio_sector_weights
    total = sa.func.sum(table.c.gross_weight, type_=sa.Double).label("total")
    return fetch_frame(
        connection,
        sa.select(table.c.portfolio_id, table.c.day, total)
        .where(table.c.day.in_(days))
        .group_by(table.c.portfolio_id, table.c.day),
    )


def find_low_coverage(
    connection: sa.Connection, metric: str, days: Sequence[date], minimum: float
) -> pd.DataFrame:
    """Return the lowest coverage among ``days`` of each portfolio that is below a minimum.

    Columns portfolio, day, coverage, n_covered, n_total; lowest first. Removed portfolios are left
    out.
    """
    table = tables.portfolio_coverage
    columns = (table.c[name] for name in ("day", "coverage", "n_covered", "n_total"))
    worst = (
        select_of_portfolios(table, *columns)
        .where(table.c.metric == metric, table.c.day.in_(days), _LIVE)
        .where(table.c.coverage < minimum - SHARE_TOLERANCE)
        .ext(postgresql.distinct_on(table.c.portfolio_id))
        .order_by(table.c.portfolio_id, table.c.coverage, table.c.day)
        .subquery()
    )
    return fetch_frame(connection, sa.select(worst).order_by(worst.c.coverage, worst.c.portfolio))


def find_unvalued_portfolios(connection: sa.Connection, days: Sequence[date]) -> pd.DataFrame:
    """Return each portfolio that could not be valued on one of ``days``, on the first such day.

    Columns portfolio, day, reason. Removed portfolios are left out.
    """
    table = tables.undefined_metrics
    first = (
        select_of_portfolios(table, table.c.day, table.c.reason)
        .where(table.c.metric == "portfolio_snapshots.total_value", table.c.day.in_(days), _LIVE)
        .ext(postgresql.distinct_on(table.c.portfolio_id))
        .order_by(table.c.portfolio_id, table.c.day)
        .subquery()
    )
    return fetch_frame(connection, sa.select(first).order_by(first.c.portfolio))


def find_small_equity(
    connection: sa.Connection, days: Sequence[date], minimum: float
) -> pd.DataFrame:
    """Return portfolios with equity below a share of their gross exposure, on their worst day.

    Columns portfolio, day, total_value, gross_exposure; lowest share first. Removed portfolios are
    left out.
    """
    table = _SNAPSHOTS
    share = (table.c.total_value / table.c.gross_exposure).label("share")
    day = table.c.snapshot_date.label("day")
    reasons = tables.undefined_metrics
    is_undefined = sa.exists().where(  # delta exposures of options may exceed their values
        reasons.c.portfolio_id == table.c.portfolio_id,
        reasons.c.day == table.c.snapshot_date,
        reasons.c.metric == "portfolio_snapshots.expected_volatility_21d",
        reasons.c.reason.startswith(INSUFFICIENT_EQUITY.partition("{")[0]),
    )
    worst = (
        select_of_portfolios(table, day, table.c.total_value, table.c.gross_exposure, share)
        .where(table.c.snapshot_date.in_(days), table.c.gross_exposure > 0, _LIVE)
        .where(
            sa.or_(
                table.c.total_value < (minimum - SHARE_TOLERANCE) * table.c.gross_exposure,
                is_undefined,
            )
        )
        .ext(postgresql.distinct_on(table.c.portfolio_id))
        .order_by(table.c.portfolio_id, share, day)
        .subquery()
    )
    shown = (worst.c[name] for name in ("portfolio", "day", "total_value", "gross_exposure"))
    return fetch_frame(connection, sa.select(*shown).order_by(worst.c.share, worst.c.portfolio))


def read_snapshots(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the snapshots of a day with all columns, by the portfolio's name."""
    columns = (column for column in _SNAPSHOTS.c if column.name != "id")
    statement = (
        select_of_portfolios(_SNAPSHOTS, *columns)
        .where(_SNAPSHOTS.c.snapshot_date == day)
        .order_by(_PORTFOLIOS.c.name)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def read_undefined_metrics(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the undefined metrics of a day, with reasons."""
    table, position = tables.undefined_metrics, tables.positions
    statement = (
        select_of_portfolios(
            table,
            sa.func.coalesce(position.c.symbol, "(portfolio)").label("subject"),
            *(table.c[name] for name in ("metric", "reason", "n_obs")),
        )
        .outerjoin(position, position.c.id == table.c.subject)
        .where(table.c.day == day)
    )
    order = _PORTFOLIOS.c.name, table.c.metric, position.c.symbol, table.c.subject
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio).order_by(*order))


def read_rejected_rows(connection: sa.Connection, kind: str | None, count: int) -> pd.DataFrame:
    """Return the rows of files and vendors that were rejected last, the newest first.

    Columns rejected_at, kind, source, line (Int64, NA: the source has no lines), reason, raw_row.
    """
    table = tables.rejected_rows
    rejected_at = sa.func.date_trunc("second", table.c.rejected_at).label("rejected_at")
    names = ("kind", "source", "line", "reason", "raw_row")
    statement = sa.select(rejected_at, *(table.c[name] for name in names))
    if kind is not None:
        statement = statement.where(table.c.kind == kind)
    order = table.c.rejected_at.desc(), table.c.source, table.c.line, table.c.digest
    return fetch_frame(connection, statement.order_by(*order).limit(count))


def read_rejected_kinds(connection: sa.Connection) -> list[str]:
    """Return the kinds of the rejected rows, such as prices, in order."""
    column = tables.rejected_rows.c.kind
    return list(connection.scalars(sa.select(column).distinct().order_by(column)))


def read_latest_day(connection: sa.Connection) -> date | None:
    """Return the last day with a snapshot, or None."""
    day: date | None = connection.scalar(sa.select(sa.func.max(_SNAPSHOTS.c.snapshot_date)))
    return day


def read_sessions(connection: sa.Connection, portfolio: str | None = None) -> list[date]:
    """Return the days with a snapshot of a portfolio, or of any that is not deleted, in order."""
    statement = (
        sa.select(_SNAPSHOTS.c.snapshot_date)
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == _SNAPSHOTS.c.portfolio_id)
        .distinct()
        .order_by(_SNAPSHOTS.c.snapshot_date)
    )
    return list(connection.scalars(filter_by_portfolio(statement, portfolio)))


def filter_by_portfolio(statement: "sa.Select[Any]", portfolio: str | None) -> "sa.Select[Any]":
    """Restrict a query to the portfolio of a name, or to all portfolios that are not deleted."""
    statement = statement.where(_LIVE)
    return statement if portfolio is None else statement.where(_PORTFOLIOS.c.name == portfolio)


def select_undefined_reason(
    metric: str, subject: "sa.ColumnElement[Any]", day: "date | sa.ColumnElement[Any]"
) -> "sa.Label[Any]":
    """Return a column `undefined_reason`: the stored reason why a metric of a subject is NULL.

    The subject is the id of a position or of a portfolio.
    """
    reasons = tables.undefined_metrics.alias()
    reason = sa.select(reasons.c.reason).where(
        reasons.c.metric == metric, reasons.c.subject == subject, reasons.c.day == day
    )
    return reason.scalar_subquery().label("undefined_reason")
