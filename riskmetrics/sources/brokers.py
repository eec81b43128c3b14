"""Reading of holdings files from brokers and users: accounts, day, holdings and cash.

`layouts` describes the kinds of files, `statement_parser` finds the table in a file, and
`lot_validation` validates the holdings of each account.
"""

import csv
import math
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.limits import DEFAULT_LIMITS, Limits
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.decimal_marks import infer_decimal_mark
from riskmetrics.sources.layouts import (
    GENERIC,
    LAYOUTS,
    TOTAL_LINE_PATTERN,
    UNSUPPORTED_FILES,
    Layout,
)
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


class HoldingsFile(NamedTuple):
    """Content of a holdings file."""

    layout: str
    file_format: str
    """Encoding, delimiter and decimal mark, comma-separated."""
    day: date | None
    """Day of the holdings, if the file states it."""
    has_weights: bool
    """Whether quantities are weights, to be converted by `lot_validation.weights_to_quantities`."""
    accounts: list[Account]
    rejected: list[RejectedRow]
    """Rejected lines that belong to no account."""
    skipped: list[SkippedLine]


def read_holdings(
    path: Path,
    *,
    as_of: date | None = None,
    decimal: str | None = None,
    allow_empty: bool = False,
    limits: Limits = DEFAULT_LIMITS,
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

    Raises
    ------
    UsageError
        If the file does not exist, or its decimal mark is ambiguous.
    DataQualityError
        If the file is not a table of holdings, or has no valid lot.
    """
    layout, file_format, statement = _parse_file(path, limits.for_holdings())
    table = statement.table
    mark = decimal or infer_decimal_mark(table, layout)
    day = as_of or statement.day or date.today()
    accounts, rejected, skipped = _read_accounts(table, layout, mark, day, allow_empty=allow_empty)
    rejected = [*table.rejected, *rejected]
    _require_holdings(path, accounts, rejected, allow_empty=allow_empty)
    return HoldingsFile(
        layout.name,
        f"{file_format}, decimal {'point' if mark == '.' else 'comma'}",
        statement.day,
        _has_weights(table),
        accounts,
        rejected,
        sorted([*statement.skipped, *skipped]),
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


def _parse_file(path: Path, limits: Limits) -> tuple[Layout, str, ParsedStatement]:
    """Return layout and format of a file, and its table, with percent signs of weights removed."""
    with open_content(path, limits) as stream:
        data = b""
        if not is_parquet(read_head(path, stream, limits)):
            measure_size(path, stream, limits)
            data = read_whole(path, stream, limits)
    if not data:
        table = read_table(path, GENERIC.columns, required=("symbol",), limits=limits)
        layout, file_format, statement = GENERIC, "Parquet", ParsedStatement(table, [], None)
    else:
        text, encoding = decode_text(path, data, limits)
        layout, delimiter, lines = _detect_layout(path, text)
        if max(line.n_cells for line in lines) > limits.columns:
            raise DataQualityError(
                f"{path} has more than {limits.columns:,} columns. Remove columns, or raise"
                " RISKMETRICS_MAX_COLUMNS"
            )
        file_format, statement = (
            f"{encoding}, {_DELIMITERS[delimiter]}",
            parse_statement(path, layout, lines, delimiter),
        )
    columns = statement.table.columns
    if "quantity" not in columns and "weight" not in columns:
        choose_columns(path, list(columns), GENERIC.columns, ("quantity",))
    if "weight" in columns:
        columns["weight"] = pc.replace_substring_regex(
            cells.trim_text(columns["weight"]), r" ?%$", ""
        )
    return layout, file_format, statement


def _detect_layout(path: Path, text: str) -> tuple[Layout, str, list[Line]]:
    """Return the layout and delimiter of a text, and its lines."""
    readings = {}
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):  # expected for a wrong delimiter
            readings[delimiter] = split_records(text, delimiter)
    for layout in LAYOUTS:
        for delimiter, lines in readings.items():
            if any(
                layout.matches_header(header) for header in _candidate_headers(path, lines, layout)
            ):
                return layout, delimiter, lines
    if not readings:
        causes = (
            "a quotation mark is not closed or is inside a cell, or a cell has more than"
            f" {csv.field_size_limit():,} characters"
        )
        raise DataQualityError(f"{path} cannot be read as a table: {causes}")
    if not any(readings.values()):
        raise DataQualityError(f"{path} is empty")
    first = max((lines[0].cells for lines in readings.values() if lines), key=len)
    choose_columns(path, first, GENERIC.columns, ("symbol", "quantity"))
    raise DataQualityError(f"{path} has no header line with a symbol and a quantity")


def _candidate_headers(path: Path, lines: list[Line], layout: Layout) -> Iterator[frozenset[str]]:
    """Yield the headers that each line may be; raise DataQualityError for an unsupported file."""
    for header in map(header_keys, lines):
        other = next(
            (what for signature, what in UNSUPPORTED_FILES.items() if signature <= header), None
        )
        if other and layout is GENERIC:
            raise DataQualityError(f"{path} is {other}")
        yield header


def _has_weights(table: Table) -> bool:
    """Return whether a table has weights instead of quantities."""
    return "quantity" not in table.columns


def _read_accounts(
    table: Table, layout: Layout, mark: str, day: date, *, allow_empty: bool
) -> tuple[list[Account], list[RejectedRow], list[SkippedLine]]:
    """Return accounts, rejected lines of accounts with unknown holdings, and skipped lines."""
    accounts, rejected, skipped = list[Account](), list[RejectedRow](), list[SkippedLine]()
    names = _account_names(table)
    distinct_names = list(dict.fromkeys(names)) or [""]
    may_be_empty = allow_empty and len(distinct_names) == 1
    for name in distinct_names:
        rows, cash, skipped_rows = _split_cash_and_totals(
            table._replace(rejected=[]).keep_rows((names == name).to_numpy(bool)), layout, mark
        )
        skipped += skipped_rows
        lots = validate_lots(
            rows,
            day,
            decimal=mark,
            unpriced_classes=layout.unpriced_classes,
            weight_scale=_weight_scale(rows, cash, mark) if _has_weights(table) else None,
        )
        if lots.rows.empty and (lots.rejected or (np.isnan(cash) and not may_be_empty)):
            rejected += lots.rejected  # the holdings of this account are unknown
            continue
        if _has_weights(table):
            _note_cash_weight(lots)
            cash = np.nan
        accounts.append(_build_account(name, lots, cash))
    return accounts, rejected, skipped


def _note_cash_weight(lots: ParseResult) -> None:
    """Add a note if the weights of an account do not sum to 1."""
    weight = lots.rows["quantity"].sum()
    if not math.isclose(weight, 1, abs_tol=RESCALE_NOTE_TOLERANCE):
        lots.notes.append(
            f"the weights of the holdings sum to {weight:.2%}; {1 - weight:.2%} of --value is cash"
        )


def _build_account(name: str, lots: ParseResult, cash: float) -> Account:
    """Return an account with the total of its market values, which are removed from its lots."""
    value = float(lots.rows["market_value"].sum(skipna=False))
    return Account(name, lots._replace(rows=lots.rows.drop(columns="market_value")), value, cash)


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


def _split_cash_and_totals(
    table: Table, layout: Layout, decimal: str
) -> tuple[Table, float, list[SkippedLine]]:
    """Return the rows of holdings, the total cash in dollars (NaN if none), and skipped lines."""
    symbol, price = table.text("symbol").str.lower(), _numbers(table, "last_price", decimal)
    described = (
        symbol
        + "|"
        + table.text("description").str.lower()
        + "|"
        + table.text("investment_class").str.lower()
    )
    amount, size = (
        _numbers(table, name, decimal)
        for name in ("market_value", "quantity" if "quantity" in table.columns else "weight")
    )
    amount = np.where(np.isnan(amount) | ("quantity" not in table.columns), size, amount)
    total = symbol.str.fullmatch(TOTAL_LINE_PATTERN).to_numpy(bool)
    cash = (
        described.str.match(layout.cash_pattern).to_numpy(bool)
        & ~total
        & (np.isnan(price) | (price == 1))
    )
    nothing = (
        ((symbol == "") & (table.text("quantity") + table.text("weight") == "")).to_numpy(bool)
        & ~total
        & ~cash
    )
    foreign = cash & (
        np.isnan(amount) | ~table.text("currency").str.upper().isin(["", "USD"]).to_numpy(bool)
    )
    reasons = np.full(table.n_rows, "", dtype=object)
    reasons[cash] = [f"cash, {dollars:,.2f}" for dollars in amount[cash]]
    reasons[foreign] = "cash without an amount in USD"
    reasons[nothing] = "no symbol and no quantity"
    reasons[total] = "a total"
    skipped_positions: IntArray = np.flatnonzero(reasons)
    skipped = [
        SkippedLine(line, reason)
        for (line, _), reason in zip(
            table.locate(skipped_positions), reasons[skipped_positions], strict=True
        )
    ]
    dollars = amount[cash & ~foreign]
    return (
        table.keep_rows(~(cash | nothing | total)),
        float(dollars.sum()) if len(dollars) else float("nan"),
        skipped,
    )


def _numbers(table: Table, name: str, decimal: str) -> FloatArray:
    """Return the numbers of a column, NaN where missing or without column."""
    return (
        cells.parse_numbers(table.columns[name], decimal)[0]
        if name in table.columns
        else np.full(table.n_rows, np.nan)
    )


def _weight_scale(table: Table, cash: float, decimal: str) -> float:
    """Return the total that weights refer to, 1 or 100, from their sum including cash."""
    total = np.nansum([*_numbers(table, "weight", decimal), cash])
    whole = next((whole for low, high, whole in WEIGHT_SCALES if low < total < high), None)
    if whole is None:
        raise DataQualityError(
            f"weights of {table.path} sum to {total:g}, neither 1 nor 100. Add what is missing,"
            " such as a line for cash"
        )
    return whole
