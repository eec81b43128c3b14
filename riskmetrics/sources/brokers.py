"""Reading of holdings files from brokers and users: accounts, day, holdings and cash.

`holdings_files` finds the kind, the layout and the table of a file, `holdings_rows` splits its
rows, and `lot_validation` validates the holdings of each account.
"""

import math
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources import cells
from riskmetrics.sources.dates import infer_order
from riskmetrics.sources.decimal_marks import infer_decimal_mark
from riskmetrics.sources.file_kinds import FileClassification
from riskmetrics.sources.holdings_costs import place_costs
from riskmetrics.sources.holdings_files import ParsedFile, parse_file
from riskmetrics.sources.holdings_lots import place_lots
from riskmetrics.sources.holdings_rows import SplitRows, place_report_cash, prepare_rows, split_rows
from riskmetrics.sources.holdings_sizes import (
    drop_textual_sizes,
    has_quantities_by_price,
    quantities_from_prices,
    sides_by_value,
    weight_scale,
)
from riskmetrics.sources.holdings_terms import require_held_rows
from riskmetrics.sources.identified_holdings import place_known_symbols
from riskmetrics.sources.layouts import Layout, LayoutSet, load_layouts
from riskmetrics.sources.lot_validation import validate_lots
from riskmetrics.sources.row_validation import (
    RESCALE_NOTE_TOLERANCE,
    ParseResult,
    no_valid_row_error,
)
from riskmetrics.sources.security_identifiers import KnownSymbols
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.tabular_files import RejectedRow, Table

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
    """What the column quantity of the lots is."""
    accounts: list[Account]
    rejected: list[RejectedRow]
    """Rejected lines that belong to no account."""
    skipped: list[SkippedLine]
    identifiers: dict[str, str]
    """Symbols that rows state next to an ISIN or CUSIP, by `security_identifiers` key."""

    @property
    def has_weights(self) -> bool:
        """Return whether quantities are weights, for ``weights_to_quantities``."""
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
    date_order: str | None = None,
    allow_empty: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    layouts: LayoutSet | None = None,
    known: KnownSymbols = KnownSymbols(),  # noqa: B008  # a tuple
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
    date_order : str, optional
        One of `dates.DATE_ORDERS`. Default: that of the layout, else inferred from each column.
    allow_empty : bool
        Whether a table without any holding is accepted.
    limits : Limits
        Limits of the file.
    layouts : LayoutSet, optional
        Layouts to try. Default: those of the package.
    known : KnownSymbols
        Symbols of identifiers and names in the place of symbols. Default: none.

    Raises
    ------
    UsageError
        If the file does not exist, or its decimal mark or its day is ambiguous.
    DataQualityError
        If the file is not a table of holdings, or has no valid lot.
    """
    file = parse_file(path, limits.for_holdings(), layouts or load_layouts())
    layout = file.layout
    mark = decimal or infer_decimal_mark(file.statement.table, layout)
    written_day = [file.statement.day.text] if file.statement.day else []
    order = date_order or layout.dates or infer_order(written_day)
    notation = _Notation(mark, order)
    stated_day = _stated_day(path, file, order, needs_day=as_of is None)
    table, identifiers = place_known_symbols(file.statement.table, known)
    file = file._replace(statement=file.statement._replace(table=table))
    table, size, moved = _prepare_table(path, file, notation)
    reader = _AccountReader(
        layout,
        notation,
        as_of or stated_day or date.today(),
        size,
        allow_empty,
        has_unassigned=bool(table.rejected),
    )
    reader.read(table)
    rejected, has_lines = [*table.rejected, *reader.rejected], table.n_rows > 0
    _require_holdings(path, reader.accounts, rejected, allow_empty=allow_empty, has_lines=has_lines)
    return HoldingsFile(
        layout.name,
        f"{file.file_format}, decimal {'point' if mark == '.' else 'comma'}",
        file.kind,
        stated_day,
        size,
        reader.accounts,
        rejected,
        sorted([*file.statement.skipped, *moved, *reader.skipped]),
        identifiers,
    )


def _prepare_table(
    path: Path, file: ParsedFile, notation: "_Notation"
) -> tuple[Table, StatedSize, list[SkippedLine]]:
    """Return the lots of a file, the column of their size, and the lines that they replace."""
    table, unplaced_cash = place_report_cash(file.statement.table, notation.decimal)
    table = place_costs(table, notation.decimal)
    table, sums = place_lots(table, notation.decimal, notation.date_order)
    require_held_rows(table)
    table = prepare_rows(table, file.layout)
    table = sides_by_value(drop_textual_sizes(table, notation.decimal), notation.decimal)
    unknown = file.statement.unknown_numbers
    size = _stated_size(table, notation.decimal, has_unknown=bool(unknown))
    if unknown and size is StatedSize.VALUE:
        raise DataQualityError(
            f"{path} has values, and numbers that may be quantities in the unknown columns"
            f" {', '.join(unknown)[:500]}. Name the one with quantities Quantity, or remove them"
        )
    if size is StatedSize.VALUE and "last_price" in table.columns:
        table, size = quantities_from_prices(table, notation.decimal), StatedSize.QUANTITY
    return table, size, [*unplaced_cash, *sums]


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


def _stated_day(path: Path, file: ParsedFile, order: str | None, *, needs_day: bool) -> date | None:
    """Return the day that a file states in a sentence or in a column of days."""
    found, table = file.statement.day, file.statement.table
    if found is not None and found.is_ambiguous and needs_day:
        raise UsageError(
            f"{path} states its day as {found.text}, which can be two days. Pass --as-of"
        )
    if found is not None:
        return found.day
    if file.layout.has_days_of_prices and "day" in table.columns:
        days, _ = cells.parse_dates(table.columns["day"], order, table.default_order)
        return max(filter(None, days.astype(object)), default=None)
    return _day_of_columns(path, table, order, needs_day)


def _day_of_columns(path: Path, table: Table, order: str | None, needs_day: bool) -> date | None:
    """Return the day of a column of days, if all rows have the same."""
    for name in ("day", "date"):
        texts = set(table.text(name)) - {""}
        if len(texts) > 1 and name == "day":
            raise DataQualityError(
                f"{path} has holdings of {len(texts)} days. Import a file for each day"
            )
        if len(texts) == 1:
            days, invalid = cells.parse_dates(table.columns[name], order, table.default_order)
            if invalid.any() and needs_day:
                raise UsageError(f"{path} states its day as {texts.pop()}: pass --as-of")
            return next(filter(None, days.astype(object)), None)
    return None


def _stated_size(table: Table, decimal: str, *, has_unknown: bool) -> StatedSize:
    """Return which column states how much is held; values that are quantities precede weights."""
    is_value = "quantity" not in table.columns and not has_unknown
    if is_value and has_quantities_by_price(table, decimal):
        return StatedSize.VALUE
    return next(size for size in StatedSize if size in table.columns)


class _Notation(NamedTuple):
    decimal: str
    date_order: str | None


class _AccountReader:
    """Reads the accounts of a table: lots, cash and equity of each."""

    def __init__(
        self,
        layout: Layout,
        notation: "_Notation",
        day: date,
        size: StatedSize,
        allow_empty: bool,
        *,
        has_unassigned: bool,
    ) -> None:
        self._layout, self._decimal, self._day, self._size = layout, notation.decimal, day, size
        self._date_order, self._allow_empty = notation.date_order, allow_empty
        self._has_unassigned = has_unassigned
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
            date_order=self._date_order,
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
        return weight_scale(rows.holdings, rows.cash, self._decimal)

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
        totals = (rows.total, rows.total + rows.cash)
        if is_complete:
            self._note_total(lots, value + rows.cash, totals)
            return value + rows.cash
        for stated in totals:
            if math.isclose(stated, rows.value + rows.cash, rel_tol=_TOTAL_TOLERANCE):
                lots.notes.append(
                    f"equity is the file's total of {stated:,.2f}, of which"
                    f" {stated - value - rows.cash:,.2f} are lines that are not imported"
                )
                return stated
        if not math.isnan(value + rows.cash):
            lots.notes.append(
                "equity is unknown, because the lines left out are missing from the sum, and the"
                " file has no total that agrees with its lines: pass --equity"
            )
        return math.nan

    def _note_total(self, lots: ParseResult, added: float, totals: tuple[float, ...]) -> None:
        """Add a note if the lines of a complete file do not add up to the total that it states."""
        if math.isnan(added) or math.isnan(totals[0]) or self._size is StatedSize.WEIGHT:
            return
        if not any(math.isclose(one, added, rel_tol=_TOTAL_TOLERANCE) for one in totals):
            lots.notes.append(
                f"the lines of the file add up to {added:,.2f}, and it states a total of"
                f" {totals[0]:,.2f}: equity is taken as {added:,.2f}; pass --equity to set it"
            )


def _note_cash_weight(lots: ParseResult) -> None:
    """Add a note if the weights of an account do not sum to 1."""
    weight = lots.rows["quantity"].sum()
    if not math.isclose(weight, 1, abs_tol=RESCALE_NOTE_TOLERANCE):
        lots.notes.append(
            f"the weights of the holdings sum to {weight:.2%}; {1 - weight:.2%} of --value is cash"
        )


def _require_holdings(
    path: Path,
    accounts: list[Account],
    rejected: list[RejectedRow],
    *,
    allow_empty: bool,
    has_lines: bool,
) -> None:
    """Raise DataQualityError if no row is valid, or if a file is empty that must not be."""
    has_lots = any(len(account.holdings.rows) for account in accounts)
    if rejected and not has_lots:
        raise no_valid_row_error(path, sorted(rejected, key=lambda row: row.line or 0))
    if not accounts or not (allow_empty or has_lots):
        what = "no holding" if has_lines else "a header but no row"
        raise DataQualityError(f"{path} has {what}. If all positions were sold, pass --allow-empty")


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
