"""Seeded prompts: their examples match the verifier, and they list the whole vocabulary."""

from collections.abc import Iterator
from random import Random

import pytest
import sqlalchemy as sa
from tests.insights.test_verify import changed

from riskmetrics.db import insight_store as stored
from riskmetrics.db import migrate
from riskmetrics.db.engine import create_engine
from riskmetrics.insights import lexicon, verify
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.templates import Template, build_prompt, verifier_rules
from riskmetrics.settings import DEFAULT_INSIGHT_TYPES
from tests.db.sql_helpers import execute, query
from tests.insights.fact_sheets import sheet

_FIGURES = {
    "beta": 1.25,
    "beta_threshold": 1.2,
    "beta_change": 0.04,
    "daily_pnl": -839.3,
    "pos_01_share": 0.3,
    "short_share": -0.1,
    "past_forecast": 0.3,
    "past_outcome": 0.2,
    "scn_01_result": -0.5,
}


@pytest.fixture
def facts() -> Sheet:
    """Facts for which the examples are true; the first position is the largest."""
    random = Random(7)
    while (found := sheet(random)).facts["pos_01_weight"].rank != 1:
        pass
    return changed(found, **_FIGURES)


def examples(system: str, heading: str) -> list[str]:
    """Return the sentences that a prompt lists under a heading."""
    _, _, listed = system.partition(heading)
    return [
        line.removeprefix("- ")
        for line in listed.split("\n\n")[0].splitlines()
        if line.startswith("- ")
    ]


def test_examples_of_the_prompts_pass_or_fail_the_verifier_as_labeled(
    connection: sa.Connection, facts: Sheet
) -> None:
    templates = [Template.from_row(row) for row in stored.read_active_templates(connection)]
    assert {template.version for template in templates} == {"v1"}
    for template in templates:
        system = build_prompt(template, facts, "m", "aliases", "Why?").system
        right, wrong = examples(system, "Written so"), examples(system, "Refused")
        assert (len(right), len(wrong)) == (10, 9)
        assert {text: verify.text_violations(text, facts) for text in right} == {
            text: [] for text in right
        }
        assert all(verify.text_violations(text, facts) for text in wrong)


def test_the_prompt_lists_the_whole_vocabulary_and_all_length_limits() -> None:
    shown = verifier_rules()
    known = {
        phrase for phrase in lexicon._meanings_by_phrase() if phrase not in lexicon.TYPES_BY_LABEL
    }
    assert known <= {
        phrase
        for words in lexicon.vocabulary().values()
        for each in words
        for phrase in each.phrases
    }
    assert all(phrase in shown for phrase in known)
    assert all(f"{part} {most}" in shown for part, most in verify.MAX_CHARS.items())


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
            for row in stored.read_active_templates(connection)
        ]
        versions = {
            (row["version"], row["active"])
            for row in stored.read_templates(connection)
            if row["insight_type"] == "custom"
        }
    types = DEFAULT_INSIGHT_TYPES
    assert sorted(active) == sorted(
        [("custom", True, "v1"), *((name, False, "v1") for name in types)]
    )
    assert versions == {("old", False), ("v1", True), ("v1-riskmetrics", False)}
    migrate.downgrade(founding, migrate.LAST_FOUNDING_REVISION)
    rows = query(founding, "SELECT DISTINCT name, version FROM ai_insight_templates ORDER BY 2")
    assert rows == [("Mine", "old"), ("Mine", "v1")]
