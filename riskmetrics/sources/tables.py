"""CSV and Parquet files as columns of cells under our names; what the cells mean is said in ``files``.

Every row can be traced to its line. The header is line 1; a record whose quoted cell spans lines
counts from its first physical line; in a Parquet file the first row is "line" 2, as if it had a header.
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
from riskmetrics.limits import DEFAULT, MEGABYTE, Limits
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.contents import is_parquet, measure, open_content, read_head, read_whole, utf8
from riskmetrics.sources.parquet_files import read_parquet

Spellings = Mapping[str, tuple[str, ...]]
BLOCK = 1 << 24  # bytes that the CSV reader takes at once, and so the longest row
LONGEST_RAW_ROW = 2_000  # bytes of a rejected row that are kept
LARGE = 64 * MEGABYTE  # bytes from which on a file is gone through before it is read
DISTINCT_COLUMNS = {"symbol", "date"}
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
    limits: Limits = DEFAULT

    @property
    def n_rows(self) -> int:
        """Rows that could be split into cells."""
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> "pd.Series[str]":
        """Trimmed text of a column; empty where missing or where there is no such column."""
        if name not in self.columns:
            return pd.Series("", index=range(self.n_rows), dtype="str")
        return pd.Series(pc.fill_null(cells.trimmed(self.columns[name]), "").to_pandas(), dtype="str")

    def only(self, kept: BoolArray) -> "Table":
        """Leave out rows; what was rejected and noted stays."""
        rows = np.flatnonzero(kept)
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return self._replace(columns=columns, locate=lambda chosen: self.locate(rows[chosen]))


def read_table(path: Path, spellings: Spellings, required: tuple[str, ...], limits: Limits = DEFAULT) -> Table:
    """Read the columns that ``spellings`` knows from a CSV file (plain or gzip, UTF-8, commas) or a Parquet file.

    Parameters
    ----------
    path : Path
        What kind of file it is shows in its first bytes, not in its name.
    spellings : mapping
        Our name of each column, and the headers understood as it, as `header_key` writes them; of several
        present the one named first is used.
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
                table = _parquet_table(path, stream, spellings, required, limits)
            else:
                header = _columns_of_csv(path, utf8(path, head), spellings, required)
                _refuse_columns(path, header.n_columns, limits)
                if measure(path, stream, limits) > LARGE:
                    stream.seek(header.body + len(head) - len(head.removeprefix(codecs.BOM_UTF8)))
                    _refuse_too_many(path, stream, header, limits)
                data = utf8(path, read_whole(path, stream, limits))
                table = _csv_table(path, data, spellings, required, limits)
        return without_blank_rows(table)
    except (pa.ArrowException, csv.Error) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataQualityError(f"{path} cannot be read as a table: {reason}") from error
    except MemoryError:
        raise DataQualityError(f"{path} needs more memory than there is: split it") from None


def header_key(header: str) -> str:
    """A header without case, spaces and punctuation: "Adj. Close" and adj_close are both adjclose."""
    return re.sub(r"[^0-9a-z]", "", header.casefold())


class _CsvColumns(NamedTuple):
    """What the header of a CSV file says."""

    chosen: dict[str, int]
    notes: list[str]
    n_columns: int
    body: int
    """Where the first row starts, in bytes."""
    first_line: int


def _columns_of_csv(path: Path, data: bytes, spellings: Spellings, required: tuple[str, ...]) -> _CsvColumns:
    """Choose columns by the first line that is not blank."""
    lines = io.BytesIO(data)
    reader = csv.reader(line.decode() for line in lines)
    headers = next((row for row in reader if any(row)), [])
    chosen, notes = choose_columns(path, headers, spellings, required)
    return _CsvColumns(chosen, notes, len(headers), lines.tell(), reader.line_num + 1)


def _csv_table(path: Path, data: bytes, spellings: Spellings, required: tuple[str, ...], limits: Limits) -> Table:
    header = _columns_of_csv(path, data, spellings, required)
    if data.count(b'"', header.body) % 2:
        raise DataQualityError(f"{path} has a quotation mark that is never closed: rows cannot be told apart")
    if len(data) == header.body or data[header.body : header.body + BLOCK].isspace():
        raise DataQualityError(f"{path} has a header and no row")
    body = memoryview(data)[header.body :]
    source, torn = pa.BufferReader(pa.py_buffer(body)), list[tuple[int, int]]()
    batches = list(_split_rows(path, source, header, header.chosen, torn, limits))
    schema = pa.schema([(str(position), pa.string()) for position in header.chosen.values()])
    table = pa.Table.from_batches(batches, schema)
    starts, ends, newlines = _records(body)
    if len(starts) != table.num_rows + len(torn):
        raise DataQualityError(f"{path} has a quotation mark or a line end inside a cell that is not quoted: rows cannot be told apart")

    def locate(records: IntArray) -> list[tuple[int, str]]:
        lines = header.first_line + np.searchsorted(newlines, starts[records])
        ended = np.minimum(ends[records], starts[records] + LONGEST_RAW_ROW)
        texts = (bytes(body[start:end]).decode(errors="ignore").rstrip("\r") for start, end in zip(starts[records], ended, strict=True))
        return list(zip(lines.tolist(), texts, strict=True))

    torn_records = np.array([record for record, _ in torn], dtype=np.int64)
    records = np.delete(np.arange(len(starts)), torn_records)
    columns = {name: table[str(position)] for name, position in header.chosen.items()}
    rejected = [
        RejectedRow(line, raw, f"{count} cells where the header has {header.n_columns}")
        for (line, raw), (_, count) in zip(locate(torn_records), torn, strict=True)
        if raw.strip()
    ]
    return Table(path, columns, rejected, header.notes, lambda rows: locate(records[rows]), limits)


def _refuse_too_many(path: Path, stream: BinaryIO, header: _CsvColumns, limits: Limits) -> None:
    """Go through a large file's rows before it is in memory; DataQualityError if more are torn, or differ, than is allowed."""
    chosen = {name: header.chosen[name] for name in DISTINCT_COLUMNS & header.chosen.keys()}
    for _ in _split_rows(path, stream, header, chosen or header.chosen, [], limits):
        pass


def _split_rows(
    path: Path,
    source: BinaryIO | pa.NativeFile,
    header: _CsvColumns,
    chosen: Mapping[str, int],
    torn: list[tuple[int, int]],
    limits: Limits,
) -> Iterator[pa.RecordBatch]:
    """Yield the chosen columns block by block; rows with too many or too few cells become part of ``torn``."""

    def skip(row: Any) -> str:
        torn.append((row.number - 1, row.actual_columns))
        return "skip" if len(torn) <= limits.rejected_rows else "error"

    names = [str(position) for position in range(header.n_columns)]
    distinct = DistinctValues(path, limits)
    try:
        with pyarrow.csv.open_csv(
            source,
            pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names),  # threads lose the row's number
            pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip),
            pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[str(position) for position in chosen.values()],
            ),
        ) as reader:
            for batch in reader:
                for name in DISTINCT_COLUMNS & chosen.keys():
                    distinct.add(name, batch.column(str(chosen[name])))
                yield batch
    except pa.ArrowInvalid:
        if len(torn) > limits.rejected_rows:
            raise too_many_rejected(path, limits) from None
        raise


class DistinctValues:
    """Counts different values of a file's columns, and refuses the file that has too many of one."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._found: dict[str, set[object]] = {}

    def add(self, name: str, values: pa.Array | pa.ChunkedArray) -> None:
        """Count values; DataQualityError if there are more different ones than the limit allows."""
        found = self._found.setdefault(name, set())
        distinct = pc.unique(values)
        if len(distinct) <= self._limits.symbols:
            found.update(distinct.to_pylist())
        if max(len(distinct), len(found)) > self._limits.symbols:
            raise DataQualityError(
                f"{self._path} has more than {self._limits.symbols:,} different values in the column "
                f"{name}: is it that? If so, raise RISKMETRICS_MAX_SYMBOLS"
            )


def too_many_rejected(path: Path, limits: Limits) -> DataQualityError:
    """Say that a file has more bad rows than are kept."""
    return DataQualityError(
        f"{path} has more than {limits.rejected_rows:,} rows that cannot be read: is it the right "
        "file? If so, raise RISKMETRICS_MAX_REJECTED_ROWS"
    )


def _refuse_columns(path: Path, n_columns: int, limits: Limits) -> None:
    if n_columns > limits.columns:
        raise DataQualityError(f"{path} has {n_columns:,} columns, more than the {limits.columns:,} that RISKMETRICS_MAX_COLUMNS allows")


def _records(body: memoryview) -> tuple[IntArray, IntArray, IntArray]:
    """Where each record starts and ends, and where all line ends are: one between quotes belongs to its cell."""
    newlines, quotes = (_places(body, sign) for sign in (b"\n", b'"'))
    ends = newlines
    if len(quotes):
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    if body[-1] != ord("\n"):
        ends = np.append(ends, len(body))
    return np.concatenate([[0], ends[:-1] + 1]), ends, newlines


def _places(body: memoryview, sign: bytes) -> IntArray:
    """Where a sign stands, found block by block: a mask of the whole would be as large as the file."""
    content = np.frombuffer(body, dtype=np.uint8)
    found = [start + np.flatnonzero(content[start : start + BLOCK] == ord(sign)) for start in range(0, len(content), BLOCK)]
    places: IntArray = np.concatenate(found)
    return places


def _parquet_table(path: Path, stream: BinaryIO, spellings: Spellings, required: tuple[str, ...], limits: Limits) -> Table:
    notes: list[str] = []

    def choose(headers: list[str]) -> dict[str, int]:
        _refuse_columns(path, len(headers), limits)
        chosen, unused = choose_columns(path, headers, spellings, required)
        notes.extend(unused)
        return chosen

    table = read_parquet(path, stream, choose, limits)
    distinct = DistinctValues(path, limits)
    for name in DISTINCT_COLUMNS & set(table.column_names):
        distinct.add(name, table.column(name))

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        texts = (json.dumps({name: _json(value) for name, value in values.items()}, default=str) for values in table.take(rows).to_pylist())
        return [(row + 2, text[:LONGEST_RAW_ROW]) for row, text in zip(rows.tolist(), texts, strict=True)]

    columns = {name: table.column(name) for name in table.column_names}
    return Table(path, columns, [], notes, locate, limits)


def _json(value: object) -> object:
    """What JSON has no word for as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def choose_columns(path: Path, headers: list[str], spellings: Spellings, required: tuple[str, ...]) -> tuple[dict[str, int], list[str]]:
    """Which of the file's columns is which of ours, and a sentence on those that are none."""
    keys = [header_key(header) for header in headers]
    chosen: dict[str, int] = {}
    for name, understood in spellings.items():
        spelled = next((key for key in understood if key in keys), None)
        if spelled is None:
            continue
        if keys.count(spelled) > 1:
            raise DataQualityError(f"{path} has {keys.count(spelled)} columns called {headers[keys.index(spelled)]}: keep one")
        chosen[name] = keys.index(spelled)
    if absent := [name for name in required if name not in chosen]:
        found = ", ".join(header.strip() or "(no name)" for header in headers)[:500]
        understood_as = "; ".join(f"{name} (spelled {', '.join(spellings[name])}, whatever case and punctuation)" for name in absent)
        raise DataQualityError(f"{path} has no column {understood_as}; its columns, separated by commas, are: {found}")
    unused = [header for position, header in enumerate(headers) if position not in chosen.values() and header.strip()]
    return chosen, [f"columns not used: {', '.join(unused)[:500]}"] if unused else []


def without_blank_rows(table: Table) -> Table:
    """Leave out rows, as at the end of many files, that have no text in any known column."""
    blank = reduce(pc.and_, (pc.is_in(cells.trimmed(column), value_set=pa.array([None, ""])) for column in table.columns.values()))
    if not pc.any(blank).as_py():
        return table
    return table.only(~blank.to_numpy())
