"""A book that is computed in shards stores the bits of one process, wherever they are computed."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.cli import launch
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.computations import workers
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.computations.result_run import ResultRun
from riskmetrics.computations.shard_work import ShardTask
from riskmetrics.db import stored_settings, tables
from riskmetrics.db.engine import create_engine
from riskmetrics.db.shards import Unit
from riskmetrics.errors import ConfigurationError, MissingPricesError
from tests.conftest import NewDatabase, open_connection
from tests.dask_cluster import Cluster, start_cluster
from tests.e2e.conftest import FORECASTS, Run, read_results, use_database
from tests.e2e.test_options_portfolio import LOTS as OPTION_LOTS
from tests.e2e.test_options_portfolio import STRIKES
from tests.forked_commands import PATIENCE

pytestmark = pytest.mark.together(100)

DAYS = trading_calendar.sessions_between(date(2022, 12, 23), date(2022, 12, 28))
HORIZONS = (21, 5)
"""Sessions before DAYS whose forecasts are completed on them."""

LOTS: list[Mapping[str, Any]] = [
    *OPTION_LOTS,
    {"symbol": "HOUSE", "quantity": 1, "investment_class": "PRIVATE", "market_value": 5000},
    {"symbol": "GHOST", "quantity": 3},  # no price at all
    {"symbol": "XOM", "quantity": -20, "position_type": "SHORT", "entry_price": None},
    {"symbol": "JPM", "quantity": 30, "exit_date": DAYS[1]},
]
PARTS = {"RISKMETRICS_SHARD_POSITIONS": "9"}
"""Shards of about nine lots."""

Metadata = dict[tuple[str, str], dict[str, object]]


@pytest.fixture(scope="module")
def book(
    create_database: NewDatabase, sample_template: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the name of a database with the sample, options, other holdings, and forecasts."""
    url = create_database(sample_template)
    with open_connection(url) as connection:
        for name, lots in (("Mixed", LOTS), ("Few", LOTS[:2]), ("Empty", [])):
            stated = {"equity_balance": 100_000, "equity_as_of": date(2022, 12, 1)}
            key = connection.scalar(
                sa.insert(tables.portfolios)
                .values(name=name, currency="USD", **stated)
                .returning(tables.portfolios.c.id)
            )
            for lot in lots:
                connection.execute(sa.insert(tables.positions).values(_terms(lot, key)))
    with use_database(url, tmp_path_factory.mktemp("home")):
        for horizon in HORIZONS:
            made = trading_calendar.previous_session(DAYS[0], horizon)
            days = [made, trading_calendar.next_session(made)]
            assert launch.run(settings.load(), days, FORECASTS).exit_code in (0, 3)
    name = sa.make_url(url).database
    assert name
    return name


def _terms(lot: Mapping[str, Any], portfolio_id: object) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "portfolio_id": portfolio_id,
        "position_type": "LONG",
        "investment_class": "PUBLIC",
        "entry_price": 10,
        "entry_date": date(2022, 1, 3),
    }
    if "underlying_symbol" in lot:
        strike = STRIKES[lot["underlying_symbol"]]
        terms |= {"strike_price": strike, "expiration_date": date(2023, 6, 16)}
    return terms | lot


@pytest.fixture
def new_book(
    book: str, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[], str]:
    """Return a function that creates a copy of the book, which the settings then point to."""

    def new_book() -> str:
        url = new_database(book)
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
        monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path))
        return url

    return new_book


@pytest.fixture(scope="module")
def one_process() -> dict[str, Any]:
    """Return what one process stores, filled by the first test that needs it."""
    return {}


@pytest.fixture
def expected(
    one_process: dict[str, Any], new_book: Callable[[], str], run: Run
) -> dict[str, pd.DataFrame]:
    """Return every row that one process stores of the book, and keep the metadata of its assets."""
    if not one_process:
        url = new_book()
        one_process["exit code"] = (outcome := run(DAYS)).exit_code
        one_process["rows"] = read_results(url)
        one_process["metadata"] = read_metadata(outcome.run_id)
        empty = {name for name, rows in one_process["rows"].items() if rows.empty}
        assert empty == {"portfolio_figures", "portfolio_limit_checks"}, (
            "each table has rows to be compared"
        )
    rows: dict[str, pd.DataFrame] = one_process["rows"]
    return rows


@pytest.fixture
def start_workers(tmp_path: Path) -> Iterator[Callable[[str], Cluster]]:
    """Return a function that starts a Dask cluster whose workers use a database."""
    with_clusters = []

    def start(url: str) -> Cluster:
        context = start_cluster(tmp_path, {"RISKMETRICS_DATABASE_URL": url})
        with_clusters.append(context)
        return context.__enter__()

    yield start
    for context in with_clusters:
        context.__exit__(None, None, None)


def read_metadata(run_id: str) -> Metadata:
    """Return the metadata of the materializations of results, by asset and session, once each."""
    home = str(prepare_instance(settings.load()))
    names = {asset.name for asset in RESULT_ASSETS}
    found: Metadata = {}
    with dg.DagsterInstance.from_config(home) as instance:
        for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            event = entry.get_dagster_event().step_materialization_data.materialization
            name = event.asset_key.to_user_string()
            if name in names:
                assert (name, event.partition) not in found
                found[name, event.partition] = {
                    key: value.value for key, value in event.metadata.items() if key != "preview"
                }
    return found


def assert_same_rows(url: str, expected: Mapping[str, pd.DataFrame]) -> None:
    """Compare every result row, and every value as text."""
    found = read_results(url)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        pd.testing.assert_frame_equal(found[name], rows, obj=name)


def count_of_shards(monkeypatch: pytest.MonkeyPatch) -> list[ShardTask]:
    """Return the list of all tasks that workers are given from now on."""
    tasks: list[ShardTask] = []
    run = workers.Workers.run

    def recorded(self: workers.Workers, given: list[ShardTask]) -> Any:
        tasks.extend(given)
        return run(self, given)

    monkeypatch.setattr(workers.Workers, "run", recorded)
    return tasks


@pytest.mark.parametrize("where", ["this process", "processes", "Dask"])
def test_shards_store_the_bits_of_one_process(
    where: str,
    expected: dict[str, pd.DataFrame],
    one_process: dict[str, Any],
    new_book: Callable[[], str],
    start_workers: Callable[[str], Cluster],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = new_book()
    variables = dict(PARTS)
    if where == "processes":
        variables |= {"RISKMETRICS_WORKERS": "2"}
    elif where == "Dask":
        variables |= {"RISKMETRICS_DASK_SCHEDULER": start_workers(url).address}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    tasks = count_of_shards(monkeypatch)
    outcome = run(DAYS)
    assert outcome.exit_code == one_process["exit code"]
    assert_same_rows(url, expected)
    shards = {unit: [t for t in tasks if t.part.shard.unit is unit] for unit in Unit}
    assert len(shards[Unit.SYMBOLS]) >= 5
    assert len(shards[Unit.PORTFOLIOS]) >= 6, "forecasts are scored in shards too"
    assert max(len(repr(task)) for task in tasks) < 5_000, "nothing large is sent"
    assert not any("password" in repr(task) or url in repr(task) for task in tasks)
    found = read_metadata(outcome.run_id)
    assert found.keys() == one_process["metadata"].keys()
    for key, values in one_process["metadata"].items():
        assert found[key] == pytest.approx(values), key


def test_rows_no_longer_computed_are_removed_in_shards_too_and_nothing_changes_afterwards(
    new_book: Callable[[], str],
    new_database: NewDatabase,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lots and symbols that are gone: their rows of the session belong to exactly one shard."""
    changes = (
        "UPDATE positions SET deleted_at = now() WHERE symbol IN ('PEP', 'HOUSE', 'GHOST')",
        "UPDATE portfolios SET deleted_at = now() WHERE name = 'Few'",
        "UPDATE positions SET symbol = 'ABBV' WHERE symbol = 'XOM'",
    )
    before, rows = new_book(), []
    run(DAYS[-1:])
    for variables in ({}, PARTS):
        url = new_database(sa.make_url(before).database)
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with open_connection(url) as connection:
            for change in changes:
                connection.execute(sa.text(change))
        run(DAYS[-1:])
        rows.append(read_results(url))
    for name, one in rows[0].items():
        pd.testing.assert_frame_equal(rows[1][name], one, obj=name)
    again = read_metadata(run(DAYS[-1:]).run_id)
    assert len(again) == len(RESULT_ASSETS)
    for key, values in again.items():
        assert (values["run_rows_changed"], values["run_rows_removed"]) == (0, 0), key


def test_an_asset_that_fails_in_a_shard_stops_what_follows_from_it(
    new_book: Callable[[], str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A table refuses the rows of one portfolio; the run names asset and shard, and goes on."""
    codes, stored = [], []
    for variables in ({}, PARTS | {"RISKMETRICS_WORKERS": "2"}):
        url = new_book()
        with open_connection(url) as connection:
            connection.execute(
                sa.text(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF"
                    " NEW.portfolio_id = (SELECT id FROM portfolios WHERE name = ''Few'') THEN"
                    " RAISE ''refused''; END IF; RETURN NEW; END'"
                )
            )
            connection.execute(
                sa.text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON portfolio_rate_betas FOR EACH ROW"
                    " EXECUTE FUNCTION refuse()"
                )
            )
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        outcome = run(DAYS[-1:])
        codes.append(outcome.exit_code)
        stored.append({name for name, _ in read_metadata(outcome.run_id)})
    assert codes[0] == codes[1] != 0
    assert stored[0] == stored[1]
    (named,) = re.findall(
        r"in the shard of portfolios from (\S+|the first) to before (\S+)\)",
        capsys.readouterr().err,
    )
    with open_connection(url) as connection:
        few = str(connection.scalar(sa.text("SELECT id FROM portfolios WHERE name = 'Few'")))
    assert named[0] == "the first" or named[0] <= few
    assert named[1] == "end" or few < named[1]
    missing = {asset.name for asset in RESULT_ASSETS} - stored[1]
    assert missing == {"portfolio_rate_betas", "stress_tests"}


def test_a_scheduler_that_does_not_answer_is_named(
    new_book: Callable[[], str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    new_book()
    started: list[object] = []
    start = ResultRun._start
    monkeypatch.setattr(ResultRun, "_start", lambda *given: started.append(given) or start(*given))
    monkeypatch.setattr(workers, "_CONNECT_SECONDS", 0.2)
    monkeypatch.setenv("RISKMETRICS_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    for name, value in PARTS.items():
        monkeypatch.setenv(name, value)
    assert run(DAYS[-1:]).exit_code == ConfigurationError.exit_code
    assert "no Dask scheduler with a worker answers at tcp://127.0.0.1:1" in capsys.readouterr().err
    assert len(started) == 1, "the other assets do not wait for it again"


def test_an_error_of_a_worker_arrives_as_it_was_raised(
    new_book: Callable[[], str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = new_book()
    with open_connection(url) as connection:
        prices, index = tables.market_data_cache, stored_settings.read_market_index(connection)
        connection.execute(
            sa.delete(prices).where(prices.c.symbol == index, prices.c.date == DAYS[-1])
        )
    for name, value in (PARTS | {"RISKMETRICS_WORKERS": "2"}).items():
        monkeypatch.setenv(name, value)
    assert run(DAYS[-1:]).exit_code == MissingPricesError.exit_code
    assert f"no close of {index} on {DAYS[-1]}" in capsys.readouterr().err


@pytest.mark.faults
@pytest.mark.parametrize("where", ["processes", "Dask"])
def test_a_worker_killed_in_the_middle_changes_no_row(
    where: str,
    expected: dict[str, pd.DataFrame],
    one_process: dict[str, Any],
    new_book: Callable[[], str],
    start_workers: Callable[[str], Cluster],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker is killed while it writes a shard; the shard is computed and written again."""
    url = new_book()
    with open_connection(url) as connection:  # each row takes 16 ms
        connection.execute(
            sa.text(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM"
                " pg_sleep(0.016); RETURN NEW; END'"
            )
        )
        connection.execute(
            sa.text(
                "CREATE TRIGGER slow BEFORE INSERT ON position_market_betas FOR EACH ROW EXECUTE"
                " FUNCTION slow()"
            )
        )
    pids: list[int] = []
    if where == "Dask":
        cluster = start_workers(url)
        monkeypatch.setenv("RISKMETRICS_DASK_SCHEDULER", cluster.address)
        pids = [worker.pid for worker in cluster.workers]
    else:
        monkeypatch.setenv("RISKMETRICS_WORKERS", "2")
    for name, value in PARTS.items():
        monkeypatch.setenv(name, value)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_a_writer, args=(url, pids, killed))
    killer.start()
    outcome = run(DAYS)
    killer.join()
    assert killed, "a worker was killed while it wrote"
    assert outcome.exit_code == one_process["exit code"]
    assert_same_rows(url, expected)


def _kill_a_writer(url: str, pids: list[int], killed: list[int]) -> None:
    """Kill one of the workers as soon as rows of position_market_betas are being written."""
    writing = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ="
        " 'active' AND query LIKE 'INSERT INTO position_market_betas%'"
    )
    deadline = time.monotonic() + PATIENCE
    engine = create_engine(url)
    # a transaction would see the activity of its beginning
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while time.monotonic() < deadline and not connection.scalar(writing):
            time.sleep(0.005)
    engine.dispose()
    found = pids or [pid for server in _children(os.getpid()) for pid in _children(server)]
    if found:
        os.kill(found[0], signal.SIGKILL)
        killed.append(found[0])


def _children(parent: int) -> list[int]:
    """Return the children of a process that run multiprocessing's server of forks."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(status[1]) == parent and "forkserver" in command:
            found.append(int(folder.name))
    return found
