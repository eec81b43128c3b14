"""Store insights and prompt templates; an insight is written once per set of facts."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from riskmetrics.db import tables
from riskmetrics.db.copy import copy_in
from riskmetrics.db.result_queries import filter_by_portfolio
from riskmetrics.db.row_counts import count_rows
from riskmetrics.db.sql_expressions import select_of_portfolios
from riskmetrics.db.write import WriteCounts

_INSIGHTS = tables.ai_insights
_TEMPLATES = tables.ai_insight_templates
_PORTFOLIOS = tables.portfolios
IS_ORIGINAL = sa.and_(_INSIGHTS.c.cache_source_id.is_(None), _INSIGHTS.c.day.is_not(None))
"""Condition that an insight was written by riskmetrics and is not copied from the cache."""
IS_UNEXPIRED = sa.or_(_INSIGHTS.c.expires_at.is_(None), _INSIGHTS.c.expires_at > sa.func.now())
_STAGING_TABLE = "incoming_insights"
_ATTEMPT_COLUMNS = ("cost_usd", "token_count_input", "token_count_output", "tool_calls_count")
"""What the attempts of a model took; an unknown cost makes their sum unknown."""


def read_active_templates(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return the active template of every insight type, by type."""
    chosen = sa.select(_TEMPLATES).where(_TEMPLATES.c.active).order_by(_TEMPLATES.c.insight_type)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def read_templates(
    connection: sa.Connection, insight_type: str | None = None, version: str | None = None
) -> list[dict[str, Any]]:
    """Return the templates of a type and version, or of all, newest first within each type."""
    chosen = sa.select(_TEMPLATES).order_by(
        _TEMPLATES.c.insight_type, _TEMPLATES.c.created_at.desc(), _TEMPLATES.c.version.desc()
    )
    for column, value in (
        (_TEMPLATES.c.insight_type, insight_type),
        (_TEMPLATES.c.version, version),
    ):
        chosen = chosen if value is None else chosen.where(sa.cast(column, sa.Text) == value)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def activate_template(connection: sa.Connection, insight_type: str, version: str) -> bool:
    """Activate a template version and deactivate the others of its type; False if not found."""
    found = read_templates(connection, insight_type, version)
    if not found:
        return False
    of_type, now = _TEMPLATES.c.insight_type == insight_type, sa.func.now()
    others = sa.and_(of_type, _TEMPLATES.c.active, _TEMPLATES.c.id != found[0]["id"])
    connection.execute(
        sa.update(_TEMPLATES).where(others).values(active=False, deprecated_at=now, updated_at=now)
    )
    chosen = sa.and_(_TEMPLATES.c.id == found[0]["id"], sa.not_(_TEMPLATES.c.active))
    connection.execute(
        sa.update(_TEMPLATES).where(chosen).values(active=True, deprecated_at=None, updated_at=now)
    )
    return True


def read_cache_keys(connection: sa.Connection, days: Sequence[date]) -> set[tuple[str, str]]:
    """Return cache_key and provider of the unexpired insights of some days, without copies."""
    chosen = sa.select(_INSIGHTS.c.cache_key, _INSIGHTS.c.provider).where(
        _INSIGHTS.c.day.in_(days), IS_ORIGINAL, IS_UNEXPIRED
    )
    return {(key, provider) for key, provider in connection.execute(chosen)}


def store_insights(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> WriteCounts:
    """Insert insights and add them to the usage counts of their templates.

    A stored insight keeps its text, ratings and feedback. If a model failed again, its reason and
    expiry are updated, and the cost and tokens of its attempts are added.
    """
    if not rows:
        return WriteCounts()
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    for name in frame.columns.intersection(
        [column.name for column in _INSIGHTS.c if isinstance(column.type, sa.JSON)]
    ):
        frame[name] = frame[name].map(json.dumps)
    # COPY, because SQLAlchemy takes minutes to compile a statement of so many values.
    copy_in(connection, _INSIGHTS, frame, _STAGING_TABLE)
    names = list(frame.columns)
    incoming = sa.table(
        _STAGING_TABLE, *(sa.column(name, _INSIGHTS.c[name].type) for name in names)
    )
    statement = insert(_INSIGHTS).from_select(names, sa.select(*incoming.c), include_defaults=False)
    new, reason = statement.excluded, "fallback_reason"
    added = {name: _INSIGHTS.c[name] + new[name] for name in _ATTEMPT_COLUMNS if name in names}
    statement = statement.on_conflict_do_update(
        index_elements=["cache_key", "provider"],
        index_where=IS_ORIGINAL,
        set_={
            "data_quality": new.data_quality,
            "expires_at": new.expires_at,
            "updated_at": sa.func.now(),
            **added,
        },
        where=sa.or_(
            _INSIGHTS.c.data_quality[reason]
            .as_string()
            .is_distinct_from(new.data_quality[reason].as_string()),
            _INSIGHTS.c.expires_at <= sa.func.now(),
            *(new[name].is_distinct_from(0) for name in added),
        ),
    )
    template = _INSIGHTS.c.insight_type, _INSIGHTS.c.prompt_version
    written = connection.execute(
        statement.returning(*template, sa.literal_column("ai_insights.xmax = 0", sa.Boolean))
    ).all()
    connection.exec_driver_sql(f"DROP TABLE {_STAGING_TABLE}")
    for (insight_type, version), count in Counter(
        (kind, version) for kind, version, is_new in written if is_new
    ).items():
        is_template = sa.and_(
            _TEMPLATES.c.insight_type == insight_type, _TEMPLATES.c.version == version
        )
        connection.execute(
            sa.update(_TEMPLATES)
            .where(is_template)
            .values(usage_count=_TEMPLATES.c.usage_count + count)
        )
    return WriteCounts(len(written), unchanged=len(rows) - len(written))


def read_latest_insights(
    connection: sa.Connection,
    day: date,
    portfolio: str | None = None,
    *,
    include_all: bool = False,
) -> list[dict[str, Any]]:
    """Return the newest insight of each portfolio and type on a day.

    A type that the newest daily summary lists as silent is omitted: its insight describes facts
    that have been corrected since. With ``include_all``, dismissed insights and the answer to each
    question are included, too.

    Ordered by portfolio name, most severe first; rows have the portfolio's name as `portfolio`.
    """
    order = (
        _INSIGHTS.c.portfolio_id,
        _INSIGHTS.c.insight_type,
        sa.func.coalesce(_INSIGHTS.c.user_question, ""),
    )
    is_shown = (
        sa.true()
        if include_all
        else sa.not_(_INSIGHTS.c.dismissed) & _INSIGHTS.c.user_question.is_(None)
    )
    newest = sa.select(_INSIGHTS).ext(distinct_on(*order)).where(_INSIGHTS.c.day == day, is_shown)
    rows = newest.order_by(*order, _INSIGHTS.c.created_at.desc(), _INSIGHTS.c.id).subquery()
    chosen = filter_by_portfolio(select_of_portfolios(rows, rows), portfolio)
    found = connection.execute(
        chosen.order_by(_PORTFOLIOS.c.name, rows.c.severity.desc(), rows.c.insight_type)
    )
    return _without_silent([dict(row) for row in found.mappings()])


def _without_silent(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    silent = {
        (row["portfolio"], insight_type)
        for row in rows
        if row["insight_type"] == "daily_summary" and row["data_quality"]
        for insight_type in row["data_quality"].get("silent", ())
    }
    return [
        row
        for row in rows
        if row["user_question"] or (row["portfolio"], row["insight_type"]) not in silent
    ]


def sample_insights(
    connection: sa.Connection, days: Sequence[date], count: int
) -> list[dict[str, Any]]:
    """Return a fixed sample of the insights about ``days``, selected by hashes of their ids."""
    chosen = (
        sa.select(_INSIGHTS)
        .where(_INSIGHTS.c.day.in_(days))
        .order_by(sa.func.md5(sa.cast(_INSIGHTS.c.id, sa.Text)))
        .limit(count)
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]


def count_without_insights(connection: sa.Connection, days: Sequence[date]) -> int:
    """Count the portfolios and sessions among ``days`` with a snapshot but no insight."""
    snapshots = tables.portfolio_snapshots
    has_insight = sa.exists().where(
        _INSIGHTS.c.portfolio_id == snapshots.c.portfolio_id,
        _INSIGHTS.c.day == snapshots.c.snapshot_date,
    )
    live = snapshots.join(_PORTFOLIOS, _PORTFOLIOS.c.id == snapshots.c.portfolio_id)
    is_of_days = snapshots.c.snapshot_date.in_(days)
    return count_rows(
        connection, live, is_of_days, _PORTFOLIOS.c.deleted_at.is_(None), ~has_insight
    )


def read_insight(connection: sa.Connection, insight: UUID) -> dict[str, Any] | None:
    """Return an insight by its id, with the portfolio's name, or None."""
    chosen = select_of_portfolios(_INSIGHTS, _INSIGHTS).where(_INSIGHTS.c.id == insight)
    row = connection.execute(chosen).mappings().first()
    return None if row is None else dict(row)


def read_answer(
    connection: sa.Connection, keys: Sequence[tuple[str, str]]
) -> dict[str, Any] | None:
    """Return the newest insight of the first cache key and provider that has one, or None."""
    for cache_key, provider in keys:
        is_answer = _INSIGHTS.c.cache_key == cache_key, _INSIGHTS.c.provider == provider
        chosen = select_of_portfolios(_INSIGHTS, _INSIGHTS).where(*is_answer)
        newest = chosen.order_by(_INSIGHTS.c.created_at.desc(), _INSIGHTS.c.id).limit(1)
        if (row := connection.execute(newest).mappings().first()) is not None:
            return dict(row)
    return None


def set_insight_flags(connection: sa.Connection, insights: Sequence[UUID], **flags: bool) -> int:
    """Set ``viewed`` or ``dismissed`` of insights; return how many of them exist."""
    is_named = _INSIGHTS.c.id.in_(insights)
    differs = sa.or_(*(_INSIGHTS.c[name] != value for name, value in flags.items()))
    connection.execute(
        sa.update(_INSIGHTS).where(is_named, differs).values(**flags, updated_at=sa.func.now())
    )
    return count_rows(connection, _INSIGHTS, is_named)


def rate_insight(
    connection: sa.Connection, insight: UUID, rating: Decimal, feedback: str | None
) -> bool:
    """Store a user's rating of an insight, and update the mean rating of its template.

    Without ``feedback``, stored feedback is kept. Returns False if the insight does not exist.
    """
    row = read_insight(connection, insight)
    if row is None:
        return False
    rating_values = {"user_rating": rating} | (
        {} if feedback is None else {"user_feedback": feedback}
    )
    connection.execute(
        sa.update(_INSIGHTS)
        .where(_INSIGHTS.c.id == insight)
        .values(**rating_values, updated_at=sa.func.now())
    )
    same_template = (
        _INSIGHTS.c.insight_type == row["insight_type"],
        _INSIGHTS.c.prompt_version == row["prompt_version"],
    )
    mean = sa.select(sa.func.avg(_INSIGHTS.c.user_rating)).where(*same_template).scalar_subquery()
    is_template = (
        _TEMPLATES.c.insight_type == row["insight_type"],
        _TEMPLATES.c.version == row["prompt_version"],
    )
    connection.execute(
        sa.update(_TEMPLATES)
        .where(*is_template)
        .values(avg_quality_score=mean, updated_at=sa.func.now())
    )
    return True
