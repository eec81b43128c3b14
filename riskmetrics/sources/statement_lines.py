"""Lines of a delimited text whose tables may begin anywhere, by each delimiter that splits it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import Limits
from riskmetrics.sources.column_contents import find_ticker_column
from riskmetrics.sources.file_kinds import is_header
from riskmetrics.sources.holdings_columns import header_spellings
from riskmetrics.sources.layouts import Layout
from riskmetrics.sources.table_headers import DELIMITERS

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


def split_by_delimiters(path: Path, text: str) -> dict[str, list[Line]]:
    """Return the non-blank lines of a text by each delimiter that can split it.

    Raises
    ------
    DataQualityError
        If none can, or there is no line.
    """
    readings = {}
    for delimiter in DELIMITERS:
        with suppress(csv.Error):  # expected for a wrong delimiter
            readings[delimiter] = _split_records(text, delimiter)
    if not readings:
        raise DataQualityError(
            f"{path} cannot be read as a table: a quotation mark is not closed or is inside a cell,"
            f" or a cell has more than {csv.field_size_limit():,} characters"
        )
    if not any(readings.values()):
        raise DataQualityError(f"{path} is empty")
    return readings


def widest_delimiter(readings: dict[str, list[Line]]) -> str:
    """Return the delimiter that gives a line of known headers, else most cells in one line."""

    def rank(delimiter: str) -> tuple[bool, int]:
        lines = readings[delimiter]
        has_header = any(is_header(line.cells) for line in lines[:MAX_HEADER_LINES])
        return has_header, max((len(line.cells) for line in lines), default=0)

    return max(readings, key=rank)


def require_columns_in_limit(path: Path, lines: Sequence[Line], limits: Limits) -> None:
    """Raise DataQualityError if a line has more cells than a file may have columns."""
    if max(line.n_cells for line in lines) > limits.columns:
        raise DataQualityError(
            f"{path} has more than {limits.columns:,} columns. Remove columns, or raise"
            " RISKMETRICS_MAX_COLUMNS"
        )


def _split_records(text: str, delimiter: str) -> list[Line]:
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


def name_ticker_column(lines: list[Line]) -> tuple[list[Line], str]:
    """Return lines with the header Symbol above a column of tickers that has that of a name.

    The second result is a note on that column, empty without one.
    """
    header = next((line for line in lines[:MAX_HEADER_LINES] if is_header(line.cells)), None)
    if header is None:
        return lines, ""
    below = lines[lines.index(header) + 1 :]
    rows = (line.cells for line in below if sum(map(bool, line.cells)) > 1)
    place = find_ticker_column(header.cells, rows)
    if place is None:
        return lines, ""
    example = next(line.cells[place] for line in below if line.cells[place : place + 1] > [""])
    note = f"{header.cells[place]} is read as Symbol, because its cells are, such as {example}"
    named = [*header.cells[:place], "Symbol", *header.cells[place + 1 :]]
    renamed = (line._replace(cells=named) if line.cells == header.cells else line for line in lines)
    return list(renamed), note


def header_keys(line: Line) -> frozenset[str]:
    """Return the cells of a line, normalized like headers, with and without their unit."""
    return frozenset(key for cell in line.cells for key in header_spellings(cell))


def refuse_unsupported(path: Path, lines: Iterable[Line], unsupported: Iterable[Layout]) -> None:
    """Raise DataQualityError if a line is the header of an unsupported file."""
    headers = {header_keys(line) for line in lines}
    for layout in unsupported:
        if any(map(layout.matches_header, headers)):
            raise DataQualityError(f"{path} is {layout.unsupported}")
