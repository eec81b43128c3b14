"""The methodology: it defines every stored figure, and what it names exists."""

import re
from pathlib import Path

import pytest

from docs.site.figures import FORMULAS
from riskmetrics.db.tables import metadata

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "explanation" / "methodology").glob("*.md"))


def read_columns(page: Path) -> set[str]:
    """Return the names in the first column of the tables of a page that define columns."""
    tables = re.findall(r"^\| column \|.*\n\|[-|]+\n((?:\|.*\n)+)", page.read_text(), re.MULTILINE)
    cells = (row.split(" | ")[0] for table in tables for row in table.splitlines())
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_stored_figure_is_defined() -> None:
    defined = {name for page in PAGES for name in read_columns(page)}
    assert {column for _, column in FORMULAS} - defined == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_defined_columns_exist(page: Path) -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert read_columns(page) - columns == set()
