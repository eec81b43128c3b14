"""Excel workbooks (.xlsx) as comma-separated text: one line per row, so that lines are rows."""

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime, time
from functools import cache
from lzma import LZMAError
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import Limits
from riskmetrics.sources.file_kinds import FileKind, classify_lines, is_header

Rows = Sequence[Sequence[str]]
ZIP_SIGNATURE = b"PK\x03\x04"
_CHUNK_BYTES = 1 << 20
_MAX_CELLS = 20_000_000
"""Maximum cells of the rectangles that the sheets span; the reader allocates each whole."""
_CELL_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")
_MAX_HEADER_ROWS = 60
_MAX_NOTE_CHARS = 200
_READ_RANK = 6
"""Rank from which on the caller reads a sheet: twice that of a header of its kinds."""
_OTHER_RANK = 3
"""Rank of a sheet whose name is that of another table: above headers of other kinds, twice 1."""
_SHEET_TAG = "sheetData"
_DAMAGE = (
    *(CalamineError, expat.ExpatError, zipfile.BadZipFile, zlib.error, LZMAError, struct.error),
    *(EOFError, NotImplementedError, OSError, RuntimeError, ValueError),
)
"""Errors of damaged data. The data is in memory, so that OSError is that of a decompressor."""
_AMBIGUOUS_DECIMALS = re.compile(r"-?\d+\.\d{3}")


def is_workbook(data: bytes) -> bool:
    """Return whether data starts like a workbook, which is a zip archive."""
    return data.startswith(ZIP_SIGNATURE)


class WorkbookText(NamedTuple):
    """Text of one sheet of a workbook."""

    text: str
    note: str
    """Name of the sheet, and of the sheets with tables that are not read; empty if it has one."""
    others: tuple[str, ...] = ()
    """Names of the other sheets with a table that the caller reads."""
    repeats: tuple[str, ...] = ()
    """Those among them with the same header."""


def workbook_to_csv(
    path: Path,
    data: bytes,
    limits: Limits,
    kinds: Collection[FileKind] = (),
    accepts: Callable[[Rows], bool] = lambda _: False,
    is_other: Callable[[str], bool] = lambda _: False,
) -> WorkbookText:
    """Return the first visible sheet with a table that the caller reads as comma-separated text.

    It is a table of ``kinds``, or of rows that the caller ``accepts``. Without one it is the first
    sheet with a header of no known kind, then with any, else the first with cells. A sheet whose
    name says that it ``is_other`` precedes only those with headers of other kinds. Formulas have
    their stored values, dates are written in ISO notation, and numbers with a decimal point that
    cannot be taken for a thousands separator.

    Raises
    ------
    DataQualityError
        If the file is not a workbook, is damaged, or exceeds a limit.
    """
    try:
        _check_size(path, data, limits)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))

        def rank_sheet(name: str, rows: Rows) -> int:
            rank = 2 * _rank(rows, kinds, accepts)
            return min(rank, _OTHER_RANK) if is_other(name) else rank

        return _read_sheet(path, workbook, rank_sheet)
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(
            f"{path} is a damaged workbook ({reason}). Save the table as CSV"
        ) from error


def _read_sheet(
    path: Path, workbook: CalamineWorkbook, rank_sheet: Callable[[str, Rows], int]
) -> WorkbookText:
    """Return the text of the sheet to read; at most two sheets are held in memory at once."""
    chosen: CalamineSheet | None = None
    n_sheets, best, with_header = 0, -1, list[str]()
    read = dict[str, Sequence[str]]()
    for metadata in workbook.sheets_metadata:
        if metadata.visible != SheetVisibleEnum.Visible:
            continue
        sheet = workbook.get_sheet_by_name(metadata.name)
        if not sheet.height:
            continue
        n_sheets += 1
        rows = [*_rows(sheet, _MAX_HEADER_ROWS)]
        rank = rank_sheet(sheet.name, rows)
        if rank >= _READ_RANK:
            read[sheet.name] = next(filter(is_header, rows), [])
        if rank > best:
            chosen, best = sheet, rank
        if rank:
            with_header.append(sheet.name)
    if chosen is None:
        raise DataQualityError(f"{path} is a workbook without a visible cell")
    note = f"sheet {chosen.name}" if n_sheets > 1 else ""
    if others := [name for name in with_header if name != chosen.name]:
        note += f" (not read: {', '.join(others)[:_MAX_NOTE_CHARS]})"
    header = read.pop(chosen.name, None)
    repeats = tuple(name for name, other in read.items() if other and other == header)
    return WorkbookText(_to_csv(chosen), note, tuple(read), repeats)


def _to_csv(sheet: CalamineSheet) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(_rows(sheet))
    return text.getvalue()


def sheet_to_csv(data: bytes, name: str) -> str:
    """Return a sheet of a workbook that `workbook_to_csv` has read as comma-separated text."""
    return _to_csv(CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name))


def _rank(rows: Rows, kinds: Collection[FileKind], accepts: Callable[[Rows], bool]) -> int:
    """Return the rank of a sheet by its first rows; 0 without a header."""
    is_accepted = accepts(rows)
    if not is_accepted and not any(map(is_header, rows)):
        return 0
    found = classify_lines(rows).kinds
    is_of_kind = not {*kinds}.isdisjoint(found)
    return 1 + 2 * is_accepted + (2 if is_of_kind else not found)


def _rows(sheet: CalamineSheet, n_rows: int | None = None) -> Iterator[list[str]]:
    for row in sheet.to_python(skip_empty_area=False, nrows=n_rows):
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
        n_cells = 0
        for member in archive.infolist():
            with archive.open(member) as content:  # verifies the checksum of what it declares
                rows, columns = _read_extent(content)
            if rows > limits.rows + 1 or columns > limits.columns:
                raise _too_large_error(path, f"{rows:,} rows and {columns:,} columns")
            n_cells += rows * columns
        if n_cells > _MAX_CELLS:
            raise _too_large_error(path, f"{n_cells:,} cells")


def _read_extent(content: IO[bytes]) -> tuple[int, int]:
    """Read a part to its end, and return the last row and column of its cells; 0 if no sheet.

    A part with the element sheetData is a sheet, whatever its path is. The reader of cells forgives
    some malformed XML, so that a sheet which cannot be parsed here raises an error.
    """
    counter, error, is_sheet, before = _CellCounter(), None, False, b""
    while piece := content.read(_CHUNK_BYTES):
        is_sheet = is_sheet or _SHEET_TAG.encode() in before + piece
        before = piece[-len(_SHEET_TAG) :]
        if error is None:
            try:
                counter.parser.Parse(piece)
            except expat.ExpatError as malformed:  # such as an image
                error = malformed
    if is_sheet:
        if error is not None:
            raise error
        counter.parser.Parse(b"", True)
    return counter.last_row, counter.last_column


class _CellCounter:
    """Last row and column of the cells of a sheet; rows and cells may omit their references."""

    def __init__(self) -> None:
        """Start before the first row."""
        self.last_row = self.last_column = 0
        self._row = self._column = 0
        self._is_sheet = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start_element

    def _start_element(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == _SHEET_TAG:
            self._is_sheet = True
        elif not self._is_sheet:
            return
        elif tag == "row":
            self._row, self._column = max(self._row + 1, int(attributes.get("r", 0))), 0
        elif tag == "c":
            self._column, row = self._column + 1, self._row
            if "r" in attributes:
                if not (reference := _CELL_REFERENCE.fullmatch(attributes["r"])):
                    raise ValueError(f"{attributes['r'][:20]!r} is no reference of a cell")
                row = max(row, int(reference[2]))
                self._column = max(self._column, _column_number(reference[1]))
            self.last_row = max(self.last_row, row)
            self.last_column = max(self.last_column, self._column)


@cache
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _too_large_error(path: Path, extent: str) -> DataQualityError:
    return DataQualityError(
        f"{path} is a workbook of {extent}, more than the limits allow. Save the table as CSV"
    )
