"""CSV and Parquet files as columns of cells under our names; what the cells mean is said in ``files``.

Every row can be traced to its line. The header is line 1; a record whose quoted cell spans lines
counts from its first physical line; in a Parquet file the first row is "line" 2, as if it had a
header.
"""

import codecs
import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from riskmetrics.errors import DataQualityError
from riskmetrics.limits import DEFAULT_LIMITS, MEGABYTE, Limits
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.parquet_files import read_parquet
from riskmetrics.sources.raw_files import (
    is_parquet,
    measure_size,
    open_content,
    read_head,
    read_whole,
    require_utf8,
)

HeaderAliases = Mapping[str, tuple[str, ...]]
CSV_BLOCK_BYTES = 1 << 24  # bytes that the CSV reader takes at once, and so the longest row
MAX_RAW_ROW_BYTES = 2_000  # bytes of a rejected row that are kept
PRESCAN_MIN_BYTES = 64 * MEGABYTE  # bytes from which on a file is gone through before it is read
CARDINALITY_COLUMNS = {"symbol", "date"}
"""Columns whose different values are looked at one by one."""


class RejectedRow(NamedTuple):
    """A row of a file that was not taken, and why."""

    line: int | None
    raw_row: str
    reason: str


class Table(NamedTuple):
    """A file's columns under our names; rows that are blank throughout are left out."""

    path: Path
    columns: dict[str, pa.ChunkedArray]
    rejected: list[RejectedRow]
    notes: list[str]
    locate: Callable[[IntArray], list[tuple[int, str]]]
    limits: Limits = DEFAULT_LIMITS

    @property
    def n_rows(self) -> int:
        """Rows that could be split into cells."""
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> "pd.Series[str]":
        """Trimmed text of a column; empty where missing or where there is no such column."""
        if name not in self.columns:
            return pd.Series("", index=range(self.n_rows), dtype="str")
        return pd.Series(
            pc.fill_null(cells.trim_text(self.columns[name]), "").to_pandas(), dtype="str"
        )

    def keep_rows(self, mask: BoolArray) -> "Table":
        """Leave out rows; what was rejected and noted stays."""
        rows = np.flatnonzero(mask)
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return self._replace(columns=columns, locate=lambda chosen: self.locate(rows[chosen]))


def read_table(
    path: Path, aliases: HeaderAliases, required: tuple[str, ...], limits: Limits = DEFAULT_LIMITS
) -> Table:
    """Read the columns that ``aliases`` knows from a CSV file (plain or gzip, UTF-8, commas) or a Parquet file.

    Parameters
    ----------
    path : Path
        What kind of file it is shows in its first bytes, not in its name.
    aliases : mapping
        Our name of each column, and the headers understood as it, as `header_key` writes them; of
        several present the one named first is used.
    required : tuple of str
        Our names of the columns without which the file says nothing.

    Returns
    -------
    Table
        Rows with too many or too few cells are already rejected.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be opened.
    DataQualityError
        If it is empty, not UTF-8, not a table, lacks a required column, or exceeds a limit.
    """
    try:
        with open_content(path, limits) as stream:
            head = read_head(path, stream, limits)
            if is_parquet(head):
                table = _read_parquet_table(path, stream, aliases, required, limits)
            else:
                header = _read_csv_header(path, require_utf8(path, head), aliases, required)
                _check_column_count(path, header.n_columns, limits)
                if measure_size(path, stream, limits) > PRESCAN_MIN_BYTES:
                    stream.seek(
                        header.body_offset + len(head) - len(head.removeprefix(codecs.BOM_UTF8))
                    )
                    _prescan_csv(path, stream, header, limits)
                data = require_utf8(path, read_whole(path, stream, limits))
                table = _read_csv(path, data, aliases, required, limits)
        return drop_blank_rows(table)
    except (pa.ArrowException, csv.Error) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(f"{path} cannot be read as a table: {reason}") from error
    except MemoryError:
        raise DataQualityError(f"{path} needs more memory than there is: split it") from None


def header_key(header: str) -> str:
    """A header without case, spaces and punctuation: "Adj.

    Close" and adj_close are both adjclose.
    """
    return re.sub(r"[^0-9a-z]", "", header.casefold())


class _CsvHeader(NamedTuple):
    """What the header of a CSV file says."""

    positions: dict[str, int]
    notes: list[str]
    n_columns: int
    body_offset: int
    """Where the first row starts, in bytes."""
    first_line: int


def _read_csv_header(
    path: Path, data: bytes, aliases: HeaderAliases, required: tuple[str, ...]
) -> _CsvHeader:
    """Choose columns by the first line that is not blank."""
    lines = io.BytesIO(data)
    reader = csv.reader(line.decode() for line in lines)
    headers = next((row for row in reader if any(row)), [])
    chosen, notes = choose_columns(path, headers, aliases, required)
    return _CsvHeader(chosen, notes, len(headers), lines.tell(), reader.line_num + 1)


def _read_csv(
    path: Path, data: bytes, aliases: HeaderAliases, required: tuple[str, ...], limits: Limits
) -> Table:
    header = _read_csv_header(path, data, aliases, required)
    if data.count(b'"', header.body_offset) % 2:
        raise DataQualityError(
            f"{path} has a quotation mark that is never closed: rows cannot be told apart"
        )
    if (
        len(data) == header.body_offset
        or data[header.body_offset : header.body_offset + CSV_BLOCK_BYTES].isspace()
    ):
        raise DataQualityError(f"{path} has a header and no row")
    body = memoryview(data)[header.body_offset :]
    source, ragged_rows = pa.BufferReader(pa.py_buffer(body)), list[tuple[int, int]]()
    batches = list(_read_csv_batches(path, source, header, header.positions, ragged_rows, limits))
    schema = pa.schema([(str(position), pa.string()) for position in header.positions.values()])
    table = pa.Table.from_batches(batches, schema)
    starts, ends, newlines = _record_offsets(body)
    if len(starts) != table.num_rows + len(ragged_rows):
        raise DataQualityError(
            f"{path} has a quotation mark or a line end inside a cell that is not quoted: rows"
            " cannot be told apart"
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
        RejectedRow(line, raw, f"{count} cells where the header has {header.n_columns}")
        for (line, raw), (_, count) in zip(locate(ragged_records), ragged_rows, strict=True)
        if raw.strip()
    ]
    return Table(path, columns, rejected, header.notes, lambda rows: locate(records[rows]), limits)


def _prescan_csv(path: Path, stream: BinaryIO, header: _CsvHeader, limits: Limits) -> None:
    """Go through a large file's rows before it is in memory; DataQualityError if more are torn, or differ, than is allowed."""
    chosen = {
        name: header.positions[name] for name in CARDINALITY_COLUMNS & header.positions.keys()
    }
    for _ in _read_csv_batches(path, stream, header, chosen or header.positions, [], limits):
        pass


def _read_csv_batches(
    path: Path,
    source: BinaryIO | pa.NativeFile,
    header: _CsvHeader,
    chosen: Mapping[str, int],
    ragged_rows: list[tuple[int, int]],
    limits: Limits,
) -> Iterator[pa.RecordBatch]:
    """Yield the chosen columns block by block; rows with too many or too few cells become part of ``ragged_rows``."""

    def skip(row: Any) -> str:
        ragged_rows.append((row.number - 1, row.actual_columns))
        return "skip" if len(ragged_rows) <= limits.rejected_rows else "error"

    names = [str(position) for position in range(header.n_columns)]
    distinct = CardinalityLimiter(path, limits)
    try:
        with pyarrow.csv.open_csv(
            source,
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=CSV_BLOCK_BYTES, column_names=names
            ),  # threads lose the row's number
            pyarrow.csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
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


class CardinalityLimiter:
    """Counts different values of a file's columns, and refuses the file that has too many of one."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._values: dict[str, set[object]] = {}

    def add(self, name: str, values: pa.Array | pa.ChunkedArray) -> None:
        """Count values; DataQualityError if there are more different ones than the limit allows."""
        found = self._values.setdefault(name, set())
        distinct = pc.unique(values)
        if len(distinct) <= self._limits.symbols:
            found.update(distinct.to_pylist())
        if max(len(distinct), len(found)) > self._limits.symbols:
            raise DataQualityError(
                f"{self._path} has more than {self._limits.symbols:,} different values in the"
                f" column {name}: is it that? If so, raise RISKMETRICS_MAX_SYMBOLS"
            )


def too_many_rejected_error(path: Path, limits: Limits) -> DataQualityError:
    """Say that a file has more bad rows than are kept."""
    return DataQualityError(
        f"{path} has more than {limits.rejected_rows:,} rows that cannot be read: is it the right "
        "file? If so, raise RISKMETRICS_MAX_REJECTED_ROWS"
    )


def _check_column_count(path: Path, n_columns: int, limits: Limits) -> None:
    if n_columns > limits.columns:
        raise DataQualityError(
            f"{path} has {n_columns:,} columns, more than the {limits.columns:,} that"
            " RISKMETRICS_MAX_COLUMNS allows"
        )


def _record_offsets(body: memoryview) -> tuple[IntArray, IntArray, IntArray]:
    """Where each record starts and ends, and where all line ends are: one between quotes belongs to its cell."""
    newlines, quotes = (_byte_positions(body, sign) for sign in (b"\n", b'"'))
    ends = newlines
    if len(quotes):
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    if body[-1] != ord("\n"):
        ends = np.append(ends, len(body))
    return np.concatenate([[0], ends[:-1] + 1]), ends, newlines


def _byte_positions(body: memoryview, sign: bytes) -> IntArray:
    """Where a sign stands, found block by block: a mask of the whole would be as large as the file."""
    content = np.frombuffer(body, dtype=np.uint8)
    found = [
        start + np.flatnonzero(content[start : start + CSV_BLOCK_BYTES] == ord(sign))
        for start in range(0, len(content), CSV_BLOCK_BYTES)
    ]
    places: IntArray = np.concatenate(found)
    return places


def _read_parquet_table(
    path: Path, stream: BinaryIO, aliases: HeaderAliases, required: tuple[str, ...], limits: Limits
) -> Table:
    notes: list[str] = []

    def choose(headers: list[str]) -> dict[str, int]:
        _check_column_count(path, len(headers), limits)
        chosen, unused = choose_columns(path, headers, aliases, required)
        notes.extend(unused)
        return chosen

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
    return Table(path, columns, [], notes, locate, limits)


def _json_value(value: object) -> object:
    """What JSON has no word for as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def choose_columns(
    path: Path, headers: list[str], aliases: HeaderAliases, required: tuple[str, ...]
) -> tuple[dict[str, int], list[str]]:
    """Which of the file's columns is which of ours, and a sentence on those that are none."""
    keys = [header_key(header) for header in headers]
    chosen: dict[str, int] = {}
    for name, understood in aliases.items():
        spelled = next((key for key in understood if key in keys), None)
        if spelled is None:
            continue
        if keys.count(spelled) > 1:
            raise DataQualityError(
                f"{path} has {keys.count(spelled)} columns called {headers[keys.index(spelled)]}:"
                " keep one"
            )
        chosen[name] = keys.index(spelled)
    if absent := [name for name in required if name not in chosen]:
        found = ", ".join(header.strip() or "(no name)" for header in headers)[:500]
        understood_as = "; ".join(
            f"{name} (spelled {', '.join(aliases[name])}, whatever case and punctuation)"
            for name in absent
        )
        raise DataQualityError(
            f"{path} has no column {understood_as}; its columns, separated by commas, are: {found}"
        )
    unused = [
        header
        for position, header in enumerate(headers)
        if position not in chosen.values() and header.strip()
    ]
    return chosen, [f"columns not used: {', '.join(unused)[:500]}"] if unused else []


def drop_blank_rows(table: Table) -> Table:
    """Leave out rows, as at the end of many files, that have no text in any known column."""
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
