"""Fixtures: one Postgres server per run with a migrated template, and a new database per test."""

import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count, islice
from pathlib import Path

import hypothesis
import psycopg
import pytest
import sqlalchemy as sa
import typer.main
import typer.testing
from alembic.script import Script, ScriptDirectory

from riskmetrics import deadlines, trading_calendar
from riskmetrics.charts import renderer
from riskmetrics.cli.database import OBJECTS_PER_COLLECTION
from riskmetrics.db import embedded, migrate
from riskmetrics.db.engine import create_engine
from tests.forked_commands import start_server
from tests.stopped_clocks import stopped_clock

NewDatabase = Callable[..., str]
Superuser = psycopg.Connection[tuple[object, ...]]

COMMAND = str(Path(sys.executable).parent / "riskmetrics")
SHARED_DATA = Path(
    os.environ.get("TEST_DATA_FOLDER") or Path(__file__).parents[2] / "shared" / "data"
)
"""Optional data: larger counterparts of what the tests build from the bundled sample."""

needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(),
    reason="optional data: real prices, fund holdings, broker files and vendor answers, larger than"
    " those of the same tests on the bundled sample. Set TEST_DATA_FOLDER to their folder",
)

_SETTINGS = ("DATABASE_URL", "DAGSTER_HOME", "FMP_API_KEY", "ANTHROPIC_API_KEY")
"""Settings whose names do not say whose they are."""

hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")  # neither chance nor a busy machine fails a test

_numbers = count()
MEMORY = Path("/dev/shm")  # a database per test is ten times cheaper in memory


def pytest_xdist_auto_num_workers() -> int | None:
    """Use one worker more than there are cores: many tests wait for servers and daemons."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while modules are imported, and never again in what they leave.

    Later searches are as rare as in a run.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    gc.enable()


_INTEGRATION_FOLDERS = {"deploy", "e2e", "faults", "wheel"}
_PATIENCE, _PATIENCE_WITH_FAULTS = 900, 1800
"""Seconds until a test of these folders, or one with faults, counts as hanging: on a machine with
other work, runs take ten times as long as alone."""

_SECONDS_PER_TEST = 1.5
"""What a test of these folders takes on average, if it has no marker ``slow``."""


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Mark the tests that need Postgres; after the selection, let all workers begin with slow ones.

    Those of the folders of whole runs are marked, too. Other tests that start a process or run a
    job of Dagster have the marker ``integration`` where they are written.
    """
    for item in items:
        folder = item.path.relative_to(config.rootpath / "tests").parts[0]
        if folder in _INTEGRATION_FOLDERS or "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.integration)
        if item.get_closest_marker("timeout"):
            continue
        if item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.timeout(_PATIENCE_WITH_FAULTS))
        elif folder in _INTEGRATION_FOLDERS:
            item.add_marker(pytest.mark.timeout(_PATIENCE))
    yield
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = deal_slow_tests(items, workers)


def deal_slow_tests(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return ``items`` in an order whose ``workers`` equal parts each begin with slow tests.

    The longest come first, each to the worker with the least work so far. The tests of a module
    that runs the job, or has the marker ``together``, stay together, since they share what its
    fixtures compute. So do all tests with the marker ``waits``: at once, they would leave the
    processors idle. pytest-xdist
    (``--dist worksteal``) gives each worker such a part, and an idle worker steals from the end of
    the longest: those end with the tests that take milliseconds.
    """
    sizes = [(len(items) + place) // workers for place in range(workers)]
    parts: list[list[pytest.Item]] = [[] for _ in sizes]
    work = [0.0 for _ in sizes]
    dealt: set[pytest.Item] = set()
    for seconds, group in _slow_groups(items):
        with_room = [
            place for place, part in enumerate(parts) if len(part) + len(group) <= sizes[place]
        ]
        if with_room:
            place = min(with_room, key=work.__getitem__)
            parts[place] += group
            work[place] += seconds
            dealt.update(group)
    others = iter([item for item in items if item not in dealt])
    return [
        item
        for part, size in zip(parts, sizes, strict=True)
        for item in (*part, *islice(others, size - len(part)))
    ]


def _slow_groups(items: Sequence[pytest.Item]) -> list[tuple[float, list[pytest.Item]]]:
    """Return slow tests, and the tests of each module that stays together, with their seconds."""
    waiting = [item for item in items if item.get_closest_marker("waits")]
    groups = [(sum(_seconds(item, "slow") for item in waiting), waiting)]
    modules: dict[Path, list[pytest.Item]] = {}
    for item in (item for item in items if item not in waiting):
        is_together, seconds = bool(_seconds(item, "together")), _seconds(item, "slow")
        if seconds and not is_together:
            groups.append((seconds, [item]))
        elif is_together or item.path.parent.name in _INTEGRATION_FOLDERS:
            modules.setdefault(item.path, []).append(item)
    groups += [
        (_seconds(module[0], "together") or _SECONDS_PER_TEST * len(module), module)
        for module in modules.values()
    ]
    return sorted(groups, key=lambda group: group[0], reverse=True)


def _seconds(item: pytest.Item, marker: str) -> float:
    """Return what the marker ``slow`` or ``together`` says that a test or module takes, else 0."""
    found = item.get_closest_marker(marker)
    return found.args[0] if found else 0.0


@contextmanager
def open_connection(url: str) -> Iterator[sa.Connection]:
    """Yield a connection whose transaction is committed at the end; all resources are closed."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def fast_folder() -> Iterator[Path]:
    """Return an in-memory directory if there is enough space, since databases sync often."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 1 << 30
    folder = Path(tempfile.mkdtemp(prefix="riskmetrics-tests-", dir=MEMORY if roomy else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(fast_folder: Path) -> Iterator[embedded.EmbeddedServer]:
    """Start a real Postgres of the tests' own; nothing of the user's is touched.

    Its superuser may connect.
    """
    with (
        embedded.connect_or_start(fast_folder / "server", is_durable=False) as running,
        running._cluster.superuser_connection() as connection,
    ):
        connection.execute("ALTER ROLE riskmetrics_owner CREATEDB")
        yield running


@pytest.fixture(scope="session")
def superuser(server: embedded.EmbeddedServer) -> Iterator[Superuser]:
    """Return a connection of the superuser, who may end what others left open."""
    with server._cluster._connect_as_superuser() as connection:
        yield connection


@pytest.fixture(scope="session")
def create_database(server: embedded.EmbeddedServer) -> NewDatabase:
    """Create a database, empty or as a copy of another, and return its URL."""

    def create_database(template: str | None = None) -> str:
        name = f"test_{next(_numbers)}"
        clause = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{clause}".encode())
        return server.database_url(name)

    return create_database


@pytest.fixture(scope="session")
def template(create_database: NewDatabase) -> str:
    """Name of a database at the newest revision."""
    url = create_database()
    engine = create_engine(url)
    migrate.ensure_head(engine)
    engine.dispose()
    name = sa.make_url(url).database
    assert name
    return name


@pytest.fixture
def new_database(superuser: Superuser, create_database: NewDatabase) -> Iterator[NewDatabase]:
    """Create databases that are dropped after the test: kept, they fill the memory they are in."""
    urls: list[str] = []

    def create(template: str | None = None) -> str:
        urls.append(create_database(template))
        return urls[-1]

    yield create
    for name in (sa.make_url(url).database for url in urls):
        superuser.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@pytest.fixture
def empty_database(new_database: NewDatabase) -> str:
    """URL of a fresh database without any table."""
    return new_database()


@pytest.fixture
def database(new_database: NewDatabase, template: str) -> str:
    """URL of a fresh database at the newest revision."""
    return new_database(template)


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """Return an engine on a fresh database at the newest revision."""
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def shared_engine(create_database: NewDatabase, template: str) -> Iterator[sa.Engine]:
    """Return an engine on a database that every user leaves as it was."""
    engine = create_engine(create_database(template))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(shared_engine: sa.Engine) -> Iterator[sa.Connection]:
    """Return a connection whose transaction is rolled back after the test."""
    with shared_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture(scope="session", autouse=True)
def equal_charts_are_drawn_once() -> Iterator[None]:
    """Keep what is drawn: most reports of tests are of the same results, and have 45 charts."""
    draw, bundle = renderer.convert, cache(renderer.bundle)

    @cache
    def draw_text(specification: str) -> str:
        return draw(json.loads(specification))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renderer, "convert", lambda each: draw_text(json.dumps(each)))
        patch.setattr(renderer, "bundle", bundle)
        yield


@pytest.fixture(scope="session", autouse=True)
def command_tree_is_built_once() -> Iterator[None]:
    """Keep the tree of commands, which typer builds for each call: a process has one call."""
    build = cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", build)
        patch.setattr(typer.testing, "_get_command", build)
        yield


@pytest.fixture(scope="session", autouse=True)
def revisions_are_loaded_once() -> Iterator[None]:
    """Keep revisions, ours and Dagster's, which Alembic reads whenever it opens their folder."""
    load = ScriptDirectory._load_revisions
    loaded: dict[tuple[str, int], list[Script]] = {}

    def load_once(self: ScriptDirectory) -> Iterator[Script]:
        key = (self.dir, Path(self.dir, "versions").stat().st_mtime_ns)
        if key not in loaded:
            loaded[key] = list(load(self))
        return iter(loaded[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "_load_revisions", load_once)
        yield


@pytest.fixture(scope="session")
def command_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start the server that forks commands, with no settings but the earliest session."""
    folder = tmp_path_factory.mktemp("command-server")
    with pytest.MonkeyPatch.context() as patch:
        clear_settings(patch)
        patch.chdir(folder)
        # as `riskmetrics run` sets it before it loads the definitions
        first = trading_calendar.FIRST_RESULT_SESSION.isoformat()
        patch.setenv("RISKMETRICS_FIRST_SESSION", first)
        start_server(folder)


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets seconds pass on the clock of deadlines, without a wait."""
    passed = [0.0]
    monkeypatch.setattr(deadlines, "monotonic", lambda: time.monotonic() + sum(passed))
    return passed.append


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave the machine."""
    connect = socket.socket.connect

    def only_local(self: socket.socket, address: object) -> None:
        local = self.family == socket.AF_UNIX or (
            isinstance(address, tuple) and address[0] in {"127.0.0.1", "::1", "localhost"}
        )
        assert local, f"a test tried to reach {address}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", only_local)


@pytest.fixture(autouse=True)
def no_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse processes where only tests that start none are selected, as `make test-fast` does."""
    if "not integration" not in request.config.option.markexpr:
        return

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the test starts a process: mark it with @pytest.mark.integration")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)


@pytest.fixture(autouse=True)
def no_session_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the calendar: a test and what it tests take the same session for the last.

    So do the processes of `tests.forked_commands`, and no others.
    """
    monkeypatch.setattr(trading_calendar, "datetime", stopped_clock(datetime.now(UTC)))


@pytest.fixture
def no_day_ends(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Stop the clocks of daily and hourly limits, and return their present: midnight resets them.

    Limits of calls per minute are not reached in such a test, since it would wait forever.
    """
    present = datetime.now(UTC)
    for module in ("db.spending", "db.vendor", "insights.budget"):
        monkeypatch.setattr(f"riskmetrics.{module}.datetime", stopped_clock(present))
    return present


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start every test without the user's settings, in a directory of its own."""
    clear_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)


def clear_settings(patch: pytest.MonkeyPatch) -> None:
    """Remove the user's settings, which fixtures of a session see as they are."""
    for name in (*_SETTINGS, *(name for name in os.environ if name.startswith("RISKMETRICS_"))):
        patch.delenv(name, raising=False)
