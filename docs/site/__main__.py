"""Build the documentation site: ``python -m docs.site`` writes it to ``build/site``.

Markdown files of ``docs`` and generated pages are gathered in a folder, from which Zensical builds
the site, strictly: a link to a page or heading that does not exist is an error.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docs.site.api_pages import build_module_page, iterate_modules
from docs.site.broker_pages import build_brokers_page
from docs.site.command_pages import build_commands_page
from docs.site.error_pages import build_errors_page
from docs.site.graph_pages import build_graph_page
from docs.site.mathml import convert_formulas
from docs.site.notebook_pages import write_notebook_pages
from docs.site.setting_pages import build_settings_page
from docs.site.statistic_pages import build_statistics_page, list_statistics
from docs.site.table_pages import build_tables_page

ROOT = Path(__file__).parents[2]
_COPIED = (".md", ".png", ".css")
_FOOTNOTE = "† Made from the code by `make docs`: only the site has this page."
"""Line of pages with a dagger, which marks links that a checkout does not have."""
_GENERATED = {
    "how-to/brokers.md": build_brokers_page,
    "reference/commands.md": build_commands_page,
    "reference/settings.md": build_settings_page,
    "reference/data-dictionary.md": build_tables_page,
    "reference/graph.md": build_graph_page,
    "reference/errors.md": build_errors_page,
    "explanation/methodology/statistics.md": build_statistics_page,
}


def build(folder: Path, database: str | None = None) -> Path:
    """Build the site below a folder, and return the folder of its HTML.

    The notebooks read ``database``, the URL of one with the computed sample; without it, one is
    made.
    """
    sources = folder / "docs"
    shutil.rmtree(sources, ignore_errors=True)
    _copy_pages(sources)
    _generate_pages(sources)
    write_notebook_pages(sources / "notebooks", database)
    (folder / "zensical.toml").write_text(_read_configuration(sources), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    command += ["--config-file", str(folder / "zensical.toml")]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603  # no user input
        sys.exit("The documentation has the errors above: mend them and build it again")
    return folder / "site"


def _copy_pages(sources: Path) -> None:
    for file in sorted((ROOT / "docs").rglob("*")):
        if file.suffix in _COPIED:
            copy = sources / file.relative_to(ROOT / "docs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix == ".md":
                page = file.read_text(encoding="utf-8")
                page = page.replace("<!-- statistics -->", list_statistics())
                page = page.replace(f"\n{_FOOTNOTE}\n", "").replace(" †", "")
                copy.write_text(convert_formulas(page), encoding="utf-8")
            else:
                shutil.copyfile(file, copy)


def _generate_pages(sources: Path) -> None:
    for path, build_page in _GENERATED.items():
        (sources / path).write_text(build_page(), encoding="utf-8")
    folder = sources / "reference" / "api"
    folder.mkdir()
    for module in iterate_modules():
        page = build_module_page(module)
        (folder / f"{module.removeprefix('riskmetrics.')}.md").write_text(page, encoding="utf-8")


def _read_configuration(sources: Path) -> str:
    """Return the configuration, with ``folder/*`` of the navigation as the pages of the folder."""
    configuration = (ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8")
    return re.sub(
        r'"([^"]+)/\*"',
        lambda found: ", ".join(
            f'"{page.relative_to(sources).as_posix()}"'
            for page in sorted((sources / found[1]).glob("*.md"))
        ),
        configuration,
    )


def main() -> None:
    """Build the site below the folder that is given, by default ``build``."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="Folder to build below.")
    parser.add_argument("--database", help="URL of a database with the computed sample.")
    arguments = parser.parse_args()
    site = build(arguments.out.absolute(), arguments.database)
    print(f"Site: {site / 'index.html'}")  # noqa: T201
    print(f"With search: {sys.executable} -m http.server --directory {site}")  # noqa: T201


if __name__ == "__main__":
    main()
