"""Seeded templates: one active per type, whose providers exist, and those of users stay in use."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from riskmetrics.db import insight_store, migrate
from riskmetrics.db.engine import create_engine
from riskmetrics.insights.fact_types import FACT_TYPES, NOTE_PROVIDERS
from riskmetrics.insights.plan import LEADING_TYPE
from riskmetrics.insights.prompts import build_prompt
from riskmetrics.insights.question_fact_types import QUESTIONS
from riskmetrics.insights.request import Request
from riskmetrics.insights.templates import Template
from riskmetrics.settings import DEFAULT_INSIGHT_TYPES
from tests.db.sql_helpers import execute, query
from tests.insights.fact_sheets import build_sheet

FORMER_REVISION = "h4c8e20a97f1"


def test_every_type_has_a_template_of_plans_with_known_providers(
    connection: sa.Connection,
) -> None:
    templates = [Template.from_row(row) for row in insight_store.read_active_templates(connection)]
    assert {each.insight_type for each in templates} == {*DEFAULT_INSIGHT_TYPES, "custom"}
    assert {each.version for each in templates} == {"v3"}
    known = {kind.provider for kind in FACT_TYPES.values()}
    assert {QUESTIONS, *(provider for each in templates for provider in each.providers)} == known
    (leading,) = (each for each in templates if each.insight_type == LEADING_TYPE)
    assert sorted(leading.providers) == list(NOTE_PROVIDERS)  # so that it is evaluated once
    sheet = build_sheet({"total_value": 5.0, "daily_pnl": -1.0})
    for template in templates:
        sent = build_prompt(Request(template, sheet, "Why?"), "m", "aliases")
        assert sheet.portfolio in sent.task or template.insight_type == "custom"


@pytest.fixture
def founding(empty_database: str) -> Iterator[sa.Engine]:
    """Return an engine for a database at the last founding revision, without rows."""
    engine = create_engine(empty_database)
    migrate.upgrade(engine, migrate.LAST_FOUNDING_REVISION)
    yield engine
    engine.dispose()


def test_a_template_in_use_stays_in_use_when_the_templates_are_seeded(founding: sa.Engine) -> None:
    """Of two active templates of another program, the newer one; ours has another version name."""
    execute(
        founding,
        "INSERT INTO ai_insight_templates (insight_type, name, version, system_prompt,"
        " investigation_prompt, created_at) VALUES"
        " ('custom', 'Mine', 'old', 's', 'i', '2025-01-01'),"
        " ('custom', 'Mine', 'v1', 's', 'i', '2025-02-01')",
    )
    migrate.upgrade(founding)
    with founding.connect() as connection:
        active = [
            (row["insight_type"], row["name"] == "Mine", row["version"])
            for row in insight_store.read_active_templates(connection)
        ]
        versions = {
            (row["version"], row["active"])
            for row in insight_store.read_templates(connection)
            if row["insight_type"] == "custom"
        }
    types = DEFAULT_INSIGHT_TYPES
    assert sorted(active) == sorted(
        [("custom", True, "v1"), *((name, False, "v3") for name in types)]
    )
    assert versions == {("old", False), ("v1", True), ("v1-riskmetrics", False), ("v3", False)}
    migrate.downgrade(founding, FORMER_REVISION)
    with founding.connect() as connection:
        former = {
            (row["insight_type"], row["name"] == "Mine", row["version"])
            for row in insight_store.read_active_templates(connection)
        }
    assert former == {("custom", True, "v1"), *((name, False, "v1") for name in types)}
    migrate.downgrade(founding, migrate.LAST_FOUNDING_REVISION)
    rows = query(founding, "SELECT DISTINCT name, version FROM ai_insight_templates ORDER BY 2")
    assert rows == [("Mine", "old"), ("Mine", "v1")]
