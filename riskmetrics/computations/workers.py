"""Where shards are computed: in this process, in other processes, or on a Dask cluster.

All are used by the interface of `concurrent.futures.Executor`.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any, ParamSpec, TypeVar

from riskmetrics.computations import shard_work
from riskmetrics.computations.shard_work import Outcomes, ShardTask, run_shard_in_worker
from riskmetrics.errors import ConfigurationError, WorkerError
from riskmetrics.settings import Settings
from riskmetrics.text import describe_extra

P = ParamSpec("P")
R = TypeVar("R")

MAX_ATTEMPTS = 3
"""How often a shard is computed if its worker is lost each time."""

_CONNECT_SECONDS = 10
"""Time in which a scheduler has to answer, and to have a worker."""

_START_SECONDS = 120
"""Time in which all processes have to start."""

RunShard = Callable[[ShardTask], Outcomes]


class SerialExecutor(Executor):
    """An executor that calls each function at once, in this process."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Call a function, and return its result as a future.

        What the function raises is raised at once: no further function is then submitted.
        """
        future: Future[R] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Workers:
    """Workers that compute shards; the executor starts when it is first needed.

    Parameters
    ----------
    run_shard : callable
        Called for each task, where the executor calls functions.
    start : callable
        Returns the executor and the number of its workers. It is called again after workers were
        lost, if the executor cannot be used any more.
    lost : tuple of exception classes
        What the executor raises if it has lost the worker of a task.
    """

    def __init__(
        self,
        run_shard: RunShard,
        start: Callable[[ExitStack], tuple[Executor, int]],
        lost: tuple[type[Exception], ...] = (),
    ) -> None:
        self._run_shard, self._start, self._lost = run_shard, start, lost
        self._opened = ExitStack()
        self._executor: tuple[Executor, int] | None = None

    @property
    def n_workers(self) -> int:
        """Return the number of workers; the executor is started."""
        return self._executor_and_slots[1]

    def run(self, tasks: Sequence[ShardTask]) -> list[Outcomes]:
        """Compute shards, in any order; return their outcomes in the order of ``tasks``.

        A task whose worker is lost is run again. What it has written already is then unchanged.

        Raises
        ------
        WorkerError
            If the worker of a task is lost MAX_ATTEMPTS times, or the scheduler is.
        """
        found: dict[int, Outcomes] = {}
        for _ in range(MAX_ATTEMPTS):
            left = [number for number in range(len(tasks)) if number not in found]
            executor, _ = self._executor_and_slots
            futures: dict[Future[Outcomes], int] = {}
            try:
                with suppress(*self._lost):  # refused: a worker was lost while it waited
                    for number in left:
                        futures[executor.submit(self._run_shard, tasks[number])] = number
                self._collect(futures, found)
            except BaseException:
                for future in futures:
                    future.cancel()
                raise
            if len(found) == len(tasks):
                return [found[number] for number in range(len(tasks))]
            self.close()
        shards = ", ".join(str(tasks[n].part.shard) for n in range(len(tasks)) if n not in found)
        raise WorkerError(
            f"the worker of a shard was lost {MAX_ATTEMPTS} times ({shards}). See the messages of"
            " the operating system; if memory ran out, lower RISKMETRICS_SHARD_POSITIONS"
        )

    def _collect(self, futures: "dict[Future[Outcomes], int]", found: dict[int, Outcomes]) -> None:
        for future in as_completed(futures):
            try:
                found[futures[future]] = future.result()
            except self._lost:
                continue
            except CancelledError:
                raise WorkerError(
                    "the connection to the scheduler was lost. Start it again, and repeat the run"
                ) from None

    @property
    def _executor_and_slots(self) -> tuple[Executor, int]:
        if self._executor is None:
            self._executor = self._start(self._opened)
        return self._executor

    def close(self) -> None:
        """End the executor, after the tasks that it is running."""
        self._executor = None
        self._opened.close()


@contextmanager
def open_workers(configured: Settings, run_in_process: RunShard) -> Iterator[Workers]:
    """Yield the workers of the settings; ``run_in_process`` computes a shard in this process."""
    scheduler, n_processes = configured.dask_scheduler, configured.workers
    if scheduler is not None:
        workers = _dask_workers(scheduler)
    elif n_processes > 1:
        workers = Workers(
            run_shard_in_worker,
            lambda opened: (opened.enter_context(_processes(n_processes)), n_processes),
            (BrokenProcessPool,),
        )
    else:
        workers = Workers(
            run_in_process, lambda opened: (opened.enter_context(SerialExecutor()), 1)
        )
    try:
        yield workers
    finally:
        workers.close()


def _processes(n: int) -> ProcessPoolExecutor:
    """Start processes, which load their modules while the run divides the book."""
    # Forks of this process would share its connections and locks. Those of a server have neither,
    # and the modules are loaded once.
    context = get_context("forkserver")
    context.set_forkserver_preload([shard_work.__name__, "exchange_calendars"])
    started = context.Barrier(n)
    pool = ProcessPoolExecutor(n, context, _prepare_process, (dict(os.environ), started))
    for _ in range(n):
        pool.submit(os.getpid)
    return pool


def _prepare_process(environment: Mapping[str, str], started: Barrier) -> None:
    """Take over the settings of the run, which may have changed since the server was started.

    The run decides what an interrupt ends: Ctrl-C is sent to all processes of a terminal. All
    processes start before the first task: the pool would never end one that it starts while
    another is lost. The pool ends its processes by SIGTERM and waits for them. They inherit how the
    run treats it, and Dagster ignores it in a job of a shell's background.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    started.wait(_START_SECONDS)
    os.environ.clear()
    os.environ.update(environment)


def _dask_workers(address: str) -> Workers:
    try:
        import distributed
    except ImportError:
        raise ConfigurationError(
            "RISKMETRICS_DASK_SCHEDULER is set, and Dask is not installed:"
            f" {describe_extra('dask')}"
        ) from None

    make_client: Callable[..., Any] = distributed.Client  # its methods have no annotations

    def start(opened: ExitStack) -> tuple[Executor, int]:
        try:
            client = make_client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
            opened.callback(client.close)
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise ConfigurationError(
                f"no Dask scheduler with a worker answers at {address} within"
                f" {_CONNECT_SECONDS} seconds: start `dask scheduler` and `dask worker`, or correct"
                " RISKMETRICS_DASK_SCHEDULER"
            ) from error
        # the same shard of another run is not the same work
        return client.get_executor(pure=False), sum(client.nthreads().values())

    return Workers(run_shard_in_worker, start, (distributed.KilledWorker,))
