"""Every night, unattended: when the job runs, which sessions it catches up with, and who is told when a night failed or was missed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from riskmetrics import alerts, settings, trading_calendar
from riskmetrics.assets import failures
from riskmetrics.assets.partitions import named
from riskmetrics.assets.portfolios import portfolio_values
from riskmetrics.errors import AlertNotSent, InvalidSession
from riskmetrics.metrics.forecast_score import HORIZON
from riskmetrics.resources import STARTED_BY

DAILY_RISK = "daily_risk"
"""Name of the job."""

NEW_YORK = ZoneInfo("America/New_York")

_DUE = time(21)
"""When a session's results are missed, in New York."""

_LOOKED_BACK = HORIZON - 1
"""Sessions that are caught up with: a month, and none whose forecasts the session itself scores, which runs beside them."""


def schedule(*, on: bool) -> dg.ScheduleDefinition:
    """Return the schedule `after_close`; ``on``: where nobody has switched it."""
    return dg.ScheduleDefinition(
        name="after_close",
        job_name=DAILY_RISK,
        cron_schedule="30 18 * * 1-5",
        execution_timezone=str(NEW_YORK),
        execution_fn=after_close,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
        description="The session's results, and in one more run those of the past month that are missing; skips closed days.",
    )


def after_close(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for a run of the session that the tick is for, and for one of the sessions before it that lack results."""
    day = context.scheduled_execution_time.astimezone(NEW_YORK).date()
    try:
        trading_calendar.require_ended([day])
    except InvalidSession as refused:
        yield dg.SkipReason(str(refused))
        return
    yield dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat(), tags={STARTED_BY: "the schedule"})
    gap = lacking(context.instance, context.repository_def, day)
    if gap:
        span = {ASSET_PARTITION_RANGE_START_TAG: gap[0].isoformat(), ASSET_PARTITION_RANGE_END_TAG: gap[-1].isoformat()}
        key = f"{gap[0]} to {gap[-1]}, on {day}"  # what failed is asked for again the next evening
        yield dg.RunRequest(run_key=key, tags=span | {STARTED_BY: "the schedule, to catch up"})


def lacking(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, day: date) -> list[date]:
    """Return the sessions of the month before ``day`` that some asset has not materialized, though it has an earlier one."""
    month = trading_calendar.between(trading_calendar.previous(day, _LOOKED_BACK), trading_calendar.previous(day))
    found: set[date] = set()
    for key in repository.asset_graph.materializable_asset_keys:
        made = instance.get_materialized_partitions(key)  # none of an asset without partitions
        found.update(session for session in month if made and min(made) < session.isoformat() not in made)
    return sorted(found)


def sensors(*, on: bool) -> Sequence[dg.SensorDefinition]:
    """Return what watches the runs; ``on``: where nobody has switched it."""
    status = dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED
    failed = dg.run_failure_sensor(
        name="alert_on_failure", minimum_interval_seconds=30, default_status=status, description="Tells of every run that failed, and why."
    )
    unsound = dg.run_status_sensor(
        dg.DagsterRunStatus.SUCCESS,
        name="alert_on_failed_checks",
        minimum_interval_seconds=30,
        default_status=status,
        description="Tells of every run that succeeded although checks of severity ERROR failed, and what they say.",
    )
    missed = dg.sensor(
        name="alert_on_missed_night",
        minimum_interval_seconds=300,
        default_status=status,
        description="Tells of a session without results at 21:00 New York, and shows it as the check last_night of portfolio_values.",
    )
    return [failed(alert_on_failure), unsound(alert_on_failed_checks), missed(alert_on_missed_night)]


def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
    """Send why the run failed: its failed steps (else the run), failed checks, what they stopped."""
    events = context.get_step_failure_events() or [context.failure_event]
    reasons = [(event.step_key or "the run", failures.cause(event), event.message or "") for event in events]
    lines = [
        f"{step}: {failures.sentence(error) if error else message}"
        for step, error, message in reasons
        if not (error and failures.is_blocked(error))  # the check itself says it below
    ]
    instance, run = context.instance, context.dagster_run
    stop = failures.describe_stop(instance, run.run_id, *named(run.tags))
    checks = failures.failed_checks(instance, run)
    _tell(context, "failed", [*lines, *checks, *([stop] if stop else [])])


def alert_on_failed_checks(context: dg.RunStatusSensorContext) -> None:
    """Send the sentences of the checks of severity ERROR that failed in a run that Dagster counts as a success."""
    lines = failures.failed_checks(context.instance, context.dagster_run)
    if lines:
        _tell(context, "failed checks", lines)


def _tell(context: dg.RunStatusSensorContext, outcome: str, lines: Sequence[str]) -> None:
    """Send how a run ended, and why; Dagster evaluates a run once, whether or not somebody could be told."""
    run = context.dagster_run
    first, last = named(run.tags)
    span = "" if first is None else f" for {first}" if first == last else f" for {first} to {last}"
    what = f"riskmetrics: {run.job_name}{span} {outcome}"
    alerts.send(settings.load(), what, "\n".join([*lines, f"Run {run.run_id} in Dagster's UI has the rest."]))


def alert_on_missed_night(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Evaluate the check `last_night` where its outcome is new, and tell of a missed session once: again as long as nobody took it."""
    outcome = _last_night(context.instance, datetime.now(UTC))
    state, said = f"{outcome.passed}: {outcome.description}", str(outcome.description)
    if state == context.cursor:
        return dg.SkipReason(outcome.description)
    if not outcome.passed:
        try:
            alerts.send(settings.load(), "riskmetrics: a night was missed", said)
        except AlertNotSent as error:
            said = f"{said}; {error}"
            state = state if error.taken_by else f"untold: {state}"
    return dg.SensorResult(asset_events=[outcome], skip_reason=said, cursor=state)


@dg.asset_check(asset=portfolio_values)
def last_night(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """The last session whose results are due, at 21:00 New York, has them."""
    outcome = _last_night(context.instance, datetime.now(UTC))
    return dg.AssetCheckResult(passed=outcome.passed, severity=outcome.severity, metadata=outcome.metadata, description=outcome.description)


def _last_night(instance: dg.DagsterInstance, now: datetime) -> dg.AssetCheckEvaluation:
    at = now.astimezone(NEW_YORK)
    due = trading_calendar.at_or_before(at.date() if at.time() >= _DUE else at.date() - timedelta(days=1))
    made = instance.get_materialized_partitions(portfolio_values.key)
    done = not made or due.isoformat() in made  # where nothing was ever computed, nothing is missed
    latest = max(made, default="none")
    missed = (
        f"no results for {due}: its run did not happen, has failed or is not done (the latest are for {latest}); "
        f"the next evening catches up, or `riskmetrics run --date {due}` now"
    )
    return dg.AssetCheckEvaluation(
        asset_key=portfolio_values.key,
        check_name="last_night",
        passed=done,
        severity=dg.AssetCheckSeverity.WARN,  # of a night, not of what the run that looks wrote
        metadata={"due": str(due), "latest": latest},
        description=f"results for {due}: {'stored' if made else 'none is due before the first run'}" if done else missed,
    )
