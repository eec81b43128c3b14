"""Several tables of a statement: parts of the positions, and other views of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.holdings_sizes import strip_size_unit
from riskmetrics.sources.lot_validation import POSITION_TYPES, SHORT_OPTIONS
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.statement_rows import has_security, is_size, parse_texts
from riskmetrics.sources.symbol_forms import parse_symbol_forms
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import join_names

_SIZES = ("quantity", "market_value", "weight")
_DAYS = frozenset({"entry_date", "date"})
"""Columns of the days of lots or trades, whose quantities are not those of positions."""
_AMOUNTS = ("quantity", "last_price", "market_value")
_VALUE_TOLERANCE = 0.05
"""Relative difference of the values of a position, which may be of another moment."""


class StatedTable(NamedTuple):
    """A table of a statement: header, places of columns, and rows."""

    line: int
    """Number of the line of the header."""
    header: list[str]
    columns: dict[str, tuple[int, ...]]
    rows: list[tuple[Line, dict[str, str]]]
    is_part: bool = True
    """Whether it is the first table, or the line above it is the title of an asset class."""


def join_tables(path: Path, tables: Sequence[StatedTable]) -> list[StatedTable]:
    """Return the tables that are parts of the positions; the others are views of these.

    A view has no security that the tables above do not have, and each in the same quantity, or
    with the same value if not both have quantities. Weights next to quantities or values are those
    of a plan or a benchmark.

    Raises
    ------
    DataQualityError
        If another table has other securities, or a part has a security again.
    """
    joined = [*tables[:1]]
    for table in tables[1:]:
        above, stated = securities(joined), securities([table])
        if table.is_part and above.isdisjoint(stated):
            joined.append(table)
        elif not states_nothing_new(joined, table):
            others = sorted(stated - above) or sorted(stated)
            raise DataQualityError(
                f"{path}: line {table.line} begins another table of holdings, with"
                f" {join_names(others)}. Save each table as a file of its own, or remove the one"
                " that states no further holdings"
            )
    return joined


def states_nothing_new(joined: Sequence[StatedTable], table: StatedTable) -> bool:
    """Return whether a table is a plan for the securities of others, or a view of them."""
    return _is_plan(joined, table) or _is_view(joined, table)


def securities(tables: Sequence[StatedTable]) -> set[str]:
    """Return the securities of which tables state how much is held."""
    return {name for table in tables for name, _ in _named_rows(table)}


def _named_rows(table: StatedTable) -> list[tuple[str, Mapping[str, str]]]:
    """Return the security of each row that states how much is held, and the row.

    Names next to symbols are those of indices.
    """
    rows = [row for _, row in table.rows if is_sized(row) and not _is_closed(row)]
    forms = parse_symbol_forms(map(_name, rows))
    texts = [forms[_name(row)].symbol for row in rows]
    symbols = [*map(normalize_symbol, texts)]
    has_symbols = any(symbols)
    return [
        (symbol or text.upper(), row)
        for symbol, text, row in zip(symbols, texts, rows, strict=True)
        if symbol or not has_symbols
    ]


def _is_closed(row: Mapping[str, str]) -> bool:
    return any(map(str.isdigit, row.get("closed_date", "")))


def is_sized(row: Mapping[str, str]) -> bool:
    """Return whether a row names a security and states how much of it is held.

    Examples
    --------
    >>> is_sized({"symbol": "KO", "quantity": "5"}), is_sized({"symbol": "KO", "quantity": "0"})
    (True, False)
    >>> is_sized({"symbol": "EXPORTED", "quantity": "2024-01-05"})
    False
    """
    sizes = (row.get(size, "") for size in _SIZES)
    has_size = any(is_size(size) and set(size) & set("123456789") for size in sizes)
    return has_size and has_security({**row, "symbol": _name(row)})


def _name(row: Mapping[str, str]) -> str:
    """Return symbol or identifier of a row."""
    return row.get("symbol") or row.get("identifier", "")


def _is_plan(joined: Sequence[StatedTable], table: StatedTable) -> bool:
    """Return whether a table has only weights, next to tables of quantities or values."""
    amounts = {"quantity", "market_value"}
    is_of_amounts = any(amounts & one.columns.keys() for one in joined)
    return is_of_amounts and not amounts & table.columns.keys()


def _is_view(joined: Sequence[StatedTable], table: StatedTable) -> bool:
    """Return whether a table states securities of other tables, in the same sizes.

    Rows with days of the same accounts are their lots or trades, of any size.
    """
    accounts = _accounts([table])
    if accounts and accounts <= _accounts(joined) and not _DAYS.isdisjoint(table.columns):
        return securities([table]) <= securities(joined)
    return any(_is_view_in(joined, table, mark) for mark in _decimal_marks([*joined, table]))


def _accounts(tables: Sequence[StatedTable]) -> set[str]:
    rows = (row for table in tables for _, row in _named_rows(table))
    return {row.get("account_number") or row.get("account", "") for row in rows} - {""}


def _decimal_marks(tables: Sequence[StatedTable]) -> list[str]:
    """Return the decimal marks by which most sizes are numbers."""
    rows = [row for table in tables for _, row in _named_rows(table)]
    texts = [strip_size_unit(row.get(name, "")) for row in rows for name in _AMOUNTS]
    n_numbers = {
        mark: np.count_nonzero(np.isfinite(parse_texts(texts, mark)))
        for mark in cells.DECIMAL_MARKS
    }
    return [mark for mark, n in n_numbers.items() if n == max(n_numbers.values())]


def _is_view_in(joined: Sequence[StatedTable], table: StatedTable, decimal: str) -> bool:
    """Return whether a table is a view of others, with their numbers read by a decimal mark."""
    above, stated = _sizes(joined, decimal), _sizes([table], decimal)
    return stated.keys() <= above.keys() and all(
        _is_equal(above[name], stated[name]) for name in stated
    )


def _is_equal(above: "_Size", stated: "_Size") -> bool:
    """Return whether quantities are equal but for rounding; without them the values, if known."""
    if not np.isnan(above.quantity + stated.quantity):
        is_rounded = above.decimals > 0 and stated.decimals > 0
        coarse = min(above, stated, key=lambda size: size.decimals)
        rounding = coarse.n_rows * 0.5 * 10.0**-coarse.decimals if is_rounded else 0
        return bool(np.isclose(above.quantity, stated.quantity, rtol=1e-9, atol=rounding))
    is_known = not np.isnan(above.value + stated.value)
    return not is_known or bool(np.isclose(stated.value, above.value, rtol=_VALUE_TOLERANCE))


class _Size(NamedTuple):
    """Sums of the rows of a security, NaN if one of them has no number."""

    quantity: float
    value: float
    n_rows: int
    decimals: int
    """Maximum number of decimals of the quantities of its table."""


def _sizes(tables: Sequence[StatedTable], decimal: str) -> dict[str, _Size]:
    """Return the size of each security of tables, negative for sold ones."""
    sizes: dict[str, _Size] = {}
    for table in tables:
        named = _named_rows(table)
        texts = [strip_size_unit(row.get("quantity", "")) for _, row in named]
        quantity = parse_texts(texts, decimal)
        price, value = (
            parse_texts([row.get(name, "") for _, row in named], decimal)
            for name in ("last_price", "market_value")
        )
        value = np.where(np.isnan(value), np.abs(quantity) * price, value)
        is_sold = np.array([_is_sold(row) for _, row in named], bool) | (quantity < 0)
        is_sold |= value < 0
        sign = np.where(is_sold, -1, 1)
        decimals = max((_count_decimals(text, decimal) for text in texts), default=0)
        for place, (name, _) in enumerate(named):
            last = sizes.get(name, _Size(0, 0, 0, 0))
            sizes[name] = _Size(
                last.quantity + sign[place] * abs(quantity[place]),
                last.value + sign[place] * abs(value[place]),
                last.n_rows + 1,
                max(last.decimals, decimals),
            )
    return sizes


def _is_sold(row: Mapping[str, str]) -> bool:
    """Return whether a row has the side of a short position."""
    side, kind = (row.get(name, "").upper() for name in ("position_type", "type"))
    return POSITION_TYPES.get(side) in {"SHORT", *SHORT_OPTIONS} or kind in {"SHORT", "SELL"}


def _count_decimals(text: str, decimal: str) -> int:
    found = re.search(rf"{re.escape(decimal)}(\d+)\D*$", text)
    return len(found[1]) if found else 0
