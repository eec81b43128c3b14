"""Read what is stored: portfolios, days with prices and results, and sizes of tables."""

from datetime import date
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.row_counts import count_rows

_PORTFOLIOS = tables.portfolios
_SNAPSHOTS = tables.portfolio_snapshots


def read_portfolio_overview(connection: sa.Connection) -> pd.DataFrame:
    """Return the portfolios that are not deleted, with numbers of lots and dates of statements."""
    position = tables.positions
    statement = (
        sa.select(
            _PORTFOLIOS.c.name.label("portfolio"),
            _PORTFOLIOS.c.currency,
            sa.func.count(position.c.id).filter(position.c.exit_date.is_(None)).label("open_lots"),
            sa.func.count(position.c.id)
            .filter(position.c.exit_date.is_not(None))
            .label("closed_lots"),
            _PORTFOLIOS.c.holdings_as_of,
            _PORTFOLIOS.c.equity_balance,
            _PORTFOLIOS.c.equity_as_of,
        )
        .outerjoin(
            position,
            sa.and_(position.c.portfolio_id == _PORTFOLIOS.c.id, position.c.deleted_at.is_(None)),
        )
        .where(_PORTFOLIOS.c.deleted_at.is_(None))
        .group_by(_PORTFOLIOS.c.id)
        .order_by(_PORTFOLIOS.c.name)
    )
    return fetch_frame(connection, statement)


class StoredSessions(NamedTuple):
    """Days with stored prices and results, and sessions with missing or incomplete results.

    A session between the first and last result is missing if it has no result, and incomplete if a
    portfolio has neither a result nor a reason on it. Reasons alone are no result.
    """

    prices_from: date | None
    prices_to: date | None
    results_from: date | None
    results_to: date | None
    sessions_computed: int
    sessions_missing: list[date]
    sessions_incomplete: list[date]
    sessions_behind: int
    """Sessions that ended after the last result."""


def read_stored_sessions(connection: sa.Connection) -> StoredSessions:
    """Return the days with stored prices and results."""
    prices = tables.market_data_cache
    first, last = connection.execute(
        sa.select(sa.func.min(prices.c.date), sa.func.max(prices.c.date))
    ).one()
    reasons = tables.undefined_metrics
    explained_rows = sa.union_all(
        sa.select(
            _SNAPSHOTS.c.snapshot_date.label("day"),
            _SNAPSHOTS.c.portfolio_id,
            sa.true().label("is_result"),
        ),
        sa.select(reasons.c.day, reasons.c.portfolio_id, sa.false()).where(
            reasons.c.metric == "portfolio_snapshots.total_value"
        ),
    ).subquery()
    live = sa.func.count(_PORTFOLIOS.c.id).filter(_PORTFOLIOS.c.deleted_at.is_(None))
    per_day = (
        sa.select(explained_rows.c.day, live)
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == explained_rows.c.portfolio_id)
        .group_by(explained_rows.c.day)
        .having(sa.func.bool_or(explained_rows.c.is_result))
    )
    counts: dict[date, int] = dict(connection.execute(per_day.order_by(explained_rows.c.day)).all())
    days = list(counts)
    n_portfolios: int = connection.execute(sa.select(live).select_from(_PORTFOLIOS)).scalar_one()
    ended = trading_calendar.last_completed_session()
    missing = (
        sorted(set(trading_calendar.sessions_between(days[0], days[-1])) - set(days))
        if days
        else []
    )
    incomplete = [day for day, count in counts.items() if count < n_portfolios]
    return StoredSessions(
        first,
        last,
        days[0] if days else None,
        days[-1] if days else None,
        len(days),
        missing,
        incomplete,
        max(0, len(trading_calendar.sessions_between(days[-1], ended)) - 1) if days else 0,
    )


def read_table_sizes(connection: sa.Connection) -> pd.DataFrame:
    """Return rows and size in kilobytes, including indexes, of each table, largest first."""
    names = list(tables.metadata.tables)
    counts = [count_rows(connection, table) for table in tables.metadata.tables.values()]
    kilobytes = [
        connection.scalar(sa.select(sa.func.pg_total_relation_size(name) / 1024)) for name in names
    ]
    frame = pd.DataFrame({"table": names, "rows": counts, "kilobytes": kilobytes}).astype(
        {"kilobytes": "int64"}
    )
    return frame.sort_values("kilobytes", ascending=False, ignore_index=True)
