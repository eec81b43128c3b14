"""Every table of `riskmetrics show` on terminals of usual widths, from a computed session."""

import re
import sys
from collections.abc import Callable
from datetime import date

import pytest

from riskmetrics.cli.show import show_view
from riskmetrics.cli.show_insights import print_insights
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


def test_a_terminal_gets_each_reason_once_below_its_table(
    show: Callable[[str, int | None], list[str]],
) -> None:
    """The sample has no prices of the rate index: three scenarios have that reason."""
    reason = "no returns of TLT in the trailing 90 sessions"
    assert sum(reason in line for line in show("stress", None)) > 1
    lines = show("stress", 80)
    (note,) = [line for line in lines if reason in line]
    number = note.partition(" ")[0]
    rows = [line for line in lines if line.split()[0:1] and number in line and line != note]
    assert {"rate index +10%", "rate index -10%"} <= {
        name for line in rows for name in ("rate index +10%", "rate index -10%") if name in line
    }


def test_insights_are_wrapped_on_a_terminal_and_not_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(["risk"] * 60)
    row = {
        **dict.fromkeys(("provider", "model_used", "prompt_version", "id"), "rules"),
        **dict.fromkeys(("key_findings", "recommendations", "data_limitations", "user_question")),
        "portfolio": "Growth",
        "severity": "normal",
        "title": "Risk",
        "summary": words,
        "full_analysis": None,
    }
    print_insights(date(2022, 12, 28), [row], as_json=False)
    assert f"      {words}\n" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_insights(date(2022, 12, 28), [row], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("risk") == 60
    assert all(line.startswith("      ") for line in lines[3:])
