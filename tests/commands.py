"""The command line in this process, where the start of a process is not what a test is about."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest

from riskmetrics.cli.main import main


def call_main(
    arguments: Sequence[str], environment: Mapping[str, str], cwd: Path
) -> "subprocess.CompletedProcess[str]":
    """Call the command with an environment, in a directory, without a terminal.

    Modules are loaded once for all calls: a process spends one or two CPU seconds on them.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with (
        patch.dict(os.environ, environment, clear=True),
        pytest.MonkeyPatch.context() as monkeypatch,
        Path(os.devnull).open() as nothing,
    ):
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["riskmetrics", *arguments])
        monkeypatch.setattr(sys, "stdin", nothing)
        for name, stream in zip(("stdout", "stderr"), streams, strict=True):
            monkeypatch.setattr(sys, name, stream)
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        finally:
            gc.enable()  # as at the end of imports
    output, errors = (_text(stream) for stream in streams)
    return subprocess.CompletedProcess(["riskmetrics", *arguments], code, output, errors)


def _text(stream: io.TextIOWrapper) -> str:
    """Return what was written."""
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()
