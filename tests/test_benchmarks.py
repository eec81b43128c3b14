"""The benchmarks still run: what they measure is not tested here."""

import re

import pytest

from benchmarks.__main__ import BENCHMARKS

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_at_a_small_size_and_tells_whether_its_figures_met_their_targets(
    name: str,
) -> None:
    report = BENCHMARKS[name](quick=True)
    assert report.startswith("## ")
    assert re.search(r"\| +(yes|no) \|", report)
