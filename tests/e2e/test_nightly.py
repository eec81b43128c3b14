"""The nightly schedule: ticks, catching up, and alerts about failed and missed runs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.assets import nightly
from riskmetrics.cli import run as run_command
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.db import outdated_results
from riskmetrics.definitions import DAILY_RISK, build_definitions, defs
from tests import mail_server, webhook_server
from tests.cli.test_price_commands import store_results
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import (
    RESULT_KEYS,
    ComputedSample,
    Run,
    read_results,
    replace_with_unpriced,
)

REPOSITORY = defs.get_repository_def()


@pytest.fixture
def instance(sample: str) -> Iterator[dg.DagsterInstance]:
    """Return the Dagster instance of the settings."""
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        yield instance


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[webhook_server.Webhook]:
    """Return a local webhook; the settings point to it."""
    with webhook_server.serve() as running:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", running.url)
        yield running


def _tick(instance: dg.DagsterInstance, day: date) -> list[dg.RunRequest | dg.SkipReason]:
    """Evaluate the schedule as the daemon does at 18:30 of ``day`` in New York."""
    at = datetime(day.year, day.month, day.day, 18, 30, tzinfo=nightly.NEW_YORK).astimezone(UTC)
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=REPOSITORY
    ) as context:
        made = REPOSITORY.get_schedule_def("after_close").evaluate_tick(context)
    return (
        [dg.SkipReason(made.skip_message)] if made.skip_message else list(made.run_requests or [])
    )


def _execute(instance: dg.DagsterInstance, request: dg.RunRequest | dg.SkipReason) -> None:
    assert isinstance(request, dg.RunRequest)
    assert (
        defs.resolve_job_def(DAILY_RISK)
        .execute_in_process(instance=instance, tags=request.tags)
        .success
    )


TO_COME = trading_calendar.calendar_end()


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2022, 12, 26), "2022-12-26 (Monday) is not a session: the exchange is closed"),
        (TO_COME, f"the session {TO_COME} has not closed yet"),
    ],
)
def test_the_schedule_skips_what_is_no_ended_session_and_says_why(
    instance: dg.DagsterInstance, day: date, reason: str
) -> None:
    (skipped,) = _tick(instance, day)
    assert isinstance(skipped, dg.SkipReason)
    assert reason in str(skipped.skip_message)


def test_a_tick_asks_for_one_run_of_its_session_and_for_the_same_again(
    instance: dg.DagsterInstance,
) -> None:
    """Dagster launches one run per run key; without earlier results nothing is caught up."""
    asked = [_tick(instance, date(2022, 12, 28)) for _ in range(2)]
    assert [[request.run_key for request in requests] for requests in asked] == [
        ["2022-12-28"],
        ["2022-12-28"],
    ]
    assert asked[0][0].tags["dagster/partition"] == "2022-12-28"


@pytest.mark.slow(12)
def test_a_week_of_downtime_is_caught_up_with_in_one_run(
    sample: str, instance: dg.DagsterInstance, run: Run
) -> None:
    assert run([date(2022, 12, 16)]).exit_code == 0
    tonight, missing = _tick(instance, date(2022, 12, 23))
    assert (tonight.run_key, missing.run_key) == (
        "2022-12-23",
        "2022-12-19 to 2022-12-22, on 2022-12-23",
    )
    _execute(instance, tonight)
    _execute(instance, missing)
    assert sorted(read_results(sample)["portfolio_snapshots"]["snapshot_date"].unique()) == [
        f"2022-12-{day}" for day in (16, 19, 20, 21, 22, 23)
    ]
    assert len(instance.get_runs()) == 3
    assert [request.run_key for request in _tick(instance, date(2022, 12, 27))] == ["2022-12-27"]


@pytest.mark.parametrize(("age", "is_requested"), [(4, True), (5, False)])
def test_a_tick_requests_the_outdated_ones_of_the_last_five_sessions(
    sample: str, instance: dg.DagsterInstance, age: int, is_requested: bool
) -> None:
    tonight = date(2022, 12, 28)
    latest = trading_calendar.previous_session(tonight)
    outdated = trading_calendar.previous_session(latest, age)
    with open_connection(sample) as connection:
        store_results(connection, [outdated])
        outdated_results.mark_outdated(connection, outdated)
        store_results(connection, [latest])
    requests = _tick(instance, tonight)
    spans = [request.run_key for request in requests[1:]]
    assert spans == [f"{outdated} to {outdated}, on {tonight}"][: int(is_requested)]


def test_a_tick_requests_its_session_without_the_database(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run then fails with the reason, and is alerted."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert [request.run_key for request in _tick(instance, date(2022, 12, 28))] == ["2022-12-28"]


def test_a_session_without_one_asset_is_missing(instance: dg.DagsterInstance, run: Run) -> None:
    """A run failed half way: an asset that was never computed counts as new, not as missing."""
    days = [date(2022, 12, 21), date(2022, 12, 22), date(2022, 12, 23)]
    assert run(days[:1], ["portfolio_values", "position_betas"]).exit_code == 0
    assert run(days[1:2], ["portfolio_values"]).exit_code == 0
    assert nightly.missing_sessions(instance, REPOSITORY, days[2]) == [days[1]]


def test_the_command_line_catches_up_in_one_run(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run([date(2022, 12, 21)]).exit_code == 0
    monkeypatch.setattr(
        trading_calendar, "last_completed_session", lambda _now=None: date(2022, 12, 28)
    )
    result = invoke("catch-up")
    assert result.exit_code == 0, result.output
    assert "2022-12-22 to 2022-12-28 (4 sessions)" in result.output
    assert "warning: closes" not in result.output
    assert len(read_results(sample)["portfolio_snapshots"]["snapshot_date"].unique()) == 5


def test_catching_up_fails_if_the_prices_end_a_session_before_the_latest(
    computed_sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where an import of files has stopped: a scheduler alerts by the exit code."""
    monkeypatch.setattr(
        trading_calendar, "last_completed_session", lambda _now=None: date(2022, 12, 29)
    )
    result = invoke("catch-up")
    assert result.exit_code == 4
    assert (
        "warning: closes of the market index end on 2022-12-28, 1 session before the latest ended"
        " session, 2022-12-29. Import newer prices: riskmetrics import prices FILE" in result.output
    )
    assert "no row changed" in result.output


@pytest.mark.parametrize(
    ("key", "source", "offline", "advice"),
    [
        ("k", "FMP", False, "FMP has no newer close yet: run riskmetrics catch-up again later"),
        ("k", "file", False, "Import newer prices: riskmetrics import prices FILE"),
        ("k", "FMP", True, "Import newer prices: riskmetrics import prices FILE"),
        ("", "FMP", False, "Import newer prices: riskmetrics import prices FILE"),
    ],
)
def test_the_advice_about_late_closes_is_that_of_their_source(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    source: str,
    offline: bool,
    advice: str,
) -> None:
    monkeypatch.setenv("FMP_API_KEY", key)
    latest = trading_calendar.last_completed_session()
    assert not run_command._warn_if_behind(latest, source, offline=offline)
    assert capsys.readouterr().err == ""
    before = trading_calendar.previous_session(latest)
    assert run_command._warn_if_behind(before, source, offline=offline)
    said = capsys.readouterr().err
    assert f"1 session before the latest ended session, {latest}. {advice}\n" in said


@pytest.mark.slow(15)
def test_what_was_caught_up_with_equals_the_sessions_run_one_by_one(
    sample: str, instance: dg.DagsterInstance, run: Run
) -> None:
    days = trading_calendar.sessions_between(date(2022, 12, 21), date(2022, 12, 23))
    for day in days:
        assert run([day]).exit_code == 0
    before = read_results(sample)
    request = dg.RunRequest(
        tags={
            "dagster/asset_partition_range_start": days[0].isoformat(),
            "dagster/asset_partition_range_end": days[-1].isoformat(),
        }
    )
    _execute(instance, request)
    after = read_results(sample)
    assert all(after[name].equals(before[name]) for name in RESULT_KEYS)


def test_an_alert_contains_the_error_and_the_failed_check_of_a_run(
    sample: str, instance: dg.DagsterInstance, run: Run, webhook: webhook_server.Webhook
) -> None:
    with open_connection(sample) as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'SPX' AND date = '2022-12-28'")
        )
    replace_with_unpriced(sample, "Concentrated")
    run_id = run([date(2022, 12, 28)]).run_id
    failed = instance.get_run_by_id(run_id)
    assert failed is not None
    (event,) = [
        event
        for event in instance.all_logs(run_id)
        if event.dagster_event and event.dagster_event.is_job_failure
    ]
    context = dg.build_run_status_sensor_context(
        "alert_on_failure", event.get_dagster_event(), instance, failed
    ).for_run_failure()
    nightly.alert_on_failure(context)
    (text,) = webhook.messages
    assert text.startswith("riskmetrics: daily_risk for 2022-12-28 failed\n")
    assert "no close of SPX on 2022-12-28: import it with `riskmetrics import prices FILE`" in text
    assert (
        "portfolio_values, price_coverage: too few holdings have a close (options: of their"
        " underlying) in Concentrated (0 of 1" in text
    )
    assert run_id in text


def test_a_successful_run_with_a_failed_check_is_alerted_once(
    sample: str,
    instance: dg.DagsterInstance,
    run: Run,
    webhook: webhook_server.Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Webhook and e-mail name the run, the session and the failed checks, and no secret."""
    sensor, cursor = REPOSITORY.get_sensor_def("alert_on_failed_checks"), None

    def tick() -> None:
        nonlocal cursor
        with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
            cursor = sensor.evaluate_tick(context).cursor

    tick()
    assert run([date(2022, 12, 27)], ["portfolio_values"]).exit_code == 0
    replace_with_unpriced(sample, "Concentrated")
    outcome = run([date(2022, 12, 28)], ["portfolio_values"])
    assert (outcome.exit_code, outcome.result.success) == (3, True)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "Concentrated")
    with mail_server.serve() as mail:
        monkeypatch.setenv("RISKMETRICS_SMTP_URL", f"smtp://127.0.0.1:{mail.port}")
        monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ann@example.org")
        tick()
        tick()
    (text,), (message,) = webhook.messages, mail.messages
    assert message["Subject"] == "riskmetrics: daily_risk for 2022-12-28 failed checks"
    said, where = message.get_content().splitlines()
    assert said.startswith(
        "portfolio_values, price_coverage: too few holdings have a close (options: of their"
        " underlying) in [hidden] (0 of 1"
    )
    assert where == f"Run {outcome.run_id} in Dagster's UI has the rest."
    assert text == f"{message['Subject']}\n{said}\n{where}"


class _Clock(datetime):
    """Set the clock to 21:05 in New York on Friday, 2022-12-23."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime(2022, 12, 24, 2, 5, tzinfo=UTC)


def test_a_missed_nightly_run_is_alerted_once_and_fails_a_check_until_computed(
    instance: dg.DagsterInstance,
    run: Run,
    webhook: webhook_server.Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nightly, "datetime", _Clock)
    states: list[bool | None] = []
    cursor = None

    def tick() -> None:
        nonlocal cursor
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, repository_def=REPOSITORY
        ) as context:
            made = REPOSITORY.get_sensor_def("alert_on_missed_session").evaluate_tick(context)
        cursor = made.cursor
        states.append(made.asset_events[0].passed if made.asset_events else None)

    tick()  # nothing was ever computed
    assert run([date(2022, 12, 21)], ["portfolio_values"]).exit_code == 0
    webhook.statuses = [403, 200]
    tick()  # is shown, though nobody could be told
    tick()
    tick()
    assert run([date(2022, 12, 22)], ["portfolio_values"]).exit_code == 0
    tick()  # the session that is due is still the same
    assert run([date(2022, 12, 23)], ["portfolio_values"]).exit_code == 0
    tick()
    assert states == [True, False, False, None, None, True]
    (text,) = webhook.messages
    assert "no complete results for 2022-12-23" in text
    assert "`riskmetrics run --date 2022-12-23`" in text


def test_a_failed_run_leaves_the_night_missed(
    sample: str, instance: dg.DagsterInstance, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has stored the values of the portfolios, or why they have none, before it failed."""
    assets = ["portfolio_values", "position_betas"]
    monkeypatch.setattr(nightly, "datetime", _Clock)
    assert run([date(2022, 12, 22)], assets).exit_code == 0
    with open_connection(sample) as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'SPX' AND date = '2022-12-23'")
        )
    assert run([date(2022, 12, 23)], assets).exit_code == 3
    assert "2022-12-23" in instance.get_materialized_partitions(dg.AssetKey("portfolio_values"))
    with dg.build_sensor_context(instance=instance, repository_def=REPOSITORY) as context:
        made = REPOSITORY.get_sensor_def("alert_on_missed_session").evaluate_tick(context)
    (outcome,) = made.asset_events
    assert not outcome.passed
    assert "the latest are for 2022-12-22" in outcome.description


def test_a_run_of_the_whole_job_does_not_look_at_the_last_night(
    computed_sample: str, computed_template: ComputedSample
) -> None:
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        checks = {
            log.get_dagster_event().asset_check_evaluation_data.check_name
            for log in instance.all_logs(computed_template.run_id, of_type=kind)
        }
    assert len(checks) > 10
    assert "last_scheduled_run" not in checks


def test_the_schedule_and_the_alerts_are_on_where_a_setting_says_so() -> None:
    for on in (False, True):
        repository = build_definitions(is_schedule_enabled=on).get_repository_def()
        states = {
            of.name: of.default_status.value
            for of in (*repository.schedule_defs, *repository.sensor_defs)
        }
        of_nights = dict.fromkeys(
            (
                "after_close",
                "alert_on_failure",
                "alert_on_failed_checks",
                "alert_on_missed_session",
            ),
            "RUNNING" if on else "STOPPED",
        )
        assert states == of_nights | {
            "insight_batches": "RUNNING"
        }  # what was paid for is collected in any case
