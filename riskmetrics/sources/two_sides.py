"""Columns of long and short positions next to each other, as one column with signs."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.holdings_columns import strip_unit
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with

_SIDES = frozenset({"long", "short"})
_NUMBER = re.compile(r"(?=.*[1-9])[^\w(]*\(?(?P<amount>[^()]*?)[-)]?")


def merge_sides(path: Path, lines: Sequence[Line]) -> list[Line]:
    """Return lines with one column for each pair of a long and a short one of the same size.

    Raises
    ------
    DataQualityError
        If a row has a long and a short position.

    Examples
    --------
    >>> rows = [["Symbol", "Long Quantity", "Short Quantity"], ["KO", "5", ""], ["F", "0", "(7)"]]
    >>> merged = merge_sides(Path(), [Line(1, "", cells, 3) for cells in rows])
    >>> [line.cells for line in merged]
    [['Symbol', 'quantity', ''], ['KO', '5', ''], ['F', '-7', '']]
    """
    pairs: list[tuple[int, int, str]] = []
    header: Line | None = None
    merged = []
    for line in lines:
        if found := _find_pairs(line.cells):
            pairs, header = found, line
            merged.append(_place(line, {at: name for _, at, name in found}, found))
        elif header is None or len(line.cells) < 2:
            merged.append(line)
        else:
            is_total = starts_with(next(filter(None, line.cells)), load_vocabulary().totals)
            signed = {
                at: "" if is_total else _merge_cells(path, header, line, short, at)
                for short, at, _ in pairs
            }
            merged.append(_place(line, signed, pairs))
    return merged


def _place(line: Line, texts: Mapping[int, str], pairs: Sequence[tuple[int, int, str]]) -> Line:
    """Return a line with texts in the places of long positions, and none in those of short ones."""
    cells = list(line.cells)
    cells += [""] * (max(texts) + 1 - len(cells))
    for short, long, _ in pairs:
        cells[long] = texts[long]
        cells[short : short + 1] = [""] if short < len(cells) else []
    return line._replace(cells=cells)


def _merge_cells(path: Path, header: Line, line: Line, short: int, long: int) -> str:
    """Return the cell of a long position, or that of a short one with a minus."""
    held, sold = (line.cells[at] if at < len(line.cells) else "" for at in (long, short))
    if not (found := _NUMBER.fullmatch(sold)):
        return held
    if _NUMBER.fullmatch(held):
        raise DataQualityError(
            f"{path}: line {line.number} has {held} in {header.cells[long]} and {sold} in"
            f" {header.cells[short]}. Write each position on a line of its own"
        )
    return "-" + found["amount"].strip()


def _find_pairs(headers: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the places of short and of long positions, and the header without the side.

    Examples
    --------
    >>> _find_pairs(["Long Market Value", "Short Market Value", "Short Name", "Long Name"])
    [(1, 0, 'market value')]
    """
    columns = load_vocabulary().columns
    sizes = {*columns["quantity"], *columns["market_value"]}
    places: dict[tuple[str, str], int] = {}
    for place, header in enumerate(headers):
        words = bare_words(strip_unit(header)).split()
        rest = " ".join(word for word in words if word not in _SIDES)
        if header_key(rest) in sizes and len(side := {*words} & _SIDES) == 1:
            places[rest, side.pop()] = place
    return [
        (place, places[rest, "long"], rest)
        for (rest, side), place in places.items()
        if side == "short" and (rest, "long") in places
    ]
