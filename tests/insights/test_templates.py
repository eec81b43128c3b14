"""Seeded prompts: their examples match the verifier, and they list the whole vocabulary."""

from collections.abc import Iterator
from random import Random

import pytest
import sqlalchemy as sa

from riskmetrics.db import insight_store as stored
from riskmetrics.db import migrate
from riskmetrics.db.engine import create_engine
from riskmetrics.insights import lexicon, verify
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.templates import Template, build_prompt, verifier_rules
from tests.insights.fact_sheets import sheet
from tests.insights.test_verify import changed

_FIRST = "4e8a90d2c7b6"
"""The revision before the second version."""

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
    assert {template.version for template in templates} == {"v2"}
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
def before(empty_database: str) -> Iterator[sa.Engine]:
    """A database with the first version of the templates."""
    engine = create_engine(empty_database)
    migrate.upgrade(engine, _FIRST)
    yield engine
    engine.dispose()


def active(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {
            row["insight_type"]: row["version"] for row in stored.read_active_templates(connection)
        }


def test_the_second_version_replaces_the_first_but_no_user_template(
    before: sa.Engine,
) -> None:
    """Users have an active template of their own, one named like version 2, and an edited one."""
    copied = (
        "name, system_prompt, investigation_prompt || ' Be brief.', active FROM"
        " ai_insight_templates"
    )
    with before.begin() as connection:
        for kind, version in (("custom", "mine"), ("daily_summary", "v2")):
            target = (
                "ai_insight_templates (insight_type, version, name, system_prompt,"
                " investigation_prompt, active)"
            )
            connection.exec_driver_sql(
                f"UPDATE ai_insight_templates SET active = false WHERE insight_type = '{kind}'"
            )
            connection.exec_driver_sql(
                f"INSERT INTO {target} SELECT insight_type, '{version}', {copied} WHERE"
                f" insight_type = '{kind}'"
            )
        stored.activate_template(connection, "custom", "mine")
        stored.activate_template(connection, "daily_summary", "v1")
        connection.exec_driver_sql(
            "UPDATE ai_insight_templates SET system_prompt = 'Mine.' WHERE insight_type ="
            " 'hedge_quality'"
        )
    first = active(before)
    with before.connect() as connection:
        kept = {row["id"]: row for row in stored.read_templates(connection)}
    migrate.upgrade(before)
    new = dict.fromkeys(first, "v2") | {
        "custom": "mine",
        "daily_summary": "v2-riskmetrics",
        "hedge_quality": "v1",
    }
    assert active(before) == new
    with before.connect() as connection:
        rows = {row["id"]: row for row in stored.read_templates(connection)}
    same = {"system_prompt", "investigation_prompt", "version", "created_at"}
    assert all(
        {name: rows[key][name] for name in same} == {name: row[name] for name in same}
        for key, row in kept.items()
    )
    assert [row for key, row in rows.items() if row["version"] == "mine"] == [
        row for row in kept.values() if row["version"] == "mine"
    ]
    migrate.downgrade(before, _FIRST)
    assert active(before) == first
    with before.connect() as connection:
        assert {row["id"] for row in stored.read_templates(connection)} == set(kept)
