"""Check of a file against all layouts: its kind, the nearest header, and the meaning of columns."""

from pathlib import Path
from typing import NamedTuple

from riskmetrics.size_limits import Limits
from riskmetrics.sources.file_kinds import (
    COMMANDS,
    PRICE_KINDS,
    FileClassification,
    FileKind,
    classify_lines,
)
from riskmetrics.sources.holdings_columns import find_column_names, strip_units
from riskmetrics.sources.holdings_files import split_file
from riskmetrics.sources.layouts import Layout, LayoutSet
from riskmetrics.sources.statement_lines import Line, header_keys
from riskmetrics.sources.table_headers import choose_columns
from riskmetrics.sources.tabular_transactions import list_tables


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
    commands: list[str]
    """Commands that import it; none if its kind is unknown."""
    file_format: str
    header_line: int
    """Number of the header line; 0 if no layout matches."""
    layouts: list[LayoutCheck]
    """The layouts that match first, in the order in which they are tried."""
    columns: list[ColumnCheck]
    """Columns by the first layout that matches."""


def check_file(path: Path, limits: Limits, known: LayoutSet) -> FileCheck:
    """Check a text file against all layouts of its kind.

    Prices have no layouts: their headers are those of several vendors together.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If it is not a table.
    """
    file_format, lines = split_file(path, limits.for_holdings(), known)
    kind = classify_lines([line.cells for line in lines])
    commands = list(dict.fromkeys(COMMANDS[one] for one in kind.kinds if one in COMMANDS))
    if FileKind.TRANSACTIONS in kind.kinds:
        found = _check_transactions(path, lines)
    elif set(kind.kinds) & PRICE_KINDS:
        found = 0, [], []
    else:
        found = _check_holdings(lines, known)
    return FileCheck(kind, commands, file_format, *found)


def _check_transactions(
    path: Path, lines: list[Line]
) -> tuple[int, list[LayoutCheck], list[ColumnCheck]]:
    """Return the first header line, the layouts of the tables of transactions, and columns."""
    tables = list_tables(path, lines)
    first = tables[0]
    headers = strip_units(first.header.cells, first.layout.columns)
    places, _ = choose_columns(path, headers, first.layout.columns, ())
    return (
        first.header.number,
        [
            LayoutCheck(table.layout.name, True, f"header on line {table.header.number}")
            for table in tables
        ],
        [
            ColumnCheck(
                header,
                ", ".join(name for name, column in places.items() if column == place) or "not used",
            )
            for place, header in enumerate(first.header.cells)
        ],
    )


def _check_holdings(
    lines: list[Line], known: LayoutSet
) -> tuple[int, list[LayoutCheck], list[ColumnCheck]]:
    """Return the header line, all layouts of holdings, and columns by the first that matches."""
    checks = [
        (layout, _find_header(layout, lines)) for layout in (*known.layouts, *known.unsupported)
    ]
    results = [_describe(layout, line, lines) for layout, line in checks]
    layouts = sorted(results, key=lambda result: not result.matches)
    first = next(((layout, line) for layout, line in checks if line is not None), None)
    if first is None:
        return 0, layouts, []
    layout, line = first
    columns = find_column_names(line.cells, layout.aliases)
    return line.number, layouts, [ColumnCheck(*column) for column in columns]


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
