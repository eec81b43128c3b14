"""Insights of real runs on the sample: generated, cached, verified, rated, shown; and failures."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from riskmetrics.insights import fact_reading
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.resources import LanguageModel
from tests.commands import invoke
from tests.e2e.conftest import Run

DAY = date(2022, 12, 28)
TYPES = {
    "daily_summary",
    "volatility_analysis",
    "concentration_risk",
    "factor_exposure",
    "stress_test_review",
}
ASSETS = ["ai_insights"]


def stored(url: str, what: str = "SELECT * FROM ai_insights ORDER BY id") -> list[dict[str, Any]]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = connection.execute(sa.text(what))
        rows = [dict(row) for row in found.mappings()] if found.returns_rows else []
    engine.dispose()
    return rows


def call(*arguments: str) -> Any:
    return invoke(*arguments)


def test_sheets_are_the_same_one_at_a_time(
    computed_sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(computed_sample)
    with engine.connect() as connection:
        together = fact_reading.read_sheets(connection, [DAY])
        named = fact_reading.read_sheets(connection, [DAY], "Long-Short")
        monkeypatch.setattr(fact_reading, "_BATCH_SHEETS", 1)
        assert [len(batch) for batch in fact_reading.read_sheet_batches(connection, [DAY])] == [
            1
        ] * 3
        assert fact_reading.read_sheets(connection, [DAY]) == together
    assert named == [sheet for sheet in together if sheet.facts["num_short_positions"].value]
    kept = "SELECT id, summary FROM ai_insights ORDER BY id"
    before = stored(computed_sample, kept)
    assert run([DAY], ASSETS).exit_code == 0
    assert stored(computed_sample, kept) == before
    stored(computed_sample, "DELETE FROM ai_insights")
    assert run([DAY], ASSETS).exit_code == 0
    # one transaction would hold the locks of all batches, of which a server has some thousands
    n_transactions = "SELECT count(DISTINCT xmin::text) AS n FROM ai_insights"
    assert stored(computed_sample, n_transactions) == [{"n": 3}]
    assert sorted(row["summary"] for row in stored(computed_sample, kept)) == sorted(
        row["summary"] for row in before
    )
    engine.dispose()


def test_every_portfolio_gets_its_notes_with_severity_evidence_and_limits(
    computed_sample: str,
) -> None:
    """By hand: largest weights are 59.8 % (Concentrated, above 50 %) and below 10 %.

    The daily summary leads and alarms; the others tell what is left.
    """
    rows = json.loads(call("show", "insights", "--json").stdout)
    found = {(row["portfolio"], row["insight_type"]): row for row in rows}
    names = ("Core Equity", "Concentrated", "Long-Short")
    assert found.keys() >= {(name, "daily_summary") for name in names}
    assert {kind for _, kind in found} <= {*TYPES, "hedge_quality"}
    levels = {name: found[name, "daily_summary"]["severity"] for name in names}
    assert levels == {"Core Equity": "normal", "Concentrated": "critical", "Long-Short": "warning"}
    for row in rows:
        assert (
            row["provider"],
            row["model_used"],
            row["prompt_version"],
            float(row["cost_usd"]),
        ) == ("rules", "rules-v9", "v3", 0)
        assert "not by a language model" in row["data_limitations"]
        assert row["data_quality"]["outcome"] == "planned"
        assert all(finding["evidence"] for finding in row["key_findings"])
        assert "{" not in json.dumps([row["title"], row["summary"], row["full_analysis"]])
    text = found["Concentrated", "daily_summary"]
    stated = " ".join(
        [text["summary"], text["full_analysis"], *(each["text"] for each in text["key_findings"])]
    )
    # every sentence is listed with its evidence, those of the prose by the column that has them
    columns = {finding.get("column", "key_findings") for finding in text["key_findings"]}
    assert columns >= {"summary", "full_analysis"}
    (weight,) = stored(
        computed_sample,
        """SELECT to_char(100 * abs(weight), 'FM990') || '%' AS weight,
            to_char(100 * share, 'FM990') || '%' AS share
        FROM portfolio_risk_contributions c
        JOIN portfolios p ON p.id = c.portfolio_id AND p.name = 'Concentrated'
        WHERE symbol = 'AMD'""",
    )
    assert weight["weight"] in stated
    assert f"{weight['share']} of the volatility" in stated
    assert "AMD 60% of equity (critical from 50%" in stated


def test_a_failing_test_of_the_value_at_risk_is_told_first(computed_sample: str) -> None:
    """24 losses where 12.6 are expected, as the stored backtest of Concentrated has it."""
    rows = json.loads(call("show", "insights", "--portfolio", "Concentrated", "--json").stdout)
    (daily,) = (row for row in rows if row["insight_type"] == "daily_summary")
    (counts,) = stored(
        computed_sample,
        """SELECT exceptions, round(expected_exceptions) AS expected FROM portfolio_var_backtests b
        JOIN portfolios p ON p.id = b.portfolio_id AND p.name = 'Concentrated'
        WHERE level = 0.95""",
    )
    assert daily["summary"].startswith(
        "The historical value at risk, which takes no account of today's volatility, has been too"
        f" low: {counts['exceptions']} larger losses in 252 days, where about"
        f" {counts['expected']:.0f} are expected."
    )


def test_the_report_shows_the_notes_with_their_evidence(
    computed_sample: str, tmp_path: Path
) -> None:
    assert call("report", "--out", str(tmp_path / "page.html")).exit_code == 0
    page = (tmp_path / "page.html").read_text()
    n_notes = stored(computed_sample, "SELECT count(*) AS n FROM ai_insights")[0]["n"]
    assert page.count('<details class="insight"') == n_notes
    assert "losses beyond the VaR 24" in page


def test_running_again_keeps_every_insight_with_its_ratings(computed_sample: str, run: Run) -> None:
    insight = str(stored(computed_sample)[0]["id"])
    assert call("ai", "rate", insight, "4.5", "--feedback", "to the point").exit_code == 0
    before = stored(
        computed_sample, "SELECT *, ctid::text, xmin::text FROM ai_insights ORDER BY id"
    )
    assert run([DAY], ASSETS).exit_code == 0
    assert (
        stored(computed_sample, "SELECT *, ctid::text, xmin::text FROM ai_insights ORDER BY id")
        == before
    )


def test_corrected_data_make_a_new_insight_and_the_old_one_stays(
    computed_sample: str, run: Run
) -> None:
    before = {row["id"]: row for row in stored(computed_sample)}
    stored(computed_sample, "UPDATE positions SET quantity = quantity / 2 WHERE symbol = 'AMD'")
    assert run([DAY]).exit_code == 0
    after = {row["id"]: row for row in stored(computed_sample)}
    assert before.items() <= after.items()
    new = [row for key, row in after.items() if key not in before]
    assert {row["insight_type"] for row in new} >= {"daily_summary", "concentration_risk"}
    shown = json.loads(call("show", "insights", "--portfolio", "Concentrated", "--json").stdout)
    # an earlier note of a type that now has nothing to tell is not shown: its facts are outdated
    assert {row["id"] for row in shown} <= {str(row["id"]) for row in new}
    assert "daily_summary" in {row["insight_type"] for row in shown}


def test_a_range_writes_the_insights_of_each_of_its_sessions(sample: str, run: Run) -> None:
    days = [date(2022, 12, 27), DAY]
    assert run(days).exit_code == 0
    rows = stored(
        sample,
        "SELECT day, count(*) AS n, bool_or(context_data::text LIKE '%beta_change%') AS changes"
        " FROM ai_insights WHERE insight_type = 'daily_summary' GROUP BY day ORDER BY day",
    )
    assert rows == [
        {"day": day, "n": 3, "changes": changes}
        for day, changes in zip(days, (False, True), strict=True)
    ]
    notes = stored(
        sample,
        """SELECT i.day, severity, full_analysis FROM ai_insights i
        JOIN portfolios p ON p.id = i.portfolio_id AND p.name = 'Concentrated'
        WHERE insight_type = 'daily_summary' ORDER BY i.day""",
    )
    # a level is listed since it is known, then named each week; it is in force throughout
    assert [each["severity"] for each in notes] == ["critical", "critical"]
    first, second = (each["full_analysis"] for each in notes)
    assert "Alerts in force: AMD 60% of equity (critical from 50%)" in first
    assert "in force" not in second


def test_a_failure_of_insights_fails_neither_the_run_nor_its_results(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("riskmetrics.insights.fact_reading.read_sheet_batches", broken)
    outcome = run([DAY])
    assert outcome.exit_code == 0
    assert len(stored(sample, "SELECT 1 AS one FROM portfolio_stress")) > 0
    assert stored(sample) == []
    (check,) = [
        of
        for of in outcome.result.get_asset_check_evaluations()
        if of.check_name == "insights_verified"
    ]
    assert not check.passed
    assert "3 portfolio sessions have none" in str(check.description)


def test_a_failure_of_insights_tells_how_many_are_stored_and_where_it_happened(
    computed_sample: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The first portfolio's insights are committed; the failure is in the second batch."""
    read = fact_reading.read_sheet_batches

    def broken(*arguments: Any) -> Iterator[list[Sheet]]:
        first = next(iter(read(*arguments)))
        yield first[:1]
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("riskmetrics.insights.fact_reading.read_sheet_batches", broken)
    stored(computed_sample, "DELETE FROM ai_insights")
    outcome = run([DAY], ASSETS)
    assert outcome.exit_code == 0
    n_stored = len(stored(computed_sample))
    assert n_stored > 0
    logged = capfd.readouterr().err
    assert f"insight generation stopped after {n_stored} rows: by design" in logged
    assert "no insights" not in logged
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        events = [event.user_message for event in instance.all_logs(outcome.run_id)]
    assert any("in broken" in event for event in events)
    assert "in broken" not in logged


def test_a_model_that_fails_leaves_the_sessions_of_the_rules_complete(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last session is written by a model."""

    def broken(*_: object) -> dict[str, int]:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("riskmetrics.assets.insight_generation._generate_with_model", broken)
    monkeypatch.setattr(LanguageModel, "days_with_model", lambda _, days: {*days[-1:]})
    result = run([date(2022, 12, 27), DAY]).result
    failures = {
        event.partition: event.materialization.metadata.get("insights_failed")
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("ai_insights")
    }
    assert {day: failed is not None for day, failed in failures.items()} == {
        "2022-12-27": False,
        "2022-12-28": True,
    }


def test_a_changed_figure_or_text_is_found_by_verifying_again(computed_sample: str) -> None:
    of_concentrated = (
        "insight_type = 'daily_summary' AND portfolio_id = (SELECT id FROM portfolios WHERE name ="
        " 'Concentrated')"
    )
    (row,) = stored(computed_sample, f"SELECT id FROM ai_insights WHERE {of_concentrated}")
    insight = str(row["id"])
    assert call("ai", "verify", insight).exit_code == 0
    stored(
        computed_sample,
        f"UPDATE ai_insights SET summary = replace(summary, '$', '$1') WHERE {of_concentrated}",
    )
    changed = call("ai", "verify", insight, "--json")
    assert changed.exit_code == 3
    assert json.loads(changed.stdout)["violations"] == ["summary does not match the plan"]
    stored(
        computed_sample,
        """UPDATE ai_insights
        SET context_data = replace(context_data::text, '"shown_as": "1.55"', '"shown_as": "2.55"')
            ::json
        WHERE """
        + of_concentrated,
    )
    assert "beta is shown as '2.55'; its value is '1.55'" in call("ai", "verify", insight).stdout


def test_ratings_and_uses_are_counted_to_the_template(computed_sample: str) -> None:
    """The mean of 4.5 and 3.0, by hand."""
    rows = stored(
        computed_sample,
        "SELECT id FROM ai_insights WHERE insight_type = 'daily_summary' ORDER BY id",
    )
    for row, rating in zip(rows, ("4.5", "3.0"), strict=False):
        assert call("ai", "rate", str(row["id"]), rating).exit_code == 0
    found = {
        row["insight_type"]: row
        for row in json.loads(call("ai", "templates", "list", "--json").stdout)
        if row["active"]
    }
    assert (found["daily_summary"]["usage_count"], found["daily_summary"]["avg_quality_score"]) == (
        3,
        3.75,
    )
    assert found["volatility_analysis"]["avg_quality_score"] is None


def test_activating_another_template_version_regenerates_its_insights(
    computed_sample: str,
) -> None:
    stored(
        computed_sample,
        """INSERT INTO ai_insight_templates (insight_type, name, version, system_prompt,
            investigation_prompt, required_tools, active)
        SELECT insight_type, name, 'own', system_prompt, 'Be brief. ' || investigation_prompt,
            required_tools, false
        FROM ai_insight_templates WHERE insight_type = 'daily_summary' AND active""",
    )
    differs = call("ai", "templates", "diff", "daily_summary", "v3", "own").stdout
    assert "+investigation_prompt: Be brief. Plan the" in differs
    assert call("ai", "templates", "activate", "daily_summary", "own").exit_code == 0
    shown = json.loads(call("ai", "templates", "show", "daily_summary").stdout)
    assert (shown["version"], shown["active"]) == ("own", True)
    assert (
        call("ai", "generate", "--type", "daily_summary").stdout
        == f"3 insights written for {DAY}, 0 unchanged\n"
    )
    assert {
        row["prompt_version"] for row in json.loads(call("show", "insights", "--json").stdout)
    } == {"v3", "own"}


def test_a_dismissed_insight_is_shown_no_more_and_a_shown_one_is_marked_as_viewed(
    computed_sample: str,
) -> None:
    first, *others = (row["id"] for row in json.loads(call("show", "insights", "--json").stdout))
    assert {row["viewed"] for row in stored(computed_sample)} == {True}
    assert call("ai", "dismiss", first).exit_code == 0
    assert {row["id"] for row in json.loads(call("show", "insights", "--json").stdout)} == {*others}
    assert {
        row["id"] for row in json.loads(call("show", "insights", "--all", "--json").stdout)
    } == {first, *others}


def test_a_preview_names_nothing_that_is_held_unless_it_may(
    computed_sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = call("ai", "preview", "--portfolio", "Concentrated", "--json")
    prompts = json.loads(sent.stdout)
    assert {prompt["insight_type"] for prompt in prompts} == TYPES
    for name in ("Concentrated", "AMD", "Advanced Micro", "AAPL", "COVID", "market -"):
        assert name not in sent.stdout
    monkeypatch.setenv("RISKMETRICS_AI_ANONYMIZATION", "tickers")
    named = call("ai", "preview", "--portfolio", "Concentrated", "--json").stdout
    assert "AMD" in named
    assert "Advanced Micro" not in named


def test_the_types_of_the_daily_job_are_a_setting(
    computed_sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(computed_sample, "DELETE FROM ai_insights")
    monkeypatch.setenv("RISKMETRICS_AI_TYPES", "none")
    assert run([DAY], ASSETS).exit_code == 0
    assert stored(computed_sample) == []
    monkeypatch.setenv("RISKMETRICS_AI_TYPES", "concentration_risk")
    assert run([DAY], ASSETS).exit_code == 0
    assert {row["insight_type"] for row in stored(computed_sample)} == {"concentration_risk"}


def test_every_column_of_an_insight_and_of_a_template_is_filled_by_someone(
    computed_sample: str,
) -> None:
    """The columns that stay NULL are set only by a model, a question, a failure or a user."""
    insight = str(stored(computed_sample)[0]["id"])
    assert call("ai", "rate", insight, "5", "--feedback", "yes").exit_code == 0
    rows = stored(computed_sample)
    empty = {name for name in tables.ai_insights.c.keys() if all(row[name] is None for row in rows)}  # noqa: SIM118
    assert empty == {"user_question", "cache_source_id", "expires_at"}
    templates = stored(computed_sample, "SELECT * FROM ai_insight_templates")
    unused = {name for name in templates[0] if all(row[name] is None for row in templates)}
    assert unused == {"model_preference", "temperature"}
