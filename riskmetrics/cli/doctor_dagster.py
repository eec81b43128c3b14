"""Checks of `riskmetrics doctor` on Dagster's home, its runs, the schedule and the daemon."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from riskmetrics import folders
from riskmetrics.cli import dagster_home
from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Finding
from riskmetrics.cli.output import pluralize
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import dagster as dg

    from riskmetrics.settings import Settings

_MAX_RUN_SECONDS = 7200
"""Seconds after which a run counts as stuck, as in Dagster's run monitoring."""


def check_dagster(configured: "Settings") -> Iterator[Finding]:
    """Check that Dagster's storage opens, that the schedule works and that no run is stuck."""
    home = configured.dagster_directory
    if fault := dagster_home.find_path_fault(home):
        text = f"Dagster cannot store its files in {home}: {fault}"
        yield Finding("fail", "dagster", text, "set DAGSTER_HOME to another directory")
        return
    if not (home / "dagster.yaml").exists():
        yield Finding("ok", "dagster", f"{home} will be created by the first run")
        return
    import dagster as dg

    from riskmetrics.cli import launch

    try:
        with folders.private_umask(), dg.DagsterInstance.from_config(str(home)) as instance:
            dead = {run.run_id for run in launch.find_dead_runs(instance)}
            started = instance.get_run_records(
                dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
            )
            n_runs = instance.get_runs_count()
            schedule_finding = _check_schedule(instance, is_enabled=configured.nightly)
    except Exception as error:  # noqa: BLE001  # whatever its storage raises is a finding
        text = f"its storage does not open: {dagster_home.describe_storage_fault(error)}"
        advice = f"check {home / 'dagster.yaml'} and the variables that it names"
        yield Finding("fail", "dagster", text, advice)
        return
    yield Finding(
        "ok", "dagster", f"{pluralize(n_runs, 'run')} stored in {_describe_storage(home)}"
    )
    yield schedule_finding
    if dead:
        text = f"left by processes that died: {join_names(sorted(dead), MAX_NAMES_PER_LINE)}"
        yield Finding("warn", "runs", text, "the next riskmetrics run marks them as failed")
    slow = {
        record.dagster_run.run_id
        for record in started
        if record.start_time and time.time() - record.start_time > _MAX_RUN_SECONDS
    }
    if stuck := sorted(slow - dead):
        text = f"running for more than two hours: {join_names(stuck, MAX_NAMES_PER_LINE)}"
        yield Finding("warn", "runs", text, "terminate them in riskmetrics ui if they hang")


def _check_schedule(instance: "dg.DagsterInstance", *, is_enabled: bool) -> Finding:
    """Check that the daemon is healthy if the schedule is on.

    ``is_enabled`` is the setting, which applies unless the schedule was switched in the UI.
    """
    from riskmetrics.dagster_private import InstigatorStatus, InstigatorType

    schedule_statuses = {
        state.status
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
    }
    if InstigatorStatus.RUNNING not in schedule_statuses and (
        not is_enabled or InstigatorStatus.STOPPED in schedule_statuses
    ):
        text = "off: sessions are computed by riskmetrics run or riskmetrics catch-up"
        return Finding("ok", "schedule", text)
    unhealthy_daemons = [
        kind.lower()
        for kind, daemon in instance.get_daemon_statuses().items()
        if daemon.required and not daemon.healthy
    ]
    if unhealthy_daemons:
        names = join_names(sorted(unhealthy_daemons), MAX_NAMES_PER_LINE)
        return Finding(
            "warn",
            "schedule",
            f"on, but Dagster's daemon is not running or unhealthy: {names}",
            "start dagster-daemon or riskmetrics ui, and check its output",
        )
    return Finding("ok", "schedule", "on; Dagster's daemon is running")


def _describe_storage(home: Path) -> str:
    return (
        f"{home} (SQLite)"
        if (home / "history").exists()
        else f"the storage configured in {home / 'dagster.yaml'}"
    )
