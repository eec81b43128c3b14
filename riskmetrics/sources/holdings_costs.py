"""Costs of holdings that are those of a share or of the position."""

import numpy as np

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.sources.holdings_columns import UNIT_OR_TOTAL
from riskmetrics.sources.holdings_sizes import read_numbers
from riskmetrics.sources.tabular_files import Table

_CLEAR_COST = float(np.log(5))
"""Logarithm of how much nearer a cost is to the price than to the value of a clear row."""
_COST_TOLERANCE = 0.005
"""Relative difference of a cost from the value less the gain, which are rounded."""


def place_costs(table: Table, decimal: str) -> Table:
    """Return a table with a cost that may be of a share or of the position in its column.

    The gains tell which, else the prices and values: it is that of a share if it is nearer to the
    price than to the value on most rows, and clearly so.
    """
    if UNIT_OR_TOTAL not in table.columns:
        return table
    cost, price, value, quantity, gain = (
        read_numbers(table, name, decimal)
        for name in (UNIT_OR_TOTAL, "last_price", "market_value", "quantity", "gain")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(np.isnan(price), np.abs(value / quantity), price)
        value = np.where(np.isnan(value), np.abs(quantity * price), np.abs(value))
        nearer = np.abs(np.log(cost / value)) - np.abs(np.log(cost / price))
    by_gain = _costs_by_gain(cost, quantity, value - gain)
    known = nearer[np.isfinite(nearer)]
    n_clear = np.count_nonzero(known >= _CLEAR_COST)
    is_nearer = n_clear > 0 and 2 * np.count_nonzero(known > 0) > len(known)
    is_unit = by_gain > 0 if by_gain else is_nearer
    is_unit &= "entry_price" not in table.columns
    columns = dict(table.columns)
    column = columns.pop(UNIT_OR_TOTAL)
    notes = [*table.notes, *(["the cost is read as that of a share"] if is_unit else [])]
    return table._replace(
        columns={**columns, "entry_price" if is_unit else "cost_basis": column}, notes=notes
    )


def _costs_by_gain(cost: FloatArray, quantity: FloatArray, total: FloatArray) -> int:
    """Return how many more rows have a cost of a share than of the position, by the total cost."""
    is_unit, is_total = (
        np.isclose(one, total, rtol=_COST_TOLERANCE) for one in (cost * np.abs(quantity), cost)
    )
    return int(np.sum(is_unit & ~is_total) - np.sum(is_total & ~is_unit))
