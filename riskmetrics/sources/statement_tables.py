"""Several tables of a statement: parts of the positions, and other views of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmetrics.errors import DataQualityError
from riskmetrics.sources import cells
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.statement_rows import has_security, parse_texts
from riskmetrics.text import join_names

_SIZES = ("quantity", "market_value", "weight")
_DAYS = frozenset({"entry_date", "closed_date", "date"})
"""Columns of the days of lots or trades, whose quantities are not those of positions."""


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

    A view has no security that the tables above do not have, and each in the same quantity if its
    rows have no days. Weights next to quantities or values are those of a plan or a benchmark.

    Raises
    ------
    DataQualityError
        If another table has other securities, or a part has a security again.
    """
    joined = [*tables[:1]]
    for table in tables[1:]:
        above, stated = _securities(joined), _securities([table])
        if table.is_part and above.isdisjoint(stated):
            joined.append(table)
        elif not _is_plan(joined, table) and not _is_view(joined, table):
            others = sorted(stated - above) or sorted(stated)
            raise DataQualityError(
                f"{path}: line {table.line} begins another table of holdings, with"
                f" {join_names(others)}. Save each table as a file of its own, or remove the one"
                " that states no further holdings"
            )
    return joined


def _securities(tables: Sequence[StatedTable]) -> set[str]:
    return {name for table in tables for name, _ in _sized_rows(table)}


def _sized_rows(table: StatedTable) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the security of each row that states how much is held, and the row."""
    yield from ((_name(row).upper(), row) for _, row in table.rows if is_sized(row))


def is_sized(row: Mapping[str, str]) -> bool:
    """Return whether a row names a security and states how much of it is held.

    Examples
    --------
    >>> is_sized({"symbol": "KO", "quantity": "5"}), is_sized({"symbol": "KO", "quantity": "0"})
    (True, False)
    """
    has_size = any(set(row.get(size, "")) & set("123456789") for size in _SIZES)
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
    """Return whether a table states securities of other tables, in the same quantities."""
    if not _securities([table]) <= _securities(joined):
        return False
    has_quantities = all("quantity" in one.columns for one in (*joined, table))
    is_dated = not _DAYS.isdisjoint(table.columns)
    return (
        is_dated
        or not has_quantities
        or any(
            _sums(joined, mark).items() >= _sums([table], mark).items()
            for mark in cells.DECIMAL_MARKS
        )
    )


def _sums(tables: Sequence[StatedTable], decimal: str) -> dict[str, float]:
    """Return the quantity of each security of tables."""
    named = [
        (name, row["quantity"])
        for one in tables
        for name, row in _sized_rows(one)
        if row.get("quantity")
    ]
    sums: dict[str, float] = defaultdict(float)
    for (name, _), number in zip(
        named, parse_texts([text for _, text in named], decimal), strict=True
    ):
        sums[name] += float(np.round(number, 8))
    return dict(sums)
