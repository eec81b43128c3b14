"""Check of a file against all layouts: its kind, the nearest header, and the meaning of columns."""

from pathlib import Path
from typing import NamedTuple

from riskmetrics.limits import Limits
from riskmetrics.sources.file_kinds import FileClassification, classify_lines
from riskmetrics.sources.holdings_columns import find_column_names
from riskmetrics.sources.holdings_files import split_file
from riskmetrics.sources.layouts import Layout, LayoutSet
from riskmetrics.sources.statement_lines import Line, header_keys


class LayoutCheck(NamedTuple):
    """Whether a layout matches a file, and why."""

    layout: str
    matches: bool
    reason: str
    """Line of the header that matches, or the headers that are missing."""


class ColumnCheck(NamedTuple):
    """A header of a file and its meaning."""

    header: str
    meaning: str
    """Column of the vocabulary; "not used" if there is none."""


class FileCheck(NamedTuple):
    """What a file is by all layouts."""

    kind: FileClassification
    file_format: str
    header_line: int
    """Number of the header line; 0 if no layout matches."""
    layouts: list[LayoutCheck]
    """The layouts that match first, in the order in which they are tried."""
    columns: list[ColumnCheck]
    """Columns by the first layout that matches."""


def check_file(path: Path, limits: Limits, known: LayoutSet) -> FileCheck:
    """Check a text file against all layouts.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If it is not a table.
    """
    file_format, lines = split_file(path, limits.for_holdings(), known)
    checks = [
        (layout, _find_header(layout, lines)) for layout in (*known.layouts, *known.unsupported)
    ]
    first = next(((layout, line) for layout, line in checks if line is not None), None)
    results = [_describe(layout, line, lines) for layout, line in checks]
    return FileCheck(
        classify_lines([line.cells for line in lines]),
        file_format,
        first[1].number if first else 0,
        sorted(results, key=lambda result: not result.matches),
        [
            ColumnCheck(header, meaning)
            for header, meaning in find_column_names(first[1].cells, first[0].aliases)
        ]
        if first
        else [],
    )


def _find_header(layout: Layout, lines: list[Line]) -> Line | None:
    """Return the first line that is the header of a layout; None if there is none."""
    return next((line for line in lines if layout.matches_header(header_keys(line))), None)


def _describe(layout: Layout, line: Line | None, lines: list[Line]) -> LayoutCheck:
    """Return whether a layout matches, with the headers that the nearest line is missing."""
    if line is not None:
        reason = f"{layout.unsupported}. " if layout.unsupported else ""
        return LayoutCheck(layout.name, True, f"{reason}header on line {line.number}")
    if layout.is_general:
        return LayoutCheck(layout.name, False, "no symbol next to a quantity, weight or value")
    missing = min(
        (headers - header_keys(line) for headers in layout.headers for line in lines), key=len
    )
    return LayoutCheck(layout.name, False, f"missing: {', '.join(sorted(missing))}")
