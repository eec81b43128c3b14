"""Holdings files: their text, layout, kind and table, before the rows are read."""

from pathlib import Path
from typing import NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import Limits
from riskmetrics.sources.file_kinds import (
    HOLDINGS_KINDS,
    FileClassification,
    classify_table,
    classify_tables,
    combine_kinds,
    require_kind,
)
from riskmetrics.sources.holdings_sheets import require_views
from riskmetrics.sources.holdings_sizes import place_dollar_sizes, plain_sizes, strip_percent_signs
from riskmetrics.sources.layouts import GENERAL, Layout, LayoutSet
from riskmetrics.sources.raw_files import (
    DecodedText,
    decode_text,
    is_parquet,
    measure_size,
    open_content,
    read_head,
    read_whole,
)
from riskmetrics.sources.section_sides import names_unheld
from riskmetrics.sources.statement_lines import (
    MAX_HEADER_LINES,
    Line,
    header_keys,
    name_ticker_column,
    refuse_unsupported,
    require_columns_in_limit,
    split_by_delimiters,
    widest_delimiter,
)
from riskmetrics.sources.statement_parser import ParsedStatement, parse_statement
from riskmetrics.sources.table_headers import DELIMITERS
from riskmetrics.sources.table_kinds import NUMBER
from riskmetrics.sources.tabular_files import Table, read_table
from riskmetrics.sources.two_sides import merge_sides
from riskmetrics.sources.vocabulary import load_vocabulary
from riskmetrics.sources.workbooks import sheet_to_csv
from riskmetrics.text import join_names, truncate

_AMBIGUOUS_KIND_REMEDY = (
    "If each row is a holding, remove the column of dates, or name it entry_date; if each is a"
    " transaction, use `riskmetrics import transactions`"
)
_MAX_QUOTED_HEADERS, _MAX_HEADER_CHARS = 20, 60


class ParsedFile(NamedTuple):
    """Content of a holdings file before its rows are read."""

    layout: Layout
    file_format: str
    kind: FileClassification
    statement: ParsedStatement


def parse_file(path: Path, limits: Limits, layouts: LayoutSet) -> ParsedFile:
    """Return layout, format, kind and table of a file."""
    data = _read_text(path, limits)
    file = (
        _parse_workbook_or_text(path, data, limits, layouts)
        if data
        else _parse_parquet(path, limits)
    )
    columns = file.statement.table.columns
    if not columns.keys() & {"quantity", "weight", "market_value"}:
        raise _no_quantity_error(path, list(columns))
    table = plain_sizes(strip_percent_signs(place_dollar_sizes(file.statement.table)))
    statement = file.statement._replace(table=table)
    return file._replace(statement=statement)


def _no_quantity_error(path: Path, headers: list[str]) -> DataQualityError:
    """Return the error for a table without a column that states how much is held."""
    named = [truncate(header, _MAX_HEADER_CHARS) or "(no name)" for header in headers]
    found = join_names(named, _MAX_QUOTED_HEADERS)
    if any(NUMBER.fullmatch(header) for header in headers):
        return DataQualityError(
            f"{path} has no known column of symbols, because it has no line of headers: a line of"
            f" it is {found}. Add one above, such as Symbol,Quantity,Entry price"
        )
    return DataQualityError(
        f"{path} has no known column of symbols next to one of quantities, weights or values. Its"
        f" columns are: {found}. Name them Symbol and Quantity, or add a layout (`riskmetrics"
        " layouts check` shows what is known)"
    )


def _parse_parquet(path: Path, limits: Limits) -> ParsedFile:
    aliases = {**load_vocabulary().columns, **GENERAL.aliases}
    table = read_table(path, aliases, required=("symbol",), limits=limits)
    header = [aliases[name][0] for name in table.columns]
    kind = classify_table(header, zip(*map(table.text, table.columns), strict=True))
    require_kind(path, kind, HOLDINGS_KINDS, remedy=_AMBIGUOUS_KIND_REMEDY)
    return ParsedFile(GENERAL, "Parquet", kind, ParsedStatement(table, [], None))


def split_file(path: Path, limits: Limits, layouts: LayoutSet) -> tuple[str, list[Line]]:
    """Return encoding and delimiter of a text file, and its lines.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If it is not a text of lines.
    """
    split = _split_text(path, _decode(path, _read_text(path, limits), limits), limits, layouts)
    return split.file_format, split.lines


def _read_text(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a text or workbook; empty for a Parquet file."""
    with open_content(path, limits) as stream:
        if is_parquet(read_head(path, stream, limits)):
            return b""
        measure_size(path, stream, limits)
        return read_whole(path, stream, limits)


def _decode(path: Path, data: bytes, limits: Limits) -> DecodedText:
    return decode_text(path, data, limits, HOLDINGS_KINDS, names_unheld)


class _SplitText(NamedTuple):
    file_format: str
    delimiter: str
    layout: Layout | None
    """The first layout that matches; None if there is none."""
    lines: list[Line]
    note: str
    """Note on a column that is read as Symbol, or empty."""


def _split_text(path: Path, decoded: DecodedText, limits: Limits, layouts: LayoutSet) -> _SplitText:
    """Split a text by the delimiter with which a layout matches, else by the best one."""
    found_lines = split_by_delimiters(path, decoded.text)
    readings = {mark: merge_sides(path, lines) for mark, lines in found_lines.items()}
    notes: dict[str, str] = {}
    found = _detect_layout(readings, layouts)
    if found is None or found[0].is_general:
        for lines in readings.values():
            refuse_unsupported(path, lines, layouts.unsupported)
        for mark, lines in readings.items():
            readings[mark], notes[mark] = name_ticker_column(lines)
        found = _detect_layout(readings, layouts)
    layout, delimiter = found or (None, widest_delimiter(readings))
    lines = readings[delimiter]
    require_columns_in_limit(path, lines, limits)
    return _SplitText(
        f"{decoded.encoding}, {DELIMITERS[delimiter]}s",
        delimiter,
        layout,
        lines,
        notes.get(delimiter, ""),
    )


def _parse_workbook_or_text(
    path: Path, data: bytes, limits: Limits, layouts: LayoutSet
) -> ParsedFile:
    """Return the content of a file, whose other sheets must state no further holdings."""
    decoded = _decode(path, data, limits)
    file = _parse_text(path, decoded, limits, layouts)
    tables: dict[str, Table | None] = {}
    for name in decoded.other_sheets:
        sheet = DecodedText(sheet_to_csv(data, name), decoded.encoding)
        try:
            tables[name] = _parse_text(path, sheet, limits, layouts).statement.table
        except DataQualityError:
            tables[name] = None
    require_views(path, file.statement.table, tables)
    return file


def _parse_text(path: Path, decoded: DecodedText, limits: Limits, layouts: LayoutSet) -> ParsedFile:
    split = _split_text(path, decoded, limits, layouts)
    line_cells = [line.cells for line in split.lines]
    tables = classify_tables(line_cells)
    kind = combine_kinds(line_cells, tables)
    require_kind(path, kind, HOLDINGS_KINDS, remedy=_AMBIGUOUS_KIND_REMEDY)
    if split.layout is None:
        header = max(split.lines[:MAX_HEADER_LINES], key=lambda line: len(line.cells))
        raise _no_quantity_error(path, header.cells)
    other_headers = {
        split.lines[place].number
        for place, one in tables
        if one.kinds and not set(one.kinds) & HOLDINGS_KINDS
    }
    statement = parse_statement(path, split.layout, split.lines, split.delimiter, other_headers)
    if split.note:
        statement.table.notes.append(split.note)
    return ParsedFile(split.layout, split.file_format, kind, statement)


def _detect_layout(
    readings: dict[str, list[Line]], layouts: LayoutSet
) -> tuple[Layout, str] | None:
    """Return the layout and delimiter of a text; None if no layout matches."""
    headers = {
        delimiter: list(dict.fromkeys(header_keys(line) for line in lines if len(line.cells) > 1))
        for delimiter, lines in readings.items()
    }
    for layout in layouts.layouts:
        for delimiter, found in headers.items():
            if any(map(layout.matches_header, found)):
                return layout, delimiter
    return None
