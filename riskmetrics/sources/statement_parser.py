"""Parsing of broker statements: header, rows, account, day and cash from lines with a layout."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import IntArray
from riskmetrics.sources.asset_classes import asset_class, is_cash_text
from riskmetrics.sources.holdings_columns import choose_holdings_columns
from riskmetrics.sources.layouts import CASH_ROW_SYMBOL, Layout
from riskmetrics.sources.section_sides import ClosedSections, SectionSide, section_side
from riskmetrics.sources.stated_currency import TableCurrency, require_full_amounts
from riskmetrics.sources.statement_columns import currency_of_total, find_more_columns
from riskmetrics.sources.statement_days import StatedDay, find_stated_day, parse_stated_day
from riskmetrics.sources.statement_lines import Line, header_keys
from riskmetrics.sources.statement_rows import (
    fill_merged_accounts,
    find_lot_sums,
    is_remark,
    is_total,
    is_total_of_accounts,
    named_cells,
)
from riskmetrics.sources.statement_tables import StatedTable, is_sized, join_tables
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.tabular_files import RejectedRow, Table
from riskmetrics.sources.vocabulary import language_date_order

MAX_STATEMENT_CHARS = 1_000
"""Maximum length of a line that names an account or a day."""
_CLASS_TITLE = "the asset class of the lines below"
_NOT_HELD = "in a section of closed positions or orders: no longer held, or not yet"
_OTHER_TABLE = "part of another table"
MAX_TITLE_CELLS = 3
"""Maximum number of cells of a line that states the day in a sentence."""


class SkippedLine(NamedTuple):
    """A recognized line that is not a holding."""

    line: int
    reason: str
    """Description of the line."""


class ParsedStatement(NamedTuple):
    """Content of a statement: table of holdings, skipped lines and day."""

    table: Table
    """Rows, with account and account_number if known; rejected rows have a wrong cell count."""
    skipped: list[SkippedLine]
    day: StatedDay | None
    """Day of the holdings, if the file states it."""
    unknown_numbers: tuple[str, ...] = ()
    """Headers of columns of numbers that are not known, and that may be quantities."""


def parse_statement(
    path: Path,
    layout: Layout,
    lines: Sequence[Line],
    delimiter: str = ",",
    other_headers: Collection[int] = (),
) -> ParsedStatement:
    """Parse the lines of a file, split at a delimiter, by its layout.

    Parameters
    ----------
    path : Path
        The file, for errors.
    layout : Layout
        Layout of its table.
    lines : sequence of Line
        All lines.
    delimiter : str
        Separator of the cells.
    other_headers : collection of int
        Numbers of the header lines of tables that do not state holdings.

    Raises
    ------
    DataQualityError
        If a used header occurs more than once, with different cells.
    """
    parser = _StatementParser(path, layout, other_headers)
    for line, next_line in zip(lines, [*lines[1:], None], strict=True):
        parser.feed(line, next_line)
    parsed = parser.result()
    return parsed._replace(table=parsed.table._replace(delimiter=delimiter))


class _StatementParser:
    """State of the parser after the lines fed so far."""

    def __init__(self, path: Path, layout: Layout, other_headers: Collection[int]) -> None:
        self._path, self._layout, self._other_headers = path, layout, other_headers
        self._aliases = layout.aliases
        self._header: list[str] = []
        self._header_line = 0
        self._above: list[list[str]] = []
        self._currency = TableCurrency()
        self._columns: dict[str, tuple[int, ...]] = {}
        self._section = ""
        self._is_below_class = False  # whether the line above is the title of an asset class
        self._side, self._sections = SectionSide(path), ClosedSections(path)
        self._has_ended = self._is_in_other_table = self._has_table = False
        self._account = {"account": "", "account_number": ""}
        self._day: StatedDay | None = None
        self._rows: list[tuple[Line, dict[str, str]]] = []
        self._joined: list[StatedTable] = []
        self._others: list[StatedTable] = []  # below the end, to be compared only
        self._ragged_rows: list[RejectedRow] = []
        self._skipped: list[SkippedLine] = []
        self._notes: list[str] = []

    def feed(self, line: Line, next_line: Line | None) -> None:
        """Process the next line."""
        n_skipped = len(self._skipped)
        self._feed(line, next_line)
        last = self._skipped[-1].reason if len(self._skipped) > n_skipped else ""
        self._is_below_class = last == _CLASS_TITLE

    def _feed(self, line: Line, next_line: Line | None) -> None:
        self._is_in_other_table |= line.number in self._other_headers
        self._above += [] if self._header else [line.cells]
        if sum(map(bool, line.cells)) < MAX_TITLE_CELLS:
            require_full_amounts(self._path, line.number, line.cells)
        if reason := self._sections.enter(
            line.cells,
            is_above_table=self._starts_table(next_line),
            has_table=bool(self._header),
            is_repeated=next_line is not None and next_line.cells == self._header,
        ):
            self._skip(line, reason)
        elif self._has_ended:
            self._skip_below_end(line)
        elif facts := self._match_statement(line):
            self._record_statement(line, facts)
        elif line.number not in self._other_headers and self._layout.matches_header(
            header_keys(line)
        ):
            self._start_table(line)
        elif day := self._find_day(line):
            self._day = day
            self._skip(line, "the day")
        elif self._names_account(next_line):
            self._account["account"] = ", ".join(line.cells)
            self._side.end_account()
            self._sections.end_account()
            self._skip(line, "the account")
        elif self._is_in_other_table:
            self._skip(line, _OTHER_TABLE)
        elif not self._header:
            is_cash = len(line.cells) > 1 and is_cash_text(line.cells[0].rstrip(":"))
            reason = "cash outside of the table: pass --equity" if is_cash else "before the table"
            self._skip(line, reason)
        else:
            self._add_row(line)

    def _names_account(self, next_line: Line | None) -> bool:
        """Return whether a line names the account of the table that the next line starts."""
        return self._layout.account_line_above and self._starts_table(next_line)

    def _starts_table(self, line: Line | None) -> bool:
        """Return whether a line is a header of the layout."""
        return line is not None and self._layout.matches_header(header_keys(line))

    def _find_day(self, line: Line) -> StatedDay | None:
        """Return the day that a line states in a sentence, if none before states a better one."""
        text = " ".join(line.cells)
        is_outside = len(line.cells) <= (1 if self._header else MAX_TITLE_CELLS)
        if not is_outside or len(text) > MAX_STATEMENT_CHARS:
            return None
        texts = (text, " - ".join(line.cells))  # Positions, 12/13/2024
        order, is_title = self._layout.dates, not self._header
        days = (find_stated_day(one, order, is_title=is_title) for one in texts)
        found = next(filter(None, days), None)
        is_better = found is not None and (self._day is None or found.rank > self._day.rank)
        return found if is_better else None

    def result(self) -> ParsedStatement:
        """Return the parsed content of all lines."""
        tables = self._join_tables()
        rows = [row for table in tables for row in table.rows]
        fill_merged_accounts([row for _, row in rows])
        total = "" if self._currency.has_dollars else currency_of_total(rows)
        if code := self._currency.of_footer(len(rows)) or total:
            for _, row in rows:
                row.setdefault("currency", code)
        tables = [table._replace(rows=self._drop_sums(table)) for table in tables]
        unknown_numbers = tuple(
            header for table in tables for header in find_more_columns(*table[1:4])
        )
        rows = [row for table in tables for row in table.rows]
        lines = [line for line, _ in rows]
        known = [name for table in tables for name in table.columns]
        names = dict.fromkeys([*known, *(name for _, row in rows for name in row)])
        columns = {
            name: pa.chunked_array([pa.array([row.get(name, "") for _, row in rows], pa.string())])
            for name in [*names, *self._account]
        }

        def locate(places: IntArray) -> list[tuple[int, str]]:
            return [(lines[place].number, lines[place].raw) for place in places]

        return ParsedStatement(
            Table(
                self._path,
                columns,
                self._ragged_rows,
                self._notes,
                locate,
                default_order=language_date_order(self._header),
            ),
            self._skipped,
            self._day,
            unknown_numbers,
        )

    def _join_tables(self) -> list[StatedTable]:
        """Return the tables of positions, and skip the rows of other views of them."""
        last = StatedTable(self._header_line, self._header, self._columns, self._rows)
        tables = [*self._joined, last]
        if not self._layout.is_general:
            return tables
        found = join_tables(self._path, [*tables, *self._others])
        lines = {table.line for table in found}
        for table in (one for one in tables if one.line not in lines):
            for number in (table.line, *(line.number for line, _ in table.rows)):
                self._skipped.append(SkippedLine(number, _OTHER_TABLE))
        return found

    def _drop_sums(self, table: StatedTable) -> list[tuple[Line, dict[str, str]]]:
        """Skip the sums of lots, and return the other rows."""
        used = {place for places in table.columns.values() for place in places}
        sums = find_lot_sums(table.rows, used)
        for place in sums:
            self._skip(table.rows[place][0], "the sum of lots")
        return [row for place, row in enumerate(table.rows) if place not in sums]

    def _skip(self, line: Line, reason: str) -> None:
        self._skipped.append(SkippedLine(line.number, reason))

    def _match_statement(self, line: Line) -> dict[str, str | None]:
        """Return the named groups of the first matching statement pattern; none for a long line."""
        # the time of the patterns is quadratic in the length of the line
        text = "|".join(line.cells)
        if len(text) > MAX_STATEMENT_CHARS:
            return {}
        found = (re.match(pattern, text) for pattern in self._layout.statements)
        return next((match.groupdict() for match in found if match), {})

    def _record_statement(self, line: Line, matched: dict[str, str | None]) -> None:
        facts = {name: text.strip() for name, text in matched.items() if text}
        if "account" in facts or "number" in facts:
            self._account = {
                "account": facts.get("account", ""),
                "account_number": facts.get("number", ""),
            }
            self._side.end_account()
            self._sections.end_account()
        if "day" in facts:
            self._day = self._day or parse_stated_day(facts["day"], self._layout.dates)
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
        is_part = repeats or self._is_below_class
        if self._has_table and not is_part and self._layout.is_general:
            self._has_ended = True
            self._skip_below_end(line)
            return
        if not self._header:
            self._currency.start_table(self._above, line.cells)
        elif not repeats:
            self._joined.append(
                StatedTable(self._header_line, self._header, self._columns, self._rows)
            )
            self._rows = []
        self._header_line = self._header_line if repeats else line.number
        self._header, self._is_in_other_table = line.cells, False
        self._has_table |= not self._sections.is_closed  # else it is one of orders, above positions
        self._side.start_table(line.number)
        chosen = choose_holdings_columns(self._path, line.cells, self._aliases)
        self._columns = chosen.positions
        self._currency.read_header(chosen.currency)
        if self._layout.is_general and not repeats:
            self._notes += chosen.notes

    def _skip_below_end(self, line: Line) -> None:
        """Skip a line below the tables that are read, and keep the rows of other positions."""
        self._skip(line, _OTHER_TABLE)
        side = section_side(line.cells[-1]) if sum(map(bool, line.cells)) == 1 else ""
        if line.number not in self._other_headers and self._starts_table(line):
            self._is_in_other_table = False
            self._side.end_rows()
            columns = choose_holdings_columns(self._path, line.cells, self._aliases).positions
            self._others.append(StatedTable(line.number, line.cells, columns, [], is_part=False))
        elif side:
            self._side.start(side)
        elif self._others and not self._is_in_other_table:
            row = named_cells(line, self._others[-1].columns)
            if is_remark(line, row) or self._is_in_closed(line, row):
                return
            if is_total(row):
                self._side.end_total()
            self._fill_side(row)
            self._others[-1].rows.append((line, row))

    def _add_row(self, line: Line) -> None:
        row = named_cells(line, self._columns)
        for name, expected in self._layout.required_values.items():
            if name in self._columns and header_key(row.get(name, "")) != expected:
                self._skip(line, f"no open position: {row.get(name) or '(empty)'}")
                return
        n_rows = sum(len(table.rows) for table in self._joined) + len(self._rows)
        if code := self._currency.read_line(line.cells, n_rows):
            self._skip(line, f"the currency {code}")
            return
        if not self._sections.is_closed and self._starts_section(line):
            return
        if self._is_in_closed(line, row):
            self._skip(line, _NOT_HELD)
            return
        if is_total(row):
            self._side.end_total()
        if is_remark(line, row):
            self._skip(line, "a remark")
        elif is_total_of_accounts(row):
            self._skip(line, "a total")
        elif len(line.cells) > len(self._header) or line.n_cells < len(self._header):
            reason = f"{line.n_cells} cells, but the header has {len(self._header)}"
            self._ragged_rows.append(RejectedRow(line.number, line.raw, reason))
        else:
            self._require_equal_repeats(line)
            self._fill_from_section(row)
            self._rows.append(
                (line, {**self._account, **{name: text for name, text in row.items() if text}})
            )

    def _is_in_closed(self, line: Line, row: Mapping[str, str]) -> bool:
        """Return whether a row is in a section of positions that are not held."""
        is_row = sum(map(bool, line.cells)) > 1
        account = (row.get("account_number") or row.get("account", "")) if row.get("symbol") else ""
        sizes = {"is_row": is_row, "is_sized": is_sized(row) and not is_remark(line, row)}
        return self._sections.is_in_closed(account, line=line.number, **sizes)

    def _fill_from_section(self, row: dict[str, str]) -> None:
        """Fill currency, side and asset class of a row, where only the lines above state them."""
        if self._currency.code and "currency" not in self._columns:
            row["currency"] = self._currency.code
        self._fill_side(row)
        if self._section and not row.get("investment_class"):
            row["investment_class"] = self._section

    def _fill_side(self, row: dict[str, str]) -> None:
        if not is_total(row) and (side := self._side.apply()):
            row["position_type"] = row.get("position_type") or side

    def _starts_section(self, line: Line) -> bool:
        """Record the side or the asset class of the lines below, if a line names only that."""
        if sum(map(bool, line.cells)) != 1:
            return False
        text = line.cells[-1]
        side, stated_class = section_side(text), asset_class(text)
        if side:
            self._side.start(side)
            self._skip(line, "the side of the lines below")
        elif stated_class:
            self._side.start_class(line.number, text, is_cash=stated_class == "cash")
            self._section = text
            self._skip(line, _CLASS_TITLE)
        return bool(side or stated_class)

    def _require_equal_repeats(self, line: Line) -> None:
        """Raise DataQualityError if columns with the same header have different cells."""
        for places in self._columns.values():
            if len(places) > 1 and len({tuple(line.cells[at : at + 1]) for at in places}) > 1:
                raise DataQualityError(
                    f"{self._path} has {len(places)} columns named {self._header[places[0]]}, which"
                    f" differ on line {line.number}. Keep one"
                )
