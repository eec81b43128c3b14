"""The documentation site: it builds strictly, and its references contain what is in the code."""

import json
import re
import sys
from html import unescape
from pathlib import Path

import pytest

from docs.site.__main__ import main
from docs.site.api_pages import iterate_modules
from docs.site.command_pages import iterate_commands
from docs.site.error_pages import iterate_errors
from docs.site.setting_pages import iterate_settings
from riskmetrics.db.tables import metadata
from riskmetrics.definitions import build_definitions
from tests.e2e.conftest import ComputedSample

pytestmark = [pytest.mark.integration, pytest.mark.together(25)]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(computed_template: ComputedSample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a dead link, or a link to a heading that does not exist, fails.

    So does a cell of a notebook that raises.
    """
    folder = tmp_path_factory.mktemp("documentation")
    arguments = ["--out", str(folder), "--database", computed_template.url]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["docs.site", *arguments])
        main()
    return folder / "site"


def read_text(page: Path) -> str:
    """Return what a reader sees in the body of a page, on one line."""
    body = page.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", "", body)).split())


def read_headings(page: Path) -> set[str]:
    """Return the headings of a page."""
    return {
        unescape(re.sub(r"<[^>]+>|¶|&para;", "", heading)).strip()
        for heading in re.findall(r"<h[2-4][^>]*>(.*?)</h[2-4]>", page.read_text(encoding="utf-8"))
    }


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    page = site / "reference" / "commands.html"
    text, commands = read_text(page), dict(iterate_commands())
    assert len(commands) > 50
    assert set(commands) <= read_headings(page)
    options = {
        option
        for command in commands.values()
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in parameter.opts
    }
    assert {option for option in options if option not in text} == set()


def test_every_setting_is_in_the_reference(site: Path) -> None:
    text, settings = read_text(site / "reference" / "settings.html"), list(iterate_settings())
    assert len(settings) > 30
    for setting in settings:
        assert all(name in text for name in setting.names)
        assert " ".join(setting.meaning.replace("`", "").split()) in text


def test_every_column_is_in_the_data_dictionary(site: Path) -> None:
    page = site / "reference" / "data-dictionary.html"
    html = page.read_text(encoding="utf-8")
    sections = dict(re.findall(r'<h2 id="([a-z_]+)">(.*?)(?=<h2 id=|</article>)', html, re.DOTALL))
    assert set(sections) == set(metadata.tables)
    for table in metadata.tables.values():
        stated = re.findall(r"<tr>\s*<td><code>(\w+)</code></td>", sections[table.name])
        assert stated == [column.name for column in table.columns]


def test_every_table_is_in_the_overview(site: Path) -> None:
    text = read_text(site / "reference" / "tables.html")
    assert {table for table in metadata.tables if table not in text} == set()


def test_every_asset_check_and_job_is_in_the_reference(site: Path) -> None:
    text = read_text(site / "reference" / "graph.html")
    repository = build_definitions().get_repository_def()
    graph = repository.asset_graph
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    names |= {key.name for key in graph.asset_check_keys}
    names |= {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    names |= {sensor.name for sensor in repository.sensor_defs}
    names |= {schedule.name for schedule in repository.schedule_defs}
    assert {name for name in names if name not in text} == set()


def test_every_error_is_in_the_reference(site: Path) -> None:
    text = read_text(site / "reference" / "errors.html")
    assert {error.__name__ for error in iterate_errors() if error.__name__ not in text} == set()


def test_the_api_reference_shows_every_public_function(site: Path) -> None:
    for module in iterate_modules():
        page = site / "reference" / "api" / f"{module.removeprefix('riskmetrics.')}.html"
        shown = re.findall(r'<h2 id="([\w.]+)"', page.read_text(encoding="utf-8"))
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        names = re.findall(r"^(?:def|class) ([A-Za-z]\w*)", source, re.MULTILINE)
        assert {f"{module}.{name}" for name in names} <= set(shown)


@pytest.mark.parametrize(
    ("name", "n_tables", "n_charts"), [("portfolio-risk", 3, 4), ("formulas", 3, 1)]
)
def test_notebooks_are_pages_with_their_tables_and_charts(
    site: Path, name: str, n_tables: int, n_charts: int
) -> None:
    page = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    assert page.count('class="dataframe"') == n_tables
    charts = re.findall(rf'src="({name}-\d+\.svg)"', page)
    assert len(charts) == n_charts
    for chart in charts:
        assert "<path" in (site / "notebooks" / chart).read_text(encoding="utf-8")
    source = json.loads((ROOT / "docs" / "notebooks" / f"{name}.ipynb").read_text())
    assert (site / "notebooks" / f"{name}.ipynb").is_file()
    assert [cell["outputs"] for cell in source["cells"] if cell.get("outputs")] == []


def test_every_page_is_in_the_navigation(site: Path) -> None:
    navigation = (site / "index.html").read_text(encoding="utf-8").partition("<article")[0]
    linked = set(re.findall(r'href="\./([^"#]+\.html)"', navigation))
    pages = {str(page.relative_to(site)) for page in site.rglob("*.html")} - {"404.html"}
    assert pages - linked - {"index.html"} == set()


def test_pages_load_nothing_from_the_network(site: Path) -> None:
    remote = re.compile(r'<(?:link|script|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//[^"]+"')
    for page in site.rglob("*.html"):
        assert remote.findall(page.read_text(encoding="utf-8")) == []


def test_no_formula_is_left_as_latex(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = read_text(page)
        for latex in (":math:", ".. math::", "$`", r"\frac"):
            assert latex not in text, page


def test_no_formula_breaks_its_sentence(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(r"</math>(?:</span>)?\s*<p>\s*[.,;)]", page.read_text()), page
    assert "<math" in (site / "reference" / "api" / "metrics.shrinkage.html").read_text()
