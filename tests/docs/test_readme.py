"""The README: what it shows of the demo is what the demo prints."""

from pathlib import Path

import pytest

from docs.site import readme
from riskmetrics.cli.summary import print_summaries
from tests.e2e.conftest import COMPUTED_DAY, ComputedSample, use_database


@pytest.mark.integration
def test_the_figures_of_the_readme_are_those_of_the_sample(
    computed_template: ComputedSample, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its note depends on the year before, too: the tests of the wheel run the whole demo."""
    with use_database(computed_template.url, computed_template.home):
        print_summaries(COMPUTED_DAY, [readme.PORTFOLIO])
    shown, stated = capsys.readouterr().out.strip().splitlines(), readme.read_summary().splitlines()
    title = stated.index("  [critical] AMD is most of the portfolio's risk")
    assert stated[:title] == shown[:title]


def test_output_of_commands_is_shown_where_it_is_generated_only() -> None:
    """A fence without a language is output."""
    root = readme.README.parent
    pages = [readme.README, root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    fences = {page: page.read_text(encoding="utf-8").split("\n```")[1::2] for page in pages}
    plain = {page for page, found in fences.items() for fence in found if fence.startswith("\n")}
    assert plain == {readme.README}


def test_a_summary_ends_at_an_empty_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = "4/4\n\nConcentrated, X\n  Value 1\n  [normal] T\n  a\n\nOther, X\n"
    assert readme.find_summary(output) == "Concentrated, X\n  Value 1\n  [normal] T\n  a"
    page = tmp_path / "README.md"
    page.write_text(f"# T\n\n```\n{readme.find_summary(output)}\n```\n\n```\nx\n```\n")
    monkeypatch.setattr(readme, "README", page)
    assert readme.read_summary() == readme.find_summary(output)
