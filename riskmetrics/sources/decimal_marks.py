"""Decimal mark of a holdings file, inferred from its numbers."""

from functools import reduce

import pyarrow as pa

from riskmetrics.errors import UsageError
from riskmetrics.sources import cells
from riskmetrics.sources.layouts import Layout
from riskmetrics.sources.tabular_files import Table

_NUMBERS = (
    "quantity",
    "weight",
    "entry_price",
    "cost_basis",
    "strike_price",
    "last_price",
    "market_value",
)


def infer_decimal_mark(table: Table, layout: Layout) -> str:
    """Return the decimal mark inferred from the numbers, else that of the layout.

    Raises
    ------
    UsageError
        If the numbers are contradictory, or ambiguous without a decimal mark of the layout.
    """
    advice = "Pass --decimal point or --decimal comma"
    found = reduce(
        cells.DecimalEvidence.merge,
        (cells.decimal_evidence(table.columns[name]) for name in _NUMBERS if name in table.columns),
    )
    if found.point and found.comma:
        raise UsageError(
            f"{table.path} has numbers with a decimal point ({found.point}) and with a decimal"
            f" comma ({found.comma}). {advice}"
        )
    if found.point or found.comma:
        return "." if found.point else ","
    if found.ambiguous and not layout.decimal_mark:
        readings = " or ".join(
            f"{_parse_number(found.ambiguous, mark):g}" for mark in cells.DECIMAL_MARKS
        )
        raise UsageError(
            f"{table.path} has an ambiguous number: {found.ambiguous} can be {readings}. {advice}"
        )
    return layout.decimal_mark or "."


def _parse_number(text: str, decimal: str) -> float:
    return float(cells.parse_numbers(pa.chunked_array([[text]]), decimal)[0][0])
