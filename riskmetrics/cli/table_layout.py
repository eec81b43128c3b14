"""Fit the columns of a table to the width of a terminal; no cell of a number is ever cut."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from rich.cells import cell_len

COLUMN_GAP = 3
"""Characters between two columns."""
_PROSE_LENGTH = 24
"""Text longer than this, in a column with spaces, is wrapped between its words."""
_MIN_PROSE_WIDTH = 16
_PIECES = re.compile(r"[^ _]*_|[^ _]+")
"""Pieces of a text: words, and parts of a name that end with an underscore."""


class Layout(NamedTuple):
    """Columns that fit, in their order, each with its width and the lines of its heading."""

    shown: list[int]
    widths: list[int]
    headings: list[str]
    """A heading may have several lines, separated by newlines."""


def fit_columns(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right_aligned: Sequence[bool],
    width: int,
    details: Collection[int] = (),
) -> Layout:
    r"""Choose the columns of a table that fit into ``width`` characters.

    If headings wrapped between their words, and long texts wrapped between theirs, do not save
    enough, columns are left out from the right: ``details`` first, then numbers and short texts,
    then long texts.
    The columns before the first number say what a row is about: they stay, and so does the next.
    If these do not fit either, ``details`` among them are left out, and long texts become as narrow
    as their longest word; then texts are broken after underscores.

    Examples
    --------
    >>> layout = fit_columns(
    ...     ["symbol", "beta", "std_error"], [["AAPL", "1.2345", "0.0601"]], [False, True, True], 25
    ... )
    >>> layout.headings
    ['symbol', 'beta', 'std_\nerror']
    """
    cells = [[row[column] for row in rows] for column in range(len(header))]
    prose = [_is_prose(column) for column in cells]
    natural = [_widest_text([name, *column]) for name, column in zip(header, cells, strict=True)]
    narrowest = [
        max(_widest_text(_PIECES.findall(name)), _widest_text(" ".join(column).split()))
        if is_prose
        else max(_widest_text(_PIECES.findall(name)), _widest_text(column))
        for name, column, is_prose in zip(header, cells, prose, strict=True)
    ]
    least = [
        min(full, max(_MIN_PROSE_WIDTH, narrow)) if is_prose else narrow
        for narrow, is_prose, full in zip(narrowest, prose, natural, strict=True)
    ]
    ranks = [(is_prose, column not in details) for column, is_prose in enumerate(prose)]
    leading = range(_count_leading(right_aligned))
    optional = sorted(range(len(leading), len(header)), key=lambda each: (ranks[each], -each))
    optional += [column for column in reversed(leading) if column in details]
    shown = _choose(least, optional, width)
    if _total_width(least, shown) > width:
        least = narrowest
    if _total_width(least, shown) > width:
        least = [
            narrow if is_number else _widest_text(_PIECES.findall(" ".join([name, *column])))
            for narrow, is_number, name, column in zip(
                narrowest, right_aligned, header, cells, strict=True
            )
        ]
    widths = _widen(
        [least[column] for column in shown], [natural[column] for column in shown], width
    )
    headings = [wrap(header[column], limit) for column, limit in zip(shown, widths, strict=True)]
    return Layout(shown, widths, headings)


def _is_prose(cells: Sequence[str]) -> bool:
    return any(cell_len(cell) > _PROSE_LENGTH and " " in cell for cell in cells)


def _widest_text(texts: Sequence[str]) -> int:
    """Return the characters of a terminal that the longest text takes; some letters take two."""
    return max(map(cell_len, texts), default=0)


def _count_leading(right_aligned: Sequence[bool]) -> int:
    """Return the number of columns before the first number, and of that number."""
    first = list(right_aligned).index(True) if any(right_aligned) else len(right_aligned) - 1
    return first + 1


def _choose(least: Sequence[int], optional: Sequence[int], width: int) -> list[int]:
    """Leave out optional columns, in their order, until the rest fits."""
    shown = list(range(len(least)))
    for column in optional:
        if _total_width(least, shown) <= width:
            break
        shown.remove(column)
    return shown


def _total_width(widths: Sequence[int], columns: Sequence[int]) -> int:
    return sum(widths[each] + COLUMN_GAP for each in columns) - COLUMN_GAP


def _widen(least: Sequence[int], natural: Sequence[int], width: int) -> list[int]:
    """Give the room that is left to the columns that want least of it first."""
    widths = list(least)
    room = width - sum(widths) - COLUMN_GAP * (len(widths) - 1)
    for column in sorted(range(len(widths)), key=lambda each: natural[each] - least[each]):
        more = max(0, min(natural[column] - least[column], room))
        widths[column] += more
        room -= more
    return widths


def wrap(text: str, width: int) -> str:
    """Break a text between its words, and after underscores, into lines of ``width``."""
    lines = [""]
    for piece in re.findall(r" ?(?:[^ _]*_|[^ _]+)", text):
        if cell_len(lines[-1] + piece) > width and lines[-1]:
            lines.append(piece.lstrip())
        else:
            lines[-1] += piece
    return "\n".join(lines)
