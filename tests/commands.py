"""The command line in this process, where the start of a process is not what a test is about."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from riskmetrics.cli.main import app, describe_failure, main


def invoke(*arguments: str, **options: Any) -> Result:
    """Call a command; an expected error has the exit code and the message that a user gets."""
    result = CliRunner().invoke(app, arguments, standalone_mode=False, **options)
    if result.exception is None:
        result.exit_code = result.return_value or 0
    elif described := describe_failure(result.exception):
        result.exit_code, sentence = described
        message = f"riskmetrics: {sentence}\n".encode()
        result.stderr_bytes += message
        result.output_bytes += message
    return result


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
