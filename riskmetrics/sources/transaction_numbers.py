"""Numbers of the rows of a transaction file, with the decimal mark of the file."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from riskmetrics.sources import cells
from riskmetrics.sources.decimal_marks import infer_table_decimal
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.transaction_layouts import TransactionLayout
from riskmetrics.sources.transaction_securities import StatedRow, UnreadRowError

_QUANTITY_COLUMNS = ("quantity", "remaining_quantity")
NUMBER_COLUMNS = (
    *(*_QUANTITY_COLUMNS, "price", "amount", "debit", "credit", "commission", "fees", "taxes"),
    "strike_price",
)
_SIDE_SUFFIX = re.compile(r"(?<=\d)S$")
"""Suffix of a short quantity at Robinhood, such as 1S."""
Numbers = Mapping[str, Decimal | None]
"""Numbers of a row by column; None where the cell is not a number."""


def parse_numbers(
    path: Path,
    rows: Sequence[StatedRow],
    layout: TransactionLayout,
    delimiter: str,
    decimal: str | None,
) -> list[Numbers]:
    """Parse the numbers of all rows with the decimal mark of the file.

    Raises
    ------
    UsageError
        If the numbers do not tell the decimal mark.
    """
    places = {
        name: [place for place, row in enumerate(rows) if name in row.cells]
        for name in NUMBER_COLUMNS
    }
    texts = {
        name: pa.chunked_array(
            [pa.array([_SIDE_SUFFIX.sub("", rows[place].cells[name]) for place in found])]
        )
        for name, found in places.items()
        if found
    }
    mark = decimal or _infer_mark(path, texts, layout, delimiter)
    numbers: list[dict[str, Decimal | None]] = [{} for _ in rows]
    for name, column in texts.items():
        values, invalid = cells.parse_numbers(column, mark)
        for place, value, is_invalid in zip(places[name], values, invalid, strict=True):
            if is_invalid or np.isinf(value):
                numbers[place][name] = None
            elif np.isfinite(value):
                numbers[place][name] = Decimal(repr(float(value)))
    return list(numbers)


def require_executed(numbers: Mapping[str, Decimal]) -> None:
    """Raise UnreadRowError if a part of a quantity remains, and no amount tells the executed part.

    More than the quantity is what is held after the trade.
    """
    quantity, remaining = (
        abs(numbers.get(name) or Decimal(0)) for name in ("quantity", "remaining_quantity")
    )
    if 0 < remaining <= quantity and not numbers.get("amount"):
        raise UnreadRowError(
            f"{float(remaining):g} of {float(quantity):g} remain: write the executed quantity, or"
            " remove the column if it is what is held after the trade"
        )


def _infer_mark(
    path: Path, columns: Mapping[str, pa.ChunkedArray], layout: TransactionLayout, delimiter: str
) -> str:
    if layout.decimal_mark and delimiter == ",":
        return layout.decimal_mark
    table = Table(path, dict(columns), [], [], lambda _: [], delimiter=delimiter)
    quantities = [name for name in columns if name in _QUANTITY_COLUMNS]
    amounts = [name for name in columns if name not in quantities]
    return infer_table_decimal(table, amounts, quantities)
