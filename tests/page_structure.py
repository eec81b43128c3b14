"""What a keyboard, a screen reader and a search need of a page."""

from itertools import pairwise
from typing import Any

import lxml.html


def check_structure(text: str) -> None:
    """Check landmarks, headings, names of tables, charts and folds, and every reference."""
    page = lxml.html.document_fromstring(text)
    _check_references(page)
    _check_landmarks(page)
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    for table in page.iter("table"):
        _check_table(table)
    for picture in page.xpath("//figure//svg"):
        assert picture.get("role") == "img"
        assert picture.get("aria-label")
    for fold in page.iter("details"):
        assert fold[0].tag == "summary"
        assert _read_text(fold[0])


def _check_references(page: Any) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    named = {name for names in page.xpath("//@aria-labelledby") for name in names.split()}
    linked = {link[1:] for link in page.xpath("//a/@href") if link.startswith("#")}
    assert named | linked <= set(ids)


def _check_landmarks(page: Any) -> None:
    """Everything is in the header, the main part or the footer, except the link to skip to it."""
    skip, *rest = [each for each in page.body if each.tag != "script"]
    assert (skip.tag, skip.get("href")) == ("a", "#main")
    assert [each.tag for each in rest] == ["header", "main", "footer"]
    assert rest[1].get("id") == "main"
    assert len(list(page.iter("main"))) == 1
    for section in page.iter("section"):
        assert section.get("aria-labelledby")


def _check_table(table: Any) -> None:
    """A table has a name; its columns have headers with names, and each row has its own."""
    names = [table.getroottree().getroot().get_element_by_id(name) for name in
             (table.get("aria-labelledby") or "").split()]  # fmt: skip
    assert names, lxml.html.tostring(table)[:200]
    assert all(_read_text(name) for name in names)
    for header in table.xpath("thead/tr/th"):
        assert header.get("scope") == "col"
        assert _read_text(header)
    for row in table.xpath("tbody/tr"):
        assert [cell.get("scope") for cell in row.iter("th")] == ["row"]
    widths = {
        sum(int(cell.get("colspan", 1)) for cell in row) for row in table.xpath("thead/tr|tbody/tr")
    }
    assert len(widths) == 1, (_read_text(names[0]), widths)


def _read_text(element: Any) -> str:
    return " ".join(element.text_content().split())
