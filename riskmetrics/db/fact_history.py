"""Read what facts compare a session with: earlier results, P&L by position, and the index.

Sums are of exact numbers, and every order is complete, as in `db.fact_queries`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, stored_settings, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.fact_queries import Records, group_records
from riskmetrics.db.sql_expressions import (
    IS_LISTED,
    SIGNED_QUANTITY,
    equal_columns,
    is_open,
    values_table,
)
from riskmetrics.panels import MAX_STALE_SESSIONS

HISTORY_SESSIONS = 252
"""Sessions before a session that its facts compare it with."""

MAX_YEAR_SESSIONS = 254
"""Most sessions of a calendar year, as in 1992 and 1996."""

MAX_WEEK_SESSIONS = 7
"""Sessions of a week at most, in which it is looked for when a test began to fail."""

MAX_CONTRIBUTORS = 3
"""Largest winners, and losers, of a session."""

SNAPSHOT_COLUMNS = (
    *("daily_pnl", "income", "daily_return", "total_value", "gross_exposure"),
    "beta_calculated_90d",
    *("realized_volatility_21d", "expected_volatility_21d", "volatility_percentile"),
    *("top_3_concentration", "hhi", "num_positions"),
)
"""Columns of snapshots whose history is read."""

_SNAPSHOTS, _DRAWDOWNS = tables.portfolio_snapshots, tables.STATISTIC_TABLES["portfolio_drawdowns"]
_SHARES = tables.portfolio_risk_contributions
_SECTORS = tables.portfolio_sector_weights
_POSITIONS = tables.positions
_CHECKS = tables.portfolio_limit_checks


def read_snapshot_history(
    connection: sa.Connection,
    days: Sequence[date],
    portfolios: Collection[UUID],
    n_before: int = HISTORY_SESSIONS,
) -> dict[str, pd.DataFrame]:
    """Return past figures by portfolio: sessions to the last of ``days`` x `SNAPSHOT_COLUMNS`.

    The first session is ``n_before`` sessions before the first of ``days``.

    `current_drawdown` and `has_weights`, whether weights of symbols are stored, are columns more.
    Sessions without results are missing values.
    """
    sessions = trading_calendar.sessions_with_lookback(days, n_before)
    weights = sa.select(sa.literal(1)).where(
        _SHARES.c.portfolio_id == _SNAPSHOTS.c.portfolio_id,
        _SHARES.c.day == _SNAPSHOTS.c.snapshot_date,
        _SHARES.c.weight.is_not(None),
    )
    statement = (
        sa.select(
            _SNAPSHOTS.c.portfolio_id,
            _SNAPSHOTS.c.snapshot_date.label("day"),
            *(_SNAPSHOTS.c[name] for name in SNAPSHOT_COLUMNS),
            _DRAWDOWNS.c.current_drawdown,
            sa.exists(weights).label("has_weights"),
        )
        .outerjoin(
            _DRAWDOWNS,
            sa.and_(
                _DRAWDOWNS.c.portfolio_id == _SNAPSHOTS.c.portfolio_id,
                _DRAWDOWNS.c.day == _SNAPSHOTS.c.snapshot_date,
            ),
        )
        .where(
            _SNAPSHOTS.c.portfolio_id.in_(portfolios),
            _SNAPSHOTS.c.snapshot_date.between(sessions[0], sessions[-1]),
        )
        .order_by(_SNAPSHOTS.c.portfolio_id, _SNAPSHOTS.c.snapshot_date)
    )
    rows = fetch_frame(connection, statement)
    columns = [*SNAPSHOT_COLUMNS, "current_drawdown", "has_weights"]
    index = pd.DatetimeIndex(sessions)
    return {
        str(portfolio): group.set_index("day")[columns].astype(float).reindex(index)
        for portfolio, group in rows.groupby("portfolio_id", sort=False)
    }


def read_entity_history(
    connection: sa.Connection,
    days: Sequence[date],
    portfolios: Collection[UUID],
    limits: Mapping[str, float],
) -> dict[str, dict[tuple[str, str], dict[date, float]]]:
    """Return signed values of what was at or beyond its lowest limit on one of the sessions.

    The sessions are those of the history of ``days``. Funds have no limit, and are left out.

    Parameters
    ----------
    limits : mapping
        Lowest limit of weight and of gross (of a sector).

    Returns
    -------
    dict
        portfolio_id to (kind, name) to values by session; kind is a key of ``limits``.
    """
    first = trading_calendar.sessions_with_lookback(days, HISTORY_SESSIONS)[0]
    profile = tables.company_profiles
    funds = sa.select(profile.c.symbol).where(sa.or_(profile.c.is_etf, profile.c.is_fund))
    found: dict[str, dict[tuple[str, str], dict[date, float]]] = {}
    for kind, table, column, key in (
        ("weight", _SHARES, _SHARES.c.weight, "symbol"),
        ("gross", _SECTORS, _SECTORS.c.gross_weight, "sector"),
    ):
        size, name = sa.func.abs(column), table.c[key]
        is_limited = name.not_in(funds) if kind == "weight" else sa.true()
        beyond = (
            sa.select(table.c.portfolio_id, name)
            .where(table.c.portfolio_id.in_(portfolios))
            .where(table.c.day.between(first, days[-1]), size >= limits[kind], is_limited)
            .distinct()
            .subquery()
        )
        is_same = equal_columns(table, beyond, "portfolio_id", key)
        statement = (
            sa.select(table.c.portfolio_id, name.label("name"), table.c.day, column.label("value"))
            .join(beyond, is_same)
            .where(table.c.day.between(first, days[-1]), column.is_not(None))
            .order_by(table.c.portfolio_id, name, table.c.day)
        )
        rows = fetch_frame(connection, statement)
        for portfolio, name_, day, value in rows.itertuples(index=False):
            by_entity = found.setdefault(portfolio, {})
            by_entity.setdefault((kind, name_), {})[day.date()] = float(value)
    return found


def read_contributions(
    connection: sa.Connection,
    days: Sequence[date],
    portfolios: Collection[UUID],
    windows: Collection[int],
    count: int = MAX_CONTRIBUTORS,
) -> Records:
    """Return the largest winners and losers over the sessions of each window, with all sums.

    P&L is the quantity held at both closes times the change of the close: of stocks without trades,
    splits and distributions. Whether that is all of the stored P&L is for the caller to check.

    Parameters
    ----------
    windows : collection of int
        Numbers of sessions; `n_sessions` of a row is one of them.
    count : int, optional
        Winners, and losers, at most.
    """
    by_symbol = _price_changes(days, portfolios, windows)
    group = by_symbol.c.portfolio_id, by_symbol.c.day, by_symbol.c.n_sessions
    pnl, symbol = by_symbol.c.pnl, by_symbol.c.symbol

    def rank(order: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.row_number().over(partition_by=group, order_by=(order, symbol))

    def total(condition: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[Any], ...]:
        sums = sa.func.sum(pnl).filter(condition), sa.func.count().filter(condition)
        return tuple(each.over(partition_by=group) for each in sums)

    def of_side(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.sum(column).over(partition_by=group)

    (gains, n_winners), (losses, n_losers) = total(pnl > 0), total(pnl < 0)
    ranked = sa.select(
        *group,
        symbol,
        pnl,
        rank(pnl).label("loss_rank"),
        rank(pnl.desc()).label("gain_rank"),
        gains.label("winners_pnl"),
        n_winners.label("n_winners"),
        losses.label("losers_pnl"),
        n_losers.label("n_losers"),
        of_side(by_symbol.c.long_pnl).label("long_pnl"),
        of_side(by_symbol.c.short_pnl).label("short_pnl"),
    ).subquery()
    is_large = sa.or_(
        sa.and_(ranked.c.pnl < 0, ranked.c.loss_rank <= count),
        sa.and_(ranked.c.pnl > 0, ranked.c.gain_rank <= count),
    )
    order = ranked.c.portfolio_id, ranked.c.day, ranked.c.n_sessions, ranked.c.loss_rank
    return group_records(connection, sa.select(ranked).where(is_large).order_by(*order))


def _price_changes(
    days: Sequence[date], portfolios: Collection[UUID], windows: Collection[int]
) -> sa.Subquery:
    """Return the P&L of the lots held from the start to the end of each window, by symbol."""
    sessions = trading_calendar.sessions_with_lookback(days, max(windows) + MAX_STALE_SESSIONS)
    place = {session: index for index, session in enumerate(sessions)}
    starts = [
        (
            day,
            size,
            sessions[place[day] - size],
            sessions[place[day] - MAX_STALE_SESSIONS],
            sessions[place[day] - size - MAX_STALE_SESSIONS],
        )
        for day in days
        for size in windows
    ]
    dates = dict.fromkeys(("previous", "oldest", "previous_oldest"), sa.Date)
    pairs = values_table("sessions", {"day": sa.Date, "n_sessions": sa.Integer, **dates}, starts)
    held = is_open(pairs.c.day, pairs.c.previous)  # at the closes of both

    def last_close(day: sa.ColumnElement[Any], oldest: sa.ColumnElement[Any]) -> sa.FromClause:
        """Return the close of a day, or of a session before it, as values use it."""
        close = tables.market_data_cache
        is_usable = sa.and_(
            close.c.symbol == _POSITIONS.c.symbol, close.c.date.between(oldest, day)
        )
        latest = sa.select(close.c.close).where(is_usable).order_by(close.c.date.desc()).limit(1)
        return latest.correlate(_POSITIONS, pairs).lateral()

    price = last_close(pairs.c.day, pairs.c.oldest)
    earlier = last_close(pairs.c.previous, pairs.c.previous_oldest)
    change = SIGNED_QUANTITY * (price.c.close - earlier.c.close)
    key = _POSITIONS.c.portfolio_id, pairs.c.day, pairs.c.n_sessions, _POSITIONS.c.symbol
    return (
        sa.select(
            *key,
            sa.func.sum(change).label("pnl"),
            sa.func.sum(change).filter(SIGNED_QUANTITY > 0).label("long_pnl"),
            sa.func.sum(change).filter(SIGNED_QUANTITY < 0).label("short_pnl"),
        )
        .join(pairs, held)
        .join(price, sa.true())
        .join(earlier, sa.true())
        .where(
            _POSITIONS.c.portfolio_id.in_(portfolios), _POSITIONS.c.deleted_at.is_(None), IS_LISTED
        )
        .group_by(*key)
        .subquery()
    )


def read_limit_checks(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> Records:
    """Return the checked limits, each with its status the session before as `status_before`."""
    earlier = _CHECKS.alias()
    pairs = pair_with_sessions_before(days)
    is_same = equal_columns(earlier, _CHECKS, "portfolio_id", "limit_name")
    statement = (
        sa.select(
            *(_CHECKS.c[name] for name in ("portfolio_id", "day", "limit_name", "limit_value")),
            *(_CHECKS.c[name] for name in ("value", "subject", "status")),
            earlier.c.status.label("status_before"),
        )
        .join(pairs, pairs.c.day == _CHECKS.c.day)
        .outerjoin(earlier, is_same & (earlier.c.day == pairs.c.previous))
        .where(_CHECKS.c.portfolio_id.in_(portfolios))
        .order_by(_CHECKS.c.portfolio_id, _CHECKS.c.day, _CHECKS.c.limit_name)
    )
    return group_records(connection, statement)


def read_check_history(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> dict[str, dict[str, dict[date, tuple[str, float, bool, float]]]]:
    """Return the checks with a value of limits that users set, up to the last of ``days``.

    Returns
    -------
    dict
        portfolio_id to name of the limit to session to subject (empty for the portfolio), value
        over limit, whether the limit is exceeded, and value.
    """
    first = trading_calendar.sessions_with_lookback(days, HISTORY_SESSIONS)[0]
    statement = (
        sa.select(
            *(_CHECKS.c[name] for name in ("portfolio_id", "limit_name", "day")),
            sa.func.coalesce(_CHECKS.c.subject, "").label("subject"),
            (sa.cast(_CHECKS.c.value, sa.Double) / sa.cast(_CHECKS.c.limit_value, sa.Double)).label(
                "ratio"
            ),
            (_CHECKS.c.status == "exceeded").label("is_exceeded"),
            _CHECKS.c.value,
        )
        .where(_CHECKS.c.portfolio_id.in_(portfolios), _CHECKS.c.value.is_not(None))
        .where(_CHECKS.c.day.between(first, days[-1]))
        .order_by(_CHECKS.c.portfolio_id, _CHECKS.c.limit_name, _CHECKS.c.day)
    )
    found: dict[str, dict[str, dict[date, tuple[str, float, bool, float]]]] = {}
    for row in connection.execute(statement):
        by_name = found.setdefault(str(row.portfolio_id), {})
        check = row.subject, float(row.ratio), bool(row.is_exceeded), float(row.value)
        by_name.setdefault(row.limit_name, {})[row.day] = check
    return found


def read_test_history(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID], level: float
) -> dict[str, dict[date, float]]:
    """Return p-values of the test of the value at risk by portfolio_id and session.

    They are those of the sessions from a week before the first of ``days`` to the last one.
    """
    table = tables.portfolio_var_backtests
    first = trading_calendar.sessions_with_lookback(days, MAX_WEEK_SESSIONS + 1)[0]
    statement = (
        sa.select(table.c.portfolio_id, table.c.day, table.c.p_value)
        .where(table.c.portfolio_id.in_(portfolios), table.c.day.between(first, days[-1]))
        .where(table.c.level == level, table.c.p_value.is_not(None))
        .order_by(table.c.portfolio_id, table.c.day)
    )
    found: dict[str, dict[date, float]] = {}
    for portfolio, day, p_value in connection.execute(statement):
        found.setdefault(str(portfolio), {})[day] = float(p_value)
    return found


def read_market_closes(
    connection: sa.Connection, days: Sequence[date], n_before: int
) -> "pd.Series[float]":
    """Return adjusted closes of the market index, from n_before + 1 sessions before ``days`` on."""
    index = stored_settings.read_market_index(connection)
    sessions = trading_calendar.sessions_with_lookback(days, n_before + 1)
    closes = input_queries.read_adjusted_closes(connection, [index], sessions)
    if index not in closes:
        return pd.Series(np.nan, index=pd.DatetimeIndex(sessions))
    return closes[index].reindex(pd.DatetimeIndex(sessions)).astype(float)


def pair_with_sessions_before(days: Sequence[date]) -> sa.Values:
    """Return the table of sessions, each with the previous one."""
    pairs = [(day, trading_calendar.previous_session(day)) for day in days]
    return values_table("sessions", {"day": sa.Date, "previous": sa.Date}, pairs)
