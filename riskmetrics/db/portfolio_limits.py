"""Store limits of portfolios, and compare stored figures with them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from riskmetrics.catalog.limits import LIMITED_FIGURES, LimitedFigure, find_limited_figure
from riskmetrics.catalog.registry import find_figure
from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio, select_undefined_reason
from riskmetrics.db.sql_expressions import equal_columns, select_of_portfolios
from riskmetrics.db.write import Provenance, WriteCounts, replace_rows
from riskmetrics.metrics.minimums import SHARE_TOLERANCE

_LIMITS = tables.portfolio_limits
_CHECKS = tables.portfolio_limit_checks
_PORTFOLIOS = tables.portfolios
KEY = ("portfolio_id", "day", "limit_name")
_LIMIT_KEY = ("portfolio_id", "limit_name")
_IN_FORCE = equal_columns(_LIMITS, _CHECKS, *_LIMIT_KEY)
"""Condition that the limit of a check is in force."""


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
    """Remove a limit of a portfolio, and return whether there was one.

    Its checks stay until their sessions are computed again.
    """
    removed = sa.delete(_LIMITS).where(_is_limit(portfolio_id, name))
    return bool(connection.execute(removed).rowcount)


def _is_limit(portfolio_id: "UUID | sa.ColumnElement[UUID]", name: str) -> sa.ColumnElement[bool]:
    return sa.and_(_LIMITS.c.portfolio_id == portfolio_id, _LIMITS.c.limit_name == name)


def read_limits(connection: sa.Connection, portfolio: str | None = None) -> pd.DataFrame:
    """Return the limits in force: portfolio, limit_name and limit_value."""
    statement = select_of_portfolios(_LIMITS, _LIMITS.c.limit_name, _LIMITS.c.limit_value).order_by(
        _PORTFOLIOS.c.name, _LIMITS.c.limit_name
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def check_limits(
    connection: sa.Connection, days: Sequence[date], provenance: Provenance | None
) -> WriteCounts:
    """Compare the stored figures of sessions with the limits in force, and store the outcome.

    Sessions without results of a portfolio have no row, and neither has a limit that was removed.
    """
    scope = _CHECKS.c.day.in_(days)
    names = set(connection.scalars(sa.select(_LIMITS.c.limit_name).distinct()))
    if not names:
        removed = connection.execute(sa.delete(_CHECKS).where(scope)).rowcount
        return WriteCounts(removed=removed)
    frames = [
        fetch_frame(connection, _select_checks(figure, days))
        for figure in LIMITED_FIGURES
        if figure.name in names
    ]
    rows = pd.concat(frames, ignore_index=True)
    return replace_rows(connection, _CHECKS, rows, key=KEY, scope=scope, provenance=provenance)


def preview_checks(
    connection: sa.Connection, day: date, portfolio_id: UUID, name: str
) -> list[dict[str, Any]]:
    """Return what a check of a limit in force would store for a session; nothing is stored."""
    checks = _select_checks(find_limited_figure(name), [day]).subquery()
    statement = select_of_portfolios(checks, checks).where(_PORTFOLIOS.c.id == portfolio_id)
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


class _Comparison(NamedTuple):
    """Expressions on the row of a figure that is compared with a limit."""

    value: sa.ColumnElement[Any]
    problem: sa.ColumnElement[Any]
    """What a value of NULL means."""
    cause: sa.ColumnElement[Any]
    """Stored reason of a NULL in the row."""
    has_data: sa.ColumnElement[bool]
    """Whether the row should have a value."""


def _select_checks(figure: LimitedFigure, days: Sequence[date]) -> "sa.Select[Any]":
    """Return the query of the outcomes of a limit: the largest value of each session counts.

    If it is within the limit, but a row with data has no value, the outcome is undefined: the
    largest value could be that of this row.
    """
    table = tables.metadata.tables[figure.figure_name.partition(".")[0]]
    snapshot = tables.portfolio_snapshots.alias("held")
    key = snapshot.c.portfolio_id, snapshot.c.snapshot_date
    value, problem, cause, has_data = _compare(figure, table)
    is_missing = has_data & value.is_(None)
    n_rows = sa.func.count().filter(has_data).over(partition_by=key)
    n_missing = sa.func.count().filter(is_missing).over(partition_by=key)
    first_cause = sa.func.min(cause).filter(is_missing).over(partition_by=key)
    is_kept = value <= _LIMITS.c.limit_value + SHARE_TOLERANCE
    is_undefined = value.is_(None) | is_kept & (n_missing > 0)
    counted = sa.func.concat(problem, " for ", n_missing, " of ", n_rows, f" {figure.subject}s")
    reason = sa.func.concat_ws(
        ": ",
        sa.case(((n_missing > 0) & (n_rows > 1), counted), else_=problem),
        sa.func.coalesce(first_cause, cause),
    )
    subject = table.c[figure.subject] if figure.subject else sa.cast(sa.null(), sa.String(64))
    row_matches = sa.and_(
        table.c.portfolio_id == snapshot.c.portfolio_id,
        result_tables.day_column(table) == snapshot.c.snapshot_date,
        *(table.c[name] == required for name, required in figure.filters.items()),
    )
    return (
        sa.select(
            snapshot.c.portfolio_id,
            snapshot.c.snapshot_date.label("day"),
            _LIMITS.c.limit_name,
            _LIMITS.c.limit_value,
            sa.case((~is_undefined, value)).label("value"),
            sa.case((~is_undefined, subject)).label("subject"),
            sa.case(
                (is_undefined, "undefined"),
                (is_kept, "kept"),
                else_="exceeded",
            ).label("status"),
            sa.case((is_undefined, reason)).label("undefined_reason"),
        )
        .select_from(snapshot)
        .join(_LIMITS, _is_limit(snapshot.c.portfolio_id, figure.name))
        .outerjoin(table, row_matches)
        .where(snapshot.c.snapshot_date.in_(days))
        .ext(postgresql.distinct_on(*key))
        .order_by(*key, value.desc().nulls_last(), subject)
    )


def _compare(figure: LimitedFigure, table: sa.Table) -> _Comparison:
    """Return the compared value of a row of the figure's table, and why it is undefined."""
    column = table.c[figure.figure_name.partition(".")[2]]
    cause: sa.ColumnElement[Any]
    if "undefined_reason" in table.c:
        cause = table.c.undefined_reason
    else:
        day = result_tables.day_column(table)
        cause = select_undefined_reason(figure.figure_name, table.c.portfolio_id, day)
    value: sa.ColumnElement[Any] = sa.cast(column, sa.Double)
    problem: sa.ColumnElement[Any] = sa.literal(f"{figure.figure_name} is undefined")
    if figure.divisor:
        divisor = sa.cast(table.c[figure.divisor], sa.Double)
        value = sa.case((divisor > 0, value / divisor))
        label = find_figure(f"{table.name}.{figure.divisor}").label.lower()
        problem = sa.case((divisor <= 0, f"{label} is not positive"), else_=problem)
    if figure.is_absolute:
        value = sa.func.abs(value, type_=sa.Double)
    has_data: sa.ColumnElement[bool] = table.c.portfolio_id.is_not(None)
    if figure.coverage:
        has_data = has_data & (sa.func.coalesce(table.c[figure.coverage], 0) > 0)
    return _Comparison(value, problem, cause, has_data)


def first_of_status() -> "sa.ColumnElement[date]":
    """Return a column `since` of checks: the first session of the unbroken run of their status."""
    other, same = _CHECKS.alias("other"), _CHECKS.alias("same")
    last_other = (
        sa.select(sa.func.max(other.c.day))
        .where(equal_columns(other, _CHECKS, *_LIMIT_KEY), other.c.day < _CHECKS.c.day)
        .where(other.c.status != _CHECKS.c.status)
        .correlate(_CHECKS)
        .scalar_subquery()
    )
    since = (
        sa.select(sa.func.min(same.c.day))
        .where(equal_columns(same, _CHECKS, *_LIMIT_KEY), same.c.day <= _CHECKS.c.day)
        .where(same.c.day > sa.func.coalesce(last_other, date.min))
        .correlate(_CHECKS)
        .scalar_subquery()
    )
    return since.label("since")


def read_limit_checks(
    connection: sa.Connection, day: date, portfolio: str | None = None
) -> pd.DataFrame:
    """Return the outcomes of a session, and the first session of the current status.

    Columns portfolio, limit_name, value, limit_value, subject, status, since, limit_set and
    undefined_reason. ``since`` is the first session of the unbroken run of checked sessions with
    the same status. A session that is computed again is checked against the limits in force then,
    so it can be before ``limit_set``, the day on which the limit in force was set.
    """
    names = ("limit_name", "value", "limit_value", "subject", "status")
    statement = (
        select_of_portfolios(
            _CHECKS,
            *(_CHECKS.c[name] for name in names),
            first_of_status(),
            sa.cast(_LIMITS.c.updated_at, sa.Date).label("limit_set"),
            _CHECKS.c.undefined_reason,
        )
        .outerjoin(_LIMITS, _IN_FORCE)
        .where(_CHECKS.c.day == day)
        .order_by(_PORTFOLIOS.c.name, _CHECKS.c.limit_name)
    )
    return fetch_frame(connection, filter_by_portfolio(statement, portfolio))


def lock_unsent_changes(connection: sa.Connection) -> "list[sa.RowMapping]":
    """Lock and return the limits whose status on the newest session differs from the last alert.

    A new limit sends no alert while its value is within the limit. The newest session is that of
    the newest results of any portfolio.
    """
    newest = sa.select(sa.func.max(tables.portfolio_snapshots.c.snapshot_date)).scalar_subquery()
    is_changed = (_CHECKS.c.day == newest) & (_CHECKS.c.status != _LIMITS.c.alerted_status)
    statement = (
        select_of_portfolios(_LIMITS, _CHECKS)
        .join(_CHECKS, _IN_FORCE & is_changed)
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
            .where(_is_limit(change["portfolio_id"], change["limit_name"]))
            .values(alerted_status=change["status"], alerted_at=sa.func.now())
        )
