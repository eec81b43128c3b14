"""Series that processes share: computed once, also if the one that computes it is killed."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmetrics.inputs.shared_series import SharedSeries

NAME = ("returns of 504 sessions", date(2022, 12, 27), date(2022, 12, 28))


def _compute(log: Path) -> pd.DataFrame:
    with log.open("a") as file:
        file.write("computed\n")
    values = np.random.default_rng(1).normal(size=(504, 300))
    values[::7] = np.nan
    return pd.DataFrame(values, pd.date_range("2021-01-01", periods=504)).iloc[3:, ::2]


def _ask(files: Path, log: Path) -> pd.DataFrame:
    return SharedSeries(files).get_or_compute(NAME, partial(_compute, log))


def _die(files: Path) -> None:
    SharedSeries(files).get_or_compute(NAME, lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_processes_compute_a_series_once_and_have_the_same_bits(tmp_path: Path) -> None:
    files, log = tmp_path / "00000003-0000001B-1", tmp_path / "log"
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        found = list(pool.map(partial(_ask, files), [log] * 6))
    assert log.read_text() == "computed\n"
    expected = _compute(log)
    for each in found:
        pd.testing.assert_frame_equal(each, expected, check_exact=True)


def test_a_series_whose_process_was_killed_is_computed_by_the_next(tmp_path: Path) -> None:
    files, log = tmp_path / "snapshot", tmp_path / "log"
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as pool,
        pytest.raises(BrokenProcessPool),
    ):
        pool.submit(_die, files).result()
    assert len(_ask(files, log)) == 501


def test_other_names_and_snapshots_are_other_series(tmp_path: Path) -> None:
    for files in (None, tmp_path / "1"):
        series = SharedSeries(files)
        assert [series.get_or_compute(name, lambda name=name: name) for name in (1, "1")] == [
            1,
            "1",
        ]
        assert series.get_or_compute(1, lambda: 2) == 1
    assert SharedSeries(tmp_path / "2").get_or_compute(1, lambda: 2) == 2
    assert SharedSeries(tmp_path / "1").get_or_compute(1, lambda: 2) == 1


def test_a_full_disk_makes_every_process_compute_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    for value in (1, 2):
        assert SharedSeries(tmp_path / "1").get_or_compute("n", lambda value=value: value) == value
