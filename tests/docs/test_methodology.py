"""The methodology and the data dictionary define every stored figure, and what they name exists."""

import re
from pathlib import Path

import pytest

from docs.site.figures import FORMULAS
from docs.site.markdown import as_code, escape_cell
from docs.site.statistic_pages import build_statistics_page
from docs.site.table_pages import build_tables_page
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
    """Figures of extensions have their own documentation."""
    columns = {page: read_columns(text) for page, text in PAGES.items()}
    missing = {
        f"{table}.{column}"
        for table, column in FORMULAS
        if not any(column in columns[page] and table in text for page, text in PAGES.items())
    }
    assert missing == {"portfolio_figures.value"}


def test_the_data_dictionary_states_formula_and_source_of_every_figure() -> None:
    sections = dict(
        re.findall(r"^#+ (\w+)\n(.*?)(?=^#+ |\Z)", build_tables_page(), re.MULTILINE | re.DOTALL)
    )
    for (table, column), figure in FORMULAS.items():
        (row,) = (
            line
            for line in sections[table].splitlines()
            if line.startswith(f"| <code>{column}</code> ")
        )
        assert as_code(" ".join(figure.formula.split())) in row
        assert f"Source: {escape_cell(figure.reference)}." in row or not figure.reference


@pytest.mark.parametrize("page", PAGES)
def test_defined_columns_exist(page: str) -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert read_columns(PAGES[page]) - columns == set()
