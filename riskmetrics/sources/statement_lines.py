"""Lines of delimited text: their cells, and the column of symbols under another header."""

import csv
import io
import re
from typing import NamedTuple

from riskmetrics.sources.column_contents import find_ticker_column
from riskmetrics.sources.file_kinds import is_header
from riskmetrics.sources.holdings_columns import header_spellings

MAX_HEADER_LINES = 50
"""Lines among which the header is looked for."""
_SPACE_AFTER_QUOTE = re.compile(r'" +(?=[,;\t|\r\n]|$)')
_FORMULA_TEXT = re.compile(r'^="([^"]*)"$')
"""Text that Excel must not convert, such as ="00123"."""


class Line(NamedTuple):
    """A record of delimited text: one line, or several if a quoted cell spans them."""

    number: int
    """Number of the first line, from 1."""
    raw: str
    cells: list[str]
    """Trimmed cells without trailing blank cells."""
    n_cells: int
    """Number of cells, including trailing blank cells."""


def split_records(text: str, delimiter: str) -> list[Line]:
    """Split text into non-blank records, or raise csv.Error if a quotation mark is not closed."""
    try:
        return _split_strictly(text, delimiter)
    except csv.Error:
        if not _SPACE_AFTER_QUOTE.search(text):
            raise
        return _split_strictly(_SPACE_AFTER_QUOTE.sub('"', text), delimiter)  # as Merrill writes


def _split_strictly(text: str, delimiter: str) -> list[Line]:
    physical = io.StringIO(text, newline="").readlines()
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    lines, before = [], 0
    for record in reader:
        trimmed = [_FORMULA_TEXT.sub(r"\1", cell.strip()) for cell in record]
        filled = max((place for place, cell in enumerate(trimmed, 1) if cell), default=0)
        if filled:
            lines.append(
                Line(
                    before + 1,
                    "".join(physical[before : reader.line_num]).rstrip("\r\n"),
                    trimmed[:filled],
                    len(record),
                )
            )
        before = reader.line_num
    return lines


def name_ticker_column(lines: list[Line]) -> list[Line]:
    """Return lines with the header Symbol above a column of tickers that has that of a name."""
    header = next((line for line in lines[:MAX_HEADER_LINES] if is_header(line.cells)), None)
    if header is None:
        return lines
    below = lines[lines.index(header) + 1 :]
    rows = (line.cells for line in below if sum(map(bool, line.cells)) > 1)
    place = find_ticker_column(header.cells, rows)
    if place is None:
        return lines
    named = [*header.cells[:place], "Symbol", *header.cells[place + 1 :]]
    return [line._replace(cells=named) if line.cells == header.cells else line for line in lines]


def header_keys(line: Line) -> frozenset[str]:
    """Return the cells of a line, normalized like headers, with and without their unit."""
    return frozenset(key for cell in line.cells for key in header_spellings(cell))
