"""Back up, restore and prune as docs/how-to/backup-and-upgrade.md says, between two servers."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from riskmetrics.cli.demo import load_sample
from riskmetrics.db.engine import create_engine
from tests.deploy.conftest import (
    CHECKOUT,
    Postgres,
    embedded_binaries,
    new_folder,
    riskmetrics,
    serve,
    stop,
)

DOCUMENT = (CHECKOUT / "docs" / "how-to" / "backup-and-upgrade.md").read_text()
DUMP, RESTORE = re.findall(
    r"```sh\n(.*?)```", DOCUMENT.partition("## A deployment")[2].partition("\n## ")[0], re.S
)
ROLES = str(CHECKOUT / "deploy" / "postgres" / "roles.sql")
RETENTION = str(CHECKOUT / "deploy" / "postgres" / "retention.sql")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
DAY = "2022-12-28"


@pytest.fixture
def other(postgres: Postgres) -> Iterator[Postgres]:
    """Return another server with the same roles and passwords, and nothing else."""
    folder = new_folder()
    server = serve(embedded_binaries(), folder, postgres.passwords)
    server.run("psql", "--quiet", "--file", ROLES)
    yield server
    stop(server, folder)


KINDS = "SELECT DISTINCT coalesce(dagster_event_type, 'a log line') FROM event_logs"
KEPT = ("ASSET_", "PIPELINE_", "RUN_", "STEP_FAILURE")
"""Beginnings of kinds of events that tell what is materialized, and how runs and checks went."""


def contents(server: Postgres, database: str) -> dict[str, list[str]]:
    """Return every row of every table."""
    with psycopg.connect(server.url("writer", database)) as connection:
        names = [name for (name,) in connection.execute(TABLES)]
        return {
            name: sorted(row for (row,) in connection.execute(f'SELECT t::text FROM "{name}" t'))
            for name in names
        }


def in_shell(server: Postgres, commands: str, folder: Path) -> None:
    """Run commands that are written for a container, without the container."""
    server.run(
        "sh", "-ec", f"cd {folder}\n" + commands.replace("docker compose exec -T postgres ", "")
    )


@pytest.mark.slow(20)
@pytest.mark.timeout(900)
def test_a_dump_restored_elsewhere_holds_every_row_and_runs_on(
    postgres: Postgres, other: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention must not remove anything that materializations depend on."""
    home, backup = tmp_path / "home", tmp_path / "backup"
    home.mkdir()
    backup.mkdir()
    shutil.copy(CHECKOUT / "deploy" / "dagster.yaml", home)

    def command(server: Postgres, role: str, *arguments: str) -> str:
        address = server.url("writer", "dagster").replace("postgresql", "postgresql+psycopg2")
        return riskmetrics(
            *arguments,
            url=server.url(role),
            home=home,
            DAGSTER_HOME=str(home),
            DAGSTER_DATABASE_URL=address,
        )

    command(postgres, "owner", "db", "upgrade")
    engine = create_engine(postgres.url("writer"))
    with engine.begin() as connection:
        load_sample(connection)
    engine.dispose()
    command(postgres, "writer", "run", "--date", DAY, "--offline")

    in_shell(postgres, DUMP, backup)
    assert [path.stat().st_mode & 0o777 for path in backup.iterdir()] == [0o600, 0o600]
    in_shell(other, RESTORE, backup)
    for database, known in (("riskmetrics", "position_market_betas"), ("dagster", "event_logs")):
        restored = contents(other, database)
        assert restored[known]
        assert restored == contents(postgres, database)

    results = contents(other, "riskmetrics")
    command(other, "owner", "db", "verify")
    command(other, "writer", "run", "--date", DAY, "--offline")
    assert contents(other, "riskmetrics") == results
    assert_retention_keeps_what_is_materialized(other, home, monkeypatch)


def assert_retention_keeps_what_is_materialized(
    server: Postgres, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: Dagster's own view of the instance."""
    events = len(contents(server, "dagster")["event_logs"])
    server.run("psql", "--quiet", "--dbname", "dagster", "--file", RETENTION)
    assert len(contents(server, "dagster")["event_logs"]) == events
    server.run("psql", "--quiet", "--dbname", "dagster", "--set", "days=0", "--file", RETENTION)
    with psycopg.connect(server.url("writer", "dagster")) as connection:
        kinds = {kind for (kind,) in connection.execute(KINDS)}
    assert len(contents(server, "dagster")["event_logs"]) < events
    assert {kind for kind in kinds if not kind.startswith(KEPT)} == set()
    monkeypatch.setenv(
        "DAGSTER_DATABASE_URL",
        server.url("writer", "dagster").replace("postgresql", "postgresql+psycopg2"),
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("portfolio_values")) == {DAY}
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS] * 2
        check = dg.AssetCheckKey(dg.AssetKey("sector_concentration"), "sector_weights_sum")
        assert (
            instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[
                check
            ].status.value
            == "SUCCEEDED"
        )
