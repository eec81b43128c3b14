"""Going through a table's rows: the first thing wrong with a row is why it is rejected, the rest is taken."""

from collections.abc import Sequence
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
from riskmetrics.sources.tabular_files import RejectedRow, Table, too_many_rejected_error
from riskmetrics.symbols import MAX_SYMBOL_LENGTH, clean_symbol_text, normalize_symbol
from riskmetrics.text import escape_controls

MIN_PRICE, PRICE_LIMIT = 1e-4, 1e8 - 1
"""What a database's NUMERIC(12, 4) holds: less would be stored as zero, more not at all."""
WEIGHT_SCALES = ((0.9, 1.1, 1.0), (90.0, 110.0, 100.0))
"""What weights sum to, from and to, and the whole they are parts of."""
_MAX_QUOTE_CHARS = 200
"""Characters of a cell that a reason quotes."""
MAX_RESPELLINGS_NAMED = 8
RESCALE_NOTE_TOLERANCE = 5e-5
"""Weights that miss the whole by less show as 100.00 %: that is rounding and not worth a note."""


class ParseResult(NamedTuple):
    """What a file holds: typed rows in the file's order, the rows not taken, and sentences that its user should see."""

    rows: pd.DataFrame
    rejected: list[RejectedRow]
    notes: list[str]


class RowValidator:
    """A table under review: typed columns out, doubtful rows marked with their first fault."""

    def __init__(self, table: Table, decimal: str = ".") -> None:
        self.table, self._decimal = table, decimal
        self.notes = list(table.notes)
        self._reasons: list[str] = []
        self._respelling_notes: list[NDArray[Any]] = []
        self._reason_index = np.full(table.n_rows, -1, dtype=np.int32)

    @property
    def valid_rows(self) -> BoolArray:
        """Where a row has no fault so far."""
        valid: BoolArray = self._reason_index < 0
        return valid

    def reject(self, where: "BoolArray | pd.Series[bool]", reason: str) -> None:
        """Mark rows as faulty, unless they already are; ``{close}`` in the reason is the cell's text in the row."""
        self._reason_index[np.asarray(where, dtype=bool) & self.valid_rows] = len(self._reasons)
        self._reasons.append(reason)
        n_bad = np.count_nonzero(self._reason_index >= 0) + len(self.table.rejected)
        if n_bad > self.table.limits.rejected_rows:
            raise too_many_rejected_error(self.table.path, self.table.limits)

    def text(self, name: str) -> "pd.Series[str]":
        """Trimmed text of a column; empty where missing or where there is no such column."""
        return self.table.text(name)

    def symbols(self, name: str, *, max_length: int = MAX_SYMBOL_LENGTH) -> "pd.Series[str]":
        """Return a column of symbols in their normal form, empty where missing; reject what is none."""
        if name not in self.table.columns:
            return self.text(name)
        text = pc.fill_null(cells.trim_text(self.table.columns[name]), "")
        normal = cells.map_unique(
            text, lambda one: normalize_symbol(one, max_length) if one else ""
        )
        symbols = pd.Series(normal, dtype="str")
        self.reject(
            symbols.isna(),
            f"{name} '{{{name}}}' is not a symbol: at most {max_length} letters, digits and . -"
            " ^ = _",
        )
        described = {
            one: _describe_respelling(one, max_length) for one in pc.unique(text).to_pylist()
        }
        if any(described.values()):
            self._respelling_notes.append(cells.map_unique(text, described.get))
        return symbols.fillna("")

    def numbers(self, name: str) -> FloatArray:
        """Numbers, NaN where missing or where there is no such column; rows with anything else there are rejected."""
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.nan)
        values, invalid = cells.parse_numbers(self.table.columns[name], self._decimal)
        self.reject(invalid, f"{name} '{{{name}}}' is not a number")
        return values

    def prices(self, name: str) -> FloatArray:
        """Numbers that a price can be, NaN where missing."""
        values = self.numbers(name)
        self.reject(
            ~np.isnan(values) & ~((values >= MIN_PRICE) & (values < PRICE_LIMIT)),
            f"{name} {{{name}}} is not a price (0.0001 to 99,999,999)",
        )
        return values

    def days(self, name: str) -> DateArray:
        """Days, NaT where missing or where there is no such column; rows with anything else there are rejected."""
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.datetime64("NaT", "D"))
        days, invalid = cells.parse_dates(self.table.columns[name])
        self.reject(
            invalid, f"{name} '{{{name}}}' is not an unambiguous date: write it as YYYY-MM-DD"
        )
        return days

    def reject_duplicates(self, keys: pd.DataFrame, what: str) -> None:
        """Reject good rows whose key stands on a good row above."""
        valid = self.valid_rows
        repeated = np.zeros(len(valid), dtype=bool)
        repeated[valid] = keys[valid].duplicated()
        self.reject(repeated, f"a second row for {what}: the first stands")

    def reject_foreign_currency(self) -> None:
        """Reject rows in a currency other than the one that prices and portfolios have."""
        if "currency" in self.table.columns:
            self.reject(
                ~self.text("currency").str.upper().isin(["", "USD"]),
                "currency {currency}: only USD is supported",
            )

    def reject_unprintable(self, *names: str) -> None:
        """Reject rows with control characters in text that is shown to people."""
        for name in names:
            if name in self.table.columns:
                text = pc.fill_null(cells.trim_text(self.table.columns[name]), "")
                found = cells.map_unique(text, lambda one: escape_controls(one) != one, "bool")
                self.reject(found, f"{name} holds a control character")

    def _cell_texts(self, column: pa.ChunkedArray, rows: IntArray) -> list[str]:
        texts: list[str] = pc.fill_null(
            cells.trim_text(pc.take(column, pa.array(rows))), ""
        ).to_pylist()
        return texts

    def result(self, rows: pd.DataFrame, *, allow_empty: bool = False) -> ParseResult:
        """Return the good rows and the rejected ones; raise DataQualityError if no row is good and one must be."""
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
        """Name, once each, the symbols of good rows that are stored in another spelling."""
        of_good_rows = [pd.unique(notes[self.valid_rows]) for notes in self._respelling_notes]
        named = list(dict.fromkeys(note for notes in of_good_rows for note in notes if note))
        if unnamed := len(named[MAX_RESPELLINGS_NAMED:]):
            rules = "by the rules of docs/symbols.md"
            more = f"{unnamed:,} more symbols are stored in another spelling, {rules}"
            return [*named[:MAX_RESPELLINGS_NAMED], more]
        return named


def _describe_respelling(text: str, max_length: int) -> str | None:
    """Say how a symbol is stored; None where it is stored as written, or not at all."""
    written, symbol = clean_symbol_text(text), normalize_symbol(text, max_length)
    return f"{written} is stored as {symbol}" if symbol not in {None, written} else None


def no_valid_row_error(path: Path, rejected: Sequence[RejectedRow]) -> DataQualityError:
    """Say that nothing in a file can be used, and why its first row cannot."""
    first = f": on line {rejected[0].line}, {rejected[0].reason}" if rejected else ""
    return DataQualityError(f"{path} has no good row{first}")


def to_dates(days: DateArray) -> "pd.Series[Any]":
    """Days as datetime.date, None where unknown."""
    codes, distinct = pd.factorize(days, use_na_sentinel=False)
    return pd.Series(
        np.asarray(distinct, dtype="datetime64[D]").astype(object)[codes], dtype=object
    )


def blank_to_none(text: "pd.Series[str]") -> "pd.Series[Any]":
    """Text with None for what is empty."""
    return text.astype(object).mask(text == "", None)


def join_names(names: "pd.Series[str]", max_names: int = 8) -> str:
    """Distinct names in a sentence: "A, B and 3 more"."""
    distinct = sorted(set(names))
    more = f" and {len(distinct) - max_names} more" if len(distinct) > max_names else ""
    return ", ".join(distinct[:max_names]) + more
