"""CSV and Parquet files as columns of cells under our names; what the cells mean is said in ``files``.

Every row can be traced to its line. The header is line 1; a record whose quoted cell spans lines
counts from its first physical line; in a Parquet file the first row is "line" 2, as if it had a header.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.contents import content, is_parquet, utf8

Spellings = Mapping[str, tuple[str, ...]]
BLOCK = 1 << 24  # bytes that the CSV reader takes at once, and so the longest row


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


def read_table(path: Path, spellings: Spellings, required: tuple[str, ...]) -> Table:
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
        If it is empty, not UTF-8, not a table, or lacks a required column.
    """
    data = content(path)
    try:
        if is_parquet(data):
            return _parquet_table(path, data, spellings, required)
        return _csv_table(path, utf8(path, data), spellings, required)
    except (pa.ArrowException, csv.Error) as error:
        raise DataQualityError(f"{path} cannot be read as a table: {' '.join(str(error).split())[:200]}") from error


def header_key(header: str) -> str:
    """A header without case, spaces and punctuation: "Adj. Close" and adj_close are both adjclose."""
    return re.sub(r"[^0-9a-z]", "", header.casefold())


def _csv_table(path: Path, data: bytes, spellings: Spellings, required: tuple[str, ...]) -> Table:
    lines = io.BytesIO(data)
    reader = csv.reader(line.decode() for line in lines)
    headers = next((row for row in reader if any(row)), [])
    chosen, notes = choose_columns(path, headers, spellings, required)
    body, first_line = data[lines.tell() :], reader.line_num + 1
    if body.count(b'"') % 2:
        raise DataQualityError(f"{path} has a quotation mark that is never closed: rows cannot be told apart")
    if not body or body.isspace():
        raise DataQualityError(f"{path} has a header and no row")
    torn: list[tuple[int, int]] = []

    def skip(row: Any) -> str:
        torn.append((row.number - 1, row.actual_columns))
        return "skip"

    names = [str(position) for position in range(len(headers))]
    table = pyarrow.csv.read_csv(
        pa.BufferReader(body),
        pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names),  # threads lose the row's number
        pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip),
        pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=[str(position) for position in chosen.values()],
        ),
    )
    starts, ends, newlines = _records(body)
    if len(starts) != table.num_rows + len(torn):
        raise DataQualityError(f"{path} has a quotation mark or a line end inside a cell that is not quoted: rows cannot be told apart")

    def locate(records: IntArray) -> list[tuple[int, str]]:
        lines = first_line + np.searchsorted(newlines, starts[records])
        texts = (body[start:end].decode().rstrip("\r") for start, end in zip(starts[records], ends[records], strict=True))
        return list(zip(lines.tolist(), texts, strict=True))

    torn_records = np.array([record for record, _ in torn], dtype=np.int64)
    records = np.delete(np.arange(len(starts)), torn_records)
    columns = {name: table[str(position)] for name, position in chosen.items()}
    rejected = [
        RejectedRow(line, raw, f"{count} cells where the header has {len(headers)}")
        for (line, raw), (_, count) in zip(locate(torn_records), torn, strict=True)
        if raw.strip()
    ]
    return without_blank_rows(Table(path, columns, rejected, notes, lambda rows: locate(records[rows])))


def _records(body: bytes) -> tuple[IntArray, IntArray, IntArray]:
    """Where each record starts and ends, and where all line ends are: one between quotes belongs to its cell."""
    content = np.frombuffer(body, dtype=np.uint8)
    newlines = np.flatnonzero(content == ord("\n"))
    quotes_before = np.searchsorted(np.flatnonzero(content == ord('"')), newlines)
    ends = newlines[quotes_before % 2 == 0]
    if not body.endswith(b"\n"):
        ends = np.append(ends, len(body))
    return np.concatenate([[0], ends[:-1] + 1]), ends, newlines


def _parquet_table(path: Path, data: bytes, spellings: Spellings, required: tuple[str, ...]) -> Table:
    table = pyarrow.parquet.read_table(pa.BufferReader(data))
    if not table.num_rows:
        raise DataQualityError(f"{path} has columns and no row")
    chosen, notes = choose_columns(path, table.column_names, spellings, required)

    def locate(rows: IntArray) -> list[tuple[int, str]]:
        texts = (json.dumps({name: _json(value) for name, value in values.items()}, default=str) for values in table.take(rows).to_pylist())
        return list(zip((rows + 2).tolist(), texts, strict=True))

    return without_blank_rows(Table(path, {name: table.column(position) for name, position in chosen.items()}, [], notes, locate))


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
