"""Every way to start a run refuses days that are not ended sessions, with an error message."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.definitions import DAILY_RISK, defs
from riskmetrics.errors import InvalidSessionError
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import Run, read_results, replace_with_unpriced
from tests.forked_commands import PATIENCE

CODE = ["-m", "riskmetrics.definitions"]
DAY_TAG = json.dumps({"dagster/partition": "2022-12-28"})
CLOSED = "2022-12-26"
TO_COME = trading_calendar.calendar_end().isoformat()


def _days(url: str, table: str = "portfolio_snapshots", column: str = "snapshot_date") -> list[str]:
    with open_connection(url) as connection:
        days = connection.scalars(
            sa.text(f"SELECT DISTINCT {column} FROM {table} ORDER BY 1")
        ).all()
    return [str(day) for day in days]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--date", CLOSED], "the exchange is closed"),
        (["run", "--date", TO_COME], "has not closed yet"),
        (["run", "--date", "1985-01-02"], "outside the calendar"),
        (["backfill", "--from", "2022-12-28", "--to", "2022-12-27"], "the range is reversed"),
        (
            ["backfill", "--from", "2022-12-24", "--to", "2022-12-26"],
            "no completed session between",
        ),
        (["backfill", "--from", TO_COME, "--to", TO_COME], "no completed session between"),
    ],
)
def test_the_command_line_refuses_what_is_not_ended_sessions(
    sample: str, arguments: list[str], sentence: str
) -> None:
    result = invoke(*arguments)
    assert isinstance(result.exception, InvalidSessionError)
    assert result.exception.exit_code == 2
    assert sentence in str(result.exception)
    assert _days(sample) == []


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({}, "the run names no session"),
        ({"dagster/partition": CLOSED}, "the exchange is closed"),
        ({"dagster/partition": TO_COME}, "has not closed yet"),
        (
            {
                "dagster/asset_partition_range_start": "2022-12-28",
                "dagster/asset_partition_range_end": "2022-12-27",
            },
            "the range is reversed",
        ),
        (
            {
                "dagster/asset_partition_range_start": CLOSED,
                "dagster/asset_partition_range_end": "2022-12-27",
            },
            "the exchange is closed",
        ),
    ],
)
def test_a_run_refuses_tags_that_dagster_accepts(
    sample: str, tags: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    """Dagster itself would compute a closed day, or change a range."""
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = defs.resolve_job_def(DAILY_RISK).execute_in_process(
            instance=instance, tags=tags, raise_on_error=False
        )
    assert not result.success
    errors = [
        str(event.step_failure_data.error) for event in result.all_events if event.is_step_failure
    ]
    assert errors
    assert all(sentence in error for error in errors)
    assert _days(sample) == []


def test_a_range_with_closed_ends_is_shortened_with_a_notice(sample: str) -> None:
    days = ("--from", "2022-12-24", "--to", "2022-12-28")
    result = invoke("backfill", *days, "--assets", "portfolio_values")
    assert result.exit_code == 0, result.output
    assert "shortened to sessions that have ended: 2022-12-27 to 2022-12-28" in result.output
    assert _days(sample) == ["2022-12-27", "2022-12-28"]


def test_without_a_date_the_latest_session_with_prices_is_used_with_a_notice(sample: str) -> None:
    result = invoke("run", "--assets", "portfolio_values")
    assert result.exit_code == 0, result.output
    assert "using 2022-12-28" in result.output
    assert _days(sample) == ["2022-12-28"]


def test_a_missing_close_of_the_market_index_is_an_error_that_lists_the_sessions(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_connection(sample) as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'SPX' AND date = '2022-12-27'")
        )
    outcome = run([date(2022, 12, 27), date(2022, 12, 28)])
    assert outcome.exit_code == 3
    assert "no close of SPX on 2022-12-27" in capsys.readouterr().err
    assert _days(sample, "position_market_betas", "calc_date") == []


def test_unknown_symbols_fail_the_run_by_name_but_not_other_portfolios_until_removed(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_with_unpriced(sample, "Concentrated")
    assert run([date(2022, 12, 28)], ["portfolio_values"]).exit_code == 3
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "error: portfolio_values: too few holdings have a close (options: of their underlying) in"
        " Concentrated (0 of 1" in said
    )
    assert "correct the symbol with `riskmetrics symbols rename OLD NEW`, or import" in said
    assert "import prices FILE" not in said  # one remedy, that of the symbol
    assert len(read_results(sample)["portfolio_snapshots"]) == 2
    assert invoke("portfolio", "remove", "Concentrated", "--yes").exit_code == 0
    assert run([date(2022, 12, 28)], ["portfolio_values"]).exit_code == 0


def dagster(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a Dagster command as after `eval "$(riskmetrics env)"`, in its own directory."""
    variables = json.loads(invoke("env", "--json").stdout)
    command = [sys.executable, "-m", "dagster", *arguments]
    return subprocess.run(
        command,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_dagster_job_launch_succeeds_without_a_daemon(sample: str) -> None:
    launched = dagster(["job", "launch", *CODE, "-j", DAILY_RISK, "--tags", DAY_TAG])
    assert launched.returncode == 0, launched.stderr
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        deadline = time.monotonic() + PATIENCE
        while (
            not (run := instance.get_runs(limit=1)[0]).is_finished and time.monotonic() < deadline
        ):
            time.sleep(0.3)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert _days(sample) == ["2022-12-28"]


def test_dagster_asset_materialize_takes_a_range_in_one_run(sample: str) -> None:
    done = dagster(
        [
            "asset",
            "materialize",
            "-m",
            "riskmetrics.definitions",
            "--select",
            "portfolio_values",
            "--partition-range",
            "2022-12-23...2022-12-28",
        ]
    )
    assert done.returncode == 0, done.stderr
    assert _days(sample) == ["2022-12-23", "2022-12-27", "2022-12-28"]
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        assert len(instance.get_runs()) == 1


def test_dagster_job_execute_migrates_an_empty_database_before_the_first_step(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The run fails because of missing prices, on an existing schema."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", empty_database)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    failed = dagster(["job", "execute", *CODE, "-j", DAILY_RISK, "--tags", DAY_TAG])
    assert failed.returncode != 0
    assert "no close of SPY on 2022-12-28" in failed.stderr
    assert _days(empty_database) == []
