"""The services of docker-compose.yml as processes, by the commands and settings that stand in it, on a real Postgres.

No container is needed: what a container gives (host names, ports, the home) is replaced by what this machine has.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import requests

from riskmetrics.cli.demo import load_sample
from riskmetrics.db.engine import create
from riskmetrics.definitions import DAILY_RISK
from tests.deploy.conftest import CHECKOUT, COMPOSE, ENVIRONMENT, Postgres, free_port, interpolated

PATIENCE = 240
"""Seconds until something is taken to hang: no measure of speed."""

NEW_YORK = ZoneInfo("America/New_York")
KEY = "a-vendors-key-that-nobody-shall-see"
HOME = "/var/lib/riskmetrics"
REPOSITORY = {"repositoryLocationName": "riskmetrics", "repositoryName": "__repository__"}
LAUNCH = """
    mutation ($job: JobOrPipelineSelector!, $tags: [ExecutionTag!]!) {
        launchRun(executionParams: {selector: $job, executionMetadata: {tags: $tags}, runConfigData: {}}) {
            ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
TICK = """
    mutation ($schedule: ScheduleSelector!, $at: Float!) {
        scheduleDryRun(selectorData: $schedule, timestamp: $at) {
            ... on DryRunInstigationTick { evaluationResult { runRequests { tags { key value } } skipReason error { message } } } } }
"""
BACKFILL = """
    mutation ($assets: [AssetKeyInput!]!, $days: [String!]!, $tags: [ExecutionTag!]!) {
        launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $days, tags: $tags}) {
            ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""


class Services:
    """The services on this machine, each with its output in a file of its own."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(mode=0o700)
        self.web = free_port()
        self._here = {
            "@postgres:5432": f"@127.0.0.1:{postgres.port}",
            "0.0.0.0": "127.0.0.1",
            "3000": str(self.web),
            "4000": str(free_port()),
            HOME: str(self.home),
        }
        self._services = interpolated(COMPOSE["services"], postgres.passwords)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for config in self._services["code"]["configs"]:
            source = CHECKOUT / COMPOSE["configs"][config["source"]]["file"]
            shutil.copyfile(source, self.home / Path(config["target"]).relative_to(HOME))

    def words(self, command: list[str]) -> list[str]:
        """Return a command with what this machine has in place of what a container has."""
        for there, here in self._here.items():
            command = [word.replace(there, here) for word in command]
        return command

    def environment(self, name: str) -> dict[str, str]:
        """Return all variables of a service: the image's, those of settings.env, and its own."""
        image = dict(re.findall(rf"(\w+)=({HOME})\b", (CHECKOUT / "Dockerfile").read_text()))
        nobody = f"127.0.0.1:{free_port()}"
        alerts = {"RISKMETRICS_ALERT_WEBHOOK": f"http://{nobody}/{KEY}", "RISKMETRICS_SMTP_URL": f"smtp://me:{KEY}@{nobody}"}
        settings = {"FMP_API_KEY": KEY, "RISKMETRICS_FMP_URL": f"http://{nobody}", **alerts}
        its_own = dict(self._services[name]["environment"], DAGSTER_CODE_HOST="127.0.0.1")
        variables = {**image, **settings, **its_own}
        return {**ENVIRONMENT, **dict(zip(variables, self.words(list(variables.values())), strict=True))}

    def start(self, name: str, *instead: str) -> "subprocess.Popen[bytes]":
        """Start a service as compose does, or another command in its place, as `docker compose run` does."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command, variables = list(instead) or self.words(self._services[name]["command"]), self.environment(name)
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=listen_to_interrupts,  # noqa: PLW1509 — one thread here
            )
        self._running["".join(instead) or name] = process
        return process

    def await_health(self, name: str) -> None:
        """Wait until the health check of a service passes."""
        kind, *check = self._services[name]["healthcheck"]["test"]
        assert kind == "CMD"

        def healthy() -> bool:
            assert self._running[name].poll() is None, self.output(name)
            done = subprocess.run(self.words(check), cwd=self.home, env=self.environment(name), capture_output=True, check=False)
            return done.returncode == 0

        wait_until(healthy, f"{name} is healthy")

    def output(self, name: str) -> str:
        """Return what a service printed."""
        return (self.folder / f"{name}.log").read_text()

    def ask(self, query: str, **variables: object) -> Any:
        """Ask the webserver as its pages do, and return the only field of the answer."""
        answer = requests.post(f"http://127.0.0.1:{self.web}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        (field,) = answer["data"].values()
        return field

    def stop(self) -> None:
        """End what runs, as compose does; what does not end is killed, and with it what it started."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(timeout=60)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def listen_to_interrupts() -> None:
    """Undo what a shell's background job inherits: it ignores SIGINT, and Dagster treats SIGTERM alike."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.5)


@pytest.fixture
def services(postgres: Postgres, tmp_path: Path) -> Iterator[Services]:
    """Start the services in the order of their dependencies, on a database with the sample; they end on SIGTERM."""
    services = Services(postgres, tmp_path)
    try:
        assert services.start("migrate").wait(timeout=PATIENCE) == 0, services.output("migrate")
        engine = create(postgres.url("writer"))
        with engine.begin() as connection:
            load_sample(connection)
        engine.dispose()
        for name in ("code", "webserver", "daemon"):
            services.start(name)
            services.await_health(name)
        yield services
    finally:
        services.stop()


def computed_days(postgres: Postgres) -> dict[str, int]:
    """Return the days that have snapshots, and how many."""
    with psycopg.connect(postgres.url("reader")) as connection:
        return dict(connection.execute("SELECT day::text, count(*) FROM v_portfolio_risk GROUP BY 1 ORDER BY 1").fetchall())


def command_lines() -> str:
    """Return what `ps` shows everybody of every process."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_text(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(lines)


def tick(services: Services, at: datetime) -> Any:
    """Force a tick of the schedule, as its page in the UI does, and return what it asks for."""
    result = services.ask(TICK, schedule={**REPOSITORY, "scheduleName": "after_close"}, at=at.timestamp())["evaluationResult"]
    assert result["error"] is None, result["error"]
    return result


def wait_for_run(services: Services, run_id: str, seen: list[str]) -> None:
    """Wait until a run succeeds, and note meanwhile what its processes are called with."""
    query = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"

    def done() -> bool:
        seen.append(command_lines())
        status = services.ask(query, run=run_id)["status"]
        assert status not in {"FAILURE", "CANCELED"}, services.output("code")
        return bool(status == "SUCCESS")

    wait_until(done, "the run succeeds")


@pytest.mark.timeout(900)
def test_a_scheduled_session_and_a_backfill_of_three_are_computed_and_no_secret_is_seen(services: Services, postgres: Postgres) -> None:
    seen: list[str] = []
    assert "closed" in tick(services, datetime(2022, 12, 26, 18, 30, tzinfo=NEW_YORK))["skipReason"]
    (request,) = tick(services, datetime(2022, 12, 28, 18, 30, tzinfo=NEW_YORK))["runRequests"]
    run_id = services.ask(LAUNCH, job={**REPOSITORY, "jobName": DAILY_RISK}, tags=request["tags"])["run"]["runId"]
    wait_for_run(services, run_id, seen)
    assert computed_days(postgres) == {"2022-12-28": 3}

    days, assets = ["2022-12-22", "2022-12-23", "2022-12-27"], ["portfolio_values", "position_betas"]
    offline = [{"key": "riskmetrics/offline", "value": "true"}]
    backfill = services.ask(BACKFILL, assets=[{"path": [name]} for name in assets], days=days, tags=offline)["backfillId"]
    query = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
    wait_until(lambda: services.ask(query, id=backfill)["status"] == "COMPLETED_SUCCESS", "the backfill completes")
    assert computed_days(postgres) == dict.fromkeys([*days, "2022-12-28"], 3)

    done = services.start("code", "riskmetrics", "run", "--date", "2022-12-28", "--offline")
    assert done.wait(timeout=PATIENCE) == 0, services.output("code")
    runs = services.ask("{ runsOrError { ... on Runs { results { status } } } }")["results"]
    assert [run["status"] for run in runs] == ["SUCCESS"] * 3

    shown = services.ask("{ instance { info } }")["info"] + str(services.ask(RESOURCES, of=REPOSITORY))
    services.stop()
    assert_no_secret(services, postgres, run_id, {"command lines": "\n".join(seen), "the UI": shown})


RESOURCES = """
    query ($of: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $of) {
        ... on ResourceDetailsList { results { name configFields { name } configuredValues { key value } } } } }
"""


def assert_no_secret(services: Services, postgres: Postgres, run_id: str, shown: Mapping[str, str]) -> None:
    """Look for passwords and the key in all that is stored, printed or shown; the run's id shows that each place was looked at."""
    dumps = {name: postgres.run("pg_dump", name).decode() for name in ("dagster", "riskmetrics")}
    files = {str(path): path.read_text(errors="replace") for path in services.folder.rglob("*") if path.is_file()}
    places = {**dumps, **files, **shown}
    for name in ("dagster", "riskmetrics", str(services.folder / "code.log"), "command lines"):
        assert run_id in places[name], name
    assert "warehouse" in places["the UI"]
    assert "run_storage" in places["the UI"]
    assert any("compute_logs" in name and text for name, text in files.items())
    for secret in (KEY, *postgres.passwords.values()):
        assert [name for name, text in places.items() if secret in text] == []
