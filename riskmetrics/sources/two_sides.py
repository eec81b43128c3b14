"""Columns of long and short positions next to each other, as one column with signs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.file_kinds import is_header
from riskmetrics.sources.holdings_columns import header_spellings, strip_unit
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with

_SIDES = frozenset({"long", "short"})
_NUMBER = re.compile(r"(?=.*[1-9])[^\w(]*\(?(?P<amount>[^()]*?)[-)]?")
_NEGATIVE = re.compile(r"[^\w(]*[-(\u2212].*[1-9].*|.*[1-9].*-")
_SECURITIES = ("symbol", "identifier", "security", "description")
"""Columns of which a table of positions has one."""


class _Pair(NamedTuple):
    """Places of the columns of both sides of a size."""

    short: int
    long: int
    size: str
    """Header without the side."""
    plain: int | None
    """Place of the column of the same size without a side."""


def merge_sides(path: Path, lines: Sequence[Line]) -> list[Line]:
    """Return lines with one column for each pair of a long and a short one of the same size.

    A pair is below the header of positions until the next header. Next to a column of the same
    size without a side, it gives that the sign, unless a column states the side.

    Raises
    ------
    DataQualityError
        If a row has a long and a short position, and its quantity no minus.

    Examples
    --------
    >>> rows = [["Symbol", "Long Quantity", "Short Quantity"], ["KO", "5", ""], ["F", "0", "(7)"]]
    >>> merged = merge_sides(Path(), [Line(1, "", cells, 3) for cells in rows])
    >>> [line.cells for line in merged]
    [['Symbol', 'quantity', ''], ['KO', '5'], ['F', '-7']]
    """
    table: _SidedTable | None = None
    merged = []
    for line in lines:
        if pairs := _find_pairs(line.cells):
            table = _SidedTable(path, line, pairs)
            merged.append(table.header())
        elif table is None or len(line.cells) < 2:
            merged.append(line)
        elif is_header(line.cells):
            table = None
            merged.append(line)
        else:
            merged.append(table.merge(line))
    return merged


class _SidedTable:
    """A table with columns of both sides."""

    def __init__(self, path: Path, header: Line, pairs: Sequence[_Pair]) -> None:
        self._path, self._header, self._pairs = path, header, pairs
        keys = [header_spellings(cell)[1] for cell in header.cells]
        columns = load_vocabulary().columns
        self._has_side = any(key in columns["position_type"] for key in keys)
        quantities = [place for place, key in enumerate(keys) if key in columns["quantity"]]
        self._quantity = quantities[0] if quantities else None

    def header(self) -> Line:
        """Return the header with the merged columns."""
        cells = list(self._header.cells)
        for pair in self._pairs:
            cells[pair.short] = ""
            cells[pair.long] = pair.size if pair.plain is None else ""
        return self._header._replace(cells=cells)

    def merge(self, line: Line) -> Line:
        """Return a row with the merged columns."""
        cells = list(line.cells)
        cells += [""] * (max(max(pair[:2]) for pair in self._pairs) + 1 - len(cells))
        is_total = starts_with(next(filter(None, cells), ""), load_vocabulary().totals)
        for pair in self._pairs:
            merged = "" if is_total else self._merge_cells(line, cells, pair)
            cells[pair.short] = ""
            cells[pair.long] = merged if pair.plain is None else ""
            if pair.plain is not None and merged.startswith("-"):
                cells[pair.plain] = merged
        filled = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
        return line._replace(cells=cells[:filled])

    def _merge_cells(self, line: Line, cells: Sequence[str], pair: _Pair) -> str:
        """Return the cell of a long position, or that of a short one with a minus.

        Empty if another column states the side of the position.
        """
        held, sold = cells[pair.long], cells[pair.short]
        size = "" if self._quantity is None else cells[self._quantity]
        is_stated = self._has_side or _NEGATIVE.fullmatch(size) is not None
        if pair.plain is not None and (is_stated or _NEGATIVE.fullmatch(cells[pair.plain])):
            return ""
        if not (found := _NUMBER.fullmatch(sold)):
            return held
        if not _NUMBER.fullmatch(held):
            return "-" + found["amount"].strip()
        if is_stated:
            return ""
        names = self._header.cells
        raise DataQualityError(
            f"{self._path}: line {line.number} has {held} in {names[pair.long]} and {sold} in"
            f" {names[pair.short]}. Write each position on a line of its own"
        )


def _find_pairs(headers: Sequence[str]) -> list[_Pair]:
    """Return the pairs of columns of both sides in the header of a table of positions.

    Examples
    --------
    >>> headers = ["Symbol", "Long Market Value", "Short Market Value", "Short Name", "Long Name"]
    >>> _find_pairs(headers)
    [_Pair(short=2, long=1, size='market value', plain=None)]
    >>> _find_pairs(headers[1:])
    []
    """
    columns = load_vocabulary().columns
    sizes = {name: {*columns[name]} for name in ("quantity", "market_value")}
    keys = [header_spellings(header)[1] for header in headers]
    if not any(key in columns[name] for key in keys for name in _SECURITIES):
        return []
    places: dict[tuple[str, str], int] = {}
    plain: dict[str, int] = {}
    for place, (header, key) in enumerate(zip(headers, keys, strict=True)):
        words = bare_words(strip_unit(header)).split()
        rest = " ".join(word for word in words if word not in _SIDES)
        if not rest and words and sizes["quantity"].isdisjoint(keys):
            rest = "quantity"  # Long and Short alone
        for name, known in sizes.items():
            if header_key(rest) in known and len(side := {*words} & _SIDES) == 1:
                places[rest, side.pop()] = place
            elif key in known:
                plain.setdefault(name, place)
    return [
        _Pair(place, places[rest, "long"], rest, plain.get(name))
        for (rest, side), place in places.items()
        if side == "short" and (rest, "long") in places
        for name in sizes
        if header_key(rest) in sizes[name]
    ]
