"""Reading of holdings files from brokers and users: accounts, day, holdings and cash.

`file_kinds` tells what a file is, `layouts` describes the layouts, `statement_parser` finds the
table in a file, `holdings_rows` splits its rows, and `lot_validation` validates the holdings of
each account.
"""

import csv
import math
from contextlib import suppress
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources import cells
from riskmetrics.sources.decimal_marks import infer_decimal_mark
from riskmetrics.sources.file_kinds import (
    HOLDINGS_KINDS,
    FileClassification,
    classify_lines,
    classify_tables,
    combine_kinds,
    require_kind,
)
from riskmetrics.sources.holdings_rows import (
    SplitRows,
    place_lots,
    place_report_cash,
    prepare_rows,
    read_numbers,
    split_rows,
    strip_percent_signs,
)
from riskmetrics.sources.layouts import GENERAL, Layout, LayoutSet, load_layouts
from riskmetrics.sources.lot_validation import validate_lots
from riskmetrics.sources.raw_files import (
    decode_text,
    is_parquet,
    measure_size,
    open_content,
    read_head,
    read_whole,
)
from riskmetrics.sources.row_validation import (
    RESCALE_NOTE_TOLERANCE,
    WEIGHT_SCALES,
    ParseResult,
    no_valid_row_error,
)
from riskmetrics.sources.statement_parser import (
    Line,
    ParsedStatement,
    SkippedLine,
    header_keys,
    parse_statement,
    split_records,
)
from riskmetrics.sources.tabular_files import RejectedRow, Table, choose_columns, read_table

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_AMBIGUOUS_KIND_REMEDY = (
    "If each row is a holding, name the column of dates entry_date; if each is a transaction, use"
    " `riskmetrics import transactions`"
)
_TOTAL_TOLERANCE = 0.005
"""Relative difference between a stated total and a sum within which they are the same."""


class StatedSize(StrEnum):
    """Column that states how much of each holding there is."""

    QUANTITY = "quantity"
    WEIGHT = "weight"
    VALUE = "market_value"


class Account(NamedTuple):
    """Holdings and cash of one account in a file."""

    name: str
    """Name of the account; empty if the file has none."""
    holdings: ParseResult
    """Lots as returned by `lot_validation.validate_lots`, without market_value."""
    value: float
    """Sum of the market values of the lots, dollars; NaN if one is missing."""
    cash: float
    """Cash, dollars; NaN if the file does not state it."""
    equity: float
    """Value of everything in the account, dollars; NaN if the file does not state it.

    The sum of values and cash, or the file's own total if lines were rejected.
    """


class HoldingsFile(NamedTuple):
    """Content of a holdings file."""

    layout: str
    file_format: str
    """Encoding, delimiter and decimal mark, comma-separated."""
    kind: FileClassification
    """Kind of the file, with the evidence."""
    day: date | None
    """Day of the holdings, if the file states it."""
    stated_size: StatedSize
    """What the column quantity of the lots is: a quantity, a weight or a value in dollars."""
    accounts: list[Account]
    rejected: list[RejectedRow]
    """Rejected lines that belong to no account."""
    skipped: list[SkippedLine]

    @property
    def has_weights(self) -> bool:
        """Return whether quantities are weights, to be converted by ``weights_to_quantities``."""
        return self.stated_size is StatedSize.WEIGHT

    @property
    def has_values(self) -> bool:
        """Return whether quantities are values, to be converted by ``weights_to_quantities``."""
        return self.stated_size is StatedSize.VALUE


def read_holdings(
    path: Path,
    *,
    as_of: date | None = None,
    decimal: str | None = None,
    allow_empty: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    layouts: LayoutSet | None = None,
) -> HoldingsFile:
    """Read the holdings of one or several accounts.

    Parameters
    ----------
    path : Path
        CSV of any encoding, delimiter and layout, or Parquet; `layouts.HEADER_ALIASES` has the
        columns that are read.
    as_of : date, optional
        Day of the holdings; a lot entered later is rejected. Default: the day stated in the file,
        else today.
    decimal : str, optional
        Decimal mark, "." or ",". Default: inferred from the numbers.
    allow_empty : bool
        Whether a table without any holding is accepted.
    limits : Limits
        Limits of the file.
    layouts : LayoutSet, optional
        Layouts to try. Default: those of the package.

    Raises
    ------
    UsageError
        If the file does not exist, or its decimal mark or its day is ambiguous.
    DataQualityError
        If the file is not a table of holdings, or has no valid lot.
    """
    file = _parse_file(path, limits.for_holdings(), layouts or load_layouts())
    table, layout = file.statement.table, file.layout
    mark = decimal or infer_decimal_mark(table, layout)
    stated_day = _stated_day(path, file.statement, needs_day=as_of is None)
    table, unplaced_cash = place_report_cash(prepare_rows(table, layout), mark)
    table, sums = place_lots(table, mark, layout.dates)
    size = _stated_size(table)
    if size is StatedSize.VALUE and "last_price" in table.columns:
        table, size = _quantities_from_prices(table, mark), StatedSize.QUANTITY
    reader = _AccountReader(
        layout, mark, as_of or stated_day or date.today(), size, allow_empty, table.rejected
    )
    reader.read(table)
    rejected = [*table.rejected, *reader.rejected]
    _require_holdings(path, reader.accounts, rejected, allow_empty=allow_empty)
    return HoldingsFile(
        layout.name,
        f"{file.file_format}, decimal {'point' if mark == '.' else 'comma'}",
        file.kind,
        stated_day,
        size,
        reader.accounts,
        rejected,
        sorted([*file.statement.skipped, *unplaced_cash, *sums, *reader.skipped]),
    )


def read_portfolio(
    path: Path, as_of: date | None = None, *, decimal: str | None = None
) -> ParseResult:
    """Read the holdings of a file with one account; parameters and errors as in `read_holdings`."""
    found = read_holdings(path, as_of=as_of, decimal=decimal)
    if len(found.accounts) > 1:
        raise UsageError(f"{path} has holdings of {len(found.accounts)} accounts; expected one")
    [account] = found.accounts
    return account.holdings._replace(
        rejected=sorted(
            [*found.rejected, *account.holdings.rejected], key=lambda row: row.line or 0
        )
    )


class _ParsedFile(NamedTuple):
    layout: Layout
    file_format: str
    kind: FileClassification
    statement: ParsedStatement


def _parse_file(path: Path, limits: Limits, layouts: LayoutSet) -> _ParsedFile:
    """Return layout, format, kind and table of a file."""
    with open_content(path, limits) as stream:
        data = b""
        if not is_parquet(read_head(path, stream, limits)):
            measure_size(path, stream, limits)
            data = read_whole(path, stream, limits)
    file = _parse_text(path, data, limits, layouts) if data else _parse_parquet(path, limits)
    columns = file.statement.table.columns
    if not columns.keys() & set(StatedSize):
        choose_columns(path, list(columns), GENERAL.aliases, ("quantity",))
    statement = file.statement._replace(table=strip_percent_signs(file.statement.table))
    return file._replace(statement=statement)


def _parse_parquet(path: Path, limits: Limits) -> _ParsedFile:
    table = read_table(path, GENERAL.aliases, required=("symbol",), limits=limits)
    kind = classify_lines([list(table.columns)])
    return _ParsedFile(GENERAL, "Parquet", kind, ParsedStatement(table, [], None))


def split_file(path: Path, limits: Limits, layouts: LayoutSet) -> tuple[str, list[Line]]:
    """Return encoding and delimiter of a text file, and its lines.

    Raises
    ------
    UsageError
        If the file does not exist.
    DataQualityError
        If it is not a text of lines.
    """
    with open_content(path, limits) as stream:
        measure_size(path, stream, limits)
        split = _split_text(path, read_whole(path, stream, limits), limits, layouts)
    return split.file_format, split.lines


class _SplitText(NamedTuple):
    file_format: str
    layout: Layout | None
    """The first layout that matches; None if there is none."""
    lines: list[Line]


def _split_text(path: Path, data: bytes, limits: Limits, layouts: LayoutSet) -> _SplitText:
    """Split a text by the delimiter with which a layout matches, else by the best one."""
    text, encoding = decode_text(path, data)
    readings = _split_by_delimiters(path, text)
    layout, delimiter = _detect_layout(readings, layouts) or (None, _widest_delimiter(readings))
    lines = readings[delimiter]
    if max(line.n_cells for line in lines) > limits.columns:
        raise DataQualityError(
            f"{path} has more than {limits.columns:,} columns. Remove columns, or raise"
            " RISKMETRICS_MAX_COLUMNS"
        )
    return _SplitText(f"{encoding}, {_DELIMITERS[delimiter]}", layout, lines)


def _parse_text(path: Path, data: bytes, limits: Limits, layouts: LayoutSet) -> _ParsedFile:
    split = _split_text(path, data, limits, layouts)
    if split.layout is None or split.layout.is_general:
        _refuse_unsupported(path, split.lines, layouts.unsupported)
    line_cells = [line.cells for line in split.lines]
    tables = classify_tables(line_cells)
    kind = combine_kinds(line_cells, tables)
    require_kind(path, kind, HOLDINGS_KINDS, remedy=_AMBIGUOUS_KIND_REMEDY)
    if split.layout is None:
        choose_columns(path, split.lines[0].cells, GENERAL.aliases, ("symbol", "quantity"))
        raise DataQualityError(f"{path} has no header line with a symbol and a quantity")
    other_headers = {
        split.lines[place].number
        for place, one in tables
        if one.kinds and not set(one.kinds) & HOLDINGS_KINDS
    }
    statement = parse_statement(path, split.layout, split.lines, other_headers)
    return _ParsedFile(split.layout, split.file_format, kind, statement)


def _split_by_delimiters(path: Path, text: str) -> dict[str, list[Line]]:
    """Return the lines of a text by each delimiter that can split it."""
    readings = {}
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):  # expected for a wrong delimiter
            readings[delimiter] = split_records(text, delimiter)
    if not readings:
        causes = (
            "a quotation mark is not closed or is inside a cell, or a cell has more than"
            f" {csv.field_size_limit():,} characters"
        )
        raise DataQualityError(f"{path} cannot be read as a table: {causes}")
    if not any(readings.values()):
        raise DataQualityError(f"{path} is empty")
    return readings


def _widest_delimiter(readings: dict[str, list[Line]]) -> str:
    """Return the delimiter that gives most cells in one line."""
    return max(
        readings,
        key=lambda delimiter: max((len(line.cells) for line in readings[delimiter]), default=0),
    )


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


def _refuse_unsupported(path: Path, lines: list[Line], unsupported: tuple[Layout, ...]) -> None:
    """Raise DataQualityError if a line is the header of an unsupported file."""
    headers = {header_keys(line) for line in lines}
    for layout in unsupported:
        if any(map(layout.matches_header, headers)):
            raise DataQualityError(f"{path} is {layout.unsupported}")


def _stated_day(path: Path, statement: ParsedStatement, *, needs_day: bool) -> date | None:
    """Return the day that a file states in a sentence or in a column of equal days."""
    found = statement.day
    if found is not None and found.is_ambiguous and needs_day:
        raise UsageError(
            f"{path} states its day as {found.text}, which can be two days. Pass --as-of"
        )
    return found.day if found is not None else _day_of_columns(path, statement.table, needs_day)


def _day_of_columns(path: Path, table: Table, needs_day: bool) -> date | None:
    """Return the day of a column of days, if all rows have the same."""
    for name in ("day", "date"):
        texts = set(table.text(name)) - {""}
        if len(texts) > 1 and name == "day":
            raise DataQualityError(
                f"{path} has holdings of {len(texts)} days. Import a file for each day"
            )
        if len(texts) == 1:
            days, invalid = cells.parse_dates(table.columns[name])
            if invalid.any() and needs_day:
                raise UsageError(f"{path} states its day as {texts.pop()}: pass --as-of")
            return next((day for day in days.astype(object) if day is not None), None)
    return None


def _stated_size(table: Table) -> StatedSize:
    """Return which column states how much of each holding there is."""
    return next(size for size in StatedSize if size in table.columns)


def _quantities_from_prices(table: Table, decimal: str) -> Table:
    """Add quantities: market value divided by the price of the file."""
    value, price = (read_numbers(table, name, decimal) for name in ("market_value", "last_price"))
    with np.errstate(divide="ignore", invalid="ignore"):
        quantity = value / price
    quantity[~np.isfinite(quantity)] = np.nan
    column = pa.chunked_array([pa.array(quantity, from_pandas=True)])
    note = "quantities are market value divided by price, because the file has no quantities"
    return table._replace(columns={**table.columns, "quantity": column}, notes=[*table.notes, note])


class _AccountReader:
    """Reads the accounts of a table: lots, cash and equity of each."""

    def __init__(
        self,
        layout: Layout,
        decimal: str,
        day: date,
        size: StatedSize,
        allow_empty: bool,
        unassigned: list[RejectedRow],
    ) -> None:
        self._layout, self._decimal, self._day, self._size = layout, decimal, day, size
        self._allow_empty, self._has_unassigned = allow_empty, bool(unassigned)
        self.accounts: list[Account] = []
        self.rejected: list[RejectedRow] = []
        """Rejected lines of accounts whose holdings are unknown."""
        self.skipped: list[SkippedLine] = []

    def read(self, table: Table) -> None:
        """Read all accounts."""
        names = _account_names(table)
        distinct_names = list(dict.fromkeys(names)) or [""]
        for name in distinct_names:
            rows = table._replace(rejected=[]).keep_rows((names == name).to_numpy(bool))
            self._read_account(name, rows, may_be_empty=len(distinct_names) == 1)

    def _read_account(self, name: str, table: Table, *, may_be_empty: bool) -> None:
        rows = split_rows(table, self._layout, self._decimal, self._size)
        self.skipped += rows.skipped
        lots = validate_lots(
            rows.holdings,
            self._day,
            decimal=self._decimal,
            stated_by=self._size,
            scale=self._scale(rows),
        )
        states_nothing_else = (
            rows.has_closed or not math.isnan(rows.cash) or (may_be_empty and self._allow_empty)
        )
        if lots.rows.empty and (lots.rejected or not states_nothing_else):
            self.rejected += lots.rejected  # the holdings of this account are unknown
        else:
            self.accounts.append(self._build_account(name, lots, rows))

    def _scale(self, rows: SplitRows) -> float:
        """Return the total that the sizes refer to: 1 or 100 for weights, else 1."""
        if self._size is not StatedSize.WEIGHT:
            return 1.0
        return _weight_scale(rows.holdings, rows.cash, self._decimal)

    def _build_account(self, name: str, lots: ParseResult, rows: SplitRows) -> Account:
        """Return an account, and move the market values of its lots to its value."""
        value = float(lots.rows["market_value"].sum(skipna=False))
        cash, equity = rows.cash, self._equity(lots, value, rows)
        if self._size is StatedSize.WEIGHT:
            _note_cash_weight(lots)
            cash = equity = math.nan
        lots = lots._replace(rows=lots.rows.drop(columns="market_value"))
        return Account(name, lots, value, cash, equity)

    def _equity(self, lots: ParseResult, value: float, rows: SplitRows) -> float:
        """Return the equity of an account: the sum, or the file's total if lines are missing."""
        is_complete = not (lots.rejected or self._has_unassigned) and rows.is_cash_complete
        if is_complete:
            return value + rows.cash
        for stated in (rows.total, rows.total + rows.cash):
            if math.isclose(stated, rows.value + rows.cash, rel_tol=_TOTAL_TOLERANCE):
                return stated
        if not math.isnan(value + rows.cash):
            lots.notes.append(
                "equity is unknown, because the lines left out are missing from the sum, and the"
                " file has no total that agrees with its lines: pass --equity"
            )
        return math.nan


def _note_cash_weight(lots: ParseResult) -> None:
    """Add a note if the weights of an account do not sum to 1."""
    weight = lots.rows["quantity"].sum()
    if not math.isclose(weight, 1, abs_tol=RESCALE_NOTE_TOLERANCE):
        lots.notes.append(
            f"the weights of the holdings sum to {weight:.2%}; {1 - weight:.2%} of --value is cash"
        )


def _require_holdings(
    path: Path, accounts: list[Account], rejected: list[RejectedRow], *, allow_empty: bool
) -> None:
    """Raise DataQualityError if no row is valid, or if a file is empty that must not be."""
    has_lots = any(len(account.holdings.rows) for account in accounts)
    if rejected and not has_lots:
        raise no_valid_row_error(path, sorted(rejected, key=lambda row: row.line or 0))
    if not accounts or not (allow_empty or has_lots):
        raise DataQualityError(
            f"{path} has no holding. If all positions were sold, pass --allow-empty"
        )


def _account_names(table: Table) -> "pd.Series[str]":
    """Return the account label of each row: name and last digits of the number.

    Leading characters that a spreadsheet treats as the start of a formula are removed.
    """
    name, number = (
        table.text(column)
        .str.replace(r"\s+", " ", regex=True)
        .str.replace(r"^[\s=+@'\"-]+", "", regex=True)
        for column in ("account", "account_number")
    )
    kind = name.mask((name == "") & (number != ""), "Account")
    label = (kind + (" ..." + number.str[-4:]).where(number != "", "")).str.strip()
    several = pd.DataFrame({"name": name, "number": number, "label": label}).drop_duplicates()
    return label if several["label"].is_unique else (kind + " " + number).str.strip()


def _weight_scale(table: Table, cash: float, decimal: str) -> float:
    """Return the total that weights refer to, 1 or 100, from their sum including cash."""
    total = np.nansum([*read_numbers(table, "weight", decimal), cash])
    whole = next((whole for low, high, whole in WEIGHT_SCALES if low < total < high), None)
    if whole is None:
        raise DataQualityError(
            f"weights of {table.path} sum to {total:g}, neither 1 nor 100. Add what is missing,"
            " such as a line for cash"
        )
    return whole
