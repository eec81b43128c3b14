"""From a text with a layout to a table: which of its lines is the header, which are rows, and what the others say."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.layouts import CASH_ROW_SYMBOL, GENERIC, Layout
from riskmetrics.sources.tabular_files import RejectedRow, Table, choose_columns, header_key
from riskmetrics.symbols import normalize_symbol

MIN_SENTENCE_WORDS = 5
"""Words in a cell that make a sentence of it."""
MAX_FACT_CHARS = 1_000
"""Characters of a line that names an account or a day."""
_NUMBER = re.compile(cells.number_pattern("."))


class Line(NamedTuple):
    """A record of a delimited text: one line, or several where a quoted cell spans them."""

    number: int
    """Of its first line, counted from 1."""
    raw: str
    cells: list[str]
    """Trimmed; blank ones at the end are left out."""
    n_cells: int
    """With those."""


class SkippedLine(NamedTuple):
    """A line that was understood and is no holding."""

    line: int
    reason: str
    """What it is instead."""


class ParsedStatement(NamedTuple):
    """What the lines of a file hold."""

    table: Table
    """Rows with the columns account and account_number filled in as far as known; its rejected rows could not be split into cells."""
    skipped: list[SkippedLine]
    day: date | None
    """The day that they say it describes."""


def split_records(text: str, delimiter: str) -> list[Line]:
    """Split a text into its records that are not blank; csv.Error where quotation marks do not pair."""
    physical = io.StringIO(text, newline="").readlines()
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    lines, before = [], 0
    for record in reader:
        trimmed = [cell.strip() for cell in record]
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


def header_keys(line: Line) -> frozenset[str]:
    """The cells as the headers that they may be."""
    return frozenset(header_key(cell) for cell in line.cells)


def parse_statement(path: Path, layout: Layout, lines: Sequence[Line]) -> ParsedStatement:
    """Go through a file's lines by its layout.

    Raises
    ------
    DataQualityError
        If two columns of a header have the same name.
    """
    parser = _StatementParser(path, layout)
    for line, next_line in zip(lines, [*lines[1:], None], strict=True):
        parser.feed(line, next_line)
    return parser.result()


class _StatementParser:
    """What is known so far on the way through a file."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path, self._layout = path, layout
        self._header: list[str] = []
        self._columns: dict[str, int] = {}
        self._has_ended = False
        self._account = {"account": "", "account_number": ""}
        self._day: date | None = None
        self._rows: list[tuple[Line, dict[str, str]]] = []
        self._ragged_rows: list[RejectedRow] = []
        self._skipped: list[SkippedLine] = []
        self._notes: list[str] = []

    def feed(self, line: Line, next_line: Line | None) -> None:
        """Take the next line."""
        if self._has_ended:
            self._skip(line, "part of another table")
        elif facts := self._match_facts(line):
            self._record_facts(line, facts)
        elif self._layout.matches_header(header_keys(line)):
            self._start_table(line)
        elif (
            self._layout.has_account_line_above
            and next_line is not None
            and self._layout.matches_header(header_keys(next_line))
        ):
            self._account["account"] = ", ".join(line.cells)
            self._skip(line, "the account")
        elif not self._header:
            self._skip(line, "before the table")
        else:
            self._add_row(line)

    def result(self) -> ParsedStatement:
        """Return what the lines held."""
        lines = [line for line, _ in self._rows]
        names = dict.fromkeys([*self._columns, *(name for _, row in self._rows for name in row)])
        columns = {
            name: pa.chunked_array(
                [pa.array([row.get(name, "") for _, row in self._rows], pa.string())]
            )
            for name in [*names, *self._account]
        }

        def locate(rows: IntArray) -> list[tuple[int, str]]:
            return [(lines[row].number, lines[row].raw) for row in rows]

        return ParsedStatement(
            Table(self._path, columns, self._ragged_rows, self._notes, locate),
            self._skipped,
            self._day,
        )

    def _skip(self, line: Line, reason: str) -> None:
        self._skipped.append(SkippedLine(line.number, reason))

    def _match_facts(self, line: Line) -> dict[str, str | None]:
        """Return what a line states by the layout's patterns, whose time grows with the square of its length."""
        text = "|".join(line.cells)
        if len(text) > MAX_FACT_CHARS:
            return {}
        found = (re.match(fact, text) for fact in self._layout.fact_patterns)
        return next((match.groupdict() for match in found if match), {})

    def _record_facts(self, line: Line, matched: dict[str, str | None]) -> None:
        facts = {name: text.strip() for name, text in matched.items() if text}
        if "account" in facts or "number" in facts:
            self._account = {
                "account": facts.get("account", ""),
                "account_number": facts.get("number", ""),
            }
        if "day" in facts:
            self._day = self._day or _parse_us_date(facts["day"])
        if "cash" in facts:
            self._rows.append(
                (
                    line,
                    {
                        **self._account,
                        "symbol": CASH_ROW_SYMBOL,
                        "market_value": facts["cash"],
                        "currency": facts["currency"],
                    },
                )
            )
        else:
            self._skip(line, f"the {' and the '.join(facts).replace('number', 'account number')}")

    def _start_table(self, line: Line) -> None:
        repeats = line.cells == self._header
        if self._header and not repeats and self._layout is GENERIC:
            self._has_ended = True
            self._skip(line, "part of another table")
            return
        self._header = line.cells
        self._columns, notes = choose_columns(
            self._path, line.cells, self._layout.columns, ("symbol",)
        )
        if self._layout is GENERIC and not repeats:
            self._notes += notes

    def _add_row(self, line: Line) -> None:
        row = {
            name: line.cells[place]
            for name, place in self._columns.items()
            if place < len(line.cells)
        }
        for name, expected in self._layout.holding_values.items():
            if name in self._columns and header_key(row.get(name, "")) != expected:
                self._skip(line, f"no open position: {row.get(name) or 'nothing stated'}")
                return
        if _is_remark(line):
            self._skip(line, "a remark")
        elif len(line.cells) > len(self._header) or line.n_cells < len(self._header):
            reason = f"{line.n_cells} cells where the header has {len(self._header)}"
            self._ragged_rows.append(RejectedRow(line.number, line.raw, reason))
        else:
            self._rows.append(
                (line, {**self._account, **{name: text for name, text in row.items() if text}})
            )


def _is_remark(line: Line) -> bool:
    """Whether a line is a sentence rather than a holding, whole or torn."""
    if len(line.cells) == 1:
        return " " in line.cells[0] or normalize_symbol(line.cells[0]) is None
    return any(len(cell.split()) >= MIN_SENTENCE_WORDS for cell in line.cells) and not any(
        map(_NUMBER.match, line.cells)
    )


def _parse_us_date(text: str) -> date | None:
    """A day as American brokers write it, the month first."""
    try:
        return pd.Timestamp(text).date()
    except ValueError:
        return None
