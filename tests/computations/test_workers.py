"""Workers that are lost, or cannot be reached."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from riskmetrics import settings
from riskmetrics.computations import shard_work, workers
from riskmetrics.computations.shard_work import ShardTask
from riskmetrics.db.result_writes import Part
from riskmetrics.db.shards import Shard, Unit
from riskmetrics.errors import ConfigurationError, MissingPricesError, WorkerError
from tests.forked_commands import PATIENCE


def _task(shard: Shard) -> ShardTask:
    return SimpleNamespace(part=Part(shard))  # type: ignore[return-value]


def _die(_: ShardTask) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_once(task: ShardTask) -> Any:
    """Kill the process, unless it was killed before."""
    mark = Path("killed")
    if task.part.shard.lower == "first" and not mark.exists():
        mark.touch()
        _die(task)
    return {"pid": os.getpid()}


def _work(_: ShardTask) -> Any:
    return {"pid": os.getpid()}


TASKS = [_task(Shard(Unit.SYMBOLS, lower)) for lower in ("first", "second", "third")]


def _processes(function: Callable[[ShardTask], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RISKMETRICS_WORKERS", "2")
    monkeypatch.setattr(workers, "run_shard_in_worker", function)
    return workers.open_workers(settings.load(), function)


def test_shards_of_a_lost_process_are_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with _processes(_die_once, monkeypatch) as opened:
        assert len(opened.run(TASKS)) == len(TASKS)
    assert Path("killed").exists()


def _use_for_ever(executor: Executor) -> None:
    while True:
        executor.submit(os.getpid).result()


def test_shards_are_computed_if_a_process_was_lost_while_it_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An executor that knows of the loss refuses the tasks, instead of failing them."""
    with _processes(_work, monkeypatch) as opened:
        assert opened.n_workers == 2
        executor, _ = opened._executor_and_slots
        lost = executor.submit(os.getpid).result()
        os.kill(lost, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            _use_for_ever(executor)
        found = opened.run(TASKS)
    assert len(found) == len(TASKS)
    assert all(outcomes["pid"] != lost for outcomes in found)


@pytest.mark.integration
def test_a_lost_process_ends_the_others_where_sigterm_is_ignored(tmp_path: Path) -> None:
    """As in a job of a shell's background, where Dagster ignores it: the pool would wait for ever.

    Only a process of its own has processes that inherit this.
    """
    script = tmp_path / "lose_one.py"
    script.write_text(
        """
import os, signal
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from riskmetrics import settings
from riskmetrics.computations import workers

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with workers.open_workers(settings.load(), print) as opened:
        executor, _ = opened._executor_and_slots
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        try:
            while True:
                executor.submit(os.getpid).result()
        except BrokenProcessPool:
            opened.close()
    print("closed")
"""
    )
    process = subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "RISKMETRICS_WORKERS": "2"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.communicate(timeout=PATIENCE)[0] == "closed\n"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_shard_that_ends_its_worker_each_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = r"lost 3 times .*symbols from first.*RISKMETRICS_SHARD_POSITIONS"
    with _processes(_die, monkeypatch) as opened, pytest.raises(WorkerError, match=message):
        opened.run(TASKS[:1])


def test_without_dask_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMETRICS_DASK_SCHEDULER", "tcp://127.0.0.1:8786")
    monkeypatch.setitem(sys.modules, "distributed", None)
    opened = workers.open_workers(settings.load(), _die)
    with pytest.raises(ConfigurationError, match=r"pip install -e '\.\[dask\]'"), opened:
        pass


def test_this_process_computes_shards_one_after_another_and_raises_what_they_raise() -> None:
    numbers = iter(range(3))
    with workers.open_workers(settings.load(), lambda _: {"n": next(numbers)}) as opened:  # type: ignore[dict-item]
        assert opened.n_workers == 1
        assert opened.run(TASKS) == [{"n": 0}, {"n": 1}, {"n": 2}]
        with pytest.raises(StopIteration):
            opened.run(TASKS)


def test_no_shard_is_computed_after_one_that_failed_in_this_process() -> None:
    """Such as because the database is lost: the other shards would take hours to fail."""
    computed = []

    def fail_at_first(task: ShardTask) -> Any:
        computed.append(task)
        raise MissingPricesError("SPY", [date(2022, 12, 28)])

    with (
        workers.open_workers(settings.load(), fail_at_first) as opened,
        pytest.raises(MissingPricesError),
    ):
        opened.run(TASKS)
    assert computed == TASKS[:1]


def test_an_error_that_cannot_be_sent_arrives_as_its_text() -> None:
    """An exception of a driver may need more than its message to be built again."""

    class PickyError(Exception):
        def __init__(self, first: str, second: str) -> None:
            super().__init__(f"{first} and {second}")

    portable = shard_work._make_portable(PickyError("one", "two"))
    assert str(portable) == "PickyError('one and two')"
    cause = MissingPricesError("SPY", [date(2022, 12, 28)])
    try:
        raise ValueError from cause
    except ValueError as error:
        sent = shard_work._make_portable(error)
    assert isinstance(sent, MissingPricesError)
    assert (str(sent), sent.symbol, sent.days) == (str(cause), cause.symbol, cause.days)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"version": "0.0.1"}, "and the run 0.0.1: install the version of the run"),
        ({"assets": ("leverage",)}, "does not have the figure leverage: install the package"),
    ],
)
def test_a_worker_with_other_code_says_what_to_install(
    changed: dict[str, Any], message: str
) -> None:
    given = {"version": version("riskmetrics"), "assets": (), "part": None, "sessions": ()}
    task = ShardTask(**{"exported": None, "provenance": None} | given | changed)
    with pytest.raises(ConfigurationError, match=message):
        shard_work.run_shard_in_worker(task)
