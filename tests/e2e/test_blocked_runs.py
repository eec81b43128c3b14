"""A failed check of global correctness blocks and reports all downstream assets, in real runs."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.assets import nightly, result_checks
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.definitions import defs
from riskmetrics.results.beta_reference_check import max_abs_difference
from tests import webhook_server
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import RESULT_KEYS, Run, query_frame, read_results, replace_with_unpriced

DAY, BEFORE = date(2022, 12, 28), date(2022, 12, 27)
BLOCKED = {
    "betas": [
        *("ai_insights", "forecast_outcomes", "portfolio_betas", "portfolio_limit_checks"),
        "stress_tests",
    ],
    "sectors": ["ai_insights", "portfolio_limit_checks"],
}
CHECKS = {"betas": "betas_match_statsmodels", "sectors": "sector_weights_sum"}
_FUNCTION = (
    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$"
)
_TRIGGER = (
    "CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION spoil()"
)
SPOILERS = {
    "betas": ("NEW.beta := NEW.beta + 1;", "position_market_betas"),
    "sectors": ("NEW.gross_weight := NEW.gross_weight * 1.001;", "portfolio_sector_weights"),
}
"""Assignments that a trigger makes to each row written, by table."""


def spoil(url: str, what: str) -> None:
    """Make the database alter written rows, as a defect or another program would."""
    change, table = SPOILERS[what]
    with open_connection(url) as connection:
        connection.execute(sa.text(_FUNCTION.format(change).replace(":=", r"\:=")))
        connection.execute(sa.text(_TRIGGER.format(table)))


def repair(url: str) -> None:
    with open_connection(url) as connection:
        connection.execute(sa.text("DROP FUNCTION spoil CASCADE"))


def insights(url: str) -> list[tuple[object, ...]]:
    rows = query_frame(url, "SELECT id, updated_at FROM ai_insights ORDER BY id")
    return list(rows.itertuples(index=False))


@pytest.fixture
def instance(sample: str) -> Iterator[dg.DagsterInstance]:
    """Return the Dagster instance of the settings."""
    home = str(prepare_instance(settings.load()))
    with dg.DagsterInstance.from_config(home) as instance:
        yield instance


@pytest.mark.parametrize("what", BLOCKED)
def test_a_failed_global_check_stops_everything_downstream_and_names_it(
    computed_sample: str, run: Run, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The day's rows are rewritten with errors; downstream results of an earlier run are kept."""
    before, written = read_results(computed_sample), insights(computed_sample)
    capsys.readouterr()
    with open_connection(computed_sample) as connection:
        connection.execute(sa.text(f"DELETE FROM {SPOILERS[what][1]}"))
    spoil(computed_sample, what)
    outcome = run([DAY])
    error = capsys.readouterr().err
    assert (outcome.exit_code, outcome.result.success) == (3, False)
    events = [event for event in outcome.result.all_events if event.is_step_materialization]
    materialized = {event.asset_key.to_user_string() for event in events if event.asset_key}
    assert materialized.isdisjoint(BLOCKED[what])
    assert {"portfolio_values", "portfolio_volatility", "portfolio_drawdowns"} <= materialized
    (stop,) = [line for line in error.splitlines() if line.startswith("stopped by")]
    assert stop.startswith(f"stopped by {CHECKS[what]}: {', '.join(BLOCKED[what])} not computed")
    assert f"`riskmetrics run --date {DAY}`" in stop
    assert error.count("differ by") + error.count("sum to 1 within") == 1  # said once
    assert "Traceback" not in error
    after = read_results(computed_sample)
    changed = {name for name in RESULT_KEYS if not after[name].equals(before[name])}
    assert changed == {SPOILERS[what][1]}
    assert insights(computed_sample) == written


def test_a_first_run_that_is_blocked_leaves_what_is_downstream_undefined(
    sample: str, run: Run
) -> None:
    spoil(sample, "betas")
    assert run([BEFORE, DAY]).exit_code == 3
    snapshots = query_frame(sample, "SELECT beta_calculated_90d, hhi FROM portfolio_snapshots")
    assert snapshots["beta_calculated_90d"].isna().all()
    assert snapshots["hhi"].notna().all()
    assert query_frame(sample, "SELECT 1 FROM portfolio_stress").empty
    assert insights(sample) == []


def test_running_again_after_the_cause_is_gone_repairs_everything(
    computed_sample: str, run: Run
) -> None:
    good, written = read_results(computed_sample), insights(computed_sample)
    with open_connection(computed_sample) as connection:  # as if it had never run
        for table in (*RESULT_KEYS, "ai_insights"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    spoil(computed_sample, "betas")
    assert run([DAY]).exit_code == 3
    assert insights(computed_sample) == []
    repair(computed_sample)
    assert run([DAY]).exit_code == 0
    found = read_results(computed_sample)
    assert all(found[name].equals(good[name]) for name in RESULT_KEYS)
    assert len(insights(computed_sample)) == len(written) > 0


def test_a_blocked_nightly_run_is_alerted_once_and_caught_up(
    sample: str, run: Run, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert names the check and the blocked assets; the next evening retries the session."""
    assert run([date(2022, 12, 23)]).exit_code == 0
    spoil(sample, "betas")
    run_id = run([BEFORE]).run_id
    failed = instance.get_run_by_id(run_id)
    assert failed is not None
    events = [log.dagster_event for log in instance.all_logs(run_id) if log.dagster_event]
    (event,) = [event for event in events if event.is_job_failure]
    with webhook_server.serve() as webhook:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", webhook.url)
        context = dg.build_run_status_sensor_context("alert_on_failure", event, instance, failed)
        nightly.alert_on_failure(context.for_run_failure())
    (text,) = webhook.messages
    subject, check, stop, where = text.splitlines()
    assert subject == f"riskmetrics: daily_risk for {BEFORE} failed"
    assert check.startswith("position_betas, betas_match_statsmodels: 5 stored betas")
    assert stop.startswith("stopped by betas_match_statsmodels: ai_insights, forecast_outcomes, ")
    assert f"`riskmetrics run --date {BEFORE}`" in stop
    assert run_id in where
    assert nightly.missing_sessions(instance, defs.get_repository_def(), DAY) == [BEFORE]
    repair(sample)
    monkeypatch.setattr(trading_calendar, "last_completed_session", lambda _now=None: DAY)
    caught_up = invoke("catch-up")
    assert caught_up.exit_code == 0, caught_up.output
    assert f"{BEFORE} to {DAY} (2 sessions)" in caught_up.output
    days = query_frame(sample, "SELECT DISTINCT day FROM ai_insights ORDER BY day")["day"]
    assert [str(day) for day in days] == ["2022-12-23", str(BEFORE), str(DAY)]


def test_a_failed_check_of_one_portfolio_stops_no_other(computed_sample: str, run: Run) -> None:
    """The other portfolios have the same figures and insights as without the faulty one."""
    statement = (
        "SELECT p.name, i.insight_type, i.summary FROM ai_insights i "
        "JOIN portfolios p ON p.id = i.portfolio_id WHERE p.name <> 'Concentrated' ORDER BY 1, 2"
    )
    figures = (
        "SELECT p.name, s.beta_calculated_90d, s.expected_volatility_21d, s.hhi, s.total_value "
        "FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id "
        "WHERE p.name <> 'Concentrated' ORDER BY 1"
    )
    before = [query_frame(computed_sample, query).to_dict("list") for query in (statement, figures)]
    with open_connection(computed_sample) as connection:
        for table in (*RESULT_KEYS, "ai_insights"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    replace_with_unpriced(computed_sample, "Concentrated")
    outcome = run([DAY])
    assert (outcome.exit_code, outcome.result.success) == (3, True)
    after = [query_frame(computed_sample, query).to_dict("list") for query in (statement, figures)]
    assert after == before
    assert len(before[0]["name"]) > 0


def test_a_deployment_retries_a_failed_run_from_its_first_step() -> None:
    """Retrying only the failed check would not rewrite the rows that it reads."""
    job = defs.resolve_job_def("daily_risk")
    assert job.tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_betas_are_refitted_again_only_if_they_or_their_prices_have_changed(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading statsmodels takes half a second of a run that changes nothing."""
    refitted = []

    def refit(*arguments: object) -> float:
        refitted.append(arguments)
        return max_abs_difference(*arguments)  # type: ignore[arg-type]

    def check() -> dg.AssetCheckEvaluation:
        (found,) = (
            each
            for each in run([DAY], ["position_betas"]).result.get_asset_check_evaluations()
            if each.check_name == "betas_match_statsmodels"
        )
        return found

    monkeypatch.setattr(result_checks, "max_abs_difference", refit)
    first, second = check(), check()
    assert len(refitted) == 1
    assert second.metadata == first.metadata
    assert second.passed
    assert second.description == f"{first.description}; as in an earlier run with the same values"
    with open_connection(sample) as connection:  # too little to change a stored digit
        connection.execute(
            sa.text("UPDATE market_data_cache SET adj_close = adj_close * 1.000000001")
        )
    third = check()
    assert len(refitted) == 2
    assert third.passed
    assert third.metadata["compared"] != first.metadata["compared"]
    spoil(sample, "betas")
    with open_connection(sample) as connection:
        connection.execute(sa.text("DELETE FROM position_market_betas"))
    for n_refitted in (3, 4):  # a failure is not remembered
        assert not check().passed
        assert len(refitted) == n_refitted
