"""Services of docker-compose.yml together: a scheduled session, a backfill, no leaked secrets."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.deploy.conftest import Postgres
from tests.deploy.services import KEY, REPOSITORY, Services, serve, wait_until
from tests.forked_commands import PATIENCE

NEW_YORK = ZoneInfo("America/New_York")
TICK = """
    mutation ($schedule: ScheduleSelector!, $at: Float!) {
        scheduleDryRun(selectorData: $schedule, timestamp: $at) {
            ... on DryRunInstigationTick {
                evaluationResult { runRequests { tags { key value } } skipReason error { message } }
            }
        }
    }
"""


def computed_days(postgres: Postgres) -> dict[str, int]:
    """Return the number of snapshots by day."""
    with psycopg.connect(postgres.url("reader")) as connection:
        return dict(
            connection.execute(
                "SELECT day::text, count(*) FROM v_portfolio_risk GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )


def command_lines() -> str:
    """Return the command lines of all processes, as shown by `ps`."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


def tick(services: Services, at: datetime) -> Any:
    """Force a tick of the schedule, as the UI does, and return its run requests."""
    result = services.ask(
        TICK, schedule={**REPOSITORY, "scheduleName": "after_close"}, at=at.timestamp()
    )["evaluationResult"]
    assert result["error"] is None, result["error"]
    return result


def wait_for_run(services: Services, run_id: str, seen: list[str]) -> None:
    """Wait until a run succeeds, and record the command lines of its processes."""

    def done() -> bool:
        seen.append(command_lines())
        status = services.status(run_id)
        assert status not in {"FAILURE", "CANCELED"}, services.output("code")
        return status == "SUCCESS"

    wait_until(done, "the run succeeds")


@pytest.mark.slow(120)
@pytest.mark.waits
@pytest.mark.timeout(900)
def test_a_scheduled_session_and_a_backfill_of_three_are_computed_and_no_secret_is_seen(
    postgres: Postgres, tmp_path: Path
) -> None:
    with serve(postgres, tmp_path) as services:
        seen: list[str] = []
        assert (
            "closed"
            in tick(services, datetime(2022, 12, 26, 18, 30, tzinfo=NEW_YORK))["skipReason"]
        )
        (request,) = tick(services, datetime(2022, 12, 28, 18, 30, tzinfo=NEW_YORK))["runRequests"]
        run_id = services.launch(request["tags"])
        wait_for_run(services, run_id, seen)
        assert computed_days(postgres) == {"2022-12-28": 3}

        days = ["2022-12-22", "2022-12-23", "2022-12-27"]
        backfill = services.backfill(["portfolio_values", "position_betas"], days)
        wait_until(
            lambda: services.backfill_status(backfill) == "COMPLETED_SUCCESS",
            "the backfill completes",
        )
        assert computed_days(postgres) == dict.fromkeys([*days, "2022-12-28"], 3)

        done = services.start("code", "riskmetrics", "run", "--date", "2022-12-28", "--offline")
        assert done.wait(timeout=PATIENCE) == 0, services.output("code")
        assert services.statuses() == ["SUCCESS"] * 3
        shown = services.ask("{ instance { info } }")["info"] + str(
            services.ask(RESOURCES, of=REPOSITORY)
        )
    assert_no_secret(
        services, postgres, run_id, {"command lines": "\n".join(seen), "the UI": shown}
    )


RESOURCES = """
    query ($of: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $of) {
        ... on ResourceDetailsList {
            results { name configFields { name } configuredValues { key value } }
        }
    } }
"""


def assert_no_secret(
    services: Services, postgres: Postgres, run_id: str, shown: Mapping[str, str]
) -> None:
    """Search stored data, logs and the UI for secrets; the run's id proves that each was read."""
    dumps = {name: postgres.run("pg_dump", name).decode() for name in ("dagster", "riskmetrics")}
    files = {
        str(path): path.read_text(errors="replace")
        for path in services.folder.rglob("*")
        if path.is_file()
    }
    places = {**dumps, **files, **shown}
    for name in ("dagster", "riskmetrics", str(services.folder / "code.log"), "command lines"):
        assert run_id in places[name], name
    assert "warehouse" in places["the UI"]
    assert "run_storage" in places["the UI"]
    assert any("compute_logs" in name and text for name, text in files.items())
    for secret in (KEY, *postgres.passwords.values()):
        assert [name for name, text in places.items() if secret in text] == []
