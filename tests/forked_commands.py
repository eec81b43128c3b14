"""The command in processes of its own that have loaded everything before they start.

A new process spends two CPU seconds on imports. These are forked from a server of
``multiprocessing`` that has done so once: a signal ends one of them as it ends any other process.
"""

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

from tests.stopped_clocks import calendar_present, stop_calendar

_PRELOADED = (
    *("riskmetrics.cli.main", "riskmetrics.definitions", "riskmetrics.dagster_events"),
    *("scipy.special", "statsmodels.regression"),  # a run loads them when it needs them
)
PATIENCE = 600
"""Seconds until a process counts as hanging; generous, because the machine may be busy."""

_CONTEXT = multiprocessing.get_context("forkserver")


def start_server(folder: Path) -> None:
    """Start the server with the settings of this process, and wait until it has loaded all.

    It takes the place of one that a run with worker processes has left, which has loaded less.
    """
    forkserver._forkserver._stop()
    _CONTEXT.set_forkserver_preload(list(_PRELOADED))
    forkserver.ensure_running()
    assert run_forked(["--version"], os.environ, folder).returncode == 0


def run_forked(
    arguments: Sequence[str], environment: Mapping[str, str], cwd: Path
) -> "subprocess.CompletedProcess[str]":
    """Run the command with an environment, in a directory, without a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder) / "output", Path(folder) / "errors"
        process = ForkedCommand(arguments, environment, cwd, output, errors)
        process.communicate(timeout=PATIENCE)
        code = process.returncode
        assert code is not None
        return subprocess.CompletedProcess(
            ["riskmetrics", *arguments], code, output.read_text(), errors.read_text()
        )


class ForkedCommand:
    """A command that runs in a process group of its own, like a `subprocess.Popen` of it.

    Parameters
    ----------
    arguments : sequence of str
        Arguments of ``riskmetrics``.
    environment : mapping of str to str
        All variables of the process.
    cwd : Path
        Its folder.
    output : Path
        A new file for its output.
    errors : Path, optional
        A new file for its errors. Default: that of its output.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path,
        output: Path,
        errors: Path | None = None,
    ) -> None:
        self._arguments, self._output = arguments, output
        started, ready = _CONTEXT.Pipe(duplex=False)
        streams = tuple(map(str, (output, errors or output)))
        self._process = _CONTEXT.Process(
            target=_run,
            args=(ready, list(arguments), dict(environment), str(cwd), streams, calendar_present()),
        )
        self._process.start()
        ready.close()
        self.pid: int = started.recv()  # from now on, the process leads a group
        started.close()

    @property
    def returncode(self) -> int | None:
        """Exit code, negative after a signal; None while the process runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Wait until the process ends, and return its output."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(["riskmetrics", *self._arguments], timeout)
        return self._output.read_text(), None


def _run(
    ready: Connection,
    arguments: list[str],
    environment: dict[str, str],
    cwd: str,
    streams: tuple[str, str],
    present: datetime,
) -> None:
    """Become the command: a process group, streams, variables, folder and signals of its own.

    Its calendar takes ``present`` for the present, as that of the test does.
    """
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams, 1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    assert set(_PRELOADED) <= set(sys.modules), "the server could not load what it should"
    ready.send(os.getpid())
    ready.close()
    from riskmetrics.cli.main import main

    stop_calendar(present)
    sys.argv = ["riskmetrics", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # as at the end of a process that is not forked
