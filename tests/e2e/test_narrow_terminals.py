"""Every table of `riskmetrics show` on terminals of usual widths, from a computed session."""

import re
import sys
from collections.abc import Callable

import pytest

from riskmetrics.cli.show import show_view
from riskmetrics.cli.views import VIEWS
from tests.e2e.conftest import ComputedSample

_NUMBER = re.compile(r"[−+]?\d[\d,]*(?:\.\d+)?%?")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def show(
    computed_template: ComputedSample,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str, int | None], list[str]]:
    """Return a function that returns what a terminal of a width shows of a view, or a pipe."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", computed_template.url)
    monkeypatch.setenv("RISKMETRICS_HOME", str(computed_template.home))

    def show(name: str, width: int | None) -> list[str]:
        with monkeypatch.context() as patch:
            if width is not None:
                patch.setenv("COLUMNS", str(width))
                patch.setattr(sys.stdout, "isatty", lambda: True)
            show_view(name, None, None, as_json=False, is_wide=False)
        return _COLOR.sub("", capsys.readouterr().out).splitlines()

    return show


def _numbers(lines: list[str]) -> set[str]:
    return {word for line in lines for word in line.split() if _NUMBER.fullmatch(word)}


@pytest.mark.parametrize("name", VIEWS)
def test_no_number_is_cut_and_no_table_is_wider_than_the_terminal(
    show: Callable[[str, int | None], list[str]], name: str
) -> None:
    whole = _numbers(show(name, None))
    for width in (80, 100, 120):
        lines = show(name, width)
        rules = [line for line in lines if line.startswith("──")]
        assert all(len(line) <= width for line in rules)
        assert _numbers(lines) <= whole
        assert len(_numbers(lines)) > 5 or len(whole) <= 5
