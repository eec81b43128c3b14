"""The end-of-day schedule, catching up on missed sessions, and alerts on failures."""

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from riskmetrics import alerts, settings, trading_calendar
from riskmetrics.assets import failures
from riskmetrics.assets.partitions import partition_range
from riskmetrics.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from riskmetrics.db import stored_settings
from riskmetrics.db.engine import open_engine
from riskmetrics.errors import AlertDeliveryError, InvalidSessionError, RiskmetricsError
from riskmetrics.ingest import late_closes
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.resources import STARTED_BY_TAG

DAILY_RISK = "daily_risk"
"""Name of the job."""

NEW_YORK = ZoneInfo("America/New_York")

_VALUES = dg.AssetKey("portfolio_values")
"""Asset that every session of every portfolio has."""

LAST_SCHEDULED_RUN = dg.AssetCheckKey(_VALUES, "last_scheduled_run")
"""Check that shows whether a night was missed; it is not about the run that evaluates it."""

_RESULTS_DUE = time(21)
"""When a session's results are missed, in New York."""

_CATCH_UP_SESSIONS = FORECAST_HORIZON - 1
"""Sessions to catch up on: a month, and none whose forecasts the session itself scores."""


def build_schedule(*, is_enabled: bool) -> dg.ScheduleDefinition:
    """Return the schedule `after_close`; ``is_enabled``: default until it is toggled in the UI."""
    return dg.ScheduleDefinition(
        name="after_close",
        job_name=DAILY_RISK,
        cron_schedule="30 18 * * 1-5",
        execution_timezone=str(NEW_YORK),
        execution_fn=after_close,
        default_status=(
            dg.DefaultScheduleStatus.RUNNING if is_enabled else dg.DefaultScheduleStatus.STOPPED
        ),
        description=(
            "The session's results, and in one more run those of the past month that are missing"
            " and those of the past week that are outdated; skips closed days."
        ),
    )


def after_close(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for the tick's session, and one for missing and outdated sessions before."""
    day = context.scheduled_execution_time.astimezone(NEW_YORK).date()
    try:
        trading_calendar.require_completed_sessions([day])
    except InvalidSessionError as error:
        yield dg.SkipReason(str(error))
        return
    yield dg.RunRequest(
        run_key=day.isoformat(),
        partition_key=day.isoformat(),
        tags={STARTED_BY_TAG: "the schedule"},
    )
    missing = missing_sessions(context.instance, context.repository_def, day)
    if gap := sorted({*missing, *_read_outdated_before(day)}):
        span = {
            ASSET_PARTITION_RANGE_START_TAG: gap[0].isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: gap[-1].isoformat(),
        }
        key = (
            f"{gap[0]} to {gap[-1]}, on {day}"  # a failed range is requested again the next evening
        )
        yield dg.RunRequest(run_key=key, tags=span | {STARTED_BY_TAG: "the schedule, to catch up"})


def _read_outdated_before(day: date) -> list[date]:
    """Return recent sessions with outdated results; none if the database cannot be read.

    The run of the session reports the reason then.
    """
    try:
        configured = settings.load()
        engine = open_engine(configured)
        try:
            with engine.connect() as connection:
                market = stored_settings.read_market_index(connection, configured.market_index)
                recent = late_closes.find_sessions_to_recompute(connection, market)
        finally:
            engine.dispose()
    except (RiskmetricsError, SQLAlchemyError):
        return []
    return [session for session in recent if session < day]


def missing_sessions(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, day: date
) -> list[date]:
    """Return sessions of the month before ``day`` that an asset missed after an earlier result."""
    month = trading_calendar.sessions_between(
        trading_calendar.previous_session(day, _CATCH_UP_SESSIONS),
        trading_calendar.previous_session(day),
    )
    keys = repository.asset_graph.materializable_asset_keys
    missing = _select_missing(instance, keys, {session.isoformat() for session in month})
    return sorted(map(date.fromisoformat, missing))


def _select_missing(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey], sessions: Set[str]
) -> set[str]:
    """Return those of some sessions that an asset missed after an earlier result."""
    missing: set[str] = set()
    for key in keys:
        materialized = instance.get_materialized_partitions(key)
        if materialized:  # none of an asset without partitions
            first = min(materialized)
            missing.update(session for session in sessions - materialized if first < session)
    return missing


def build_sensors(*, is_enabled: bool) -> Sequence[dg.SensorDefinition]:
    """Return the sensors of runs; ``is_enabled``: default until they are toggled in the UI."""
    status = dg.DefaultSensorStatus.RUNNING if is_enabled else dg.DefaultSensorStatus.STOPPED
    failure_sensor = dg.run_failure_sensor(
        name="alert_on_failure",
        minimum_interval_seconds=30,
        default_status=status,
        description="Sends an alert with the cause of each failed run.",
    )
    failed_checks_sensor = dg.run_status_sensor(
        dg.DagsterRunStatus.SUCCESS,
        name="alert_on_failed_checks",
        minimum_interval_seconds=30,
        default_status=status,
        description="Sends an alert with the failed ERROR checks of each run that succeeded.",
    )
    missed_session_sensor = dg.sensor(
        name="alert_on_missed_session",
        minimum_interval_seconds=300,
        default_status=status,
        description=(
            "Sends an alert if a session has no results at 21:00 New York; it is also the check"
            " last_scheduled_run of portfolio_values."
        ),
    )
    return [
        failure_sensor(alert_on_failure),
        failed_checks_sensor(alert_on_failed_checks),
        missed_session_sensor(alert_on_missed_session),
    ]


def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
    """Send an alert with failed steps, failed checks, and the assets that they stopped."""
    events = context.get_step_failure_events() or [context.failure_event]
    lines = [
        failures.describe_failure(event)
        for event in events
        if not failures.is_blocking_check_failure(failures.find_cause(event))  # stated below
    ]
    instance, run = context.instance, context.dagster_run
    stop = failures.describe_blocked_run(instance, run.run_id, *partition_range(run.tags))
    checks = failures.describe_failed_checks(instance, run)
    _send_alert(context, "failed", [*lines, *checks, *([stop] if stop else [])])


def alert_on_failed_checks(context: dg.RunStatusSensorContext) -> None:
    """Send failed ERROR checks of a run that Dagster counts as a success."""
    lines = failures.describe_failed_checks(context.instance, context.dagster_run)
    if lines:
        _send_alert(context, "failed checks", lines)


def _send_alert(context: dg.RunStatusSensorContext, outcome: str, lines: Sequence[str]) -> None:
    """Send an alert on a run's end; Dagster evaluates a run once, delivered or not."""
    run = context.dagster_run
    first, last = partition_range(run.tags)
    span = "" if first is None else f" for {first}" if first == last else f" for {first} to {last}"
    subject = f"riskmetrics: {run.job_name}{span} {outcome}"
    alerts.send(
        settings.load(),
        subject,
        "\n".join([*lines, f"Run {run.run_id} in Dagster's UI has the rest."]),
    )


def alert_on_missed_session(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Evaluate `last_scheduled_run` and alert on a missed session until one alert is delivered."""
    repository = context.repository_def
    if repository is None:
        raise dg.DagsterInvariantViolationError("the sensor is evaluated without its code location")
    keys = repository.asset_graph.materializable_asset_keys
    now = datetime.now(UTC)
    session = _find_due_session(now)
    outcome = _evaluate_last_scheduled_run(context.instance, keys, now)
    # not the description, which changes with the latest session: one alert per missed session
    state, message = f"{outcome.passed}: {session}", str(outcome.description)
    if state == context.cursor:
        return dg.SkipReason(message)
    if not outcome.passed:
        try:
            alerts.send(settings.load(), f"riskmetrics: no results for {session}", message)
        except AlertDeliveryError as error:
            message = f"{message}; {error}"
            state = state if error.delivered_to else f"undelivered: {state}"
    return dg.SensorResult(asset_events=[outcome], skip_reason=message, cursor=state)


def build_last_scheduled_run(keys: Collection[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """Return the check `last_scheduled_run`; ``keys``: the assets that a session is complete with.

    A run in a command's process does not know the other assets of its code location.
    """

    @dg.asset_check(asset=_VALUES, name=LAST_SCHEDULED_RUN.name)
    def last_scheduled_run(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """The last session whose results are due, at 21:00 New York, has them."""
        outcome = _evaluate_last_scheduled_run(context.instance, keys, datetime.now(UTC))
        return dg.AssetCheckResult(
            passed=outcome.passed,
            severity=outcome.severity,
            metadata=outcome.metadata,
            description=outcome.description,
        )

    return last_scheduled_run


def _find_due_session(now: datetime) -> date:
    """Return the last session whose results are due."""
    new_york_time = now.astimezone(NEW_YORK)
    is_due = new_york_time.time() >= _RESULTS_DUE
    return trading_calendar.previous_or_same_session(
        new_york_time.date() if is_due else new_york_time.date() - timedelta(days=1)
    )


def _evaluate_last_scheduled_run(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey], now: datetime
) -> dg.AssetCheckEvaluation:
    """Evaluate whether every asset has the due session: a failed run stores values of none."""
    due_session = _find_due_session(now)
    materialized = instance.get_materialized_partitions(_VALUES)
    due = due_session.isoformat()
    missing = _select_missing(instance, keys, {*materialized, due})
    is_complete = due not in missing  # where nothing was ever computed, nothing is missed
    latest = max(materialized - missing, default="none")
    missed_message = (
        f"no complete results for {due_session}: its run did not happen, has failed or is not done"
        f" (the latest are for {latest}); the next evening catches up, or `riskmetrics run --date"
        f" {due_session}` now"
    )
    return dg.AssetCheckEvaluation(
        asset_key=_VALUES,
        check_name=LAST_SCHEDULED_RUN.name,
        passed=is_complete,
        severity=dg.AssetCheckSeverity.WARN,  # concerns the scheduled run, not this one
        metadata={"due": str(due_session), "latest": latest},
        description=(
            f"results for {due_session}:"
            f" {'stored' if materialized else 'none is due before the first run'}"
            if is_complete
            else missed_message
        ),
    )
