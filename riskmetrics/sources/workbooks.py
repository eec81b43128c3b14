"""Excel workbooks (.xlsx) as comma-separated text: one line per row, so that lines are rows."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, NamedTuple

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetVisibleEnum,
)

from riskmetrics.errors import DataQualityError
from riskmetrics.limits import Limits
from riskmetrics.sources.file_kinds import is_header

ZIP_SIGNATURE = b"PK\x03\x04"
_CHUNK_BYTES = 1 << 20
_MAX_CELLS = 20_000_000
"""Maximum cells of the rectangle that a sheet spans, which is held in memory."""
_CELL_REFERENCE = re.compile(rb'<(?:\w+:)?c\s[^>]*?r="([A-Z]{1,3})(\d{1,7})"')
_MAX_HEADER_ROWS = 60
_MAX_NOTE_CHARS = 200
_CELL_BYTES = 100
"""Bytes that the start of a cell may take; so many are kept from one piece to the next."""
_SHEET_NAME = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_AMBIGUOUS_DECIMALS = re.compile(r"-?\d+\.\d{3}")


def is_workbook(data: bytes) -> bool:
    """Return whether data starts like a workbook, which is a zip archive."""
    return data.startswith(ZIP_SIGNATURE)


class WorkbookText(NamedTuple):
    """Text of one sheet of a workbook."""

    text: str
    note: str
    """Name of the sheet, and of the sheets with tables that are not read; empty if it has one."""


def workbook_to_csv(path: Path, data: bytes, limits: Limits) -> WorkbookText:
    """Return the first visible sheet with a known header as comma-separated text.

    Without a known header it is the first sheet with cells. Formulas have their stored values,
    dates are written in ISO notation, and numbers with a decimal point that cannot be taken for a
    thousands separator.

    Raises
    ------
    DataQualityError
        If the file is not a workbook, is damaged, or exceeds a limit.
    """
    try:
        _check_size(path, data, limits)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = (
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible
        )
        sheets = [sheet for name in visible if (sheet := workbook.get_sheet_by_name(name)).height]
        if not sheets:
            raise DataQualityError(f"{path} is a workbook without a visible cell")
        tables = list(filter(_has_header, sheets)) if len(sheets) > 1 else sheets
        chosen, *others = tables or sheets
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(_rows(chosen))
    except (CalamineError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(
            f"{path} is a damaged workbook: {reason}. Save the table as CSV"
        ) from error
    note = f"sheet {chosen.name}" if len(sheets) > 1 else ""
    if tables and others:
        note += f" (not read: {', '.join(sheet.name for sheet in others)[:_MAX_NOTE_CHARS]})"
    return WorkbookText(text.getvalue(), note)


def _has_header(sheet: CalamineSheet) -> bool:
    """Return whether one of the first rows of a sheet is a known header."""
    rows = sheet.to_python(skip_empty_area=False, nrows=_MAX_HEADER_ROWS)
    return any(is_header([_cell_text(cell) for cell in row]) for row in rows)


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.to_python(skip_empty_area=False):
        yield [_cell_text(cell) for cell in row]


def _cell_text(cell: object) -> str:
    """Return a cell as text on one line, numbers with their shortest exact digits."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        return f"{text}0" if _AMBIGUOUS_DECIMALS.fullmatch(text) else text
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date):  # a datetime is one too
        return cell.isoformat()
    return " ".join(str(cell).splitlines())


def _check_size(path: Path, data: bytes, limits: Limits) -> None:
    """Check the decompressed size and the extent of the sheets, without holding them in memory.

    The reader allocates the whole rectangle up to the last cell, wherever that is.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            raise DataQualityError(
                f"{path} is a zip archive, not a workbook. Unpack it, or save the table as CSV"
            )
        size = sum(member.file_size for member in archive.infolist())
        if size > limits.file_bytes:
            raise _too_large_error(path, f"{size / _CHUNK_BYTES:,.0f} MB decompressed")
        for member in archive.infolist():
            with archive.open(member) as content:  # verifies the checksum of what it declares
                rows, columns = _extent(content, is_sheet=bool(_SHEET_NAME.match(member.filename)))
            if rows > limits.rows + 1 or columns > limits.columns or rows * columns > _MAX_CELLS:
                raise _too_large_error(path, f"{rows:,} rows and {columns:,} columns")


def _extent(content: IO[bytes], *, is_sheet: bool) -> tuple[int, int]:
    """Read a member to its end, and return the last row and column of its cells."""
    last_row = last_column = 0
    before = b""
    while piece := content.read(_CHUNK_BYTES):
        if is_sheet:
            for column, row in _CELL_REFERENCE.findall(before + piece):
                last_row = max(last_row, int(row))
                last_column = max(last_column, _column_number(column))
            before = piece[-_CELL_BYTES:]
    return last_row, last_column


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _too_large_error(path: Path, extent: str) -> DataQualityError:
    return DataQualityError(
        f"{path} is a workbook of {extent}, more than the limits allow. Save the table as CSV"
    )
