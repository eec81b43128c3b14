"""Services of docker-compose.yml as processes with the same commands and settings.

They use a real Postgres. No container is needed: host names, ports and the home are replaced by
those of this machine.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests

from riskmetrics.cli.demo import load_sample
from riskmetrics.db.engine import create_engine
from riskmetrics.definitions import DAILY_RISK
from riskmetrics.resources import OFFLINE_TAG
from tests.deploy.conftest import CHECKOUT, COMPOSE, ENVIRONMENT, Postgres, interpolated
from tests.forked_commands import PATIENCE
from tests.listening import free_port

KEY = "a-vendors-key-that-nobody-shall-see"
HOME = "/var/lib/riskmetrics"
REPOSITORY = {
    "repositoryLocationName": "riskmetrics.definitions",
    "repositoryName": "__repository__",
}
LAUNCH = """
    mutation ($job: JobOrPipelineSelector!, $tags: [ExecutionTag!]!) {
        launchRun(
            executionParams: {selector: $job, executionMetadata: {tags: $tags}, runConfigData: {}}
        ) {
            ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
RUN = "query ($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
BACKFILL = """
    mutation ($assets: [AssetKeyInput!]!, $days: [String!]!, $tags: [ExecutionTag!]!) {
        launchPartitionBackfill(
            backfillParams: {assetSelection: $assets, partitionNames: $days, tags: $tags}
        ) {
            ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
BACKFILL_STATUS = (
    "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {"
    " status } } }"
)


class Services:
    """Services on this machine, each with its output in a file."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.folder, self.home, self._postgres = folder, folder / "home", postgres
        self.home.mkdir(mode=0o700)
        self.web, code = free_port(), free_port()
        self._ports = {"webserver": self.web, "code": code}
        self._here = {
            "@postgres:5432": f"@127.0.0.1:{postgres.port}",
            "0.0.0.0": "127.0.0.1",
            "3000": str(self.web),
            "4000": str(code),
            HOME: str(self.home),
        }
        self._services = interpolated(COMPOSE["services"], postgres.passwords)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for config in self._services["code"]["configs"]:
            source = CHECKOUT / COMPOSE["configs"][config["source"]]["file"]
            shutil.copyfile(source, self.home / Path(config["target"]).relative_to(HOME))

    def words(self, command: list[str]) -> list[str]:
        """Return a command with paths and hosts of this machine instead of the container's."""
        for there, here in self._here.items():
            command = [word.replace(there, here) for word in command]
        return command

    def environment(self, name: str) -> dict[str, str]:
        """Return all variables of a service: the image's, those of settings.env, and its own."""
        image = dict(re.findall(rf"(\w+)=({HOME})\b", (CHECKOUT / "Dockerfile").read_text()))
        nobody = f"127.0.0.1:{free_port()}"
        alerts = {
            "RISKMETRICS_ALERT_WEBHOOK": f"http://{nobody}/{KEY}",
            "RISKMETRICS_SMTP_URL": f"smtp://me:{KEY}@{nobody}",
        }
        settings = {"FMP_API_KEY": KEY, "RISKMETRICS_FMP_URL": f"http://{nobody}", **alerts}
        its_own = dict(self._services[name]["environment"], DAGSTER_CODE_HOST="127.0.0.1")
        variables = {**image, **settings, **its_own}
        return {
            **ENVIRONMENT,
            **dict(zip(variables, self.words(list(variables.values())), strict=True)),
        }

    def start(self, name: str, *instead: str) -> "subprocess.Popen[bytes]":
        """Start a service as compose does, or another command as `docker compose run` does."""
        with (self.folder / f"{name}.log").open("ab") as log:
            command, variables = (
                list(instead) or self.words(self._services[name]["command"]),
                self.environment(name),
            )
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
        # a check costs a second of imports, a connection nothing
        if name in self._ports:
            wait_until(lambda: is_listening(self._ports[name]), f"{name} listens", 0.1)
        if name == "daemon":
            wait_until(self._has_heartbeat, "the daemon begins", 0.1)

        def healthy() -> bool:
            assert self._running[name].poll() is None, self.output(name)
            done = subprocess.run(
                self.words(check),
                cwd=self.home,
                env=self.environment(name),
                capture_output=True,
                check=False,
            )
            return done.returncode == 0

        wait_until(healthy, f"{name} is healthy")

    def _has_heartbeat(self) -> bool:
        with psycopg.connect(self._postgres.url("writer", "dagster")) as connection:
            return connection.execute("SELECT 1 FROM daemon_heartbeats").fetchone() is not None

    def output(self, name: str) -> str:
        """Return what a service printed."""
        return (self.folder / f"{name}.log").read_text()

    def ask(self, query: str, **variables: object) -> Any:
        """Query the webserver as its pages do, and return the only field of the response."""
        answer = requests.post(
            f"http://127.0.0.1:{self.web}/graphql",
            json={"query": query, "variables": variables},
            timeout=PATIENCE,
        ).json()
        assert "errors" not in answer, answer["errors"]
        (field,) = answer["data"].values()
        return field

    def launch(self, tags: Sequence[Mapping[str, str]]) -> str:
        """Submit a run of the job, as the UI does, and return its id."""
        run_id: str = self.ask(LAUNCH, job={**REPOSITORY, "jobName": DAILY_RISK}, tags=tags)["run"][
            "runId"
        ]
        return run_id

    def status(self, run_id: str) -> str:
        """Return the status of a run."""
        status: str = self.ask(RUN, run=run_id)["status"]
        return status

    def backfill(self, assets: Sequence[str], days: Sequence[str]) -> str:
        """Launch a backfill of assets as the UI does, without the vendor; return its id."""
        offline = [{"key": OFFLINE_TAG, "value": "true"}]
        backfill: str = self.ask(
            BACKFILL, assets=[{"path": [name]} for name in assets], days=days, tags=offline
        )["backfillId"]
        return backfill

    def backfill_status(self, backfill: str) -> str:
        """Return the status of a backfill."""
        status: str = self.ask(BACKFILL_STATUS, id=backfill)["status"]
        return status

    def statuses(self) -> list[str]:
        """Return the status of all runs, newest first."""
        return [
            run["status"]
            for run in self.ask("{ runsOrError { ... on Runs { results { status } } } }")["results"]
        ]

    def kill(self, name: str) -> None:
        """Kill a service and its child processes."""
        os.killpg(self._running[name].pid, signal.SIGKILL)
        self._running[name].wait()

    def stop(self) -> None:
        """Stop services as compose does; kill those that do not stop, with their children."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(timeout=PATIENCE)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def listen_to_interrupts() -> None:
    """Restore SIGINT, which background jobs of a shell ignore; Dagster then ignores SIGTERM too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_listening(port: int) -> bool:
    """Return whether a service on this machine accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_until(done: Callable[[], bool], what: str, pause: float = 0.5) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(pause)


@contextmanager
def serve(postgres: Postgres, folder: Path) -> Iterator[Services]:
    """Start the services by their dependencies, on a database with the sample; stop by SIGTERM."""
    services = Services(postgres, folder)
    try:
        assert services.start("migrate").wait(timeout=PATIENCE) == 0, services.output("migrate")
        engine = create_engine(postgres.url("writer"))
        with engine.begin() as connection:
            load_sample(connection)
        engine.dispose()
        for name in ("code", "webserver", "daemon"):
            services.start(name)
            services.await_health(name)
        yield services
    finally:
        services.stop()
