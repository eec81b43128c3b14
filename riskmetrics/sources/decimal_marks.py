"""Decimal mark of a file, inferred from its numbers."""

from collections.abc import Iterable
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from riskmetrics.errors import UsageError
from riskmetrics.sources import cells
from riskmetrics.sources.layouts import Layout
from riskmetrics.sources.tabular_files import Table

_NUMBERS = (
    "quantity",
    "weight",
    "entry_price",
    "cost_basis",
    "unit_or_total_cost",
    "strike_price",
    "last_price",
    "market_value",
)
_HEAD_ROWS = 1_000
"""Rows of a file in which most find the proof of a decimal point."""
_ADVICE = "Pass --decimal point or --decimal comma"


def infer_decimal_mark(table: Table, layout: Layout) -> str:
    """Return the decimal mark inferred from the numbers, else that of the layout.

    In a comma-separated file a quantity such as 1,500 has a separator of thousands.

    Raises
    ------
    UsageError
        If the numbers are contradictory, or ambiguous without a decimal mark of the layout.
    """
    columns = {name: table.columns[name] for name in _NUMBERS if name in table.columns}
    found = _merge_evidence(columns.values())
    if found.point and found.comma:
        raise _contradiction_error(table, found)
    if found.point or found.comma:
        return "." if found.point else ","
    if layout.decimal_mark:
        return layout.decimal_mark
    if table.delimiter == "," and "quantity" in columns:
        quantity = columns["quantity"]
        columns["quantity"] = quantity.filter(pc.invert(_commas(quantity)))
        found = _merge_evidence(columns.values())
    if found.ambiguous:
        raise _ambiguity_error(table, found.ambiguous)
    return "."


def infer_table_decimal(table: Table, amounts: Iterable[str], counts: Iterable[str] = ()) -> str:
    """Return the decimal mark of a plain table, inferred from its numbers.

    Parameters
    ----------
    table : Table
        Table of text or numbers.
    amounts, counts : iterable of str
        Columns of numbers with decimals, such as prices, and of whole numbers, such as volumes.

    Notes
    -----
    In a comma-separated table a number has a decimal point, unless a number proves otherwise. There
    only an amount such as 171,125 is ambiguous, or 1.295 in a column with 148; 1,500 shares are one
    thousand five hundred.

    Raises
    ------
    UsageError
        If the numbers do not determine the mark, and the two readings differ.
    """
    texts, whole = (
        [table.columns[name] for name in names if _is_text(table, name)]
        for names in (amounts, counts)
    )
    separated_by_comma = table.delimiter in {",", ""}
    if separated_by_comma and not any(map(_has_comma, (*texts, *whole))):
        heads = _merge_evidence(column.slice(0, _HEAD_ROWS) for column in (*texts, *whole))
        if not heads.comma and (heads.point or not any(map(_has_integer, texts))):
            return "."
    amount, count = _merge_evidence(texts), _merge_evidence(map(cells.expand_magnitudes, whole))
    both = amount.merge(count)
    if both.point and both.comma:
        if not both.ambiguous and separated_by_comma:
            return "."  # the numbers with a comma are rejected by line
        raise _contradiction_error(table, both)
    if both.point or both.comma:
        return "." if both.point else ","
    if separated_by_comma:
        amount = _merge_evidence(
            column if _has_integer(column) else column.filter(_commas(column)) for column in texts
        )
        count = cells.DecimalEvidence(None, None, None)
    if ambiguous := amount.ambiguous or count.ambiguous:
        raise _ambiguity_error(table, ambiguous)
    return "."


def _merge_evidence(columns: Iterable[pa.ChunkedArray]) -> cells.DecimalEvidence:
    return reduce(
        cells.DecimalEvidence.merge,
        map(cells.decimal_evidence, columns),
        cells.DecimalEvidence(None, None, None),
    )


def _is_text(table: Table, name: str) -> bool:
    return name in table.columns and pa.types.is_string(table.columns[name].type)


def _commas(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.match_substring(column, ","), False)


def _has_comma(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(_commas(column)).as_py())


def _has_integer(column: pa.ChunkedArray) -> bool:
    """Return whether a cell has digits only, so that the column has no fixed decimals."""
    return bool(pc.any(pc.match_substring_regex(cells.trim_text(column), r"^\d+$")).as_py())


def _contradiction_error(table: Table, found: cells.DecimalEvidence) -> UsageError:
    return UsageError(
        f"{table.path} has numbers with a decimal point ({found.point}) and with a decimal comma"
        f" ({found.comma}). {_ADVICE}"
    )


def _ambiguity_error(table: Table, text: str) -> UsageError:
    readings = " or ".join(f"{_parse_number(text, mark):g}" for mark in cells.DECIMAL_MARKS)
    return UsageError(f"{table.path} has an ambiguous number: {text} can be {readings}. {_ADVICE}")


def _parse_number(text: str, decimal: str) -> float:
    column = cells.expand_magnitudes(pa.chunked_array([[text]]))
    return float(cells.parse_numbers(column, decimal)[0][0])
