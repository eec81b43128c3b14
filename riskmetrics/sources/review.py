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
from riskmetrics.sources.tables import RejectedRow, Table, too_many_rejected
from riskmetrics.symbols import MAX_SYMBOL_LENGTH, clean, normalize_symbol
from riskmetrics.text import escape_controls

LEAST_PRICE, PRICE_LIMIT = 1e-4, 1e8 - 1
"""What a database's NUMERIC(12, 4) holds: less would be stored as zero, more not at all."""
WHOLE = ((0.9, 1.1, 1.0), (90.0, 110.0, 100.0))
"""What weights sum to, from and to, and the whole they are parts of."""
_LONGEST_QUOTE = 200
"""Characters of a cell that a reason quotes."""
MAX_RESPELLINGS_NAMED = 8
WORTH_SAYING = 5e-5
"""Weights that miss the whole by less show as 100.00 %: that is rounding and not worth a note."""


class Parsed(NamedTuple):
    """What a file holds: typed rows in the file's order, the rows not taken, and sentences that its user should see."""

    rows: pd.DataFrame
    rejected: list[RejectedRow]
    notes: list[str]


class Review:
    """A table under review: typed columns out, doubtful rows marked with their first fault."""

    def __init__(self, table: Table, decimal: str = ".") -> None:
        self.table, self._decimal = table, decimal
        self.notes = list(table.notes)
        self._faults: list[str] = []
        self._respelling_notes: list[NDArray[Any]] = []
        self._fault_of = np.full(table.n_rows, -1, dtype=np.int32)

    @property
    def good(self) -> BoolArray:
        """Where a row has no fault so far."""
        good: BoolArray = self._fault_of < 0
        return good

    def reject(self, where: "BoolArray | pd.Series[bool]", reason: str) -> None:
        """Mark rows as faulty, unless they already are; ``{close}`` in the reason is the cell's text in the row."""
        self._fault_of[np.asarray(where, dtype=bool) & self.good] = len(self._faults)
        self._faults.append(reason)
        n_bad = np.count_nonzero(self._fault_of >= 0) + len(self.table.rejected)
        if n_bad > self.table.limits.rejected_rows:
            raise too_many_rejected(self.table.path, self.table.limits)

    def text(self, name: str) -> "pd.Series[str]":
        """Trimmed text of a column; empty where missing or where there is no such column."""
        return self.table.text(name)

    def symbols(self, name: str, *, max_length: int = MAX_SYMBOL_LENGTH) -> "pd.Series[str]":
        """Return a column of symbols in their normal form, empty where missing; reject what is none."""
        if name not in self.table.columns:
            return self.text(name)
        text = pc.fill_null(cells.trimmed(self.table.columns[name]), "")
        normal = cells.by_distinct(text, lambda one: normalize_symbol(one, max_length) if one else "")
        symbols = pd.Series(normal, dtype="str")
        self.reject(
            symbols.isna(),
            f"{name} '{{{name}}}' is not a symbol: at most {max_length} letters, digits and . - ^ = _",
        )
        described = {one: _describe_respelling(one, max_length) for one in pc.unique(text).to_pylist()}
        if any(described.values()):
            self._respelling_notes.append(cells.by_distinct(text, described.get))
        return symbols.fillna("")

    def numbers(self, name: str) -> FloatArray:
        """Numbers, NaN where missing or where there is no such column; rows with anything else there are rejected."""
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.nan)
        values, faulty = cells.numbers(self.table.columns[name], self._decimal)
        self.reject(faulty, f"{name} '{{{name}}}' is not a number")
        return values

    def prices(self, name: str) -> FloatArray:
        """Numbers that a price can be, NaN where missing."""
        values = self.numbers(name)
        self.reject(
            ~np.isnan(values) & ~((values >= LEAST_PRICE) & (values < PRICE_LIMIT)),
            f"{name} {{{name}}} is not a price (0.0001 to 99,999,999)",
        )
        return values

    def days(self, name: str) -> DateArray:
        """Days, NaT where missing or where there is no such column; rows with anything else there are rejected."""
        if name not in self.table.columns:
            return np.full(self.table.n_rows, np.datetime64("NaT", "D"))
        days, faulty = cells.dates(self.table.columns[name])
        self.reject(faulty, f"{name} '{{{name}}}' is not an unambiguous date: write it as YYYY-MM-DD")
        return days

    def reject_repeated(self, keys: pd.DataFrame, what: str) -> None:
        """Reject good rows whose key stands on a good row above."""
        good = self.good
        repeated = np.zeros(len(good), dtype=bool)
        repeated[good] = keys[good].duplicated()
        self.reject(repeated, f"a second row for {what}: the first stands")

    def reject_foreign_currency(self) -> None:
        """Reject rows in a currency other than the one that prices and portfolios have."""
        if "currency" in self.table.columns:
            self.reject(~self.text("currency").str.upper().isin(["", "USD"]), "currency {currency}: only USD is supported")

    def reject_unprintable(self, *names: str) -> None:
        """Reject rows with control characters in text that is shown to people."""
        for name in names:
            if name in self.table.columns:
                text = pc.fill_null(cells.trimmed(self.table.columns[name]), "")
                found = cells.by_distinct(text, lambda one: escape_controls(one) != one, "bool")
                self.reject(found, f"{name} holds a control character")

    def _texts(self, column: pa.ChunkedArray, rows: IntArray) -> list[str]:
        texts: list[str] = pc.fill_null(cells.trimmed(pc.take(column, pa.array(rows))), "").to_pylist()
        return texts

    def parsed(self, rows: pd.DataFrame, *, may_be_empty: bool = False) -> Parsed:
        """Return the good rows and the rejected ones; raise DataQualityError if no row is good and one must be."""
        good = self.good
        bad = np.flatnonzero(~good)
        taken = {name: [text[:_LONGEST_QUOTE] for text in self._texts(column, bad)] for name, column in self.table.columns.items()}
        rejected = [
            RejectedRow(line, raw, self._faults[self._fault_of[row]].format(**{name: texts[place] for name, texts in taken.items()}))
            for place, (row, (line, raw)) in enumerate(zip(bad, self.table.locate(bad), strict=True))
        ]
        rejected = sorted([*self.table.rejected, *rejected], key=lambda row: row.line or 0)
        if not (good.any() or may_be_empty):
            raise no_good_row(self.table.path, rejected)
        notes = [*self.notes, *self._describe_respellings()]
        return Parsed(rows[good].reset_index(drop=True), rejected, notes)

    def _describe_respellings(self) -> list[str]:
        """Name, once each, the symbols of good rows that are stored in another spelling."""
        of_good_rows = [pd.unique(notes[self.good]) for notes in self._respelling_notes]
        named = list(dict.fromkeys(note for notes in of_good_rows for note in notes if note))
        if unnamed := len(named[MAX_RESPELLINGS_NAMED:]):
            rules = "by the rules of docs/symbols.md"
            more = f"{unnamed:,} more symbols are stored in another spelling, {rules}"
            return [*named[:MAX_RESPELLINGS_NAMED], more]
        return named


def _describe_respelling(text: str, max_length: int) -> str | None:
    """Say how a symbol is stored; None where it is stored as written, or not at all."""
    written, symbol = clean(text), normalize_symbol(text, max_length)
    return f"{written} is stored as {symbol}" if symbol not in {None, written} else None


def no_good_row(path: Path, rejected: Sequence[RejectedRow]) -> DataQualityError:
    """Say that nothing in a file can be used, and why its first row cannot."""
    first = f": on line {rejected[0].line}, {rejected[0].reason}" if rejected else ""
    return DataQualityError(f"{path} has no good row{first}")


def dates_of(days: DateArray) -> "pd.Series[Any]":
    """Days as datetime.date, None where unknown."""
    codes, distinct = pd.factorize(days, use_na_sentinel=False)
    return pd.Series(np.asarray(distinct, dtype="datetime64[D]").astype(object)[codes], dtype=object)


def or_none(text: "pd.Series[str]") -> "pd.Series[Any]":
    """Text with None for what is empty."""
    return text.astype(object).mask(text == "", None)


def enumerate_some(names: "pd.Series[str]", most: int = 8) -> str:
    """Distinct names in a sentence: "A, B and 3 more"."""
    distinct = sorted(set(names))
    more = f" and {len(distinct) - most} more" if len(distinct) > most else ""
    return ", ".join(distinct[:most]) + more
