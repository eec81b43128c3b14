"""Store limits of portfolios, and compare stored figures with them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from riskmetrics.catalog.limits import LIMITED_FIGURES, LimitedFigure, find_limited_figure
from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio
from riskmetrics.db.write import Provenance, WriteCounts, replace_rows

_LIMITS, _CHECKS, _PORTFOLIOS = (
    tables.portfolio_limits,
    tables.portfolio_limit_checks,
    tables.portfolios,
)
KEY = ("portfolio_id", "day", "limit_name")


def set_limit(connection: sa.Connection, portfolio_id: UUID, name: str, value: float) -> None:
    """Set the limit of a portfolio on a figure; it replaces an earlier one."""
    new = {"portfolio_id": portfolio_id, "limit_name": name, "limit_value": value}
    statement = postgresql.insert(_LIMITS).values(new)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_LIMITS.c.portfolio_id, _LIMITS.c.limit_name],
            set_={"limit_value": value, "updated_at": sa.func.now()},
        )
    )


def remove_limit(connection: sa.Connection, portfolio_id: UUID, name: str) -> bool:
    """Remove a limit of a portfolio, and return whether there was one; past checks stay."""
    removed = sa.delete(_LIMITS).where(
        _LIMITS.c.portfolio_id == portfolio_id, _LIMITS.c.limit_name == name
    )
    return bool(connection.execute(removed).rowcount)


def read_limits(connection: sa.Connection, portfolio: str | None = None) -> pd.DataFrame:
    """Return the limits in force: portfolio, limit_name and limit_value."""
    statement = (
        sa.select(
            _PORTFOLIOS.c.name.label("portfolio"), _LIMITS.c.limit_name, _LIMITS.c.limit_value
        )
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == _LIMITS.c.portfolio_id)
        .order_by(_PORTFOLIOS.c.name, _LIMITS.c.limit_name)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def check_limits(
    connection: sa.Connection, days: Sequence[date], provenance: Provenance | None
) -> WriteCounts:
    """Compare the stored figures of sessions with the limits in force, and store the outcome.

    Sessions without results of a portfolio have no row. Earlier outcomes of a limit that was
    removed stay, those of other days too.
    """
    in_force = set(connection.scalars(sa.select(_LIMITS.c.limit_name).distinct()))
    frames = [
        fetch_frame(connection, _select_checks(figure, days))
        for figure in LIMITED_FIGURES
        if figure.name in in_force
    ]
    if not frames:
        return WriteCounts()
    rows = pd.concat(frames, ignore_index=True)
    scope = sa.and_(
        _CHECKS.c.day.in_(days),
        sa.exists().where(
            _LIMITS.c.portfolio_id == _CHECKS.c.portfolio_id,
            _LIMITS.c.limit_name == _CHECKS.c.limit_name,
        ),
    )
    return replace_rows(connection, _CHECKS, rows, key=KEY, scope=scope, provenance=provenance)


def preview_checks(
    connection: sa.Connection, day: date, portfolio: str, name: str
) -> list[dict[str, Any]]:
    """Return what a check of a limit in force would store for a session; nothing is stored."""
    checks = _select_checks(find_limited_figure(name), [day]).subquery()
    statement = (
        sa.select(_PORTFOLIOS.c.name.label("portfolio"), checks)
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == checks.c.portfolio_id)
        .where(_PORTFOLIOS.c.name == portfolio)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def count_statuses(connection: sa.Connection, days: Sequence[date]) -> dict[date, dict[str, int]]:
    """Return the number of checked limits of sessions by status, of sessions with any."""
    statement = (
        sa.select(_CHECKS.c.day, _CHECKS.c.status, sa.func.count())
        .where(_CHECKS.c.day.in_(days))
        .group_by(_CHECKS.c.day, _CHECKS.c.status)
    )
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    for day, status, count in connection.execute(statement):
        counts[day][status] = count
    return counts


def _select_checks(figure: LimitedFigure, days: Sequence[date]) -> "sa.Select[Any]":
    """Return the query of the outcomes of a limit: the largest value of each session counts."""
    table_name, _, column = figure.figure_name.partition(".")
    table, snapshot = tables.metadata.tables[table_name], tables.portfolio_snapshots.alias("held")
    day = result_tables.day_column(table)
    value: sa.ColumnElement[Any] = sa.cast(table.c[column], sa.Double)
    if figure.divisor:
        divisor = sa.cast(table.c[figure.divisor], sa.Double)
        value = sa.case((divisor > 0, value / divisor))
    if figure.is_absolute:
        value = sa.func.abs(value, type_=sa.Double)
    subject = table.c[figure.subject] if figure.subject else sa.cast(sa.null(), sa.String(64))
    row_matches = sa.and_(
        table.c.portfolio_id == snapshot.c.portfolio_id,
        day == snapshot.c.snapshot_date,
        *(table.c[name] == value for name, value in figure.filters.items()),
    )
    reason = sa.literal(f"{figure.figure_name} is undefined")
    return (
        sa.select(
            snapshot.c.portfolio_id,
            snapshot.c.snapshot_date.label("day"),
            _LIMITS.c.limit_name,
            _LIMITS.c.limit_value,
            value.label("value"),
            sa.case((value.is_not(None), subject)).label("subject"),
            sa.case(
                (value.is_(None), "undefined"),
                (value > _LIMITS.c.limit_value, "exceeded"),
                else_="kept",
            ).label("status"),
            sa.case((value.is_(None), reason)).label("undefined_reason"),
        )
        .select_from(snapshot)
        .join(
            _LIMITS,
            sa.and_(
                _LIMITS.c.portfolio_id == snapshot.c.portfolio_id,
                _LIMITS.c.limit_name == figure.name,
            ),
        )
        .outerjoin(table, row_matches)
        .where(snapshot.c.snapshot_date.in_(days))
        .ext(postgresql.distinct_on(snapshot.c.portfolio_id, snapshot.c.snapshot_date))
        .order_by(
            snapshot.c.portfolio_id, snapshot.c.snapshot_date, value.desc().nulls_last(), subject
        )
    )


def read_limit_checks(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the outcomes of a session: value, subject and since when it is as it is.

    Columns portfolio, limit_name, value, limit_value, subject, status, since and undefined_reason.
    ``since`` is the first session of the unbroken run of checked sessions with the same status.
    """
    other, same = _CHECKS.alias("other"), _CHECKS.alias("same")
    last_other = (
        sa.select(sa.func.max(other.c.day))
        .where(_is_same_limit(other), other.c.day < _CHECKS.c.day)
        .where(other.c.status != _CHECKS.c.status)
        .correlate(_CHECKS)
        .scalar_subquery()
    )
    since = (
        sa.select(sa.func.min(same.c.day))
        .where(_is_same_limit(same), same.c.day <= _CHECKS.c.day)
        .where(same.c.day > sa.func.coalesce(last_other, date.min))
        .correlate(_CHECKS)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            _PORTFOLIOS.c.name.label("portfolio"),
            _CHECKS.c.limit_name,
            _CHECKS.c.value,
            _CHECKS.c.limit_value,
            _CHECKS.c.subject,
            _CHECKS.c.status,
            since.label("since"),
            _CHECKS.c.undefined_reason,
        )
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == _CHECKS.c.portfolio_id)
        .where(_CHECKS.c.day == day)
        .order_by(_PORTFOLIOS.c.name, _CHECKS.c.limit_name)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def lock_unsent_changes(connection: sa.Connection) -> "list[sa.RowMapping]":
    """Lock and return the limits whose status on the newest session is not the last one alerted.

    Nothing was alerted of a limit that was kept since it was set. The newest session is that of the
    newest results of any portfolio.
    """
    newest = sa.select(sa.func.max(tables.portfolio_snapshots.c.snapshot_date)).scalar_subquery()
    is_check = sa.and_(
        _CHECKS.c.portfolio_id == _LIMITS.c.portfolio_id,
        _CHECKS.c.limit_name == _LIMITS.c.limit_name,
        _CHECKS.c.day == newest,
        _CHECKS.c.status != _LIMITS.c.alerted_status,
    )
    statement = (
        sa.select(_PORTFOLIOS.c.name.label("portfolio"), _CHECKS)
        .select_from(_LIMITS)
        .join(_CHECKS, is_check)
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == _LIMITS.c.portfolio_id)
        .where(_PORTFOLIOS.c.deleted_at.is_(None))
        .order_by(_PORTFOLIOS.c.name, _CHECKS.c.limit_name)
        .with_for_update(of=_LIMITS)
    )
    return list(connection.execute(statement).mappings())


def mark_alerted(connection: sa.Connection, changes: "Sequence[sa.RowMapping]") -> None:
    """Record that an alert of the status of limits was sent."""
    for change in changes:
        connection.execute(
            sa.update(_LIMITS)
            .where(
                _LIMITS.c.portfolio_id == change["portfolio_id"],
                _LIMITS.c.limit_name == change["limit_name"],
            )
            .values(alerted_status=change["status"], alerted_at=sa.func.now())
        )


def _is_same_limit(other: "sa.FromClause") -> "sa.ColumnElement[bool]":
    return sa.and_(
        other.c.portfolio_id == _CHECKS.c.portfolio_id,
        other.c.limit_name == _CHECKS.c.limit_name,
    )
