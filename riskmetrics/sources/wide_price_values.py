"""Numbers in the columns of symbols of a wide table that are no prices."""

import numpy as np

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.wide_price_tables import MARK

_BASES = frozenset({1.0, 100.0, 1000.0, 10_000.0})
"""Values at which rebased prices begin."""
_MIN_VOLUME = 1_000_000
"""Number that no price reaches in USD: the highest is that of BRK-A."""
_MIN_PRICE = 0.05
"""Median that the prices of several symbols reach."""
_MAX_WEIGHT_ERROR = 1e-3
"""Relative deviation from 1 or 100 up to which the numbers of all rows are weights."""


def refuse_other_values(table: Table) -> None:
    """Raise DataQualityError if the columns of symbols have returns or weights, not prices."""
    closes = [column for name, column in table.columns.items() if name.startswith(f"close{MARK}")]
    readings = (
        np.array([cells.parse_numbers(column, mark)[0] for column in closes])
        for mark in cells.DECIMAL_MARKS
    )
    values = max(readings, key=lambda numbers: np.count_nonzero(np.isfinite(numbers)))
    known = np.isfinite(values).any(axis=0)
    sums = np.nansum(values[:, known], axis=0)
    is_whole = any(np.allclose(sums, whole, rtol=_MAX_WEIGHT_ERROR) for whole in (1, 100))
    if (values < 0).any():
        raise DataQualityError(
            f"{table.path} has negative numbers in columns of symbols: they are returns or"
            " changes, not prices"
        )
    if known.any() and np.nanmedian(values) >= _MIN_VOLUME:
        raise DataQualityError(
            f"{table.path} has numbers in millions in columns of symbols: they are volumes or"
            " values, not prices"
        )
    if len(closes) > 1 and known.any() and np.nanmedian(values) < _MIN_PRICE:
        raise DataQualityError(
            f"{table.path} has numbers such as {np.nanmedian(values):.4f} in columns of symbols:"
            " they are returns or fractions. If they are prices, write a line for each, with"
            " columns Symbol, Date and Close"
        )
    filled = [column[np.isfinite(column)] for column in values]
    is_moving = any(np.ptp(column) > 0 for column in filled if column.size)  # else money markets
    for end in (0, -1):  # the newest may be first
        bases = {column[end] for column in filled if column.size}
        if len(closes) > 1 and is_moving and len(bases) == 1 and bases <= _BASES:
            raise DataQualityError(
                f"{table.path} has columns of symbols that all {'end' if end else 'begin'} at"
                f" {bases.pop():g}: they are rebased, not prices"
            )
    if len(closes) > 1 and known.any() and is_whole:
        raise DataQualityError(
            f"{table.path} has rows that sum to {sums[0]:.4g}: they are weights, not prices"
        )
