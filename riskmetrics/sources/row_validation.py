"""Validation of table rows: a row is rejected for its first problem, all other rows are kept."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray, IntArray
from riskmetrics.sources import cells
from riskmetrics.sources.dates import possible_days
from riskmetrics.sources.decimal_marks import infer_table_decimal
from riskmetrics.sources.symbol_forms import is_usd
from riskmetrics.sources.table_limits import too_many_rejected_error
from riskmetrics.sources.tabular_files import RejectedRow, Table
from riskmetrics.symbols import MAX_SYMBOL_LENGTH, clean_symbol_text, normalize_symbol
from riskmetrics.text import escape_controls

MIN_PRICE, PRICE_LIMIT = 1e-4, 1e8 - 1
"""Smallest price, and exclusive limit, of a NUMERIC(12, 4) column, in dollars."""
WEIGHT_SCALES = ((0.9, 1.1, 1.0), (90.0, 110.0, 100.0))
"""Accepted sums of weights: lower bound, upper bound, and the total that they stand for."""
_MAX_QUOTE_CHARS = 200
"""Characters of a cell that are quoted in a reason."""
MAX_RESPELLINGS_NAMED = 8
RESCALE_NOTE_TOLERANCE = 5e-5
"""Deviation of the sum of weights from 1 below which it is rounding and gives no note."""


class ParseResult(NamedTuple):
    """Content of a file: typed rows in file order, rejected rows, and notes for the user."""

    rows: pd.DataFrame
    rejected: list[RejectedRow]
    notes: list[str]


class Notation(NamedTuple):
    """How numbers and dates of a file are written, where the user specifies it."""

    decimal: str | None = None
    """Decimal mark, "." or ","; None: inferred from the numbers."""
    date_order: str | None = None
    """One of `dates.DATE_ORDERS`; None: inferred from each column of dates."""


INFERRED = Notation()


class RowValidator:
    """Typed columns of a table, and the first problem of each invalid row."""

    def __init__(self, table: Table, decimal: str = ".", date_order: str | None = None) -> None:
        self.table, self.decimal, self._date_order = table, decimal, date_order
        self.notes = list(table.notes)
        self._reasons: list[str] = []
        self._symbols: dict[str, pd.Series[str]] = {}
        self._respelling_notes: list[NDArray[Any]] = []
        self._reason_index = np.full(table.n_rows, -1, dtype=np.int32)

    @property
    def valid_rows(self) -> BoolArray:
        """Return a mask of the rows without a problem so far."""
        valid: BoolArray = self._reason_index < 0
        return valid

    def reject(self, where: "BoolArray | pd.Series[bool]", reason: str) -> None:
        """Reject rows that are still valid.

        Parameters
        ----------
        where : (N,) array of bool
            Rows to reject.
        reason : str
            Format string: ``{close}`` is replaced by the text of the row in the column close.
        """
        self._reason_index[np.asarray(where, dtype=bool) & self.valid_rows] = len(self._reasons)
        self._reasons.append(reason)
        n_bad = np.count_nonzero(self._reason_index >= 0) + len(self.table.rejected)
        if n_bad > self.table.limits.rejected_rows:
            raise too_many_rejected_error(self.table.path, self.table.limits)

    def text(self, name: str) -> "pd.Series[str]":
        """Return the trimmed text of a column; empty if the cell or the column is missing."""
        return self.table.text(name)

    def symbols(self, name: str, *, max_length: int = MAX_SYMBOL_LENGTH) -> "pd.Series[str]":
        """Return a column of normalized symbols, empty where missing; reject invalid symbols."""
        if name not in self.table.columns:
            return self.text(name)
        if name in self._symbols:
            return self._symbols[name]
        text = pc.fill_null(cells.trim_text(self.table.columns[name]), "")
        normal = cells.map_unique(
            text, lambda one: normalize_symbol(one, max_length) if one else ""
        )
        symbols = pd.Series(normal, dtype="str")
        self.reject(
            symbols.isna(),
            f"{name} '{{{name}}}' is not a valid symbol: use at most {max_length} letters, digits"
            " and . - ^ = _",
        )
        described = {
            one: _describe_respelling(one, max_length) for one in pc.unique(text).to_pylist()
        }
        if any(described.values()):
            self._respelling_notes.append(cells.map_unique(text, described.get))
        self._symbols[name] = symbols.fillna("")
        return self._symbols[name]

    def numbers(self, name: str, *, has_magnitudes: bool = False) -> FloatArray:
        """Return a column of numbers, NaN where missing or without column; reject other text.

        With ``has_magnitudes``, letters for thousands to trillions may follow a number (2.01M).
        """
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.nan)
        column = self.table.columns[name]
        if has_magnitudes:
            column = cells.expand_magnitudes(column)
        values, invalid = cells.parse_numbers(column, self.decimal)
        self.reject(invalid, f"{name} '{{{name}}}' is not a number")
        return values

    def prices(self, name: str) -> FloatArray:
        """Return a column of prices, NaN where missing; reject numbers out of range, as NaN."""
        values = self.numbers(name)
        is_price = (values >= MIN_PRICE) & (values < PRICE_LIMIT)
        self.reject(
            ~np.isnan(values) & ~is_price,
            f"{name} {{{name}}} is not a price (0.0001 to 99,999,999)",
        )
        return np.where(is_price, values, np.nan)

    def days(self, name: str) -> DateArray:
        """Return a column of days, NaT where missing or without column; reject other text."""
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.datetime64("NaT", "D"))
        column = self.table.columns[name]
        days, invalid = cells.parse_dates(column, self._date_order, self.table.default_order)
        if invalid.any() and not self._date_order:
            text = cells.trim_text(column)
            ambiguous = cells.map_unique(text, lambda one: len(possible_days(one)) > 1, "bool")
            self.reject(
                invalid & ambiguous,
                f"{name} '{{{name}}}' is not an unambiguous date; pass --dates mdy or --dates dmy,"
                " or use YYYY-MM-DD",
            )
        self.reject(invalid, f"{name} '{{{name}}}' is not a date; use YYYY-MM-DD")
        return days

    def reject_duplicates(self, keys: pd.DataFrame, what: str) -> None:
        """Reject valid rows with the key of an earlier valid row."""
        valid = self.valid_rows
        repeated = np.zeros(len(valid), dtype=bool)
        repeated[valid] = keys[valid].duplicated()
        self.reject(repeated, f"duplicate row for {what}; the first is kept")

    def reject_foreign_currency(self) -> None:
        """Reject rows in a currency other than USD."""
        if "currency" in self.table.columns:
            texts = pc.fill_null(cells.trim_text(self.table.columns["currency"]), "")
            is_foreign = cells.map_unique(texts, lambda one: one != "" and not is_usd(one), "bool")
            self.reject(is_foreign, "currency {currency}: only USD is supported")

    def reject_unprintable(self, *names: str) -> None:
        """Reject rows with control characters in the named columns."""
        for name in names:
            if name in self.table.columns:
                text = pc.fill_null(cells.trim_text(self.table.columns[name]), "")
                found = cells.map_unique(text, lambda one: escape_controls(one) != one, "bool")
                self.reject(found, f"{name} contains a control character")

    def _cell_texts(self, column: pa.ChunkedArray, rows: IntArray) -> list[str]:
        texts: list[str] = pc.fill_null(
            cells.trim_text(pc.take(column, pa.array(rows))), ""
        ).to_pylist()
        return texts

    def result(self, rows: pd.DataFrame, *, allow_empty: bool = False) -> ParseResult:
        """Return valid and rejected rows.

        Parameters
        ----------
        rows : DataFrame
            Typed columns of all rows of the table.
        allow_empty : bool
            Whether a table without any valid row is accepted.

        Raises
        ------
        DataQualityError
            If no row is valid, unless ``allow_empty`` is set.
        """
        valid = self.valid_rows
        bad = np.flatnonzero(~valid)
        quoted = {
            name: [text[:_MAX_QUOTE_CHARS] for text in self._cell_texts(column, bad)]
            for name, column in self.table.columns.items()
        }
        rejected = [
            RejectedRow(
                line,
                raw,
                self._reasons[self._reason_index[row]].format(
                    **{name: texts[place] for name, texts in quoted.items()}
                ),
            )
            for place, (row, (line, raw)) in enumerate(
                zip(bad, self.table.locate(bad), strict=True)
            )
        ]
        rejected = sorted([*self.table.rejected, *rejected], key=lambda row: row.line or 0)
        if not (valid.any() or allow_empty):
            raise no_valid_row_error(self.table.path, rejected)
        notes = [*self.notes, *self._describe_respellings()]
        return ParseResult(rows[valid].reset_index(drop=True), rejected, notes)

    def _describe_respellings(self) -> list[str]:
        """Return a note on each symbol of a valid row that is stored in another spelling."""
        notes_of_valid_rows = [
            pd.unique(notes[self.valid_rows]) for notes in self._respelling_notes
        ]
        named = list(dict.fromkeys(note for notes in notes_of_valid_rows for note in notes if note))
        if unnamed := len(named[MAX_RESPELLINGS_NAMED:]):
            more = (
                f"{unnamed:,} more symbols are stored in another spelling"
                " (see docs/reference/symbols.md)"
            )
            return [*named[:MAX_RESPELLINGS_NAMED], more]
        return named


def validate_table(
    table: Table, notation: Notation, amounts: Iterable[str], counts: Iterable[str] = ()
) -> RowValidator:
    """Return a validator with the notation of a table, inferred where it is not specified.

    ``amounts`` and ``counts`` are the columns of numbers, as in `infer_table_decimal`.
    """
    decimal = notation.decimal or infer_table_decimal(table, amounts, counts)
    return RowValidator(table, decimal, notation.date_order)


def _describe_respelling(text: str, max_length: int) -> str | None:
    """Return a note on the stored spelling of a symbol; None if unchanged or rejected."""
    written, symbol = clean_symbol_text(text), normalize_symbol(text, max_length)
    return f"{written} is stored as {symbol}" if symbol not in {None, written} else None


def no_valid_row_error(path: Path, rejected: Sequence[RejectedRow]) -> DataQualityError:
    """Return the error for a file without a valid row, with the reason of its first row."""
    first = f". Line {rejected[0].line}: {rejected[0].reason}" if rejected else ""
    return DataQualityError(f"{path} has no valid row{first}")


def to_dates(days: DateArray) -> "pd.Series[Any]":
    """Return days as datetime.date, None for NaT."""
    codes, distinct = pd.factorize(days, use_na_sentinel=False)
    return pd.Series(
        np.asarray(distinct, dtype="datetime64[D]").astype(object)[codes], dtype=object
    )


def blank_to_none(text: "pd.Series[str]") -> "pd.Series[Any]":
    """Return text with None in place of empty strings."""
    return text.astype(object).mask(text == "", None)


def join_names(names: "pd.Series[str]", max_names: int = 8) -> str:
    """Join distinct names, sorted, as in "A, B and 3 more"."""
    distinct = sorted(set(names))
    more = f" and {len(distinct) - max_names} more" if len(distinct) > max_names else ""
    return ", ".join(distinct[:max_names]) + more
