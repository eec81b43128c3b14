"""Run Dagster jobs in the process of a command, on the instance that the UI shows."""

import gc
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from riskmetrics import errors, folders, processes, trading_calendar
from riskmetrics.cli import dagster_home
from riskmetrics.cli.output import echo_err, echo_progress
from riskmetrics.settings import Settings
from riskmetrics.text import suggest_name

if TYPE_CHECKING:
    import dagster as dg

DAGSTER_EVENT_SETTINGS = {
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "true",
}
"""Settings of Dagster for ranges of sessions.

Materialization events are stored in batches, and planned events are one per asset instead of one
per session. Sessions of a failed range are then shown as missing, not as
failed.
"""


class RunOutcome(NamedTuple):
    """Id of a run, the command's exit code and Dagster's result."""

    run_id: str
    exit_code: int
    result: "dg.ExecuteInProcessResult"


def prepare_instance(settings: Settings) -> Path:
    """Return Dagster's home; create it with the bundled instance file if it is missing."""
    home = settings.dagster_directory
    dagster_home.prepare_home(home, is_default_home=home == settings.home_directory / "dagster")
    return home


def run(
    settings: Settings,
    days: Sequence[date],
    assets: Sequence[str] = (),
    *,
    job: str = "",
    config: Mapping[str, object] | None = None,
    offline: bool = False,
    ai_all: bool = False,
) -> RunOutcome:
    """Run a job in this process and report its outcome on stderr.

    Parameters
    ----------
    days : sequence of date
        Partitions, materialized in one run; empty for a job without partitions.
    assets : sequence of str
        Names of assets. Default: all assets of the job.
    job : str
        Name of the job. Default: daily_risk.
    config : mapping, optional
        Configuration of the job's assets, by name.
    offline : bool
        Whether to call no vendor and no language model, even if keys are set.
    ai_all : bool
        Whether a language model may write the insights of every session, instead of only the last.

    Raises
    ------
    UsageError
        If an asset does not exist.
    """
    prepare_instance(settings)  # before Dagster is loaded, which takes seconds
    os.environ.update(DAGSTER_EVENT_SETTINGS | os.environ)
    # the run may download the prices of any session, whatever the UI lists
    os.environ["RISKMETRICS_FIRST_SESSION"] = trading_calendar.FIRST_RESULT_SESSION.isoformat()
    gc.disable()  # until Dagster is loaded, as in `main`
    import dagster as dg

    from riskmetrics.dagster_private import make_new_run_id

    definition = _resolve_job(job, assets)
    run_id = make_new_run_id()
    with _open_instance(settings) as instance:
        fail_dead_runs(instance)
        instance.add_event_listener(run_id, _progress_printer())
        gc.freeze()
        gc.enable()
        result = definition.execute_in_process(
            instance=instance,
            run_id=run_id,
            partition_key=days[0].isoformat() if len(days) == 1 else None,
            asset_selection=[dg.AssetKey(name) for name in assets] or None,
            tags=_run_tags(days, offline=offline, ai_all=ai_all),
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "ops": {name: {"config": values} for name, values in (config or {}).items()},
            },
            raise_on_error=False,
        )
        exit_code = _report_outcome(result, instance, days)
    return RunOutcome(run_id, exit_code, result)


def _resolve_job(job: str, assets: Sequence[str]) -> "dg.JobDefinition":
    from riskmetrics.definitions import DAILY_RISK, defs

    definition = defs.resolve_job_def(job or DAILY_RISK)
    known = sorted(key.to_user_string() for key in definition.asset_layer.executable_asset_keys)
    for name in sorted(set(assets) - set(known)):
        raise errors.UsageError(
            f"there is no asset {name}{suggest_name(name, known)}: choose from {', '.join(known)}"
        )
    return definition


def _run_tags(days: Sequence[date], *, offline: bool, ai_all: bool) -> dict[str, str]:
    """Return the tags of a run: who started it, its repository, sessions and options.

    Dagster passes a range by tags only, and the UI finds the runs of a job by the repository's tag.
    """
    from riskmetrics.dagster_private import (
        ASSET_PARTITION_RANGE_END_TAG,
        ASSET_PARTITION_RANGE_START_TAG,
        REPOSITORY_LABEL_TAG,
    )
    from riskmetrics.resources import AI_ALL_SESSIONS_TAG, OFFLINE_TAG, STARTED_BY_TAG

    options = [OFFLINE_TAG] * offline + [AI_ALL_SESSIONS_TAG] * ai_all
    tags = {
        STARTED_BY_TAG: "the command line",
        REPOSITORY_LABEL_TAG: "__repository__@riskmetrics.definitions",
    } | processes.process_tags()
    tags |= dict.fromkeys(options, "true")
    if len(days) < 2:
        return tags
    return tags | {
        ASSET_PARTITION_RANGE_START_TAG: days[0].isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: days[-1].isoformat(),
    }


def missing_sessions(settings: Settings, day: date) -> list[date]:
    """Return sessions of the month before ``day`` that an asset with earlier sessions misses."""
    from riskmetrics.assets import nightly
    from riskmetrics.definitions import defs

    with _open_instance(settings) as instance:
        return nightly.missing_sessions(instance, defs.get_repository_def(), day)


@contextmanager
def _open_instance(settings: Settings) -> "Iterator[dg.DagsterInstance]":
    """Yield Dagster's instance; lock the creation of its storage, which Dagster does not do."""
    import dagster as dg

    from riskmetrics.dagster_private import InstanceRef

    home = prepare_instance(settings)
    with folders.private_umask(), ExitStack() as stack:
        with _lock_creation(home):
            try:
                instance = stack.enter_context(
                    dg.DagsterInstance.from_ref(
                        InstanceRef.from_dir(str(home), overrides=_instance_overrides(home))
                    )
                )
                instance.get_runs(limit=1)
                instance.all_asset_keys()
                instance.all_instigator_state()
            except Exception as error:
                reason = dagster_home.describe_storage_fault(error)
                raise errors.ConfigurationError(
                    f"Dagster's storage does not open: {reason}. See {home / 'dagster.yaml'}"
                ) from error
        _keep_file_open(stack, home / "history" / "runs.db")
        yield instance


def _instance_overrides(home: Path) -> dict[str, Any]:
    """Return settings of the instance that replace those of its file for runs of this process.

    Compute logs would need four more processes per run; its output goes only to the terminal. The
    event storage is ours if the file names no storage, since it reads and writes the same files.
    """
    from riskmetrics.dagster_events import BatchingEventLogStorage
    from riskmetrics.dagster_private import NoOpComputeLogManager

    overrides: dict[str, Any] = {"compute_logs": _name_class(NoOpComputeLogManager)}
    if not dagster_home.names_storage(home):
        overrides["event_log_storage"] = _name_class(BatchingEventLogStorage) | {
            "config": {"base_dir": str(home / "history" / "runs")}
        }
    return overrides


def _name_class(configurable_class: type) -> dict[str, Any]:
    return {"module": configurable_class.__module__, "class": configurable_class.__name__}


@contextmanager
def _lock_creation(home: Path) -> Iterator[None]:
    try:
        lock = folders.open_private_file(home / "creating.lock")
    except OSError as error:
        raise errors.ConfigurationError(
            f"cannot write {error.filename}: {error.strerror}. Set DAGSTER_HOME to another"
            " directory"
        ) from None
    with lock:
        flock(lock, LOCK_EX)
        yield


def _keep_file_open(stack: ExitStack, file: Path) -> None:
    """Keep a SQLite file open, so that Dagster's short connections do not checkpoint each time.

    Dagster connects for each change of a run, and the last connection to close writes the log back.
    """
    with suppress(sqlite3.Error):  # elsewhere, or in Postgres
        connection = stack.enter_context(
            closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True))
        )
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()


def fail_dead_runs(instance: "dg.DagsterInstance") -> None:
    """Mark unfinished runs of dead processes as failed; Dagster does not monitor these runs."""
    for dead_run in find_dead_runs(instance):
        instance.report_run_failed(dead_run, "the process of this run died")
        echo_err(f"run {dead_run.run_id} marked as failed: its process died")


def find_dead_runs(instance: "dg.DagsterInstance") -> "Iterator[dg.DagsterRun]":
    """Yield unfinished runs whose processes on this machine have died."""
    import dagster as dg

    unfinished = [
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    for run in instance.get_runs(
        dg.RunsFilter(statuses=unfinished, tags=processes.local_run_tags())
    ):
        if not processes.is_alive(run.tags):
            yield run


def _progress_printer() -> "Callable[[dg.EventLogEntry], None]":
    """Return a listener that prints steps, their assets once stored, and warnings of assets."""
    printed = set()

    def print_event(entry: "dg.EventLogEntry") -> None:
        event = entry.dagster_event
        if event is None:
            if int(entry.level) >= logging.WARNING and not entry.user_message.startswith(
                ("Dependencies for step", "Data version mismatch")
            ):  # Dagster's own
                echo_err(entry.user_message)
        elif event.is_step_start:
            printed.add(event.step_key)
            echo_progress(f"  {event.step_key} …")
        elif event.is_step_materialization and event.asset_key:
            name = event.asset_key.to_user_string()
            if name not in printed:  # a range has an event per session
                printed.add(name)
                echo_progress(f"    {name} stored")

    return print_event


def _report_outcome(
    result: "dg.ExecuteInProcessResult", instance: "dg.DagsterInstance", days: Sequence[date]
) -> int:
    """Report what failed and which checks did not pass; return the exit code of the command."""
    from riskmetrics.assets import failures

    code = 0
    if not result.success:
        events = [event for event in result.all_events if event.is_step_failure] or [
            event for event in result.all_events if event.is_failure
        ]
        code = max((_report_failure(event) for event in events), default=1)
    has_failed_check = _report_checks(result)
    if days and (
        stop := failures.describe_blocked_run(instance, result.run_id, *_first_and_last_day(days))
    ):
        echo_err(stop)
    if not result.success:
        return code
    if has_failed_check:
        return errors.DataQualityError.exit_code
    return errors.PARTIAL_EXIT_CODE if _has_missing_input(result) else 0


def _first_and_last_day(days: Sequence[date]) -> tuple[str, str]:
    return days[0].isoformat(), days[-1].isoformat()


def _report_checks(result: "dg.ExecuteInProcessResult") -> bool:
    """Print a line per check that did not pass; return whether the severity of any is ERROR."""
    from riskmetrics.assets import failures
    from riskmetrics.assets.nightly import LAST_SCHEDULED_RUN

    evaluations = result.get_asset_check_evaluations()
    failed = [
        evaluation
        for evaluation in evaluations
        # Dagster adds this check to any selection of assets, although it is not about this run.
        if not evaluation.passed and evaluation.check_name != LAST_SCHEDULED_RUN.name
    ]
    for evaluation in failed:
        echo_err(
            f"{evaluation.severity.value.lower()}: {evaluation.asset_key.to_user_string()}:"
            f" {evaluation.description}"
        )
    return any(map(failures.is_failed_error_check, failed))


def _has_missing_input(result: "dg.ExecuteInProcessResult") -> bool:
    """Return whether some data that an asset requested from a vendor was not fetched."""
    from riskmetrics.assets.reports import NOT_FETCHED_KEY

    materializations = [
        event.step_materialization_data.materialization
        for event in result.all_events
        if event.is_step_materialization
    ]
    return any(
        materialization.metadata[NOT_FETCHED_KEY].value
        for materialization in materializations
        if NOT_FETCHED_KEY in materialization.metadata
    )


def _report_failure(event: "dg.DagsterEvent") -> int:
    """Print why a step or the whole run failed; return the exit code of the error."""
    from riskmetrics.assets import failures

    error = failures.find_cause(event)
    if error is None:
        return 1
    if error.cls_name == "DagsterExecutionInterruptedError":  # Dagster's form of Ctrl-C
        raise KeyboardInterrupt
    if failures.is_blocking_check_failure(error):  # the check is reported separately
        return errors.DataQualityError.exit_code
    echo_err(failures.describe_failure(event))
    if error.message.startswith("psycopg."):
        return errors.DatabaseError.exit_code
    raised_class = failures.error_class(error)
    return raised_class.exit_code if raised_class else 1
