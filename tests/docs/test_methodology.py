"""The methodology: it defines every stored figure, and what it names exists."""

import re
from pathlib import Path

import pytest

from docs.site.figures import FORMULAS
from docs.site.statistic_pages import build_statistics_page
from riskmetrics.db.tables import metadata

ROOT = Path(__file__).parents[2]
PAGES = {
    page.stem: page.read_text()
    for page in sorted((ROOT / "docs" / "explanation" / "methodology").glob("*.md"))
} | {"statistics": build_statistics_page()}


def read_columns(text: str) -> set[str]:
    """Return the names in the first column of the tables of a page that define columns."""
    tables = re.findall(r"^\| column \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    cells = (row.split(" | ")[0] for table in tables for row in table.splitlines())
    return {name for cell in cells for name in re.findall(r"(?:`|<code>)(\w+)", cell)}


def test_every_stored_figure_is_defined() -> None:
    defined = {name for text in PAGES.values() for name in read_columns(text)}
    assert {column for _, column in FORMULAS} - defined == set()


@pytest.mark.parametrize("page", PAGES)
def test_defined_columns_exist(page: str) -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert read_columns(PAGES[page]) - columns == set()
