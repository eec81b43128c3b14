"""A killed daemon: what it started continues, and the next daemon takes up the rest."""

from pathlib import Path

import psycopg
import pytest

from riskmetrics.resources import OFFLINE_TAG
from tests.deploy.conftest import Postgres
from tests.deploy.services import serve, wait_until
from tests.faults.conftest import ASSETS, FAST, RESULTS, SLOW, WRITING
from tests.forked_commands import PATIENCE

pytestmark = pytest.mark.faults

SESSIONS, TONIGHT = ["2022-12-23", "2022-12-27"], "2022-12-28"


def ask(postgres: Postgres, statement: str, role: str = "writer") -> list[tuple[object, ...]]:
    """Query or change the deployment's database; the writer sees its other sessions."""
    with psycopg.connect(postgres.url(role), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def days(rows: list[tuple[object, ...]]) -> list[str]:
    """Return the days of results, one entry per portfolio."""
    return sorted(str(day) for _, day, *_ in rows)


@pytest.mark.slow(90)
@pytest.mark.waits
@pytest.mark.timeout(5 * PATIENCE)
def test_a_killed_daemon_takes_no_run_with_it_and_the_next_one_completes_what_it_had_begun(
    postgres: Postgres, tmp_path: Path
) -> None:
    """A backfill continues in the code server; a nightly run requested meanwhile is queued."""
    with serve(postgres, tmp_path) as services:
        for statement in SLOW:
            ask(postgres, statement, "owner")
        backfill = services.backfill(ASSETS, SESSIONS)
        writing = f"SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {WRITING}"
        wait_until(lambda: bool(ask(postgres, writing)), "the run of the backfill writes")
        services.kill("daemon")
        assert services.statuses() == ["STARTED"]
        assert ask(postgres, "SELECT count(*) FROM position_market_betas") == [(0,)]
        tonight = services.launch(
            [{"key": "dagster/partition", "value": TONIGHT}, {"key": OFFLINE_TAG, "value": "true"}]
        )
        wait_until(
            lambda: services.statuses() == ["QUEUED", "SUCCESS"],
            "the run of the backfill ends well, and the other waits",
        )
        assert services.backfill_status(backfill) == "REQUESTED"
        of_backfill = ask(postgres, RESULTS)
        assert days(of_backfill) == sorted(SESSIONS * 3)

        for statement in FAST:
            ask(postgres, statement, "owner")
        services.start("daemon")
        wait_until(lambda: services.status(tonight) == "SUCCESS", "the run that waited ends well")
        wait_until(
            lambda: services.backfill_status(backfill) == "COMPLETED_SUCCESS",
            "the backfill is known to be complete",
        )
        assert services.statuses() == ["SUCCESS"] * 2
        whole = ask(postgres, RESULTS)
        assert set(of_backfill) < set(whole)
        assert days(whole) == sorted([*SESSIONS, TONIGHT] * 3)

        span = ("--from", SESSIONS[0], "--to", TONIGHT, "--assets", ",".join(ASSETS), "--offline")
        again = services.start("code", "riskmetrics", "backfill", *span)
        assert again.wait(timeout=PATIENCE) == 0, services.output("code")
        assert ask(postgres, RESULTS) == whole
