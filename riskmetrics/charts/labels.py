"""Place labels next to points, so that none covers another."""

from collections.abc import Sequence
from typing import NamedTuple

MAX_LABELS = 10
"""Points that are labeled, the first ones."""

MAX_COVERED = 1
"""Points that a label may cover where no place is clear."""

SIDES = ("right", "left", "above", "below")
"""Places of a label, the preferred one first."""

OFFSET = 6.0
"""Pixels from a point to its label."""

_WIDTH, _HEIGHT, _MARGIN = 340.0, 140.0, 15.0
"""Size of the plot without axes, and room next to it, in pixels."""

_LETTER, _LINE, _DOT = 6.5, 12.0, 4.0
"""Width of a letter, height of a line and half the size of a point, in pixels."""


class _Box(NamedTuple):
    left: float
    right: float
    low: float
    high: float

    def covers(self, other: "_Box") -> bool:
        """Return whether the boxes share more than an edge."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not (is_beside or self.high <= other.low or other.high <= self.low)


def place_labels(
    names: Sequence[str], x: Sequence[float], y: Sequence[float], also_y: Sequence[float] = ()
) -> list[str | None]:
    """Return the side of each point that has its label, the most important point first.

    Parameters
    ----------
    names : sequence of str
        Labels; earlier ones take the better place.
    x, y : sequences of float
        Points, on axes that span them and zero.
    also_y : sequence of float
        More values that the vertical axis spans.

    Returns
    -------
    list of str or None
        One of `SIDES`; None: there is no room, it would cover more than `MAX_COVERED` points, or
        `MAX_LABELS` points have one.

    Examples
    --------
    >>> place_labels(["AAPL", "MSFT", "XOM"], [0.50, 0.49, 0.1], [0.5, 0.5, 0.2])
    ['above', 'left', 'right']
    """
    across, up = _to_pixels(x, x, _WIDTH), _to_pixels(y, [*y, *also_y], _HEIGHT)
    dots = [
        _Box(at - _DOT, at + _DOT, high - _DOT, high + _DOT)
        for at, high in zip(across, up, strict=True)
    ]
    placed: list[_Box] = []
    sides: list[str | None] = []
    for name, at, high in zip(names, across, up, strict=True):
        boxes = _label_boxes(len(name) * _LETTER, at, high)
        free = {
            side: box
            for side, box in boxes.items()
            if _is_inside(box) and not any(map(box.covers, placed))
        }
        covered = {side: sum(map(box.covers, dots)) for side, box in free.items()}
        side = min(covered, key=covered.__getitem__, default=None)
        if side is not None and (covered[side] > MAX_COVERED or len(placed) == MAX_LABELS):
            side = None
        if side is not None:
            placed.append(free[side])
        sides.append(side)
    return sides


def _label_boxes(width: float, x: float, y: float) -> dict[str, _Box]:
    """Return the place of a label on each side of a point."""
    half, gap = width / 2, OFFSET + _LINE
    return {
        "right": _Box(x + OFFSET, x + OFFSET + width, y - _LINE / 2, y + _LINE / 2),
        "left": _Box(x - OFFSET - width, x - OFFSET, y - _LINE / 2, y + _LINE / 2),
        "above": _Box(x - half, x + half, y + OFFSET, y + gap),
        "below": _Box(x - half, x + half, y - gap, y - OFFSET),
    }


def _is_inside(box: _Box) -> bool:
    is_between = box.left >= 0 and box.right <= _WIDTH + _MARGIN
    return is_between and box.low >= -_LINE / 2 and box.high <= _HEIGHT + OFFSET


def _to_pixels(values: Sequence[float], spanned: Sequence[float], size: float) -> list[float]:
    low, high = min([0.0, *spanned]), max([0.0, *spanned])
    return [size * (value - low) / ((high - low) or 1.0) for value in values]
