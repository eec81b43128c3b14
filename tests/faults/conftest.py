"""Separate databases on durable servers, because the faults here are real."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics.cli.demo import load_sample
from riskmetrics.db import embedded, migrate
from riskmetrics.db.engine import create_engine
from riskmetrics.db.roles import Role
from tests.conftest import COMMAND
from tests.deploy.conftest import postgres  # noqa: F401  # a fixture: the server of a deployment
from tests.forked_commands import ForkedCommand

Command = subprocess.Popen[str] | ForkedCommand
Start = Callable[..., Command]

PATIENCE = 900
"""Seconds until a command counts as hanging; generous, because the machine may be busy."""


@pytest.fixture(scope="session")
def home_with_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RISKMETRICS_HOME with the sample on an embedded server that has stopped, to be copied."""
    home = tmp_path_factory.mktemp("template") / "home"
    with embedded.connect_or_start(home) as server:
        engine = create_engine(server.url)
        migrate.ensure_head(engine)
        with engine.begin() as connection:
            load_sample(connection)
        engine.dispose()
    return home


@pytest.fixture
def home(home_with_sample: Path, tmp_path: Path) -> Iterator[Path]:
    """A RISKMETRICS_HOME with the sample on an embedded server, durable as a user's."""
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", str(home_with_sample), str(home)], check=True)
    with embedded.connect_or_start(home):
        yield home


@pytest.fixture
def start(home: Path, tmp_path: Path, command_server: None) -> Iterator[Start]:
    """Yield a function that starts the command in its own process group; kill leftovers.

    Processes of ``riskmetrics`` are forked from one that has loaded everything, unless a library is
    to be preloaded.
    """
    unwanted = ("RISKMETRICS", "DAGSTER", "FMP")
    foreign = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name for word in unwanted)
    }
    running: list[Command] = []

    def start(*arguments: str, program: str = "riskmetrics", **variables: str) -> Command:
        environment = foreign | {"RISKMETRICS_HOME": str(home)} | variables
        process: Command
        if program == "riskmetrics" and "LD_PRELOAD" not in variables:
            output = tmp_path / f"output-{len(running)}"
            process = ForkedCommand(arguments, environment, tmp_path, output)
        else:
            process = subprocess.Popen(
                [Path(COMMAND).with_name(program), *arguments],
                cwd=tmp_path,
                env=environment,
                stdout=(
                    subprocess.PIPE if program == "riskmetrics" else subprocess.DEVNULL
                ),  # nobody reads what a server says
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                preexec_fn=_listen_to_interrupts,  # noqa: PLW1509 — one thread here
            )
        running.append(process)
        return process

    yield start
    for process in running:
        kill(process)


def _listen_to_interrupts() -> None:
    """Restore SIGINT, which background jobs of a shell inherit as ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def kill(process: Command) -> None:
    """Kill a process and its children, unless it has ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it has ended since
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finish(process: Command, code: int = 0) -> str:
    """Wait until a command ends with the expected exit code; return its output."""
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, output
    return output


def runs(home: Path, **kinds: object) -> list[dg.DagsterRun]:
    """Return the runs of the home's Dagster instance."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return list(instance.get_runs(dg.RunsFilter(**kinds)))  # type: ignore[arg-type]


UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def query(home: Path, statement: str) -> list[tuple[object, ...]]:
    """Query the home's database."""
    with asking(home) as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def change(home: Path, *statements: str) -> None:
    """Change the home's database, as the owner of its tables."""
    with asking(home, Role.OWNER) as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
        connection.commit()


@contextmanager
def asking(home: Path, role: Role = Role.WRITER) -> Iterator[sa.Connection]:
    """Yield a connection to the home's database; a role sees what its other sessions do."""
    with embedded.connect_or_start(home) as server:
        engine = create_engine(server.database_url(role=role))
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def change_as_superuser(server: embedded.EmbeddedServer, *statements: str) -> None:
    """Execute statements as the superuser, and lock it out again."""
    with server._cluster.superuser_connection() as connection:
        for statement in statements:
            connection.execute(statement.encode())


SLOW = (
    (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2);"
        " RETURN NEW; END'"
    ),
    (
        "CREATE TRIGGER slow BEFORE INSERT ON position_market_betas FOR EACH ROW EXECUTE FUNCTION"
        " slow()"
    ),
)
"""Trigger that makes an asset's write last for seconds, so that a test can interrupt it."""
FAST = ("DROP FUNCTION slow() CASCADE",)


def wait_for(home: Path, process: Command, condition: str, role: Role = Role.WRITER) -> None:
    """Wait until a session of ``role`` meets a ``condition`` on pg_stat_activity."""
    began = time.monotonic()
    with asking(home, role) as connection:
        while not connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND"
                f" {condition}"
            )
        ):
            connection.rollback()
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.05)


ASSETS = ["position_betas", "portfolio_values", "portfolio_betas", "sector_concentration"]
"""Assets whose rows RESULTS reads: a run of all takes three times as long."""

WRITING = "state = 'active' AND query LIKE 'INSERT INTO position_market_betas%'"


RESULTS = (
    "SELECT p.name, s.snapshot_date, s.total_value, s.beta_calculated_90d, s.hhi,"
    " s.sector_exposure::text, (SELECT count(*) FROM position_market_betas b WHERE b.portfolio_id ="
    " s.portfolio_id AND b.calc_date = s.snapshot_date), (SELECT sum(beta) FROM"
    " position_market_betas b WHERE b.portfolio_id = s.portfolio_id AND b.calc_date ="
    " s.snapshot_date), (SELECT count(*) FROM portfolio_sector_weights w WHERE w.portfolio_id ="
    " s.portfolio_id AND w.day = s.snapshot_date), (SELECT count(*) FROM undefined_metrics u WHERE"
    " u.portfolio_id = s.portfolio_id AND u.day = s.snapshot_date) FROM portfolio_snapshots s JOIN"
    " portfolios p ON p.id = s.portfolio_id ORDER BY 1, 2"
)
"""Query of every portfolio and day with its figures, and its number of rows in other tables."""
