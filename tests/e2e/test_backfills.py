"""Every way to compute a range of sessions stores the same rows."""

import time
from datetime import date

import dagster as dg
import pandas as pd
import pytest
import yaml

from riskmetrics import settings, trading_calendar
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.definitions import DAILY_RISK, defs
from tests.conftest import NewDatabase
from tests.e2e import ui_server
from tests.e2e.conftest import RESULT_KEYS, Run, read_results
from tests.e2e.test_entrances import CODE, dagster
from tests.forked_commands import PATIENCE

DAYS = [
    str(day) for day in trading_calendar.sessions_between(date(2022, 12, 22), date(2022, 12, 28))
]
POLL_SECONDS = 1.5
"""The daemon looks for work every 30 seconds; reading a backfill takes 20 ms of computing."""

LAUNCH = """mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""


def _wait_for_all(instance: dg.DagsterInstance) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(run.is_finished for run in instance.get_runs()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}


def _backfill_status(instance: dg.DagsterInstance, backfill_id: str) -> str:
    """Return the status as stored: the webserver would compute the graph for each question."""
    backfill = instance.get_backfill(backfill_id)
    assert backfill is not None
    return str(backfill.status.value)


def _instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(prepare_instance(settings.load())))


def _tags(first: str, last: str) -> str:
    return (
        f'{{"dagster/asset_partition_range_start": "{first}", "dagster/asset_partition_range_end":'
        f' "{last}"}}'
    )


def _by_dagsters_commands() -> None:
    """Three sessions by `asset materialize`, and one by `job launch` without a daemon."""
    done = dagster(
        [
            "asset",
            "materialize",
            *CODE,
            "--select",
            "not group:model",
            "--partition-range",
            f"{DAYS[0]}...{DAYS[2]}",
        ]
    )
    assert done.returncode == 0, done.stderr
    launched = dagster(
        [
            "job",
            "launch",
            *CODE,
            "-j",
            DAILY_RISK,
            "--tags",
            f'{{"dagster/partition": "{DAYS[3]}"}}',
        ]
    )
    assert launched.returncode == 0, launched.stderr
    with _instance() as instance:
        _wait_for_all(instance)
        assert len(instance.get_runs()) == 2


def _by_ui_and_daemon() -> None:
    """Two sessions by the UI's backfill mutation, two by `job launch`, queued for the daemon."""
    file = prepare_instance(settings.load()) / "dagster.yaml"
    config = yaml.safe_load(file.read_text())
    config["run_coordinator"]["class"] = "QueuedRunCoordinator"
    file.write_text(yaml.safe_dump(config))
    chosen = dg.AssetSelection.all() - dg.AssetSelection.groups("model")
    assets = [
        {"path": list(key.path)} for key in sorted(chosen.resolve(defs.resolve_asset_graph()))
    ]
    with ui_server.serve() as address, _instance() as instance:
        params = {
            "assetSelection": assets,
            "partitionNames": DAYS[:2],
            "fromFailure": False,
            "tags": [],
        }
        launched = ui_server.query_graphql(address, LAUNCH, params=params)[
            "launchPartitionBackfill"
        ]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        deadline = time.monotonic() + PATIENCE
        while (
            status := _backfill_status(instance, launched["backfillId"])
        ) == "REQUESTED" and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        assert status == "COMPLETED_SUCCESS"
        of_sessions = [
            run for run in instance.get_runs() if "dagster/asset_partition_range_start" in run.tags
        ]
        assert len(of_sessions) == 1  # one run for the range
        queued = dagster(["job", "launch", *CODE, "-j", DAILY_RISK, "--tags", _tags(*DAYS[2:])])
        assert queued.returncode == 0, queued.stderr
        _wait_for_all(instance)


@pytest.mark.slow(160)
@pytest.mark.waits
@pytest.mark.timeout(900)
def test_the_command_line_dagsters_commands_and_the_ui_leave_the_same_rows(
    sample: str,
    sample_template: str,
    new_database: NewDatabase,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert run([date.fromisoformat(day) for day in DAYS]).exit_code == 0
    expected = read_results(sample)
    assert sorted(expected["portfolio_snapshots"]["snapshot_date"].unique()) == DAYS
    for way in (_by_dagsters_commands, _by_ui_and_daemon):
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url := new_database(sample_template))
        monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path_factory.mktemp("home")))
        way()
        for name, rows in read_results(url).items():
            pd.testing.assert_frame_equal(rows, expected[name], obj=f"{name}, {way.__name__}")
    assert set(expected) == set(RESULT_KEYS)
