"""CSV, Excel and Parquet files as tables of cells with normalized column names.

Every row can be traced to its line. The header is line 1; a record with a quoted cell that spans
lines has the number of its first line. The lines of a workbook are its rows; the first row of a
Parquet file is "line" 2.
"""

import csv
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.size_limits import DEFAULT_LIMITS, MEGABYTE, Limits
from riskmetrics.sources import cells
from riskmetrics.sources.file_kinds import FileKind
from riskmetrics.sources.parquet_files import read_parquet
from riskmetrics.sources.raw_files import (
    is_binary,
    is_parquet,
    is_utf16,
    measure_size,
    open_content,
    read_head,
    read_whole,
    to_utf8,
)
from riskmetrics.sources.table_headers import (
    AliasChooser,
    CsvHeader,
    HeaderAliases,
    HeaderChooser,
    choose_columns,
    find_csv_header,
    has_header,
    header_key,
)
from riskmetrics.sources.table_limits import (
    CARDINALITY_COLUMNS,
    CardinalityLimiter,
    check_column_count,
    too_many_rejected_error,
)
from riskmetrics.sources.vocabulary import language_date_order
from riskmetrics.sources.workbooks import is_workbook, workbook_to_csv

__all__ = [
    "HeaderAliases",
    "RejectedRow",
    "Table",
    "choose_columns",
    "header_key",
    "read_columns",
    "read_table",
]

CSV_BLOCK_BYTES = 1 << 24
"""Block size of the CSV reader, and so the length of the longest row."""
MAX_RAW_ROW_BYTES = 2_000
"""Bytes of a rejected row that are stored."""
PRESCAN_MIN_BYTES = 64 * MEGABYTE
"""Size above which a file is scanned for limits before it is read into memory."""


class RejectedRow(NamedTuple):
    """A rejected row of a file: line, text and reason."""

    line: int | None
    raw_row: str
    reason: str


class Table(NamedTuple):
    """Columns of a file by normalized name, without blank rows."""

    path: Path
    columns: dict[str, pa.ChunkedArray]
    rejected: list[RejectedRow]
    notes: list[str]
    locate: Callable[[IntArray], list[tuple[int, str]]]
    limits: Limits = DEFAULT_LIMITS
    delimiter: str = ","
    """Separator of the cells; empty for a Parquet file."""
    default_order: str | None = None
    """Order of day and month in the language of the headers, for dates that do not show it."""

    @property
    def n_rows(self) -> int:
        """Return the number of rows that could be split into cells."""
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> "pd.Series[str]":
        """Return the trimmed text of a column; empty if the cell or the column is missing."""
        if name not in self.columns:
            return pd.Series("", index=range(self.n_rows), dtype="str")
        return pd.Series(
            pc.fill_null(cells.trim_text(self.columns[name]), "").to_pandas(), dtype="str"
        )

    def keep_rows(self, mask: BoolArray) -> "Table":
        """Return a table of the selected rows, with the same rejected rows and notes."""
        rows = np.flatnonzero(mask)
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return self._replace(columns=columns, locate=lambda chosen: self.locate(rows[chosen]))


def read_table(
    path: Path, aliases: HeaderAliases, required: tuple[str, ...], limits: Limits = DEFAULT_LIMITS
) -> Table:
    """Read known columns of a CSV file (plain or gzip), an Excel workbook or a Parquet file.

    Parameters
    ----------
    path : Path
        The file; its type, encoding and separator are detected from its content.
    aliases : mapping
        Column names, each with its accepted headers as normalized by `header_key`; if several are
        present, the first is used.
    required : tuple of str
        Names of the required columns; the first line that has them is the header.
    limits : Limits
        Limits of size, rows, columns and distinct values.

    Returns
    -------
    Table
        Rows with too many or too few cells are already rejected.

    Raises
    ------
    UsageError
        If the file does not exist or cannot be opened.
    DataQualityError
        If the file is empty, not a table, has no required column, or exceeds a limit.
    """
    return read_columns(path, AliasChooser(aliases, required), limits)


def read_columns(
    path: Path,
    chooser: HeaderChooser,
    limits: Limits = DEFAULT_LIMITS,
    kinds: Collection[FileKind] = (),
) -> Table:
    """Read the columns of a file that a chooser selects; otherwise as `read_table`.

    The sheet of a workbook is preferably one with a header of the chooser, and of ``kinds``.
    """
    try:
        with open_content(path, limits) as stream:
            head = read_head(path, stream, limits)
            if is_parquet(head):
                table = _read_parquet_table(path, stream, chooser, limits)
            else:
                _check_before_reading(path, stream, head, chooser, limits)
                table = _read_text_table(
                    path, read_whole(path, stream, limits), chooser, limits, kinds
                )
        return drop_blank_rows(table)
    except (pa.ArrowException, csv.Error) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(f"{path} cannot be read as a table: {reason}") from error
    except MemoryError:
        raise DataQualityError(f"{path} needs more memory than is available. Split it") from None


def _read_text_table(
    path: Path, data: bytes, chooser: HeaderChooser, limits: Limits, kinds: Collection[FileKind]
) -> Table:
    """Read a workbook, with a note on the sheet that is read, or text of any encoding."""
    if not is_workbook(data):
        return _read_csv(path, to_utf8(path, data, limits), chooser, limits)
    sheet = workbook_to_csv(path, data, limits, kinds, lambda rows: has_header(path, rows, chooser))
    table = _read_csv(path, sheet.text.encode(), chooser, limits)
    return table._replace(notes=[*([sheet.note] if sheet.note else []), *table.notes])


def _check_before_reading(
    path: Path, stream: BinaryIO, head: bytes, chooser: HeaderChooser, limits: Limits
) -> None:
    """Check header and limits of a file before it is read into memory."""
    if is_binary(head) or is_utf16(head):
        measure_size(path, stream, limits)
        return
    text = to_utf8(path, head, limits)
    header = find_csv_header(path, text, chooser)
    check_column_count(path, len(header.labels), limits)
    is_utf8 = head.endswith(text)
    if measure_size(path, stream, limits) > PRESCAN_MIN_BYTES and is_utf8:
        stream.seek(header.body_offset + len(head) - len(text))
        _prescan_csv(path, stream, header, limits)


def _read_csv(path: Path, data: bytes, chooser: HeaderChooser, limits: Limits) -> Table:
    header = find_csv_header(path, data, chooser)
    check_column_count(path, len(header.labels), limits)
    if data.count(b'"', header.body_offset) % 2:
        raise DataQualityError(
            f"{path} has an unclosed quotation mark, so it cannot be split into rows"
        )
    if (
        len(data) == header.body_offset
        or data[header.body_offset : header.body_offset + CSV_BLOCK_BYTES].isspace()
    ):
        raise DataQualityError(f"{path} has a header but no row: save it again with its rows")
    body = memoryview(data)[header.body_offset :]
    source, ragged_rows = pa.BufferReader(pa.py_buffer(body)), list[tuple[int, int]]()
    batches = list(_read_csv_batches(path, source, header, header.positions, ragged_rows, limits))
    schema = pa.schema([(str(position), pa.string()) for position in header.positions.values()])
    table = pa.Table.from_batches(batches, schema)
    starts, ends, newlines = _record_offsets(body)
    if len(starts) != table.num_rows + len(ragged_rows):
        raise DataQualityError(
            f"{path} has a quotation mark or line end inside an unquoted cell, so it cannot be"
            " split into rows"
        )

    def locate(records: IntArray) -> list[tuple[int, str]]:
        lines = header.first_line + np.searchsorted(newlines, starts[records])
        ended = np.minimum(ends[records], starts[records] + MAX_RAW_ROW_BYTES)
        texts = (
            bytes(body[start:end]).decode(errors="ignore").rstrip("\r")
            for start, end in zip(starts[records], ended, strict=True)
        )
        return list(zip(lines.tolist(), texts, strict=True))

    ragged_records = np.array([record for record, _ in ragged_rows], dtype=np.int64)
    records = np.delete(np.arange(len(starts)), ragged_records)
    columns = {name: table[str(position)] for name, position in header.positions.items()}
    rejected = [
        RejectedRow(line, raw, f"{count} cells, but the header has {len(header.labels)}")
        for (line, raw), (_, count) in zip(locate(ragged_records), ragged_rows, strict=True)
        if raw.strip()
    ]
    notes = list(header.notes)
    table_of_all = Table(
        path,
        columns,
        rejected,
        notes,
        lambda rows: locate(records[rows]),
        limits,
        header.delimiter,
        language_date_order(header.labels),
    )
    return _drop_repeated_headers(table_of_all, header)


def _drop_repeated_headers(table: Table, header: CsvHeader) -> Table:
    """Drop rows that repeat the header, as those between joined files, and add a note."""
    repeated = pa.scalar(True)
    for name, position in header.positions.items():
        is_header = pc.equal(cells.trim_text(table.columns[name]), header.labels[position].strip())
        repeated = pc.and_(repeated, pc.fill_null(is_header, False))
        if not pc.any(repeated).as_py():
            return table
    table.notes.append(f"repeated headers are not read: {pc.sum(repeated).as_py()}")
    return table.keep_rows(~repeated.to_numpy())


def _prescan_csv(path: Path, stream: BinaryIO, header: CsvHeader, limits: Limits) -> None:
    """Check the limits of rejected rows and distinct values of a large file before reading it."""
    chosen = {
        name: header.positions[name] for name in CARDINALITY_COLUMNS & header.positions.keys()
    }
    chosen = chosen or dict(header.positions)
    block_bytes = max(4 * limits.line_bytes, MEGABYTE)  # the reader holds several blocks
    for _ in _read_csv_batches(path, stream, header, chosen, [], limits, block_bytes):
        pass


def _read_csv_batches(
    path: Path,
    source: BinaryIO | pa.NativeFile,
    header: CsvHeader,
    chosen: Mapping[str, int],
    ragged_rows: list[tuple[int, int]],
    limits: Limits,
    block_bytes: int = CSV_BLOCK_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Yield the chosen columns in blocks; append rows with a wrong cell count to a list."""

    def skip(row: Any) -> str:
        ragged_rows.append((row.number - 1, row.actual_columns))
        return "skip" if len(ragged_rows) <= limits.rejected_rows else "error"

    names = [str(position) for position in range(len(header.labels))]
    distinct = CardinalityLimiter(path, limits)
    try:
        with pyarrow.csv.open_csv(
            source,
            pyarrow.csv.ReadOptions(
                use_threads=False,  # with threads, the row number is unknown
                block_size=block_bytes,
                column_names=names,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=header.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[str(position) for position in chosen.values()],
            ),
        ) as reader:
            for batch in reader:
                for name in CARDINALITY_COLUMNS & chosen.keys():
                    distinct.add(name, batch.column(str(chosen[name])))
                yield batch
    except pa.ArrowInvalid:
        if len(ragged_rows) > limits.rejected_rows:
            raise too_many_rejected_error(path, limits) from None
        raise


def _record_offsets(body: memoryview) -> tuple[IntArray, IntArray, IntArray]:
    """Return start and end of each record, and all line ends, including those in quoted cells."""
    newlines, quotes = (_byte_positions(body, sign) for sign in (b"\n", b'"'))
    ends = newlines
    if len(quotes):
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    if body[-1] != ord("\n"):
        ends = np.append(ends, len(body))
    return np.concatenate([[0], ends[:-1] + 1]), ends, newlines


def _byte_positions(body: memoryview, sign: bytes) -> IntArray:
    """Return the positions of a byte; in blocks, to avoid a mask of the size of the file."""
    content = np.frombuffer(body, dtype=np.uint8)
    found = [
        start + np.flatnonzero(content[start : start + CSV_BLOCK_BYTES] == ord(sign))
        for start in range(0, len(content), CSV_BLOCK_BYTES)
    ]
    places: IntArray = np.concatenate(found)
    return places


def _read_parquet_table(
    path: Path, stream: BinaryIO, chooser: HeaderChooser, limits: Limits
) -> Table:
    notes: list[str] = []

    def choose(headers: list[str]) -> dict[str, int]:
        check_column_count(path, len(headers), limits)
        choice = chooser.choose(path, [headers])
        if choice is None:
            raise chooser.refusal(path, [headers], "comma")
        notes.extend(choice.notes)
        return choice.positions

    table = read_parquet(path, stream, choose, limits)
    distinct = CardinalityLimiter(path, limits)
    for name in CARDINALITY_COLUMNS & set(table.column_names):
        distinct.add(name, table.column(name))

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        texts = (
            json.dumps({name: _json_value(value) for name, value in values.items()}, default=str)
            for values in table.take(rows).to_pylist()
        )
        return [
            (row + 2, text[:MAX_RAW_ROW_BYTES])
            for row, text in zip(rows.tolist(), texts, strict=True)
        ]

    columns = {name: table.column(name) for name in table.column_names}
    return Table(path, columns, [], notes, locate, limits, delimiter="")


def _json_value(value: object) -> object:
    """Return a value, with None for NaN and infinity, which JSON cannot represent."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def drop_blank_rows(table: Table) -> Table:
    """Drop rows without text in any known column, such as those at the end of many files."""
    blank = reduce(
        pc.and_,
        (
            pc.is_in(cells.trim_text(column), value_set=pa.array([None, ""]))
            for column in table.columns.values()
        ),
    )
    if not pc.any(blank).as_py():
        return table
    return table.keep_rows(~blank.to_numpy())
