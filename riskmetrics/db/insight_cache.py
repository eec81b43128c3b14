"""Cache insights by a hash of their inputs, so that each one is generated and paid for once."""

from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.insight_store import IS_ORIGINAL, IS_UNEXPIRED

_INSIGHTS = tables.ai_insights
_OWN_COLUMNS = {
    "id",
    "created_at",
    "updated_at",
    "user_rating",
    "user_feedback",
    "viewed",
    "dismissed",
}


def lock_insight(connection: sa.Connection, cache_key: str, provider: str) -> None:
    """Lock the generation of an insight until the end of this transaction."""
    connection.execute(
        sa.select(
            sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{provider} {cache_key}", 0))
        )
    )


def find_cached_insight(connection: sa.Connection, cache_key: str, provider: str) -> UUID | None:
    """Return the id of the unexpired insight with a cache key, or None."""
    same = _INSIGHTS.c.cache_key == cache_key, _INSIGHTS.c.provider == provider
    found: UUID | None = connection.scalar(
        sa.select(_INSIGHTS.c.id).where(*same, IS_ORIGINAL, IS_UNEXPIRED)
    )
    return found


def store_cached_copy(connection: sa.Connection, source: UUID, run_id: str | None) -> None:
    """Store a copy of an insight for another run, at no cost and with the id of its source."""
    zero = sa.literal(0)
    new = {
        "cache_hit": sa.true(),
        "cache_source_id": sa.literal(source),
        "run_id": sa.literal(run_id),
    } | dict.fromkeys(
        (
            "cost_usd",
            "token_count_input",
            "token_count_output",
            "tool_calls_count",
            "generation_time_ms",
        ),
        zero,
    )
    columns = [column for column in _INSIGHTS.c if column.name not in _OWN_COLUMNS]
    values = sa.select(*(new.get(column.name, column) for column in columns)).where(
        _INSIGHTS.c.id == source
    )
    connection.execute(
        sa.insert(_INSIGHTS).from_select([column.name for column in columns], values)
    )
