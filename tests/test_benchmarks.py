"""The benchmarks still run: what they measure is not tested here."""

import os
import re

import pytest

from benchmarks import insight_claims, measure
from benchmarks.__main__ import BENCHMARKS

pytestmark = pytest.mark.integration


SLOW = {"workers": 20, "cold_start": 15, "night": 10, "backfill": 8, "size": 8}
"""Seconds that small sizes of benchmarks take."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow(SLOW[name])] if name in SLOW else [])
        for name in BENCHMARKS
    ],
)
def test_a_benchmark_runs_at_a_small_size_and_tells_whether_its_figures_met_their_targets(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, which has imported everything: new ones make no figure of a test better."""
    monkeypatch.setattr(measure, "run_in_child", lambda function, *of: function(*of))
    report = BENCHMARKS[name](quick=True)
    assert report.startswith("## ")
    assert re.search(r"\| +(yes|no) \|", report)


def test_what_is_measured_in_a_new_process_runs_in_one() -> None:
    assert measure.run_in_child(os.getppid) == os.getpid()


def test_claims_and_plans_are_tried_on_as_many_sheets_as_requested(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert insight_claims.main(["--sheets", "3", "--plans", "20", "--days", "2"]) == 0
    printed = capsys.readouterr().out
    assert re.match(r"3 sheets: \d{3} claims, 0 not as their oracles", printed)
    assert "20 wrong plans: 0 not pruned" in printed
