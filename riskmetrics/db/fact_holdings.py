"""Read holdings that facts name: what was traded, what has no price, and what makes a sector."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.fact_history import pair_with_sessions_before
from riskmetrics.db.fact_queries import Records, group_records
from riskmetrics.db.sql_expressions import (
    IS_LISTED,
    SIGNED_QUANTITY,
    equal_columns,
    is_open,
    values_table,
)
from riskmetrics.panels import MAX_STALE_SESSIONS

MAX_IN_SECTOR = 3
"""Largest holdings of a sector that are read."""

_POSITIONS, _SHARES = tables.positions, tables.portfolio_risk_contributions


def read_changed_holdings(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> Records:
    """Return the symbols whose quantity differs from the session before, with both quantities.

    `weight_before` and `weight_after` are stored weights of the two sessions; missing for options,
    and where `has_options`: options on the symbol are held on either day, and its weights include
    them.
    """
    pairs = pair_with_sessions_before(days)

    def quantity_on(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.func.sum(SIGNED_QUANTITY).filter(is_open(day)), 0)

    moved = sa.or_(
        *(
            sa.and_(when > pairs.c.previous, when <= pairs.c.day)
            for when in (_POSITIONS.c.entry_date, _POSITIONS.c.exit_date)
        )
    )
    touched = (
        sa.select(_POSITIONS.c.portfolio_id, pairs.c.day, pairs.c.previous, _POSITIONS.c.symbol)
        .join(pairs, moved)
        .where(_POSITIONS.c.portfolio_id.in_(portfolios), _POSITIONS.c.deleted_at.is_(None))
        .distinct()
        .subquery()
    )
    before, after = quantity_on(touched.c.previous), quantity_on(touched.c.day)
    is_same = equal_columns(_POSITIONS, touched, "portfolio_id", "symbol")
    group = touched.c.portfolio_id, touched.c.day, touched.c.symbol
    earlier, now = _SHARES.alias(), _SHARES.alias()
    has_options = _has_options(touched)

    def is_weight(weights: sa.FromClause, day: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        is_same_symbol = equal_columns(weights, touched, "portfolio_id", "symbol")
        return sa.and_(is_same_symbol, weights.c.day == day, ~has_options)

    statement = (
        sa.select(
            *(*group, before.label("before"), after.label("after")),
            *(earlier.c.weight.label("weight_before"), now.c.weight.label("weight_after")),
            has_options.label("has_options"),
        )
        .select_from(touched)
        .join(_POSITIONS, is_same & _POSITIONS.c.deleted_at.is_(None))
        .outerjoin(earlier, is_weight(earlier, touched.c.previous))
        .outerjoin(now, is_weight(now, touched.c.day))
        .group_by(*group, touched.c.previous, earlier.c.weight, now.c.weight)
        .having(before != after)
        .order_by(*group)
    )
    return group_records(connection, statement)


def _has_options(touched: sa.Subquery) -> sa.Exists:
    """Return whether options on a symbol are held at the close of either day.

    An option that was not closed is held until the day of its expiration.
    """
    option = _POSITIONS.alias()
    ends = option.c.exit_date, option.c.expiration_date + 1
    return sa.exists().where(
        option.c.portfolio_id == touched.c.portfolio_id,
        option.c.underlying_symbol == touched.c.symbol,
        option.c.deleted_at.is_(None),
        option.c.entry_date <= touched.c.day,
        *(sa.or_(end.is_(None), end > touched.c.previous) for end in ends),
    )


def read_unpriced_holdings(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> Records:
    """Return the symbols held without a price, of the largest last known value first.

    That is the last close however old, or the entry price. Only portfolios are read whose results
    count an instrument without a price; whether these are all of them is for the caller to check.
    """
    sessions = trading_calendar.sessions_with_lookback(days, MAX_STALE_SESSIONS)
    place = {session: index for index, session in enumerate(sessions)}
    pairs = values_table(
        "sessions",
        {"day": sa.Date, "oldest": sa.Date},
        [(day, sessions[place[day] - MAX_STALE_SESSIONS]) for day in days],
    )
    coverage, value = tables.portfolio_coverage, _last_value(pairs)
    group = _POSITIONS.c.portfolio_id, pairs.c.day, _POSITIONS.c.symbol
    statement = (
        sa.select(
            *(*group, value.label("last_value")),
            (sa.func.sum(SIGNED_QUANTITY) > 0).label("is_long"),
        )
        .select_from(_POSITIONS)
        .join(pairs, is_open(pairs.c.day))
        .join(
            coverage,
            sa.and_(
                coverage.c.portfolio_id == _POSITIONS.c.portfolio_id,
                coverage.c.day == pairs.c.day,
                coverage.c.metric == "prices",
                coverage.c.n_covered < coverage.c.n_total,
            ),
        )
        .where(
            _POSITIONS.c.portfolio_id.in_(portfolios),
            _POSITIONS.c.deleted_at.is_(None),
            ~_has_price(pairs),
        )
        .group_by(*group)
        .having(sa.func.sum(SIGNED_QUANTITY) != 0)
        .order_by(*group[:2], value.desc().nulls_last(), group[2])
    )
    return group_records(connection, statement)


_CLOSE = tables.market_data_cache
_IS_CLOSE = sa.and_(_CLOSE.c.symbol == _POSITIONS.c.symbol, _CLOSE.c.close.is_not(None))


def _has_price(pairs: sa.Values) -> sa.ColumnElement[bool]:
    """Return whether a lot has a close that is not too old, or a stated price, as it is valued."""
    has_close = sa.exists().where(_IS_CLOSE, _CLOSE.c.date.between(pairs.c.oldest, pairs.c.day))
    has_value = sa.and_(
        _POSITIONS.c.investment_class == "PRIVATE",
        _POSITIONS.c.market_value.is_not(None),
        _POSITIONS.c.quantity != 0,
    )
    has_last = _POSITIONS.c.last_price.is_not(None)
    is_stated = sa.or_(has_last, sa.func.coalesce(has_value, sa.false()))
    return sa.case((IS_LISTED, has_close), else_=is_stated)


def _last_value(pairs: sa.Values) -> sa.ColumnElement[Any]:
    """Return the size of the value of lots at their last closes, or at their entry prices."""
    last = sa.select(_CLOSE.c.close).where(_IS_CLOSE, _CLOSE.c.date <= pairs.c.day)
    price = last.order_by(_CLOSE.c.date.desc()).limit(1).scalar_subquery()
    paid = sa.func.coalesce(price, _POSITIONS.c.entry_price)
    return sa.func.abs(sa.func.sum(SIGNED_QUANTITY * paid))


def read_sector_holdings(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> Records:
    """Return the largest holdings of each sector by its present name, without funds.

    Each row has the number of holdings in the sector, and the sum of their absolute weights.
    """
    profile = tables.company_profiles
    group, size = (
        (_SHARES.c.portfolio_id, _SHARES.c.day, profile.c.sector),
        sa.func.abs(_SHARES.c.weight),
    )
    is_fund = sa.func.coalesce(sa.or_(profile.c.is_etf, profile.c.is_fund), sa.false())
    order = size.desc(), _SHARES.c.symbol

    ranked = (
        sa.select(
            *group,
            _SHARES.c.symbol,
            (_SHARES.c.weight > 0).label("is_long"),
            sa.func.row_number().over(partition_by=group, order_by=order).label("rank"),
            sa.func.count().over(partition_by=group).label("n_holdings"),
            sa.func.sum(size, type_=sa.Double)
            .over(partition_by=group, order_by=order, rows=(None, None))
            .label("size"),
        )
        .join(profile, profile.c.symbol == _SHARES.c.symbol)
        .where(
            _SHARES.c.day.in_(days),
            _SHARES.c.portfolio_id.in_(portfolios),
            *(_SHARES.c.weight.is_not(None), profile.c.sector.is_not(None), ~is_fund),
        )
        .subquery()
    )
    columns = ranked.c
    return group_records(
        connection,
        sa.select(ranked)
        .where(columns.rank <= MAX_IN_SECTOR)
        .order_by(columns.portfolio_id, columns.day, columns.sector, columns.rank),
    )
